//! Into the inbox: which lane a raw update belongs to, and what comes together with it: an album, or the burst of a phone that was offline.

use std::time::Duration;

use fitter_domain::ids::{BotId, ChatId, UserId};
use fitter_queue::{NewItem, Priority, Queue, failpoint};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::incoming::{Chat, Message, Update};
use crate::mend::mend;
use crate::ports::{PortError, Ported, Storage};
use crate::receipt::{Arrival, Receipts};

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

/// How long a single photo or file waits for more: a phone that is back in the net sends what it has kept in one go.
const BURST_SETTLES: Duration = Duration::from_millis(700);

/// What arrives in one go in a private chat. In groups the messages of several people stand between each other, so there only albums gather.
const BURST: &str = "burst";

/// With the queue's pauses of 1, 2, 4 and 8 s a person hears after a quarter of a minute that something does not work.
const ATTEMPTS: u16 = 5;

/// An update in the inbox.
#[derive(Debug, Deserialize)]
pub struct Accepted<'a> {
    /// To which bot.
    pub bot: BotId,
    /// As it came, but for what [`mend`] had to take out.
    #[serde(borrow)]
    pub update: &'a RawValue,
}

/// How an update goes with those around it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Going {
    /// A photo or file: waits for more.
    Gathers(Duration),
    /// A part of an album outside of a private chat.
    Album(String),
    /// Words: they go with what gathers, and wait for nobody when nothing does.
    Joins,
    /// A tap, a command, a reply, an edit: it is worked on after what came before it and before what comes behind.
    Ends,
    /// It has nothing to do with the others.
    Alone,
}

/// Content that is sent as a file of its own, beside photos and documents.
const FILES: [&str; 6] = ["voice", "video", "video_note", "audio", "animation", "live_photo"];

fn going(update: &Update) -> Going {
    if update.callback_query.is_some() || update.edited_message.is_some() {
        return Going::Ends;
    }
    let Some(message) = &update.message else { return Going::Alone };
    let private = message.chat.as_ref().is_some_and(Chat::is_private);
    let is_answer = message.reply_to_message.is_some();
    let is_command = message.text.as_deref().is_some_and(|text| text.starts_with('/'));
    match &message.media_group_id {
        Some(album) if !private || is_answer => Going::Album(album.clone()),
        Some(_) => Going::Gathers(ALBUM_SETTLES),
        None if !private => Going::Alone,
        None if is_answer || is_command => Going::Ends,
        None if has_file(message) => Going::Gathers(BURST_SETTLES),
        None => Going::Joins,
    }
}

fn has_file(message: &Message) -> bool {
    message.photo.is_some() || message.document.is_some() || FILES.iter().any(|name| message.rest.contains_key(*name))
}

/// The photo or file that a person has sent to the bot with this update.
fn arrival(update: &Update) -> Option<Arrival> {
    let is_bots = |message: &Message| message.from.as_ref().is_some_and(|from| from.is_bot == Some(true));
    let message = update.message.as_ref().filter(|message| has_file(message) && !is_bots(message))?;
    let chat = message.chat.as_ref().filter(|chat| chat.is_private())?;
    Some(Arrival { chat: chat.chat_id()?, message: message.message_id?, album: message.media_group_id.clone() })
}

/// An update that can be kept.
struct Read {
    id: i64,
    item: NewItem,
    going: Going,
    arrival: Option<Arrival>,
}

/// The inbox items of raw updates, and the highest `update_id`. What has no `update_id` is no update and is left out.
#[must_use]
pub fn items(bot: BotId, raws: &[Box<RawValue>]) -> (Vec<NewItem>, Option<i64>) {
    let (items, last, _) = read_all(bot, raws);
    (items, last)
}

