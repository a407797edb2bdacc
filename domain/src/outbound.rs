//! What goes out to a chat: the payload of an outbox item, already in the reader's language.

use serde::{Deserialize, Serialize};

use crate::ids::{BotId, ChatId};
use crate::screen::{Screen, Slot};

/// One thing to do in a chat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outbound {
    /// By which bot.
    pub bot: BotId,
    /// In which chat.
    pub chat: ChatId,
    /// In which topic of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<i64>,
    /// What.
    pub what: OutboundKind,
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum OutboundKind {
    /// A new message, or several when it is long; the last one carries the buttons and takes the slot.
    Send {
        /// Its name, for later edits and replies.
        slot: Option<Slot>,
        /// Its content.
        screen: Screen,
    },
    /// Moves the message of a slot to the end of the chat with a new content: the old one is deleted, if there is one, and this is sent.
    Move {
        /// Which message.
        slot: Slot,
        /// Its new content.
        screen: Screen,
    },
    /// Changes the message of a slot in place; sends it anew when there is none or it cannot be changed.
    Edit {
        /// Which message.
        slot: Slot,
        /// Its new content.
        screen: Screen,
    },
    /// Takes the buttons off the message of a slot; nothing happens when there is none.
    Retire {
        /// Which message.
        slot: Slot,
    },
    /// Deletes the message of a slot; nothing happens when there is none or it is too old to delete.
    Delete {
        /// Which message.
        slot: Slot,
    },
    /// Answers a tap, so that the button stops spinning.
    Answer {
        /// The callback query.
        callback: String,
        /// A few words, shown shortly, or until closed if `alert`.
        text: Option<String>,
        /// Shown until closed.
        alert: bool,
    },
    /// Shows that the bot is busy ("typing…"); never retried.
    Busy,
    /// Sets the commands that the client of this chat lists, instead of those for everybody; none takes them away.
    Commands {
        /// Name without the slash, and what it does.
        commands: Vec<(String, String)>,
    },
    /// Says why, if it may, and leaves the group.
    Leave {
        /// Why.
        screen: Screen,
    },
}
