//! Adding items.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::{Connection, PgConnection, Row};

use crate::error::QueueError;
use crate::gather::{self, Group};
use crate::item::{ItemId, NewItem, Queue};
use crate::sql::sql;

/// An album is handed out this long after its first member at the latest, however long members keep coming.
pub const SETTLE_CAP: Duration = Duration::from_secs(8);

sql! {
    // The lanes are locked (the InitPlan on `lanes` runs first) before the items get their numbers. So within a lane the order of numbers is
    // the order of commits, and a worker that gives the lane back sees either nothing of this transaction or all of it.
    // A lane that exists keeps its ready_at: its head stands before these items, or it is leased, and then the release looks again.
    PUT = r#"
        WITH src AS MATERIALIZED (
            SELECT * FROM unnest($1::smallint[], $2::text[], $3::text[], $4::smallint[], $5::float8[], $6::int[], $7::text[], $8::text[], $9::bool[])
                WITH ORDINALITY AS s(queue, lane, payload, priority, delay, max_attempts, dedupe_key, grp, gathers, ord)
        ), lanes AS (
            INSERT INTO queue_lanes AS l (queue, lane, priority, ready_at)
            SELECT queue, lane, min(priority), now() + make_interval(secs => min(delay)) FROM src
            GROUP BY queue, lane ORDER BY queue, lane COLLATE "C"
            ON CONFLICT (queue, lane) DO UPDATE SET priority = least(l.priority, excluded.priority)
            RETURNING 1
        ), numbered AS MATERIALIZED (
            SELECT nextval(pg_get_serial_sequence('queue_items', 'id')) AS id, s.*
            FROM (SELECT * FROM src ORDER BY ord) s WHERE (SELECT count(*) FROM lanes) > 0
        ), added AS (
            INSERT INTO queue_items (id, queue, lane, payload, priority, run_at, max_attempts, dedupe_key, grp, gathers)
            SELECT id, queue, lane, payload::json, priority, now() + make_interval(secs => delay), max_attempts, dedupe_key, grp, gathers
            FROM numbered ORDER BY ord
            ON CONFLICT (queue, dedupe_key) WHERE dedupe_key IS NOT NULL DO NOTHING
            RETURNING id
        )
        SELECT added.id FROM numbered LEFT JOIN added USING (id) ORDER BY numbered.ord
    "#;
    SUPERSEDE = "
        UPDATE queue_items i SET status = 3, done_at = now()
        FROM unnest($1::smallint[], $2::text[], $3::text[], $4::bigint[]) AS n(queue, lane, grp, id)
        JOIN queue_lanes l ON l.queue = n.queue AND l.lane = n.lane
        WHERE i.queue = n.queue AND i.lane = n.lane AND i.grp = n.grp AND i.status = 0 AND i.id < n.id AND i.id <> ALL (l.taken)
    ";
    SETTLE = "
        WITH waiting AS (
            SELECT i.id, least(now() + make_interval(secs => n.settle),
                min(i.created_at) OVER (PARTITION BY i.queue, i.lane, i.grp) + make_interval(secs => $5::float8)) AS run_at
            FROM unnest($1::smallint[], $2::text[], $3::text[], $4::float8[]) AS n(queue, lane, grp, settle)
            JOIN queue_lanes l ON l.queue = n.queue AND l.lane = n.lane
            JOIN queue_items i ON i.queue = n.queue AND i.lane = n.lane AND i.grp = n.grp AND i.gathers AND i.status = 0 AND i.id <> ALL (l.taken)
        )
        UPDATE queue_items i SET run_at = waiting.run_at FROM waiting WHERE i.id = waiting.id
    ";
    LOCK_LANE = "SELECT FROM queue_lanes WHERE queue = $1 AND lane = $2 FOR NO KEY UPDATE";
    // The head may have changed: a lane that nobody holds gets the time of its present one.
    REFRESH = "
        UPDATE queue_lanes l SET ready_at = greatest(h.run_at, l.hold_until)
        FROM (SELECT DISTINCT * FROM unnest($1::smallint[], $2::text[]) AS u(queue, lane)) n
        CROSS JOIN LATERAL (
            SELECT i.run_at FROM queue_items i WHERE i.queue = n.queue AND i.lane = n.lane AND i.status = 0 ORDER BY i.id LIMIT 1
        ) h
        WHERE l.queue = n.queue AND l.lane = n.lane AND l.lease_token IS NULL
    ";
}

/// Adds items, in the order given. `None` stands for an item that was refused because its dedupe key was put before.
///
/// Locks the lanes until the transaction ends: call it once per transaction, last (see the crate's rules). Wake the workers after the commit.
///
/// # Errors
/// [`QueueError::Database`], also when a payload is not JSON.
pub async fn put(conn: &mut PgConnection, items: &[NewItem]) -> Result<Vec<Option<ItemId>>, QueueError> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let mut groups = Groups::of(items);
    let gathers = items.iter().any(|item| item.joins.is_some() || item.ends.is_some());
    if groups.replaced.is_empty() && groups.settling.is_empty() && !gathers {
        return insert(conn, items).await;
    }
    let mut tx = conn.begin().await?;
    let ids = insert(&mut tx, items).await?;
    if gathers {
        for (group, settle) in gather::join_and_end(&mut tx, items, &ids).await? {
            groups.settling.entry(group).or_insert(settle);
        }
    }
    groups.apply(&mut tx, items, &ids).await?;
    tx.commit().await?;
    Ok(ids)
}

