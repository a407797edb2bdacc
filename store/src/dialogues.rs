//! The state of a dialogue.

use fitter_domain::ids::{BotId, ChatId};
use serde_json::Value;
use sqlx::{Error, PgConnection, Row};

use crate::sql::sql;

sql! {
    CREATE = "
        INSERT INTO dialogues (bot, chat, thread, version, state, rev) VALUES ($1, $2, $3, 0, 'null', 0) ON CONFLICT (bot, chat, thread) DO NOTHING
    ";
    LOCK = "SELECT version, state, rev FROM dialogues WHERE bot = $1 AND chat = $2 AND thread = $3 FOR UPDATE";
    SAVE = "
        UPDATE dialogues SET version = $4, state = $5, rev = rev + 1, updated_at = now()
        WHERE bot = $1 AND chat = $2 AND thread = $3 AND rev = $6
    ";
}

/// Which dialogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DialogueKey {
    /// With which bot.
    pub bot: BotId,
    /// In which chat.
    pub chat: ChatId,
    /// In which topic of it.
    pub thread: Option<i64>,
}

/// A dialogue as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct DialogueRow {
    /// Version of the state's form; 0 for a dialogue that was just made.
    pub version: i32,
    /// The state; `null` for a dialogue that was just made.
    pub state: Value,
    /// Counts the changes.
    pub rev: i64,
}

/// Reads a dialogue, made if there is none, and locks it until the transaction ends.
///
/// # Errors
/// If the database refuses.
pub async fn lock(conn: &mut PgConnection, key: DialogueKey) -> Result<DialogueRow, Error> {
    let thread = key.thread.unwrap_or_default();
    loop {
        let found = sqlx::query(LOCK).bind(key.bot.0).bind(key.chat.0).bind(thread).fetch_optional(&mut *conn).await?;
        if let Some(row) = found {
            return Ok(DialogueRow { version: row.try_get("version")?, state: row.try_get("state")?, rev: row.try_get("rev")? });
        }
        sqlx::query(CREATE).bind(key.bot.0).bind(key.chat.0).bind(thread).execute(&mut *conn).await?;
    }
}

/// Stores the state and counts it. `false` if the dialogue is not at revision `expected` any more: nothing is stored.
///
/// # Errors
/// If the database refuses.
pub async fn save(conn: &mut PgConnection, key: DialogueKey, version: i32, state: &Value, expected: i64) -> Result<bool, Error> {
    let saved = sqlx::query(SAVE)
        .bind(key.bot.0)
        .bind(key.chat.0)
        .bind(key.thread.unwrap_or_default())
        .bind(version)
        .bind(state)
        .bind(expected)
        .execute(conn)
        .await?;
    Ok(saved.rows_affected() == 1)
}
