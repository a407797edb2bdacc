//! The loop of a worker: claims lanes, works on each in a task of its own, gives them back.
//!
//! It holds a connection only for its own short statements, never while a handler runs, so it works with a pool of one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use sqlx::{PgConnection, PgPool};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::claim::{Claim, claim_in, next_ready};
use crate::error::QueueError;
use crate::failpoint;
use crate::finish::{self, Deferred};
use crate::hand::{Door, Handed};
use crate::item::{Item, LaneLease, Queue};
use crate::outage;
use crate::wake::{Wake, Woken};

/// How long lanes that have ended wait for others before they are given back together, while few are free.
const GATHER: Duration = Duration::from_millis(3);

/// How long an item waits that met a database in trouble.
pub const OUTAGE_PAUSE: Duration = Duration::from_secs(1);

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
pub struct Task(Arc<Work>);

#[derive(Debug)]
struct Work {
    lease: Arc<LaneLease>,
    items: Vec<Item>,
    last: bool,
}

impl Task {
    /// The items: one, or all members of an album in order.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.0.items
    }

    /// The lease of the lane; its list of items is empty.
    #[must_use]
    pub fn lease(&self) -> &LaneLease {
        &self.0.lease
    }

    /// Whether nothing of the lease comes after it: whoever finishes it may give the lane back.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.0.last
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
        Ok(Finished { released: None })
    }
}

/// Proof that [`Task::done`] or [`crate::finish_all`] was called: a handler that forgets it would be given the same items for ever.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct Finished {
    /// The lane is given back already; whether there may be more to do for somebody.
    released: Option<bool>,
}

impl Finished {
    pub(crate) fn of(released: Option<bool>) -> Self {
        Self { released }
    }
}

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
    let (door, handed) = Door::new(&config);
    wake.set_door(queue, Some(door.clone()));
    let closed = Closed { wake: wake.clone(), queue };
    let mut runner = Runner {
        pool,
        queue,
        config,
        woken: wake.subscribe(queue),
        stop,
        door,
        handed,
        active: HashMap::new(),
        finished: Vec::new(),
        look: Instant::now(),
        more: false,
        tasks: JoinSet::new(),
        behind: false,
    };
    runner.run(&handler).await;
    drop(closed);
    runner.drain().await;
}

/// Closes the door when the worker stops, however it does.
struct Closed {
    wake: Wake,
    queue: Queue,
}

impl Drop for Closed {
    fn drop(&mut self) {
        self.wake.set_door(self.queue, None);
    }
}

/// The state of the loop of [`run_lanes`].
#[derive(Debug)]
struct Runner {
    pool: PgPool,
    queue: Queue,
    config: RunnerConfig,
    woken: Woken,
    stop: CancellationToken,
    door: Door,
    handed: UnboundedReceiver<Handed>,
    /// Leases of lanes that tasks work on, with their places, by the task.
    active: HashMap<tokio::task::Id, (Arc<LaneLease>, OwnedSemaphorePermit)>,
    /// Leases to give back.
    finished: Vec<Arc<LaneLease>>,
    /// When to claim next, if there is a place.
    look: Instant,
    /// The last claim took all that it could: there may be more.
    more: bool,
    tasks: JoinSet<Ended>,
    /// The database was away. Leases of lanes in hand may have run out meanwhile: they are renewed before anything is claimed.
    behind: bool,
}

/// How the work on a lane ended.
#[derive(Debug)]
enum Ended {
    /// The lane has to be given back.
    Held,
    /// It is given back; whether there may be something to claim now.
    Released(bool),
}

/// A round of giving back and claiming, in one transaction.
struct Round {
    pool: PgPool,
    queue: Queue,
    config: RunnerConfig,
    finished: Vec<Arc<LaneLease>>,
    /// Leases to renew first.
    renewed: Vec<Arc<LaneLease>>,
    places: Option<OwnedSemaphorePermit>,
}

/// What came of a round.
struct Claimed {
    /// Leases that are not given back yet.
    finished: Vec<Arc<LaneLease>>,
    places: Option<OwnedSemaphorePermit>,
    /// Claimed lanes, and when something is ready next; `None` if there may be more now.
    outcome: Result<(Vec<LaneLease>, Option<Duration>), QueueError>,
}

impl Round {
    async fn run(mut self) -> Claimed {
        let outcome = self.transaction().await;
        Claimed { finished: self.finished, places: self.places, outcome }
    }

