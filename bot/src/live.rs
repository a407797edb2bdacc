//! The ports over the product's own services and database.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use fitter_dialogues::event::Incoming;
use fitter_domain::ids::{BotId, ChatId};
use fitter_domain::screen::Slot;
use fitter_queue::limiter::{self, Need, Purse, Wait};
use fitter_queue::together::{BEGIN, BEGIN_LIGHT};
use fitter_queue::{Batcher, Failure, Finished, ItemId, NewItem, Request, Task};
use fitter_services::conversation::{Late, Stimulus};
use fitter_services::{App, ServiceError};
use fitter_store::lock::Locks;
use fitter_store::slots::{Naming, SlotMessage};
use fitter_store::{files, people, slots};
use tokio::sync::Mutex;

use crate::ports::{Blobs, Conversation, MessageKind, Place, Placed, PortError, Ported, Storage};

/// The ports; cheap to clone.
#[derive(Clone)]
pub struct Live {
    app: App,
    marks: Batcher<(Task, Option<Place>), Finished>,
    tokens: Batcher<Need, Result<u32, Wait>>,
    purse: Arc<Purse>,
    places: Batcher<(BotId, ChatId, Slot), Option<SlotMessage>>,
    removals: Batcher<(BotId, ChatId, Slot), ()>,
    /// The rights to poll, held for as long as this process polls.
    leads: Arc<Mutex<Locks>>,
}

impl Live {
    /// The ports over `app`.
    #[must_use]
    pub fn new(app: App) -> Self {
        let (marking, taking, looking, removing) = (app.clone(), app.clone(), app.clone(), app.clone());
        Self {
            app,
            marks: Batcher::lingering(MOST, 2, LINGER, move |requests| mark(marking.clone(), requests)),
            tokens: Batcher::new(MOST, 1, move |requests| take(taking.clone(), requests)),
            purse: Arc::default(),
            places: Batcher::new(MOST, 1, move |requests| look(looking.clone(), requests)),
            removals: Batcher::new(MOST, 2, move |requests| remove(removing.clone(), requests)),
            leads: Arc::default(),
        }
    }

    async fn finish_alone(&self, task: &Task, place: Option<Place>) -> Result<Finished, Failure> {
        let mut tx = self.app.db.pool().begin().await?;
        if let Some(Place { bot, chat, slot, placed }) = place {
            slots::put(&mut tx, bot, chat, &slot, placed.message, placed.kind).await?;
        }
        let finished = task.done(&mut tx).await?;
        tx.commit().await?;
        Ok(finished)
    }
}

/// Requests of one kind that go to the database together at most.
const MOST: usize = 256;

/// Ends of letters wait so long for others, which is little beside a call to Telegram. Each commit takes the disk from the turns.
const LINGER: Duration = Duration::from_millis(5);

/// Finishes tasks and names their messages, in one transaction.
async fn mark(app: App, requests: Vec<Request<(Task, Option<Place>), Finished>>) {
    let done = async {
        let mut tx = app.db.pool().begin_with(BEGIN).await?;
        let tasks: Vec<&Task> = requests.iter().map(|request| &request.what.0).collect();
        let kept = fitter_queue::keep(&mut tx, &tasks).await?;
        let mine: Vec<usize> = (0..requests.len()).filter(|&place| kept.get(place) == Some(&true)).collect();
        let requests: Vec<_> = mine.iter().filter_map(|&place| requests.get(place)).map(|request| &request.what).collect();
        let named = requests.iter().filter_map(|(_, place)| place.clone());
        let names: Vec<Naming> =
            named.map(|Place { bot, chat, slot, placed }| Naming { bot, chat, slot, message: placed.message, kind: placed.kind }).collect();
        if !names.is_empty() {
            slots::put_many(&mut tx, &names).await?;
        }
        let tasks: Vec<&Task> = requests.iter().map(|(task, _)| task).collect();
        let finished = fitter_queue::finish_all(&mut tx, &tasks).await?;
        tx.commit().await?;
        Ok::<_, ServiceError>(mine.into_iter().zip(finished).collect::<HashMap<_, _>>())
    };
    match done.await {
        Ok(mut finished) => {
            for (place, request) in requests.into_iter().enumerate() {
                if let Some(finished) = finished.remove(&place) {
                    request.answer(finished);
                }
            }
        }
        Err(error) => tracing::debug!(%error, "letters are not marked together"),
    }
}

