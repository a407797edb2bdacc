//! Time as an argument: nothing else in the product reads the system clock.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

/// Source of the current time, UTC.
pub trait Clock: Send + Sync {
    /// The current instant.
    fn now(&self) -> DateTime<Utc>;
}

/// The operating system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// A clock that is wrong by a constant, as a machine's may be; for tests.
#[derive(Debug, Clone, Copy)]
pub struct WrongClock(pub TimeDelta);

impl Clock for WrongClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + self.0
    }
}

/// A clock that goes by another one, which is asked now and then: the database's, by which all processes go, whatever their machines think.
#[derive(Debug)]
pub struct FollowingClock<C> {
    own: C,
    /// Microseconds that the other clock is ahead.
    ahead: AtomicI64,
}

impl<C: Clock> FollowingClock<C> {
    /// A clock that goes by its machine's until it is told of the other one.
    pub const fn new(own: C) -> Self {
        Self { own, ahead: AtomicI64::new(0) }
    }

    /// What the machine thinks.
    pub fn own(&self) -> DateTime<Utc> {
        self.own.now()
    }

    /// Goes by the other clock, which showed `theirs` between these two times of [`FollowingClock::own`]. How far that one is ahead.
    pub fn follow(&self, theirs: DateTime<Utc>, between: (DateTime<Utc>, DateTime<Utc>)) -> TimeDelta {
        let ahead = theirs - (between.0 + (between.1 - between.0) / 2);
        self.ahead.store(ahead.num_microseconds().unwrap_or_default(), Ordering::Relaxed);
        ahead
    }
}

impl<C: Clock> Clock for FollowingClock<C> {
    fn now(&self) -> DateTime<Utc> {
        self.own.now() + TimeDelta::microseconds(self.ahead.load(Ordering::Relaxed))
    }
}

/// A clock that stands still until it is told to move; for tests.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock standing at `at`, with a resolution of one millisecond.
    #[must_use]
    pub fn at(at: DateTime<Utc>) -> Self {
        Self(AtomicI64::new(at.timestamp_millis()))
    }

    /// Moves the clock by `by`.
    pub fn advance(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_milliseconds(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0.load(Ordering::SeqCst)).unwrap_or_default()
    }
}

impl<C: Clock + ?Sized> Clock for std::sync::Arc<C> {
    fn now(&self) -> DateTime<Utc> {
        (**self).now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_following_clock_shows_the_others_time() {
        let noon = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let own = std::sync::Arc::new(ManualClock::at(noon));
        let clock = FollowingClock::new(std::sync::Arc::clone(&own));
        assert_eq!(clock.now(), noon);
        let ten = TimeDelta::minutes(10);
        // The answer took two seconds, so it is one second old.
        let ahead = clock.follow(noon + ten, (noon - TimeDelta::seconds(2), noon));
        assert_eq!(ahead, ten + TimeDelta::seconds(1));
        own.advance(TimeDelta::seconds(5));
        assert_eq!(clock.now(), noon + ten + TimeDelta::seconds(6));
        assert_eq!(clock.own(), noon + TimeDelta::seconds(5));
        clock.follow(noon, (noon, noon));
        assert_eq!(clock.now(), clock.own());
    }
}