/// Supersedes the items of a group that still wait; those in a worker's hands stay. Returns how many.
///
/// [`NewItem::replacing`] does the same within [`put()`] and cannot deadlock with another transaction; this is for taking something back
/// without putting something else. Locks the lane until the transaction ends.
///
/// # Errors
/// [`QueueError::Database`].
pub async fn supersede(conn: &mut PgConnection, queue: Queue, lane: &str, group: &str) -> Result<u64, QueueError> {
    let mut tx = conn.begin().await?;
    sqlx::query(LOCK_LANE).bind(queue.code()).bind(lane).execute(&mut *tx).await?;
    let superseded =
        sqlx::query(SUPERSEDE).bind([queue.code()]).bind([lane]).bind([group]).bind([i64::MAX]).execute(&mut *tx).await?.rows_affected();
    refresh(&mut tx, &[queue.code()], &[lane]).await?;
    tx.commit().await?;
    Ok(superseded)
}

/// Sets the time of lanes that nobody holds to that of their first item. The caller has locked them.
pub(crate) async fn refresh(conn: &mut PgConnection, queues: &[i16], lanes: &[&str]) -> Result<(), sqlx::Error> {
    sqlx::query(REFRESH).bind(queues).bind(lanes).execute(conn).await.map(drop)
}

async fn insert(conn: &mut PgConnection, items: &[NewItem]) -> Result<Vec<Option<ItemId>>, QueueError> {
    let queues: Vec<i16> = items.iter().map(|item| item.queue.code()).collect();
    let lanes: Vec<&str> = items.iter().map(|item| item.lane.as_str()).collect();
    let payloads: Vec<&str> = items.iter().map(|item| item.payload.as_str()).collect();
    let priorities: Vec<i16> = items.iter().map(|item| item.priority.code()).collect();
    let delays: Vec<f64> = items.iter().map(|item| item.settle.unwrap_or(item.delay).as_secs_f64()).collect();
    let attempts: Vec<i32> = items.iter().map(|item| i32::from(item.max_attempts)).collect();
    let keys: Vec<Option<&str>> = items.iter().map(|item| item.dedupe.as_deref()).collect();
    let groups: Vec<Option<&str>> = items.iter().map(|item| item.group.as_deref()).collect();
    let gathers: Vec<bool> = items.iter().map(|item| item.settle.is_some() && item.group.is_some()).collect();
    let rows = sqlx::query(PUT)
        .bind(queues)
        .bind(lanes)
        .bind(payloads)
        .bind(priorities)
        .bind(delays)
        .bind(attempts)
        .bind(keys)
        .bind(groups)
        .bind(gathers)
        .fetch_all(conn)
        .await?;
    rows.iter().map(|row| Ok(row.try_get::<Option<i64>, _>(0)?.map(ItemId))).collect()
}

/// Groups that need more than an insert.
struct Groups<'a> {
    /// With the place of the last item that replaces.
    replaced: BTreeMap<Group<'a>, usize>,
    settling: BTreeMap<Group<'a>, Duration>,
}

impl<'a> Groups<'a> {
    fn of(items: &'a [NewItem]) -> Self {
        let (mut replaced, mut settling) = (BTreeMap::new(), BTreeMap::new());
        for (place, item) in items.iter().enumerate() {
            let Some(group) = item.group.as_deref() else { continue };
            let key = (item.queue.code(), item.lane.as_str(), group);
            if item.replaces {
                replaced.insert(key, place);
            }
            if let Some(settle) = item.settle {
                let longest: &mut Duration = settling.entry(key).or_default();
                *longest = settle.max(*longest);
            }
        }
        Self { replaced, settling }
    }

    async fn apply(&self, conn: &mut PgConnection, items: &[NewItem], ids: &[Option<ItemId>]) -> Result<(), QueueError> {
        let replaced: Vec<(&Group<'_>, i64)> =
            self.replaced.iter().filter_map(|(group, &place)| ids.get(place).copied().flatten().map(|id| (group, id.0))).collect();
        if !replaced.is_empty() {
            sqlx::query(SUPERSEDE)
                .bind(replaced.iter().map(|(group, _)| group.0).collect::<Vec<_>>())
                .bind(replaced.iter().map(|(group, _)| group.1).collect::<Vec<_>>())
                .bind(replaced.iter().map(|(group, _)| group.2).collect::<Vec<_>>())
                .bind(replaced.iter().map(|(_, id)| *id).collect::<Vec<_>>())
                .execute(&mut *conn)
                .await?;
        }
        if !self.settling.is_empty() {
            sqlx::query(SETTLE)
                .bind(self.settling.keys().map(|group| group.0).collect::<Vec<_>>())
                .bind(self.settling.keys().map(|group| group.1).collect::<Vec<_>>())
                .bind(self.settling.keys().map(|group| group.2).collect::<Vec<_>>())
                .bind(self.settling.values().map(Duration::as_secs_f64).collect::<Vec<_>>())
                .bind(SETTLE_CAP.as_secs_f64())
                .execute(&mut *conn)
                .await?;
        }
        let touched = || items.iter().filter(|item| item.replaces || item.settle.is_some() || item.joins.is_some() || item.ends.is_some());
        let queues: Vec<i16> = touched().map(|item| item.queue.code()).collect();
        let lanes: Vec<&str> = touched().map(|item| item.lane.as_str()).collect();
        refresh(conn, &queues, &lanes).await?;
        Ok(())
    }
}
