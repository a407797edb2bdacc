//! How much waits, and sweeping out what is finished.

use std::time::Duration;

use sqlx::{PgConnection, Row};

use crate::error::QueueError;
use crate::item::Queue;
use crate::sql::sql;

sql! {
    DEPTH = "
        SELECT q.queue, i.waiting, i.ready, i.oldest, l.leased, d.dead
        FROM unnest($1::smallint[]) AS q(queue)
        CROSS JOIN LATERAL (
            SELECT count(*) AS waiting, count(*) FILTER (WHERE run_at <= now()) AS ready,
                extract(epoch FROM now() - min(run_at) FILTER (WHERE run_at <= now()))::float8 AS oldest
            FROM queue_items i WHERE i.queue = q.queue AND i.status = 0
        ) i
        CROSS JOIN LATERAL (
            SELECT count(*) AS leased FROM queue_lanes l WHERE l.queue = q.queue AND l.lease_token IS NOT NULL AND l.ready_at > now()
        ) l
        CROSS JOIN LATERAL (SELECT count(*) AS dead FROM queue_items i WHERE i.queue = q.queue AND i.status = 2) d
        ORDER BY q.queue
    ";
    IDLE = "
        SELECT NOT EXISTS (SELECT FROM queue_items WHERE status = 0 AND run_at <= now())
            AND NOT EXISTS (SELECT FROM queue_lanes WHERE lease_token IS NOT NULL AND ready_at > now())
    ";
    PURGE = "
        DELETE FROM queue_items WHERE id IN (
            SELECT id FROM queue_items WHERE status IN (1, 3) AND done_at < now() - make_interval(secs => $1) ORDER BY done_at LIMIT $2
            FOR UPDATE SKIP LOCKED
        )
    ";
    PURGE_LIMITS = "DELETE FROM rate_limits WHERE updated_at < now() - interval '1 day' AND coalesce(blocked_until < now(), true)";
}

/// How much there is in a queue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Depth {
    /// The queue.
    pub queue: Queue,
    /// Items not finished, those for later among them.
    pub waiting: u64,
    /// Items that could be worked on now, those in hand among them.
    pub ready: u64,
    /// How long the oldest of them has been ready; zero if there is none.
    pub oldest: Duration,
    /// Lanes being worked on.
    pub leased: u64,
    /// Dead letters.
    pub dead: u64,
}

/// How much there is, per queue. Counts all unfinished items: a statement for metrics, not for every request.
///
/// # Errors
/// [`QueueError::Database`].
pub async fn depth(conn: &mut PgConnection) -> Result<Vec<Depth>, QueueError> {
    let rows = sqlx::query(DEPTH).bind(Queue::ALL.map(Queue::code).as_slice()).fetch_all(conn).await?;
    let number = |n: i64| u64::try_from(n).unwrap_or_default();
    rows.iter()
        .map(|row| {
            Ok(Depth {
                queue: Queue::from_code(row.try_get("queue")?)?,
                waiting: number(row.try_get("waiting")?),
                ready: number(row.try_get("ready")?),
                oldest: Duration::try_from_secs_f64(row.try_get::<Option<f64>, _>("oldest")?.unwrap_or_default()).unwrap_or_default(),
                leased: number(row.try_get("leased")?),
                dead: number(row.try_get("dead")?),
            })
        })
        .collect()
}

/// Whether nothing is ready and nothing is being worked on. Timers that are not over and dead letters do not count.
///
/// # Errors
/// [`QueueError::Database`].
pub async fn idle(conn: &mut PgConnection) -> Result<bool, QueueError> {
    Ok(sqlx::query_scalar(IDLE).fetch_one(conn).await?)
}

/// Removes items finished or superseded longer ago than this, at most `limit`, and forgotten limits. Returns how many items; call it again
/// while that is `limit`. A purged dedupe key is accepted again, so keep items for longer than a duplicate can be late.
///
/// # Errors
/// [`QueueError::Database`].
pub async fn purge(conn: &mut PgConnection, older_than: Duration, limit: u32) -> Result<u64, QueueError> {
    let purged = sqlx::query(PURGE).bind(older_than.as_secs_f64()).bind(i64::from(limit)).execute(&mut *conn).await?.rows_affected();
    sqlx::query(PURGE_LIMITS).execute(conn).await?;
    Ok(purged)
}
