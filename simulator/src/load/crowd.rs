//! What people do: the part of a load that knows the bot.

use serde::Deserialize;

/// A button under a message, as far as people need it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Button {
    /// Its label.
    pub text: String,
    /// Its callback data; none for links.
    #[serde(default)]
    pub callback_data: Option<String>,
}

/// The bot's last message to somebody, the one with buttons if the load server waits for buttons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its number.
    pub message: i64,
    /// Its text or caption.
    pub text: String,
    /// Its buttons, row after row.
    pub buttons: Vec<Button>,
}

/// One thing that a person does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Writes a text; one that begins with a slash is a command.
    Say(String),
    /// Presses a button of the last message that was seen.
    Tap(String),
    /// Sends a photo.
    Photo,
}

/// Who does what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// To which bot: its place in [`super::LoadConfig::bots`].
    pub bot: usize,
    /// User id; the id of the private chat too.
    pub person: i64,
    /// What.
    pub act: Act,
}

/// People in conversation with bots. A seat holds one person at a time, who leaves it by another taking the next turn.
pub trait Crowd: Send + 'static {
    /// The next turn of a seat. `seen` is none at the beginning, and after a reply that nobody could use did not come in time.
    fn next(&mut self, seat: usize, seen: Option<&Seen>) -> Turn;
}