fn read_all(bot: BotId, raws: &[Box<RawValue>]) -> (Vec<NewItem>, Option<i64>, Vec<Arrival>) {
    let mut read: Vec<Read> = raws.iter().filter_map(|raw| read(bot, raw)).collect();
    let last = read.iter().map(|update| update.id).max();
    let arrivals = read.iter_mut().filter_map(|update| update.arrival.take()).collect();
    let goings: Vec<(String, Going)> = read.iter().map(|update| (update.item.lane.clone(), update.going.clone())).collect();
    let items = read.into_iter().enumerate().map(|(place, Read { item, going, .. })| match going {
        Going::Gathers(settle) => item.gathering(BURST, settle),
        Going::Album(album) => item.gathering(album, ALBUM_SETTLES),
        // A backlog is fetched in one go: words whose photos are here already do not go ahead of them.
        Going::Joins if gathers_beside(&goings, place) => item.gathering(BURST, BURST_SETTLES),
        Going::Joins => item.joining(BURST, BURST_SETTLES),
        Going::Ends => item.ending(BURST),
        Going::Alone => item,
    });
    (items.collect(), last, arrivals)
}

/// Whether a photo or file stands beside this place of a batch, with nothing but words of the same lane between.
fn gathers_beside(goings: &[(String, Going)], place: usize) -> bool {
    let (before, after) = goings.split_at(place);
    let lane = after.first().map(|(lane, _)| lane);
    let gathers = |going: Option<&(String, Going)>| matches!(going, Some((_, Going::Gathers(_))));
    let stands = |(of, going): &&(String, Going)| Some(of) == lane && *going != Going::Joins && *going != Going::Alone;
    gathers(before.iter().rev().find(stands)) || gathers(after.iter().find(stands))
}

