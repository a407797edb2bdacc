//! Into the inbox: which lane a raw update belongs to, and what makes it an album.

use std::time::Duration;

use fitter_domain::ids::{BotId, ChatId, UserId};
use fitter_queue::{NewItem, Priority, Queue, failpoint};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::incoming::{Message, Update};
use crate::ports::{PortError, Ported, Storage};

/// The kinds of updates that are asked for.
pub const ALLOWED_UPDATES: [&str; 5] = ["message", "edited_message", "callback_query", "my_chat_member", "stopped_message_generation"];

/// Whose updates are handled one after the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lane {
    /// The chat, as far as it is known.
    pub chat: Option<ChatId>,
    /// The topic in it.
    pub thread: Option<i64>,
    /// Who did it; no part of the key, for people of a group see each other's messages in order.
    pub user: Option<UserId>,
}

impl Lane {
    /// The key: `<bot>:<chat>:<topic or 0>`, or `bot:<bot>` for what belongs to no chat.
    #[must_use]
    pub fn key(&self, bot: BotId) -> String {
        match self.chat {
            // The same lane as that of late outcomes: both are handled in the order in which they come.
            Some(chat) => fitter_services::delivery::inbox_lane(bot, chat, self.thread),
            None => format!("bot:{bot}"),
        }
    }
}

/// Where any update belongs, also one of a kind that is not known yet.
#[must_use]
pub fn lane_of(update: &Update) -> Lane {
    let of_message = |message: &Message| Lane {
        chat: message.chat.as_ref().and_then(|chat| chat.chat_id()),
        thread: message.topic(),
        user: message.from.as_ref().and_then(|from| from.user_id()),
    };
    if let Some(callback) = &update.callback_query {
        let user = callback.from.as_ref().and_then(|from| from.user_id());
        return Lane { user, ..callback.message.as_ref().map(of_message).unwrap_or_default() };
    }
    if let Some(message) = update.message.as_ref().or(update.edited_message.as_ref()) {
        return of_message(message);
    }
    if let Some(change) = &update.my_chat_member {
        let user = change.from.as_ref().and_then(|from| from.user_id());
        return Lane { chat: change.chat.as_ref().and_then(|chat| chat.chat_id()), thread: None, user };
    }
    if let Some(stopped) = &update.stopped_message_generation {
        return Lane { chat: stopped.chat.as_ref().and_then(|chat| chat.chat_id()), ..Lane::default() };
    }
    update.rest.values().map(guess).next().unwrap_or_default()
}

/// Updates of other kinds name their chat and person in the same words.
fn guess(body: &Value) -> Lane {
    let number = |pointer: &str| body.pointer(pointer).and_then(Value::as_i64);
    let user = number("/from/id").or_else(|| number("/user/id")).map(UserId);
    // Without a chat: the person's own.
    let chat = number("/chat/id").or_else(|| number("/message/chat/id")).map(ChatId);
    Lane { chat: chat.or_else(|| user.map(|user| ChatId(user.0))), thread: None, user }
}

/// How long an album waits for its next part. There is no count and no end mark in what Telegram sends.
const ALBUM_SETTLES: Duration = Duration::from_secs(1);

/// With the queue's pauses of 1, 2, 4 and 8 s a person hears after a quarter of a minute that something does not work.
const ATTEMPTS: u16 = 5;

/// An update in the inbox.
#[derive(Debug, Deserialize)]
pub struct Accepted<'a> {
    /// To which bot.
    pub bot: BotId,
    /// As it came, to the letter.
    #[serde(borrow)]
    pub update: &'a RawValue,
}

/// The inbox items of raw updates, and the highest `update_id`. What has no `update_id` is no update and is left out.
#[must_use]
pub fn items(bot: BotId, raws: &[Box<RawValue>]) -> (Vec<NewItem>, Option<i64>) {
    let items: Vec<(i64, NewItem)> = raws.iter().filter_map(|raw| item(bot, raw)).collect();
    let last = items.iter().map(|(id, _)| *id).max();
    (items.into_iter().map(|(_, item)| item).collect(), last)
}

