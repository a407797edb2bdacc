//! What every use case needs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use fitter_domain::Clock;
use fitter_domain::ids::{BotId, ChatId};
use fitter_prompts::Messages;
use fitter_queue::outage::Outage;
use fitter_queue::{Batcher, NewItem, Request, Wake};
use fitter_store::procedures::{self, Bodies, Walked};
use fitter_store::{Database, PgConnection};

use crate::error::ServiceError;
use crate::files::Files;
use crate::search::Search;
use crate::turns::Turns;

/// So many who put go together at most.
const MOST_PUTS: usize = 256;

/// A bot of the company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BotInfo {
    /// Its username, without `@`; links to it need it.
    pub username: String,
}

/// Items of several who put at the same time, in one transaction.
#[derive(Clone)]
pub struct Puts(Batcher<Asked, Option<Outage>>);

type Asked = (App, Arc<Vec<NewItem>>);

impl Default for Puts {
    fn default() -> Self {
        Self(Batcher::new(MOST_PUTS, 2, |requests| async move {
            let Some(app) = requests.first().map(|request: &Request<Asked, Option<Outage>>| request.what.0.clone()) else { return };
            let items = requests.iter().flat_map(|request| request.what.1.iter().cloned()).collect();
            match app.put_now(items).await {
                Ok(()) => requests.into_iter().for_each(|request| request.answer(None)),
                Err(error) => match error.outage() {
                    // To try again alone would keep whoever waits for as long once more.
                    Some(outage) => requests.into_iter().for_each(|request| request.answer(Some(outage))),
                    // Each hears by itself what is wrong with its own.
                    None => tracing::debug!(%error, "items are not put together"),
                },
            }
        }))
    }
}

/// Everything that use cases share; cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub db: Database,
    /// The words.
    pub messages: Arc<Messages>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Photos and pictures.
    pub files: Files,
    /// The index of the notes.
    pub search: Search,
    /// Wakes the workers of this process.
    pub wake: Wake,
    /// Bots by number, once Telegram has told their names.
    pub bots: Arc<RwLock<HashMap<BotId, BotInfo>>>,
    /// Turns that come at the same time.
    pub turns: Turns,
    /// Items that come at the same time.
    pub puts: Puts,
    /// Procedures that were read before.
    pub bodies: Bodies,
    /// How often procedures were walked, as it was counted last.
    pub walks: Walks,
    /// How often chats were greeted since the process began; a hint, nothing depends on it.
    pub greeted: Arc<Mutex<HashMap<(BotId, ChatId), u8>>>,
}

/// How often procedures were walked, and when that was counted.
pub type Walks = Arc<Mutex<Option<(Instant, Arc<Walked>)>>>;

/// The order of a list may be so old.
const COUNT_EVERY: Duration = Duration::from_secs(10);

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("bots", &self.bots).finish_non_exhaustive()
    }
}

impl App {
    /// Remembers what Telegram told about a bot.
    pub fn know_bot(&self, bot: BotId, info: BotInfo) {
        if let Ok(mut bots) = self.bots.write() {
            bots.insert(bot, info);
        }
    }

    /// Puts items into the queue, commits, and gives them to the workers.
    ///
    /// # Errors
    /// If the database refuses; nothing is put then.
    pub async fn put(&self, items: Vec<NewItem>) -> Result<(), ServiceError> {
        let items = Arc::new(items);
        match self.puts.0.ask((self.clone(), Arc::clone(&items))).await {
            Some(None) => Ok(()),
            Some(Some(outage)) => Err(ServiceError::Outage(outage)),
            None => self.put_now(Arc::unwrap_or_clone(items)).await,
        }
    }

    /// How often procedures were walked, not long ago.
    pub(crate) async fn walked(&self, conn: &mut PgConnection) -> Result<Arc<Walked>, ServiceError> {
        let known = self.walks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, walked)) = known
            && at.elapsed() < COUNT_EVERY
        {
            return Ok(walked);
        }
        let walked = Arc::new(procedures::walked(conn).await?);
        *self.walks.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), Arc::clone(&walked)));
        Ok(walked)
    }

    async fn put_now(&self, items: Vec<NewItem>) -> Result<(), ServiceError> {
        let mut tx = self.db.pool().begin().await?;
        let handover = fitter_queue::hand(&mut tx, &self.wake, items).await?;
        tx.commit().await?;
        handover.committed(&self.wake);
        Ok(())
    }

    /// Whether a chat has hardly been greeted since the process began: twice, as the first turn may have been rolled back.
    pub(crate) fn hardly_greeted(&self, bot: BotId, chat: ChatId) -> bool {
        let mut greeted = self.greeted.lock().unwrap_or_else(PoisonError::into_inner);
        let times = greeted.entry((bot, chat)).or_default();
        *times = times.saturating_add(1);
        *times <= 2
    }

    /// A bot's username.
    #[must_use]
    pub fn username(&self, bot: BotId) -> Option<String> {
        self.bots.read().ok()?.get(&bot).map(|info| info.username.clone())
    }
}
