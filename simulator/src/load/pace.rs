//! When people do things.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// When people do things.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// Not at all; what is under way goes on.
    Still,
    /// Each as soon as the bot has replied.
    Closed,
    /// So many updates a second from all seats together, evenly spaced. Who has waited longest is next. If everybody waits for a reply, the update
    /// counts as made when it was due, so that a slow bot cannot slow the measurement down.
    Open {
        /// Updates a second.
        per_second: f64,
    },
}

/// Turns of an open pace that are due.
#[derive(Debug)]
pub(super) struct Pacer {
    pub(super) pace: Pace,
    begun: Instant,
    made: u64,
    due: VecDeque<Instant>,
}

impl Pacer {
    pub(super) fn new() -> Self {
        Self { pace: Pace::Still, begun: Instant::now(), made: 0, due: VecDeque::new() }
    }

    pub(super) fn set(&mut self, pace: Pace) {
        *self = Self { pace, ..Self::new() };
    }

    /// When the next turn was due that nobody has taken; none if nothing is due by `now`.
    pub(super) fn next(&mut self, now: Instant) -> Option<Instant> {
        let Pace::Open { per_second } = self.pace else { return None };
        while let at = self.begun + Duration::from_secs_f64(self.made as f64 / per_second.max(f64::MIN_POSITIVE))
            && at <= now
        {
            self.due.push_back(at);
            self.made += 1;
        }
        self.due.pop_front()
    }

    /// Puts a turn back that nobody could take.
    pub(super) fn later(&mut self, due: Instant) {
        self.due.push_front(due);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_due_evenly_and_none_is_forgotten() {
        let mut pacer = Pacer::new();
        pacer.set(Pace::Open { per_second: 200.0 });
        let begun = pacer.begun;
        let half = begun + Duration::from_millis(500);
        let mut due = Vec::new();
        while let Some(at) = pacer.next(half) {
            due.push(at.duration_since(begun).as_millis());
        }
        assert_eq!((due.len(), due[0], due[1], due[100]), (101, 0, 5, 500));
        let late = pacer.next(half + Duration::from_millis(5)).unwrap();
        pacer.later(late);
        assert_eq!(pacer.next(half + Duration::from_millis(9)), Some(late));
        pacer.set(Pace::Closed);
        assert_eq!(pacer.next(half + Duration::from_secs(9)), None);
    }
}
