//! Updates that are held back on their way to a bot's queue. Those of one lane never pass each other.

use std::collections::{BTreeSet, VecDeque};

use super::update::NewUpdate;

/// An update without a place in the queue yet.
pub(crate) struct Held {
    pub(crate) update: NewUpdate,
    /// Clock seconds.
    pub(crate) expires: i64,
    /// Clock milliseconds.
    pub(crate) due_ms: i64,
    /// It may go as soon as another lane's update passed.
    pub(crate) overtaken: bool,
    /// It will come again once it is confirmed.
    pub(crate) twice: bool,
}

/// All that are held back, oldest first.
#[derive(Default)]
pub(crate) struct HeldBack(VecDeque<Held>);

impl HeldBack {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether an update of this lane is here, behind which later ones have to wait.
    pub(crate) fn has(&self, key: i64) -> bool {
        self.0.iter().any(|held| held.update.key() == key)
    }

    pub(crate) fn push(&mut self, held: Held) {
        self.0.push_back(held);
    }

    /// Notes that an update of a lane went into the queue: those that waited to be overtaken by it are due.
    pub(crate) fn passed_by(&mut self, key: i64, now_ms: i64) {
        for held in self.0.iter_mut().filter(|held| held.overtaken && held.update.key() != key) {
            held.due_ms = held.due_ms.min(now_ms);
        }
    }

    /// Takes what is due, oldest first; what stands behind another of its lane stays with it.
    pub(crate) fn take_due(&mut self, now_ms: i64) -> Vec<Held> {
        let (mut due, mut stay, mut blocked) = (Vec::new(), VecDeque::new(), BTreeSet::new());
        for held in std::mem::take(&mut self.0) {
            let key = held.update.key();
            if held.due_ms > now_ms || blocked.contains(&key) {
                blocked.insert(key);
                stay.push_back(held);
            } else {
                due.push(held);
            }
        }
        self.0 = stay;
        due
    }

    /// When the next one is due, in clock milliseconds.
    pub(crate) fn next_due(&self) -> Option<i64> {
        let mut blocked = BTreeSet::new();
        self.0.iter().filter(|held| blocked.insert(held.update.key())).map(|held| held.due_ms).min()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn hold(held: &mut HeldBack, of: i64, number: i64, due_ms: i64, overtaken: bool) {
        let update = NewUpdate { kind: "message", of, payload: json!(number) };
        held.push(Held { update, expires: 0, due_ms, overtaken, twice: false });
    }

    fn take(held: &mut HeldBack, now_ms: i64) -> Vec<i64> {
        held.take_due(now_ms).into_iter().map(|held| held.update.payload.as_i64().unwrap()).collect()
    }

    #[test]
    fn a_lane_keeps_its_order() {
        let mut held = HeldBack::default();
        hold(&mut held, 5, 1, 100, false);
        hold(&mut held, 5, 2, 0, false);
        hold(&mut held, 6, 3, 50, false);
        assert_eq!(held.next_due(), Some(50));
        assert_eq!(take(&mut held, 60), [3]);
        assert_eq!(take(&mut held, 100), [1, 2]);
        assert!(held.is_empty());
    }

    #[test]
    fn what_waits_to_be_overtaken_goes_when_another_lane_passed() {
        let mut held = HeldBack::default();
        hold(&mut held, 5, 1, 1000, true);
        hold(&mut held, 6, 2, 1000, false);
        held.passed_by(5, 10);
        assert_eq!(take(&mut held, 10), Vec::<i64>::new());
        held.passed_by(7, 20);
        assert_eq!(take(&mut held, 20), [1]);
        assert_eq!(held.next_due(), Some(1000));
    }
}
