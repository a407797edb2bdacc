//! Ending work: done, deferred, buried, held; renewing leases and giving lanes back.
//!
//! [`done`], [`defer`] and [`bury`] belong into the transaction of the work itself. They hold `FOR KEY SHARE` on the lane until it ends, which
//! keeps the lane from being claimed meanwhile but does not stand in the way of [`crate::put()`]; that is why they cannot deadlock with it.

use std::time::Duration;

use sqlx::{Connection, PgConnection, Row};

use crate::error::QueueError;
use crate::item::{Item, LaneLease, Queue};
use crate::sql::sql;

sql! {
    // What has a dedupe key is kept for a while, so that it is not accepted again. Nobody asks for the rest any more.
    DONE = "
        WITH held AS MATERIALIZED (SELECT FROM queue_lanes WHERE queue = $1 AND lane = $2 AND lease_token = $3 FOR KEY SHARE),
        kept AS (
            UPDATE queue_items SET status = 1, done_at = now()
            WHERE id = ANY ($4::bigint[]) AND queue = $1 AND lane = $2 AND status = 0 AND dedupe_key IS NOT NULL AND EXISTS (SELECT FROM held)
            RETURNING id
        ), gone AS (
            DELETE FROM queue_items
            WHERE id = ANY ($4::bigint[]) AND queue = $1 AND lane = $2 AND status = 0 AND dedupe_key IS NULL AND EXISTS (SELECT FROM held)
            RETURNING id
        )
        SELECT (SELECT count(*) FROM kept) + (SELECT count(*) FROM gone)
    ";
    DEFER = "
        WITH held AS MATERIALIZED (SELECT FROM queue_lanes WHERE queue = $1 AND lane = $2 AND lease_token = $3 FOR KEY SHARE)
        UPDATE queue_items SET attempts = attempts + 1, error = $6, run_at = now() + make_interval(secs => $5),
            status = CASE WHEN attempts + 1 >= max_attempts THEN 2 ELSE 0 END,
            done_at = CASE WHEN attempts + 1 >= max_attempts THEN now() END
        WHERE id = ANY ($4::bigint[]) AND queue = $1 AND lane = $2 AND status = 0 AND EXISTS (SELECT FROM held)
        RETURNING status
    ";
    BURY = "
        WITH held AS MATERIALIZED (SELECT FROM queue_lanes WHERE queue = $1 AND lane = $2 AND lease_token = $3 FOR KEY SHARE)
        UPDATE queue_items SET attempts = attempts + 1, error = $5, status = 2, done_at = now()
        WHERE id = ANY ($4::bigint[]) AND queue = $1 AND lane = $2 AND status = 0 AND EXISTS (SELECT FROM held)
    ";
    HOLD = "
        UPDATE queue_lanes SET hold_until = greatest(hold_until, now() + make_interval(secs => $4))
        WHERE queue = $1 AND lane = $2 AND lease_token = $3
    ";
    // Locked in the order of names, as put does. Lanes locked by others are left out, the next round is soon enough for them.
    RENEW = "
        WITH held AS MATERIALIZED (
            SELECT l.queue, l.lane, l.lease_token FROM queue_lanes l
            JOIN unnest($1::smallint[], $2::text[], $3::bigint[]) AS n(queue, lane, token)
                ON l.queue = n.queue AND l.lane = n.lane AND l.lease_token = n.token
            ORDER BY l.queue, l.lane FOR NO KEY UPDATE OF l SKIP LOCKED
        )
        UPDATE queue_lanes l SET ready_at = now() + make_interval(secs => $4) FROM held WHERE l.queue = held.queue AND l.lane = held.lane
        RETURNING l.lease_token
    ";
    LOCK = "
        SELECT l.lease_token FROM queue_lanes l
        JOIN unnest($1::smallint[], $2::text[], $3::bigint[]) AS n(queue, lane, token) ON l.queue = n.queue AND l.lane = n.lane AND l.lease_token = n.token
        ORDER BY l.queue, l.lane FOR UPDATE OF l
    ";
    TRY_LOCK = "
        SELECT l.lease_token FROM queue_lanes l
        JOIN unnest($1::smallint[], $2::text[], $3::bigint[]) AS n(queue, lane, token) ON l.queue = n.queue AND l.lane = n.lane AND l.lease_token = n.token
        ORDER BY l.queue, l.lane FOR UPDATE OF l SKIP LOCKED
    ";
    // Whose lease it still is; a lane that somebody else has locked at the moment is left out.
    KEEP = "
        SELECT n.ord FROM queue_lanes l
        JOIN unnest($1::smallint[], $2::text[], $3::bigint[]) WITH ORDINALITY AS n(queue, lane, token, ord)
            ON l.queue = n.queue AND l.lane = n.lane AND l.lease_token = n.token
        ORDER BY l.queue, l.lane FOR KEY SHARE OF l SKIP LOCKED
    ";
    DONE_KEPT = "UPDATE queue_items SET status = 1, done_at = now() WHERE id = ANY ($1::bigint[]) AND status = 0";
    DONE_GONE = "DELETE FROM queue_items WHERE id = ANY ($1::bigint[]) AND status = 0";
    STILL = "
        SELECT l.lease_token FROM queue_lanes l
        JOIN unnest($1::smallint[], $2::text[], $3::bigint[]) AS n(queue, lane, token) ON l.queue = n.queue AND l.lane = n.lane AND l.lease_token = n.token
    ";
    // Runs after LOCK or TRY_LOCK, never in the same statement: only a new snapshot sees the items of a put that held the lane's lock until
    // just now, and a lane given back without them would sleep on with work to do.
    // A lane that goes on stands behind the lanes that are ready now, so that a long backlog does not keep others out.
    FREE = "
        WITH head AS MATERIALIZED (
            SELECT n.queue, n.lane, h.run_at, h.priority FROM unnest($1::smallint[], $2::text[]) AS n(queue, lane)
            LEFT JOIN LATERAL (
                SELECT (array_agg(f.run_at ORDER BY f.id))[1] AS run_at, min(f.priority) AS priority FROM (
                    SELECT i.id, i.run_at, i.priority FROM queue_items i
                    WHERE i.queue = n.queue AND i.lane = n.lane AND i.status = 0 ORDER BY i.id LIMIT 20
                ) f
            ) h ON true
        ), gone AS (
            DELETE FROM queue_lanes l USING head
            WHERE l.queue = head.queue AND l.lane = head.lane AND head.run_at IS NULL AND coalesce(l.hold_until <= now(), true)
        )
        UPDATE queue_lanes l SET lease_token = NULL, taken = '{}', priority = coalesce(head.priority, l.priority),
            ready_at = greatest(head.run_at, l.hold_until, now()), hold_until = CASE WHEN l.hold_until > now() THEN l.hold_until END
        FROM head
        WHERE l.queue = head.queue AND l.lane = head.lane AND (head.run_at IS NOT NULL OR l.hold_until > now())
        RETURNING l.ready_at <= now() AS ready
    ";
}

