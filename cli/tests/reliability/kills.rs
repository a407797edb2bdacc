//! `kill -9` at random moments: of everything, of the process that fetches, of the process that works, of one of two that do both.

use std::time::Duration;

use fitter_testkit::app::run;
use futures::future::join3;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::audit::Meant;
use crate::options;
use crate::process::Process;
use crate::storm::{Size, Storm};

/// A process of the installation: its name, and its arguments.
type Member = (&'static str, &'static [&'static str]);

const ALL: [Member; 1] = [("all", &[])];
const APART: [Member; 2] = [("bot", &["--role", "bot"]), ("worker", &["--role", "worker"])];
const PAIR: [Member; 2] = [("left", &[]), ("right", &[])];

/// Kills one of the members after the other, in any order, while people act; `alone` says of a member that nobody does its work without it.
async fn killed(scenario: &str, size: Size, members: &[Member], alone: impl Fn(&str) -> bool) {
    let storm = Storm::prepare(options(), size).await;
    let mut random = StdRng::seed_from_u64(storm.size.seed);
    let mut running: Vec<Option<Process>> = Vec::new();
    for (name, args) in members {
        let mut process = storm.spawn(name, args, &[]);
        process.ready().await;
        running.push(Some(process));
    }
    storm.crowd.start(&storm.fitter.telegram).await;
    storm
        .crowd_acts(async {
            storm.turns(i64::try_from(storm.size.people).unwrap()).await;
            for _ in 0..storm.size.rounds {
                let most = if storm.size.long { 10_000 } else { 3000 };
                tokio::time::sleep(Duration::from_millis(random.random_range(500..most))).await;
                let place = random.random_range(0..members.len());
                let (name, args) = members[place];
                storm.kill9(running[place].take().into_iter().collect(), alone(name)).await;
                let mut again = storm.spawn(name, args, &[]);
                storm.ready(&mut again).await;
                running[place] = Some(again);
            }
            storm.turns(50).await;
        })
        .await;
    storm.calm().await;
    let report = storm.audit().await;
    storm.publish(scenario, &report);
    assert_eq!(report.kills, storm.size.rounds);
    report.check(&Meant::default());
    for process in running.into_iter().flatten() {
        process.terminate().await;
    }
    storm.check_logs();
}

#[test]
fn nothing_is_lost_and_nothing_counts_twice() {
    run(async {
        // One after the other in the long form: each has the machine to itself. They share its rounds.
        let size = Size::of(3, 24, 12.0);
        let part = |of: usize| if size.long { Size { rounds: size.rounds.div_ceil(of), ..size } } else { size };
        let all = killed("all in one killed", part(4), &ALL, |_| true);
        let apart = killed("bot or worker killed", part(2), &APART, |name| name == "worker");
        let pair = killed("one of two killed", part(4), &PAIR, |_| false);
        if size.long {
            all.await;
            apart.await;
            pair.await;
        } else {
            join3(all, apart, pair).await;
        }
    });
}
