//! Messages without words or photos: what a person shared, and what only happens in a chat.

use fitter_dialogues::event::Input;

use super::Messages;

/// Fields that accompany any content, and service messages: nothing that a person said. Whatever else a message holds is answered, also what
/// this release does not know.
const NO_CONTENT: [&str; 57] = [
    "date",
    "edit_date",
    "entities",
    "caption_entities",
    "sender_boost_count",
    "sender_business_bot",
    "sender_tag",
    "receiver_user",
    "ephemeral_message_id",
    "guest_query_id",
    "guest_bot_caller_user",
    "guest_bot_caller_chat",
    "business_connection_id",
    "direct_messages_topic",
    "forward_origin",
    "forward_from",
    "forward_from_chat",
    "forward_from_message_id",
    "forward_date",
    "forward_sender_name",
    "forward_signature",
    "is_automatic_forward",
    "external_reply",
    "quote",
    "reply_to_story",
    "reply_to_checklist_task_id",
    "reply_to_poll_option_id",
    "via_bot",
    "has_protected_content",
    "is_from_offline",
    "is_paid_post",
    "author_signature",
    "paid_star_count",
    "link_preview_options",
    "effect_id",
    "show_caption_above_media",
    "has_media_spoiler",
    "reply_markup",
    "new_chat_members",
    "new_chat_member",
    "new_chat_participant",
    "left_chat_member",
    "new_chat_title",
    "new_chat_photo",
    "delete_chat_photo",
    "pinned_message",
    "message_auto_delete_timer_changed",
    "write_access_allowed",
    "boost_added",
    "chat_background_set",
    "connected_website",
    "proximity_alert_triggered",
    "gift",
    "unique_gift",
    "gift_upgrade_sent",
    "refunded_payment",
    "managed_bot_created",
];
/// Parts of the names of more service messages.
const SERVICE: [&str; 12] = [
    "forum_topic",
    "video_chat",
    "migrate_",
    "chat_created",
    "chat_owner_",
    "community_chat_",
    "message_price_changed",
    "suggested_post_",
    "checklist_tasks_",
    "poll_option_",
    "giveaway_created",
    "giveaway_completed",
];

fn is_content(name: &str) -> bool {
    !NO_CONTENT.contains(&name) && !SERVICE.iter().any(|part| name.contains(part))
}

/// A voice, a sticker, a contact, …; `None` for what nobody said.
pub(super) fn other(messages: Messages) -> Option<Input> {
    let message = messages.0.first()?;
    let file = message.document.is_some().then(|| "document".to_owned());
    // Words that nobody can see are something, but no words.
    let words = || (message.caption.is_some() || message.text.is_some()).then(|| "unknown".to_owned());
    let what = message.rest.keys().find(|name| is_content(name)).cloned().or(file).or_else(words)?;
    Some(Input::Other { what, text: message.words() })
}