/// Marks one item done.
///
/// # Errors
/// [`QueueError::LeaseLost`] if somebody else may have the lane by now or the item is finished already: roll the transaction back.
pub async fn done(conn: &mut PgConnection, lease: &LaneLease, item: &Item) -> Result<(), QueueError> {
    done_many(conn, lease, std::slice::from_ref(item)).await
}

/// Marks several items of a lease done, all or none.
///
/// # Errors
/// As [`done`].
pub async fn done_many(conn: &mut PgConnection, lease: &LaneLease, items: &[Item]) -> Result<(), QueueError> {
    if items.is_empty() {
        return Ok(());
    }
    let finished: i64 =
        sqlx::query_scalar(DONE).bind(lease.queue.code()).bind(&lease.lane).bind(lease.token).bind(ids(items)).fetch_one(conn).await?;
    whole(u64::try_from(finished).unwrap_or_default(), items)
}

/// What became of a deferred item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deferred {
    /// It is tried again.
    Again,
    /// It had its last attempt and is a dead letter now.
    Dead,
}

/// Counts a failed attempt: the item is tried again after `delay` and the lane waits for it, unless that was its last attempt.
///
/// Pass all items of an album. Give the lane back after this: items behind it must not be worked on first.
///
/// # Errors
/// As [`done`].
pub async fn defer(
    conn: &mut PgConnection,
    lease: &LaneLease,
    items: &[Item],
    delay: Duration,
    error: &str,
) -> Result<Deferred, QueueError> {
    let rows = sqlx::query(DEFER)
        .bind(lease.queue.code())
        .bind(&lease.lane)
        .bind(lease.token)
        .bind(ids(items))
        .bind(delay.as_secs_f64())
        .bind(printable(error))
        .fetch_all(conn)
        .await?;
    whole(rows.len() as u64, items)?;
    let dead = rows.iter().map(|row| row.try_get::<i16, _>(0)).collect::<Result<Vec<_>, _>>()?.contains(&2);
    Ok(if dead { Deferred::Dead } else { Deferred::Again })
}

