//! An update as it came, read leniently: what is missing, new or of an odd type becomes `None` and takes nothing else with it.
//!
//! teloxide's own types close their enums: one unknown entity or button empties the whole message, and the person's words are gone.

use fitter_domain::ids::{ChatId, UserId};
use fitter_domain::words;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::rich;

/// Characters that a person can send at once (Bot API: rich messages); a longer text is none of Telegram's.
const LONGEST: usize = 32_768;

/// A field that is `None` whenever it cannot be understood.
fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(T::deserialize(Value::deserialize(deserializer)?).ok())
}

/// An update.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Update {
    /// Its number.
    #[serde(deserialize_with = "lenient")]
    pub update_id: Option<i64>,
    /// A new message.
    #[serde(deserialize_with = "lenient")]
    pub message: Option<Message>,
    /// A changed message.
    #[serde(deserialize_with = "lenient")]
    pub edited_message: Option<Message>,
    /// A tap on a button.
    #[serde(deserialize_with = "lenient")]
    pub callback_query: Option<Callback>,
    /// The bot's own membership of a chat changed.
    #[serde(deserialize_with = "lenient")]
    pub my_chat_member: Option<MemberChange>,
    /// The person pressed Stop under a draft.
    #[serde(deserialize_with = "lenient")]
    pub stopped_message_generation: Option<Stopped>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A person or a bot.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct User {
    /// Its number.
    #[serde(deserialize_with = "lenient")]
    pub id: Option<i64>,
    /// A bot.
    #[serde(deserialize_with = "lenient")]
    pub is_bot: Option<bool>,
    /// First name.
    #[serde(deserialize_with = "lenient")]
    pub first_name: Option<String>,
    /// IETF language tag of the client.
    #[serde(deserialize_with = "lenient")]
    pub language_code: Option<String>,
}

impl User {
    /// Its typed number.
    #[must_use]
    pub fn user_id(&self) -> Option<UserId> {
        self.id.map(UserId)
    }
}

/// A chat.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Chat {
    /// Its number.
    #[serde(deserialize_with = "lenient")]
    pub id: Option<i64>,
    /// `private`, `group`, `supergroup`, `channel`.
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub kind: Option<String>,
}

impl Chat {
    /// Its typed number.
    #[must_use]
    pub fn chat_id(&self) -> Option<ChatId> {
        self.id.map(ChatId)
    }

    /// One person and the bot. Without a type the sign of the number tells.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.kind.as_deref().map_or(self.id.is_some_and(|id| id > 0), |kind| kind == "private")
    }

    /// Several people.
    #[must_use]
    pub fn is_group(&self) -> bool {
        matches!(self.kind.as_deref(), Some("group" | "supergroup"))
    }
}

/// A message.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Message {
    /// Its number within the chat.
    #[serde(deserialize_with = "lenient")]
    pub message_id: Option<i64>,
    /// Topic, or the thread of a reply.
    #[serde(deserialize_with = "lenient")]
    pub message_thread_id: Option<i64>,
    /// Whether it stands in a topic.
    #[serde(deserialize_with = "lenient")]
    pub is_topic_message: Option<bool>,
    /// Who sent it.
    #[serde(deserialize_with = "lenient")]
    pub from: Option<User>,
    /// On whose behalf: of a group, for its anonymous administrators, or of a channel.
    #[serde(deserialize_with = "lenient")]
    pub sender_chat: Option<Chat>,
    /// Where.
    #[serde(deserialize_with = "lenient")]
    pub chat: Option<Chat>,
    /// Words.
    #[serde(deserialize_with = "lenient")]
    pub text: Option<String>,
    /// Words under a picture or file.
    #[serde(deserialize_with = "lenient")]
    pub caption: Option<String>,
    /// A photo in several sizes.
    #[serde(deserialize_with = "lenient")]
    pub photo: Option<Vec<FileRef>>,
    /// A file.
    #[serde(deserialize_with = "lenient")]
    pub document: Option<FileRef>,
    /// The album that it belongs to.
    #[serde(deserialize_with = "lenient")]
    pub media_group_id: Option<String>,
    /// What it answers.
    #[serde(deserialize_with = "lenient")]
    pub reply_to_message: Option<Box<Message>>,
    /// Everything else, among it the kinds of content that nobody asked for.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Message {
    /// The topic it stands in. A reply in a group without topics has a thread number too; that one is no topic.
    #[must_use]
    pub fn topic(&self) -> Option<i64> {
        self.message_thread_id.filter(|_| self.is_topic_message == Some(true))
    }

    /// Text, else caption, else what stands in blocks; `None` if nothing of it can be seen.
    #[must_use]
    pub fn words(&self) -> Option<String> {
        let blocks = || ["rich_message", "checklist"].iter().find_map(|name| rich::words(self.rest.get(*name)?));
        let words = self.text.clone().or_else(|| self.caption.clone()).or_else(blocks)?;
        let words: String = words::trimmed(&words).chars().take(LONGEST).collect();
        (!words::is_blank(&words)).then_some(words)
    }
}

