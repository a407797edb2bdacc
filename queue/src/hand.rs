//! Handing lanes from a transaction to this process's own workers, without a claim in between.
//!
//! A lane that a put makes has no other worker that could know of it. If a worker of this process has a place free, the lane is made as
//! leased, and once the transaction is committed the worker gets it in memory. That saves a claim, with its own commit, on every item's way. The
//! lease is one like any other: if the process dies it ends, and somebody claims the lane.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::PgConnection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::error::QueueError;
use crate::finish;
use crate::item::{Item, ItemId, LaneLease, NewItem, Priority, Queue};
use crate::put::{Added, put_leasing};
use crate::runner::RunnerConfig;
use crate::wake::Wake;

/// A lane with the place that is kept for it.
pub(crate) type Handed = (LaneLease, OwnedSemaphorePermit);

/// Where a worker of this process takes lanes.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    /// One for every lane that it can work on now.
    pub places: Arc<Semaphore>,
    /// Shut while lanes wait that have to be claimed: new ones do not go before them.
    shut: Arc<AtomicBool>,
    /// Items of a lane at most.
    items: usize,
    lease: Duration,
    sender: mpsc::UnboundedSender<Handed>,
}

impl Door {
    /// A door, and what comes through it.
    pub fn new(config: &RunnerConfig) -> (Self, mpsc::UnboundedReceiver<Handed>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let places = Arc::new(Semaphore::new(config.lanes as usize));
        (Self { places, shut: Arc::default(), items: config.items_per_lane as usize, lease: config.lease, sender }, receiver)
    }
}

impl Door {
    /// Shuts it, or opens it again.
    pub fn shut(&self, shut: bool) {
        self.shut.store(shut, Ordering::Relaxed);
    }

    /// A place, if lanes may come through.
    fn place(&self) -> Option<OwnedSemaphorePermit> {
        if self.shut.load(Ordering::Relaxed) { None } else { Arc::clone(&self.places).try_acquire_owned().ok() }
    }
}

/// What a put leaves to do after the commit. Dropped before it, it does nothing: the transaction was rolled back.
#[derive(Debug)]
#[must_use]
pub struct Handover {
    ids: Vec<Option<ItemId>>,
    lanes: Vec<(Door, Handed)>,
    /// Queues with items that have to be claimed.
    others: Vec<Queue>,
}

impl Handover {
    /// The items that were put; `None` for one that was refused.
    #[must_use]
    pub fn ids(&self) -> &[Option<ItemId>] {
        &self.ids
    }

    /// Gives the lanes to the workers, and wakes those who have to claim. Call it after the commit.
    pub fn committed(self, wake: &Wake) {
        for (door, handed) in self.lanes {
            // A worker that has just stopped: the lease ends by itself.
            if door.sender.send(handed).is_err() {
                tracing::debug!("a lane was handed to a worker that is gone");
            }
        }
        self.others.into_iter().for_each(|queue| wake.notify(queue));
    }
}

/// [`crate::put()`] for a process that works on the queues itself: lanes that are made here go straight to its workers if they have places.
///
/// # Errors
/// As [`crate::put()`].
pub async fn hand(conn: &mut PgConnection, wake: &Wake, items: Vec<NewItem>) -> Result<Handover, QueueError> {
    let mut places = places(wake, &items);
    let lease = |item: &NewItem| places.get(&(item.queue, item.lane.as_str())).map(|(door, _)| door.lease.as_secs_f64());
    let leases: Vec<Option<f64>> = items.iter().map(lease).collect();
    let added = put_leasing(conn, &items, &leases).await?;
    let mut lanes: BTreeMap<i64, (Door, OwnedSemaphorePermit, LaneLease)> = BTreeMap::new();
    for (item, added) in items.iter().zip(&added) {
        if let Some(token) = added.token
            && let Some((door, place)) = places.remove(&(item.queue, item.lane.as_str()))
        {
            let bulk = item.priority == Priority::Bulk;
            let lease = LaneLease { bulk, queue: item.queue, lane: item.lane.clone(), token, items: Vec::new() };
            lanes.insert(token, (door, place, lease));
        }
    }
    let mut others: Vec<Queue> = Vec::new();
    let ids = added.iter().map(|added| added.id).collect();
    for (new, added) in items.into_iter().zip(added) {
        match (added.id, added.token.and_then(|token| lanes.get_mut(&token))) {
            (Some(id), Some((_, _, lease))) => lease.items.push(item(id, new, &added)),
            (Some(_), None) if !others.contains(&new.queue) => others.push(new.queue),
            _ => {}
        }
    }
    let (lanes, empty): (Vec<_>, Vec<_>) = lanes.into_values().partition(|(_, _, lease)| !lease.items.is_empty());
    // All of their items were refused.
    finish::free(conn, &empty.iter().map(|(_, _, lease)| lease).collect::<Vec<_>>()).await?;
    Ok(Handover { ids, lanes: lanes.into_iter().map(|(door, place, lease)| (door, (lease, place))).collect(), others })
}

type Places<'a> = HashMap<(Queue, &'a str), (Door, OwnedSemaphorePermit)>;

/// Keeps a place for every lane that may be handed over as a whole.
fn places<'a>(wake: &Wake, items: &'a [NewItem]) -> Places<'a> {
    let mut lanes: HashMap<(Queue, &str), Vec<&NewItem>> = HashMap::new();
    for item in items {
        lanes.entry((item.queue, &item.lane)).or_default().push(item);
    }
    let doors: HashMap<Queue, Door> = Queue::ALL.into_iter().filter_map(|queue| Some((queue, wake.door(queue)?))).collect();
    let mut places = HashMap::with_capacity(lanes.len());
    for (lane, items) in lanes {
        let Some(door) = doors.get(&lane.0) else { continue };
        let late = items.iter().any(|item| !item.delay.is_zero() || item.settle.is_some());
        let replaces = items.len() > 1 && items.iter().any(|item| item.replaces);
        if late || replaces || items.len() > door.items {
            continue;
        }
        if let Some(place) = door.place() {
            places.insert(lane, (door.clone(), place));
        }
    }
    places
}

fn item(id: ItemId, new: NewItem, added: &Added) -> Item {
    Item {
        id,
        payload: new.payload,
        attempts: 0,
        max_attempts: new.max_attempts,
        group: new.group,
        gathers: false,
        dedupe: new.dedupe,
        created: added.now,
    }
}
