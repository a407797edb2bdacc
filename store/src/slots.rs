//! Names of messages: which Telegram message a slot is at the moment, and what an older message was.

use fitter_domain::ids::{BotId, ChatId};
use fitter_domain::screen::Slot;
use sqlx::postgres::PgRow;
use sqlx::{Error, PgConnection, Row};

use crate::sql::{named, sql};

sql! {
    BY_MESSAGE = "SELECT message, slot, kind, current FROM message_slots WHERE bot = $1 AND chat = $2 AND message = $3";
    BY_SLOT = "SELECT message, slot, kind, current FROM message_slots WHERE bot = $1 AND chat = $2 AND slot = $3 AND current";
    BY_MESSAGES = "
        SELECT n.ord, m.message, m.slot, m.kind, m.current FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS n(bot, chat, message, ord)
        JOIN message_slots m ON m.bot = n.bot AND m.chat = n.chat AND m.message = n.message
    ";
    BY_SLOTS = "
        SELECT n.ord, m.message, m.slot, m.kind, m.current FROM unnest($1::bigint[], $2::bigint[], $3::text[]) WITH ORDINALITY AS n(bot, chat, slot, ord)
        JOIN message_slots m ON m.bot = n.bot AND m.chat = n.chat AND m.slot = n.slot AND m.current
    ";
    LEAVE = "
        UPDATE message_slots m SET current = false FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[]) AS n(bot, chat, slot, message)
        WHERE m.bot = n.bot AND m.chat = n.chat AND m.slot = n.slot AND m.current AND m.message <> n.message
    ";
    // A message that was edited in place has its name already.
    PUT = "
        INSERT INTO message_slots (bot, chat, message, slot, kind, current)
        SELECT bot, chat, message, slot, kind, true FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::text[]) AS n(bot, chat, slot, message, kind)
        WHERE NOT EXISTS (
            SELECT FROM message_slots m
            WHERE m.bot = n.bot AND m.chat = n.chat AND m.message = n.message AND m.slot = n.slot AND m.kind = n.kind AND m.current
        )
        ORDER BY bot, chat, message
        ON CONFLICT (bot, chat, message) DO UPDATE SET slot = excluded.slot, kind = excluded.kind, current = true
    ";
    REMOVE = "
        UPDATE message_slots m SET current = false FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS n(bot, chat, slot)
        WHERE m.bot = n.bot AND m.chat = n.chat AND m.slot = n.slot AND m.current
    ";
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

/// A message that takes a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naming {
    /// By which bot.
    pub bot: BotId,
    /// In which chat.
    pub chat: ChatId,
    /// The name.
    pub slot: Slot,
    /// Telegram's number of the message within the chat.
    pub message: i64,
    /// What it is.
    pub kind: MessageKind,
}

/// Gives the name to a message; the one that had it keeps it for the memory only.
///
/// # Errors
/// If the database refuses.
pub async fn put(conn: &mut PgConnection, bot: BotId, chat: ChatId, slot: &Slot, message: i64, kind: MessageKind) -> Result<(), Error> {
    put_many(conn, &[Naming { bot, chat, slot: slot.clone(), message, kind }]).await
}

/// [`put`] for several messages; no message and no name of a chat twice.
///
/// # Errors
/// If the database refuses.
pub async fn put_many(conn: &mut PgConnection, all: &[Naming]) -> Result<(), Error> {
    let bots: Vec<i64> = all.iter().map(|naming| naming.bot.0).collect();
    let chats: Vec<i64> = all.iter().map(|naming| naming.chat.0).collect();
    let slots: Vec<&str> = all.iter().map(|naming| naming.slot.0.as_str()).collect();
    let messages: Vec<i64> = all.iter().map(|naming| naming.message).collect();
    let kinds: Vec<&str> = all.iter().map(|naming| naming.kind.name()).collect();
    sqlx::query(LEAVE).bind(&bots).bind(&chats).bind(&slots).bind(&messages).execute(&mut *conn).await?;
    sqlx::query(PUT).bind(bots).bind(chats).bind(slots).bind(messages).bind(kinds).execute(conn).await.map(drop)
}

/// What several messages are or were, in their order.
///
/// # Errors
/// If the database refuses.
pub async fn by_messages(conn: &mut PgConnection, all: &[(BotId, ChatId, i64)]) -> Result<Vec<Option<SlotMessage>>, Error> {
    let bots: Vec<i64> = all.iter().map(|(bot, ..)| bot.0).collect();
    let chats: Vec<i64> = all.iter().map(|(_, chat, _)| chat.0).collect();
    let messages: Vec<i64> = all.iter().map(|(.., message)| *message).collect();
    in_order(sqlx::query(BY_MESSAGES).bind(bots).bind(chats).bind(messages).fetch_all(conn).await?, all.len())
}

/// The messages that have these names now, in their order.
///
/// # Errors
/// If the database refuses.
pub async fn by_slots(conn: &mut PgConnection, all: &[(BotId, ChatId, Slot)]) -> Result<Vec<Option<SlotMessage>>, Error> {
    let bots: Vec<i64> = all.iter().map(|(bot, ..)| bot.0).collect();
    let chats: Vec<i64> = all.iter().map(|(_, chat, _)| chat.0).collect();
    let slots: Vec<&str> = all.iter().map(|(.., slot)| slot.0.as_str()).collect();
    in_order(sqlx::query(BY_SLOTS).bind(bots).bind(chats).bind(slots).fetch_all(conn).await?, all.len())
}

fn in_order(rows: Vec<PgRow>, count: usize) -> Result<Vec<Option<SlotMessage>>, Error> {
    let mut found = vec![None; count];
    for row in rows {
        let place: i64 = row.try_get("ord")?;
        if let Some(found) = usize::try_from(place - 1).ok().and_then(|place| found.get_mut(place)) {
            *found = Some(slot_message(&row)?);
        }
    }
    Ok(found)
}

/// Takes the name from the message that has it, which was deleted or cannot be changed any more.
///
/// # Errors
/// If the database refuses.
pub async fn remove(conn: &mut PgConnection, bot: BotId, chat: ChatId, slot: &Slot) -> Result<(), Error> {
    remove_many(conn, &[(bot, chat, slot.clone())]).await
}

/// [`remove`] for several names.
///
/// # Errors
/// If the database refuses.
pub async fn remove_many(conn: &mut PgConnection, all: &[(BotId, ChatId, Slot)]) -> Result<(), Error> {
    let bots: Vec<i64> = all.iter().map(|(bot, ..)| bot.0).collect();
    let chats: Vec<i64> = all.iter().map(|(_, chat, _)| chat.0).collect();
    let slots: Vec<&str> = all.iter().map(|(.., slot)| slot.0.as_str()).collect();
    sqlx::query(REMOVE).bind(bots).bind(chats).bind(slots).execute(conn).await.map(drop)
}

fn slot_message(row: &PgRow) -> Result<SlotMessage, Error> {
    Ok(SlotMessage {
        message: row.try_get("message")?,
        slot: Slot(row.try_get("slot")?),
        kind: named(row, "kind", MessageKind::from_name)?,
        current: row.try_get("current")?,
    })
}
