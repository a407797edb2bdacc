//! One item, or an album, for a handler, and what the handler says about it.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgConnection;

use crate::error::QueueError;
use crate::finish;
use crate::item::{Item, LaneLease};
use crate::outage;

/// How long an item waits that met a database in trouble.
pub const OUTAGE_PAUSE: Duration = Duration::from_secs(1);

/// One item, or an album, for a handler. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Task(Arc<Work>);

#[derive(Debug)]
struct Work {
    lease: Arc<LaneLease>,
    items: Vec<Item>,
    last: bool,
}

impl Task {
    /// The items: one, or all members of an album in order.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.0.items
    }

    /// The lease of the lane; its list of items is empty.
    #[must_use]
    pub fn lease(&self) -> &LaneLease {
        &self.0.lease
    }

    /// Whether nothing of the lease comes after it: whoever finishes it may give the lane back.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.0.last
    }

    /// Whether somebody tried before, and what they did may have had effects.
    #[must_use]
    pub fn is_repeated(&self) -> bool {
        self.items().iter().any(|item| item.attempts > 0)
    }

    /// Marks the items done, in the handler's own transaction. What it returns is what the handler returns after the commit.
    ///
    /// # Errors
    /// [`QueueError::LeaseLost`]: roll back.
    pub async fn done(&self, conn: &mut PgConnection) -> Result<Finished, QueueError> {
        finish::done_many(conn, self.lease(), self.items()).await?;
        Ok(Finished { released: None })
    }
}

/// Proof that [`Task::done`] or [`crate::finish_all`] was called: a handler that forgets it would be given the same items for ever.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct Finished {
    /// The lane is given back already; whether there may be more to do for somebody.
    pub(crate) released: Option<bool>,
}

impl Finished {
    pub(crate) fn of(released: Option<bool>) -> Self {
        Self { released }
    }
}

/// Why a handler did not finish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Try again, counted as an attempt; the lane waits.
    Retry {
        /// After this time; by default longer after each attempt.
        after: Option<Duration>,
        /// For the log and the dead letter; no secrets, no words of people.
        error: String,
    },
    /// Give these items up; the lane goes on.
    Bury {
        /// For the log and the dead letter.
        reason: String,
    },
    /// The lane has to wait this long; no attempt is counted.
    Hold {
        /// How long.
        time: Duration,
    },
    /// The lease is lost; nothing was done.
    Lost,
}

impl Failure {
    /// Try again after the usual time.
    pub fn retry(error: impl std::fmt::Display) -> Self {
        Self::Retry { after: None, error: error.to_string() }
    }
}

impl From<QueueError> for Failure {
    fn from(error: QueueError) -> Self {
        match error {
            QueueError::LeaseLost => Self::Lost,
            QueueError::Payload { .. } => Self::Bury { reason: error.to_string() },
            QueueError::Database(error) => error.into(),
            QueueError::Failpoint(_) => Self::retry(error),
        }
    }
}

impl From<sqlx::Error> for Failure {
    /// No item is to blame for a database in trouble: it waits and keeps all its attempts.
    fn from(error: sqlx::Error) -> Self {
        if outage::report(&error) { Self::Hold { time: OUTAGE_PAUSE } } else { Self::retry(error) }
    }
}

/// How long an item waits after its failed attempt number `attempts` (from 1): doubles from 1 s up to 5 min, less up to a half that differs by
/// item, so that items that failed together do not come back together.
#[must_use]
pub fn backoff(attempts: u16, item: i64) -> Duration {
    let full = Duration::from_secs(1).saturating_mul(1 << attempts.saturating_sub(1).min(9)).min(Duration::from_secs(300));
    // Fibonacci hashing (Knuth, TAOCP 6.4): neighbouring numbers land far apart.
    let spread = item.cast_unsigned().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56;
    full - full.mul_f64(spread as f64 / 512.0)
}

/// The lease without its items, and the items as tasks: an album is one.
pub(crate) fn split(mut lease: LaneLease) -> (Arc<LaneLease>, Vec<Task>) {
    let items = std::mem::take(&mut lease.items);
    let lease = Arc::new(lease);
    let task = |items, last| Task(Arc::new(Work { lease: Arc::clone(&lease), items, last }));
    let count = items.len();
    let tasks = if items.iter().any(|item| item.gathers) {
        vec![task(items, true)]
    } else {
        items.into_iter().enumerate().map(|(place, item)| task(vec![item], place + 1 == count)).collect()
    };
    (lease, tasks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_differ() {
        for item in 0..1000 {
            assert!((500..=1000).contains(&backoff(1, item).as_millis()));
            assert!((4000..=8000).contains(&backoff(4, item).as_millis()));
            assert!((150..=300).contains(&backoff(u16::MAX, item).as_secs()));
        }
        let distinct: std::collections::HashSet<_> = (0..100).map(|item| backoff(1, item)).collect();
        assert!(distinct.len() > 50);
    }
}
