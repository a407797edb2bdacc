//! Dead letters: items that failed for good, to be looked at and replayed.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{Connection, PgConnection, Row};

use crate::claim::count;
use crate::error::QueueError;
use crate::item::{ItemId, Queue};
use crate::put::refresh;
use crate::sql::sql;

sql! {
    LIST = "
        SELECT id, queue, lane, payload::text, attempts, error, created_at, done_at FROM queue_items
        WHERE status = 2 AND id > $1 ORDER BY id LIMIT $2
    ";
    SHOW = "SELECT id, queue, lane, payload::text, attempts, error, created_at, done_at FROM queue_items WHERE status = 2 AND id = $1";
    WAKE_LANE = "
        INSERT INTO queue_lanes AS l (queue, lane, priority, ready_at)
        SELECT queue, lane, priority, now() FROM queue_items WHERE id = $1 AND status = 2
        ON CONFLICT (queue, lane) DO UPDATE SET priority = least(l.priority, excluded.priority)
        RETURNING queue, lane
    ";
    DISCARD = "UPDATE queue_items SET status = 1 WHERE id = $1 AND status = 2";
    REPLAY = "UPDATE queue_items SET status = 0, attempts = 0, run_at = now(), done_at = NULL WHERE id = $1 AND status = 2";
}

/// An item that failed for good.
#[derive(Clone, PartialEq, Eq)]
pub struct DeadItem {
    /// Its number.
    pub id: ItemId,
    /// Its queue.
    pub queue: Queue,
    /// Its lane.
    pub lane: String,
    /// JSON text as it was put.
    pub payload: String,
    /// Failed attempts.
    pub attempts: u16,
    /// What the last one said.
    pub error: String,
    /// When it was put.
    pub created: DateTime<Utc>,
    /// When it was given up.
    pub died: DateTime<Utc>,
}

impl std::fmt::Debug for DeadItem {
    /// Without the payload: it may hold a person's words.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeadItem")
            .field("id", &self.id.0)
            .field("queue", &self.queue)
            .field("lane", &self.lane)
            .field("attempts", &self.attempts)
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

/// Dead letters after number `after` (0 for the first), oldest first.
///
/// # Errors
/// [`QueueError::Database`].
pub async fn dead_list(conn: &mut PgConnection, after: ItemId, limit: u32) -> Result<Vec<DeadItem>, QueueError> {
    let rows = sqlx::query(LIST).bind(after.0).bind(i64::from(limit)).fetch_all(conn).await?;
    rows.iter().map(|row| Ok(dead(row)?)).collect()
}

/// One dead letter; `None` if there is none of this number.
///
/// # Errors
/// [`QueueError::Database`].
pub async fn dead_show(conn: &mut PgConnection, id: ItemId) -> Result<Option<DeadItem>, QueueError> {
    let row = sqlx::query(SHOW).bind(id.0).fetch_optional(conn).await?;
    Ok(row.as_ref().map(dead).transpose()?)
}

/// Gives a dead letter all its attempts again and wakes its lane, where it stands before what came later. `None` if there is none of this
/// number; else the queue whose workers should be woken after the commit.
///
/// # Errors
/// [`QueueError::Database`].
pub async fn replay(conn: &mut PgConnection, id: ItemId) -> Result<Option<Queue>, QueueError> {
    let mut tx = conn.begin().await?;
    let Some(row) = sqlx::query(WAKE_LANE).bind(id.0).fetch_optional(&mut *tx).await? else { return Ok(None) };
    let (queue, lane): (i16, String) = (row.try_get(0)?, row.try_get(1)?);
    let replayed = sqlx::query(REPLAY).bind(id.0).execute(&mut *tx).await?.rows_affected();
    refresh(&mut tx, &[queue], &[&lane]).await?;
    tx.commit().await?;
    Ok(if replayed == 1 { Some(Queue::from_code(queue)?) } else { None })
}

/// Counts a dead letter as done. `false` if there is none of this number.
///
/// # Errors
/// [`QueueError::Database`].
pub async fn discard(conn: &mut PgConnection, id: ItemId) -> Result<bool, QueueError> {
    Ok(sqlx::query(DISCARD).bind(id.0).execute(conn).await?.rows_affected() == 1)
}

fn dead(row: &PgRow) -> Result<DeadItem, sqlx::Error> {
    let created = row.try_get("created_at")?;
    Ok(DeadItem {
        id: ItemId(row.try_get("id")?),
        queue: Queue::from_code(row.try_get("queue")?)?,
        lane: row.try_get("lane")?,
        payload: row.try_get("payload")?,
        attempts: count(row, "attempts")?,
        error: row.try_get::<Option<String>, _>("error")?.unwrap_or_default(),
        created,
        died: row.try_get::<Option<DateTime<Utc>>, _>("done_at")?.unwrap_or(created),
    })
}
