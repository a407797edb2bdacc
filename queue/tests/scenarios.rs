//! What the queue promises, one connection at a time: on a server and on the embedded one.

#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

use std::time::Duration;

use fitter_queue::{
    Claim, Deferred, ItemId, LaneLease, NewItem, Priority, Queue, QueueError, bury, claim, dead_list, dead_show, defer, depth, discard,
    done, done_many, hold, idle, next_ready, purge, put, release, renew, replay, supersede,
};
use fitter_testkit::TestDb;
use sqlx::{Connection, PgConnection, PgPool};

macro_rules! scenarios {
    ($($name:ident),+ $(,)?) => {
        mod on_a_server {
            $(#[tokio::test]
            async fn $name() {
                let db = super::TestDb::server().await;
                super::$name(db.pool()).await;
            })+
        }

        /// One test, as the server takes a second to start.
        #[tokio::test]
        async fn all_on_the_embedded_server() {
            let db = TestDb::embedded().await;
            $(
                $name(db.pool()).await;
                sqlx::query("TRUNCATE queue_items, queue_lanes").execute(db.pool()).await.unwrap();
            )+
        }
    };
}

scenarios!(
    items_come_in_order_and_once,
    urgent_lanes_come_first,
    a_lane_has_one_holder,
    a_put_rolls_back_whole,
    duplicates_are_refused,
    raw_json_survives,
    a_deferred_item_keeps_its_lane_waiting,
    the_last_attempt_makes_a_dead_letter,
    a_buried_item_lets_the_lane_go_on,
    a_dead_letter_is_replayed_first,
    a_held_lane_waits,
    an_expired_lease_is_taken_over_and_its_holder_is_too_late,
    a_worker_that_vanishes_counts_as_an_attempt,
    a_renewed_lease_does_not_expire,
    only_the_newest_edit_is_sent,
    a_taken_edit_is_not_superseded,
    superseding_wakes_a_lane_that_waited_for_the_old_item,
    an_album_comes_together,
    an_album_cannot_grow_for_ever,
    an_album_is_deferred_whole,
    words_join_what_gathers_before_them,
    what_gathers_ends_with_a_tap,
    a_delayed_item_is_not_claimed_early,
    depth_and_idle_and_purge,
    what_has_no_key_is_gone_when_it_is_done,
    nobody_waits_behind_announcements,
);

const CLAIM: Claim = Claim { lanes: 10, bulk: 10, items_per_lane: 10, lease: Duration::from_secs(30) };

fn item(lane: &str, payload: &str) -> NewItem {
    NewItem::json(Queue::Inbox, lane, &payload).unwrap()
}

async fn conn(pool: &PgPool) -> sqlx::pool::PoolConnection<sqlx::Postgres> {
    pool.acquire().await.unwrap()
}

async fn take(conn: &mut PgConnection) -> Vec<LaneLease> {
    let mut leases = claim(conn, Queue::Inbox, CLAIM).await.unwrap();
    leases.sort_by(|a, b| a.lane.cmp(&b.lane));
    leases
}

/// The only lane that is ready.
async fn take_one(conn: &mut PgConnection) -> LaneLease {
    let mut leases = take(conn).await;
    assert_eq!(leases.len(), 1, "{leases:?}");
    leases.remove(0)
}

fn payloads(lease: &LaneLease) -> Vec<String> {
    lease.items.iter().map(|item| item.decode().unwrap()).collect()
}

/// Moves the database's clock for this queue: everything becomes so much older.
async fn later(conn: &mut PgConnection, seconds: f64) {
    sqlx::query("UPDATE queue_items SET run_at = run_at - make_interval(secs => $1), created_at = created_at - make_interval(secs => $1)")
        .bind(seconds)
        .execute(&mut *conn)
        .await
        .unwrap();
    sqlx::query(
        "UPDATE queue_lanes SET ready_at = ready_at - make_interval(secs => $1), hold_until = hold_until - make_interval(secs => $1)",
    )
    .bind(seconds)
    .execute(&mut *conn)
    .await
    .unwrap();
}

async fn lanes(conn: &mut PgConnection) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM queue_lanes").fetch_one(conn).await.unwrap()
}