/// A photo size or a document.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct FileRef {
    /// To send or fetch it.
    #[serde(deserialize_with = "lenient")]
    pub file_id: Option<String>,
    /// The same everywhere.
    #[serde(deserialize_with = "lenient")]
    pub file_unique_id: Option<String>,
    /// Bytes.
    #[serde(deserialize_with = "lenient")]
    pub file_size: Option<u64>,
    /// Pixels.
    #[serde(deserialize_with = "lenient")]
    pub width: Option<u64>,
    /// Pixels.
    #[serde(deserialize_with = "lenient")]
    pub height: Option<u64>,
    /// As the sender's client says.
    #[serde(deserialize_with = "lenient")]
    pub mime_type: Option<String>,
}

/// A tap on a button.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Callback {
    /// To answer it.
    #[serde(deserialize_with = "lenient")]
    pub id: Option<String>,
    /// Who tapped.
    #[serde(deserialize_with = "lenient")]
    pub from: Option<User>,
    /// The message with the button; of a very old one only chat and number.
    #[serde(deserialize_with = "lenient")]
    pub message: Option<Message>,
    /// What the button carries.
    #[serde(deserialize_with = "lenient")]
    pub data: Option<String>,
}

/// The bot's own membership of a chat changed.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct MemberChange {
    /// Where.
    #[serde(deserialize_with = "lenient")]
    pub chat: Option<Chat>,
    /// Who did it.
    #[serde(deserialize_with = "lenient")]
    pub from: Option<User>,
    /// What the bot was before.
    #[serde(deserialize_with = "lenient")]
    pub old_chat_member: Option<Member>,
    /// What the bot is now.
    #[serde(deserialize_with = "lenient")]
    pub new_chat_member: Option<Member>,
}

impl MemberChange {
    /// The bot came into the chat with this.
    #[must_use]
    pub fn is_arrival(&self) -> bool {
        let present = |member: &Option<Member>| {
            member.as_ref().and_then(|member| member.status.as_deref()).is_some_and(|status| !matches!(status, "left" | "kicked"))
        };
        present(&self.new_chat_member) && !present(&self.old_chat_member)
    }
}

/// What the bot is in a chat.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Member {
    /// `member`, `kicked`, …
    #[serde(deserialize_with = "lenient")]
    pub status: Option<String>,
}

/// The person pressed Stop under a draft.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Stopped {
    /// Where.
    #[serde(deserialize_with = "lenient")]
    pub chat: Option<Chat>,
    /// In which topic.
    #[serde(deserialize_with = "lenient")]
    pub message_thread_id: Option<i64>,
}

impl Update {
    /// Reads any JSON; what is no update at all reads as an empty one.
    #[must_use]
    pub fn read(raw: &Value) -> Self {
        Self::deserialize(raw).unwrap_or_default()
    }

    /// [`Update::read`] without a copy.
    #[must_use]
    pub fn from_value(raw: Value) -> Self {
        Self::deserialize(raw).unwrap_or_default()
    }

    /// The Bot API's name of its kind.
    #[must_use]
    pub fn kind(&self) -> &str {
        if self.message.is_some() {
            "message"
        } else if self.edited_message.is_some() {
            "edited_message"
        } else if self.callback_query.is_some() {
            "callback_query"
        } else if self.my_chat_member.is_some() {
            "my_chat_member"
        } else if self.stopped_message_generation.is_some() {
            "stopped_message_generation"
        } else {
            self.rest.keys().next().map_or("unknown", String::as_str)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_new_entity_or_button_takes_nothing_with_it() {
        let update = Update::read(&json!({
            "update_id": 7,
            "message": {
                "message_id": 3, "date": 1, "chat": {"id": 5, "type": "private"}, "from": {"id": 5, "is_bot": false, "first_name": "Айгуль"},
                "text": "завтра в 9",
                "entities": [{"type": "date_time", "offset": 0, "length": 6, "unix_time": 1, "date_time_format": "r"}],
                "reply_markup": {"inline_keyboard": [[{"text": "нет", "disabled": {"reason": 1}}]]},
                "reply_to_message": "not even an object"
            }
        }));
        let message = update.message.expect("message");
        assert_eq!(message.text.as_deref(), Some("завтра в 9"));
        assert!(message.reply_to_message.is_none());
    }

    #[test]
    fn odd_types_become_none() {
        let update = Update::read(&json!({
            "update_id": "x", "message": {"message_id": 1.5, "photo": {"a": 1}, "document": [], "text": "слова", "chat": 5, "from": null}
        }));
        assert_eq!(update.update_id, None);
        let message = update.message.expect("message");
        assert_eq!(message.text.as_deref(), Some("слова"));
        assert!(message.photo.is_none() && message.chat.is_none() && message.message_id.is_none());
        for odd in [json!(null), json!([]), json!("x"), json!(1), json!({})] {
            assert_eq!(Update::read(&odd).kind(), "unknown");
        }
    }

    #[test]
    fn a_huge_message_is_read() {
        let text = "я".repeat(1 << 20);
        let update = Update::read(&json!({"update_id": 1, "message": {"text": text, "x": vec![json!({"y": [1, 2, 3]}); 10_000]}}));
        assert_eq!(update.message.and_then(|m| m.text).map(|t| t.len()), Some(2 << 20));
    }
}
