//! Changes of a conversation, each with its journal line, update and page event.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::bot::Bot;
use super::chat::{Chat, ChatState, StoredMessage, bot_view, message_id};
use super::groups::Status;
use super::journal::Record;
use super::peer::Peer;
use super::update::NewUpdate;
use super::{World, lock};
use crate::config::PersonSeed;

/// The part of a message that depends on what was sent.
pub(crate) type Content = Map<String, Value>;

impl World {
    /// Puts messages of a bot into a chat, and returns them as the people's clients have them.
    pub(crate) fn post_by_bot(&self, bot: &Bot, peer: &Peer, chat: &Chat, contents: Vec<Content>) -> Vec<Arc<Value>> {
        let (now, from, place) = (self.clock.now(), bot.user(), peer.view());
        let mut state = lock(&chat.state);
        let before = state.meta.keyboard.clone();
        let mut bodies = Vec::with_capacity(contents.len());
        for content in contents {
            let body = insert(&mut state, content, &from, &place, now, true);
            apply_keyboard(&mut state, &body);
            bodies.push(body);
        }
        state.typing = None;
        let spoke = peer.group().filter(|group| lock(&group.info).last_bot.replace(bot.seed.id) != Some(bot.seed.id));
        self.journal.write(|| {
            let mut records = message_records(bot, chat, &state, &bodies);
            if state.meta.keyboard != before {
                records.push(chat_record(bot, chat, &state));
            }
            records.extend(spoke.map(|group| group.record()));
            records
        });
        drop(state);
        self.announce(bot, chat, "message", &bodies);
        bodies
    }

    /// Puts messages of a person into the private chat with a bot and queues their updates.
    pub(crate) fn post_by_person(&self, bot: &Bot, person: &PersonSeed, chat: &Chat, contents: Vec<Content>) -> Vec<Arc<Value>> {
        let (now, from, place) = (self.clock.now(), person.user(), person.chat());
        self.rates.heard(bot.seed.id, chat.id, self.clock.now_ms());
        let mut state = lock(&chat.state);
        let first = !std::mem::replace(&mut state.meta.started, true);
        let bodies: Vec<_> = contents.into_iter().map(|content| insert(&mut state, content, &from, &place, now, false)).collect();
        if let Some(last) = bodies.last() {
            state.meta.read_to = message_id(last);
        }
        let updates = bodies.iter().map(|body| NewUpdate { kind: "message", of: chat.id, payload: bot_view(body) }).collect();
        bot.updates.commit(&self.journal, &self.clock, updates, || {
            let mut records = message_records(bot, chat, &state, &bodies);
            if first {
                records.push(chat_record(bot, chat, &state));
            }
            records
        });
        drop(state);
        self.announce(bot, chat, "message", &bodies);
        bodies
    }

    /// Replaces a message that the caller changed under the chat's lock. Bots hear of it if a person did it.
    pub(crate) fn replace(&self, bot: &Bot, chat: &Chat, state: &mut ChatState, mut message: StoredMessage, by_person: bool) {
        let id = message_id(&message.body);
        message.edited_at_id = state.meta.last_id;
        let body = Arc::clone(&message.body);
        state.messages.insert(id, message);
        let changed = std::slice::from_ref(&body);
        let records = message_records(bot, chat, state, changed);
        match self.groups.get(chat.id) {
            Some(group) if by_person => self.spread(self.shown(&group, "edited_message", changed, None), records),
            None if by_person => {
                let update = NewUpdate { kind: "edited_message", of: chat.id, payload: bot_view(&body) };
                bot.updates.commit(&self.journal, &self.clock, vec![update], || records);
            }
            _ => self.journal.write(|| records),
        }
        self.announce(bot, chat, "edit", changed);
    }

    /// Removes messages from both sides.
    pub(crate) fn remove(&self, bot: &Bot, chat: &Chat, ids: &[i64]) {
        let mut state = lock(&chat.state);
        state.remove(ids);
        self.journal
            .write(|| vec![Record::Gone { bot: owner(bot, chat), chat: chat.id, ids: ids.to_vec() }, chat_record(bot, chat, &state)]);
        drop(state);
        chat.changed.notify_waiters();
        self.tell(bot, chat, "delete", || json!({ "message_ids": ids }));
    }