fn item(bot: BotId, raw: &RawValue) -> Option<(i64, NewItem)> {
    #[derive(Deserialize)]
    struct Numbered {
        update_id: i64,
    }
    let Numbered { update_id } = serde_json::from_str(raw.get()).ok()?;
    // Valid JSON may still be no readable value (a lone surrogate): it is kept and must not stop the updates behind it.
    let update = serde_json::from_str(raw.get()).map(Update::from_value).unwrap_or_default();
    let payload = format!(r#"{{"bot":{bot},"update":{}}}"#, raw.get());
    let item = NewItem::raw(Queue::Inbox, lane_of(&update).key(bot), payload).dedupe(format!("{bot}:{update_id}")).max_attempts(ATTEMPTS);
    let item = if update.callback_query.is_some() { item.priority(Priority::Urgent) } else { item };
    let album = update.message.and_then(|message| message.media_group_id);
    Some((update_id, if let Some(album) = album { item.gathering(album, ALBUM_SETTLES) } else { item }))
}

/// Commits raw updates to the inbox and returns the highest `update_id` of them. Only then may Telegram be told that they arrived.
///
/// # Errors
/// If the inbox cannot be reached; nothing was kept then.
pub async fn accept(storage: &dyn Storage, bot: BotId, raws: &[Box<RawValue>]) -> Ported<Option<i64>> {
    let (items, last) = items(bot, raws);
    let count = items.len() as u64;
    if count > 0 {
        storage.put(items).await?;
        failpoint::hit("accept").await.map_err(PortError::new)?;
        metrics::counter!("fitter_tg_updates_total").increment(count);
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lanes() {
        let lane = |raw: Value| lane_of(&Update::read(&raw)).key(BotId(9));
        let chat = json!({"id": -5, "type": "supergroup"});
        assert_eq!(lane(json!({"update_id": 1, "message": {"chat": chat, "from": {"id": 3}}})), "9:-5:0");
        assert_eq!(
            lane(json!({"update_id": 1, "edited_message": {"chat": chat, "message_thread_id": 4, "is_topic_message": true}})),
            "9:-5:4"
        );
        // The thread of a reply is no topic.
        assert_eq!(lane(json!({"update_id": 1, "message": {"chat": chat, "message_thread_id": 4}})), "9:-5:0");
        assert_eq!(lane(json!({"update_id": 1, "callback_query": {"from": {"id": 3}, "message": {"chat": chat, "date": 0}}})), "9:-5:0");
        assert_eq!(lane(json!({"update_id": 1, "my_chat_member": {"chat": {"id": 3}, "from": {"id": 3}}})), "9:3:0");
        assert_eq!(lane(json!({"update_id": 1, "inline_query": {"from": {"id": 3}, "query": ""}})), "9:3:0");
        for odd in [json!({"update_id": 1, "quantum": 5}), json!({"update_id": 1}), json!([]), json!(null), json!({"message": []})] {
            assert_eq!(lane(odd), "bot:9");
        }
    }

    #[test]
    fn every_update_is_kept_and_albums_are_marked() {
        let raws = r#"[
            {"update_id": 1, "message": {"chat": {"id": 3}, "media_group_id": "g"}},
            {"update_id": 2, "quantum": {}},
            {"no": "update"},
            {"update_id": 4, "message": {"text": "lone \ud800 surrogate"}}
        ]"#;
        let (items, last) = items(BotId(9), &serde_json::from_str::<Vec<Box<RawValue>>>(raws).unwrap());
        assert_eq!(last, Some(4));
        let seen: Vec<_> = items.iter().map(|i| (i.dedupe.as_deref().unwrap(), i.group.as_deref(), i.settle)).collect();
        assert_eq!(seen, [("9:1", Some("g"), Some(ALBUM_SETTLES)), ("9:2", None, None), ("9:4", None, None)]);
        let accepted: Accepted<'_> = serde_json::from_str(&items[2].payload).unwrap();
        assert_eq!((accepted.bot, accepted.update.get()), (BotId(9), r#"{"update_id": 4, "message": {"text": "lone \ud800 surrogate"}}"#));
    }
}
