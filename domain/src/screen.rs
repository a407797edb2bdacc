//! What a person sees: text, media and buttons, free of any transport.

use serde::{Deserialize, Serialize};

use crate::msg::Msg;
use crate::rich::{Node, Rich};

/// Name of a message within its chat, so that it can be edited or answered later without knowing its Telegram id.
///
/// `menu`, `job:17`, `run:4:s3:0`, `question:8`, …
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Slot(pub String);

impl Slot {
    /// A slot of this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Media {
    /// SHA-256 (hex) of the bytes in the file store.
    Blob(String),
    /// A Telegram file id of the same bot.
    File(String),
}

/// How a button looks (Bot API 9.4 `style`; older clients show the plain one).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// As usual.
    #[default]
    Plain,
    /// The next action.
    Primary,
    /// It cannot be taken back.
    Danger,
}

/// What a press does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Press {
    /// Sends this callback data back: 1 to 64 bytes.
    Callback(String),
    /// Opens an address.
    Url(String),
    /// Copies a text of 1 to 256 characters.
    Copy(String),
}

/// A button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    /// Its label, a message or text.
    pub label: Node,
    /// What a press does.
    pub press: Press,
    /// How it looks.
    #[serde(default)]
    pub style: Style,
}

/// Text, media and buttons.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Screen {
    /// The text.
    pub body: Rich,
    /// Pictures, shown above the text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Media>,
    /// Rows of buttons under the text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Vec<Button>>,
    /// Asks the client to open the keyboard with this placeholder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<Node>,
    /// Without a sound.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub silent: bool,
}

impl Screen {
    /// A screen of one message.
    pub fn say(msg: Msg) -> Self {
        Self { body: msg.into(), ..Self::default() }
    }

    /// A screen of this text.
    #[must_use]
    pub fn of(body: Rich) -> Self {
        Self { body, ..Self::default() }
    }

    /// Adds a row of one button.
    #[must_use]
    pub fn button(mut self, label: impl Into<Node>, data: impl Into<String>) -> Self {
        self.buttons.push(vec![Button { label: label.into(), press: Press::Callback(data.into()), style: Style::Plain }]);
        self
    }

    /// Adds a row of one button for the next action.
    #[must_use]
    pub fn primary(mut self, label: impl Into<Node>, data: impl Into<String>) -> Self {
        self.buttons.push(vec![Button { label: label.into(), press: Press::Callback(data.into()), style: Style::Primary }]);
        self
    }

    /// Adds a row of several buttons.
    #[must_use]
    pub fn row(mut self, buttons: impl IntoIterator<Item = (Node, String)>) -> Self {
        let row: Vec<Button> =
            buttons.into_iter().map(|(label, data)| Button { label, press: Press::Callback(data), style: Style::Plain }).collect();
        if !row.is_empty() {
            self.buttons.push(row);
        }
        self
    }

    /// Replaces every message by the text that `say` gives for it.
    #[must_use]
    pub fn resolve(self, say: &dyn Fn(&Msg) -> String) -> Self {
        let label = |node: Node| match node {
            Node::Msg(msg) => Node::Text(say(&msg)),
            node => node,
        };
        Self {
            body: self.body.resolve(say),
            media: self.media,
            buttons: self
                .buttons
                .into_iter()
                .map(|row| row.into_iter().map(|button| Button { label: label(button.label), ..button }).collect())
                .collect(),
            ask: self.ask.map(label),
            silent: self.silent,
        }
    }
}
