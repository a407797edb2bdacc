//! The lanes of a webhook: one per queue of updates, each in order, with Telegram's pauses after a failure.
//!
//! The rules are those of telegram-bot-api, `WebhookActor::on_update_error`.

use std::collections::{BTreeSet, HashMap, VecDeque};

use crate::world::chance::{Chance, Span};
use crate::world::update::Update;

/// The longest pause between two attempts, in seconds; each time another one.
const LONGEST_PAUSE: Span = Span::Between([60, 120]);
/// The longest pause that an endpoint may ask for, in seconds.
const LONGEST_ASKED: u64 = 3600;

/// Updates of one key that wait, and what became of the first of them so far.
struct Lane {
    waiting: VecDeque<Update>,
    busy: bool,
    failures: u32,
    /// The last pause of its own, in seconds.
    pause: u64,
}

impl Default for Lane {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), busy: false, failures: 0, pause: 1 }
    }
}

/// All lanes, and those that can go on.
pub(super) struct Lanes {
    by_key: HashMap<i64, Lane>,
    ready: VecDeque<i64>,
    /// When and which lanes go on after a failure; clock milliseconds.
    later: BTreeSet<(i64, i64)>,
    running: usize,
    chance: Chance,
}

impl Lanes {
    pub(super) fn new(seed: u64) -> Self {
        Self { by_key: HashMap::new(), ready: VecDeque::new(), later: BTreeSet::new(), running: 0, chance: Chance::new(seed) }
    }

    /// Deliveries under way.
    pub(super) const fn running(&self) -> usize {
        self.running
    }

    pub(super) fn push(&mut self, update: Update) {
        let lane = self.by_key.entry(update.key).or_default();
        if !lane.busy && lane.waiting.is_empty() {
            self.ready.push_back(update.key);
        }
        lane.waiting.push_back(update);
    }

    /// The next update that may be delivered.
    pub(super) fn take(&mut self, now_ms: i64) -> Option<Update> {
        while let Some((due, key)) = self.later.first().copied().filter(|(due, _)| *due <= now_ms) {
            self.later.remove(&(due, key));
            self.ready.push_back(key);
        }
        let key = self.ready.pop_front()?;
        let lane = self.by_key.get_mut(&key)?;
        let update = lane.waiting.pop_front()?;
        lane.busy = true;
        self.running += 1;
        Some(update)
    }

    /// When a lane that failed goes on, in clock milliseconds.
    pub(super) fn next_due(&self) -> Option<i64> {
        self.later.first().map(|(due, _)| *due)
    }

    /// An update was taken.
    pub(super) fn done(&mut self, key: i64) {
        if let Some(lane) = self.free(key) {
            (lane.failures, lane.pause) = (0, 1);
        }
        self.go_on(key, None);
    }

    /// An update was taken, and is to be delivered once more.
    pub(super) fn again(&mut self, update: Update) {
        let key = update.key;
        if let Some(lane) = self.free(key) {
            (lane.failures, lane.pause) = (0, 1);
            lane.waiting.push_front(update);
        }
        self.go_on(key, None);
    }

    /// An update was not taken, and the endpoint asked for a pause in seconds; 0: it did not. `false`: it would outlive its time before the
    /// next attempt and is dropped.
    pub(super) fn failed(&mut self, update: Update, asked: u64, now_ms: i64) -> bool {
        let (key, asked) = (update.key, asked.min(LONGEST_ASKED));
        let longest = self.chance.pick(LONGEST_PAUSE);
        let Some(lane) = self.free(key) else { return true };
        let own = asked == 0 && lane.failures > 0;
        let pause = if own { lane.pause.saturating_mul(2).min(longest) } else { lane.pause };
        let wait = if own { pause } else { asked };
        if now_ms.div_euclid(1000).saturating_add_unsigned(wait) > update.expires {
            (lane.failures, lane.pause) = (0, 1);
            self.go_on(key, None);
            return false;
        }
        lane.failures += 1;
        lane.pause = pause;
        lane.waiting.push_front(update);
        self.go_on(key, (wait > 0).then(|| now_ms.saturating_add_unsigned(wait * 1000)));
        true
    }

