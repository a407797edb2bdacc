//! A bot's queue of updates: what getUpdates and the webhook read from.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Notify;

use super::journal::{Journal, Record};
use super::lock;

/// The id before a new bot's first update; real ids are large and random.
const FIRST_ID: i64 = 730_000_000;
/// An answer of getUpdates stops growing here.
const ANSWER_BYTES: usize = 4 << 20;
/// Kinds that a bot gets only if it asks for them.
const OPT_IN: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];

/// An update that waits for the bot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Update {
    pub(crate) id: i64,
    /// Clock seconds after which Telegram would drop it.
    pub(crate) expires: i64,
    /// Webhook deliveries with the same key keep their order.
    pub(crate) key: i64,
    /// The whole JSON object, serialised once.
    pub(crate) body: Arc<str>,
}

/// An update before it has an id.
pub(crate) struct NewUpdate {
    pub(crate) kind: &'static str,
    pub(crate) person: i64,
    pub(crate) payload: Value,
}

impl NewUpdate {
    /// How long Telegram keeps updates of this kind, in seconds.
    fn lifetime(&self) -> i64 {
        match self.kind {
            "callback_query" | "shipping_query" | "pre_checkout_query" => 150,
            "chosen_inline_result" => 600,
            "inline_query" => 30,
            _ => 24 * 3600,
        }
    }

    /// Messages queue by chat; taps and the like queue apart from them, by person.
    fn key(&self) -> i64 {
        let lane = match self.kind {
            "message" | "edited_message" => 0,
            "callback_query" => 3,
            "inline_query" | "chosen_inline_result" => 2,
            _ => 5,
        };
        self.person + (lane << 33)
    }
}

/// The queue.
pub(crate) struct UpdateQueue {
    bot: i64,
    inner: Mutex<Inner>,
    /// Wakes pollers and the webhook.
    pub(crate) wake: Notify,
}

#[derive(Default)]
struct Inner {
    last_id: i64,
    pending: BTreeMap<i64, Update>,
    allowed: Option<Vec<String>>,
    /// The newest update that was handed to the bot.
    fetched_to: i64,
    /// Counts pollers: only the newest one may go on.
    poll: u64,
}

/// Why a poll ended without updates.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PollEnd {
    /// Nothing there yet.
    Empty,
    /// Another poller took over.
    Replaced,
}

impl UpdateQueue {
    pub(crate) fn new(bot: i64) -> Self {
        Self { bot, inner: Mutex::new(Inner { last_id: FIRST_ID, ..Inner::default() }), wake: Notify::new() }
    }

    /// Queues the updates that the bot asked for, together with the changes they tell of.
    pub(crate) fn commit(&self, journal: &Journal, now: i64, updates: Vec<NewUpdate>, changes: impl FnOnce() -> Vec<Record>) {
        let mut inner = lock(&self.inner);
        let mut fresh = Vec::with_capacity(updates.len());
        for update in updates {
            if !inner.wants(update.kind) {
                continue;
            }
            inner.last_id += 1;
            let id = inner.last_id;
            let body = format!("{{\"update_id\":{id},\"{}\":{}}}", update.kind, update.payload);
            fresh.push(Update { id, expires: now + update.lifetime(), key: update.key(), body: body.into() });
        }
        journal.write(|| {
            let mut records = changes();
            records.extend(fresh.iter().map(|update| Record::Update { bot: self.bot, update: update.clone() }));
            records
        });
        let any = !fresh.is_empty();
        inner.pending.extend(fresh.into_iter().map(|update| (update.id, update)));
        drop(inner);
        if any {
            self.wake.notify_waiters();
        }
    }

    /// Begins a poll: every older one ends.
    pub(crate) fn begin_poll(&self) -> u64 {
        let mut inner = lock(&self.inner);
        inner.poll += 1;
        let poll = inner.poll;
        drop(inner);
        self.wake.notify_waiters();
        poll
    }

    /// Forgets what the offset confirms. A negative offset keeps the last ones only.
    pub(crate) fn confirm(&self, journal: &Journal, offset: i64) {
        let mut inner = lock(&self.inner);
        let next = if offset < 0 {
            let keep = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
            let drop_count = inner.pending.len().saturating_sub(keep);
            inner.pending.keys().nth(drop_count).copied()
        } else {
            Some(offset)
        };
        let next = next.unwrap_or(inner.last_id + 1);
        if inner.pending.first_key_value().is_none_or(|(id, _)| *id >= next) {
            return;
        }
        inner.forget_below(next);
        journal.write(|| vec![Record::Confirmed { bot: self.bot, next }]);
    }

