//! The simulator's own clock: real time plus an offset that tests move, or a time that stands still.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

/// The value of `stands_at` while the clock runs.
const RUNS: i64 = i64::MIN;

/// Time as every part of the simulator sees it. Clones are the same clock.
#[derive(Clone, Debug, Default)]
pub struct SimClock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    offset_ms: AtomicI64,
    stands_at: AtomicI64,
    /// Wakes those who wait for a time when the clock jumps.
    moved: Notify,
}

impl Default for Inner {
    fn default() -> Self {
        Self { offset_ms: AtomicI64::new(0), stands_at: AtomicI64::new(RUNS), moved: Notify::new() }
    }
}

impl SimClock {
    /// A clock that shows real time.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A clock that stands at a time, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn standing_at(at_ms: i64) -> Self {
        let clock = Self::default();
        clock.0.stands_at.store(at_ms, Ordering::SeqCst);
        clock
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        match self.0.stands_at.load(Ordering::SeqCst) {
            RUNS => system_ms() + self.0.offset_ms.load(Ordering::SeqCst),
            at => at,
        }
    }

    /// Seconds since the Unix epoch, the unit of the Bot API.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.now_ms().div_euclid(1000)
    }

    /// Moves the clock forward. What expires by then has expired at once, and who waits for a time by then goes on.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        if self.0.stands_at.load(Ordering::SeqCst) == RUNS {
            self.0.offset_ms.fetch_add(by, Ordering::SeqCst);
        } else {
            self.0.stands_at.fetch_add(by, Ordering::SeqCst);
        }
        self.0.moved.notify_waiters();
    }

    /// Stops the clock, or lets it run on from where it stands. While it stands only [`SimClock::advance`] moves it.
    pub fn freeze(&self, stand: bool) {
        let now = self.now_ms();
        if !stand {
            self.0.offset_ms.store(now - system_ms(), Ordering::SeqCst);
        }
        self.0.stands_at.store(if stand { now } else { RUNS }, Ordering::SeqCst);
        self.0.moved.notify_waiters();
    }

    /// Waits until the clock shows a time, in milliseconds since the Unix epoch.
    pub async fn reaches(&self, at_ms: i64) {
        loop {
            // Armed before the look, or a jump between the two is missed.
            let moved = self.0.moved.notified();
            tokio::pin!(moved);
            moved.as_mut().enable();
            let left = at_ms.saturating_sub(self.now_ms());
            let Ok(left) = u64::try_from(left) else { return };
            if left == 0 {
                return;
            }
            if self.0.stands_at.load(Ordering::SeqCst) == RUNS {
                tokio::select! {
                    () = moved => {}
                    () = tokio::time::sleep(Duration::from_millis(left)) => {}
                }
            } else {
                moved.await;
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place of this crate that reads the system clock")]
fn system_ms() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_are_one_clock() {
        let clock = SimClock::new();
        let other = clock.clone();
        let before = other.now();
        clock.advance(Duration::from_secs(1000));
        assert!(other.now() >= before + 1000);
    }

    #[test]
    fn a_clock_can_stand() {
        let clock = SimClock::new();
        clock.freeze(true);
        let before = clock.now_ms();
        clock.advance(Duration::from_secs(5));
        assert_eq!(clock.now_ms(), before + 5000);
        clock.freeze(false);
        assert!(clock.now_ms() >= before + 5000);
    }

    #[tokio::test]
    async fn who_waits_goes_on_when_the_clock_jumps() {
        let clock = SimClock::new();
        clock.freeze(true);
        let at = clock.now_ms() + 3_600_000;
        let waiting = tokio::spawn({
            let clock = clock.clone();
            async move { clock.reaches(at).await }
        });
        clock.advance(Duration::from_secs(3599));
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        clock.advance(Duration::from_secs(1));
        waiting.await.unwrap();
    }
}
