//! What every use case needs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use fitter_domain::Clock;
use fitter_domain::ids::{BotId, ChatId};
use fitter_domain::outbound::Outbound;
use fitter_prompts::Messages;
use fitter_queue::outage::Outage;
use fitter_queue::{Batcher, NewItem, Request, Wake};
use fitter_store::procedures::{self, Bodies, Walked};
use fitter_store::{Database, PgConnection, database};
use tokio::sync::Notify;

use crate::error::ServiceError;
use crate::files::Files;
use crate::index::Indexed;
use crate::search::Search;
use crate::turns::Turns;

/// So many who put go together at most.
const MOST_PUTS: usize = 256;

/// Begins a transaction whose end does not wait for the disk: [`database::flush`] has to.
const BEGIN_SOON_SAFE: &str = "BEGIN; SET LOCAL synchronous_commit = off";

/// Whoever puts hears within this time that the database is away, also behind others who wait for it.
const PUT_TIMEOUT: Duration = Duration::from_secs(6);

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

/// Waits for the disk, of several who put at the same time.
#[derive(Clone)]
pub struct Flushes(Batcher<App, ()>);

impl Default for Flushes {
    fn default() -> Self {
        Self(Batcher::new(MOST_PUTS, 2, |requests| async move {
            let Some(app) = requests.first().map(|request: &Request<App, ()>| request.what.clone()) else { return };
            match app.flush().await {
                Ok(()) => requests.into_iter().for_each(|request| request.answer(())),
                Err(error) => tracing::debug!(%error, "the disk is not waited for together"),
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
    /// What that index was made of.
    pub indexed: Indexed,
    /// Wakes whoever keeps the notes in line with their source, if it is this process.
    pub stirred: Arc<Notify>,
    /// Wakes the workers of this process.
    pub wake: Wake,
    /// Bots by number, once Telegram has told their names.
    pub bots: Arc<RwLock<HashMap<BotId, BotInfo>>>,
    /// Turns that come at the same time.
    pub turns: Turns,
    /// Items that come at the same time.
    pub puts: Puts,
    /// Those who wait for the disk at the same time.
    pub flushes: Flushes,
    /// Procedures that were read before.
    pub bodies: Bodies,
    /// How often procedures were walked, as it was counted last.
    pub walks: Walks,
    /// Sends answers to taps from this process, if it sends at all.
    pub answering: Arc<OnceLock<Answering>>,
    /// How often chats were greeted since the process began; a hint, nothing depends on it.
    pub greeted: Arc<Mutex<HashMap<(BotId, ChatId), u8>>>,
}

/// Sends an answer to a tap, soon and as well as it can.
pub type Answering = Box<dyn Fn(Outbound) + Send + Sync>;

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

    /// Puts items into the queue, gives them to the workers, and waits until they are on the disk.
    ///
    /// # Errors
    /// If the database refuses or does not answer in time; they may be put all the same then.
    pub async fn put(&self, items: Vec<NewItem>) -> Result<(), ServiceError> {
        let items = Arc::new(items);
        let safe = async {
            match self.puts.0.ask((self.clone(), Arc::clone(&items))).await {
                Some(None) => {}
                Some(Some(outage)) => return Err(ServiceError::Outage(outage)),
                None => self.put_now(Arc::unwrap_or_clone(items)).await?,
            }
            match self.flushes.0.ask(self.clone()).await {
                Some(()) => Ok(()),
                None => self.flush().await,
            }
        };
        // They may be put yet. An update that comes again is noticed by its key.
        tokio::time::timeout(PUT_TIMEOUT, safe).await.unwrap_or(Err(ServiceError::Outage(Outage::Away)))
    }

    /// Whether [`App::answer_tap`] works. Where it does not, answers are letters like any other.
    pub(crate) fn answers_at_once(&self) -> bool {
        self.answering.get().is_some()
    }

    /// Answers a tap; call it after the commit. The answer is not stored: nothing hangs on it but a button that spins, and Telegram ends that by
    /// itself.
    pub(crate) fn answer_tap(&self, answer: Outbound) {
        if let Some(answering) = self.answering.get() {
            answering(answer);
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

    /// The items go to the workers while the disk still writes: what comes of them waits for the disk in its own commit, and that takes these
    /// items along.
    async fn put_now(&self, items: Vec<NewItem>) -> Result<(), ServiceError> {
        let mut tx = self.db.pool().begin_with(BEGIN_SOON_SAFE).await?;
        let handover = fitter_queue::hand(&mut tx, &self.wake, items).await?;
        tx.commit().await?;
        handover.committed(&self.wake);
        Ok(())
    }

    /// Waits until the disk has all that was committed before.
    async fn flush(&self) -> Result<(), ServiceError> {
        Ok(database::flush(&mut *self.db.pool().acquire().await?).await?)
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
