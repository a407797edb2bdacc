//! One chat: its messages and what people's clients show around them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Notify;

/// Ids of supergroups are below this one.
const SUPERGROUPS_BELOW: i64 = -1_000_000_000_000;
/// Fields that begin so are the simulator's own: bots never see them.
const OWN: &str = "sim_";
/// Where a message keeps the bot's reaction for the page.
pub(crate) const REACTIONS: &str = "sim_reactions";
/// Where an invoice keeps its payload until it is paid.
pub(crate) const PAYLOAD: &str = "sim_payload";

/// A chat between one bot and one person, or that of a group.
pub(crate) struct Chat {
    /// The person's id, or the group's.
    pub(crate) id: i64,
    pub(crate) state: Mutex<ChatState>,
    /// Wakes those who wait for a message.
    pub(crate) changed: Notify,
}

impl Chat {
    pub(crate) fn new(id: i64) -> Self {
        Self { id, state: Mutex::default(), changed: Notify::new() }
    }

    /// The thread that a reply to a message belongs to: supergroups have them even without topics.
    pub(crate) fn thread_of(&self, message: &Value) -> Option<i64> {
        let thread = message.get("message_thread_id").and_then(Value::as_i64);
        (self.id <= SUPERGROUPS_BELOW).then(|| thread.unwrap_or_else(|| message_id(message)))
    }
}

/// A message as the person's client has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StoredMessage {
    pub(crate) body: Arc<Value>,
    pub(crate) by_bot: bool,
    /// The newest message id at the time of the last edit; 0 when never edited.
    #[serde(default)]
    pub(crate) edited_at_id: i64,
}

/// What is kept of a chat besides messages.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ChatMeta {
    pub(crate) last_id: i64,
    /// The person pressed Start or wrote first.
    pub(crate) started: bool,
    pub(crate) blocked: bool,
    pub(crate) read_to: i64,
    /// The reply keyboard that the client shows.
    pub(crate) keyboard: Option<Value>,
    pub(crate) pinned: Vec<i64>,
    pub(crate) menu_button: Option<Value>,
    #[serde(with = "super::pairs")]
    pub(crate) topics: BTreeMap<i64, Value>,
}

/// Messages and the rest under the chat's lock.
#[derive(Default)]
pub(crate) struct ChatState {
    pub(crate) meta: ChatMeta,
    pub(crate) messages: BTreeMap<i64, StoredMessage>,
    /// The chat action and when it ends, in clock milliseconds.
    pub(crate) typing: Option<(String, i64)>,
}

impl ChatState {
    /// Takes the next message id.
    pub(crate) fn next_id(&mut self) -> i64 {
        self.meta.last_id += 1;
        self.meta.last_id
    }

    pub(crate) fn get(&self, id: i64) -> Option<&StoredMessage> {
        self.messages.get(&id)
    }

    pub(crate) fn remove(&mut self, ids: &[i64]) {
        for id in ids {
            self.messages.remove(id);
            self.meta.pinned.retain(|pinned| pinned != id);
        }
    }

    pub(crate) fn restore(&mut self, message: StoredMessage) {
        let id = message_id(&message.body);
        self.meta.last_id = self.meta.last_id.max(id);
        self.messages.insert(id, message);
    }

    pub(crate) fn set_meta(&mut self, meta: ChatMeta) {
        let last_id = self.meta.last_id.max(meta.last_id);
        self.meta = meta;
        self.meta.last_id = last_id;
    }

    /// Bot messages that the person has not looked at.
    pub(crate) fn unread(&self) -> usize {
        self.messages.range(self.meta.read_to + 1..).filter(|(_, message)| message.by_bot).count()
    }

    /// The chat action while it lasts.
    pub(crate) fn typing_at(&self, now_ms: i64) -> Option<&str> {
        self.typing.as_ref().filter(|(_, until)| *until > now_ms).map(|(action, _)| action.as_str())
    }

    /// Forgets the conversation; ids go on so that no old id means a new message.
    pub(crate) fn forget(&mut self) {
        let last_id = self.meta.last_id;
        *self = Self::default();
        self.meta.last_id = last_id;
    }
}

/// The id inside a message.
pub(crate) fn message_id(body: &Value) -> i64 {
    body.get("message_id").and_then(Value::as_i64).unwrap_or(0)
}

/// The message as the bot gets it: only inline keyboards are part of a `Message` there.
pub(crate) fn bot_view(body: &Value) -> Value {
    let mut view = body.clone();
    if let Some(map) = view.as_object_mut() {
        let inline = map.get("reply_markup").is_some_and(|markup| markup.get("inline_keyboard").is_some());
        if !inline {
            map.remove("reply_markup");
        }
        map.retain(|field, _| !field.starts_with(OWN));
    }
    view
}

/// A copy for `reply_to_message` and `pinned_message`, which do not nest further.
pub(crate) fn quoted(body: &Value) -> Value {
    let mut view = bot_view(body);
    if let Some(map) = view.as_object_mut() {
        map.remove("reply_to_message");
        map.remove("pinned_message");
    }
    view
}

/// Text or caption.
pub(crate) fn text_of(body: &Value) -> Option<&str> {
    body.get("text").or_else(|| body.get("caption")).and_then(Value::as_str)
}
