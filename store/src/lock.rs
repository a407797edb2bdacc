//! One holder among all processes: one poller per token, one importer, one sweeper.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use sqlx::{Connection, Error, PgConnection};

use crate::database::{CONNECT_TIMEOUT, Database, SESSION};
use crate::sql::sql;

/// A connection that answered so short a time ago has its locks still.
const FRESH: Duration = Duration::from_secs(1);

sql! {
    TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended($1, 0))";
    UNLOCK = "SELECT pg_advisory_unlock(hashtextextended($1, 0))";
}

/// Locks that this process holds, for as long as this lives: with another value of this type, or another process, nobody has them.
///
/// They are held by one connection of their own, not one of the pool, so they do not work through a transaction-pooling PgBouncer. If it breaks,
/// the server lets go of all of them: ask again now and then.
#[derive(Debug, Default)]
pub struct Locks {
    /// None with the embedded server, where a process is alone by construction.
    conn: Option<PgConnection>,
    held: HashSet<String>,
    answered: Option<Instant>,
}

impl Locks {
    /// Takes the lock of this name, or looks whether it is still held; `false` if another process has it.
    ///
    /// # Errors
    /// If the server does not answer or refuses.
    pub async fn hold(&mut self, database: &Database, key: &str) -> Result<bool, Error> {
        if database.is_embedded() {
            return Ok(true);
        }
        self.look().await;
        if self.held.contains(key) {
            return Ok(true);
        }
        let conn = match &mut self.conn {
            Some(conn) => conn,
            None => self.conn.insert(connect(database).await?),
        };
        let held: bool = sqlx::query_scalar(TRY_LOCK).bind(key).fetch_one(conn).await?;
        self.answered = Some(Instant::now());
        if held {
            self.held.insert(key.to_owned());
        }
        Ok(held)
    }

    /// Forgets a connection that is broken, and the locks with it.
    async fn look(&mut self) {
        let fresh = self.answered.is_some_and(|at| at.elapsed() < FRESH);
        let Some(conn) = &mut self.conn else { return };
        if fresh {
            return;
        }
        if matches!(tokio::time::timeout(CONNECT_TIMEOUT, conn.ping()).await, Ok(Ok(()))) {
            self.answered = Some(Instant::now());
        } else {
            self.conn = None;
            self.held.clear();
        }
    }

    /// Lets go of a lock, and returns when the server has.
    pub async fn release(&mut self, key: &str) {
        if !self.held.remove(key) {
            return;
        }
        let Some(conn) = &mut self.conn else { return };
        if let Err(error) = sqlx::query_scalar::<_, bool>(UNLOCK).bind(key).fetch_one(conn).await {
            tracing::debug!(%error, "the connection of a lock was lost before it was released");
            self.conn = None;
            self.held.clear();
        }
    }
}

async fn connect(database: &Database) -> Result<PgConnection, Error> {
    let options = database.pool().connect_options();
    let connecting = async {
        let mut conn = PgConnection::connect_with(&options).await?;
        sqlx::Executor::execute(&mut conn, SESSION).await?;
        Ok(conn)
    };
    tokio::time::timeout(CONNECT_TIMEOUT, connecting).await.unwrap_or(Err(Error::PoolTimedOut))
}