async fn items_come_in_order_and_once(pool: &PgPool) {
    let conn = &mut *conn(pool).await;
    let ids = put(conn, &[item("a", "1"), item("b", "x"), item("a", "2"), item("a", "3")]).await.unwrap();
    assert!(ids.iter().all(Option::is_some) && ids.is_sorted(), "{ids:?}");
    let leases = claim(conn, Queue::Inbox, Claim { items_per_lane: 2, ..CLAIM }).await.unwrap();
    let [a, b] = &leases[..] else { panic!("{leases:?}") };
    let (a, b) = if a.lane == "a" { (a, b) } else { (b, a) };
    assert_eq!(payloads(a), ["1", "2"]);
    assert_eq!(payloads(b), ["x"]);
    assert!(take(conn).await.is_empty(), "both lanes are leased");
    done_many(conn, a, &a.items).await.unwrap();
    done(conn, b, &b.items[0]).await.unwrap();
    assert!(matches!(done(conn, b, &b.items[0]).await, Err(QueueError::LeaseLost)), "an item is done once");
    assert!(release(conn, a).await.unwrap(), "there is one left");
    assert!(!release(conn, b).await.unwrap());
    let a = take_one(conn).await;
    assert_eq!(payloads(&a), ["3"]);
    done(conn, &a, &a.items[0]).await.unwrap();
    release(conn, &a).await.unwrap();
    assert_eq!(lanes(conn).await, 0, "idle lanes leave nothing behind");
}

async fn urgent_lanes_come_first(pool: &PgPool) {
    let conn = &mut *conn(pool).await;
    put(conn, &[item("bulk", "1").priority(Priority::Bulk), item("normal", "1"), item("urgent", "1").priority(Priority::Urgent)])
        .await
        .unwrap();
    // An urgent item behind a bulk one lifts the lane, as it has to wait for it.
    put(conn, &[item("lifted", "1").priority(Priority::Bulk)]).await.unwrap();
    put(conn, &[item("lifted", "2").priority(Priority::Urgent)]).await.unwrap();
    let mut order = Vec::new();
    for _ in 0..4 {
        order.push(claim(conn, Queue::Inbox, Claim { lanes: 1, ..CLAIM }).await.unwrap().remove(0).lane);
    }
    order[..2].sort();
    assert_eq!(order, ["lifted", "urgent", "normal", "bulk"]);
}

async fn a_lane_has_one_holder(pool: &PgPool) {
    let conn = &mut *conn(pool).await;
    put(conn, &[item("a", "1")]).await.unwrap();
    let a = take_one(conn).await;
    put(conn, &[item("a", "2"), item("b", "1")]).await.unwrap();
    assert_eq!(take_one(conn).await.lane, "b", "a is leased, b does not wait for it");
    done(conn, &a, &a.items[0]).await.unwrap();
    assert!(release(conn, &a).await.unwrap());
    assert_eq!(payloads(&take_one(conn).await), ["2"]);
}

async fn a_put_rolls_back_whole(pool: &PgPool) {
    let conn = &mut *conn(pool).await;
    let mut tx = conn.begin().await.unwrap();
    put(&mut tx, &[item("a", "1"), item("a", "2").replacing("g"), item("a", "3").gathering("h", Duration::ZERO)]).await.unwrap();
    tx.rollback().await.unwrap();
    assert!(take(conn).await.is_empty());
    assert_eq!(lanes(conn).await, 0);
    assert!(put(conn, &[NewItem::raw(Queue::Inbox, "a", "no json")]).await.is_err());
    assert_eq!(lanes(conn).await, 0);
}

