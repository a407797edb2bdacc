//! The loop of a worker: claims lanes, works on each in a task of its own, gives them back.
//!
//! It holds a connection only for its own short statements, never while a handler runs, so it works with a pool of one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::error::QueueError;
use crate::finish;
use crate::hand::{Door, Handed};
use crate::item::{LaneLease, Queue};
use crate::outage;
use crate::round::{Claimed, Round};
use crate::task::{Failure, Finished, Task, split};
use crate::wake::{Wake, Woken};
use crate::work::{Ended, work_on_lane};

/// How long lanes that have ended wait for others before they are given back together, while few are free.
const GATHER: Duration = Duration::from_millis(3);

/// How a worker works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunnerConfig {
    /// So many lanes at a time.
    pub lanes: u32,
    /// So many of [`crate::Priority::Bulk`] among them at most: they must not take the places of those for whom people wait, and Telegram takes
    /// no more than thirty announcements a second.
    pub bulk: u32,
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
        Self {
            lanes: 16,
            bulk: 16,
            items_per_lane: 10,
            lease: Duration::from_secs(30),
            poll: Duration::from_secs(1),
            drain: Duration::from_secs(20),
        }
    }
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
        let bulk = u32::try_from(self.active.values().filter(|(lease, _)| lease.bulk).count()).unwrap_or(u32::MAX);
        // Several at a time: each claim costs, and nobody waits.
        let bulk = if bulk > self.config.bulk / 2 { 0 } else { self.config.bulk - bulk };
        Round {
            pool: self.pool.clone(),
            queue: self.queue,
            config: self.config,
            finished: std::mem::take(&mut self.finished),
            renewed: if self.behind { self.active.values().map(|(lease, _)| Arc::clone(lease)).collect() } else { Vec::new() },
            bulk,
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
        let bulk = lease.bulk;
        if held {
            self.finished.push(lease);
        }
        // Under load lanes end one after the other: a moment later several can be given back and claimed at once.
        if held || self.more || bulk || matches!(ended, Ended::Released(true)) {
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