    async fn transaction(&mut self) -> Result<(Vec<LaneLease>, Option<Duration>), QueueError> {
        let free = self.places.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let lanes = u32::try_from(free).unwrap_or(u32::MAX);
        let mut tx = self.pool.begin().await?;
        let released = finish::release_some(&mut tx, &self.finished.iter().map(Arc::as_ref).collect::<Vec<_>>()).await?;
        finish::renew(&mut tx, &self.renewed.iter().map(Arc::as_ref).collect::<Vec<_>>(), self.config.lease).await?;
        let what = Claim { lanes, items_per_lane: self.config.items_per_lane, lease: self.config.lease };
        let leases = if lanes == 0 { Vec::new() } else { claim_in(&mut tx, self.queue, what).await? };
        let more = leases.len() == free;
        let next = if more { None } else { Some(next_ready(&mut tx, self.queue).await?.unwrap_or(self.config.poll)) };
        if let Err(error) = tx.commit().await {
            // Nobody knows whether it counts. If it does, the lanes must not stand still until their leases run out; if not, nothing is given back.
            self.finished.extend(leases.into_iter().map(|lease| split(lease).0));
            return Err(error.into());
        }
        self.finished.retain(|lease| released.busy.contains(&lease.token));
        Ok((leases, next))
    }
}

impl Runner {
    async fn run<H, F>(&mut self, handler: &H)
    where
        H: Fn(Task) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<Finished, Failure>> + Send + 'static,
    {
        let mut renewal = tokio::time::interval(self.config.lease / 6);
        renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let stop = self.stop.clone();
        // It claims beside the rest: a lane that is handed over does not wait for a claim. A task of its own, for it may hold the only
        // connection while this loop waits for one.
        let mut round: Option<JoinHandle<Claimed>> = None;
        while !stop.is_cancelled() {
            let able = self.free() > 0 || !self.finished.is_empty();
            if round.is_none() && able && Instant::now() >= self.look {
                round = Some(tokio::spawn(self.round().run()));
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                _ = renewal.tick() => self.renew().await,
                Some(ended) = self.tasks.join_next_with_id() => self.ended(ended),
                Some((lease, place)) = self.handed.recv() => self.begin(lease, place, handler),
                claimed = joined(&mut round) => {
                    round = None;
                    for (lease, place) in self.claimed(claimed) {
                        self.begin(lease, place, handler);
                    }
                }
                () = self.woken.wait() => self.look = Instant::now(),
                () = tokio::time::sleep_until(self.look), if able && round.is_none() => {}
            }
        }
        if round.is_some() {
            let claimed = joined(&mut round).await;
            let leases: Vec<_> = self.claimed(claimed).into_iter().map(|(lease, _)| Arc::new(lease)).collect();
            self.finished.extend(leases);
        }
    }

    fn free(&self) -> usize {
        self.door.places.available_permits()
    }

    /// Takes what is to be given back, and places for claimed lanes; half of what is free, for lanes are handed over meanwhile.
    fn round(&mut self) -> Round {
        let places = u32::try_from(self.free().div_ceil(2)).unwrap_or(u32::MAX);
        Round {
            pool: self.pool.clone(),
            queue: self.queue,
            config: self.config,
            finished: std::mem::take(&mut self.finished),
            renewed: if self.behind { self.active.values().map(|(lease, _)| Arc::clone(lease)).collect() } else { Vec::new() },
            places: if places == 0 { None } else { Arc::clone(&self.door.places).try_acquire_many_owned(places).ok() },
        }
    }

    /// Notes what came of a round; the lanes to work on, with their places.
    fn claimed(&mut self, claimed: Claimed) -> Vec<(LaneLease, OwnedSemaphorePermit)> {
        self.finished.extend(claimed.finished);
        self.more = false;
        let (leases, wait) = match claimed.outcome {
            Ok((leases, next)) => {
                self.behind = false;
                self.more = next.is_none();
                (leases, next.unwrap_or_default())
            }
            Err(error) => {
                self.behind = true;
                if !matches!(&error, QueueError::Database(error) if outage::report(error)) {
                    tracing::warn!(queue = self.queue.name(), %error, "cannot claim work, trying again");
                }
                (Vec::new(), Duration::from_secs(1))
            }
        };
        self.door.shut(self.more);
        // Not at once, even if a lane is ready: it may be one that a transaction under way has locked.
        let wait = if self.more { GATHER } else { wait.clamp(Duration::from_millis(20), self.config.poll.max(Duration::from_millis(20))) };
        self.look = Instant::now() + wait;
        let mut places = claimed.places;
        leases.into_iter().filter_map(|lease| Some((lease, places.as_mut()?.split(1)?))).collect()
    }

