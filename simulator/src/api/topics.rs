//! Topics of private chats.

use serde_json::{Value, json};

use super::Call;
use crate::error::{ApiError, ApiResult};
use crate::world::chat::message_id;
use crate::world::lock;
use crate::world::post::Content;

/// Colours Telegram has for topics.
const COLORS: [i64; 6] = [7_322_096, 16_766_590, 13_338_331, 9_367_192, 16_749_490, 16_478_047];

pub(crate) fn create(call: &Call<'_>) -> ApiResult {
    let target = call.open_target()?;
    if target.peer.group().is_some() {
        return Err(ApiError::bad("the chat is not a forum"));
    }
    let name = call.args.text("name").unwrap_or_default();
    let color = call.args.int("icon_color").unwrap_or(COLORS.first().copied().unwrap_or(0));
    if !COLORS.contains(&color) {
        return Err(ApiError::bad("invalid icon color specified"));
    }
    let mut notice = Content::new();
    notice.insert("forum_topic_created".into(), json!({ "name": name, "icon_color": color }));
    let sent = call.world.post_by_bot(call.bot, &target.peer, &target.chat, vec![notice]);
    // A topic is named after the message that opened it.
    let id = sent.first().map_or(0, |body| message_id(body));
    let mut topic = json!({ "message_thread_id": id, "name": name, "icon_color": color });
    if let (Some(emoji), Some(map)) = (call.args.text("icon_custom_emoji_id"), topic.as_object_mut()) {
        map.insert("icon_custom_emoji_id".into(), emoji.into());
    }
    call.world.change_chat(call.bot, &target.chat, |state| {
        state.meta.topics.insert(id, topic.clone());
    });
    Ok(topic)
}

pub(crate) fn edit(call: &Call<'_>) -> ApiResult {
    let target = call.open_target()?;
    let id = call.args.int("message_thread_id").unwrap_or(0);
    let topic = lock(&target.chat.state).meta.topics.get(&id).cloned();
    let mut topic = topic.ok_or_else(|| ApiError::bad("TOPIC_ID_INVALID"))?;
    let before = topic.clone();
    if let Some(map) = topic.as_object_mut() {
        if let Some(name) = call.args.text("name") {
            map.insert("name".into(), name.into());
        }
        match call.args.values.get("icon_custom_emoji_id").and_then(Value::as_str) {
            Some("") => {
                map.remove("icon_custom_emoji_id");
            }
            Some(emoji) => {
                map.insert("icon_custom_emoji_id".into(), emoji.into());
            }
            None => {}
        }
    }
    if topic == before {
        return Err(ApiError::bad("TOPIC_NOT_MODIFIED"));
    }
    call.world.change_chat(call.bot, &target.chat, |state| {
        state.meta.topics.insert(id, topic);
    });
    Ok(Value::Bool(true))
}

/// Deletes a topic with its messages.
pub(crate) fn delete(call: &Call<'_>) -> ApiResult {
    let target = call.open_target()?;
    let id = call.args.int("message_thread_id").unwrap_or(0);
    let mut ids: Vec<i64> = {
        let mut state = lock(&target.chat.state);
        if state.meta.topics.remove(&id).is_none() {
            return Err(ApiError::bad("TOPIC_ID_INVALID"));
        }
        let inside = |body: &Value| body.get("message_thread_id").and_then(Value::as_i64) == Some(id);
        state.messages.iter().filter(|(_, message)| inside(&message.body)).map(|(id, _)| *id).collect()
    };
    ids.push(id);
    call.world.remove(call.bot, &target.chat, &ids);
    Ok(Value::Bool(true))
}