/// Makes items dead letters; the lane goes on without them.
///
/// # Errors
/// As [`done`].
pub async fn bury(conn: &mut PgConnection, lease: &LaneLease, items: &[Item], reason: &str) -> Result<(), QueueError> {
    let buried = sqlx::query(BURY)
        .bind(lease.queue.code())
        .bind(&lease.lane)
        .bind(lease.token)
        .bind(ids(items))
        .bind(printable(reason))
        .execute(conn)
        .await?
        .rows_affected();
    whole(buried, items)
}

/// Keeps the lane from being claimed for this long, counted from now; no attempt is counted. For Telegram's `retry_after`.
///
/// # Errors
/// [`QueueError::LeaseLost`].
pub async fn hold(conn: &mut PgConnection, lease: &LaneLease, time: Duration) -> Result<(), QueueError> {
    let held = sqlx::query(HOLD)
        .bind(lease.queue.code())
        .bind(&lease.lane)
        .bind(lease.token)
        .bind(time.as_secs_f64())
        .execute(conn)
        .await?
        .rows_affected();
    if held == 1 { Ok(()) } else { Err(QueueError::LeaseLost) }
}

/// Extends leases to `lease` from now. Returns the tokens of those that were extended; another may be lost, or only busy at this moment.
///
/// # Errors
/// [`QueueError::Database`].
pub async fn renew(conn: &mut PgConnection, leases: &[&LaneLease], lease: Duration) -> Result<Vec<i64>, QueueError> {
    if leases.is_empty() {
        return Ok(Vec::new());
    }
    let keys = Keys::of(leases);
    let renewed =
        sqlx::query_scalar(RENEW).bind(keys.queues).bind(keys.lanes).bind(keys.tokens).bind(lease.as_secs_f64()).fetch_all(conn).await?;
    Ok(renewed)
}

/// Gives a lane back, finished or not; a lane with nothing left disappears. A lease that is lost already is nothing to give back.
///
/// Returns whether the lane has an item that is ready now, so that its workers should be woken.
///
/// # Errors
/// [`QueueError::Database`].
pub async fn release(conn: &mut PgConnection, lease: &LaneLease) -> Result<bool, QueueError> {
    let mut tx = conn.begin().await?;
    let keys = Keys::of(&[lease]);
    let held: Vec<i64> = sqlx::query_scalar(LOCK).bind(keys.queues).bind(keys.lanes).bind(keys.tokens).fetch_all(&mut *tx).await?;
    let ready = if held.is_empty() { false } else { free(&mut tx, &[lease]).await? };
    tx.commit().await?;
    Ok(ready)
}

/// What became of lanes that were to be given back.
#[derive(Debug, Default)]
pub(crate) struct Released {
    /// Tokens of those that were.
    pub free: Vec<i64>,
    /// Tokens of those that are locked by others at the moment and have to be given back later.
    pub busy: Vec<i64>,
    /// Whether one of the free lanes has an item that is ready now.
    pub ready: bool,
}

