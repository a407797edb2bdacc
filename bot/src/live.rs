//! The ports over the product's own services and database.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use fitter_dialogues::event::Incoming;
use fitter_domain::ids::{BotId, ChatId};
use fitter_domain::screen::Slot;
use fitter_queue::limiter::{self, Need, Wait};
use fitter_queue::{Failure, Finished, ItemId, NewItem, Task};
use fitter_services::conversation::{Late, Stimulus};
use fitter_services::{App, ServiceError};
use fitter_store::lock::{AdvisoryLock, try_advisory_lock};
use fitter_store::{files, people, slots};
use tokio::sync::Mutex;

use crate::ports::{Blobs, Conversation, MessageKind, Place, Placed, PortError, Ported, Storage};

/// The ports; cheap to clone.
#[derive(Clone)]
pub struct Live {
    app: App,
    /// The right to poll, by bot: held for as long as this process polls.
    leads: Arc<Mutex<HashMap<BotId, AdvisoryLock>>>,
}

impl Live {
    /// The ports over `app`.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self { app, leads: Arc::default() }
    }
}

#[async_trait]
impl Conversation for Live {
    async fn take(&self, task: &Task, incoming: Incoming) -> Result<Finished, Failure> {
        self.app.converse(task, &Stimulus::Incoming(Box::new(incoming))).await.map_err(Failure::from)
    }

    async fn resume(&self, task: &Task) -> Result<Finished, Failure> {
        let late = task.items().first().and_then(Late::from_item);
        let Some(late) = late else { return Err(Failure::Bury { reason: "neither an update nor an outcome".to_owned() }) };
        self.app.converse(task, &Stimulus::Late(Box::new(late))).await.map_err(Failure::from)
    }

    async fn apologise(&self, incoming: &Incoming, key: &str) -> Ported<()> {
        self.app.apologise(incoming, key).await.map_err(PortError::new)
    }
}

#[async_trait]
impl Blobs for Live {
    async fn blob(&self, sha: &str) -> Ported<Option<Bytes>> {
        match self.app.files.get(sha).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(ServiceError::Files(error)) if error.to_string().contains("not found") => Ok(None),
            Err(error) => Err(PortError::new(error)),
        }
    }
}

/// Where the messages of an item's parts are remembered until the item is done.
fn part_slot(item: ItemId, part: usize) -> Slot {
    Slot::new(format!("part:{item}:{part}"))
}

/// Stands for the message of a part that was left out: a number that no message has, and no other such part.
fn left_out(item: ItemId, part: usize) -> Placed {
    const MOST_PARTS: i64 = 1000;
    let part = i64::try_from(part).unwrap_or(MOST_PARTS);
    Placed { message: -item.0.saturating_mul(MOST_PARTS).saturating_add(part), kind: MessageKind::Text }
}

#[async_trait]
impl Storage for Live {
    async fn put(&self, items: Vec<NewItem>) -> Ported<()> {
        self.app.put(&items).await.map_err(PortError::new)
    }

    async fn finish(&self, task: &Task, place: Option<Place>) -> Result<Finished, Failure> {
        let mut tx = self.app.db.pool().begin().await?;
        if let Some(Place { bot, chat, slot, placed }) = place {
            slots::put(&mut tx, bot, chat, &slot, placed.message, placed.kind).await?;
        }
        let finished = task.done(&mut tx).await?;
        tx.commit().await?;
        Ok(finished)
    }

    async fn take(&self, needs: Vec<Need>) -> Ported<Result<(), Wait>> {
        let mut conn = self.app.db.pool().acquire().await.map_err(PortError::new)?;
        limiter::take(&mut conn, &needs).await.map_err(PortError::new)
    }

