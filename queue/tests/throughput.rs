//! How fast the queue is: `cargo test --release -p fitter-queue --test throughput -- --ignored --nocapture`.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::time::{Duration, Instant};

use fitter_queue::{NewItem, Queue, RunnerConfig, Task, Wake, put, run_lanes};
use fitter_testkit::TestDb;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

async fn measure(name: &str, pool: &PgPool, items: usize, lanes: usize) {
    let new: Vec<NewItem> = (0..items).map(|n| NewItem::raw(Queue::Inbox, format!("lane {}", n % lanes), r#"{"update_id":1}"#)).collect();
    let start = Instant::now();
    for batch in new.chunks(100) {
        put(&mut pool.acquire().await.unwrap(), batch).await.unwrap();
    }
    let put = start.elapsed();
    let (wake, stop) = (Wake::new(), CancellationToken::new());
    let start = Instant::now();
    let runner = tokio::spawn({
        let (pool, stop, handlers) = (pool.clone(), stop.clone(), pool.clone());
        let config = RunnerConfig { lanes: 32, ..RunnerConfig::default() };
        async move {
            run_lanes(pool, Queue::Inbox, config, &wake, stop, move |task: Task| {
                let pool = handlers.clone();
                async move {
                    let mut tx = pool.begin().await?;
                    let finished = task.done(&mut tx).await?;
                    tx.commit().await?;
                    Ok(finished)
                }
            })
            .await;
        }
    });
    let waiting = "SELECT count(*) FROM queue_items WHERE status = 0";
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(pool).await.unwrap() > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let work = start.elapsed();
    stop.cancel();
    runner.await.unwrap();
    let rate = |time: Duration| items as f64 / time.as_secs_f64();
    println!(
        "{name}: {items} items in {lanes} lanes: put {:.0}/s in batches of 100, worked on {:.0}/s, one transaction each",
        rate(put),
        rate(work)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn backlog() {
    let (server, embedded) = (TestDb::server().await, TestDb::embedded().await);
    for lanes in [1, 50, 5000] {
        measure("server", server.pool(), 5000, lanes).await;
        measure("embedded", embedded.pool(), 5000, lanes).await;
    }
}
