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
    // The lanes are locked, in the order of their names, before their items get numbers. So within a lane the order of numbers is the order of
    // commits, and a worker that gives the lane back sees either nothing of this transaction or all of it.
    // A lane that exists keeps its ready_at: its head stands before these items, or it is leased, and then the release looks again.
    // A lane that is made here may be leased at once, for a worker of this process. `taken` then holds the numbers that its items are going to
    // have: nothing else can be in a lane that did not exist.
    LANES = "
        INSERT INTO queue_lanes AS l (queue, lane, priority, ready_at, lease_token, taken)
        SELECT queue, lane, priority, now() + make_interval(secs => delay), CASE WHEN leased > 0 THEN nextval('queue_lease_tokens') END,
            ARRAY(SELECT nextval('queue_items_id_seq') FROM generate_series(1, leased))
        FROM unnest($1::smallint[], $2::text[], $3::smallint[], $4::float8[], $5::int[]) AS n(queue, lane, priority, delay, leased)
        ON CONFLICT (queue, lane) DO UPDATE SET priority = least(l.priority, excluded.priority)
        -- Only a row that was made just now has never been locked.
        RETURNING CASE WHEN l.xmax = 0 THEN lease_token END AS token, taken, now() AS now
    ";
    // The rows come back in the order of the arrays, without those that were refused.
    ITEMS = "
        INSERT INTO queue_items (id, queue, lane, payload, priority, run_at, max_attempts, dedupe_key, grp, gathers)
        SELECT coalesce(id, nextval('queue_items_id_seq')), queue, lane, payload::json, priority, now() + make_interval(secs => delay), max_attempts,
            dedupe_key, grp, gathers
        FROM unnest($1::bigint[], $2::smallint[], $3::text[], $4::text[], $5::smallint[], $6::float8[], $7::int[], $8::text[], $9::text[], $10::bool[])
            AS n(id, queue, lane, payload, priority, delay, max_attempts, dedupe_key, grp, gathers)
        ON CONFLICT (queue, dedupe_key) WHERE dedupe_key IS NOT NULL DO NOTHING
        RETURNING id, queue, dedupe_key
    ";
    // OFFSET 0 keeps the planner, which knows nothing of these tables while they are empty, from walking through all that waits instead.
    SUPERSEDE = "
        UPDATE queue_items SET status = 3, done_at = now()
        WHERE status = 0 AND id = ANY (ARRAY(
            SELECT i.id FROM unnest($1::smallint[], $2::text[], $3::text[], $4::bigint[]) AS n(queue, lane, grp, id)
            CROSS JOIN LATERAL (SELECT l.taken FROM queue_lanes l WHERE l.queue = n.queue AND l.lane = n.lane OFFSET 0) l
            CROSS JOIN LATERAL (
                SELECT i.id, i.grp FROM queue_items i WHERE i.queue = n.queue AND i.lane = n.lane AND i.status = 0 AND i.id < n.id OFFSET 0
            ) i
            WHERE i.grp = n.grp AND i.id <> ALL (l.taken)
        ))
        RETURNING queue, lane
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

/// A lane as these items need it.
struct Lane<'a> {
    priority: i16,
    delay: f64,
    /// So many of its items are put leased, or none.
    leased: i32,
    /// What it got: its lease and the numbers of its items, the next one last.
    token: Option<i64>,
    numbers: Vec<i64>,
    name: (i16, &'a str),
}

/// Makes or locks the lanes; when that was.
async fn lock(conn: &mut PgConnection, lanes: &mut BTreeMap<(i16, &str), Lane<'_>>) -> Result<DateTime<Utc>, QueueError> {
    let all = lanes.values();
    let rows = sqlx::query(LANES)
        .bind(all.clone().map(|lane| lane.name.0).collect::<Vec<_>>())
        .bind(all.clone().map(|lane| lane.name.1).collect::<Vec<_>>())
        .bind(all.clone().map(|lane| lane.priority).collect::<Vec<_>>())
        .bind(all.clone().map(|lane| lane.delay).collect::<Vec<_>>())
        .bind(all.map(|lane| lane.leased).collect::<Vec<_>>())
        .fetch_all(conn)
        .await?;
    let mut now = DateTime::<Utc>::MIN_UTC;
    // Every lane comes back, in the order in which they were named.
    for (row, lane) in rows.iter().zip(lanes.values_mut()) {
        now = row.try_get("now")?;
        lane.token = row.try_get("token")?;
        if lane.token.is_some() {
            lane.numbers = row.try_get("taken")?;
            lane.numbers.reverse();
        }
    }
    Ok(now)
}

async fn insert(conn: &mut PgConnection, items: &[NewItem], leases: &[Option<f64>]) -> Result<Vec<Added>, QueueError> {
    let delay = |item: &NewItem| item.settle.unwrap_or(item.delay).as_secs_f64();
    let mut lanes: BTreeMap<(i16, &str), Lane<'_>> = BTreeMap::new();
    for (item, lease) in items.iter().zip(leases) {
        let name = (item.queue.code(), item.lane.as_str());
        let fresh = || Lane { priority: i16::MAX, delay: f64::INFINITY, leased: 0, token: None, numbers: Vec::new(), name };
        let lane = lanes.entry(name).or_insert_with(fresh);
        lane.priority = lane.priority.min(item.priority.code());
        lane.delay = lane.delay.min(lease.unwrap_or_else(|| delay(item)));
        lane.leased += i32::from(lease.is_some());
    }
    let now = lock(&mut *conn, &mut lanes).await?;
    let mut tokens = Vec::with_capacity(items.len());
    let mut numbers = Vec::with_capacity(items.len());
    for item in items {
        let lane = lanes.get_mut(&(item.queue.code(), item.lane.as_str()));
        tokens.push(lane.as_ref().and_then(|lane| lane.token));
        numbers.push(lane.and_then(|lane| lane.numbers.pop()));
    }
    let rows = sqlx::query(ITEMS)
        .bind(numbers)
        .bind(items.iter().map(|item| item.queue.code()).collect::<Vec<_>>())
        .bind(items.iter().map(|item| item.lane.as_str()).collect::<Vec<_>>())
        .bind(items.iter().map(|item| item.payload.as_str()).collect::<Vec<_>>())
        .bind(items.iter().map(|item| item.priority.code()).collect::<Vec<_>>())
        .bind(items.iter().map(delay).collect::<Vec<_>>())
        .bind(items.iter().map(|item| i32::from(item.max_attempts)).collect::<Vec<_>>())
        .bind(items.iter().map(|item| item.dedupe.as_deref()).collect::<Vec<_>>())
        .bind(items.iter().map(|item| item.group.as_deref()).collect::<Vec<_>>())
        .bind(items.iter().map(|item| item.settle.is_some() && item.group.is_some()).collect::<Vec<_>>())
        .fetch_all(conn)
        .await?;
    let mut rows = rows.iter().peekable();
    let mut added = Vec::with_capacity(items.len());
    for (item, token) in items.iter().zip(tokens) {
        let is_its = |row: &&PgRow| {
            row.try_get::<i16, _>("queue").ok() == Some(item.queue.code())
                && row.try_get::<Option<&str>, _>("dedupe_key").is_ok_and(|key| key == item.dedupe.as_deref())
        };
        let id = rows.next_if(is_its).map(|row| row.try_get("id")).transpose()?.map(ItemId);
        added.push(Added { id, token, now });
    }
    Ok(added)
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
