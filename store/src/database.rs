//! Opening, migrating and closing the database.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool, Row};

use crate::embedded::Embedded;
use crate::sql::sql;

/// The oldest PostgreSQL that is supported, as `server_version_num`.
pub const OLDEST_SERVER: i32 = 150_000;

/// A server that does not answer within this time is away.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Who wants a connection of the pool waits for it at most so long. While the server refuses, the pool looks again after pauses of up to a
/// fifth of this: the product is back a second after the server.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection that was in use so short a time ago is taken to be well.
const FRESH: Duration = Duration::from_millis(500);
/// A server that does not answer to nothing at all within this time has vanished without a word, as in a power cut.
const PING_TIMEOUT: Duration = Duration::from_secs(1);

/// Of every connection: a process that was stopped in the middle of a transaction must not keep its locks for ever, nor one whose machine or
/// network is gone, which the server would notice after two hours.
pub(crate) const SESSION: &str = "SET idle_in_transaction_session_timeout = '60s'; SET tcp_keepalives_idle = 10;
    SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3";

/// Statements are planned once. Left to itself the server plans those with lists anew each time, which costs more than most of them. Many are
/// planned while the tables are empty, and have to be right when they are full: every statement finds its rows by an index.
const PLANS: &str =
    "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
    SET jit = off";

sql! {
    PROBE = "
        SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS version,
            current_setting('default_transaction_isolation') AS isolation,
            EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') AS vector
    ";
    HAS_VECTOR = "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'vector')";
    MAKE_VECTOR = "CREATE EXTENSION IF NOT EXISTS vector";
    IS_MIGRATED = "SELECT to_regclass('_sqlx_migrations') IS NOT NULL";
    APPLIED = "SELECT version FROM _sqlx_migrations WHERE success";
    // A commit waits for the disk only if it has written something.
    FLUSH = "SELECT pg_logical_emit_message(true, 'fitter', '')";
}

/// Waits until everything that was committed before is on the disk, also by transactions that did not wait for it themselves.
///
/// # Errors
/// If the database refuses.
pub async fn flush(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(FLUSH).execute(conn).await.map(drop)
}

/// Which database.
#[derive(Clone)]
pub struct DatabaseConfig {
    /// `postgres://user:password@host/database`; none for the embedded server.
    pub url: Option<String>,
    /// Folder of the embedded server.
    pub data_dir: PathBuf,
    /// Size of the pool, at least 2; the embedded server has always one connection.
    pub max_connections: u32,
}

impl std::fmt::Debug for DatabaseConfig {
    /// Without the URL: it has the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatabaseConfig")
            .field("url", &self.url.as_ref().map(|_| "[redacted]"))
            .field("data_dir", &self.data_dir)
            .field("max_connections", &self.max_connections)
            .finish()
    }
}

/// Why the database was not opened; the text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be used.
    #[error("the data folder {} cannot be used: {source}", path.display())]
    DataDir {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another process has the folder open.
    #[error(
        "the data folder {} is in use by another fitter{}: stop that one, or name another folder (FITTER_DATA_DIR) or a PostgreSQL server (FITTER_DATABASE_URL)",
        path.display(),
        process.map(|id| format!(" (process {id})")).unwrap_or_default()
    )]
    InUse {
        /// The folder.
        path: PathBuf,
        /// The process, if known.
        process: Option<u32>,
    },
    /// No server is named, and the program was built without its own.
    #[error("this fitter was built without a PostgreSQL of its own: name a server in FITTER_DATABASE_URL")]
    NotEmbedded,
    /// The embedded server did not start.
    #[error(
        "the embedded PostgreSQL in {} did not start: {source:#}. If the folder is damaged, move it away and restore a backup",
        path.display()
    )]
    Embedded {
        /// Its folder.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The URL cannot be read.
    #[error("FITTER_DATABASE_URL is not a PostgreSQL address: write it as postgres://user:password@host:5432/database")]
    Url,
    /// The server does not answer or refuses.
    #[error("cannot connect to PostgreSQL: {0}. Is it running, and are host, user, password and database in FITTER_DATABASE_URL right?")]
    Connect(sqlx::Error),
    /// The server is too old.
    #[error("PostgreSQL {version} is too old: version 15 or newer is needed")]
    TooOld {
        /// Its version.
        version: String,
    },
    /// The server lacks pgvector.
    #[error("PostgreSQL has no pgvector: install it on the server (Debian, Ubuntu: postgresql-NN-pgvector; image: pgvector/pgvector)")]
    NoVector,
    /// Transactions run at another isolation level by default.
    #[error("default_transaction_isolation is '{0}': set it back to 'read committed' for this database")]
    Isolation(String),
}

/// Why the database was not migrated.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The user may not create extensions.
    #[error(
        "the database user may not create the extension: run 'CREATE EXTENSION vector' in this database as a superuser once, then try again ({0})"
    )]
    Vector(sqlx::Error),
    /// A migration failed or was changed after it was applied.
    #[error("the database was not migrated: {0}")]
    Failed(#[from] sqlx::migrate::MigrateError),
    /// The server does not answer or refuses.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// An open database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Database {
    pool: PgPool,
    embedded: Option<Arc<Embedded>>,
}

impl Database {
    /// Connects to the server, or starts the embedded one.
    ///
    /// # Errors
    /// [`OpenError`], whose text says what to do.
    pub async fn open(config: &DatabaseConfig) -> Result<Self, OpenError> {
        let database = match &config.url {
            Some(url) => Self::connect(url, config.max_connections).await?,
            None => Self::start(config.data_dir.clone()).await?,
        };
        match database.probe().await {
            Ok(()) => Ok(database),
            Err(error) => {
                database.close().await;
                Err(error)
            }
        }
    }

