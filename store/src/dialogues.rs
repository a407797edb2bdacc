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
    CREATE_MANY = "
        INSERT INTO dialogues (bot, chat, thread, version, state, rev)
        SELECT bot, chat, thread, 0, 'null', 0 FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS n(bot, chat, thread)
        ORDER BY bot, chat, thread ON CONFLICT (bot, chat, thread) DO NOTHING
    ";
    // In the order of keys: two that lock several at a time wait for each other at most.
    LOCK_MANY = "
        SELECT n.ord, d.version, d.state, d.rev FROM dialogues d
        JOIN unnest($1::bigint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS n(bot, chat, thread, ord) USING (bot, chat, thread)
        ORDER BY d.bot, d.chat, d.thread FOR UPDATE OF d
    ";
    SAVE_MANY = "
        UPDATE dialogues d SET version = $4, state = n.state::jsonb, rev = d.rev + 1, updated_at = now()
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $5::text[], $6::bigint[]) AS n(bot, chat, thread, state, rev)
        WHERE d.bot = n.bot AND d.chat = n.chat AND d.thread = n.thread AND d.rev = n.rev
    ";
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

/// Where a dialogue stands after a turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Stand {
    /// Which dialogue.
    pub key: DialogueKey,
    /// Its state.
    pub state: Value,
    /// The revision that the turn began with.
    pub rev: i64,
}

fn columns<'a>(keys: impl Iterator<Item = &'a DialogueKey>) -> (Vec<i64>, Vec<i64>, Vec<i64>) {
    let (mut bots, mut chats, mut threads) = (Vec::new(), Vec::new(), Vec::new());
    for key in keys {
        bots.push(key.bot.0);
        chats.push(key.chat.0);
        threads.push(key.thread.unwrap_or_default());
    }
    (bots, chats, threads)
}

/// [`lock`] for several dialogues, each named once; in their order.
///
/// # Errors
/// If the database refuses.
pub async fn lock_many(conn: &mut PgConnection, keys: &[DialogueKey]) -> Result<Vec<DialogueRow>, Error> {
    let (bots, chats, threads) = columns(keys.iter());
    loop {
        let rows = sqlx::query(LOCK_MANY).bind(&bots).bind(&chats).bind(&threads).fetch_all(&mut *conn).await?;
        if rows.len() < keys.len() {
            sqlx::query(CREATE_MANY).bind(&bots).bind(&chats).bind(&threads).execute(&mut *conn).await?;
            continue;
        }
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            let place: i64 = row.try_get("ord")?;
            found.push((place, DialogueRow { version: row.try_get("version")?, state: row.try_get("state")?, rev: row.try_get("rev")? }));
        }
        found.sort_unstable_by_key(|(place, _)| *place);
        return Ok(found.into_iter().map(|(_, row)| row).collect());
    }
}

/// [`save`] for several dialogues. `false` if one of them is not at its revision any more: roll back.
///
/// # Errors
/// If the database refuses.
pub async fn save_many(conn: &mut PgConnection, version: i32, stands: &[Stand]) -> Result<bool, Error> {
    let (bots, chats, threads) = columns(stands.iter().map(|stand| &stand.key));
    let states: Vec<String> = stands.iter().map(|stand| stand.state.to_string()).collect();
    let revs: Vec<i64> = stands.iter().map(|stand| stand.rev).collect();
    let saved = sqlx::query(SAVE_MANY).bind(bots).bind(chats).bind(threads).bind(version).bind(states).bind(revs).execute(conn).await?;
    Ok(saved.rows_affected() == stands.len() as u64)
}
