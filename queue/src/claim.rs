//! Leasing lanes and taking their first items.

use std::collections::HashMap;
use std::time::Duration;

use sqlx::postgres::PgRow;
use sqlx::{Connection, PgConnection, Row};

use crate::error::QueueError;
use crate::finish;
use crate::item::{Item, ItemId, LaneLease, Priority, Queue};
use crate::sql::sql;

/// How much to claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// At most so many lanes.
    pub lanes: u32,
    /// At most so many of them of [`Priority::Bulk`].
    pub bulk: u32,
    /// At most so many items of each; an album comes whole.
    pub items_per_lane: u32,
    /// For how long, unless renewed.
    pub lease: Duration,
}

impl Default for Claim {
    fn default() -> Self {
        Self { lanes: 16, bulk: 16, items_per_lane: 10, lease: Duration::from_secs(30) }
    }
}

sql! {
    EXPIRE = "UPDATE queue_lanes SET ready_at = now() WHERE lease_token IS NOT NULL AND ready_at > now()";
    // The queue's number comes from the lanes themselves: a constant invites the planner, which knows nothing of the table while it is empty, to
    // walk through all lanes of the queue.
    // One branch per priority (the numbers of `Priority::code`), each a range of the index; a lane locked by somebody else is skipped, so
    // neither a slow transaction nor a dead connection makes the other lanes wait. A finishing transaction holds FOR KEY SHARE on its lane
    // and so keeps it from being claimed under its feet.
    LEASE = "
        WITH free AS MATERIALIZED (
            SELECT q.* FROM (VALUES (0::smallint, $2::bigint), (10::smallint, $2), (20::smallint, $4::bigint)) AS p(priority, most)
            CROSS JOIN LATERAL (
                SELECT l.queue, l.lane, l.priority, l.lease_token, l.taken FROM queue_lanes l
                WHERE l.queue = $1 AND l.priority = p.priority AND l.ready_at <= now()
                ORDER BY l.ready_at LIMIT p.most FOR UPDATE SKIP LOCKED
            ) q
            LIMIT $2
        )
        UPDATE queue_lanes l SET lease_token = nextval('queue_lease_tokens'), ready_at = now() + make_interval(secs => $3), taken = '{}'
        FROM free WHERE l.queue = free.queue AND l.lane = free.lane
        RETURNING l.lane, l.lease_token, l.priority, CASE WHEN free.lease_token IS NULL THEN NULL ELSE free.taken END AS abandoned
    ";
    // The former holder vanished while it worked on the first of these. That counts as an attempt: an item that kills the process every time
    // must not kill it for ever.
    ABANDONED = "
        WITH head AS (
            SELECT min(i.id) AS id FROM queue_items i WHERE i.id = ANY ($1::bigint[]) AND i.status = 0 GROUP BY i.queue, i.lane
        )
        UPDATE queue_items i SET attempts = i.attempts + 1, error = 'the worker vanished',
            status = CASE WHEN i.attempts + 1 >= i.max_attempts THEN 2 ELSE 0 END,
            done_at = CASE WHEN i.attempts + 1 >= i.max_attempts THEN now() END
        FROM head WHERE i.id = head.id
    ";
    // A second statement, and so a newer snapshot than the one in which the lanes were locked: what others finished or put until then counts.
    TAKE = "
        WITH picked AS MATERIALIZED (
            SELECT n.lane, i.* FROM unnest($2::text[]) AS n(lane)
            CROSS JOIN LATERAL (
                SELECT h.id, h.grp, h.gathers FROM queue_items h
                WHERE h.queue = $1 AND h.lane = n.lane AND h.status = 0 ORDER BY h.id LIMIT 1
            ) head
            CROSS JOIN LATERAL (
                SELECT f.id, f.payload, f.attempts, f.max_attempts, f.grp, f.gathers, f.dedupe_key, f.created_at FROM (
                    SELECT s.*, bool_and(s.run_at <= now() AND NOT s.gathers) OVER (ORDER BY s.id) AS open FROM (
                        SELECT * FROM queue_items i WHERE i.queue = $1 AND i.lane = n.lane AND i.status = 0 ORDER BY i.id LIMIT $3
                    ) s
                ) f
                WHERE f.open AND NOT head.gathers
                UNION ALL
                SELECT i.id, i.payload, i.attempts, i.max_attempts, i.grp, i.gathers, i.dedupe_key, i.created_at FROM queue_items i
                WHERE head.gathers AND i.queue = $1 AND i.lane = n.lane AND i.status = 0 AND i.grp = head.grp AND i.gathers AND i.run_at <= now()
                    AND (SELECT h.run_at <= now() FROM queue_items h WHERE h.id = head.id)
            ) i
        ), ids AS MATERIALIZED (
            SELECT $1::smallint AS queue, lane, array_agg(id) AS ids FROM picked GROUP BY lane
        ), taken AS (
            UPDATE queue_lanes l SET taken = ids.ids FROM ids WHERE l.queue = ids.queue AND l.lane = ids.lane
        )
        SELECT lane, id, payload::text, attempts, max_attempts, grp, gathers, dedupe_key, created_at FROM picked ORDER BY lane, id
    ";
    NEXT_READY = "
        SELECT extract(epoch FROM min(q.ready_at) - clock_timestamp())::float8
        FROM (VALUES (0::smallint), (10::smallint), (20::smallint)) AS p(priority)
        CROSS JOIN LATERAL (
            SELECT l.ready_at FROM queue_lanes l WHERE l.queue = $1 AND l.priority = p.priority ORDER BY l.ready_at LIMIT 1
        ) q
        WHERE p.priority < $2
    ";
}

