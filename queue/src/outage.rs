//! The database in trouble: told apart from faults of an item, and told to whoever runs it.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// What is wrong with the database. No item is to blame for it, so it counts as no attempt; what is waiting stays, and the work goes on by
/// itself when the trouble is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outage {
    /// It cannot be reached, stops, starts, or recovers.
    Away,
    /// No room on its disk, or out of memory.
    Full,
    /// It has no connection left.
    Crowded,
    /// It only reads, as a standby does.
    ReadOnly,
}

impl Outage {
    /// The trouble, if a failed statement tells of one.
    #[must_use]
    pub fn of(error: &sqlx::Error) -> Option<Self> {
        match error {
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
                Some(Self::Away)
            }
            // What is told of a connection that is taken and closed at once, as by a balancer without a server behind it.
            sqlx::Error::Protocol(what) if what.contains("SSLRequest") => Some(Self::Away),
            sqlx::Error::Database(refusal) => Self::of_code(refusal.code()?.as_ref()),
            _ => None,
        }
    }

    /// The codes are PostgreSQL's (appendix A of its manual).
    fn of_code(code: &str) -> Option<Self> {
        match code {
            "53300" => Some(Self::Crowded),
            "25006" => Some(Self::ReadOnly),
            // disk_full, out_of_memory, configuration_limit_exceeded; io_error is what a full disk says in some places.
            code if code.starts_with("53") || code == "58030" => Some(Self::Full),
            // admin_shutdown, crash_shutdown, cannot_connect_now, database_dropped, idle_session_timeout; connection exceptions.
            code if code.starts_with("57P") || code.starts_with("08") => Some(Self::Away),
            _ => None,
        }
    }

    /// What to do, for whoever runs the database.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Away => "PostgreSQL does not answer: see that it runs and can be reached; nothing is lost meanwhile",
            Self::Full => "PostgreSQL has no room: free or add space on its disk and see that it runs; nothing is lost meanwhile",
            Self::Crowded => {
                "PostgreSQL has no connection left: raise its max_connections or lower FITTER_DATABASE_MAX_CONNECTIONS; nothing is lost meanwhile"
            }
            Self::ReadOnly => "PostgreSQL only reads: FITTER_DATABASE_URL must lead to the primary; nothing is lost meanwhile",
        }
    }
}

/// What to do about an error, to be put behind its text; nothing if it tells of no trouble.
#[must_use]
pub fn advice(error: &sqlx::Error) -> String {
    Outage::of(error).map(|outage| format!(" ({})", outage.advice())).unwrap_or_default()
}

/// The same trouble is told once in so long a time: every item that is in hand meets it.
const QUIET: Duration = Duration::from_secs(10);

/// Whether the database is in trouble; says so in the log.
pub(crate) fn report(error: &sqlx::Error) -> bool {
    static TOLD: Mutex<Option<(Outage, Instant)>> = Mutex::new(None);
    let Some(outage) = Outage::of(error) else { return false };
    let mut told = TOLD.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if told.is_none_or(|(last, at)| last != outage || at.elapsed() > QUIET) {
        *told = Some((outage, Instant::now()));
        tracing::error!(%error, "work waits for the database. {}", outage.advice());
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_told_from_faults() {
        let codes = ["53100", "53200", "58030", "53300", "25006", "57P01", "57P03", "08006", "23505", "40P01", "57014", "42P01"];
        use Outage::{Away, Crowded, Full, ReadOnly};
        let expected = [Some(Full), Some(Full), Some(Full), Some(Crowded), Some(ReadOnly), Some(Away), Some(Away), Some(Away)];
        assert_eq!(codes.map(Outage::of_code)[..8], expected);
        assert_eq!(codes.map(Outage::of_code)[8..], [None; 4]);
        assert_eq!(Outage::of(&sqlx::Error::PoolTimedOut), Some(Away));
        let closed = sqlx::Error::Protocol("unexpected response from SSLRequest: 0x00 (somewhere)".to_owned());
        assert_eq!(Outage::of(&closed), Some(Away));
        assert_eq!(Outage::of(&sqlx::Error::RowNotFound), None);
        assert_eq!(advice(&sqlx::Error::RowNotFound), "");
        assert!(advice(&sqlx::Error::PoolTimedOut).contains("see that it runs"));
    }
}