fn read(bot: BotId, raw: &RawValue) -> Option<Read> {
    let raw = mend(raw.get());
    let update = Update::from_value(serde_json::from_str(&raw).ok()?);
    let id = update.update_id?;
    let payload = format!(r#"{{"bot":{bot},"update":{raw}}}"#);
    let item = NewItem::raw(Queue::Inbox, lane_of(&update).key(bot), payload).dedupe(format!("{bot}:{id}")).max_attempts(ATTEMPTS);
    let item = if update.callback_query.is_some() { item.priority(Priority::Urgent) } else { item };
    Some(Read { id, item, going: going(&update), arrival: arrival(&update) })
}

/// Commits raw updates to the inbox and returns the highest `update_id` of them. Only then may Telegram be told that they arrived, and people
/// that their photos did.
///
/// # Errors
/// If the inbox cannot be reached; nothing was kept then.
pub async fn accept(storage: &dyn Storage, receipts: &Receipts, raws: &[Box<RawValue>]) -> Ported<Option<i64>> {
    let (items, last, arrivals) = read_all(receipts.bot(), raws);
    let count = items.len() as u64;
    if count > 0 {
        storage.put(items).await?;
        failpoint::hit("accept").await.map_err(PortError::new)?;
        metrics::counter!("fitter_tg_updates_total").increment(count);
        receipts.give(arrivals);
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
            {"update_id": 1, "message": {"chat": {"id": -3}, "media_group_id": "g"}},
            {"update_id": 2, "quantum": {}},
            {"no": "update"},
            {"update_id": 4, "message": {"text": "lone \ud800 surrogate"}}
        ]"#;
        let (items, last) = items(BotId(9), &serde_json::from_str::<Vec<Box<RawValue>>>(raws).unwrap());
        assert_eq!(last, Some(4));
        let seen: Vec<_> = items.iter().map(|i| (i.dedupe.as_deref().unwrap(), i.group.as_deref(), i.settle)).collect();
        assert_eq!(seen, [("9:1", Some("g"), Some(ALBUM_SETTLES)), ("9:2", None, None), ("9:4", None, None)]);
        let accepted: Accepted<'_> = serde_json::from_str(&items[2].payload).unwrap();
        let mended = "{\"update_id\": 4, \"message\": {\"text\": \"lone \u{fffd} surrogate\"}}";
        assert_eq!((accepted.bot, accepted.update.get()), (BotId(9), mended));
    }

    /// `photo 3` in chat 3 and so on, as the groups and ends that come of them.
    fn goings(batch: &[&str]) -> Vec<String> {
        let update = |(place, what): (usize, &&str)| {
            let (what, chat) = what.split_once(' ').expect("what and chat");
            let chat: i64 = chat.parse().expect("a chat");
            let mut message = json!({"message_id": place, "chat": {"id": chat}, "from": {"id": 3}});
            match what {
                "photo" => message["photo"] = json!([{"file_id": "f"}]),
                "album" => message["media_group_id"] = json!("g"),
                "voice" => message["voice"] = json!({"file_id": "f"}),
                "reply" => message["reply_to_message"] = json!({"message_id": 1}),
                "tap" => {
                    let update = json!({"update_id": place, "callback_query": {"id": "7", "from": {"id": 3}, "message": message}});
                    return serde_json::value::to_raw_value(&update).expect("JSON");
                }
                words => message["text"] = json!(words),
            }
            serde_json::value::to_raw_value(&json!({"update_id": place, "message": message})).expect("JSON")
        };
        let raws: Vec<Box<RawValue>> = batch.iter().enumerate().map(update).collect();
        let going = |item: &NewItem| match (&item.group, &item.joins, &item.ends) {
            (Some(group), ..) => format!("{group} {}", item.settle.unwrap_or_default().as_millis()),
            (_, Some(_), _) => "joins".to_owned(),
            (.., Some(_)) => "ends".to_owned(),
            _ => "alone".to_owned(),
        };
        items(BotId(9), &raws).0.iter().map(going).collect()
    }

    #[test]
    fn photos_and_files_of_private_chats_arrive() {
        let update = |message: Value| serde_json::value::to_raw_value(&json!({"update_id": 1, "message": message})).unwrap();
        let raws: Vec<Box<RawValue>> = vec![
            update(json!({"message_id": 1, "chat": {"id": 3}, "photo": [{"file_id": "f"}]})),
            update(json!({"message_id": 2, "chat": {"id": 3}, "photo": [{"file_id": "f"}], "media_group_id": "g"})),
            update(json!({"message_id": 3, "chat": {"id": 3}, "document": {"file_id": "f"}, "reply_to_message": {"message_id": 1}})),
            update(json!({"message_id": 4, "chat": {"id": 3}, "voice": {"file_id": "f"}})),
            update(json!({"message_id": 5, "chat": {"id": 3}, "text": "слова"})),
            update(json!({"message_id": 6, "chat": {"id": -3}, "photo": [{"file_id": "f"}]})),
            update(json!({"message_id": 7, "chat": {"id": 3}, "from": {"id": 3, "is_bot": true}, "photo": [{"file_id": "f"}]})),
            update(json!({"chat": {"id": 3}, "photo": [{"file_id": "f"}]})),
        ];
        let arrivals = read_all(BotId(9), &raws).2;
        let seen: Vec<_> = arrivals.iter().map(|arrival| (arrival.message, arrival.album.as_deref())).collect();
        assert_eq!(seen, [(1, None), (2, Some("g")), (3, None), (4, None)]);
    }

    #[test]
    fn what_comes_in_one_go_gathers() {
        assert_eq!(goings(&["привет 3"]), ["joins"]);
        assert_eq!(goings(&["photo 3", "album 3", "voice 3"]), ["burst 700", "burst 1000", "burst 700"]);
        assert_eq!(goings(&["tap 3", "reply 3", "/menu 3"]), ["ends", "ends", "ends"]);
        // Words of a backlog go with the photos beside them, other lanes notwithstanding, but not beyond a tap.
        assert_eq!(goings(&["раз 3", "два 4", "photo 3", "три 3"]), ["burst 700", "joins", "burst 700", "burst 700"]);
        assert_eq!(goings(&["раз 3", "tap 3", "photo 3"]), ["joins", "ends", "burst 700"]);
        // Groups: albums only.
        assert_eq!(goings(&["photo -3", "album -3", "привет -3", "/menu -3"]), ["alone", "g 1000", "alone", "alone"]);
    }
}