    async fn connect(url: &str, max_connections: u32) -> Result<Self, OpenError> {
        let options: PgConnectOptions = url
            .parse()
            .ok()
            .filter(|_| ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)))
            .ok_or(OpenError::Url)?;
        let options = options.application_name("fitter");
        // The pool would try again for long and then only say that it ran out of time.
        let first = tokio::time::timeout(CONNECT_TIMEOUT, PgConnection::connect_with(&options)).await;
        let first = first.map_err(|_| OpenError::Connect(std::io::Error::from(std::io::ErrorKind::TimedOut).into()))?;
        first.map_err(OpenError::Connect)?.close().await.map_err(OpenError::Connect)?;
        let pool = PgPoolOptions::new()
            // One is kept by the listener for wake-ups.
            .max_connections(max_connections.max(2))
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .after_connect(|conn, _| {
                Box::pin(async move {
                    sqlx::Executor::execute(&mut *conn, SESSION).await?;
                    sqlx::Executor::execute(conn, PLANS).await.map(drop)
                })
            })
            // Asking before each use would cost a round trip more than many uses have.
            .test_before_acquire(false)
            .before_acquire(|conn, used| {
                Box::pin(async move {
                    if used.idle_for < FRESH {
                        return Ok(true);
                    }
                    let gone = || std::io::Error::from(std::io::ErrorKind::TimedOut);
                    tokio::time::timeout(PING_TIMEOUT, conn.ping()).await.map_err(|_| gone())?.map(|()| true)
                })
            })
            .connect_lazy_with(options);
        Ok(Self { pool, embedded: None })
    }

    async fn start(data_dir: PathBuf) -> Result<Self, OpenError> {
        let (embedded, options) = Embedded::start(data_dir).await?;
        // The server has one connection and starts anew for each: keep it.
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            // A caller that is cut off during this test would take the connection with it.
            .test_before_acquire(false)
            .after_connect(|conn, _| Box::pin(async move { sqlx::Executor::execute(conn, PLANS).await.map(drop) }))
            .acquire_timeout(Duration::from_secs(60))
            .connect_with(options)
            .await
            .map_err(OpenError::Connect)?;
        Ok(Self { pool, embedded: Some(embedded) })
    }

    async fn probe(&self) -> Result<(), OpenError> {
        let row = sqlx::query(PROBE).fetch_one(&self.pool).await.map_err(OpenError::Connect)?;
        let get = |error| OpenError::Connect(error);
        if row.try_get::<i32, _>("number").map_err(get)? < OLDEST_SERVER {
            return Err(OpenError::TooOld { version: row.try_get("version").map_err(get)? });
        }
        if !row.try_get::<bool, _>("vector").map_err(get)? {
            return Err(OpenError::NoVector);
        }
        let isolation: String = row.try_get("isolation").map_err(get)?;
        if isolation == "read committed" { Ok(()) } else { Err(OpenError::Isolation(isolation)) }
    }

    /// The pool; the embedded server's has one connection.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Whether the server runs in this process.
    #[must_use]
    pub const fn is_embedded(&self) -> bool {
        self.embedded.is_some()
    }

    /// Applies the migrations that are pending. A database that is newer than this program is left alone: migrations only ever add.
    ///
    /// # Errors
    /// [`MigrateError`].
    pub async fn migrate(&self) -> Result<(), MigrateError> {
        if !sqlx::query_scalar::<_, bool>(HAS_VECTOR).fetch_one(&self.pool).await? {
            sqlx::query(MAKE_VECTOR).execute(&self.pool).await.map_err(|error| match error.as_database_error() {
                // insufficient_privilege
                Some(refusal) if refusal.code().as_deref() == Some("42501") => MigrateError::Vector(error),
                _ => MigrateError::Database(error),
            })?;
        }
        Ok(migrator().run(&self.pool).await?)
    }

    /// Names of migrations that are not applied yet.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn pending(&self) -> Result<Vec<String>, sqlx::Error> {
        let mut conn = self.pool.acquire().await?;
        let applied: Vec<i64> = if sqlx::query_scalar(IS_MIGRATED).fetch_one(&mut *conn).await? {
            sqlx::query_scalar(APPLIED).fetch_all(&mut *conn).await?
        } else {
            Vec::new()
        };
        Ok(migrator()
            .iter()
            .filter(|migration| !applied.contains(&migration.version))
            .map(|migration| format!("{:04} {}", migration.version, migration.description))
            .collect())
    }

    /// Closes all connections and stops the embedded server. Waits until the connections in use are given back.
    pub async fn close(&self) {
        self.pool.close().await;
        if let Some(embedded) = self.embedded.clone()
            && let Err(error) = tokio::task::spawn_blocking(move || embedded.stop()).await
        {
            tracing::warn!(%error, "the embedded database did not stop cleanly");
        }
    }
}

/// Tells one set of migrations from another: a hash of their contents.
#[must_use]
pub fn schema_id() -> u64 {
    // FNV-1a, 64 bit.
    migrator()
        .iter()
        .flat_map(|migration| migration.checksum.to_vec())
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn migrator() -> Migrator {
    let mut migrator = sqlx::migrate!("../migrations");
    migrator.set_ignore_missing(true);
    migrator
}
