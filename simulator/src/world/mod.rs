//! Everything the simulator remembers, behind short locks.
//!
//! Locks are taken in the order chat, queue, journal, and never held across an await.

pub(crate) mod bot;
pub(crate) mod calls;
pub(crate) mod chance;
pub(crate) mod chat;
pub(crate) mod disorder;
pub(crate) mod events;
pub(crate) mod faults;
pub(crate) mod files;
mod gather;
pub(crate) mod groups;
mod held;
pub(crate) mod journal;
mod pairs;
pub(crate) mod peer;
mod pending;
pub(crate) mod people;
pub(crate) mod post;
pub(crate) mod rates;
pub(crate) mod refusals;
pub(crate) mod update;
pub(crate) mod updates;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio_util::sync::CancellationToken;

use crate::clock::SimClock;
use crate::config::SimulatorConfig;
use crate::error::Result;

use bot::Bot;
use calls::{Answers, CallLog};
use events::Events;
use faults::Faults;
use files::FileStore;
use groups::Groups;
use journal::{Journal, Record};
use people::People;
use rates::RateLimits;
use refusals::Refusals;

/// Locks a mutex; a panic of another holder does not stop the simulator.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads a lock, like [`lock`].
pub(crate) fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

/// Writes a lock, like [`lock`].
pub(crate) fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

/// The whole state of one simulator.
pub(crate) struct World {
    pub(crate) clock: SimClock,
    pub(crate) bots: Vec<Arc<Bot>>,
    by_token: HashMap<String, Arc<Bot>>,
    pub(crate) people: People,
    pub(crate) groups: Groups,
    pub(crate) files: FileStore,
    pub(crate) calls: CallLog,
    pub(crate) answers: Answers,
    pub(crate) events: Events,
    pub(crate) faults: Faults,
    pub(crate) refusals: Refusals,
    pub(crate) rates: RateLimits,
    pub(crate) journal: Journal,
    pub(crate) stop: CancellationToken,
    /// Parts of albums that people's clients are still sending.
    pub(crate) on_the_way: AtomicUsize,
    /// Webhook deliveries run.
    pub(crate) delivering: AtomicBool,
    /// Delivers webhooks. Made when it is first needed: reading the system's certificates takes time.
    pub(crate) http: LazyLock<reqwest::Client>,
}

impl World {
    /// Builds the state from the seeds and, if there is one, the state directory.
    pub(crate) fn open(config: &SimulatorConfig) -> Result<Arc<Self>> {
        let bots: Vec<Arc<Bot>> = config.bots.iter().cloned().map(Bot::new).collect();
        let by_token = bots.iter().map(|bot| (bot.seed.token.clone(), Arc::clone(bot))).collect();
        let (journal, past) = Journal::open(config.state_file.as_deref())?;
        let world = Self {
            clock: SimClock::new(),
            bots,
            by_token,
            people: People::default(),
            groups: Groups::default(),
            files: FileStore::open(config.state_file.as_deref())?,
            calls: CallLog::default(),
            answers: Answers::default(),
            events: Events::default(),
            faults: Faults::default(),
            refusals: Refusals::default(),
            rates: RateLimits::default(),
            journal,
            stop: CancellationToken::new(),
            on_the_way: AtomicUsize::new(0),
            delivering: AtomicBool::new(false),
            http: LazyLock::new(reqwest::Client::new),
        };
        for record in past {
            world.replay(record);
        }
        for person in &config.people {
            world.people.insert_if_new(person.clone());
        }
        world.files.sweep();
        world.journal.compact(|| world.snapshot())?;
        Ok(Arc::new(world))
    }

    /// The bot with this token.
    pub(crate) fn bot_by_token(&self, token: &str) -> Option<&Arc<Bot>> {
        self.by_token.get(token)
    }

    /// The bot with this username; case does not matter, nor a leading `@`.
    pub(crate) fn bot_by_name(&self, name: &str) -> Option<&Arc<Bot>> {
        let name = name.trim_start_matches('@');
        self.bots.iter().find(|bot| bot.seed.username.eq_ignore_ascii_case(name))
    }

    fn bot_by_id(&self, id: i64) -> Option<&Arc<Bot>> {
        self.bots.iter().find(|bot| bot.seed.id == id)
    }

    /// The Bot API `User` with an id, a person's or a bot's.
    pub(crate) fn user(&self, id: i64) -> Option<serde_json::Value> {
        let person = self.people.get(id).map(|person| person.user());
        person.or_else(|| self.bot_by_id(id).map(|bot| bot.user()))
    }

    /// Applies one line of the past. Records of bots that are no longer seeded are skipped.
    fn replay(&self, record: Record) {
        match record {
            Record::Person { person } => self.people.put(person),
            Record::File { file } => self.files.restore(file),
            Record::Reset => self.forget(),
            Record::Group { group } => {
                self.groups.restore(*group);
            }
            Record::Groups { given } => self.groups.set_given(given),
            Record::Message { bot, chat, message } => {
                self.with_chat(bot, chat, |chat| chat.restore(message));
            }
            Record::Gone { bot, chat, ids } => self.with_chat(bot, chat, |chat| chat.remove(&ids)),
            Record::Chat { bot, chat, meta } => self.with_chat(bot, chat, |chat| chat.set_meta(meta)),
            Record::Profile { bot, profile } => {
                if let Some(bot) = self.bot_by_id(bot) {
                    *lock(&bot.profile) = *profile;
                }
            }
            Record::Query { bot, id, query } => {
                if let Some(bot) = self.bot_by_id(bot) {
                    lock(&bot.queries).insert(id, query);
                }
            }
            Record::Update { bot, .. } | Record::Confirmed { bot, .. } | Record::Delivered { bot, .. } | Record::Queue { bot, .. } => {
                if let Some(bot) = self.bot_by_id(bot) {
                    bot.updates.replay(record);
                }
            }
        }
    }

    fn with_chat(&self, bot: i64, chat: i64, apply: impl FnOnce(&mut chat::ChatState)) {
        if let Some(group) = self.groups.get(chat) {
            apply(&mut lock(&group.chat.state));
        } else if let Some(bot) = self.bot_by_id(bot) {
            apply(&mut lock(&bot.chat(chat).state));
        }
    }

    /// The state as the fewest records that bring it back.
    fn snapshot(&self) -> Vec<Record> {
        let mut records = self.people.snapshot();
        records.extend(self.files.snapshot());
        records.extend(self.groups.snapshot());
        for bot in &self.bots {
            records.extend(bot.snapshot());
        }
        records
    }

    /// Waits, but not longer than the simulator runs.
    pub(crate) async fn pause(&self, time: std::time::Duration) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = tokio::time::sleep(time) => {}
        }
    }

    /// Drops conversations and what belongs to them; bots, their settings and people stay.
    pub(crate) fn forget(&self) {
        for bot in &self.bots {
            bot.forget();
        }
        self.groups.forget();
        self.files.forget();
        self.calls.clear();
        self.answers.clear();
        self.faults.clear();
        self.refusals.clear();
    }
}
