//! Many lanes in one transaction, and lanes that go from a put straight to a worker.

#![expect(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used, reason = "helpers of tests")]

mod log;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fitter_queue::{
    Batcher, Claim, Failure, Finished, LaneLease, NewItem, Queue, Request, RunnerConfig, Task, Wake, claim, depth, finish_all, hand, idle,
    keep, put, run_lanes,
};
use fitter_testkit::TestDb;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sqlx::PgPool;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(60);

fn item(lane: &str, payload: &str) -> NewItem {
    NewItem::json(Queue::Inbox, lane, &payload).unwrap()
}

fn config() -> RunnerConfig {
    RunnerConfig { lanes: 64, poll: Duration::from_millis(200), ..RunnerConfig::default() }
}

async fn until_idle(pool: &PgPool) {
    timeout(PATIENCE, async {
        while !idle(&mut pool.acquire().await.unwrap()).await.unwrap() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("the work ends");
}

/// A worker that gives its tasks to the test and waits for what becomes of them.
struct Hands {
    tasks: mpsc::UnboundedReceiver<(Task, tokio::sync::oneshot::Sender<Finished>)>,
    wake: Wake,
    stop: CancellationToken,
    runner: tokio::task::JoinHandle<()>,
}

impl Hands {
    fn new(pool: &PgPool) -> Self {
        let (sender, tasks) = mpsc::unbounded_channel();
        let (wake, stop) = (Wake::new(), CancellationToken::new());
        let handler = move |task: Task| {
            let sender = sender.clone();
            async move {
                let (answer, answered) = tokio::sync::oneshot::channel();
                sender.send((task, answer)).map_err(Failure::retry)?;
                answered.await.map_err(|_| Failure::Lost)
            }
        };
        let runner = tokio::spawn({
            let (pool, wake, stop) = (pool.clone(), wake.clone(), stop.clone());
            async move { run_lanes(pool, Queue::Inbox, config(), &wake, stop, handler).await }
        });
        Self { tasks, wake, stop, runner }
    }

    async fn take(&mut self, count: usize) -> Vec<(Task, tokio::sync::oneshot::Sender<Finished>)> {
        let mut taken = Vec::new();
        while taken.len() < count {
            taken.push(timeout(PATIENCE, self.tasks.recv()).await.expect("a task").expect("a worker"));
        }
        taken
    }

    async fn end(self) {
        drop(self.tasks);
        self.stop.cancel();
        timeout(PATIENCE, self.runner).await.expect("it stops").unwrap();
    }
}

/// Puts so that a worker of this process gets what is new.
async fn give(pool: &PgPool, wake: &Wake, items: Vec<NewItem>) -> Vec<bool> {
    let mut tx = pool.begin().await.unwrap();
    let handover = hand(&mut tx, wake, items).await.unwrap();
    tx.commit().await.unwrap();
    let accepted = handover.ids().iter().map(Option::is_some).collect();
    handover.committed(wake);
    accepted
}

async fn lanes(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM queue_lanes").fetch_one(pool).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_lane_is_leased_from_the_beginning() {
    let db = TestDb::server().await;
    let mut hands = Hands::new(db.pool());
    put(&mut db.pool().acquire().await.unwrap(), &[item("warm", "0")]).await.unwrap();
    hands.wake.notify(Queue::Inbox);
    let (warm, _answer) = hands.take(1).await.remove(0);
    assert_eq!(warm.lease().lane, "warm");
    assert_eq!(give(db.pool(), &hands.wake, vec![item("a", "1"), item("a", "2"), item("b", "1")]).await, [true; 3]);
    let others = claim(&mut db.pool().acquire().await.unwrap(), Queue::Inbox, Claim::default()).await.unwrap();
    assert!(others.is_empty(), "nobody else can claim them: {others:?}");
    let mut taken = hands.take(2).await;
    taken.sort_by_key(|(task, _)| task.lease().lane.clone());
    let seen: Vec<_> =
        taken.iter().map(|(task, _)| (task.lease().lane.as_str(), task.items()[0].payload.as_str(), task.is_last())).collect();
    assert_eq!(seen, [("a", "\"1\"", false), ("b", "\"1\"", true)]);
    // What comes for a lane that is there already waits for its turn.
    give(db.pool(), &hands.wake, vec![item("a", "3")]).await;
    let mut tx = db.pool().begin().await.unwrap();
    let tasks: Vec<&Task> = taken.iter().map(|(task, _)| task).collect();
    assert_eq!(keep(&mut tx, &tasks).await.unwrap(), [true, true]);
    let finished = finish_all(&mut tx, &tasks).await.unwrap();
    tx.commit().await.unwrap();
    for ((_, answer), finished) in taken.into_iter().zip(finished) {
        answer.send(finished).unwrap();
    }
    for expected in ["\"2\"", "\"3\""] {
        let (task, answer) = hands.take(1).await.remove(0);
        assert_eq!((task.lease().lane.as_str(), task.items()[0].payload.as_str()), ("a", expected));
        let mut tx = db.pool().begin().await.unwrap();
        assert_eq!(keep(&mut tx, &[&task]).await.unwrap(), [true]);
        let finished = finish_all(&mut tx, &[&task]).await.unwrap().remove(0);
        tx.commit().await.unwrap();
        answer.send(finished).unwrap();
    }
    hands.end().await;
    assert_eq!(lanes(db.pool()).await, 1, "all lanes are gone but the one that was cut off");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_put_before_makes_no_lane() {
    let db = TestDb::server().await;
    let hands = Hands::new(db.pool());
    put(&mut db.pool().acquire().await.unwrap(), &[item("other", "x").dedupe("1").delay(PATIENCE)]).await.unwrap();
    assert_eq!(give(db.pool(), &hands.wake, vec![item("a", "1").dedupe("1")]).await, [false]);
    assert_eq!(lanes(db.pool()).await, 1);
    // Late items and albums wait for their time, and nobody holds their lanes.
    let album = item("album", "p").gathering("g", PATIENCE);
    give(db.pool(), &hands.wake, vec![item("late", "1").delay(PATIENCE), album]).await;
    let inbox = depth(&mut db.pool().acquire().await.unwrap()).await.unwrap()[0];
    assert_eq!((inbox.waiting, inbox.leased), (3, 0));
    hands.end().await;
}

/// Takes a lane whose lease is over, before its holder looks for work itself.
async fn inherit(pool: &PgPool, lane: &str) -> LaneLease {
    let mut tx = pool.begin().await.unwrap();
    sqlx::query("UPDATE queue_lanes SET ready_at = now() WHERE lane = $1").bind(lane).execute(&mut *tx).await.unwrap();
    let mut heirs = claim(&mut tx, Queue::Inbox, Claim::default()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(heirs.len(), 1);
    heirs.remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_vanished_with_a_new_lane_counts_as_an_attempt() {
    let db = TestDb::server().await;
    let mut hands = Hands::new(db.pool());
    give(db.pool(), &hands.wake, vec![item("a", "1"), item("a", "2")]).await;
    let (_task, _answer) = hands.take(1).await.remove(0);
    let heir = inherit(db.pool(), "a").await;
    assert_eq!(heir.items.iter().map(|item| item.attempts).collect::<Vec<_>>(), [1, 0]);
    hands.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_lease_costs_its_lane_only() {
    let db = TestDb::server().await;
    let mut hands = Hands::new(db.pool());
    give(db.pool(), &hands.wake, ["a", "b", "c"].map(|lane| item(lane, "1")).to_vec()).await;
    let mut taken = hands.take(3).await;
    taken.sort_by_key(|(task, _)| task.lease().lane.clone());
    inherit(db.pool(), "b").await;
    // And a lane that somebody has locked is not waited for.
    let mut locked = db.pool().begin().await.unwrap();
    sqlx::query("SELECT FROM queue_lanes WHERE lane = 'c' FOR UPDATE").execute(&mut *locked).await.unwrap();
    let mut tx = db.pool().begin().await.unwrap();
    let tasks: Vec<&Task> = taken.iter().map(|(task, _)| task).collect();
    let kept = timeout(PATIENCE, keep(&mut tx, &tasks)).await.expect("it waits for nobody").unwrap();
    assert_eq!(kept, [true, false, false]);
    let finished = finish_all(&mut tx, &tasks[..1]).await.unwrap().remove(0);
    tx.commit().await.unwrap();
    locked.rollback().await.unwrap();
    taken.remove(0).1.send(finished).unwrap();
    drop(taken);
    let left: Vec<String> = sqlx::query_scalar("SELECT lane FROM queue_items ORDER BY id").fetch_all(db.pool()).await.unwrap();
    assert_eq!(left, ["b", "c"]);
    hands.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_handed_over_when_the_worker_stops_is_given_back() {
    let db = TestDb::server().await;
    let mut hands = Hands::new(db.pool());
    give(db.pool(), &hands.wake, vec![item("warm", "0")]).await;
    let warm = hands.take(1).await;
    let mut tx = db.pool().begin().await.unwrap();
    let handover = hand(&mut tx, &hands.wake, vec![item("a", "1")]).await.unwrap();
    hands.stop.cancel();
    drop(warm);
    tx.commit().await.unwrap();
    handover.committed(&hands.wake);
    let wake = hands.wake.clone();
    hands.end().await;
    // Nobody is left to take this one.
    give(db.pool(), &wake, vec![item("b", "1")]).await;
    let leased: i64 =
        sqlx::query_scalar("SELECT count(*) FROM queue_lanes WHERE lease_token IS NOT NULL").fetch_one(db.pool()).await.unwrap();
    assert_eq!(leased, 0);
}

/// Does tasks in batches: logs them, puts what they cause into other lanes, and finishes them.
fn batches(pool: PgPool, wake: Wake, most: usize, parallel: usize, cut: Arc<AtomicU32>) -> Batcher<Task, Finished> {
    Batcher::new(most, parallel, move |requests: Vec<Request<Task, Finished>>| {
        let (pool, wake, cut) = (pool.clone(), wake.clone(), Arc::clone(&cut));
        async move {
            let done = async {
                let mut tx = pool.begin().await?;
                let tasks: Vec<&Task> = requests.iter().map(|request| &request.what).collect();
                let kept = keep(&mut tx, &tasks).await?;
                let tasks: Vec<&Task> = tasks.into_iter().zip(&kept).filter(|(_, kept)| **kept).map(|(task, _)| task).collect();
                let mut caused = Vec::new();
                for task in &tasks {
                    let payload: String = task.items()[0].decode()?;
                    sqlx::query("INSERT INTO log (lane, item) VALUES ($1, $2)")
                        .bind(&task.lease().lane)
                        .bind(task.items()[0].id.0)
                        .execute(&mut *tx)
                        .await?;
                    assert_ne!(payload, "poison", "as told");
                    if let Some(to) = payload.strip_prefix("to ") {
                        caused.push(item(to, "end"));
                    }
                }
                let handover = hand(&mut tx, &wake, caused).await?;
                let finished = finish_all(&mut tx, &tasks).await?;
                if cut.load(Ordering::SeqCst) > 0 && cut.fetch_sub(1, Ordering::SeqCst) > 0 {
                    return Err(Failure::retry("cut off before the commit"));
                }
                tx.commit().await?;
                handover.committed(&wake);
                Ok::<_, Failure>((kept, finished))
            };
            let Ok((kept, finished)) = done.await else { return };
            let mine = requests.into_iter().zip(kept).filter(|(_, kept)| *kept);
            mine.zip(finished).for_each(|((request, _), finished)| request.answer(finished));
        }
    })
}

/// Every item that was put is done once, and each lane in order.
async fn check(pool: &PgPool, except: &str) {
    let (worked, put) = log::worked_and_put(pool, except).await;
    assert_eq!(worked, put);
}

/// Workers that do everything in batches, producers beside them, a poison item, and transactions that are cut off.
async fn stress(db: &TestDb, workers: usize, rounds: u64) {
    const LANES: u32 = 12;
    log::make(db.pool()).await;
    let stop = CancellationToken::new();
    let (mut runners, mut wakes) = (JoinSet::new(), Vec::new());
    let cut = Arc::new(AtomicU32::new(5));
    for _ in 0..workers {
        let wake = Wake::new();
        let together = batches(db.pool().clone(), wake.clone(), 16, 2, Arc::clone(&cut));
        let alone = batches(db.pool().clone(), wake.clone(), 1, 64, Arc::default());
        let handler = move |task: Task| {
            let (together, alone) = (together.clone(), alone.clone());
            async move {
                if let Some(finished) = together.ask(task.clone()).await {
                    return Ok(finished);
                }
                alone.ask(task).await.ok_or_else(|| Failure::Retry { after: Some(Duration::from_millis(5)), error: "alone".to_owned() })
            }
        };
        let (pool, woken, stopped) = (db.pool().clone(), wake.clone(), stop.clone());
        runners.spawn(async move { run_lanes(pool, Queue::Inbox, config(), &woken, stopped, handler).await });
        wakes.push(wake);
    }
    let mut producers = JoinSet::new();
    for n in 0..4_u64 {
        let (pool, wake) = (db.pool().clone(), wakes[usize::try_from(n).unwrap() % wakes.len()].clone());
        producers.spawn(async move {
            let mut rng = StdRng::seed_from_u64(n);
            for round in 0..rounds {
                let mut items = Vec::new();
                for _ in 0..rng.random_range(1..6) {
                    let lane = format!("lane {}", rng.random_range(0..LANES));
                    let payload = if rng.random_bool(0.5) { format!("to lane {}", rng.random_range(0..LANES)) } else { "end".to_owned() };
                    items.push(item(&lane, &payload).max_attempts(1000));
                }
                if round == rounds / 2 {
                    items.push(item(&format!("lane {n}"), "poison").max_attempts(2));
                }
                give(&pool, &wake, items).await;
            }
        });
    }
    timeout(PATIENCE, producers.join_all()).await.expect("nobody waits for ever");
    until_idle(db.pool()).await;
    // A failed item is late for a moment, and then done.
    timeout(PATIENCE, async {
        while depth(&mut db.pool().acquire().await.unwrap()).await.unwrap()[0].waiting > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("everything is done");
    stop.cancel();
    timeout(PATIENCE, runners.join_all()).await.expect("they stop");
    check(db.pool(), "\"poison\"").await;
    let dead = depth(&mut db.pool().acquire().await.unwrap()).await.unwrap()[0].dead;
    assert_eq!(dead, 4, "the poison, and nothing else");
    assert_eq!(lanes(db.pool()).await, 0, "all lanes are given back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn batches_of_several_workers_do_not_stand_in_each_others_way() {
    let db = TestDb::server().await;
    stress(&db, 3, 60).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_with_one_connection() {
    let db = TestDb::embedded().await;
    stress(&db, 1, 10).await;
}

/// The worker renews leases while its own claim has the only connection: neither may wait for the other in vain.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claims_and_renewals_share_one_connection() {
    let db = TestDb::embedded().await;
    let (wake, stop) = (Wake::new(), CancellationToken::new());
    let pool = db.pool().clone();
    let handler = move |task: Task| {
        let pool = pool.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(30)).await;
            let mut tx = pool.begin().await?;
            let finished = task.done(&mut tx).await?;
            tx.commit().await?;
            Ok(finished)
        }
    };
    let config = RunnerConfig { lanes: 8, lease: Duration::from_millis(60), ..RunnerConfig::default() };
    let runner = tokio::spawn({
        let (pool, wake, stop) = (db.pool().clone(), wake.clone(), stop.clone());
        async move { run_lanes(pool, Queue::Inbox, config, &wake, stop, handler).await }
    });
    for round in 0..40 {
        put(&mut db.pool().acquire().await.unwrap(), &[item(&format!("lane {}", round % 10), "x").max_attempts(1000)]).await.unwrap();
        wake.notify(Queue::Inbox);
    }
    timeout(PATIENCE, async {
        while depth(&mut db.pool().acquire().await.unwrap()).await.unwrap()[0].waiting > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("everything is done");
    stop.cancel();
    timeout(PATIENCE, runner).await.expect("it stops").unwrap();
}

#[tokio::test]
async fn batches_are_as_large_as_the_load() {
    let sizes = Arc::new(Mutex::new(Vec::new()));
    let batcher = Batcher::new(100, 1, {
        let sizes = Arc::clone(&sizes);
        move |requests: Vec<Request<u32, u32>>| {
            sizes.lock().unwrap().push(requests.len());
            async move {
                tokio::task::yield_now().await;
                requests.into_iter().for_each(|request| {
                    let what = request.what;
                    request.answer(what);
                });
            }
        }
    });
    let all: JoinSet<_> = (0..50)
        .map(|n| {
            let batcher = batcher.clone();
            async move { (n, batcher.ask(n).await) }
        })
        .collect();
    assert!(all.join_all().await.into_iter().all(|(n, answer)| answer == Some(n)));
    let sizes = sizes.lock().unwrap();
    assert_eq!(sizes.iter().sum::<usize>(), 50);
    assert!(sizes.len() < 10, "{sizes:?}");
}
