//! A fresh, migrated database per test: cloned from a template on a real server, or an embedded one in a temporary folder.

#![expect(clippy::expect_used, clippy::panic, reason = "a helper that cannot do its work fails the test that asked for it")]

use std::sync::atomic::{AtomicU32, Ordering};

use fitter_store::database::schema_id;
use fitter_store::{Database, DatabaseConfig};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};

/// The variable that names a PostgreSQL server whose user may create databases.
pub const URL_VARIABLE: &str = "FITTER_TEST_DATABASE_URL";

/// A database of one test; gone when this is dropped.
#[derive(Debug)]
pub struct TestDb {
    database: Database,
    home: Home,
}

#[derive(Debug)]
enum Home {
    Server { admin: String, name: String },
    Embedded { dir: tempfile::TempDir },
}

impl TestDb {
    /// On the server that [`URL_VARIABLE`] names, else embedded.
    pub async fn new() -> Self {
        match std::env::var(URL_VARIABLE) {
            Ok(admin) => Self::on_server(admin).await,
            Err(_) => Self::embedded().await,
        }
    }

    /// On a server, with a pool of 20 connections; for tests that need more than one.
    ///
    /// # Panics
    /// If there is no server: such a test fails, it does not skip.
    pub async fn server() -> Self {
        let Ok(admin) = std::env::var(URL_VARIABLE) else {
            panic!("this test needs {URL_VARIABLE}: run cargo xtask test, it starts a PostgreSQL");
        };
        Self::on_server(admin).await
    }

    /// On a server of the test's own.
    pub async fn at(admin: &str) -> Self {
        Self::on_server(admin.to_owned()).await
    }

    /// Embedded, with a pool of one connection.
    pub async fn embedded() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let config = DatabaseConfig { url: None, data_dir: dir.path().to_owned(), max_connections: 1 };
        let database = Database::open(&config).await.expect("an embedded database");
        database.migrate().await.expect("migrations apply");
        Self { database, home: Home::Embedded { dir } }
    }

    async fn on_server(admin: String) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("fitter_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let mut conn = PgConnection::connect(&admin).await.unwrap_or_else(|error| panic!("{URL_VARIABLE} names no usable server: {error}"));
        let template = template(&admin, &mut conn).await;
        execute(&mut conn, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        execute(&mut conn, format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        conn.close().await.ok();
        let config = DatabaseConfig { url: Some(with_database(&admin, &name)), data_dir: "/nonexistent".into(), max_connections: 20 };
        let database = Database::open(&config).await.expect("the test's database");
        Self { database, home: Home::Server { admin, name } }
    }

    /// The database.
    #[must_use]
    pub const fn database(&self) -> &Database {
        &self.database
    }

    /// Its pool.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        self.database.pool()
    }

    /// Address of the database, to be given to another process; none if it is embedded.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        match &self.home {
            Home::Server { admin, name } => Some(with_database(admin, name)),
            Home::Embedded { .. } => None,
        }
    }

    /// Folder of the embedded database.
    #[must_use]
    pub fn data_dir(&self) -> Option<&std::path::Path> {
        match &self.home {
            Home::Server { .. } => None,
            Home::Embedded { dir } => Some(dir.path()),
        }
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        let Home::Server { admin, name } = &self.home else { return };
        let (admin, name) = (admin.clone(), name.clone());
        // The test's runtime cannot be waited for from here.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let mut conn = PgConnection::connect(&admin).await.expect("the server");
                execute(&mut conn, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
            });
        });
        if dropped.join().is_err() && !std::thread::panicking() {
            panic!("the test's database was not dropped");
        }
    }
}

/// The migrated database that tests are cloned from, made by the first test that needs it and used until the migrations change.
async fn template(admin: &str, conn: &mut PgConnection) -> String {
    let name = format!("fitter_template_{:016x}", schema_id());
    let ready = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)";
    // Connections to a template stand in the way of cloning it, so it gets its name when it is finished.
    if sqlx::query_scalar::<_, bool>(ready).bind(&name).fetch_one(&mut *conn).await.expect("the list of databases") {
        return name;
    }
    const LOCK: i64 = 7_041_776;
    sqlx::query("SELECT pg_advisory_lock($1)").bind(LOCK).execute(&mut *conn).await.expect("the lock of the template");
    if !sqlx::query_scalar::<_, bool>(ready).bind(&name).fetch_one(&mut *conn).await.expect("the list of databases") {
        execute(conn, format!("DROP DATABASE IF EXISTS {name}_new WITH (FORCE)")).await;
        execute(conn, format!("CREATE DATABASE {name}_new TEMPLATE template0 ENCODING 'UTF8'")).await;
        let url = with_database(admin, &format!("{name}_new"));
        let config = DatabaseConfig { url: Some(url), data_dir: "/nonexistent".into(), max_connections: 2 };
        let database = Database::open(&config).await.expect("the template");
        database.migrate().await.expect("migrations apply");
        database.close().await;
        execute(conn, format!("ALTER DATABASE {name}_new RENAME TO {name}")).await;
    }
    sqlx::query("SELECT pg_advisory_unlock($1)").bind(LOCK).execute(&mut *conn).await.expect("the lock of the template");
    name
}

/// Runs a statement that cannot have parameters; the names in it are made here.
async fn execute(conn: &mut PgConnection, sql: String) {
    let shown = sql.clone();
    // A backend of a closed connection may linger for a moment and be in the way.
    for _ in 0..50 {
        match sqlx::query(AssertSqlSafe(sql.clone())).execute(&mut *conn).await {
            Ok(_) => return,
            Err(error) if error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("55006")) => {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
            Err(error) => panic!("{shown}: {error}"),
        }
    }
    panic!("{shown}: the database stays in use");
}

/// The same server, another database.
fn with_database(url: &str, name: &str) -> String {
    use sqlx::ConnectOptions;
    let options: PgConnectOptions = url.parse().expect("the address of a PostgreSQL server");
    options.database(name).to_url_lossy().to_string()
}