async fn duplicates_are_refused(pool: &PgPool) {
    let conn = &mut *conn(pool).await;
    let first = put(conn, &[item("a", "1").dedupe("7"), item("a", "2").dedupe("7"), item("a", "3")]).await.unwrap();
    assert_eq!(first.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(put(conn, &[item("b", "1").dedupe("7")]).await.unwrap(), [None]);
    let other = NewItem { queue: Queue::Job, ..item("b", "1").dedupe("7") };
    assert!(put(conn, &[other]).await.unwrap()[0].is_some(), "each queue has its own keys");
    let a = take_one(conn).await;
    assert_eq!(payloads(&a), ["1", "3"]);
    done_many(conn, &a, &a.items).await.unwrap();
    release(conn, &a).await.unwrap();
    assert_eq!(put(conn, &[item("a", "1").dedupe("7")]).await.unwrap(), [None], "also when it is done");
    assert!(take(conn).await.is_empty());
    assert_eq!(lanes(conn).await, 1, "only that of the other queue: a lane made for a duplicate goes at the first claim");
}

async fn raw_json_survives(pool: &PgPool) {
    let conn = &mut *conn(pool).await;
    let raw = r#"{"text": "a\u0000b \ud800 ә",  "id": 12345678901234567890}"#;
    put(conn, &[NewItem::raw(Queue::Inbox, "a", raw)]).await.unwrap();
    assert_eq!(take_one(conn).await.items[0].payload, raw);
}

async fn a_deferred_item_keeps_its_lane_waiting(pool: &PgPool) {
    let conn = &mut *conn(pool).await;
    put(conn, &[item("a", "1"), item("a", "2")]).await.unwrap();
    let a = take_one(conn).await;
    let deferred = defer(conn, &a, &a.items[..1], Duration::from_secs(60), "no\0pe").await.unwrap();
    assert_eq!(deferred, Deferred::Again);
    assert!(!release(conn, &a).await.unwrap());
    put(conn, &[item("a", "3")]).await.unwrap();
    assert!(take(conn).await.is_empty(), "items behind it must not overtake");
    let next = next_ready(conn, Queue::Inbox, true).await.unwrap().unwrap();
    assert!(next > Duration::from_secs(50) && next <= Duration::from_secs(60), "{next:?}");
    later(conn, 61.0).await;
    let a = take_one(conn).await;
    assert_eq!(payloads(&a), ["1", "2", "3"]);
    assert_eq!(a.items.iter().map(|item| item.attempts).collect::<Vec<_>>(), [1, 0, 0]);
}

async fn the_last_attempt_makes_a_dead_letter(pool: &PgPool) {
    let conn = &mut *conn(pool).await;
    put(conn, &[item("a", "1").max_attempts(2), item("a", "2")]).await.unwrap();
    let a = take_one(conn).await;
    assert_eq!(defer(conn, &a, &a.items[..1], Duration::ZERO, "first").await.unwrap(), Deferred::Again);
    release(conn, &a).await.unwrap();
    let a = take_one(conn).await;
    assert_eq!(defer(conn, &a, &a.items[..1], Duration::ZERO, "second").await.unwrap(), Deferred::Dead);
    release(conn, &a).await.unwrap();
    assert_eq!(payloads(&take_one(conn).await), ["2"]);
    let dead = dead_list(conn, ItemId(0), 10).await.unwrap();
    assert_eq!((dead.len(), dead[0].attempts, dead[0].error.as_str()), (1, 2, "second"));
    assert!(dead_list(conn, dead[0].id, 10).await.unwrap().is_empty(), "pages");
}

async fn a_buried_item_lets_the_lane_go_on(pool: &PgPool) {
    let conn = &mut *conn(pool).await;
    put(conn, &[item("a", "1"), item("a", "2")]).await.unwrap();
    let a = take_one(conn).await;
    bury(conn, &a, &a.items[..1], "unreadable").await.unwrap();
    done(conn, &a, &a.items[1]).await.unwrap();
    release(conn, &a).await.unwrap();
    assert_eq!(lanes(conn).await, 0);
    let shown = dead_show(conn, a.items[0].id).await.unwrap().unwrap();
    assert_eq!((shown.lane.as_str(), shown.payload.as_str(), shown.error.as_str()), ("a", "\"1\"", "unreadable"));
    assert!(!format!("{shown:?}").contains("payload"), "words of people stay out of logs");
    assert_eq!(dead_show(conn, a.items[1].id).await.unwrap(), None);
}

async fn a_dead_letter_is_replayed_first(pool: &PgPool) {
    let conn = &mut *conn(pool).await;
    put(conn, &[item("a", "1")]).await.unwrap();
    let a = take_one(conn).await;
    bury(conn, &a, &a.items, "bug").await.unwrap();
    release(conn, &a).await.unwrap();
    put(conn, &[item("a", "2").delay(Duration::from_secs(60))]).await.unwrap();
    assert!(take(conn).await.is_empty());
    assert_eq!(replay(conn, a.items[0].id).await.unwrap(), Some(Queue::Inbox));
    assert_eq!(replay(conn, a.items[0].id).await.unwrap(), None);
    let a = take_one(conn).await;
    assert_eq!(payloads(&a), ["1"]);
    assert_eq!(a.items[0].attempts, 0);
    assert!(dead_list(conn, ItemId(0), 10).await.unwrap().is_empty());
    // And without a lane: it is made anew.
    bury(conn, &a, &a.items, "bug").await.unwrap();
    sqlx::query("DELETE FROM queue_items WHERE status = 0").execute(&mut *conn).await.unwrap();
    release(conn, &a).await.unwrap();
    assert_eq!(lanes(conn).await, 0);
    replay(conn, a.items[0].id).await.unwrap();
    let a = take_one(conn).await;
    assert_eq!(payloads(&a), ["1"]);
    bury(conn, &a, &a.items, "bug").await.unwrap();
    assert!(discard(conn, a.items[0].id).await.unwrap());
    assert!(!discard(conn, a.items[0].id).await.unwrap(), "dropped once");
    assert_eq!(replay(conn, a.items[0].id).await.unwrap(), None);
}

async fn a_held_lane_waits(pool: &PgPool) {
    let conn = &mut *conn(pool).await;
    put(conn, &[item("a", "1"), item("a", "2")]).await.unwrap();
    let a = take_one(conn).await;
    hold(conn, &a, Duration::from_secs(30)).await.unwrap();
    release(conn, &a).await.unwrap();
    put(conn, &[item("a", "3")]).await.unwrap();
    assert!(take(conn).await.is_empty());
    later(conn, 31.0).await;
    let a = take_one(conn).await;
    assert_eq!(a.items[0].attempts, 0, "no attempt was counted");
    // A lane held while it becomes empty remembers it.
    done_many(conn, &a, &a.items).await.unwrap();
    hold(conn, &a, Duration::from_secs(30)).await.unwrap();
    release(conn, &a).await.unwrap();
    put(conn, &[item("a", "4")]).await.unwrap();
    assert!(take(conn).await.is_empty());
    later(conn, 31.0).await;
    assert_eq!(payloads(&take_one(conn).await), ["4"]);
}

async fn an_expired_lease_is_taken_over_and_its_holder_is_too_late(pool: &PgPool) {
    let conn = &mut *conn(pool).await;
    put(conn, &[item("a", "1"), item("a", "2")]).await.unwrap();
    let zombie = take_one(conn).await;
    later(conn, 31.0).await;
    done(conn, &zombie, &zombie.items[0]).await.unwrap();
    let heir = take_one(conn).await;
    assert_eq!(payloads(&heir), ["2"], "what the holder finished before is finished");
    assert_ne!(heir.token, zombie.token);
    assert!(matches!(done(conn, &zombie, &zombie.items[1]).await, Err(QueueError::LeaseLost)));
    assert!(matches!(defer(conn, &zombie, &zombie.items[1..], Duration::ZERO, "").await, Err(QueueError::LeaseLost)));
    assert!(matches!(bury(conn, &zombie, &zombie.items[1..], "").await, Err(QueueError::LeaseLost)));
    assert!(matches!(hold(conn, &zombie, Duration::ZERO).await, Err(QueueError::LeaseLost)));
    assert!(renew(conn, &[&zombie], Duration::from_secs(30)).await.unwrap().is_empty());
    assert!(!release(conn, &zombie).await.unwrap());
    assert!(take(conn).await.is_empty(), "the zombie did not give away what is not its own");
    done(conn, &heir, &heir.items[0]).await.unwrap();
}

async fn a_worker_that_vanishes_counts_as_an_attempt(pool: &PgPool) {
    let conn = &mut *conn(pool).await;
    put(conn, &[item("a", "deadly").max_attempts(3), item("a", "2")]).await.unwrap();
    for attempts in 0..3 {
        let a = take_one(conn).await;
        assert_eq!(payloads(&a), ["deadly", "2"]);
        assert_eq!(a.items.iter().map(|item| item.attempts).collect::<Vec<_>>(), [attempts, 0]);
        later(conn, 31.0).await;
    }
    assert_eq!(payloads(&take_one(conn).await), ["2"]);
    assert_eq!(dead_list(conn, ItemId(0), 10).await.unwrap()[0].error, "the worker vanished");
}

async fn a_renewed_lease_does_not_expire(pool: &PgPool) {
    let conn = &mut *conn(pool).await;
    put(conn, &[item("a", "1")]).await.unwrap();
    let a = take_one(conn).await;
    later(conn, 29.0).await;
    assert_eq!(renew(conn, &[&a], CLAIM.lease).await.unwrap(), [a.token]);
    later(conn, 29.0).await;
    assert!(take(conn).await.is_empty());
    done(conn, &a, &a.items[0]).await.unwrap();
}

async fn only_the_newest_edit_is_sent(pool: &PgPool) {
    let conn = &mut *conn(pool).await;
    put(conn, &[item("a", "1").replacing("menu"), item("a", "other").replacing("job:1"), item("a", "2").replacing("menu")]).await.unwrap();
    put(conn, &[item("b", "elsewhere").replacing("menu")]).await.unwrap();
    put(conn, &[item("a", "3").replacing("menu"), item("a", "4")]).await.unwrap();
    let leases = take(conn).await;
    assert_eq!(payloads(&leases[0]), ["other", "3", "4"]);
    assert_eq!(payloads(&leases[1]), ["elsewhere"]);
    let superseded: i64 = sqlx::query_scalar("SELECT count(*) FROM queue_items WHERE status = 3").fetch_one(conn).await.unwrap();
    assert_eq!(superseded, 2);
}

async fn a_taken_edit_is_not_superseded(pool: &PgPool) {
    let conn = &mut *conn(pool).await;
    put(conn, &[item("a", "1").replacing("menu")]).await.unwrap();
    let a = take_one(conn).await;
    put(conn, &[item("a", "2").replacing("menu")]).await.unwrap();
    put(conn, &[item("a", "3").replacing("menu")]).await.unwrap();
    assert_eq!(supersede(conn, Queue::Inbox, "a", "menu").await.unwrap(), 1, "3; 2 was superseded by it and 1 is taken");
    put(conn, &[item("a", "4").replacing("menu")]).await.unwrap();
    done(conn, &a, &a.items[0]).await.unwrap();
    release(conn, &a).await.unwrap();
    assert_eq!(payloads(&take_one(conn).await), ["4"]);
}

async fn superseding_wakes_a_lane_that_waited_for_the_old_item(pool: &PgPool) {
    let conn = &mut *conn(pool).await;
    put(conn, &[item("a", "1").replacing("menu")]).await.unwrap();
    let a = take_one(conn).await;
    defer(conn, &a, &a.items, Duration::from_secs(60), "later").await.unwrap();
    release(conn, &a).await.unwrap();
    put(conn, &[item("a", "2").replacing("menu")]).await.unwrap();
    let a = take_one(conn).await;
    assert_eq!(payloads(&a), ["2"]);
    release(conn, &a).await.unwrap();
    assert_eq!(supersede(conn, Queue::Inbox, "a", "menu").await.unwrap(), 1);
    assert!(take(conn).await.is_empty());
    assert!(idle(conn).await.unwrap());
}

async fn an_album_comes_together(pool: &PgPool) {
    let conn = &mut *conn(pool).await;
    let settle = Duration::from_millis(1500);
    put(conn, &[item("a", "before")]).await.unwrap();
    put(conn, &[item("a", "p1").gathering("album", settle)]).await.unwrap();
    later(conn, 1.0).await;
    put(conn, &[item("a", "p2").gathering("album", settle)]).await.unwrap();
    put(conn, &[item("a", "after")]).await.unwrap();
    later(conn, 1.0).await;
    put(conn, &[item("a", "p3").gathering("album", settle)]).await.unwrap();
    let a = take_one(conn).await;
    assert_eq!(payloads(&a), ["before"], "what came before does not wait for the album");
    done_many(conn, &a, &a.items).await.unwrap();
    assert!(!release(conn, &a).await.unwrap(), "each member made it wait anew");
    assert!(take(conn).await.is_empty());
    later(conn, 1.6).await;
    let a = claim(conn, Queue::Inbox, Claim { items_per_lane: 1, ..CLAIM }).await.unwrap().remove(0);
    assert_eq!(payloads(&a), ["p1", "p2", "p3"], "whole, whatever was asked for, and before what came in between");
    // A straggler is an album of its own.
    put(conn, &[item("a", "p4").gathering("album", settle)]).await.unwrap();
    done_many(conn, &a, &a.items).await.unwrap();
    release(conn, &a).await.unwrap();
    let a = take_one(conn).await;
    assert_eq!(payloads(&a), ["after"]);
    done_many(conn, &a, &a.items).await.unwrap();
    release(conn, &a).await.unwrap();
    later(conn, 1.6).await;
    assert_eq!(payloads(&take_one(conn).await), ["p4"]);
}

async fn an_album_cannot_grow_for_ever(pool: &PgPool) {
    let conn = &mut *conn(pool).await;
    for n in 0..9 {
        put(conn, &[item("a", &n.to_string()).gathering("album", Duration::from_secs(2))]).await.unwrap();
        later(conn, 1.0).await;
    }
    let a = take_one(conn).await;
    assert_eq!(payloads(&a), ["0", "1", "2", "3", "4", "5", "6", "7", "8"]);
}

async fn words_join_what_gathers_before_them(pool: &PgPool) {
    let conn = &mut *conn(pool).await;
    let settle = Duration::from_millis(1500);
    let (photo, words) = (|name| item("a", name).gathering("burst", settle), |name| item("a", name).joining("burst", settle));
    put(conn, &[words("alone")]).await.unwrap();
    let a = take_one(conn).await;
    assert_eq!(payloads(&a), ["alone"], "words wait for nobody");
    // What is in a worker's hands is not joined.
    put(conn, &[photo("p1")]).await.unwrap();
    done_many(conn, &a, &a.items).await.unwrap();
    release(conn, &a).await.unwrap();
    later(conn, 1.6).await;
    let a = take_one(conn).await;
    put(conn, &[words("too late")]).await.unwrap();
    done_many(conn, &a, &a.items).await.unwrap();
    assert!(release(conn, &a).await.unwrap());
    let a = take_one(conn).await;
    assert_eq!((payloads(&a), a.items[0].gathers), (vec!["too late".to_owned()], false));
    done_many(conn, &a, &a.items).await.unwrap();
    release(conn, &a).await.unwrap();
    // Each member makes it wait anew, words as well.
    put(conn, &[photo("p2").dedupe("p2")]).await.unwrap();
    later(conn, 1.0).await;
    put(conn, &[words("w1"), words("w2")]).await.unwrap();
    later(conn, 1.0).await;
    put(conn, &[photo("p3"), photo("p2").dedupe("p2")]).await.unwrap();
    later(conn, 1.0).await;
    assert!(take(conn).await.is_empty());
    later(conn, 0.6).await;
    let a = take_one(conn).await;
    assert_eq!(payloads(&a), ["p2", "w1", "w2", "p3"]);
    assert!(a.items.iter().all(|item| item.gathers));
}

async fn what_gathers_ends_with_a_tap(pool: &PgPool) {
    let conn = &mut *conn(pool).await;
    let settle = Duration::from_secs(60);
    let (photo, words) = (|name| item("a", name).gathering("burst", settle), |name| item("a", name).joining("burst", settle));
    let tap = |name| item("a", name).ending("burst");
    put(conn, &[photo("p1"), photo("p2")]).await.unwrap();
    assert!(take(conn).await.is_empty());
    put(conn, &[words("w1"), tap("t1"), words("w2"), photo("p3"), tap("t2"), photo("p4")]).await.unwrap();
    for expected in [&["p1", "p2", "w1"][..], &["t1", "w2"], &["p3"], &["t2"]] {
        let a = take_one(conn).await;
        assert_eq!(payloads(&a), expected, "without waiting, in order");
        done_many(conn, &a, &a.items).await.unwrap();
        release(conn, &a).await.unwrap();
    }
    assert!(take(conn).await.is_empty());
    later(conn, 61.0).await;
    assert_eq!(payloads(&take_one(conn).await), ["p4"]);
}

async fn an_album_is_deferred_whole(pool: &PgPool) {
    let conn = &mut *conn(pool).await;
    let photo = |name| item("a", name).gathering("album", Duration::ZERO);
    put(conn, &[photo("1"), photo("2")]).await.unwrap();
    let a = take_one(conn).await;
    defer(conn, &a, &a.items, Duration::from_secs(60), "no").await.unwrap();
    release(conn, &a).await.unwrap();
    assert!(take(conn).await.is_empty());
    later(conn, 61.0).await;
    assert_eq!(payloads(&take_one(conn).await), ["1", "2"]);
}

async fn a_delayed_item_is_not_claimed_early(pool: &PgPool) {
    let conn = &mut *conn(pool).await;
    put(conn, &[item("timer", "1").delay(Duration::from_secs(60))]).await.unwrap();
    assert!(take(conn).await.is_empty());
    assert!(idle(conn).await.unwrap(), "a timer that is not over is no work");
    later(conn, 61.0).await;
    assert!(!idle(conn).await.unwrap());
    assert_eq!(payloads(&take_one(conn).await), ["1"]);
}

async fn depth_and_idle_and_purge(pool: &PgPool) {
    let conn = &mut *conn(pool).await;
    let late = item("c", "1").delay(Duration::from_secs(600));
    put(conn, &[item("a", "1").dedupe("1"), item("a", "2").dedupe("2"), item("b", "1"), late]).await.unwrap();
    later(conn, 5.0).await;
    let leases = take(conn).await;
    bury(conn, &leases[1], &leases[1].items, "b").await.unwrap();
    let depths = depth(conn).await.unwrap();
    let inbox = depths.iter().find(|depth| depth.queue == Queue::Inbox).unwrap();
    assert_eq!((inbox.waiting, inbox.ready, inbox.leased, inbox.dead), (3, 2, 2, 1));
    assert!(inbox.oldest >= Duration::from_secs(5) && inbox.oldest < Duration::from_secs(10), "{:?}", inbox.oldest);
    assert_eq!(depths.len(), 3);
    done_many(conn, &leases[0], &leases[0].items).await.unwrap();
    assert!(!idle(conn).await.unwrap(), "lanes are leased");
    for lease in &leases {
        release(conn, lease).await.unwrap();
    }
    assert!(idle(conn).await.unwrap());
    assert_eq!(purge(conn, Duration::from_secs(60), 100).await.unwrap(), 0);
    assert_eq!(purge(conn, Duration::ZERO, 1).await.unwrap(), 1);
    assert_eq!(purge(conn, Duration::ZERO, 100).await.unwrap(), 1);
    assert_eq!(dead_list(conn, ItemId(0), 10).await.unwrap().len(), 1, "dead letters stay");
}

async fn what_has_no_key_is_gone_when_it_is_done(pool: &PgPool) {
    let conn = &mut *conn(pool).await;
    put(conn, &[item("a", "1"), item("a", "2").dedupe("2"), item("a", "3")]).await.unwrap();
    let lease = take_one(conn).await;
    done_many(conn, &lease, &lease.items).await.unwrap();
    release(conn, &lease).await.unwrap();
    let left: Vec<String> = sqlx::query_scalar("SELECT payload::text FROM queue_items").fetch_all(&mut *conn).await.unwrap();
    assert_eq!(left, ["\"2\""]);
    assert_eq!(put(conn, &[item("b", "2").dedupe("2"), item("b", "4")]).await.unwrap().iter().flatten().count(), 1);
    let again = done_many(conn, &lease, &lease.items[..1]).await;
    assert!(matches!(again, Err(QueueError::LeaseLost)), "{again:?}");
}

async fn nobody_waits_behind_announcements(pool: &PgPool) {
    let conn = &mut *conn(pool).await;
    let bulk: Vec<NewItem> = (0..20).map(|n| item(&format!("bulk:{n}"), "x").priority(Priority::Bulk)).collect();
    put(conn, &bulk).await.unwrap();
    put(conn, &[item("a", "1")]).await.unwrap();
    let leases = claim(conn, Queue::Inbox, Claim { bulk: 3, ..CLAIM }).await.unwrap();
    assert_eq!(leases.iter().map(|lease| lease.bulk).collect::<Vec<_>>(), [false, true, true, true]);
    assert!(claim(conn, Queue::Inbox, Claim { bulk: 0, ..CLAIM }).await.unwrap().is_empty());
    assert_eq!(next_ready(conn, Queue::Inbox, true).await.unwrap(), Some(Duration::ZERO));
    assert!(next_ready(conn, Queue::Inbox, false).await.unwrap() > Some(Duration::ZERO), "the lease of the other one");
}
