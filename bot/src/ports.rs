//! What the bot needs of the rest of the product beside the queue, and nothing more.
//!
//! Conventions of the queue that both sides keep:
//!
//! | queue | lane | payload |
//! | --- | --- | --- |
//! | inbox | `<bot>:<chat>:<topic or 0>` ([`crate::accept::Lane::key`]) | an update ([`crate::accept::Accepted`]), or anything else, which goes to [`Conversation::resume`] |
//! | outbox | one per chat, any name | [`fitter_domain::outbound::Outbound`] |
//! | outbox | one per answer to a tap, urgent, any name | the same |
//! | outbox | `bulk:…`, one per chat, bulk | the same, within the bot's limit for announcements |
//!
//! A handler holds no connection while it calls a port: the embedded server has only one.

use async_trait::async_trait;
use bytes::Bytes;
use fitter_dialogues::event::Incoming;
use fitter_domain::ids::{BotId, ChatId};
use fitter_domain::screen::Slot;
use fitter_queue::limiter::{Need, Wait};
use fitter_queue::{Failure, Finished, ItemId, NewItem, QueueError, Task};
use fitter_services::ServiceError;
pub use fitter_store::slots::MessageKind;

/// A fault behind a port. The bot logs it and tries again.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct PortError(#[from] pub Box<dyn std::error::Error + Send + Sync>);

impl PortError {
    /// Wraps any error.
    pub fn new(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Box::new(error))
    }
}

impl From<PortError> for Failure {
    /// Try again; a database in trouble counts as no attempt.
    fn from(PortError(error): PortError) -> Self {
        let error = match error.downcast::<fitter_store::Error>() {
            Ok(error) => return (*error).into(),
            Err(error) => error,
        };
        let error = match error.downcast::<QueueError>() {
            Ok(error) => return (*error).into(),
            Err(error) => error,
        };
        error.downcast::<ServiceError>().map_or_else(Self::retry, |error| (*error).into())
    }
}

/// What a port gives back.
pub type Ported<T> = Result<T, PortError>;

/// What the product makes of what people do.
#[async_trait]
pub trait Conversation: Send + Sync {
    /// Handles it in ONE transaction, which also finishes the task ([`Task::done`]).
    async fn take(&self, task: &Task, incoming: Incoming) -> Result<Finished, Failure>;
    /// Handles an item that is no update: the outcome of slow work. Also in one transaction.
    async fn resume(&self, task: &Task) -> Result<Finished, Failure>;
    /// Tells the person that it did not work. Called before the items become dead letters, perhaps more than once: `key` is the same then.
    async fn apologise(&self, incoming: &Incoming, key: &str) -> Ported<()>;
}

/// The message in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Its number in the chat.
    pub message: i64,
    /// What it is.
    pub kind: MessageKind,
}

/// A message that takes a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// By which bot.
    pub bot: BotId,
    /// In which chat.
    pub chat: ChatId,
    /// Which slot.
    pub slot: Slot,
    /// Which message.
    pub placed: Placed,
}

/// Where pictures lie.
#[async_trait]
pub trait Blobs: Send + Sync {
    /// The bytes of a picture by the SHA-256 (hex) of its content; `None` if they are not there.
    async fn blob(&self, sha: &str) -> Ported<Option<Bytes>>;
}

/// What is stored: queue, slots, files, chats.
#[async_trait]
pub trait Storage: Send + Sync {
    /// Puts items into the queue, commits, and wakes the workers.
    async fn put(&self, items: Vec<NewItem>) -> Ported<()>;
    /// Finishes a task and, in the same transaction, puts a message into its slot.
    async fn finish(&self, task: &Task, place: Option<Place>) -> Result<Finished, Failure>;
    /// Takes tokens from the limiter: all or none.
    async fn take(&self, needs: Vec<Need>) -> Ported<Result<(), Wait>>;
    /// The messages of the parts of an outbox item that earlier attempts are done with, in order, from the first without a gap; `None` for a
    /// part that was left out.
    async fn parts(&self, bot: BotId, chat: ChatId, item: ItemId) -> Ported<Vec<Option<Placed>>>;
    /// Remembers a part of an outbox item that is done with, for an attempt that goes on from there.
    async fn part_done(&self, bot: BotId, chat: ChatId, item: ItemId, part: usize, placed: Option<Placed>) -> Ported<()>;
    /// The message in a slot.
    async fn placed(&self, bot: BotId, chat: ChatId, slot: &Slot) -> Ported<Option<Placed>>;
    /// The message in a slot is deleted.
    async fn displace(&self, bot: BotId, chat: ChatId, slot: &Slot) -> Ported<()>;
    /// Telegram's id of a picture that this bot has sent before.
    async fn file_id(&self, bot: BotId, sha: &str) -> Ported<Option<String>>;
    /// The stored content of a file that a person sent, by Telegram's id of it; `None` as long as it is not fetched.
    async fn stored(&self, bot: BotId, file_id: &str) -> Ported<Option<String>>;
    /// Remembers Telegram's id of a picture; `None` forgets it.
    async fn remember_file(&self, bot: BotId, sha: &str, file_id: Option<&str>) -> Ported<()>;
    /// The person does not want to hear from the bot: nothing more is sent until they write.
    async fn unreachable(&self, bot: BotId, chat: ChatId) -> Ported<()>;
    /// A group has a new number: what is known about the old one moves to it.
    async fn migrated(&self, bot: BotId, from: ChatId, to: ChatId) -> Ported<()>;
    /// Takes this process's right to poll a bot, or looks whether it still has it. `false`: another process has it.
    async fn lead(&self, bot: BotId) -> Ported<bool>;
    /// Gives the right back.
    async fn resign(&self, bot: BotId) -> Ported<()>;
}
