//! Changes of a conversation, each with its journal line, update and page event.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::bot::Bot;
use super::chat::{Chat, ChatState, StoredMessage, bot_view, message_id};
use super::journal::Record;
use super::updates::NewUpdate;
use super::{World, lock};
use crate::config::PersonSeed;

/// The part of a message that depends on what was sent.
pub(crate) type Content = Map<String, Value>;

impl World {
    /// Puts messages of a bot into a chat, and returns them as the person's client has them.
    pub(crate) fn post_by_bot(&self, bot: &Bot, person: &PersonSeed, chat: &Chat, contents: Vec<Content>) -> Vec<Arc<Value>> {
        let (now, from) = (self.clock.now(), bot.user());
        let mut state = lock(&chat.state);
        let before = state.meta.keyboard.clone();
        let mut bodies = Vec::with_capacity(contents.len());
        for content in contents {
            let body = self.insert(&mut state, content, &from, person, now, true);
            apply_keyboard(&mut state, &body);
            bodies.push(body);
        }
        state.typing = None;
        self.journal.write(|| {
            let mut records = message_records(bot, chat, &state, &bodies);
            if state.meta.keyboard != before {
                records.push(chat_record(bot, chat, &state));
            }
            records
        });
        drop(state);
        self.announce(bot, chat, "message", &bodies);
        bodies
    }

    /// Puts messages of a person into the chat with a bot and queues their updates.
    pub(crate) fn post_by_person(&self, bot: &Bot, person: &PersonSeed, chat: &Chat, contents: Vec<Content>) -> Vec<Arc<Value>> {
        let (now, from) = (self.clock.now(), person.user());
        let mut state = lock(&chat.state);
        let first = !std::mem::replace(&mut state.meta.started, true);
        let bodies: Vec<_> = contents.into_iter().map(|content| self.insert(&mut state, content, &from, person, now, false)).collect();
        if let Some(last) = bodies.last() {
            state.meta.read_to = message_id(last);
        }
        let updates = bodies.iter().map(|body| NewUpdate { kind: "message", person: person.id, payload: bot_view(body) }).collect();
        bot.updates.commit(&self.journal, now, updates, || {
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

    /// Replaces a message that the caller changed under the chat's lock.
    pub(crate) fn replace(&self, bot: &Bot, chat: &Chat, state: &mut ChatState, mut message: StoredMessage, update: Option<NewUpdate>) {
        let id = message_id(&message.body);
        message.edited_at_id = state.meta.last_id;
        let body = Arc::clone(&message.body);
        state.messages.insert(id, message);
        let updates = update.into_iter().collect();
        bot.updates.commit(&self.journal, self.clock.now(), updates, || message_records(bot, chat, state, std::slice::from_ref(&body)));
        self.announce(bot, chat, "edit", &[body]);
    }

    /// Removes messages from both sides.
    pub(crate) fn remove(&self, bot: &Bot, chat: &Chat, ids: &[i64]) {
        let mut state = lock(&chat.state);
        state.remove(ids);
        self.journal
            .write(|| vec![Record::Gone { bot: bot.seed.id, chat: chat.person, ids: ids.to_vec() }, chat_record(bot, chat, &state)]);
        drop(state);
        chat.changed.notify_waiters();
        self.events.publish(Some(chat.person), "delete", || json!({ "bot": bot.seed.username, "message_ids": ids }));
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
        let member = |out: bool| {
            if out {
                json!({ "user": bot.user(), "status": "kicked", "until_date": 0 })
            } else {
                json!({ "user": bot.user(), "status": "member" })
            }
        };
        let update = NewUpdate {
            kind: "my_chat_member",
            person: person.id,
            payload: json!({
                "chat": person.chat(),
                "from": person.user(),
                "date": now,
                "old_chat_member": member(!blocked),
                "new_chat_member": member(blocked),
            }),
        };
        bot.updates.commit(&self.journal, now, vec![update], || vec![chat_record(bot, chat, &state)]);
        true
    }

    fn insert(&self, state: &mut ChatState, mut body: Content, from: &Value, person: &PersonSeed, now: i64, by_bot: bool) -> Arc<Value> {
        let id = state.next_id();
        body.insert("message_id".into(), id.into());
        body.insert("from".into(), from.clone());
        body.insert("chat".into(), person.chat());
        body.insert("date".into(), now.into());
        let body = Arc::new(Value::Object(body));
        state.messages.insert(id, StoredMessage { body: Arc::clone(&body), by_bot, edited_at_id: 0 });
        body
    }

    fn announce(&self, bot: &Bot, chat: &Chat, name: &'static str, bodies: &[Arc<Value>]) {
        chat.changed.notify_waiters();
        for body in bodies {
            self.events.publish(Some(chat.person), name, || json!({ "bot": bot.seed.username, "message": body }));
        }
    }
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

fn message_records(bot: &Bot, chat: &Chat, state: &ChatState, bodies: &[Arc<Value>]) -> Vec<Record> {
    bodies
        .iter()
        .filter_map(|body| state.get(message_id(body)))
        .map(|message| Record::Message { bot: bot.seed.id, chat: chat.person, message: message.clone() })
        .collect()
}

pub(crate) fn chat_record(bot: &Bot, chat: &Chat, state: &ChatState) -> Record {
    Record::Chat { bot: bot.seed.id, chat: chat.person, meta: state.meta.clone() }
}