    /// Changes what a chat keeps besides messages.
    pub(crate) fn change_chat(&self, bot: &Bot, chat: &Chat, change: impl FnOnce(&mut ChatState)) {
        let mut state = lock(&chat.state);
        change(&mut state);
        self.journal.write(|| vec![chat_record(bot, chat, &state)]);
    }

    /// Blocks or unblocks the bot; returns whether that changed anything.
    pub(crate) fn set_blocked(&self, bot: &Bot, person: &PersonSeed, chat: &Chat, blocked: bool) -> bool {
        let now = self.clock.now();
        let mut state = lock(&chat.state);
        if state.meta.blocked == blocked {
            return false;
        }
        state.meta.blocked = blocked;
        let member = |out: bool| if out { Status::Kicked } else { Status::Member }.member(bot.user());
        let update = NewUpdate {
            kind: "my_chat_member",
            of: person.id,
            payload: json!({
                "chat": person.chat(),
                "from": person.user(),
                "date": now,
                "old_chat_member": member(!blocked),
                "new_chat_member": member(blocked),
            }),
        };
        bot.updates.commit(&self.journal, &self.clock, vec![update], || vec![chat_record(bot, chat, &state)]);
        true
    }

    pub(super) fn announce(&self, bot: &Bot, chat: &Chat, name: &'static str, bodies: &[Arc<Value>]) {
        chat.changed.notify_waiters();
        for body in bodies {
            self.tell(bot, chat, name, || json!({ "message": body }));
        }
    }

    /// Tells the pages of those who see a chat. The data gets the chat's bot, and a group's number.
    pub(crate) fn tell(&self, bot: &Bot, chat: &Chat, name: &'static str, data: impl Fn() -> Value) {
        let group = self.groups.get(chat.id);
        let view = || {
            let mut view = data();
            if let Some(map) = view.as_object_mut() {
                map.insert("bot".into(), bot.seed.username.as_str().into());
                if group.is_some() {
                    map.insert("chat_id".into(), chat.id.into());
                }
            }
            view
        };
        match &group {
            None => self.events.publish(Some(chat.id), name, view),
            Some(group) => {
                let present: Vec<i64> = lock(&group.info).present().collect();
                for person in present {
                    self.events.publish(Some(person), name, view);
                }
            }
        }
    }
}

pub(super) fn insert(state: &mut ChatState, mut body: Content, from: &Value, place: &Value, now: i64, by_bot: bool) -> Arc<Value> {
    let id = state.next_id();
    body.insert("message_id".into(), id.into());
    body.insert("from".into(), from.clone());
    body.insert("chat".into(), place.clone());
    body.insert("date".into(), now.into());
    let body = Arc::new(Value::Object(body));
    state.messages.insert(id, StoredMessage { body: Arc::clone(&body), by_bot, edited_at_id: 0 });
    body
}

/// A reply keyboard stays until another one or its removal comes.
fn apply_keyboard(state: &mut ChatState, body: &Value) {
    let Some(markup) = body.get("reply_markup") else {
        return;
    };
    if markup.get("keyboard").is_some() {
        state.meta.keyboard = Some(markup.clone());
    } else if markup.get("remove_keyboard").is_some() {
        state.meta.keyboard = None;
    }
}

/// Whose chat it is in the journal: a group's messages belong to all its bots.
fn owner(bot: &Bot, chat: &Chat) -> i64 {
    if chat.id < 0 { 0 } else { bot.seed.id }
}

pub(super) fn message_records(bot: &Bot, chat: &Chat, state: &ChatState, bodies: &[Arc<Value>]) -> Vec<Record> {
    bodies
        .iter()
        .filter_map(|body| state.get(message_id(body)))
        .map(|message| Record::Message { bot: owner(bot, chat), chat: chat.id, message: message.clone() })
        .collect()
}

pub(crate) fn chat_record(bot: &Bot, chat: &Chat, state: &ChatState) -> Record {
    Record::Chat { bot: owner(bot, chat), chat: chat.id, meta: state.meta.clone() }
}