/// Leases ready lanes, the most urgent first and then those that wait longest, and takes their first items.
///
/// Never waits for anybody's lock. Lanes that turn out to have nothing ready are given back at once.
///
/// # Errors
/// [`QueueError::Database`].
#[tracing::instrument(name = "queue.claim", level = "debug", skip_all, fields(queue = queue.name(), lanes = tracing::field::Empty))]
pub async fn claim(conn: &mut PgConnection, queue: Queue, claim: Claim) -> Result<Vec<LaneLease>, QueueError> {
    let mut tx = conn.begin().await?;
    let leases = claim_in(&mut tx, queue, claim).await?;
    tx.commit().await?;
    tracing::Span::current().record("lanes", leases.len());
    Ok(leases)
}

/// [`claim()`] in a transaction that is open already.
pub(crate) async fn claim_in(conn: &mut PgConnection, queue: Queue, claim: Claim) -> Result<Vec<LaneLease>, QueueError> {
    let mut rows = sqlx::query(LEASE)
        .bind(queue.code())
        .bind(i64::from(claim.lanes))
        .bind(claim.lease.as_secs_f64())
        .bind(i64::from(claim.bulk.min(claim.lanes)))
        .fetch_all(&mut *conn)
        .await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    rows.sort_by_key(|row| row.try_get::<i16, _>("priority").unwrap_or(i16::MAX));
    let mut abandoned: Vec<i64> = Vec::new();
    let mut leases: Vec<LaneLease> = Vec::with_capacity(rows.len());
    for row in &rows {
        abandoned.extend(row.try_get::<Option<Vec<i64>>, _>("abandoned")?.unwrap_or_default());
        let bulk = row.try_get::<i16, _>("priority")? == Priority::Bulk.code();
        leases.push(LaneLease { bulk, queue, lane: row.try_get("lane")?, token: row.try_get("lease_token")?, items: Vec::new() });
    }
    if !abandoned.is_empty() {
        sqlx::query(ABANDONED).bind(abandoned).execute(&mut *conn).await?;
    }
    let lanes: Vec<&str> = leases.iter().map(|lease| lease.lane.as_str()).collect();
    let rows = sqlx::query(TAKE).bind(queue.code()).bind(lanes).bind(i64::from(claim.items_per_lane)).fetch_all(&mut *conn).await?;
    let mut items: HashMap<String, Vec<Item>> = HashMap::with_capacity(leases.len());
    for row in &rows {
        items.entry(row.try_get("lane")?).or_default().push(item(row)?);
    }
    for lease in &mut leases {
        lease.items = items.remove(&lease.lane).unwrap_or_default();
    }
    let (leases, empty): (Vec<_>, Vec<_>) = leases.into_iter().partition(|lease| !lease.items.is_empty());
    if !empty.is_empty() {
        finish::free(conn, &empty.iter().collect::<Vec<_>>()).await?;
    }
    Ok(leases)
}

/// Ends every lease. Only for a process that is alone with its database: whoever held them is gone, and nobody waits for them to run out.
///
/// # Errors
/// [`QueueError::Database`].
pub async fn expire_leases(conn: &mut PgConnection) -> Result<u64, QueueError> {
    Ok(sqlx::query(EXPIRE).execute(conn).await?.rows_affected())
}

/// How long until the next lane of the queue is ready or a lease of it expires; zero if one is ready now, `None` if there is no lane. Lanes of
/// [`Priority::Bulk`] count only if `bulk`.
///
/// # Errors
/// [`QueueError::Database`].
pub async fn next_ready(conn: &mut PgConnection, queue: Queue, bulk: bool) -> Result<Option<Duration>, QueueError> {
    let most = if bulk { i16::MAX } else { Priority::Bulk.code() };
    let seconds: Option<f64> = sqlx::query_scalar(NEXT_READY).bind(queue.code()).bind(most).fetch_one(conn).await?;
    Ok(seconds.map(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)))
}

fn item(row: &PgRow) -> Result<Item, sqlx::Error> {
    Ok(Item {
        id: ItemId(row.try_get("id")?),
        payload: row.try_get("payload")?,
        attempts: count(row, "attempts")?,
        max_attempts: count(row, "max_attempts")?,
        group: row.try_get("grp")?,
        gathers: row.try_get("gathers")?,
        dedupe: row.try_get("dedupe_key")?,
        created: row.try_get("created_at")?,
    })
}

pub(crate) fn count(row: &PgRow, column: &str) -> Result<u16, sqlx::Error> {
    Ok(u16::try_from(row.try_get::<i32, _>(column)?).unwrap_or(u16::MAX))
}
