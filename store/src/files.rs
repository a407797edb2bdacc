//! Telegram's files and our own.

use fitter_domain::ids::BotId;
use sqlx::{Error, PgConnection, Row};

use crate::sql::sql;

sql! {
    SEEN = "
        INSERT INTO telegram_files AS f (bot, unique_id, file_id, size) VALUES ($1, $2, $3, $4)
        ON CONFLICT (bot, unique_id) DO UPDATE SET file_id = excluded.file_id, size = greatest(f.size, excluded.size)
    ";
    FETCHED = "UPDATE telegram_files SET blob = $3 WHERE bot = $1 AND unique_id = $2";
    GET = "SELECT bot, unique_id, file_id, size, blob FROM telegram_files WHERE bot = $1 AND unique_id = $2";
    // A file has several ids, of which the photos have the one under which they came. Two questions, because an OR of them finds no index.
    BLOB_OF = "
        SELECT blob FROM telegram_files WHERE bot = $1 AND file_id = $2 AND blob IS NOT NULL
        UNION ALL
        SELECT f.blob FROM photos p JOIN telegram_files f ON f.bot = p.bot AND f.unique_id = p.unique_id
        WHERE p.bot = $1 AND p.file_id = $2 AND f.blob IS NOT NULL
        LIMIT 1
    ";
    UPLOADED = "SELECT file_id FROM uploads WHERE bot = $1 AND blob = $2";
    REMEMBER = "
        INSERT INTO uploads (bot, blob, file_id) VALUES ($1, $2, $3) ON CONFLICT (bot, blob) DO UPDATE SET file_id = excluded.file_id
    ";
    FORGET = "DELETE FROM uploads WHERE bot = $1 AND blob = $2";
}

/// A file that came by Telegram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelegramFile {
    /// The bot that got it.
    pub bot: BotId,
    /// The same for the same file everywhere.
    pub unique_id: String,
    /// To fetch or send it by that bot; the newest one seen.
    pub file_id: String,
    /// Bytes, 0 if unknown.
    pub size: u64,
    /// SHA-256 (hex) of its bytes once it is in the file store.
    pub blob: Option<String>,
}

/// Remembers a file that came.
///
/// # Errors
/// If the database refuses.
pub async fn seen(conn: &mut PgConnection, bot: BotId, unique_id: &str, file_id: &str, size: u64) -> Result<(), Error> {
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    sqlx::query(SEEN).bind(bot.0).bind(unique_id).bind(file_id).bind(size).execute(conn).await.map(drop)
}

/// Remembers that a file is in the file store.
///
/// # Errors
/// If the database refuses.
pub async fn fetched(conn: &mut PgConnection, bot: BotId, unique_id: &str, blob: &str) -> Result<(), Error> {
    sqlx::query(FETCHED).bind(bot.0).bind(unique_id).bind(blob).execute(conn).await.map(drop)
}

/// One file that came.
///
/// # Errors
/// If the database refuses.
pub async fn get(conn: &mut PgConnection, bot: BotId, unique_id: &str) -> Result<Option<TelegramFile>, Error> {
    let row = sqlx::query(GET).bind(bot.0).bind(unique_id).fetch_optional(conn).await?;
    row.map(|row| {
        Ok(TelegramFile {
            bot: BotId(row.try_get("bot")?),
            unique_id: row.try_get("unique_id")?,
            file_id: row.try_get("file_id")?,
            size: u64::try_from(row.try_get::<i64, _>("size")?).unwrap_or_default(),
            blob: row.try_get("blob")?,
        })
    })
    .transpose()
}

/// The content of a file by its file id, once it is in the file store.
///
/// # Errors
/// If the database refuses.
pub async fn blob_of(conn: &mut PgConnection, bot: BotId, file_id: &str) -> Result<Option<String>, Error> {
    sqlx::query_scalar(BLOB_OF).bind(bot.0).bind(file_id).fetch_optional(conn).await
}

/// The file id under which a bot has sent these bytes before.
///
/// # Errors
/// If the database refuses.
pub async fn uploaded(conn: &mut PgConnection, bot: BotId, blob: &str) -> Result<Option<String>, Error> {
    sqlx::query_scalar(UPLOADED).bind(bot.0).bind(blob).fetch_optional(conn).await
}

/// Remembers the file id that Telegram gave to bytes that a bot has sent.
///
/// # Errors
/// If the database refuses.
pub async fn remember_upload(conn: &mut PgConnection, bot: BotId, blob: &str, file_id: &str) -> Result<(), Error> {
    sqlx::query(REMEMBER).bind(bot.0).bind(blob).bind(file_id).execute(conn).await.map(drop)
}

/// Forgets a file id that Telegram does not take any more.
///
/// # Errors
/// If the database refuses.
pub async fn forget_upload(conn: &mut PgConnection, bot: BotId, blob: &str) -> Result<(), Error> {
    sqlx::query(FORGET).bind(bot.0).bind(blob).execute(conn).await.map(drop)
}