/// Gives back those lanes that can be locked at once, within a transaction. Waits for nobody. A lease that is lost already is nothing to give
/// back.
pub(crate) async fn release_some(conn: &mut PgConnection, leases: &[&LaneLease]) -> Result<Released, QueueError> {
    if leases.is_empty() {
        return Ok(Released::default());
    }
    let keys = Keys::of(leases);
    let free: Vec<i64> = sqlx::query_scalar(TRY_LOCK).bind(keys.queues).bind(keys.lanes).bind(keys.tokens).fetch_all(&mut *conn).await?;
    let (held, rest): (Vec<&LaneLease>, Vec<&LaneLease>) = leases.iter().partition(|lease| free.contains(&lease.token));
    let ready = self::free(conn, &held).await?;
    let busy = if rest.is_empty() {
        Vec::new()
    } else {
        let keys = Keys::of(&rest);
        sqlx::query_scalar(STILL).bind(keys.queues).bind(keys.lanes).bind(keys.tokens).fetch_all(conn).await?
    };
    Ok(Released { free, busy, ready })
}

/// Which of these leases still hold, in their order. Those that do are kept from being claimed until the transaction ends. Waits for nobody: a
/// lease whose lane is locked by somebody else at the moment counts as one that does not hold.
pub(crate) async fn keep(conn: &mut PgConnection, leases: &[&LaneLease]) -> Result<Vec<bool>, QueueError> {
    let keys = Keys::of(leases);
    let held: Vec<i64> = sqlx::query_scalar(KEEP).bind(keys.queues).bind(keys.lanes).bind(keys.tokens).fetch_all(conn).await?;
    let mut kept = vec![false; leases.len()];
    for place in held {
        if let Some(kept) = usize::try_from(place - 1).ok().and_then(|place| kept.get_mut(place)) {
            *kept = true;
        }
    }
    Ok(kept)
}

/// Marks items of lanes that were kept done, all or none.
pub(crate) async fn done_kept<'a>(conn: &mut PgConnection, items: impl Iterator<Item = &'a Item>) -> Result<(), QueueError> {
    let (kept, gone): (Vec<&Item>, Vec<&Item>) = items.partition(|item| item.dedupe.is_some());
    for (statement, items) in [(DONE_KEPT, kept), (DONE_GONE, gone)] {
        let ids: Vec<i64> = items.iter().map(|item| item.id.0).collect();
        if !ids.is_empty() && sqlx::query(statement).bind(&ids).execute(&mut *conn).await?.rows_affected() != ids.len() as u64 {
            return Err(QueueError::LeaseLost);
        }
    }
    Ok(())
}

/// Ends leases whose lanes the transaction has locked; whether any of them is ready again at once.
pub(crate) async fn free(conn: &mut PgConnection, leases: &[&LaneLease]) -> Result<bool, QueueError> {
    if leases.is_empty() {
        return Ok(false);
    }
    let keys = Keys::of(leases);
    let ready: Vec<bool> = sqlx::query_scalar(FREE).bind(keys.queues).bind(keys.lanes).fetch_all(conn).await?;
    Ok(ready.contains(&true))
}

struct Keys<'a> {
    queues: Vec<i16>,
    lanes: Vec<&'a str>,
    tokens: Vec<i64>,
}

impl<'a> Keys<'a> {
    fn of(leases: &[&'a LaneLease]) -> Self {
        Self {
            queues: leases.iter().map(|lease| Queue::code(lease.queue)).collect(),
            lanes: leases.iter().map(|lease| lease.lane.as_str()).collect(),
            tokens: leases.iter().map(|lease| lease.token).collect(),
        }
    }
}

fn ids(items: &[Item]) -> Vec<i64> {
    items.iter().map(|item| item.id.0).collect()
}

fn whole(changed: u64, items: &[Item]) -> Result<(), QueueError> {
    if changed == items.len() as u64 { Ok(()) } else { Err(QueueError::LeaseLost) }
}

/// An error text of bounded length that PostgreSQL takes: its text has no NUL.
fn printable(error: &str) -> String {
    error.chars().filter(|&c| c != '\0').take(2000).collect()
}
