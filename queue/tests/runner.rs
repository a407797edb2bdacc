//! The worker's loop: on a server with several workers, and on the embedded server with its one connection.

#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fitter_queue::{Failure, Finished, ItemId, NewItem, Queue, RunnerConfig, Task, Wake, dead_list, depth, idle, put, run_lanes};
use fitter_testkit::TestDb;
use sqlx::PgPool;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

fn item(lane: &str, payload: &str) -> NewItem {
    NewItem::json(Queue::Job, lane, &payload).unwrap()
}

fn config() -> RunnerConfig {
    RunnerConfig { lanes: 4, poll: Duration::from_millis(200), lease: Duration::from_secs(3), ..RunnerConfig::default() }
}

async fn finish(pool: &PgPool, task: &Task) -> Result<Finished, Failure> {
    let mut tx = pool.begin().await?;
    let finished = task.done(&mut tx).await?;
    tx.commit().await?;
    Ok(finished)
}

async fn until_idle(pool: &PgPool) {
    timeout(Duration::from_secs(20), async {
        while !idle(&mut pool.acquire().await.unwrap()).await.unwrap() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("the work ends");
}

/// Failures of every kind among good items; lanes that fail do not stop the others.
async fn all_kinds_of_endings(pool: &PgPool) {
    let (wake, stop) = (Wake::new(), CancellationToken::new());
    let log = Arc::new(Mutex::new(Vec::<String>::new()));
    let handler = {
        let (pool, log) = (pool.clone(), Arc::clone(&log));
        move |task: Task| {
            let (pool, log) = (pool.clone(), Arc::clone(&log));
            async move {
                let payloads: Vec<String> = task.items().iter().map(|item| item.decode().unwrap()).collect();
                let payload = payloads.join("+");
                log.lock().unwrap().push(payload.clone());
                match payload.as_str() {
                    "panic" => panic!("as told"),
                    "retry" if !task.is_repeated() => {
                        Err(Failure::Retry { after: Some(Duration::from_millis(50)), error: "once".to_owned() })
                    }
                    "hold" if log.lock().unwrap().iter().filter(|done| *done == "hold").count() == 1 => {
                        Err(Failure::Hold { time: Duration::from_millis(300) })
                    }
                    "bury" => Err(Failure::Bury { reason: "unreadable".to_owned() }),
                    _ => finish(&pool, &task).await,
                }
            }
        }
    };
    let runner = tokio::spawn({
        let (pool, wake, stop) = (pool.clone(), wake.clone(), stop.clone());
        async move { run_lanes(pool, Queue::Job, config(), &wake, stop, handler).await }
    });
    let items = [
        item("panics", "panic").max_attempts(1),
        item("panics", "after panic"),
        item("retries", "retry"),
        item("retries", "after retry"),
        item("holds", "hold"),
        item("holds", "after hold"),
        item("buries", "bury"),
        item("buries", "after bury"),
        item("album", "p1").gathering("a", Duration::from_millis(100)),
        item("album", "p2").gathering("a", Duration::from_millis(100)),
        item("album", "after album"),
        item("good", "good"),
    ];
    put(&mut pool.acquire().await.unwrap(), &items).await.unwrap();
    wake.notify(Queue::Job);
    timeout(Duration::from_secs(20), async {
        while depth(&mut pool.acquire().await.unwrap()).await.unwrap().iter().any(|depth| depth.waiting > 0) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("everything ends");
    stop.cancel();
    timeout(Duration::from_secs(5), runner).await.expect("it stops").unwrap();

    let log = log.lock().unwrap().clone();
    let place = |what: &str| log.iter().position(|done| done == what).unwrap_or_else(|| panic!("{what} in {log:?}"));
    for what in ["panic", "retry", "hold", "bury"] {
        assert!(place(what) < place(&format!("after {what}")), "{log:?}");
    }
    assert!(place("p1+p2") < place("after album"), "{log:?}");
    assert_eq!(log.iter().filter(|done| *done == "retry").count(), 2);
    assert_eq!(log.iter().filter(|done| *done == "hold").count(), 2);
    let conn = &mut *pool.acquire().await.unwrap();
    let dead = dead_list(conn, ItemId(0), 10).await.unwrap();
    assert_eq!(dead.iter().map(|dead| dead.error.as_str()).collect::<Vec<_>>(), ["panic: as told", "unreadable"]);
    let lanes: i64 = sqlx::query_scalar("SELECT count(*) FROM queue_lanes").fetch_one(conn).await.unwrap();
    assert_eq!(lanes, 0, "the lanes were given back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_kinds_of_endings_on_a_server() {
    let db = TestDb::server().await;
    all_kinds_of_endings(db.pool()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_kinds_of_endings_with_one_connection() {
    let db = TestDb::embedded().await;
    all_kinds_of_endings(db.pool()).await;
}

/// Two workers share a backlog; a handler slower than the lease keeps its lane.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn slow_handlers_keep_their_lanes() {
    let db = TestDb::server().await;
    let (wake, stop) = (Wake::new(), CancellationToken::new());
    let (running, worked) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let mut items = vec![item("slow", "slow"), item("slow", "fast")];
    items.extend((0..40).map(|n| item(&format!("lane {}", n % 10), "fast")));
    put(&mut db.pool().acquire().await.unwrap(), &items).await.unwrap();
    let handler = {
        let (pool, running, worked) = (db.pool().clone(), Arc::clone(&running), Arc::clone(&worked));
        move |task: Task| {
            let (pool, running, worked) = (pool.clone(), Arc::clone(&running), Arc::clone(&worked));
            async move {
                let slow_lane = task.lease().lane == "slow";
                if slow_lane {
                    assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0, "nobody else is at this lane");
                }
                if task.items()[0].decode::<String>()? == "slow" {
                    tokio::time::sleep(Duration::from_millis(1500)).await;
                }
                let finished = finish(&pool, &task).await;
                if slow_lane {
                    running.fetch_sub(1, Ordering::SeqCst);
                }
                worked.fetch_add(1, Ordering::SeqCst);
                finished
            }
        }
    };
    let short = RunnerConfig { lease: Duration::from_millis(500), ..config() };
    let runners: Vec<_> = (0..2)
        .map(|_| {
            let (pool, wake, stop, handler) = (db.pool().clone(), wake.clone(), stop.clone(), handler.clone());
            tokio::spawn(async move { run_lanes(pool, Queue::Job, short, &wake, stop, handler).await })
        })
        .collect();
    until_idle(db.pool()).await;
    assert_eq!(worked.load(Ordering::SeqCst), 42, "each item once");
    assert!(dead_list(&mut db.pool().acquire().await.unwrap(), ItemId(0), 10).await.unwrap().is_empty());
    stop.cancel();
    for runner in runners {
        runner.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_lets_handlers_end_and_leaves_the_rest() {
    let db = TestDb::server().await;
    let (wake, stop) = (Wake::new(), CancellationToken::new());
    let pool = db.pool().clone();
    let started = Arc::new(Semaphore::new(0));
    let handler = {
        let (pool, started) = (pool.clone(), Arc::clone(&started));
        move |task: Task| {
            let (pool, started) = (pool.clone(), Arc::clone(&started));
            async move {
                started.add_permits(1);
                let stuck = task.items()[0].decode::<String>()? == "stuck";
                tokio::time::sleep(Duration::from_millis(if stuck { 60_000 } else { 300 })).await;
                finish(&pool, &task).await
            }
        }
    };
    put(&mut pool.acquire().await.unwrap(), &[item("a", "1"), item("a", "2"), item("b", "stuck")]).await.unwrap();
    let runner = tokio::spawn({
        let (pool, stop) = (pool.clone(), stop.clone());
        let config = RunnerConfig { drain: Duration::from_secs(1), ..config() };
        async move { run_lanes(pool, Queue::Job, config, &wake, stop, handler).await }
    });
    started.acquire_many(2).await.unwrap().forget();
    let start = Instant::now();
    stop.cancel();
    timeout(Duration::from_secs(5), runner).await.expect("it stops in time").unwrap();
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    let conn = &mut *pool.acquire().await.unwrap();
    let jobs = depth(conn).await.unwrap()[2];
    assert_eq!((jobs.waiting, jobs.leased), (2, 0), "1 is done; 2 and the one that was cut off wait, and their lanes are free");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_wake_each_other() {
    let db = TestDb::server().await;
    let stop = CancellationToken::new();
    let (here, there) = (Wake::new(), Wake::new());
    for wake in [&here, &there] {
        tokio::spawn(wake.clone().listen(db.pool().clone(), stop.clone()));
    }
    let mut woken = there.subscribe(Queue::Outbox);
    let mut other = there.subscribe(Queue::Inbox);
    // Once for the listener's start, which wakes everybody.
    for woken in [&mut woken, &mut other] {
        timeout(Duration::from_secs(5), woken.wait()).await.unwrap();
    }
    here.notify(Queue::Outbox);
    timeout(Duration::from_secs(5), woken.wait()).await.expect("the other process hears of it");
    assert!(timeout(Duration::from_millis(100), other.wait()).await.is_err(), "only that queue");
    // A lost connection is made anew.
    sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()")
        .execute(db.pool())
        .await
        .unwrap();
    timeout(Duration::from_secs(10), woken.wait()).await.expect("wakes after it reconnected");
    stop.cancel();
}
