//! One holder among all processes: one poller per token, one importer, one sweeper.

use sqlx::{Connection, Error, PgConnection};

use crate::database::{CONNECT_TIMEOUT, Database, SESSION};
use crate::sql::sql;

sql! {
    TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended($1, 0))";
    STILL = "
        SELECT EXISTS (
            SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted AND objsubid = 1
                AND (classid::bigint << 32) | objid::bigint = hashtextextended($1, 0)
        )
    ";
}

/// The lock is held for as long as this lives. Look with [`AdvisoryLock::is_held`] now and then: the server lets go of it when the connection
/// breaks.
#[derive(Debug)]
pub struct AdvisoryLock {
    key: String,
    /// None with the embedded server, where a process is alone by construction.
    conn: Option<PgConnection>,
}

/// Takes the lock of this name, or returns `None` if another process has it.
///
/// It is held by a connection of its own, not one of the pool, so it works neither through a transaction-pooling PgBouncer nor costs a place
/// in the pool.
///
/// # Errors
/// If the server does not answer or refuses.
pub async fn try_advisory_lock(database: &Database, key: &str) -> Result<Option<AdvisoryLock>, Error> {
    if database.is_embedded() {
        return Ok(Some(AdvisoryLock { key: key.to_owned(), conn: None }));
    }
    let options = database.pool().connect_options();
    let taking = async {
        let mut conn = PgConnection::connect_with(&options).await?;
        sqlx::Executor::execute(&mut conn, SESSION).await?;
        let held: bool = sqlx::query_scalar(TRY_LOCK).bind(key).fetch_one(&mut conn).await?;
        if held {
            return Ok(Some(AdvisoryLock { key: key.to_owned(), conn: Some(conn) }));
        }
        conn.close().await?;
        Ok(None)
    };
    tokio::time::timeout(CONNECT_TIMEOUT, taking).await.unwrap_or(Err(Error::PoolTimedOut))
}

impl AdvisoryLock {
    /// Whether the lock is still held; `false` means that another process may have it by now. Then this lock is of no more use.
    pub async fn is_held(&mut self) -> bool {
        let Some(conn) = &mut self.conn else { return true };
        let asked = sqlx::query_scalar(STILL).bind(&self.key).fetch_one(conn);
        matches!(tokio::time::timeout(CONNECT_TIMEOUT, asked).await, Ok(Ok(true)))
    }

    /// Lets go of the lock, and returns when the server has.
    pub async fn release(self) {
        if let Some(conn) = self.conn
            && let Err(error) = conn.close().await
        {
            tracing::debug!(%error, "the connection of a lock was lost before it was released");
        }
    }
}
