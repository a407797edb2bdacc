//! What the queue promises while many work on it at the same time.

#![expect(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

mod log;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use fitter_queue::limiter::{self, Need};
use fitter_queue::{Claim, LaneLease, NewItem, Queue, QueueError, claim, defer, done, put, release};
use fitter_testkit::TestDb;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sqlx::PgPool;
use tokio::task::JoinSet;
use tokio::time::timeout;

const CLAIM: Claim = Claim { lanes: 4, bulk: 4, items_per_lane: 3, lease: Duration::from_secs(30) };

fn item(lane: &str, payload: &str) -> NewItem {
    NewItem::json(Queue::Inbox, lane, &payload).unwrap()
}

/// Items that no worker will ever find: ready, but their lane is not.
async fn stranded(pool: &PgPool) -> i64 {
    sqlx::query_scalar(
        "SELECT count(*) FROM queue_items i WHERE i.status = 0 AND NOT EXISTS (
            SELECT FROM queue_lanes l WHERE l.queue = i.queue AND l.lane = i.lane AND (l.lease_token IS NOT NULL OR l.ready_at <= now()))",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}

async fn work(pool: &PgPool, lease: &LaneLease, index: usize) -> Result<(), QueueError> {
    let item = &lease.items[index];
    let mut tx = pool.begin().await?;
    sqlx::query("INSERT INTO log (lane, item) VALUES ($1, $2)").bind(&lease.lane).bind(item.id.0).execute(&mut *tx).await?;
    done(&mut tx, lease, item).await?;
    tx.commit().await?;
    Ok(())
}

async fn pending(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM queue_items WHERE status = 0").fetch_one(pool).await.unwrap()
}

/// Producers, and workers that defer, give back early, let leases expire and then try to finish all the same.
async fn chaos(seed: u64) {
    const LANES: u32 = 6;
    let db = TestDb::server().await;
    log::make(db.pool()).await;
    let producing = Arc::new(AtomicU32::new(4));
    let mut all = JoinSet::new();
    for n in 0..4 {
        let (pool, producing) = (db.pool().clone(), Arc::clone(&producing));
        all.spawn(async move {
            let mut rng = StdRng::seed_from_u64(seed * 100 + n);
            for _ in 0..25 {
                let mut items = Vec::new();
                for _ in 0..rng.random_range(1..6) {
                    items.push(item(&format!("lane {}", rng.random_range(0..LANES)), "x").max_attempts(1000));
                }
                let mut tx = pool.begin().await.unwrap();
                put(&mut tx, &items).await.unwrap();
                if rng.random_bool(0.3) {
                    tokio::time::sleep(Duration::from_millis(rng.random_range(0..5))).await;
                }
                if rng.random_bool(0.1) { tx.rollback().await.unwrap() } else { tx.commit().await.unwrap() }
            }
            producing.fetch_sub(1, Ordering::SeqCst);
        });
    }
    for n in 0..6 {
        let (pool, producing) = (db.pool().clone(), Arc::clone(&producing));
        all.spawn(async move {
            let mut rng = StdRng::seed_from_u64(seed * 100 + 50 + n);
            loop {
                let lease = Duration::from_millis(if rng.random_bool(0.3) { 10 } else { 500 });
                let leases = claim(&mut pool.acquire().await.unwrap(), Queue::Inbox, Claim { lease, ..CLAIM }).await.unwrap();
                if leases.is_empty() && producing.load(Ordering::SeqCst) == 0 && pending(&pool).await == 0 {
                    return;
                }
                if leases.is_empty() {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                for lease in leases {
                    for index in 0..lease.items.len() {
                        if rng.random_bool(0.1) {
                            tokio::time::sleep(Duration::from_millis(15)).await;
                        }
                        if rng.random_bool(0.1) {
                            let items = &lease.items[index..=index];
                            let deferred =
                                defer(&mut pool.acquire().await.unwrap(), &lease, items, Duration::from_millis(3), "chaos").await;
                            assert!(matches!(deferred, Ok(_) | Err(QueueError::LeaseLost)), "{deferred:?}");
                            break;
                        }
                        match work(&pool, &lease, index).await {
                            Ok(()) => {}
                            Err(QueueError::LeaseLost) => break,
                            Err(error) => panic!("{error}"),
                        }
                    }
                    // Sometimes a worker vanishes.
                    let vanishes = rng.random_bool(0.1);
                    if !vanishes {
                        release(&mut pool.acquire().await.unwrap(), &lease).await.unwrap();
                    }
                }
            }
        });
    }
    timeout(Duration::from_secs(60), all.join_all()).await.expect("all items are worked on in the end");

    let (worked, put) = log::worked_and_put(db.pool(), "").await;
    assert_eq!(worked, put, "seed {seed}: every item once and each lane in order");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn order_and_single_work_hold_in_chaos() {
    for seed in 0..6 {
        chaos(seed).await;
    }
}

/// A release that looked for more work before it had the lane's lock would let the item of a put at the same time sleep for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_put_during_a_release_is_not_stranded() {
    let db = TestDb::server().await;
    let pool = db.pool();
    put(&mut pool.acquire().await.unwrap(), &[item("a", "0")]).await.unwrap();
    for round in 0..3000 {
        let leases = claim(&mut pool.acquire().await.unwrap(), Queue::Inbox, CLAIM).await.unwrap();
        let [lease] = &leases[..] else { panic!("round {round}: {leases:?}") };
        for item in &lease.items {
            done(&mut pool.acquire().await.unwrap(), lease, item).await.unwrap();
        }
        let (mut one, mut two) = (pool.acquire().await.unwrap(), pool.acquire().await.unwrap());
        let items = [item("a", "next")];
        let (put, released) = tokio::join!(put(&mut one, &items), release(&mut two, lease));
        put.unwrap();
        released.unwrap();
        assert_eq!(stranded(pool).await, 0, "round {round}");
    }
}

#[tokio::test]
async fn a_transaction_under_way_makes_no_other_lane_wait() {
    let db = TestDb::server().await;
    let pool = db.pool();
    let mut conn = pool.acquire().await.unwrap();
    put(&mut conn, &[item("a", "1"), item("b", "1")]).await.unwrap();
    let mut open = pool.begin().await.unwrap();
    put(&mut open, &[item("a", "2")]).await.unwrap();
    let claimed = timeout(Duration::from_secs(5), claim(&mut conn, Queue::Inbox, CLAIM)).await.expect("a claim never waits").unwrap();
    assert_eq!(claimed.iter().map(|lease| lease.lane.as_str()).collect::<Vec<_>>(), ["b"]);
    open.commit().await.unwrap();
    let a = claim(&mut conn, Queue::Inbox, CLAIM).await.unwrap().remove(0);
    assert_eq!(a.items.len(), 2);
}

#[tokio::test]
async fn a_lane_is_not_taken_over_while_its_holder_commits() {
    let db = TestDb::server().await;
    let pool = db.pool();
    let mut conn = pool.acquire().await.unwrap();
    put(&mut conn, &[item("a", "1"), item("a", "2")]).await.unwrap();
    let short = Claim { lease: Duration::from_millis(1), ..CLAIM };
    let slow = claim(&mut conn, Queue::Inbox, short).await.unwrap().remove(0);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let mut open = pool.begin().await.unwrap();
    done(&mut open, &slow, &slow.items[0]).await.expect("expired, but nobody took over");
    let claimed = timeout(Duration::from_secs(5), claim(&mut conn, Queue::Inbox, CLAIM)).await.expect("a claim never waits").unwrap();
    assert!(claimed.is_empty());
    // Nor does it stand in the way of those who put: that is where deadlocks would come from.
    timeout(Duration::from_secs(5), put(&mut conn, &[item("a", "3")])).await.expect("a put does not wait for work").unwrap();
    open.commit().await.unwrap();
    let heir = claim(&mut conn, Queue::Inbox, CLAIM).await.unwrap().remove(0);
    assert_eq!(heir.items.len(), 2);
    assert!(matches!(done(&mut conn, &slow, &slow.items[1]).await, Err(QueueError::LeaseLost)));
}

#[tokio::test]
async fn the_order_of_a_lane_is_the_order_of_commits() {
    let db = TestDb::server().await;
    let pool = db.pool();
    let mut first = pool.begin().await.unwrap();
    let one = put(&mut first, &[item("a", "1")]).await.unwrap();
    let second = tokio::spawn({
        let pool = pool.clone();
        async move { put(&mut pool.acquire().await.unwrap(), &[item("a", "2")]).await.unwrap() }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!second.is_finished(), "it waits for the transaction that came first");
    first.commit().await.unwrap();
    assert!(one < second.await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn crossing_puts_do_not_deadlock() {
    let db = TestDb::server().await;
    let mut all = JoinSet::new();
    for n in 0..8_u64 {
        let pool = db.pool().clone();
        all.spawn(async move {
            let mut rng = StdRng::seed_from_u64(n);
            for _ in 0..100 {
                let mut items: Vec<NewItem> = (0..5).map(|_| item(&format!("lane {}", rng.random_range(0..8)), "x")).collect();
                if rng.random_bool(0.5) {
                    items = items.into_iter().map(|item| item.replacing("g")).collect();
                }
                put(&mut pool.acquire().await.unwrap(), &items).await.unwrap();
            }
        });
    }
    timeout(Duration::from_secs(60), all.join_all()).await.expect("no deadlock");
    assert_eq!(stranded(db.pool()).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_duplicate_is_refused_however_close() {
    let db = TestDb::server().await;
    for round in 0..50 {
        let mut all = JoinSet::new();
        for n in 0..8 {
            let pool = db.pool().clone();
            all.spawn(async move {
                let item = item(&format!("lane {n}"), "x").dedupe(format!("key {round}"));
                put(&mut pool.acquire().await.unwrap(), &[item]).await.unwrap()[0].is_some()
            });
        }
        assert_eq!(all.join_all().await.into_iter().filter(|&accepted| accepted).count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_limiter_gives_no_token_twice() {
    let db = TestDb::server().await;
    let mut all = JoinSet::new();
    for n in 0..16 {
        let pool = db.pool().clone();
        all.spawn(async move {
            let bot = Need { key: "bot".to_owned(), rate: 1e-6, burst: 30.0, ahead: 0 };
            let chat = Need { key: format!("chat {}", n % 4), rate: 1e-6, burst: 20.0, ahead: 0 };
            let needs = if n % 2 == 0 { [bot, chat] } else { [chat, bot] };
            let mut taken = 0;
            for _ in 0..10 {
                taken += u32::from(limiter::take(&mut pool.acquire().await.unwrap(), &needs).await.unwrap().is_ok());
            }
            taken
        });
    }
    assert_eq!(all.join_all().await.into_iter().sum::<u32>(), 30);
}
