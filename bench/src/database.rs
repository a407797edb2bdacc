//! The database of a measurement: a server of its own with PostgreSQL's own settings for durability, or one that is named, or the embedded one.

use anyhow::Context as _;
use fitter_store::{Database, DatabaseConfig};
use fitter_test_postgres::{Cluster, Settings};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};

use crate::crew;

/// A PostgreSQL server.
pub struct Server {
    cluster: Option<Cluster>,
    url: String,
}

impl Server {
    /// The named one, or one of its own: `fsync` and `synchronous_commit` on, as a production server has them.
    ///
    /// # Errors
    /// If none starts.
    pub fn start(url: Option<&str>) -> anyhow::Result<Self> {
        if let Some(url) = url {
            return Ok(Self { cluster: None, url: url.to_owned() });
        }
        let cluster = Cluster::start(Settings { durable: true, ..Settings::default() })?;
        let url = cluster.url().to_owned();
        Ok(Self { cluster: Some(cluster), url })
    }

    /// Its first process, if it is one of its own.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.cluster.as_ref().and_then(Cluster::pid)
    }

    /// An empty database; the address of it. One of the same name is dropped.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn fresh(&self, name: &str) -> anyhow::Result<String> {
        let mut admin = PgConnection::connect(&self.url).await.context("the PostgreSQL server does not answer")?;
        for sql in [format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), format!("CREATE DATABASE {name}")] {
            sqlx::query(AssertSqlSafe(sql)).execute(&mut admin).await?;
        }
        let mut url = reqwest::Url::parse(&self.url)?;
        url.set_path(name);
        Ok(url.into())
    }

    /// Drops a database.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn drop(&self, name: &str) -> anyhow::Result<()> {
        let mut admin = PgConnection::connect(&self.url).await?;
        sqlx::query(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))).execute(&mut admin).await?;
        Ok(())
    }

    /// What it is and how it commits.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn describe(&self) -> anyhow::Result<String> {
        let mut conn = PgConnection::connect(&self.url).await?;
        let mut show = async |name: &str| -> anyhow::Result<String> {
            Ok(sqlx::query_scalar(AssertSqlSafe(format!("SHOW {name}"))).fetch_one(&mut conn).await?)
        };
        Ok(format!(
            "PostgreSQL {}, fsync {}, synchronous_commit {}, shared_buffers {}",
            show("server_version").await?,
            show("fsync").await?,
            show("synchronous_commit").await?,
            show("shared_buffers").await?
        ))
    }
}

/// Opens a migrated database; no address means the embedded one in `data_dir`.
///
/// # Errors
/// If it cannot be opened.
pub async fn open(url: Option<&str>, data_dir: &std::path::Path) -> anyhow::Result<Database> {
    let config = DatabaseConfig { url: url.map(str::to_owned), data_dir: data_dir.to_owned(), max_connections: 4 };
    Ok(Database::open(&config).await?)
}

/// Technicians who have been working here for long.
///
/// # Errors
/// If the database refuses.
pub async fn hire(pool: &PgPool, people: usize) -> anyhow::Result<()> {
    let sql = "
        INSERT INTO people (user_id, name, role, locale, onboarded, created_at)
        SELECT n, 'Person ' || n, 'technician', 'ru', true, now() FROM generate_series($1::bigint, $2::bigint) AS n
    ";
    let people = i64::try_from(people)?;
    sqlx::query(sql).bind(crew::FIRST).bind(crew::FIRST + people - 1).execute(pool).await?;
    Ok(())
}

/// What the queues hold.
#[derive(Clone, Copy, Debug, Default)]
pub struct Queues {
    /// Updates of Telegram that were worked on.
    pub updates_done: i64,
    /// Items that wait or are worked on, in all queues but the jobs: those may be timers.
    pub waiting: i64,
    /// Items that were given up.
    pub dead: i64,
}

/// What the queues hold now.
///
/// # Errors
/// If the database refuses.
pub async fn queues(pool: &PgPool) -> anyhow::Result<Queues> {
    let sql = "
        SELECT count(*) FILTER (WHERE queue = 1 AND status = 1 AND dedupe_key ~ '^[0-9]+:[0-9]+$'), count(*) FILTER (WHERE queue < 3 AND status = 0), count(*) FILTER (WHERE status = 2)
        FROM queue_items
    ";
    let (updates_done, waiting, dead) = sqlx::query_as::<_, (i64, i64, i64)>(sql).fetch_one(pool).await?;
    Ok(Queues { updates_done, waiting, dead })
}