    /// Drops everything that waits.
    pub(crate) fn drop_pending(&self, journal: &Journal) {
        let next = lock(&self.inner).last_id + 1;
        self.confirm(journal, next);
    }

    /// The updates from `offset` on, as a JSON array.
    pub(crate) fn fetch(&self, poll: u64, offset: i64, limit: usize, now: i64) -> Result<String, PollEnd> {
        let mut inner = lock(&self.inner);
        if inner.poll != poll {
            return Err(PollEnd::Replaced);
        }
        let mut out = String::from("[");
        let (mut taken, mut last, mut dead) = (0_usize, 0, Vec::new());
        for (id, update) in inner.pending.range(offset.max(0)..) {
            if update.expires <= now {
                dead.push(*id);
                continue;
            }
            if taken == limit || (taken > 0 && out.len() + update.body.len() > ANSWER_BYTES) {
                break;
            }
            if taken > 0 {
                out.push(',');
            }
            out.push_str(&update.body);
            taken += 1;
            last = *id;
        }
        for id in dead {
            inner.pending.remove(&id);
        }
        if taken == 0 {
            return Err(PollEnd::Empty);
        }
        inner.fetched_to = inner.fetched_to.max(last);
        out.push(']');
        Ok(out)
    }

    /// Updates after `after` for the webhook.
    pub(crate) fn newer(&self, after: i64) -> Vec<Update> {
        let inner = lock(&self.inner);
        inner.pending.range(after + 1..).map(|(_, update)| update.clone()).collect()
    }

    /// Forgets one update that a webhook took, or that expired before.
    pub(crate) fn delivered(&self, journal: &Journal, id: i64) {
        let mut inner = lock(&self.inner);
        if inner.pending.remove(&id).is_some() {
            journal.write(|| vec![Record::Delivered { bot: self.bot, id }]);
        }
    }

    /// How many updates wait.
    pub(crate) fn pending(&self, now: i64) -> usize {
        let mut inner = lock(&self.inner);
        inner.pending.retain(|_, update| update.expires > now);
        inner.pending.len()
    }

    /// Whether the bot has been handed everything.
    pub(crate) fn all_fetched(&self, now: i64) -> bool {
        let inner = lock(&self.inner);
        inner.pending.range(inner.fetched_to + 1..).all(|(_, update)| update.expires <= now)
    }

    /// Grows whenever an update is queued or handed out.
    pub(crate) fn handed_out(&self) -> i64 {
        let inner = lock(&self.inner);
        inner.last_id + inner.fetched_to
    }

    /// The kinds the bot asked for; `None` is the default set.
    pub(crate) fn allowed(&self) -> Option<Vec<String>> {
        lock(&self.inner).allowed.clone()
    }

    /// Remembers the kinds; an empty list is the default set again.
    pub(crate) fn allow(&self, journal: &Journal, kinds: Vec<String>) {
        let kinds = (!kinds.is_empty()).then_some(kinds);
        let mut inner = lock(&self.inner);
        if inner.allowed != kinds {
            inner.allowed = kinds;
            journal.write(|| vec![inner.record(self.bot)]);
        }
    }

    pub(crate) fn clear(&self) {
        lock(&self.inner).pending.clear();
    }

    pub(crate) fn snapshot(&self) -> Vec<Record> {
        let inner = lock(&self.inner);
        let mut records = vec![inner.record(self.bot)];
        records.extend(inner.pending.values().map(|update| Record::Update { bot: self.bot, update: update.clone() }));
        records
    }

    pub(crate) fn replay(&self, record: Record) {
        let mut inner = lock(&self.inner);
        match record {
            Record::Update { update, .. } => {
                inner.last_id = inner.last_id.max(update.id);
                inner.pending.insert(update.id, update);
            }
            Record::Confirmed { next, .. } => inner.forget_below(next),
            Record::Delivered { id, .. } => {
                inner.pending.remove(&id);
            }
            Record::Queue { last_id, allowed, .. } => {
                inner.last_id = inner.last_id.max(last_id);
                inner.allowed = allowed;
            }
            _ => {}
        }
    }
}

