//! Adding items.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{Connection, PgConnection, Row};

use crate::error::QueueError;
use crate::gather::{self, Group};
use crate::item::{ItemId, NewItem, Queue};
use crate::sql::sql;

/// An album is handed out this long after its first member at the latest, however long members keep coming.
pub const SETTLE_CAP: Duration = Duration::from_secs(8);

sql! {
    // The lanes are locked (the sort waits for all of `lanes`) before the items get their numbers. So within a lane the order of numbers is
    // the order of commits, and a worker that gives the lane back sees either nothing of this transaction or all of it.
    // A lane that exists keeps its ready_at: its head stands before these items, or it is leased, and then the release looks again.
    // A lane that is made here may be leased at once, for a worker of this process. Its items get the numbers that were drawn before it was
    // made: they have to be in `taken`, and a lane that did not exist has nothing that they could overtake.
    PUT = r#"
        WITH src AS MATERIALIZED (
            SELECT s.*, CASE WHEN lease IS NOT NULL THEN nextval('queue_items_id_seq') END AS early
            FROM unnest($1::smallint[], $2::text[], $3::text[], $4::smallint[], $5::float8[], $6::int[], $7::text[], $8::text[], $9::bool[], $10::float8[])
                WITH ORDINALITY AS s(queue, lane, payload, priority, delay, max_attempts, dedupe_key, grp, gathers, lease, ord)
        ), lanes AS MATERIALIZED (
            INSERT INTO queue_lanes AS l (queue, lane, priority, ready_at, lease_token, taken)
            SELECT queue, lane, min(priority), now() + make_interval(secs => coalesce(min(lease), min(delay))),
                CASE WHEN min(lease) IS NOT NULL THEN nextval('queue_lease_tokens') END,
                coalesce(array_agg(early ORDER BY ord) FILTER (WHERE early IS NOT NULL), '{}')
            FROM src GROUP BY queue, lane ORDER BY queue, lane COLLATE "C"
            ON CONFLICT (queue, lane) DO UPDATE SET priority = least(l.priority, excluded.priority)
            -- Only a row that was made just now has never been locked.
            RETURNING queue, lane, CASE WHEN l.xmax = 0 THEN lease_token END AS token
        ), numbered AS MATERIALIZED (
            SELECT CASE WHEN s.token IS NOT NULL THEN s.early ELSE nextval('queue_items_id_seq') END AS id, s.*
            FROM (SELECT * FROM src JOIN lanes USING (queue, lane) ORDER BY ord) s
        ), added AS (
            INSERT INTO queue_items (id, queue, lane, payload, priority, run_at, max_attempts, dedupe_key, grp, gathers)
            SELECT id, queue, lane, payload::json, priority, now() + make_interval(secs => delay), max_attempts, dedupe_key, grp, gathers
            FROM numbered ORDER BY ord
            ON CONFLICT (queue, dedupe_key) WHERE dedupe_key IS NOT NULL DO NOTHING
            RETURNING id
        )
        SELECT added.id, numbered.token, now() AS now FROM numbered LEFT JOIN added USING (id) ORDER BY numbered.ord
    "#;
    SUPERSEDE = "
        UPDATE queue_items i SET status = 3, done_at = now()
        FROM unnest($1::smallint[], $2::text[], $3::text[], $4::bigint[]) AS n(queue, lane, grp, id)
        JOIN queue_lanes l ON l.queue = n.queue AND l.lane = n.lane
        WHERE i.queue = n.queue AND i.lane = n.lane AND i.grp = n.grp AND i.status = 0 AND i.id < n.id AND i.id <> ALL (l.taken)
        RETURNING i.queue, i.lane
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
    let mut tx = conn.begin().await?;
    let added = put_leasing(&mut tx, items, &vec![None; items.len()]).await?;
    tx.commit().await?;
    Ok(added.into_iter().map(|added| added.id).collect())
}

/// What became of an item.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Added {
    /// Its number; `None` if it was refused.
    pub id: Option<ItemId>,
    /// The lease of its lane, if that was made and leased with it.
    pub token: Option<i64>,
    /// When it was put.
    pub now: DateTime<Utc>,
}

/// [`put()`] in a transaction that is open already, which leases those lanes that are made by it and for whose items `leases` has a time in
/// seconds; the same for all items of a lane. Such items are neither late nor gathered, and none of them replaces another one of them.
pub(crate) async fn put_leasing(conn: &mut PgConnection, items: &[NewItem], leases: &[Option<f64>]) -> Result<Vec<Added>, QueueError> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let added = insert(conn, items, leases).await?;
    let mut groups = Groups::of(items, &added);
    let gathered = gather::join_and_end(conn, items, &added).await?;
    for (group, settle) in gathered.joined {
        groups.settling.entry(group).or_insert(settle);
    }
    groups.apply(conn, &added, gathered.ended).await?;
    Ok(added)
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

async fn insert(conn: &mut PgConnection, items: &[NewItem], leases: &[Option<f64>]) -> Result<Vec<Added>, QueueError> {
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
        .bind(leases)
        .fetch_all(conn)
        .await?;
    let added = |row: &PgRow| {
        Ok(Added { id: row.try_get::<Option<i64>, _>("id")?.map(ItemId), token: row.try_get("token")?, now: row.try_get("now")? })
    };
    rows.iter().map(added).collect()
}

/// Groups that need more than an insert.
struct Groups<'a> {
    /// With the place of the last item that replaces.
    replaced: BTreeMap<Group<'a>, usize>,
    settling: BTreeMap<Group<'a>, Duration>,
}

impl<'a> Groups<'a> {
    /// A lane that was made and leased just now has nothing that could be replaced or gathered.
    fn of(items: &'a [NewItem], added: &[Added]) -> Self {
        let (mut replaced, mut settling) = (BTreeMap::new(), BTreeMap::new());
        for (place, (item, added)) in items.iter().zip(added).enumerate() {
            let (Some(group), None) = (item.group.as_deref(), added.token) else { continue };
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

    /// Does what they need; `touched` are lanes whose head may have changed already.
    async fn apply(&self, conn: &mut PgConnection, added: &[Added], mut touched: Vec<(i16, String)>) -> Result<(), QueueError> {
        touched.extend(self.settling.keys().map(|group| (group.0, group.1.to_owned())));
        let id = |place: usize| added.get(place).and_then(|added| added.id);
        let replaced: Vec<(&Group<'_>, i64)> =
            self.replaced.iter().filter_map(|(group, &place)| id(place).map(|id| (group, id.0))).collect();
        if !replaced.is_empty() {
            let rows = sqlx::query(SUPERSEDE)
                .bind(replaced.iter().map(|(group, _)| group.0).collect::<Vec<_>>())
                .bind(replaced.iter().map(|(group, _)| group.1).collect::<Vec<_>>())
                .bind(replaced.iter().map(|(group, _)| group.2).collect::<Vec<_>>())
                .bind(replaced.iter().map(|(_, id)| *id).collect::<Vec<_>>())
                .fetch_all(&mut *conn)
                .await?;
            for row in rows {
                touched.push((row.try_get("queue")?, row.try_get("lane")?));
            }
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
        if touched.is_empty() {
            return Ok(());
        }
        let (queues, lanes): (Vec<i16>, Vec<&str>) = touched.iter().map(|(queue, lane)| (*queue, lane.as_str())).unzip();
        refresh(conn, &queues, &lanes).await?;
        Ok(())
    }
}
