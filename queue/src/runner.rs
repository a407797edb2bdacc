//! The loop of a worker: claims lanes, works on each in a task of its own, gives them back.
//!
//! It holds a connection only for its own short statements, never while a handler runs, so it works with a pool of one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use sqlx::{PgConnection, PgPool};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::claim::{Claim, claim_in, next_ready};
use crate::error::QueueError;
use crate::failpoint;
use crate::finish::{self, Deferred};
use crate::item::{Item, LaneLease, Queue};
use crate::outage;
use crate::wake::{Wake, Woken};

/// How long lanes that have ended wait for others before they are given back together, while few are free.
const GATHER: Duration = Duration::from_millis(3);

/// How long an item waits that met a database in trouble.
const OUTAGE_PAUSE: Duration = Duration::from_secs(1);

/// How a worker works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunnerConfig {
    /// So many lanes at a time.
    pub lanes: u32,
    /// So many items of a lane per claim.
    pub items_per_lane: u32,
    /// How long a lane stays claimed when this process dies. Renewed while a handler is at work.
    pub lease: Duration,
    /// Looks for work at least this often.
    pub poll: Duration,
    /// After the stop, handlers have so long to end before they are cut off.
    pub drain: Duration,
}

impl Default for RunnerConfig {
    fn default() -> Self {
        Self { lanes: 16, items_per_lane: 10, lease: Duration::from_secs(30), poll: Duration::from_secs(1), drain: Duration::from_secs(20) }
    }
}

/// One item, or an album, for a handler. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Task(Arc<(Arc<LaneLease>, Vec<Item>)>);

impl Task {
    /// The items: one, or all members of an album in order.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.0.1
    }

    /// The lease of the lane; its list of items is empty.
    #[must_use]
    pub fn lease(&self) -> &LaneLease {
        &self.0.0
    }

    /// Whether somebody tried before, and what they did may have had effects.
    #[must_use]
    pub fn is_repeated(&self) -> bool {
        self.items().iter().any(|item| item.attempts > 0)
    }

    /// Marks the items done, in the handler's own transaction. What it returns is what the handler returns after the commit.
    ///
    /// # Errors
    /// [`QueueError::LeaseLost`]: roll back.
    pub async fn done(&self, conn: &mut PgConnection) -> Result<Finished, QueueError> {
        finish::done_many(conn, self.lease(), self.items()).await?;
        Ok(Finished(()))
    }
}

/// Proof that [`Task::done`] was called: a handler that forgets it would be given the same items for ever.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct Finished(());

/// Why a handler did not finish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Try again, counted as an attempt; the lane waits.
    Retry {
        /// After this time; by default longer after each attempt.
        after: Option<Duration>,
        /// For the log and the dead letter; no secrets, no words of people.
        error: String,
    },
    /// Give these items up; the lane goes on.
    Bury {
        /// For the log and the dead letter.
        reason: String,
    },
    /// The lane has to wait this long; no attempt is counted.
    Hold {
        /// How long.
        time: Duration,
    },
    /// The lease is lost; nothing was done.
    Lost,
}

impl Failure {
    /// Try again after the usual time.
    pub fn retry(error: impl std::fmt::Display) -> Self {
        Self::Retry { after: None, error: error.to_string() }
    }
}

impl From<QueueError> for Failure {
    fn from(error: QueueError) -> Self {
        match error {
            QueueError::LeaseLost => Self::Lost,
            QueueError::Payload { .. } => Self::Bury { reason: error.to_string() },
            QueueError::Database(error) => error.into(),
            QueueError::Failpoint(_) => Self::retry(error),
        }
    }
}

impl From<sqlx::Error> for Failure {
    /// No item is to blame for a database in trouble: it waits and keeps all its attempts.
    fn from(error: sqlx::Error) -> Self {
        if outage::report(&error) { Self::Hold { time: OUTAGE_PAUSE } } else { Self::retry(error) }
    }
}

/// How long an item waits after its failed attempt number `attempts` (from 1): doubles from 1 s up to 5 min, less up to a half that differs by
/// item, so that items that failed together do not come back together.
#[must_use]
pub fn backoff(attempts: u16, item: i64) -> Duration {
    let full = Duration::from_secs(1).saturating_mul(1 << attempts.saturating_sub(1).min(9)).min(Duration::from_secs(300));
    // Fibonacci hashing (Knuth, TAOCP 6.4): neighbouring numbers land far apart.
    let spread = item.cast_unsigned().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56;
    full - full.mul_f64(spread as f64 / 512.0)
}