    /// The lane of a delivery that ended.
    fn free(&mut self, key: i64) -> Option<&mut Lane> {
        self.running = self.running.saturating_sub(1);
        let lane = self.by_key.get_mut(&key)?;
        lane.busy = false;
        Some(lane)
    }

    fn go_on(&mut self, key: i64, due_ms: Option<i64>) {
        if self.by_key.get(&key).is_some_and(|lane| lane.waiting.is_empty()) {
            self.by_key.remove(&key);
            return;
        }
        match due_ms {
            Some(due_ms) => {
                self.later.insert((due_ms, key));
            }
            None => self.ready.push_back(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(id: i64, key: i64, expires: i64) -> Update {
        Update { id, expires, key, body: "{}".into() }
    }

    fn take(lanes: &mut Lanes, now_ms: i64) -> Option<i64> {
        lanes.take(now_ms).map(|update| update.id)
    }

    #[test]
    fn a_lane_delivers_one_update_at_a_time_and_lanes_pass_each_other() {
        let mut lanes = Lanes::new(1);
        for (id, key) in [(1, 7), (2, 7), (3, 8)] {
            lanes.push(update(id, key, i64::MAX));
        }
        assert_eq!(take(&mut lanes, 0), Some(1));
        assert_eq!(take(&mut lanes, 0), Some(3), "2 waits for 1");
        assert_eq!(take(&mut lanes, 0), None);
        assert!(lanes.failed(update(1, 7, i64::MAX), 0, 0));
        assert_eq!(take(&mut lanes, 0), Some(1), "1 comes again before 2");
        lanes.done(7);
        assert_eq!(take(&mut lanes, 0), Some(2));
        lanes.done(7);
        lanes.done(8);
        assert_eq!((lanes.running, lanes.by_key.len()), (0, 0));
    }

    /// The pauses between attempts that all fail, in seconds; what the endpoint asks for stands in the list.
    fn pauses(lanes: &mut Lanes, asked: &[u64]) -> Vec<i64> {
        let mut now = 0;
        lanes.push(update(1, 7, i64::MAX));
        let mut pauses = Vec::new();
        for asked in asked {
            let update = lanes.take(now).expect("the next attempt is due");
            assert!(lanes.failed(update, *asked, now));
            let due = lanes.next_due().unwrap_or(now);
            assert!(due == now || lanes.take(due - 1).is_none(), "not before it is due");
            pauses.push((due - now) / 1000);
            now = due;
        }
        pauses
    }

    #[test]
    fn pauses_double_up_to_a_random_limit() {
        let pauses = pauses(&mut Lanes::new(1), &[0; 20]);
        assert_eq!(pauses.get(..6), Some([0, 2, 4, 8, 16, 32].as_slice()));
        assert!(pauses.iter().skip(6).all(|pause| (60..=120).contains(pause)), "{pauses:?}");
        let different: BTreeSet<_> = pauses.iter().skip(7).collect();
        assert!(different.len() > 3, "{pauses:?}");
    }

    #[test]
    fn an_endpoint_may_ask_for_up_to_an_hour() {
        assert_eq!(pauses(&mut Lanes::new(1), &[7, 90_000, 0, 0]), [7, 3600, 2, 4]);
    }

    #[test]
    fn an_update_is_dropped_when_it_would_outlive_its_time() {
        let mut lanes = Lanes::new(1);
        lanes.push(update(1, 7, 100));
        lanes.push(update(2, 7, 1000));
        let first = lanes.take(0).unwrap();
        assert!(lanes.failed(first, 100, 0));
        let first = lanes.take(100_000).unwrap();
        assert!(!lanes.failed(first, 0, 100_000));
        assert_eq!(take(&mut lanes, 100_000), Some(2), "the next one starts anew");
    }

    #[test]
    fn a_lane_that_waits_holds_no_connection() {
        let mut lanes = Lanes::new(1);
        lanes.push(update(1, 7, i64::MAX));
        let update = lanes.take(0).unwrap();
        assert!(lanes.failed(update, 60, 0));
        assert_eq!(lanes.running(), 0);
    }
}
