//! Which methods are served, and by what.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::Call;
use super::{
    album, commands, copy, delete, edit, edit_media, files, getters, inline, invoice, media, misc, pins, poll, profile, queries, rich,
    send, topics, webhook,
};
use crate::error::ApiResult;

/// How true a method is to Telegram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Served {
    /// As documented, in private chats and groups.
    Yes,
    /// With the difference that is named.
    Partly(&'static str),
}

/// What serves a method.
pub(crate) type Handler = fn(&Call<'_>) -> ApiResult;

/// One served method.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) served: Served,
    /// None for `getUpdates`, which waits and is served apart.
    pub(crate) handler: Option<Handler>,
}

const fn yes(name: &'static str, handler: Handler) -> Entry {
    Entry { name, served: Served::Yes, handler: Some(handler) }
}

const fn partly(name: &'static str, why: &'static str, handler: Handler) -> Entry {
    Entry { name, served: Served::Partly(why), handler: Some(handler) }
}

/// Every served method. The fidelity page is made from this table.
static ENTRIES: &[Entry] = &[
    Entry { name: "getUpdates", served: Served::Partly("the rules for repeating one offset within seconds are left out"), handler: None },
    partly("setWebhook", "also takes http:// addresses of this machine; certificates are not checked", webhook::set),
    yes("deleteWebhook", webhook::delete),
    yes("getWebhookInfo", webhook::info),
    yes("getMe", getters::me),
    partly("logOut", "answers True and changes nothing", misc::truly),
    partly("close", "answers True and changes nothing", misc::truly),
    yes("sendMessage", send::message),
    partly("sendPhoto", "all sizes of a photo have the original's content", media::photo),
    yes("sendDocument", media::document),
    partly("sendVoice", "the codec is not looked at", media::voice),
    partly("sendAudio", "tags are not read", media::audio),
    partly("sendVideo", "size and length are taken from the request only", media::video),
    partly("sendAnimation", "size and length are taken from the request only", media::animation),
    partly("sendVideoNote", "size and length are taken from the request only", media::video_note),
    partly("sendSticker", "sticker sets are unknown", media::sticker),
    partly("sendMediaGroup", "live photos are refused", album::send),
    partly("sendLocation", "live locations do not move", send::location),
    yes("sendContact", send::contact),
    partly("sendPoll", "nobody votes", poll::send),
    yes("sendChatAction", misc::chat_action),
    partly("sendMessageDraft", "drafts are shown but not kept; the Stop button is left out", rich::draft),
    partly("sendRichMessage", "kept as plain text", rich::send),
    partly("sendRichMessageDraft", "shown as plain text", rich::rich_draft),
    partly("editMessageText", "inline messages are not kept", edit::text),
    partly("editMessageCaption", "inline messages are not kept", edit::caption),
    partly("editMessageMedia", "inline messages are not kept", edit_media::media),
    partly("editMessageReplyMarkup", "inline messages are not kept", edit::markup),
    yes("deleteMessage", delete::one),
    yes("deleteMessages", delete::many),
    yes("copyMessage", copy::copy_one),
    yes("copyMessages", copy::copy_many),
    yes("forwardMessage", copy::forward_one),
    yes("forwardMessages", copy::forward_many),
    yes("pinChatMessage", pins::pin),
    yes("unpinChatMessage", pins::unpin),
    yes("unpinAllChatMessages", pins::unpin_all),
    yes("answerCallbackQuery", queries::callback),
    partly("answerInlineQuery", "results are checked for shape and shown, not sent", inline::answer),
    partly("answerWebAppQuery", "text results are sent", inline::answer_web_app),
    partly("savePreparedInlineMessage", "an id is given, the message is not kept", inline::save_prepared),
    partly("setMessageReaction", "any emoji is taken", misc::reaction),
    yes("getFile", files::get),
    yes("setMyCommands", commands::set),
    yes("getMyCommands", commands::get),
    yes("deleteMyCommands", commands::delete),
    yes("setMyName", profile::set_name),
    yes("getMyName", profile::get_name),
    yes("setMyDescription", profile::set_description),
    yes("getMyDescription", profile::get_description),
    yes("setMyShortDescription", profile::set_short_description),
    yes("getMyShortDescription", profile::get_short_description),
    yes("setChatMenuButton", profile::set_menu_button),
    yes("getChatMenuButton", profile::get_menu_button),
    partly("getChat", "private chats and groups, with the fields that are known here", getters::chat),
    partly("getChatMember", "rights of administrators are all the same", getters::member),
    partly("getChatAdministrators", "rights of administrators are all the same", getters::administrators),
    yes("getChatMemberCount", getters::member_count),
    partly("createForumTopic", "topics of private chats", topics::create),
    partly("editForumTopic", "topics of private chats", topics::edit),
    partly("deleteForumTopic", "topics of private chats", topics::delete),
    partly("sendInvoice", "Telegram Stars and test providers; nobody is charged", invoice::send),
    yes("answerPreCheckoutQuery", queries::pre_checkout),
    yes("leaveChat", misc::leave),
    partly("getUserProfilePhotos", "nobody has a picture", getters::profile_photos),
];

static BY_NAME: LazyLock<HashMap<&'static str, &'static Entry>> =
    LazyLock::new(|| ENTRIES.iter().map(|entry| (entry.name, entry)).collect());

/// The entry of a served method, by its documented name.
pub(crate) fn entry(name: &str) -> Option<&'static Entry> {
    BY_NAME.get(name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Schema;

    #[test]
    fn every_served_method_is_in_the_table() {
        let schema = Schema::get().unwrap();
        for entry in ENTRIES {
            assert!(schema.method(entry.name).is_some_and(|method| method.name == entry.name), "{} is no method", entry.name);
        }
        assert_eq!(BY_NAME.len(), ENTRIES.len(), "a method is listed twice");
    }
}