    async fn parts(&self, bot: BotId, chat: ChatId, item: ItemId) -> Ported<Vec<Option<Placed>>> {
        let mut conn = self.app.db.pool().acquire().await.map_err(PortError::new)?;
        let mut parts = Vec::new();
        while let Some(found) = slots::by_slot(&mut conn, bot, chat, &part_slot(item, parts.len())).await.map_err(PortError::new)? {
            parts.push((found.message > 0).then_some(Placed { message: found.message, kind: found.kind }));
        }
        Ok(parts)
    }

    async fn part_done(&self, bot: BotId, chat: ChatId, item: ItemId, part: usize, placed: Option<Placed>) -> Ported<()> {
        let mut conn = self.app.db.pool().acquire().await.map_err(PortError::new)?;
        let Placed { message, kind } = placed.unwrap_or(left_out(item, part));
        slots::put(&mut conn, bot, chat, &part_slot(item, part), message, kind).await.map_err(PortError::new)
    }

    async fn placed(&self, bot: BotId, chat: ChatId, slot: &Slot) -> Ported<Option<Placed>> {
        let mut conn = self.app.db.pool().acquire().await.map_err(PortError::new)?;
        let found = slots::by_slot(&mut conn, bot, chat, slot).await.map_err(PortError::new)?;
        Ok(found.map(|found| Placed { message: found.message, kind: found.kind }))
    }

    async fn displace(&self, bot: BotId, chat: ChatId, slot: &Slot) -> Ported<()> {
        let mut conn = self.app.db.pool().acquire().await.map_err(PortError::new)?;
        slots::remove(&mut conn, bot, chat, slot).await.map_err(PortError::new)
    }

    async fn file_id(&self, bot: BotId, sha: &str) -> Ported<Option<String>> {
        let mut conn = self.app.db.pool().acquire().await.map_err(PortError::new)?;
        files::uploaded(&mut conn, bot, sha).await.map_err(PortError::new)
    }

    async fn stored(&self, bot: BotId, file_id: &str) -> Ported<Option<String>> {
        let mut conn = self.app.db.pool().acquire().await.map_err(PortError::new)?;
        files::blob_of(&mut conn, bot, file_id).await.map_err(PortError::new)
    }

    async fn remember_file(&self, bot: BotId, sha: &str, file_id: Option<&str>) -> Ported<()> {
        let mut conn = self.app.db.pool().acquire().await.map_err(PortError::new)?;
        match file_id {
            Some(file_id) => files::remember_upload(&mut conn, bot, sha, file_id).await.map_err(PortError::new),
            None => files::forget_upload(&mut conn, bot, sha).await.map_err(PortError::new),
        }
    }

    async fn unreachable(&self, bot: BotId, chat: ChatId) -> Ported<()> {
        let mut conn = self.app.db.pool().acquire().await.map_err(PortError::new)?;
        people::set_blocked(&mut conn, bot, chat, true).await.map_err(PortError::new)
    }

    async fn migrated(&self, bot: BotId, from: ChatId, to: ChatId) -> Ported<()> {
        let mut tx = self.app.db.pool().begin().await.map_err(PortError::new)?;
        people::migrate_chat(&mut tx, bot, from, to).await.map_err(PortError::new)?;
        tx.commit().await.map_err(PortError::new)
    }

    async fn lead(&self, bot: BotId) -> Ported<bool> {
        let mut leads = self.leads.lock().await;
        if let Some(lock) = leads.get_mut(&bot) {
            if lock.is_held().await {
                return Ok(true);
            }
            leads.remove(&bot);
        }
        let lock = try_advisory_lock(&self.app.db, &format!("poll:{bot}")).await;
        let lock = lock.map_err(ServiceError::Database).map_err(PortError::new)?;
        let led = lock.is_some();
        leads.extend(lock.map(|lock| (bot, lock)));
        Ok(led)
    }

    async fn resign(&self, bot: BotId) -> Ported<()> {
        let lock = self.leads.lock().await.remove(&bot);
        if let Some(lock) = lock {
            lock.release().await;
        }
        Ok(())
    }
}
