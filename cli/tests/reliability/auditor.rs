//! The audit itself: what is wrong is noticed. An audit that sees nothing would find every storm in order.

use fitter_testkit::app::run;
use serde_json::json;

use crate::audit::Report;
use crate::options;
use crate::storm::{Size, Storm};

/// A thing that must not happen, done to the database by hand, and how many more complaints of each kind it makes at least: lost, doubled,
/// out of order.
const HARMS: [(&str, &str, [usize; 3]); 9] = [
    (
        "an update is lost",
        "DELETE FROM queue_items WHERE id = (SELECT id FROM queue_items WHERE queue = 1 AND dedupe_key LIKE '7%' ORDER BY id DESC OFFSET 3 LIMIT 1)",
        [1, 0, 0],
    ),
    ("a dialogue changes without a cause", "UPDATE dialogues SET rev = rev + 1 WHERE chat = 10001", [0, 1, 0]),
    ("a dialogue skips a revision", "UPDATE dialogues SET rev = rev + 5 WHERE chat = 10002", [0, 1, 0]),
    (
        "an item ends without a turn",
        "INSERT INTO trail_items (item, queue, lane, is_now) VALUES (999999, 1, '7000001:10003:0', 1)",
        [1, 0, 0],
    ),
    (
        "an item ends twice",
        "INSERT INTO trail_items (tx, item, queue, lane, is_now) SELECT tx, item, queue, lane, is_now FROM trail_items WHERE queue = 2 LIMIT 1",
        [0, 1, 0],
    ),
    (
        "two items end in the wrong order",
        "WITH two AS (SELECT seq, item, lag(item) OVER w AS before, lead(item) OVER w AS after FROM trail_items
                      WHERE lane = '7000001:10004:0' AND is_now = 1 WINDOW w AS (ORDER BY seq) ORDER BY seq LIMIT 2)
         UPDATE trail_items t SET item = coalesce(two.before, two.after) FROM two WHERE t.seq = two.seq",
        [0, 0, 1],
    ),
    ("an answer is lost", "UPDATE runs SET state = jsonb_set(state, '{records}', '[]') WHERE id = (SELECT min(id) FROM runs)", [1, 0, 0]),
    (
        "a walk began twice",
        "INSERT INTO runs (person, job, procedure, status, state, step, of, started_at, updated_at)
         SELECT person, job, procedure, status, state, step, of, started_at, updated_at FROM runs ORDER BY id DESC LIMIT 1",
        [0, 1, 0],
    ),
    (
        "a letter was not sent",
        "INSERT INTO queue_items (queue, lane, payload, priority, run_at, max_attempts, status, done_at)
         SELECT queue, lane, replace(payload::text, 'Техник', 'Механик')::json, priority, run_at, max_attempts, 1, done_at
         FROM all_items WHERE queue = 2 AND lane = '7000001:10005' AND payload::text LIKE '%Техник%' LIMIT 1",
        [1, 0, 0],
    ),
];

fn complaints(report: &Report) -> [usize; 3] {
    [report.lost.len(), report.doubled.len(), report.disorder.len()]
}

const LAST_LETTER: &str = "INSERT INTO queue_items (queue, lane, payload, priority, run_at, max_attempts, status, done_at)
    SELECT queue, lane, payload, priority, run_at, max_attempts, 1, done_at
    FROM all_items WHERE queue = 2 AND lane = '7000001:10006' AND payload->'what'->>'do' IN ('send', 'move') ORDER BY id LIMIT 1";

#[test]
fn what_is_wrong_is_noticed() {
    run(async {
        let storm = Storm::prepare(options(), Size::of(1, 8, 20.0)).await;
        let telegram = &storm.fitter.telegram;
        let all = storm.spawn("all", &[], &[]);
        storm.crowd.start(telegram).await;
        storm
            .crowd_acts(async {
                while storm.fitter.count("SELECT count(*) FROM runs WHERE status = 'done'").await < 3 {
                    storm.turns(10).await;
                }
            })
            .await;
        storm.calm().await;
        all.terminate().await;
        let mut before = storm.audit().await;
        assert_eq!((complaints(&before), before.doubled_letters, before.held), ([0; 3], 0, 0), "{before:?}");
        for (what, harm, more) in HARMS {
            storm.fitter.execute(harm).await;
            let after = storm.audit().await;
            let (was, is) = (complaints(&before), complaints(&after));
            assert!((0..3).all(|kind| is[kind] >= was[kind] + more[kind]), "{what}: {was:?} became {is:?}");
            before = after;
        }
        // The first message of a chat once more as its last letter, and that one sent twice.
        storm.fitter.execute(LAST_LETTER).await;
        let said = telegram.calls_of("sendMessage", "").await;
        let first = said.iter().find(|call| call["request"]["chat_id"] == 10_006 && call["response"]["ok"] == true).unwrap();
        for _ in 0..2 {
            telegram.bot_api(0, "sendMessage", json!({"chat_id": 10_006, "text": first["request"]["text"]})).await;
        }
        telegram.bot_api(0, "sendMessage", json!({"chat_id": 10_007, "text": "этого никто не говорил"})).await;
        storm.fitter.execute("INSERT INTO queue_lanes (queue, lane, priority, ready_at, lease_token) VALUES (3, 'x', 0, now(), 1)").await;
        let after = storm.audit().await;
        assert_eq!((after.doubled_letters, after.held, after.disorder.len()), (1, 1, before.disorder.len() + 1));
    });
}
