//! Items that go with others: those that join what gathers before them, and those that end it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sqlx::{PgConnection, Row};

use crate::error::QueueError;
use crate::item::{ItemId, NewItem};
use crate::put::Added;
use crate::sql::sql;

sql! {
    // Only what is not in a worker's hands can be joined: the rest of it is gone with the worker.
    JOIN = "
        UPDATE queue_items i SET gathers = true, grp = n.grp
        FROM unnest($1::bigint[], $2::text[]) AS n(id, grp)
        WHERE i.id = n.id AND EXISTS (
            SELECT FROM queue_items p JOIN queue_lanes l ON l.queue = p.queue AND l.lane = p.lane
            WHERE p.queue = i.queue AND p.lane = i.lane AND p.status = 0 AND p.id < i.id AND p.gathers AND p.grp = n.grp AND p.id <> ALL (l.taken)
        )
        RETURNING i.id
    ";
    // A name that no later item has: what comes after the end gathers anew. Each member goes with the first end behind it.
    END = "
        UPDATE queue_items i SET run_at = least(i.run_at, now()), grp = i.grp || ' until ' || e.id
        FROM (
            SELECT p.id AS member, min(n.id) AS id
            FROM unnest($1::bigint[], $2::smallint[], $3::text[], $4::text[]) AS n(id, queue, lane, grp)
            JOIN queue_lanes l ON l.queue = n.queue AND l.lane = n.lane
            JOIN queue_items p ON p.queue = n.queue AND p.lane = n.lane AND p.status = 0 AND p.id < n.id AND p.gathers AND p.grp = n.grp
                AND p.id <> ALL (l.taken)
            GROUP BY p.id
        ) e
        WHERE i.id = e.member
        RETURNING i.queue, i.lane
    ";
}

/// A group within its lane.
pub(crate) type Group<'a> = (i16, &'a str, &'a str);

/// What came of items that join or end something.
#[derive(Debug, Default)]
pub(crate) struct Gathered<'a> {
    /// Groups that were joined, with their time to settle.
    pub joined: BTreeMap<Group<'a>, Duration>,
    /// Lanes in which something ended.
    pub ended: Vec<(i16, String)>,
}

/// Lets the items that were put just now join or end what gathers in their lanes. The caller has locked the lanes.
pub(crate) async fn join_and_end<'a>(conn: &mut PgConnection, items: &'a [NewItem], added: &[Added]) -> Result<Gathered<'a>, QueueError> {
    // In a lane that was made and leased just now nothing gathers.
    let added = items.iter().zip(added).filter(|(_, added)| added.token.is_none()).filter_map(|(item, added)| Some((item, added.id?)));
    // What comes after an end in the same put has nothing to join any more.
    let mut ended: BTreeSet<(i16, &str)> = BTreeSet::new();
    let mut joining: Vec<(ItemId, Group<'a>, Duration)> = Vec::new();
    let mut ends: Vec<(ItemId, Group<'a>)> = Vec::new();
    for (item, id) in added {
        let lane = (item.queue.code(), item.lane.as_str());
        if let Some(group) = &item.ends {
            ended.insert(lane);
            ends.push((id, (lane.0, lane.1, group)));
        }
        if let Some((group, settle)) = item.joins.as_ref().filter(|_| !ended.contains(&lane)) {
            joining.push((id, (lane.0, lane.1, group), *settle));
        }
    }
    let mut gathered = Gathered::default();
    if !joining.is_empty() {
        let rows = sqlx::query(JOIN)
            .bind(joining.iter().map(|(id, ..)| id.0).collect::<Vec<_>>())
            .bind(joining.iter().map(|(_, group, _)| group.2).collect::<Vec<_>>())
            .fetch_all(&mut *conn)
            .await?;
        for row in rows {
            let id: i64 = row.try_get(0)?;
            gathered.joined.extend(joining.iter().filter(|(joining, ..)| joining.0 == id).map(|(_, group, settle)| (*group, *settle)));
        }
    }
    if !ends.is_empty() {
        let rows = sqlx::query(END)
            .bind(ends.iter().map(|(id, _)| id.0).collect::<Vec<_>>())
            .bind(ends.iter().map(|(_, group)| group.0).collect::<Vec<_>>())
            .bind(ends.iter().map(|(_, group)| group.1).collect::<Vec<_>>())
            .bind(ends.iter().map(|(_, group)| group.2).collect::<Vec<_>>())
            .fetch_all(conn)
            .await?;
        for row in rows {
            gathered.ended.push((row.try_get("queue")?, row.try_get("lane")?));
        }
    }
    Ok(gathered)
}
