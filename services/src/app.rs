//! What every use case needs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use fitter_domain::Clock;
use fitter_domain::ids::{BotId, ChatId};
use fitter_prompts::Messages;
use fitter_queue::{NewItem, Queue, Wake};
use fitter_store::Database;

use crate::error::ServiceError;
use crate::files::Files;
use crate::search::Search;

/// A bot of the company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BotInfo {
    /// Its username, without `@`; links to it need it.
    pub username: String,
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
    /// How often chats were greeted since the process began; a hint, nothing depends on it.
    pub greeted: Arc<Mutex<HashMap<(BotId, ChatId), u8>>>,
}

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

    /// Puts items into the queue, commits, and wakes the workers.
    ///
    /// # Errors
    /// If the database refuses; nothing is put then.
    pub async fn put(&self, items: &[NewItem]) -> Result<(), ServiceError> {
        let mut tx = self.db.pool().begin().await?;
        fitter_queue::put(&mut tx, items).await?;
        tx.commit().await?;
        self.wake_for(items);
        Ok(())
    }

    /// Wakes the workers of the queues that were put to; call it after the commit.
    pub(crate) fn wake_for(&self, items: &[NewItem]) {
        for queue in Queue::ALL {
            if items.iter().any(|item| item.queue == queue) {
                self.wake.notify(queue);
            }
        }
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
