//! One bot: its chats, its update queue and what it has told BotFather's methods.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, RwLock};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::chat::Chat;
use super::journal::Record;
use super::updates::UpdateQueue;
use super::{lock, read, write};
use crate::config::BotSeed;

/// Seconds for which an answered or forgotten query is kept.
const QUERY_KEPT: i64 = 600;
/// Fewest queries among which old ones are looked for.
const QUERIES: usize = 4096;
/// Number of shards of the chat table: loads touch many chats at once.
const SHARDS: usize = 32;

/// A bot and everything that belongs to it.
pub(crate) struct Bot {
    pub(crate) seed: BotSeed,
    pub(crate) profile: Mutex<Profile>,
    pub(crate) updates: UpdateQueue,
    /// Callback, inline and pre-checkout queries by id.
    pub(crate) queries: Mutex<Queries>,
    /// Time and text of the last delivery that failed.
    pub(crate) webhook_error: Mutex<Option<(i64, String)>>,
    /// When the webhook is tried again after failures, in clock milliseconds.
    pub(crate) webhook_due: Mutex<Option<i64>>,
    chats: Vec<RwLock<HashMap<i64, Arc<Chat>>>>,
}

/// What the bot set about itself. Keys of maps are language codes, "" for the default.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Profile {
    pub(crate) names: BTreeMap<String, String>,
    pub(crate) descriptions: BTreeMap<String, String>,
    pub(crate) short_descriptions: BTreeMap<String, String>,
    /// By `scope|language`.
    pub(crate) commands: BTreeMap<String, Value>,
    pub(crate) menu_button: Option<Value>,
    pub(crate) webhook: Option<Webhook>,
    pub(crate) prepared_messages: u64,
    /// BotFather's `/setprivacy`: the bot gets all messages of its groups.
    pub(crate) privacy_off: bool,
}

impl Profile {
    /// Whether privacy mode is on, as it is for every new bot.
    pub(crate) const fn privacy(&self) -> bool {
        !self.privacy_off
    }
}

/// The webhook as it was set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Webhook {
    pub(crate) url: String,
    pub(crate) secret_token: Option<String>,
    pub(crate) max_connections: i64,
    pub(crate) ip_address: Option<String>,
}

/// A question of a person's client that waits for the bot's answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Query {
    pub(crate) kind: QueryKind,
    pub(crate) person: i64,
    /// Clock seconds.
    pub(crate) at: i64,
    pub(crate) answered: bool,
    /// What the answer will need: of a checkout, the payment.
    #[serde(default)]
    pub(crate) extra: Value,
}

/// The queries of a bot by id.
#[derive(Default)]
pub(crate) struct Queries {
    by_id: HashMap<String, Query>,
    /// Size at which old ones are dropped next; it doubles so that this stays cheap.
    sweep_at: usize,
}

impl Queries {
    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Query> {
        self.by_id.get_mut(id)
    }

    pub(crate) fn insert(&mut self, id: String, query: Query) {
        if self.by_id.len() >= self.sweep_at {
            let now = query.at;
            self.by_id.retain(|_, old| now - old.at < QUERY_KEPT);
            self.sweep_at = QUERIES.max(self.by_id.len() * 2);
        }
        self.by_id.insert(id, query);
    }
}

/// Kinds of queries, which live for different times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum QueryKind {
    Callback,
    Inline,
    PreCheckout,
    WebApp,
}

impl Bot {
    pub(crate) fn new(seed: BotSeed) -> Arc<Self> {
        Arc::new(Self {
            updates: UpdateQueue::new(seed.id),
            seed,
            profile: Mutex::default(),
            queries: Mutex::default(),
            webhook_error: Mutex::default(),
            webhook_due: Mutex::default(),
            chats: (0..SHARDS).map(|_| RwLock::default()).collect(),
        })
    }

    fn shard(&self, person: i64) -> Option<&RwLock<HashMap<i64, Arc<Chat>>>> {
        let index = person.rem_euclid(SHARDS as i64);
        self.chats.get(usize::try_from(index).unwrap_or(0))
    }

    /// The chat with a person, made when it is first needed.
    pub(crate) fn chat(&self, person: i64) -> Arc<Chat> {
        let Some(shard) = self.shard(person) else {
            return Arc::new(Chat::new(person));
        };
        if let Some(chat) = read(shard).get(&person) {
            return Arc::clone(chat);
        }
        let mut shard = write(shard);
        Arc::clone(shard.entry(person).or_insert_with(|| Arc::new(Chat::new(person))))
    }

    /// The chat if anything ever happened in it.
    pub(crate) fn known_chat(&self, person: i64) -> Option<Arc<Chat>> {
        self.shard(person).and_then(|shard| read(shard).get(&person).cloned())
    }

    fn all_chats(&self) -> Vec<Arc<Chat>> {
        let mut chats: Vec<_> = self.chats.iter().flat_map(|shard| read(shard).values().cloned().collect::<Vec<_>>()).collect();
        chats.sort_by_key(|chat| chat.id);
        chats
    }

    /// The name for a language, else the default one, else the seeded one.
    pub(crate) fn name(&self, language: &str) -> String {
        localized(&lock(&self.profile).names, language).unwrap_or_else(|| self.seed.first_name.clone())
    }

    /// The Bot API `User`.
    pub(crate) fn user(&self) -> Value {
        json!({
            "id": self.seed.id,
            "is_bot": true,
            "first_name": self.name(""),
            "username": self.seed.username,
        })
    }

    pub(crate) fn forget(&self) {
        for chat in self.all_chats() {
            lock(&chat.state).forget();
            chat.changed.notify_waiters();
        }
        self.updates.clear();
        *lock(&self.queries) = Queries::default();
    }

    pub(crate) fn snapshot(&self) -> Vec<Record> {
        let id = self.seed.id;
        let mut records = vec![Record::Profile { bot: id, profile: Box::new(lock(&self.profile).clone()) }];
        for chat in self.all_chats() {
            let state = lock(&chat.state);
            records.push(Record::Chat { bot: id, chat: chat.id, meta: state.meta.clone() });
            records.extend(state.messages.values().map(|message| Record::Message { bot: id, chat: chat.id, message: message.clone() }));
        }
        records.extend(lock(&self.queries).by_id.iter().map(|(query_id, query)| Record::Query {
            bot: id,
            id: query_id.clone(),
            query: query.clone(),
        }));
        records.extend(self.updates.snapshot());
        records
    }
}

/// The entry for a language or, failing that, the default one.
pub(crate) fn localized(map: &BTreeMap<String, String>, language: &str) -> Option<String> {
    map.get(language).or_else(|| map.get("")).cloned()
}
