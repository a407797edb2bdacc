//! Queues, items and leases.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::QueueError;

/// Which queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Queue {
    /// What came in from Telegram, and outcomes of slow work.
    Inbox,
    /// What goes out to Telegram.
    Outbox,
    /// Slow work.
    Job,
}

impl Queue {
    /// Every queue.
    pub const ALL: [Self; 3] = [Self::Inbox, Self::Outbox, Self::Job];

    /// Its name in metrics, logs and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Outbox => "outbox",
            Self::Job => "job",
        }
    }

    /// Its number in the database.
    #[must_use]
    pub const fn code(self) -> i16 {
        match self {
            Self::Inbox => 1,
            Self::Outbox => 2,
            Self::Job => 3,
        }
    }

    /// Reads [`Queue::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|queue| queue.name() == name)
    }

    pub(crate) fn from_code(code: i16) -> Result<Self, sqlx::Error> {
        Self::ALL
            .into_iter()
            .find(|queue| queue.code() == code)
            .ok_or_else(|| sqlx::Error::Decode(format!("no queue has the number {code}").into()))
    }
}

/// Which lanes are claimed first. A lane is as urgent as the most urgent item near its head; within a lane the order never changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Priority {
    /// Somebody looks at a spinning button.
    Urgent,
    /// Answers.
    #[default]
    Normal,
    /// Announcements, imports.
    Bulk,
}

impl Priority {
    /// Its number in the database, smaller is more urgent; [`crate::claim()`] names these numbers too.
    #[must_use]
    pub const fn code(self) -> i16 {
        match self {
            Self::Urgent => 0,
            Self::Normal => 10,
            Self::Bulk => 20,
        }
    }
}

/// Number of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemId(pub i64);

impl std::fmt::Display for ItemId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// An item to [`put`](crate::put()).
///
/// ```
/// use fitter_queue::{NewItem, Priority, Queue};
/// let update = NewItem::raw(Queue::Inbox, "1:42:0", r#"{"update_id":7}"#).dedupe("1:7").priority(Priority::Urgent);
/// let edit = NewItem::json(Queue::Outbox, "1:42", &"the new text")?.replacing("edit:menu");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct NewItem {
    /// Where to.
    pub queue: Queue,
    /// The ordering key.
    pub lane: String,
    /// JSON text.
    pub payload: String,
    /// How urgent.
    pub priority: Priority,
    /// Not before this much time from now. Items behind it in the lane wait too, so give a timer a lane of its own.
    pub delay: Duration,
    /// Dead after so many failed attempts.
    pub max_attempts: u16,
    /// Only one item with this key is ever accepted by the queue, until it is purged.
    pub dedupe: Option<String>,
    /// A name shared by items of the lane that belong together.
    pub group: Option<String>,
    /// Items of the same group that still wait are superseded by this one.
    pub replaces: bool,
    /// An album: members of the group are handed out together, once none has come for this long (8 s after the first at the latest).
    pub settle: Option<Duration>,
    /// Becomes a member of this group if members of it wait, which then settle anew; otherwise it waits for nobody.
    pub joins: Option<(String, Duration)>,
    /// Members of this group that wait are handed out without waiting for more, and nothing joins them any more.
    pub ends: Option<String>,
}

impl std::fmt::Debug for NewItem {
    /// Without the payload: it may hold a person's words.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewItem").field("queue", &self.queue).field("lane", &self.lane).field("group", &self.group).finish_non_exhaustive()
    }
}

impl NewItem {
    /// An item with this JSON text.
    pub fn raw(queue: Queue, lane: impl Into<String>, payload: impl Into<String>) -> Self {
        Self {
            queue,
            lane: lane.into(),
            payload: payload.into(),
            priority: Priority::Normal,
            delay: Duration::ZERO,
            max_attempts: 10,
            dedupe: None,
            group: None,
            replaces: false,
            settle: None,
            joins: None,
            ends: None,
        }
    }

    /// An item with this value as JSON.
    ///
    /// # Errors
    /// If the value has no JSON form, such as a map whose keys are not strings.
    pub fn json(queue: Queue, lane: impl Into<String>, payload: &impl Serialize) -> Result<Self, serde_json::Error> {
        Ok(Self::raw(queue, lane, serde_json::to_string(payload)?))
    }

    /// Sets how urgent it is.
    #[must_use]
    pub const fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// Not before this much time from now.
    #[must_use]
    pub const fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Dead after so many failed attempts, at least one.
    #[must_use]
    pub const fn max_attempts(mut self, attempts: u16) -> Self {
        self.max_attempts = if attempts == 0 { 1 } else { attempts };
        self
    }

    /// Refused if an item with this key was put before.
    #[must_use]
    pub fn dedupe(mut self, key: impl Into<String>) -> Self {
        self.dedupe = Some(key.into());
        self
    }

    /// Names its group.
    #[must_use]
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// Supersedes the items of this group that still wait.
    #[must_use]
    pub fn replacing(mut self, group: impl Into<String>) -> Self {
        self.group = Some(group.into());
        self.replaces = true;
        self
    }

    /// Makes it a member of this album, which is handed out once no member has come for `settle`.
    #[must_use]
    pub fn gathering(mut self, group: impl Into<String>, settle: Duration) -> Self {
        self.group = Some(group.into());
        self.settle = Some(settle);
        self
    }

    /// Makes it a member of this group if members of it wait.
    #[must_use]
    pub fn joining(mut self, group: impl Into<String>, settle: Duration) -> Self {
        self.joins = Some((group.into(), settle));
        self
    }

    /// Lets members of this group that wait be handed out now.
    #[must_use]
    pub fn ending(mut self, group: impl Into<String>) -> Self {
        self.ends = Some(group.into());
        self
    }
}

/// An item that was claimed.
#[derive(Clone, PartialEq, Eq)]
pub struct Item {
    /// Its number; larger numbers of a lane come later.
    pub id: ItemId,
    /// JSON text as it was put.
    pub payload: String,
    /// Failed attempts before this one, a holder that vanished among them.
    pub attempts: u16,
    /// Dead after so many.
    pub max_attempts: u16,
    /// Its group.
    pub group: Option<String>,
    /// The lease's items of this group belong together and are done together.
    pub gathers: bool,
    /// The key it was put with.
    pub dedupe: Option<String>,
    /// When it was put, database time.
    pub created: DateTime<Utc>,
}

impl std::fmt::Debug for Item {
    /// Without the payload: it may hold a person's words.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Item").field("id", &self.id.0).field("attempts", &self.attempts).field("group", &self.group).finish_non_exhaustive()
    }
}

impl Item {
    /// Reads the payload.
    ///
    /// # Errors
    /// [`QueueError::Payload`] if it is not a `T`.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, QueueError> {
        serde_json::from_str(&self.payload).map_err(|source| QueueError::Payload { item: self.id.0, source })
    }
}

/// The right to work on a lane for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneLease {
    /// The queue.
    pub queue: Queue,
    /// The lane.
    pub lane: String,
    /// Whether nobody waits for what is in it: [`Priority::Bulk`].
    pub bulk: bool,
    /// Proves the right; every claim makes a new one.
    pub token: i64,
    /// What to work on, in order: either one album, or items that are none.
    pub items: Vec<Item>,
}