    fn begin<H, F>(&mut self, lease: LaneLease, place: OwnedSemaphorePermit, handler: &H)
    where
        H: Fn(Task) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<Finished, Failure>> + Send + 'static,
    {
        let (lease, tasks) = split(lease);
        let work = work_on_lane(self.pool.clone(), tasks, handler.clone(), self.stop.clone());
        self.active.insert(self.tasks.spawn(work).id(), (lease, place));
    }

    fn ended(&mut self, ended: Result<(tokio::task::Id, Ended), tokio::task::JoinError>) {
        let (id, ended) = match ended {
            Ok(ended) => ended,
            Err(error) => (error.id(), Ended::Held),
        };
        let Some((lease, _place)) = self.active.remove(&id) else { return };
        let held = matches!(ended, Ended::Held);
        if held {
            self.finished.push(lease);
        }
        // Under load lanes end one after the other: a moment later several can be given back and claimed at once.
        if held || self.more || matches!(ended, Ended::Released(true)) {
            self.look = self.look.min(Instant::now() + GATHER);
        }
    }

    async fn renew(&self) {
        let leases: Vec<&LaneLease> = self.active.values().map(|(lease, _)| lease).chain(&self.finished).map(Arc::as_ref).collect();
        if leases.is_empty() {
            return;
        }
        let renewed = async { finish::renew(&mut *self.pool.acquire().await?, &leases, self.config.lease).await };
        if let Err(error) = renewed.await {
            tracing::warn!(queue = self.queue.name(), %error, "leases were not renewed");
        }
    }

    /// Lets the handlers end and gives everything back, also what is handed over by transactions that began before the door was closed.
    async fn drain(mut self) {
        let mut renewal = tokio::time::interval(self.config.lease / 6);
        let deadline = Instant::now() + self.config.drain;
        let everything = Arc::clone(&self.door.places).acquire_many_owned(self.config.lanes);
        tokio::pin!(everything);
        loop {
            tokio::select! {
                biased;
                Some(ended) = self.tasks.join_next_with_id() => self.ended(ended),
                Some((lease, _place)) = self.handed.recv() => self.finished.push(Arc::new(lease)),
                _all = &mut everything => break,
                _ = renewal.tick() => self.renew().await,
                () = tokio::time::sleep_until(deadline) => {
                    tracing::warn!(queue = self.queue.name(), lanes = self.tasks.len(), "handlers did not end in time and are cut off");
                    self.tasks.abort_all();
                    while let Some(ended) = self.tasks.join_next_with_id().await {
                        self.ended(ended);
                    }
                    break;
                }
            }
        }
        let released = async {
            let mut tx = self.pool.begin().await?;
            finish::release_some(&mut tx, &self.finished.iter().map(Arc::as_ref).collect::<Vec<_>>()).await?;
            tx.commit().await?;
            Ok::<_, QueueError>(())
        };
        if self.finished.is_empty() {
            return;
        }
        if let Err(error) = released.await {
            tracing::warn!(queue = self.queue.name(), %error, "lanes were not given back, their leases will expire");
        }
    }
}

/// What came of a round, if there is one. Cancel safe.
async fn joined(round: &mut Option<JoinHandle<Claimed>>) -> Claimed {
    let Some(round) = round else { return std::future::pending().await };
    match round.await {
        Ok(claimed) => claimed,
        // What it was about to give back or had claimed comes back when the leases end.
        Err(error) => {
            tracing::error!(%error, "a round of claiming was cut off");
            Claimed { finished: Vec::new(), places: None, outcome: Err(QueueError::LeaseLost) }
        }
    }
}

/// The lease without its items, and the items as tasks: an album is one.
fn split(mut lease: LaneLease) -> (Arc<LaneLease>, Vec<Task>) {
    let items = std::mem::take(&mut lease.items);
    let lease = Arc::new(lease);
    let task = |items, last| Task(Arc::new(Work { lease: Arc::clone(&lease), items, last }));
    let count = items.len();
    let tasks = if items.iter().any(|item| item.gathers) {
        vec![task(items, true)]
    } else {
        items.into_iter().enumerate().map(|(place, item)| task(vec![item], place + 1 == count)).collect()
    };
    (lease, tasks)
}

async fn work_on_lane<H, F>(pool: PgPool, tasks: Vec<Task>, handler: H, stop: CancellationToken) -> Ended
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