/// Works on a queue until `stop`, then lets the handlers end and gives the lanes back.
///
/// The handler does its work and [`Task::done`] in one transaction of its own and returns what that returned, after the commit. A panic counts
/// as a failed attempt.
pub async fn run_lanes<H, F>(pool: PgPool, queue: Queue, config: RunnerConfig, wake: &Wake, stop: CancellationToken, handler: H)
where
    H: Fn(Task) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Finished, Failure>> + Send + 'static,
{
    Runner {
        pool,
        queue,
        config,
        woken: wake.subscribe(queue),
        stop,
        active: HashMap::new(),
        finished: Vec::new(),
        tasks: JoinSet::new(),
        behind: false,
    }
    .run(handler)
    .await;
}

/// The state of the loop of [`run_lanes`].
#[derive(Debug)]
struct Runner {
    pool: PgPool,
    queue: Queue,
    config: RunnerConfig,
    woken: Woken,
    stop: CancellationToken,
    /// Leases of lanes that tasks work on, by the task.
    active: HashMap<tokio::task::Id, Arc<LaneLease>>,
    /// Leases to give back.
    finished: Vec<Arc<LaneLease>>,
    tasks: JoinSet<()>,
    /// The database was away. Leases of lanes in hand may have run out meanwhile: they are renewed before anything is claimed.
    behind: bool,
}

impl Runner {
    async fn run<H, F>(mut self, handler: H)
    where
        H: Fn(Task) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<Finished, Failure>> + Send + 'static,
    {
        let mut renewal = tokio::time::interval(self.config.lease / 6);
        renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let stop = self.stop.clone();
        while !stop.is_cancelled() {
            let idle = match self.turn(&handler).await {
                Ok(idle) => idle,
                Err(error) => {
                    self.behind = true;
                    if !matches!(&error, QueueError::Database(error) if outage::report(error)) {
                        tracing::warn!(queue = self.queue.name(), %error, "cannot claim work, trying again");
                    }
                    Duration::from_secs(1)
                }
            };
            let full = self.free() == 0;
            tokio::select! {
                () = stop.cancelled() => {}
                Some(ended) = self.tasks.join_next_with_id() => self.ended(ended),
                () = self.woken.wait(), if !full => {}
                () = tokio::time::sleep(idle), if !full => {}
                _ = renewal.tick() => self.renew().await,
            }
            self.gather().await;
        }
        self.drain(&mut renewal).await;
    }

    /// Under load lanes end one after the other: waits a moment until several can be given back and claimed at once.
    async fn gather(&mut self) {
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.ended(ended);
        }
        let stop = self.stop.clone();
        let until = Instant::now() + GATHER;
        while self.free() < self.config.lanes.div_ceil(4) {
            tokio::select! {
                Some(ended) = self.tasks.join_next_with_id() => self.ended(ended),
                () = tokio::time::sleep_until(until) => return,
                () = stop.cancelled() => return,
            }
        }
    }

    fn free(&self) -> u32 {
        self.config.lanes.saturating_sub(u32::try_from(self.active.len()).unwrap_or(u32::MAX))
    }

    /// Gives back what is finished and claims what is ready, in one transaction; how long nothing more will be ready.
    async fn turn<H, F>(&mut self, handler: &H) -> Result<Duration, QueueError>
    where
        H: Fn(Task) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<Finished, Failure>> + Send + 'static,
    {
        let free = self.free();
        if free == 0 && self.finished.is_empty() {
            return Ok(self.config.poll);
        }
        let mut tx = self.pool.begin().await?;
        let busy = give_back(&mut tx, &self.finished).await?;
        if self.behind {
            finish::renew(&mut tx, &self.active.values().map(Arc::as_ref).collect::<Vec<_>>(), self.config.lease).await?;
        }
        let what = Claim { lanes: free, items_per_lane: self.config.items_per_lane, lease: self.config.lease };
        let leases = if free == 0 { Vec::new() } else { claim_in(&mut tx, self.queue, what).await? };
        let more = u32::try_from(leases.len()).is_ok_and(|claimed| claimed == free);
        let next = if more { None } else { next_ready(&mut tx, self.queue).await? };
        let claimed = tx.commit().await.map_err(QueueError::from);
        let claimed = if leases.is_empty() { claimed } else { claimed.and(failpoint::hit("claim").await) };
        if let Err(error) = claimed {
            // Nobody knows whether it counts. If it does, the lanes must not stand still until their leases run out; if not, nothing is given back.
            self.finished.extend(leases.into_iter().map(|lease| split(lease).0));
            return Err(error);
        }
        self.behind = false;
        self.finished.retain(|lease| busy.contains(&lease.token));
        for lease in leases {
            let (lease, tasks) = split(lease);
            let work = work_on_lane(self.pool.clone(), tasks, handler.clone(), self.stop.clone());
            self.active.insert(self.tasks.spawn(work).id(), lease);
        }
        // Not at once, even if a lane is ready: it may be one that a transaction under way has locked.
        Ok(next.unwrap_or(self.config.poll).clamp(Duration::from_millis(20), self.config.poll.max(Duration::from_millis(20))))
    }

    fn ended(&mut self, ended: Result<(tokio::task::Id, ()), tokio::task::JoinError>) {
        let id = match &ended {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        self.finished.extend(self.active.remove(&id));
    }

    async fn renew(&self) {
        let leases: Vec<&LaneLease> = self.active.values().chain(&self.finished).map(Arc::as_ref).collect();
        if leases.is_empty() {
            return;
        }
        let renewed = async { finish::renew(&mut *self.pool.acquire().await?, &leases, self.config.lease).await };
        if let Err(error) = renewed.await {
            tracing::warn!(queue = self.queue.name(), %error, "leases were not renewed");
        }
    }

    async fn drain(&mut self, renewal: &mut tokio::time::Interval) {
        let deadline = Instant::now() + self.config.drain;
        while !self.tasks.is_empty() {
            tokio::select! {
                Some(ended) = self.tasks.join_next_with_id() => self.ended(ended),
                _ = renewal.tick() => self.renew().await,
                () = tokio::time::sleep_until(deadline) => {
                    tracing::warn!(queue = self.queue.name(), lanes = self.tasks.len(), "handlers did not end in time and are cut off");
                    self.tasks.abort_all();
                    while let Some(ended) = self.tasks.join_next_with_id().await {
                        self.ended(ended);
                    }
                }
            }
        }
        let released = async {
            let mut tx = self.pool.begin().await?;
            give_back(&mut tx, &self.finished).await?;
            tx.commit().await?;
            Ok::<_, QueueError>(())
        };
        if let Err(error) = released.await {
            tracing::warn!(queue = self.queue.name(), %error, "lanes were not given back, their leases will expire");
        }
    }
}

