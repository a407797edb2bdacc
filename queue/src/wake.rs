//! Waking the workers: at once within the process, by LISTEN/NOTIFY between processes. A worker also looks by itself now and then, so a lost
//! wake-up costs time and nothing else.

use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::error::QueueError;
use crate::hand::Door;
use crate::item::Queue;
use crate::sql::sql;

/// The channel of LISTEN and NOTIFY.
const CHANNEL: &str = "fitter_queue";

/// Other processes are told at most this often: a commit with NOTIFY takes a lock that all such commits of the server share.
const ANNOUNCE_EVERY: Duration = Duration::from_millis(20);

sql! {
    // Nothing of it has to survive: no reason to wait for the disk.
    LIGHT = "SET LOCAL synchronous_commit = off";
    NOTIFY = "SELECT pg_notify('fitter_queue', $1)";
}

/// Tells workers that a queue has something for them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Wake(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Tells this process's own notifications from those of others.
    id: u64,
    queues: [Signal; 3],
    unannounced: Notify,
}

#[derive(Debug)]
struct Signal {
    queue: Queue,
    version: watch::Sender<u64>,
    unannounced: AtomicBool,
    door: Mutex<Option<Door>>,
}

impl Default for Wake {
    fn default() -> Self {
        Self::new()
    }
}

impl Wake {
    /// Wakes workers of this process only, until [`Wake::listen`] runs.
    #[must_use]
    pub fn new() -> Self {
        let queues = Queue::ALL.map(|queue| Signal {
            queue,
            version: watch::Sender::new(0),
            unannounced: AtomicBool::new(false),
            door: Mutex::new(None),
        });
        let id = std::hash::RandomState::new().build_hasher().finish();
        Self(Arc::new(Inner { id, queues, unannounced: Notify::new() }))
    }

    /// Wakes the workers of a queue, here and (if [`Wake::listen`] runs) everywhere. Call it after the commit: workers woken before it see
    /// nothing yet.
    pub fn notify(&self, queue: Queue) {
        for signal in self.0.queues.iter().filter(|signal| signal.queue == queue) {
            signal.unannounced.store(true, Ordering::Release);
            signal.version.send_modify(|version| *version = version.wrapping_add(1));
        }
        self.0.unannounced.notify_one();
    }

    /// Wakes the workers of all queues.
    pub fn notify_all(&self) {
        Queue::ALL.into_iter().for_each(|queue| self.notify(queue));
    }

    /// Where a worker of this process takes lanes of the queue, if there is one.
    pub(crate) fn door(&self, queue: Queue) -> Option<Door> {
        let signal = self.0.queues.iter().find(|signal| signal.queue == queue)?;
        signal.door.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lanes of the queue may come through this door, or through none any more.
    pub(crate) fn set_door(&self, queue: Queue, door: Option<Door>) {
        for signal in self.0.queues.iter().filter(|signal| signal.queue == queue) {
            signal.door.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&door);
        }
    }

    /// Sees every wake-up from now on, also one that comes while nobody waits.
    #[must_use]
    pub fn subscribe(&self, queue: Queue) -> Woken {
        let mut receiver = None;
        for signal in self.0.queues.iter().filter(|signal| signal.queue == queue) {
            receiver = Some(signal.version.subscribe());
        }
        Woken(receiver)
    }

    /// Passes wake-ups on between processes until `stop`; for an external PostgreSQL. Keeps one connection of the pool for itself, which must
    /// not go through a transaction-pooling PgBouncer. Reconnects, and after that wakes everybody, as it cannot know what it missed.
    pub async fn listen(self, pool: PgPool, stop: CancellationToken) {
        let work = async { tokio::join!(self.hear(&pool), self.announce(&pool)) };
        tokio::select! {
            () = stop.cancelled() => {}
            _ = work => {}
        }
    }

    async fn hear(&self, pool: &PgPool) {
        loop {
            if let Err(error) = self.hear_once(pool).await {
                tracing::warn!(%error, "not listening for wake-ups of other processes, trying again");
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    async fn hear_once(&self, pool: &PgPool) -> Result<(), QueueError> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(CHANNEL).await?;
        loop {
            self.wake_here(None);
            // `None` stands for a connection that was lost and is made anew.
            while let Some(notification) = listener.try_recv().await? {
                if let Some((queue, from)) = notification.payload().split_once(' ')
                    && from != self.0.id.to_string()
                {
                    self.wake_here(Queue::from_name(queue));
                }
            }
        }
    }

    fn wake_here(&self, queue: Option<Queue>) {
        for signal in self.0.queues.iter().filter(|signal| queue.is_none_or(|queue| queue == signal.queue)) {
            signal.version.send_modify(|version| *version = version.wrapping_add(1));
        }
    }

    async fn announce(&self, pool: &PgPool) {
        loop {
            self.0.unannounced.notified().await;
            for signal in self.0.queues.iter().filter(|signal| signal.unannounced.swap(false, Ordering::AcqRel)) {
                let payload = format!("{} {}", signal.queue.name(), self.0.id);
                let told = async {
                    let mut tx = pool.begin().await?;
                    sqlx::query(LIGHT).execute(&mut *tx).await?;
                    sqlx::query(NOTIFY).bind(payload).execute(&mut *tx).await?;
                    tx.commit().await
                };
                if let Err(error) = told.await {
                    tracing::debug!(%error, "other processes were not woken, they look by themselves");
                }
            }
            tokio::time::sleep(ANNOUNCE_EVERY).await;
        }
    }
}

/// The wake-ups of one queue.
#[derive(Debug, Clone)]
pub struct Woken(Option<watch::Receiver<u64>>);

impl Woken {
    /// Waits for a wake-up that was not seen yet. Cancel safe.
    pub async fn wait(&mut self) {
        let gone = match &mut self.0 {
            Some(receiver) => receiver.changed().await.is_err(),
            None => true,
        };
        if gone {
            std::future::pending().await
        }
    }
}
