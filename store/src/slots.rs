//! Names of messages: which Telegram message a slot is at the moment, and what an older message was.

use fitter_domain::ids::{BotId, ChatId};
use fitter_domain::screen::Slot;
use sqlx::postgres::PgRow;
use sqlx::{Error, PgConnection, Row};

use crate::sql::{named, sql};

sql! {
    BY_MESSAGE = "SELECT message, slot, kind, current FROM message_slots WHERE bot = $1 AND chat = $2 AND message = $3";
    BY_SLOT = "SELECT message, slot, kind, current FROM message_slots WHERE bot = $1 AND chat = $2 AND slot = $3 AND current";
    LEAVE = "UPDATE message_slots SET current = false WHERE bot = $1 AND chat = $2 AND slot = $3 AND current AND message <> $4";
    PUT = "
        INSERT INTO message_slots (bot, chat, message, slot, kind, current) VALUES ($1, $2, $3, $4, $5, true)
        ON CONFLICT (bot, chat, message) DO UPDATE SET slot = excluded.slot, kind = excluded.kind, current = true
    ";
    REMOVE = "UPDATE message_slots SET current = false WHERE bot = $1 AND chat = $2 AND slot = $3 AND current";
}

/// What a message can be edited to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// A text.
    Text,
    /// A picture or document with a caption.
    Media,
}

impl MessageKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Media => "media",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Text, Self::Media].into_iter().find(|kind| kind.name() == name)
    }
}

/// A message with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotMessage {
    /// Telegram's number of it within the chat.
    pub message: i64,
    /// Its name.
    pub slot: Slot,
    /// What it is.
    pub kind: MessageKind,
    /// Whether the name still belongs to it, and not to a newer message or to none.
    pub current: bool,
}

/// What a message is or was.
///
/// # Errors
/// If the database refuses.
pub async fn by_message(conn: &mut PgConnection, bot: BotId, chat: ChatId, message: i64) -> Result<Option<SlotMessage>, Error> {
    sqlx::query(BY_MESSAGE).bind(bot.0).bind(chat.0).bind(message).fetch_optional(conn).await?.as_ref().map(slot_message).transpose()
}

/// The message that has the name now.
///
/// # Errors
/// If the database refuses.
pub async fn by_slot(conn: &mut PgConnection, bot: BotId, chat: ChatId, slot: &Slot) -> Result<Option<SlotMessage>, Error> {
    sqlx::query(BY_SLOT).bind(bot.0).bind(chat.0).bind(&slot.0).fetch_optional(conn).await?.as_ref().map(slot_message).transpose()
}

/// Gives the name to a message; the one that had it keeps it for the memory only.
///
/// # Errors
/// If the database refuses.
pub async fn put(conn: &mut PgConnection, bot: BotId, chat: ChatId, slot: &Slot, message: i64, kind: MessageKind) -> Result<(), Error> {
    sqlx::query(LEAVE).bind(bot.0).bind(chat.0).bind(&slot.0).bind(message).execute(&mut *conn).await?;
    sqlx::query(PUT).bind(bot.0).bind(chat.0).bind(message).bind(&slot.0).bind(kind.name()).execute(conn).await.map(drop)
}

/// Takes the name from the message that has it, which was deleted or cannot be changed any more.
///
/// # Errors
/// If the database refuses.
pub async fn remove(conn: &mut PgConnection, bot: BotId, chat: ChatId, slot: &Slot) -> Result<(), Error> {
    sqlx::query(REMOVE).bind(bot.0).bind(chat.0).bind(&slot.0).execute(conn).await.map(drop)
}

fn slot_message(row: &PgRow) -> Result<SlotMessage, Error> {
    Ok(SlotMessage {
        message: row.try_get("message")?,
        slot: Slot(row.try_get("slot")?),
        kind: named(row, "kind", MessageKind::from_name)?,
        current: row.try_get("current")?,
    })
}