async fn give_back(conn: &mut PgConnection, leases: &[Arc<LaneLease>]) -> Result<Vec<i64>, QueueError> {
    if leases.is_empty() {
        return Ok(Vec::new());
    }
    finish::release_some(conn, &leases.iter().map(Arc::as_ref).collect::<Vec<_>>()).await
}

/// The lease without its items, and the items as tasks: an album is one.
fn split(mut lease: LaneLease) -> (Arc<LaneLease>, Vec<Task>) {
    let items = std::mem::take(&mut lease.items);
    let lease = Arc::new(lease);
    let task = |items| Task(Arc::new((Arc::clone(&lease), items)));
    let tasks =
        if items.iter().any(|item| item.gathers) { vec![task(items)] } else { items.into_iter().map(|item| task(vec![item])).collect() };
    (lease, tasks)
}

async fn work_on_lane<H, F>(pool: PgPool, tasks: Vec<Task>, handler: H, stop: CancellationToken)
where
    H: Fn(Task) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Finished, Failure>> + Send + 'static,
{
    for task in tasks {
        if stop.is_cancelled() {
            return;
        }
        let queue = task.lease().queue.name();
        let start = Instant::now();
        // A task of its own, so that a panic ends this item and nothing else.
        let outcome = match AbortOnDropHandle::new(tokio::spawn(handler(task.clone()))).await {
            Ok(outcome) => outcome,
            Err(error) if error.is_panic() => Err(Failure::retry(format_args!("panic: {}", panic_text(error.into_panic().as_ref())))),
            Err(_) => return,
        };
        metrics::histogram!("fitter_queue_work_seconds", "queue" => queue).record(start.elapsed().as_secs_f64());
        let (label, on) = match outcome {
            Ok(Finished(())) => ("done", true),
            Err(failure) => match record(&pool, &task, &failure, &stop).await {
                Ok(recorded) => recorded,
                Err(error) => {
                    tracing::warn!(queue, %error, "a failed attempt was not recorded, the item will be tried again");
                    ("unrecorded", false)
                }
            },
        };
        metrics::counter!("fitter_queue_items_total", "queue" => queue, "outcome" => label).increment(1);
        if !on {
            return;
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_differ() {
        for item in 0..1000 {
            assert!((500..=1000).contains(&backoff(1, item).as_millis()));
            assert!((4000..=8000).contains(&backoff(4, item).as_millis()));
            assert!((150..=300).contains(&backoff(u16::MAX, item).as_secs()));
        }
        let distinct: std::collections::HashSet<_> = (0..100).map(|item| backoff(1, item)).collect();
        assert!(distinct.len() > 50);
    }
}
