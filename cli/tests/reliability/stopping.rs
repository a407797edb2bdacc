//! SIGTERM: nothing new is begun, what is begun ends within its deadline, and another process goes on.

use std::time::{Duration, Instant};

use fitter_testkit::app::{eventually, run};
use futures::future::join;
use serde_json::json;

use crate::audit::Meant;
use crate::options;
use crate::process::Process;
use crate::storm::{Size, Storm};

/// Nobody fetches for no longer than this when the process that did has died; held against the long form, on a machine of its own.
const TAKEN_OVER: Duration = Duration::from_secs(3);

/// Handlers have 20 s to end; then there are the pollers, the listeners and the pool.
const DEADLINE: Duration = Duration::from_secs(30);

#[test]
fn a_rolling_restart_under_load_shows_nothing_of_it() {
    run(async {
        let storm = Storm::prepare(options(), Size::one_of_many(2, 40, 20.0)).await;
        let mut pair = Vec::new();
        for name in ["left", "right"] {
            let mut process = storm.spawn(name, &[], &[]);
            process.ready().await;
            pair.push(process);
        }
        storm.crowd.start(&storm.fitter.telegram).await;
        storm
            .crowd_acts(async {
                for _ in 0..storm.size.rounds {
                    for _ in 0..2 {
                        storm.turns(30).await;
                        let old = pair.remove(0);
                        let mut new = storm.spawn(&old.name, &[], &[]);
                        new.ready().await;
                        old.terminate().await;
                        pair.push(new);
                    }
                }
                storm.turns(50).await;
            })
            .await;
        storm.calm().await;
        let report = storm.audit().await;
        storm.publish("rolling restart", &report);
        // Not even a message came twice.
        report.check(&Meant::default());
        for process in pair {
            process.terminate().await;
        }
        storm.check_logs();
        let logs = storm.logs();
        let errors: Vec<&str> = logs.lines().filter(|line| line.contains(" ERROR ")).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        let sorry = storm.fitter.count("SELECT count(*) FROM queue_items WHERE dedupe_key LIKE 'sorry:%'").await;
        assert_eq!(sorry, 0, "nobody was told that something went wrong");
    });
}

#[test]
fn whoever_stands_by_takes_over() {
    run(async {
        let size = Size::one_of_many(2, 24, 15.0);
        let storm = Storm::prepare(options(), Size { rounds: size.rounds.min(4), ..size }).await;
        let bot = || storm.spawn("bot", &["--role", "bot"], &[]);
        let worker = storm.spawn("worker", &["--role", "worker"], &[]);
        let mut fetching = bot();
        fetching.ready().await;
        storm.crowd.start(&storm.fitter.telegram).await;
        // A bigint key stands there in two halves.
        let holders = format!(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND (classid::bigint << 32) | objid::bigint = hashtextextended('poll:{}', 0)",
            storm.fitter.telegram.bot_id(0)
        );
        let holder = async || storm.fitter.rows(&holders).await.first().and_then(|row| row["pid"].as_i64());
        let mut longest = Duration::ZERO;
        storm
            .crowd_acts(async {
                for _ in 0..storm.size.rounds {
                    let mut next = bot();
                    next.ready().await;
                    let begun = Instant::now();
                    storm.turns(30).await;
                    // Somebody who has stood by for long is as quick as somebody who has just begun.
                    while storm.size.long && begun.elapsed() < Duration::from_secs(35) {
                        storm.turns(30).await;
                    }
                    let old = eventually("somebody fetches", &holder).await;
                    storm.kill9(vec![std::mem::replace(&mut fetching, next)], false).await;
                    let died = Instant::now();
                    eventually("another one does", async || holder().await.filter(|new| *new != old)).await;
                    longest = longest.max(died.elapsed());
                }
                storm.turns(30).await;
            })
            .await;
        storm.calm().await;
        let report = storm.audit().await;
        storm.publish_with("taking over", &report, &json!({"taken_over_ms": longest.as_millis()}));
        report.check(&Meant::default());
        assert!(!storm.size.long || longest <= TAKEN_OVER, "taken over after {longest:?}");
        fetching.terminate().await;
        worker.terminate().await;
        storm.check_logs();
    });
}

#[test]
fn nothing_that_hangs_keeps_it() {
    run(async {
        join(telegram_hangs(), database_hangs()).await;
    });
}

/// People who have been at work for a while with one process.
async fn at_work() -> (Storm, Process) {
    let storm = Storm::prepare(options(), Size::of(1, 24, 15.0)).await;
    let mut all = storm.spawn("all", &[], &[]);
    all.ready().await;
    storm.crowd.start(&storm.fitter.telegram).await;
    storm.crowd_acts(storm.turns(80)).await;
    (storm, all)
}

async fn telegram_hangs() {
    let (storm, mut all) = at_work().await;
    let telegram = &storm.fitter.telegram;
    telegram.fault(json!({"kind": "timeout"})).await;
    storm.crowd_acts(storm.turns(20)).await;
    all.ask_to_end();
    all.ends(DEADLINE).await;
    telegram.clear_faults().await;
    let leased = storm.fitter.count("SELECT count(*) FROM queue_lanes WHERE lease_token IS NOT NULL").await;
    assert_eq!(leased, 0, "lanes are given back: the next process need not wait for the leases");
    let next = storm.spawn("next", &[], &[]);
    storm.calm().await;
    let report = storm.audit().await;
    storm.publish("SIGTERM while Telegram hangs", &report);
    report.check(&Meant::default());
    next.terminate().await;
    storm.check_logs();
}

async fn database_hangs() {
    let (storm, mut all) = at_work().await;
    // Every turn hangs until somebody says that it is enough, which is after the process has ended.
    let fitter = &storm.fitter;
    fitter.execute("CREATE TABLE enough (said boolean)").await;
    let lock = "DO $$ BEGIN
            LOCK TABLE dialogues IN ACCESS EXCLUSIVE MODE;
            WHILE NOT EXISTS (SELECT FROM enough) LOOP PERFORM pg_sleep(0.05); END LOOP;
        END $$";
    join(fitter.execute(lock), async {
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        storm.crowd_acts(eventually("turns hang", async || (fitter.count(waiting).await > 0).then_some(()))).await;
        all.ask_to_end();
        all.ends(DEADLINE).await;
        fitter.execute("INSERT INTO enough VALUES (true)").await;
    })
    .await;
    // It could not give its lanes back.
    fitter.expire_leases().await;
    let next = storm.spawn("next", &[], &[]);
    storm.calm().await;
    let report = storm.audit().await;
    storm.publish("SIGTERM while the database hangs", &report);
    report.check(&Meant::default());
    next.terminate().await;
    storm.check_logs();
}
