//! The work on one lane: its items to the handler, one after the other, and what becomes of those that fail.

use sqlx::PgPool;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::error::QueueError;
use crate::failpoint;
use crate::finish::{self, Deferred};
use crate::outage;
use crate::task::{Failure, Finished, OUTAGE_PAUSE, Task, backoff};

/// How the work on a lane ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The lane has to be given back.
    Held,
    /// It is given back; whether there may be something to claim now.
    Released(bool),
}

/// Gives the tasks of a lane to the handler until one of them keeps the lane waiting.
pub(crate) async fn work_on_lane<H, F>(pool: PgPool, tasks: Vec<Task>, handler: H, stop: CancellationToken) -> Ended
where
    H: Fn(Task) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Finished, Failure>> + Send + 'static,
{
    if let Err(error) = failpoint::hit("claim").await {
        tracing::warn!(%error, "a lane is given back at once");
        return Ended::Held;
    }
    for task in tasks {
        if stop.is_cancelled() {
            return Ended::Held;
        }
        let queue = task.lease().queue.name();
        let start = Instant::now();
        // A task of its own, so that a panic ends this item and nothing else.
        let outcome = match AbortOnDropHandle::new(tokio::spawn(handler(task.clone()))).await {
            Ok(outcome) => outcome,
            Err(error) if error.is_panic() => Err(Failure::retry(format_args!("panic: {}", panic_text(error.into_panic().as_ref())))),
            Err(_) => return Ended::Held,
        };
        metrics::histogram!("fitter_queue_work_seconds", "queue" => queue).record(start.elapsed().as_secs_f64());
        let released = outcome.as_ref().ok().and_then(|finished| finished.released);
        let (label, on) = match outcome {
            Ok(Finished { .. }) => ("done", true),
            Err(failure) => match record(&pool, &task, &failure, &stop).await {
                Ok(recorded) => recorded,
                Err(error) => {
                    tracing::warn!(queue, %error, "a failed attempt was not recorded, the item will be tried again");
                    ("unrecorded", false)
                }
            },
        };
        metrics::counter!("fitter_queue_items_total", "queue" => queue, "outcome" => label).increment(1);
        if let Some(ready) = released {
            return Ended::Released(ready);
        }
        if !on {
            return Ended::Held;
        }
    }
    Ended::Held
}

/// Records a failure, however long the database is away: an item that is given back without a record forgets what it has to wait for.
async fn record(pool: &PgPool, task: &Task, failure: &Failure, stop: &CancellationToken) -> Result<(&'static str, bool), QueueError> {
    loop {
        match try_to_record(pool, task, failure).await {
            Err(QueueError::Database(error)) if !stop.is_cancelled() && outage::report(&error) => tokio::time::sleep(OUTAGE_PAUSE).await,
            recorded => return recorded,
        }
    }
}

/// Records a failure; its name in metrics and whether the lane goes on.
async fn try_to_record(pool: &PgPool, task: &Task, failure: &Failure) -> Result<(&'static str, bool), QueueError> {
    let (lease, items) = (task.lease(), task.items());
    let (queue, item) = (lease.queue.name(), items.first().map_or(0, |item| item.id.0));
    let mut conn = pool.acquire().await?;
    let recorded = match failure {
        Failure::Retry { after, error } => {
            let attempts = items.iter().map(|item| item.attempts).max().unwrap_or_default().saturating_add(1);
            let delay = after.unwrap_or_else(|| backoff(attempts, item));
            match finish::defer(&mut conn, lease, items, delay, error).await {
                Ok(Deferred::Again) => {
                    tracing::warn!(queue, item, attempts, error, "an item failed and will be tried again");
                    Ok(("retried", false))
                }
                Ok(Deferred::Dead) => {
                    tracing::error!(queue, item, attempts, error, "an item failed for the last time and is a dead letter");
                    Ok(("dead", true))
                }
                Err(error) => Err(error),
            }
        }
        Failure::Bury { reason } => {
            let buried = finish::bury(&mut conn, lease, items, reason).await;
            buried.map(|()| {
                tracing::error!(queue, item, reason, "an item cannot be worked on and is a dead letter");
                ("dead", true)
            })
        }
        Failure::Hold { time } => finish::hold(&mut conn, lease, *time).await.map(|()| ("held", false)),
        Failure::Lost => Err(QueueError::LeaseLost),
    };
    match recorded {
        Err(QueueError::LeaseLost) => {
            tracing::warn!(queue, item, "the lease was lost during the work, somebody else does it");
            Ok(("lost", false))
        }
        recorded => recorded,
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text")
}
