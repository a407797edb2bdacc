//! A bot's queue of updates: what getUpdates and the webhook read from.

use std::sync::{Mutex, MutexGuard};

use serde_json::Value;
use tokio::sync::Notify;

use super::disorder::{Disorder, Plan};
use super::journal::{Journal, Record};
use super::lock;
use super::pending::Pending;
use super::update::{NewUpdate, Update};
use crate::clock::SimClock;

/// The id before a new bot's first update; real ids are large and random.
const FIRST_ID: i64 = 730_000_000;
/// An answer of getUpdates stops growing here.
const ANSWER_BYTES: usize = 4 << 20;

/// The queue.
pub(crate) struct UpdateQueue {
    bot: i64,
    inner: Mutex<Pending>,
    /// Wakes pollers and the webhook.
    pub(crate) wake: Notify,
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
        Self { bot, inner: Mutex::new(Pending { last_id: FIRST_ID, ..Pending::default() }), wake: Notify::new() }
    }

    /// Queues the updates that the bot asked for, together with the changes they tell of.
    pub(crate) fn commit(&self, journal: &Journal, clock: &SimClock, updates: Vec<NewUpdate>, changes: impl FnOnce() -> Vec<Record>) {
        let mut inner = lock(&self.inner);
        let (now, now_ms) = (clock.now(), clock.now_ms());
        let mut fresh = Vec::with_capacity(updates.len());
        for update in updates {
            if inner.wants(update.kind) {
                inner.admit(update, now, now_ms, &mut fresh);
            }
        }
        journal.write(|| {
            let mut records = changes();
            records.extend(fresh.iter().map(|update| Record::Update { bot: self.bot, update: update.clone() }));
            records
        });
        // Who waits for an update also has to learn when one that is held back is due.
        let wake = !fresh.is_empty() || !inner.held.is_empty();
        self.publish(inner, fresh, wake);
    }

    /// Lets go what was held back long enough; when the next one is due, in clock milliseconds.
    pub(crate) fn release(&self, journal: &Journal, now_ms: i64) -> Option<i64> {
        let mut inner = lock(&self.inner);
        if inner.held.is_empty() {
            return None;
        }
        let mut fresh = Vec::new();
        inner.release(now_ms, &mut fresh);
        let next = inner.held.next_due();
        journal.write(|| fresh.iter().map(|update| Record::Update { bot: self.bot, update: update.clone() }).collect());
        let wake = !fresh.is_empty();
        self.publish(inner, fresh, wake);
        next
    }

    fn publish(&self, mut inner: MutexGuard<'_, Pending>, fresh: Vec<Update>, wake: bool) {
        inner.pending.extend(fresh.into_iter().map(|update| (update.id, update)));
        drop(inner);
        if wake {
            self.wake.notify_waiters();
        }
    }

    /// Begins a disorder, or ends it; then everything that is held back goes at once.
    pub(crate) fn disturb(&self, journal: &Journal, plan: Option<Plan>) {
        let mut inner = lock(&self.inner);
        inner.disorder = plan.map(Disorder::new);
        if inner.disorder.is_none() {
            inner.twice.clear();
            drop(inner);
            self.release(journal, i64::MAX);
        }
    }

    /// What the disorder has done, if there is one.
    pub(crate) fn disorder(&self) -> Option<Value> {
        let inner = lock(&self.inner);
        let mut view = inner.disorder.as_ref()?.view();
        if let Some(map) = view.as_object_mut() {
            map.insert("held".into(), inner.held.len().into());
        }
        Some(view)
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
        // What comes again has lower numbers than the rest.
        for (id, update) in inner.again.iter().chain(inner.pending.range(offset.max(0)..)) {
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
            inner.again.remove(&id);
        }
        if taken == 0 {
            return Err(PollEnd::Empty);
        }
        inner.again.retain(|id, _| *id > last);
        inner.fetched_to = inner.fetched_to.max(last);
        out.push(']');
        Ok(out)
    }

    /// The newest update that was handed out.
    pub(crate) fn fetched_to(&self) -> i64 {
        lock(&self.inner).fetched_to
    }

    /// Takes back that updates were handed out: the answer with them never arrived.
    pub(crate) fn lost_since(&self, fetched_to: i64) {
        lock(&self.inner).fetched_to = fetched_to;
    }

    /// Updates after `after` for the webhook.
    pub(crate) fn newer(&self, after: i64) -> Vec<Update> {
        let inner = lock(&self.inner);
        inner.pending.range(after + 1..).map(|(_, update)| update.clone()).collect()
    }

    /// Forgets one update that a webhook took, or that expired before; whether it is to come again.
    pub(crate) fn delivered(&self, journal: &Journal, id: i64) -> bool {
        let mut inner = lock(&self.inner);
        if inner.twice.remove(&id) {
            return inner.pending.contains_key(&id);
        }
        if inner.pending.remove(&id).is_some() {
            journal.write(|| vec![Record::Delivered { bot: self.bot, id }]);
        }
        false
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
        let gone = |(_, update): (&i64, &Update)| update.expires <= now;
        let twice = inner.twice.iter().filter_map(|id| inner.pending.get_key_value(id));
        inner.held.is_empty()
            && { twice }.all(gone)
            && inner.pending.range(inner.fetched_to + 1..).all(gone)
            && inner.again.iter().all(gone)
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

    /// Forgets everything that waits, and the disorder.
    pub(crate) fn clear(&self) {
        let mut inner = lock(&self.inner);
        inner.pending.clear();
        inner.held.clear();
        inner.twice.clear();
        inner.again.clear();
        inner.disorder = None;
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The id before the first one.
    pub(in super::super) const FIRST: i64 = FIRST_ID;

    pub(in super::super) fn queue(count: i64) -> UpdateQueue {
        let queue = UpdateQueue::new(1);
        for _ in 0..count {
            push(&queue, "message");
        }
        queue
    }

    /// A clock that stands at 0.
    pub(in super::super) fn clock() -> SimClock {
        SimClock::standing_at(0)
    }

    pub(in super::super) fn push(queue: &UpdateQueue, kind: &'static str) {
        push_of(queue, kind, 5, &clock());
    }

    pub(in super::super) fn push_of(queue: &UpdateQueue, kind: &'static str, of: i64, clock: &SimClock) {
        let update = NewUpdate { kind, of, payload: Value::Null };
        queue.commit(&Journal::default(), clock, vec![update], Vec::new);
    }

    pub(in super::super) fn ids(queue: &UpdateQueue, offset: i64, limit: usize, now: i64) -> Vec<i64> {
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