/// Takes tokens of buckets that do not depend on each other.
async fn take(app: App, requests: Vec<Request<Need, Result<u32, Wait>>>) {
    let needs: Vec<Need> = requests.iter().map(|request| request.what.clone()).collect();
    let mut seen = HashSet::new();
    if !needs.iter().all(|need| seen.insert(need.key.as_str())) {
        // A bucket that is named twice gives one token.
        return;
    }
    let taken = async { limiter::take_each(&mut *app.db.pool().acquire().await?, &needs).await };
    match taken.await {
        Ok(taken) => requests.into_iter().zip(taken).for_each(|(request, taken)| request.answer(taken)),
        Err(error) => tracing::debug!(%error, "tokens are not taken together"),
    }
}

/// Looks which messages have these names.
async fn look(app: App, requests: Vec<Request<(BotId, ChatId, Slot), Option<SlotMessage>>>) {
    let names: Vec<(BotId, ChatId, Slot)> = requests.iter().map(|request| request.what.clone()).collect();
    let found = async { slots::by_slots(&mut *app.db.pool().acquire().await?, &names).await };
    match found.await {
        Ok(found) => requests.into_iter().zip(found).for_each(|(request, found)| request.answer(found)),
        Err(error) => tracing::debug!(%error, "names are not looked up together"),
    }
}

/// Takes names from messages that are deleted.
async fn remove(app: App, requests: Vec<Request<(BotId, ChatId, Slot), ()>>) {
    let names: Vec<(BotId, ChatId, Slot)> = requests.iter().map(|request| request.what.clone()).collect();
    let removed = async {
        // A name that comes back leads to a message that is gone, and that is noticed: no reason to wait for the disk.
        let mut tx = app.db.pool().begin_with(BEGIN_LIGHT).await?;
        slots::remove_many(&mut tx, &names).await?;
        tx.commit().await
    };
    match removed.await {
        Ok(()) => requests.into_iter().for_each(|request| request.answer(())),
        Err(error) => tracing::debug!(%error, "names are not removed together"),
    }
}

#[async_trait]
impl Conversation for Live {
    async fn take(&self, task: &Task, incoming: Incoming) -> Result<Finished, Failure> {
        self.app.converse(task, Stimulus::Incoming(Box::new(incoming))).await.map_err(Failure::from)
    }

    async fn resume(&self, task: &Task) -> Result<Finished, Failure> {
        let late = task.items().first().and_then(Late::from_item);
        let Some(late) = late else { return Err(Failure::Bury { reason: "neither an update nor an outcome".to_owned() }) };
        self.app.converse(task, Stimulus::Late(Box::new(late))).await.map_err(Failure::from)
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
        self.app.put(items).await.map_err(PortError::new)
    }

    async fn finish(&self, task: &Task, place: Option<Place>) -> Result<Finished, Failure> {
        match self.marks.ask((task.clone(), place.clone())).await {
            Some(finished) => Ok(finished),
            None => self.finish_alone(task, place).await,
        }
    }

    async fn take(&self, needs: Vec<Need>) -> Ported<Result<(), Wait>> {
        if let [need] = needs.as_slice() {
            if self.purse.spend(&need.key) {
                return Ok(Ok(()));
            }
            if let Some(taken) = self.tokens.ask(need.clone()).await {
                return Ok(taken.map(|ahead| self.purse.keep(need.key.clone(), ahead)));
            }
        }
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
        let found = match self.places.ask((bot, chat, slot.clone())).await {
            Some(found) => found,
            None => {
                let mut conn = self.app.db.pool().acquire().await.map_err(PortError::new)?;
                slots::by_slot(&mut conn, bot, chat, slot).await.map_err(PortError::new)?
            }
        };
        Ok(found.map(|found| Placed { message: found.message, kind: found.kind }))
    }

    async fn displace(&self, bot: BotId, chat: ChatId, slot: &Slot) -> Ported<()> {
        if self.removals.ask((bot, chat, slot.clone())).await.is_some() {
            return Ok(());
        }
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
        self.leads.lock().await.hold(&self.app.db, &lead(bot)).await.map_err(PortError::new)
    }

    async fn resign(&self, bot: BotId) -> Ported<()> {
        self.leads.lock().await.release(&lead(bot)).await;
        Ok(())
    }
}

/// The name of the right to poll a bot.
fn lead(bot: BotId) -> String {
    format!("poll:{bot}")
}
