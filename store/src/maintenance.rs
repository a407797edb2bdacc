//! What `fitter doctor` asks the database.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use fitter_queue::{Depth, NewItem, Queue, QueueError, depth};
use sqlx::{Error, Row};

use crate::database::Database;
use crate::sql::sql;

/// pgvector before this has bugs in HNSW builds and scans that matter here.
pub const OLDEST_VECTOR: (u32, u32, u32) = (0, 8, 4);

sql! {
    PING = "SELECT 1";
    TIME = "SELECT clock_timestamp()";
    SERVER = "
        SELECT current_setting('server_version') AS version, (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS vector,
            pg_database_size(current_database()) AS bytes
    ";
}

/// How the database is.
#[derive(Debug, Clone, PartialEq)]
pub struct Health {
    /// Whether it runs in this process.
    pub embedded: bool,
    /// Version of PostgreSQL.
    pub server: String,
    /// Version of pgvector; none before the first migration.
    pub vector: Option<String>,
    /// Whether pgvector is older than [`OLDEST_VECTOR`].
    pub vector_is_old: bool,
    /// Size on disk.
    pub bytes: u64,
    /// Migrations that are not applied yet.
    pub pending: Vec<String>,
    /// What the queues hold, dead letters among it; empty while migrations are pending.
    pub queues: Vec<Depth>,
}

/// Whether the database answers.
///
/// # Errors
/// If it does not.
pub async fn ping(database: &Database) -> Result<(), Error> {
    sqlx::query(PING).execute(database.pool()).await.map(drop)
}

/// Whether the database takes an update into the inbox: a full disk and a standby answer questions and refuse that. Nothing is left behind, and
/// processes that ask at the same time do not meet.
///
/// # Errors
/// If it does not.
pub async fn writable(database: &Database) -> Result<(), QueueError> {
    static LANE: LazyLock<String> = LazyLock::new(|| format!("ready:{}", RandomState::new().build_hasher().finish()));
    let mut tx = database.pool().begin().await?;
    fitter_queue::put(&mut tx, &[NewItem::raw(Queue::Inbox, LANE.as_str(), "{}")]).await?;
    tx.rollback().await?;
    Ok(())
}

/// What the database's clock shows.
///
/// # Errors
/// If it does not answer.
pub async fn time(database: &Database) -> Result<DateTime<Utc>, Error> {
    sqlx::query_scalar(TIME).fetch_one(database.pool()).await
}

/// Looks how the database is.
///
/// # Errors
/// If the server does not answer or refuses.
pub async fn health(database: &Database) -> Result<Health, Error> {
    let pending = database.pending().await?;
    let mut conn = database.pool().acquire().await?;
    let row = sqlx::query(SERVER).fetch_one(&mut *conn).await?;
    let vector: Option<String> = row.try_get("vector")?;
    let queues = if pending.is_empty() {
        depth(&mut conn).await.map_err(|error| match error {
            fitter_queue::QueueError::Database(error) => error,
            other => Error::Decode(Box::new(other)),
        })?
    } else {
        Vec::new()
    };
    Ok(Health {
        embedded: database.is_embedded(),
        server: row.try_get("version")?,
        vector_is_old: vector.as_deref().and_then(version).is_some_and(|version| version < OLDEST_VECTOR),
        vector,
        bytes: u64::try_from(row.try_get::<i64, _>("bytes")?).unwrap_or_default(),
        pending,
        queues,
    })
}

/// `0.8.4` as numbers.
fn version(text: &str) -> Option<(u32, u32, u32)> {
    let mut parts = text.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??, parts.next().flatten().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::{OLDEST_VECTOR, version};

    #[test]
    fn versions_compare_by_number() {
        assert_eq!(version("0.8.5"), Some((0, 8, 5)));
        assert!(version("0.8.10").is_some_and(|version| version >= OLDEST_VECTOR));
        assert!(version("0.8").is_some_and(|version| version < OLDEST_VECTOR));
        assert_eq!(version("next"), None);
    }
}