impl Inner {
    fn wants(&self, kind: &str) -> bool {
        match &self.allowed {
            Some(kinds) => kinds.iter().any(|wanted| wanted == kind),
            None => !OPT_IN.contains(&kind),
        }
    }

    /// Costs as much as is forgotten, however much waits.
    fn forget_below(&mut self, next: i64) {
        while let Some(first) = self.pending.first_entry() {
            if *first.key() >= next {
                break;
            }
            first.remove();
        }
    }

    fn record(&self, bot: i64) -> Record {
        Record::Queue { bot, last_id: self.last_id, allowed: self.allowed.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(count: i64) -> UpdateQueue {
        let queue = UpdateQueue::new(1);
        for _ in 0..count {
            push(&queue, "message");
        }
        queue
    }

    fn push(queue: &UpdateQueue, kind: &'static str) {
        let update = NewUpdate { kind, person: 5, payload: Value::Null };
        queue.commit(&Journal::default(), 0, vec![update], Vec::new);
    }

    fn ids(queue: &UpdateQueue, offset: i64, limit: usize, now: i64) -> Vec<i64> {
        let poll = queue.begin_poll();
        let Ok(text) = queue.fetch(poll, offset, limit, now) else {
            return Vec::new();
        };
        serde_json::from_str::<Vec<Value>>(&text).unwrap().iter().map(|update| update["update_id"].as_i64().unwrap() - FIRST_ID).collect()
    }

    #[test]
    fn updates_stay_until_an_offset_confirms_them() {
        let queue = queue(3);
        assert_eq!(ids(&queue, 0, 2, 0), [1, 2]);
        assert_eq!(ids(&queue, 0, 100, 0), [1, 2, 3]);
        queue.confirm(&Journal::default(), FIRST_ID + 3);
        assert_eq!(ids(&queue, 0, 100, 0), [3]);
    }

    #[test]
    fn a_negative_offset_keeps_the_last_ones() {
        let queue = queue(5);
        queue.confirm(&Journal::default(), -2);
        assert_eq!(ids(&queue, 0, 100, 0), [4, 5]);
        queue.confirm(&Journal::default(), -7);
        assert_eq!(ids(&queue, 0, 100, 0), [4, 5]);
    }

    #[test]
    fn taps_expire_before_messages() {
        let queue = queue(1);
        push(&queue, "callback_query");
        assert_eq!(ids(&queue, 0, 100, 149), [1, 2]);
        assert_eq!(ids(&queue, 0, 100, 150), [1]);
        assert_eq!(ids(&queue, 0, 100, 24 * 3600), Vec::<i64>::new());
    }

    #[test]
    fn a_tap_has_another_lane_than_a_message_of_the_same_person() {
        let key = |kind, person| NewUpdate { kind, person, payload: Value::Null }.key();
        assert_eq!(key("message", 5), key("edited_message", 5));
        assert_ne!(key("message", 5), key("message", 6));
        assert_ne!(key("message", 5), key("callback_query", 5));
        assert_ne!(key("message", 5), key("my_chat_member", 5));
    }

    #[test]
    fn a_new_poll_ends_the_old_one() {
        let queue = queue(1);
        let old = queue.begin_poll();
        let new = queue.begin_poll();
        assert_eq!(queue.fetch(old, 0, 1, 0), Err(PollEnd::Replaced));
        assert!(queue.fetch(new, 0, 1, 0).is_ok());
    }

    #[test]
    fn only_the_wanted_kinds_are_queued() {
        let queue = queue(0);
        push(&queue, "message_reaction");
        assert_eq!(queue.pending(0), 0, "not in the default set");
        queue.allow(&Journal::default(), vec!["callback_query".into()]);
        push(&queue, "message");
        push(&queue, "callback_query");
        assert_eq!(queue.pending(0), 1);
        queue.allow(&Journal::default(), Vec::new());
        push(&queue, "message");
        assert_eq!(queue.pending(0), 2);
    }

    #[test]
    fn everything_is_fetched_only_after_a_poll_took_it() {
        let queue = queue(2);
        assert!(!queue.all_fetched(0));
        ids(&queue, 0, 1, 0);
        assert!(!queue.all_fetched(0));
        ids(&queue, 0, 2, 0);
        assert!(queue.all_fetched(0));
    }
}
