//! The updates that wait in a bot's queue, with what happens to them on their way there.

use std::collections::{BTreeMap, BTreeSet};

use super::disorder::{Disorder, Hold};
use super::held::{Held, HeldBack};
use super::journal::Record;
use super::update::{NewUpdate, Update};

/// Kinds that a bot gets only if it asks for them.
const OPT_IN: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];

/// The queue under its lock.
#[derive(Default)]
pub(super) struct Pending {
    pub(super) last_id: i64,
    pub(super) pending: BTreeMap<i64, Update>,
    pub(super) allowed: Option<Vec<String>>,
    /// The newest update that was handed to the bot.
    pub(super) fetched_to: i64,
    /// Counts pollers: only the newest one may go on.
    pub(super) poll: u64,
    pub(super) disorder: Option<Disorder>,
    pub(super) held: HeldBack,
    /// Updates that will come again once they are confirmed.
    pub(super) twice: BTreeSet<i64>,
    /// Confirmed updates that come again.
    pub(super) again: BTreeMap<i64, Update>,
}

impl Pending {
    pub(super) fn wants(&self, kind: &str) -> bool {
        match &self.allowed {
            Some(kinds) => kinds.iter().any(|wanted| wanted == kind),
            None => !OPT_IN.contains(&kind),
        }
    }

    /// Gives an update its number, unless it is held back.
    pub(super) fn admit(&mut self, update: NewUpdate, now: i64, now_ms: i64, fresh: &mut Vec<Update>) {
        let fate = self.disorder.as_mut().map(Disorder::decide).unwrap_or_default();
        let (key, expires) = (update.key(), now + update.lifetime());
        let (wait, overtaken) = match fate.hold {
            Some(Hold::Late(ms)) => (Some(ms), false),
            Some(Hold::Overtaken(ms)) => (Some(ms), true),
            // An update never passes another one of its own queue.
            None => (self.held.has(key).then_some(0), false),
        };
        if let Some(ms) = wait {
            let due_ms = now_ms.saturating_add_unsigned(ms);
            self.held.push(Held { update, expires, due_ms, overtaken, twice: fate.twice });
        } else {
            self.number(&update, expires, fate.twice, fresh);
            self.held.passed_by(key, now_ms);
        }
        self.release(now_ms, fresh);
    }

    pub(super) fn release(&mut self, now_ms: i64, fresh: &mut Vec<Update>) {
        if self.held.is_empty() {
            return;
        }
        for held in self.held.take_due(now_ms) {
            self.number(&held.update, held.expires, held.twice, fresh);
        }
    }

    pub(super) fn number(&mut self, update: &NewUpdate, expires: i64, twice: bool, fresh: &mut Vec<Update>) {
        self.last_id += 1;
        if twice {
            self.twice.insert(self.last_id);
        }
        fresh.push(update.numbered(self.last_id, expires));
    }

    /// Costs as much as is forgotten, however much waits.
    pub(super) fn forget_below(&mut self, next: i64) {
        while let Some(first) = self.pending.first_entry() {
            if *first.key() >= next {
                break;
            }
            let (id, update) = first.remove_entry();
            if self.twice.remove(&id) {
                self.again.insert(id, update);
            }
        }
    }

    pub(super) fn record(&self, bot: i64) -> Record {
        Record::Queue { bot, last_id: self.last_id, allowed: self.allowed.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::journal::Journal;
    use super::super::updates::UpdateQueue;
    use super::super::updates::tests::{FIRST, clock, ids, push, push_of, queue};
    use serde_json::{Value, json};

    fn disturbed(plan: Value) -> UpdateQueue {
        let queue = queue(0);
        queue.disturb(&Journal::default(), serde_json::from_value(plan).unwrap());
        queue
    }

    /// Kinds of what waits, oldest first.
    fn kinds(queue: &UpdateQueue) -> Vec<String> {
        let poll = queue.begin_poll();
        let updates = queue.fetch(poll, 0, 100, 0).unwrap_or_else(|_| "[]".into());
        let updates: Vec<serde_json::Map<String, Value>> = serde_json::from_str(&updates).unwrap();
        updates.iter().map(|update| update.keys().find(|key| *key != "update_id").unwrap().clone()).collect()
    }

    #[test]
    fn a_confirmed_update_may_come_again_once() {
        let journal = Journal::default();
        let queue = disturbed(json!({ "duplicate": 1 }));
        push(&queue, "message");
        push(&queue, "message");
        assert_eq!(ids(&queue, 0, 100, 0), [1, 2]);
        queue.confirm(&journal, FIRST + 3);
        assert!(!queue.all_fetched(0));
        assert_eq!(ids(&queue, FIRST + 3, 1, 0), [1]);
        assert_eq!(ids(&queue, FIRST + 3, 100, 0), [2]);
        assert_eq!(ids(&queue, FIRST + 3, 100, 0), Vec::<i64>::new());
        assert!(queue.all_fetched(0));
    }

    #[test]
    fn a_webhook_may_get_an_update_again() {
        let journal = Journal::default();
        let queue = disturbed(json!({ "duplicate": 1 }));
        push(&queue, "message");
        assert!(queue.delivered(&journal, FIRST + 1));
        assert!(!queue.delivered(&journal, FIRST + 1));
        assert_eq!(queue.pending(0), 0);
    }

    #[test]
    fn a_late_update_holds_its_own_queue_only() {
        let (journal, clock) = (Journal::default(), clock());
        let queue = disturbed(json!({ "delay": { "p": 1, "ms": 100 } }));
        push(&queue, "message");
        queue.disturb(&journal, serde_json::from_value(json!({})).unwrap());
        push_of(&queue, "edited_message", 5, &clock);
        push_of(&queue, "callback_query", 5, &clock);
        assert_eq!(kinds(&queue), ["callback_query"], "a tap passes the message of its chat");
        assert_eq!(queue.release(&journal, 50), Some(100));
        assert_eq!(queue.release(&journal, 100), None);
        assert_eq!(kinds(&queue), ["callback_query", "message", "edited_message"]);
    }

    #[test]
    fn an_overtaken_update_follows_the_one_that_passed() {
        let journal = Journal::default();
        let queue = disturbed(json!({ "reorder": 1 }));
        push(&queue, "message");
        assert_eq!(queue.release(&journal, 10), Some(1000), "nobody passed");
        queue.disturb(&journal, serde_json::from_value(json!({})).unwrap());
        push(&queue, "callback_query");
        assert_eq!(kinds(&queue), ["callback_query", "message"]);
    }

    #[test]
    fn the_end_of_the_disorder_lets_everything_go() {
        let queue = disturbed(json!({ "delay": { "p": 1, "ms": 100_000 } }));
        push(&queue, "message");
        assert_eq!(queue.disorder().unwrap()["held"], 1);
        assert!(!queue.all_fetched(0));
        queue.disturb(&Journal::default(), None);
        assert_eq!(kinds(&queue), ["message"]);
    }
}
