//! Every boundary between what is done and what is known to be done, with a crash, an error and a delay.

use std::time::{Duration, Instant};

use fitter_testkit::app::run;
use futures::future::join3;

use crate::audit::Meant;
use crate::options;
use crate::process::Process;
use crate::storm::{Size, Storm};

/// It happens at least so often, …
const HITS: usize = 3;
/// … while each person has so many turns, …
const TURNS: i64 = 4;
/// … and in the long form for at least this time.
const LONG: Duration = Duration::from_secs(60);
/// A process to which it does not happen within this time never comes to that place.
const HAPPENS_WITHIN: Duration = Duration::from_secs(90);

/// How often it happens when the place is passed, in percent: every second or two. Some dozens of lanes are claimed a second, and few times
/// updates are fetched.
fn percent(place: &str, what: &str) -> u32 {
    match (place, what) {
        ("claim", "crash") => 2,
        (_, "crash") if place != "accept" => 4,
        ("accept", _) => 15,
        (_, "error") => 10,
        _ => 5,
    }
}

/// Waits until it has happened.
async fn happened(process: &mut Process, mut looks: impl FnMut(&mut Process) -> bool) {
    let until = Instant::now() + HAPPENS_WITHIN;
    while !looks(process) {
        assert!(Instant::now() < until, "it does not happen:\n{}", process.log());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// How often it happened.
fn hits(log: &str, place: &str, what: &str) -> usize {
    let told = format!("failpoint place=\"{place}\" what=\"{what}\"");
    log.lines().filter(|line| line.contains(&told)).count()
}

async fn cell(place: &'static str, what: &'static str) {
    let storm = Storm::prepare(options(), Size::one_of_many(2, 24, 25.0)).await;
    let size = storm.size;
    let turns = TURNS * i64::try_from(size.people).unwrap();
    let order = format!("{place}={}%return({what})", percent(place, what));
    let armed = [("FAILPOINTS", order.as_str())];
    let mut process = storm.spawn(place, &[], &armed);
    storm.crowd.start(&storm.fitter.telegram).await;
    storm
        .crowd_acts(async {
            if what != "crash" {
                process.ready().await;
                let often = |process: &mut Process| hits(&process.log(), place, what) >= HITS;
                join3(happened(&mut process, often), storm.turns(turns), tokio::time::sleep(if size.long { LONG } else { Duration::ZERO }))
                    .await;
                return;
            }
            for round in 1..=size.rounds {
                happened(&mut process, |process| process.ended().is_some()).await;
                storm.died(true).await;
                if !size.long {
                    storm.fitter.expire_leases().await;
                }
                process = storm.spawn(place, &[], if round < size.rounds { &armed } else { &[] });
            }
            process.ready().await;
            storm.turns(turns).await;
        })
        .await;
    storm.calm().await;
    assert!(process.ended().is_none(), "{place} {what}:\n{}", process.log());
    // An answer to a tap is no item: it is sent before the process ends, and not before it is quiet.
    process.terminate().await;
    let hits = hits(&storm.logs(), place, what);
    let report = storm.audit().await;
    storm.publish(&format!("{place}, {what}"), &report);
    // Sent, and then it failed: the letter goes out again.
    let doubled = if (place, what) == ("mark", "error") { hits } else { 0 };
    report.check(&Meant { doubled, ..Meant::default() });
    storm.check_logs();
}

fn cells(place: &'static str) {
    run(async {
        join3(cell(place, "crash"), cell(place, "error"), cell(place, "5000")).await;
    });
}

#[test]
fn after_updates_are_kept_and_before_telegram_knows() {
    cells("accept");
}

#[test]
fn after_lanes_are_leased_and_before_they_are_worked_on() {
    cells("claim");
}

#[test]
fn after_a_turn_and_before_its_commit() {
    cells("step");
}

#[test]
fn after_the_commit_of_a_turn() {
    cells("commit");
}

#[test]
fn before_a_letter_is_sent() {
    cells("send");
}

#[test]
fn after_a_letter_is_sent_and_before_it_is_marked() {
    cells("mark");
}
