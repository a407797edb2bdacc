//! Copying and forwarding.

use serde_json::{Value, json};

use super::Call;
use super::call::Target;
use crate::error::{ApiError, ApiResult};
use crate::world::chat::{StoredMessage, bot_view, message_id};
use crate::world::lock;
use crate::world::post::Content;

/// Fields that make up what a message says.
const CONTENT: [&str; 20] = [
    "text",
    "entities",
    "link_preview_options",
    "caption",
    "caption_entities",
    "photo",
    "document",
    "voice",
    "audio",
    "video",
    "animation",
    "video_note",
    "sticker",
    "location",
    "contact",
    "poll",
    "has_media_spoiler",
    "show_caption_above_media",
    "venue",
    "dice",
];

pub(crate) fn copy_one(call: &Call<'_>) -> ApiResult {
    let (target, source) = (call.open_target()?, call.target_of("from_chat_id")?);
    let id = call.args.int("message_id").unwrap_or(0);
    let message = find(&source, id).ok_or_else(|| ApiError::bad("message to copy not found"))?;
    let mut content = content_of(&message)?;
    if call.args.text("caption").is_some() {
        content.remove("caption");
        content.remove("caption_entities");
        super::media::put_caption(call, &mut content)?;
    }
    // A copy has no keyboard but its own.
    call.dress(&target.chat, &mut content)?;
    call.pace(&target.chat, 1)?;
    let ids = post(call, &target, vec![content]);
    Ok(ids.into_iter().next().unwrap_or_default())
}

pub(crate) fn copy_many(call: &Call<'_>) -> ApiResult {
    let (target, found) = several(call)?;
    let remove_caption = call.args.flag("remove_caption");
    let contents = found
        .iter()
        .map(|message| {
            let mut content = content_of(message)?;
            if remove_caption {
                content.remove("caption");
                content.remove("caption_entities");
            }
            call.dress(&target.chat, &mut content)?;
            Ok(content)
        })
        .collect::<ApiResult<Vec<_>>>()?;
    if contents.is_empty() {
        return Err(ApiError::bad("there are no messages to copy"));
    }
    call.pace(&target.chat, contents.len())?;
    Ok(Value::Array(post(call, &target, contents)))
}

pub(crate) fn forward_one(call: &Call<'_>) -> ApiResult {
    let (target, source) = (call.open_target()?, call.target_of("from_chat_id")?);
    let id = call.args.int("message_id").unwrap_or(0);
    let message = find(&source, id).ok_or_else(|| ApiError::bad("message to forward not found"))?;
    let mut content = forwarded(&message)?;
    call.dress(&target.chat, &mut content)?;
    call.pace(&target.chat, 1)?;
    let sent = call.world.post_by_bot(call.bot, &target.peer, &target.chat, vec![content]);
    Ok(sent.first().map(|body| bot_view(body)).unwrap_or_default())
}

pub(crate) fn forward_many(call: &Call<'_>) -> ApiResult {
    let (target, found) = several(call)?;
    let contents: Vec<Content> = found.iter().filter_map(|message| forwarded(message).ok()).collect();
    if contents.is_empty() {
        return Err(ApiError::bad("there are no messages to forward"));
    }
    call.pace(&target.chat, contents.len())?;
    Ok(Value::Array(post(call, &target, contents)))
}

/// The messages of `message_ids` that exist. Their order must rise.
fn several(call: &Call<'_>) -> ApiResult<(Target, Vec<StoredMessage>)> {
    let (target, source) = (call.open_target()?, call.target_of("from_chat_id")?);
    let ids: Vec<i64> = call.args.array("message_ids").unwrap_or_default().iter().filter_map(Value::as_i64).collect();
    if !ids.is_sorted_by(|a, b| a < b) {
        return Err(ApiError::bad("message identifiers must be in a strictly increasing order"));
    }
    let found = ids.into_iter().filter_map(|id| find(&source, id)).collect();
    Ok((target, found))
}

fn find(source: &Target, id: i64) -> Option<StoredMessage> {
    lock(&source.chat.state).get(id).cloned()
}

fn content_of(message: &StoredMessage) -> ApiResult<Content> {
    let mut content = Content::new();
    for field in CONTENT {
        if let Some(value) = message.body.get(field) {
            content.insert(field.into(), value.clone());
        }
    }
    let protected = message.body.get("has_protected_content").is_some();
    if content.is_empty() || protected {
        return Err(ApiError::bad("message can't be copied"));
    }
    Ok(content)
}

fn forwarded(message: &StoredMessage) -> ApiResult<Content> {
    if message.body.get("has_protected_content").is_some() {
        return Err(ApiError::bad("message has protected content and can't be forwarded"));
    }
    let mut content = content_of(message).map_err(|_| ApiError::bad("the message can't be forwarded"))?;
    let origin = message.body.get("forward_origin").cloned().unwrap_or_else(|| {
        json!({
            "type": "user",
            "sender_user": message.body.get("from"),
            "date": message.body.get("date"),
        })
    });
    content.insert("forward_origin".into(), origin);
    Ok(content)
}

/// Sends and returns the `MessageId` objects.
fn post(call: &Call<'_>, target: &Target, contents: Vec<Content>) -> Vec<Value> {
    call.world
        .post_by_bot(call.bot, &target.peer, &target.chat, contents)
        .iter()
        .map(|body| json!({ "message_id": message_id(body) }))
        .collect()
}
