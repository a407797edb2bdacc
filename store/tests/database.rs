//! Opening, migrating, locking, and what the embedded server survives.

use std::process::{Command, Stdio};
use std::time::Duration;

use fitter_store::lock::Locks;
use fitter_store::maintenance::health;
use fitter_store::{Database, DatabaseConfig, OpenError};
use fitter_testkit::TestDb;
use tokio::time::timeout;

fn embedded(dir: &std::path::Path) -> DatabaseConfig {
    DatabaseConfig { url: None, data_dir: dir.to_owned(), max_connections: 5 }
}

#[tokio::test]
async fn migrations_apply_once_and_health_tells() {
    let dir = tempfile::tempdir().unwrap();
    let database = Database::open(&embedded(dir.path())).await.unwrap();
    assert!(database.is_embedded());
    assert!(database.pending().await.unwrap().len() >= 2);
    let before = health(&database).await.unwrap();
    assert!(before.queues.is_empty() && !before.pending.is_empty());
    database.migrate().await.unwrap();
    database.migrate().await.unwrap();
    let after = health(&database).await.unwrap();
    assert!(after.pending.is_empty() && after.queues.len() == 3 && after.bytes > 0 && after.server.starts_with("17"), "{after:?}");
    assert!(after.vector.is_some());
    // A newer program has added a migration.
    sqlx::query("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'x', true, '', 0)")
        .execute(database.pool())
        .await
        .unwrap();
    database.migrate().await.expect("an older program runs on a newer schema");
    database.close().await;
}

#[tokio::test]
async fn it_opens_again_after_it_was_closed() {
    let dir = tempfile::tempdir().unwrap();
    let database = Database::open(&embedded(dir.path())).await.unwrap();
    sqlx::query("CREATE TABLE kept (n int)").execute(database.pool()).await.unwrap();
    sqlx::query("INSERT INTO kept VALUES (7)").execute(database.pool()).await.unwrap();
    let error = Database::open(&embedded(dir.path())).await.unwrap_err();
    assert!(matches!(error, OpenError::InUse { process: Some(id), .. } if id == std::process::id()), "{error}");
    database.close().await;
    let database = Database::open(&embedded(dir.path())).await.unwrap();
    assert_eq!(sqlx::query_scalar::<_, i32>("SELECT n FROM kept").fetch_one(database.pool()).await.unwrap(), 7);
    database.close().await;
}

/// A task that is cut off in the middle of a query or a transaction must not take the only connection with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_only_connection_survives_tasks_that_are_cut_off() {
    let db = TestDb::embedded().await;
    sqlx::query("CREATE TABLE t (n int)").execute(db.pool()).await.unwrap();
    for round in 0..60_u64 {
        let pool = db.pool().clone();
        let task = tokio::spawn(async move {
            let mut tx = pool.begin().await.unwrap();
            sqlx::query("INSERT INTO t SELECT generate_series(1, 3000)").execute(&mut *tx).await.unwrap();
            sqlx::query("SELECT n, repeat('x', 1000) FROM t").fetch_all(&mut *tx).await.unwrap();
            std::future::pending::<()>().await;
        });
        tokio::time::sleep(Duration::from_millis(round)).await;
        task.abort();
        let query = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM t").fetch_one(db.pool());
        let count = timeout(Duration::from_secs(20), query).await.expect("the connection is free again").expect("and works");
        assert_eq!(count, 0, "round {round}: what was not committed is gone");
    }
}

