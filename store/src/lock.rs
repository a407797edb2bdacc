//! One holder among all processes: one poller per token, one importer, one sweeper.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use sqlx::{Connection, Error, PgConnection};

use crate::database::{CONNECT_TIMEOUT, Database, SESSION};
use crate::sql::sql;

/// A connection that answered so short a time ago has its locks still.
const FRESH: Duration = Duration::from_secs(1);
/// Locks that others have are tried all at once, and not sooner again than this: a process may wait for those of a thousand bots.
const TRIED: Duration = Duration::from_millis(900);

sql! {
    TRY_LOCKS = "SELECT key FROM unnest($1::text[]) AS key WHERE pg_try_advisory_lock(hashtextextended(key, 0))";
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
    /// Asked for in vain so far.
    wanted: HashSet<String>,
    /// When all of those were tried.
    tried: Option<Instant>,
    answered: Option<Instant>,
}

impl Locks {
    /// Takes the lock of this name, or looks whether it is still held; `false` if another process has it, or had it a moment ago.
    ///
    /// Whoever asks again and again asks for all that are waited for, so waiting costs one statement a second and process.
    ///
    /// # Errors
    /// If the server does not answer or refuses.
    pub async fn hold(&mut self, database: &Database, key: &str) -> Result<bool, Error> {
        if database.is_embedded() {
            return Ok(true);
        }
        if self.held.contains(key) {
            self.look().await;
        }
        if self.held.contains(key) {
            return Ok(true);
        }
        let is_new = self.wanted.insert(key.to_owned());
        if is_new {
            self.try_for(database, vec![key.to_owned()]).await?;
        } else if self.tried.is_none_or(|at| at.elapsed() >= TRIED) {
            self.try_for(database, self.wanted.iter().cloned().collect()).await?;
            self.tried = Some(Instant::now());
        }
        Ok(self.held.contains(key))
    }

    async fn try_for(&mut self, database: &Database, keys: Vec<String>) -> Result<(), Error> {
        let conn = match &mut self.conn {
            Some(conn) => conn,
            None => self.conn.insert(connect(database).await?),
        };
        let trying = sqlx::query_scalar(TRY_LOCKS).bind(keys).fetch_all(conn);
        let taken: Vec<String> = match tokio::time::timeout(CONNECT_TIMEOUT, trying).await.unwrap_or(Err(Error::PoolTimedOut)) {
            Ok(taken) => taken,
            Err(error) => {
                self.forget();
                return Err(error);
            }
        };
        self.answered = Some(Instant::now());
        for key in taken {
            self.wanted.remove(&key);
            self.held.insert(key);
        }
        Ok(())
    }

    /// The server lets go of the locks of a connection that is gone.
    fn forget(&mut self) {
        self.conn = None;
        self.held.clear();
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
            self.forget();
        }
    }

    /// Lets go of a lock, and returns when the server has.
    pub async fn release(&mut self, key: &str) {
        self.wanted.remove(key);
        if !self.held.remove(key) {
            return;
        }
        let Some(conn) = &mut self.conn else { return };
        if let Err(error) = sqlx::query_scalar::<_, bool>(UNLOCK).bind(key).fetch_one(conn).await {
            tracing::debug!(%error, "the connection of a lock was lost before it was released");
            self.forget();
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