/// Without the relay the server would end here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_breaks_off_leaves_the_server_alive() {
    let db = TestDb::embedded().await;
    for round in 0..10_u64 {
        let mut conn = db.pool().acquire().await.unwrap().detach();
        let broken = tokio::spawn(async move {
            sqlx::query("SELECT repeat('x', 1000) FROM generate_series(1, 20000)").fetch_all(&mut conn).await.unwrap();
            std::future::pending::<()>().await;
        });
        tokio::time::sleep(Duration::from_millis(10 * round)).await;
        broken.abort();
        let query = sqlx::query("SELECT 1").execute(db.pool());
        timeout(Duration::from_secs(20), query).await.expect("it answers").expect("without an error");
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_ended_comes_back() {
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    let db = TestDb::embedded().await;
    let backend = db.data_dir().unwrap().join("socket/backend");
    for _ in 0..2 {
        drop(db.pool().acquire().await.unwrap().detach());
        // What the server cannot bear: a client that asks and does not wait for the answer.
        timeout(Duration::from_secs(20), async {
            while let Ok(mut stream) = UnixStream::connect(&backend) {
                const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
                let _ = stream.write_all(&SSL_REQUEST.repeat(100));
                drop(stream);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await
        .expect("it ends");
        let pending = timeout(Duration::from_secs(20), db.database().pending()).await.expect("it is started anew");
        assert!(pending.expect("and works").is_empty(), "with its data");
    }
}

/// Not a test of its own: the process that the test below kills. It has the folder open and writes rows until it is dead.
#[tokio::test]
#[ignore = "run by a_killed_process_loses_nothing_committed"]
async fn child_that_writes() {
    let Ok(dir) = std::env::var("FITTER_TEST_CHILD_DIR") else { return };
    let database = Database::open(&embedded(dir.as_ref())).await.unwrap();
    sqlx::query("CREATE TABLE IF NOT EXISTS rows (n bigserial PRIMARY KEY, filler text)").execute(database.pool()).await.unwrap();
    loop {
        let n: i64 =
            sqlx::query_scalar("INSERT INTO rows (filler) VALUES (repeat('x', 500)) RETURNING n").fetch_one(database.pool()).await.unwrap();
        std::fs::write(std::path::Path::new(&dir).join("committed.new"), n.to_string()).unwrap();
        std::fs::rename(std::path::Path::new(&dir).join("committed.new"), std::path::Path::new(&dir).join("committed")).unwrap();
    }
}

#[tokio::test]
async fn a_killed_process_loses_nothing_committed() {
    let dir = tempfile::tempdir().unwrap();
    let committed = || std::fs::read_to_string(dir.path().join("committed")).ok().and_then(|n| n.parse::<i64>().ok()).unwrap_or(0);
    for round in 1..=3 {
        let before = committed();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_writes", "--ignored"])
            .env("FITTER_TEST_CHILD_DIR", dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        timeout(Duration::from_secs(60), async {
            while committed() < before + 200 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .expect("the child writes");
        if round == 1 {
            let error = Database::open(&embedded(dir.path())).await.unwrap_err();
            assert!(matches!(error, OpenError::InUse { process: Some(id), .. } if id == child.id()), "{error}");
            assert!(error.to_string().contains("stop that one"), "{error}");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let promised = committed();
        let database = Database::open(&embedded(dir.path())).await.expect("no stale lock is in the way");
        let stored: i64 = sqlx::query_scalar("SELECT count(*) FROM rows").fetch_one(database.pool()).await.unwrap();
        let last: i64 = sqlx::query_scalar("SELECT max(n) FROM rows").fetch_one(database.pool()).await.unwrap();
        // A crash makes the sequence skip up to 32 numbers.
        assert!(last >= promised && stored >= promised - 3 * 33, "round {round}: {stored} rows to {last}, {promised} were promised");
        database.close().await;
    }
}

#[tokio::test]
async fn errors_say_what_to_do_and_keep_secrets() {
    let config = |url: &str| DatabaseConfig { url: Some(url.to_owned()), data_dir: "/nonexistent".into(), max_connections: 1 };
    let secret = "postgres://user:hunter2@127.0.0.1:1/x";
    assert!(!format!("{:?}", config(secret)).contains("hunter2"));
    let refused = timeout(Duration::from_secs(60), Database::open(&config(secret))).await.unwrap().unwrap_err().to_string();
    assert!(refused.contains("FITTER_DATABASE_URL") && !refused.contains("hunter2"), "{refused}");
    let wrong = Database::open(&config("mysql:hunter2")).await.unwrap_err().to_string();
    assert!(wrong.contains("postgres://") && !wrong.contains("hunter2"), "{wrong}");
    let file = tempfile::NamedTempFile::new().unwrap();
    let folder = Database::open(&embedded(&file.path().join("data"))).await.unwrap_err().to_string();
    assert!(folder.contains("data folder"), "{folder}");
}

#[tokio::test]
async fn a_lock_has_one_holder() {
    let db = TestDb::server().await;
    let (mut first, mut second) = (Locks::default(), Locks::default());
    assert!(first.hold(db.database(), "poller:1").await.unwrap(), "free");
    assert!(!second.hold(db.database(), "poller:1").await.unwrap());
    assert!(second.hold(db.database(), "poller:2").await.unwrap(), "another name");
    assert!(first.hold(db.database(), "poller:1").await.unwrap(), "still held");
    sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")
        .execute(db.pool())
        .await
        .unwrap();
    let mut third = Locks::default();
    let takes = async |locks: &mut Locks| {
        timeout(Duration::from_secs(10), async { while !locks.hold(db.database(), "poller:1").await.unwrap_or(false) {} }).await.is_ok()
    };
    assert!(takes(&mut third).await, "the connection broke");
    // Whoever lost it hears of it, soon.
    timeout(Duration::from_secs(10), async { while first.hold(db.database(), "poller:1").await.unwrap_or(true) {} }).await.unwrap();
    third.release("poller:1").await;
    assert!(takes(&mut first).await);

    // Whoever waits for several looks for all of them at once.
    assert!(first.hold(db.database(), "poller:3").await.unwrap());
    let mut waiting = Locks::default();
    for key in ["poller:1", "poller:3"] {
        assert!(!waiting.hold(db.database(), key).await.unwrap(), "{key}");
    }
    let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let held = async || sqlx::query_scalar::<_, i64>(locks).fetch_one(db.pool()).await.unwrap();
    let before = held().await;
    first.release("poller:1").await;
    first.release("poller:3").await;
    assert_eq!(held().await, before - 2);
    assert!(takes(&mut waiting).await);
    assert_eq!(held().await, before, "the one that was not asked for is taken with it");
    assert!(waiting.hold(db.database(), "poller:3").await.unwrap());
    waiting.release("poller:3").await;
    assert_eq!(held().await, before - 1);

    let alone = TestDb::embedded().await;
    assert!(Locks::default().hold(alone.database(), "poller:1").await.unwrap());
}
