//! One installation of several processes whose clocks disagree: leases, timers and dialogues go by the database's.

use fitter_domain::clock::{Clock as _, SystemClock};
use fitter_testkit::app::{eventually, run};

use crate::audit::Meant;
use crate::options;
use crate::storm::{Size, Storm};

#[test]
fn workers_whose_clocks_are_far_apart_share_the_work() {
    run(async {
        let storm = Storm::prepare(options(), Size::of(1, 20, 8.0)).await;
        let http = storm.fitter.http_addr().to_string();
        let mut bot = storm.spawn("bot", &["--role", "bot"], &[]);
        let mut web = storm.spawn("web", &["--role", "web"], &[("FITTER_HTTP_ADDR", &http)]);
        let mut ahead = storm.spawn("ahead", &["--role", "worker"], &[("FAILPOINTS", "clock=return(600)")]);
        let mut behind = storm.spawn("behind", &["--role", "worker"], &[("FAILPOINTS", "clock=return(-600)")]);
        for process in [&mut bot, &mut web, &mut ahead, &mut behind] {
            process.ready().await;
        }
        assert_eq!(storm.fitter.http("/readyz").await.0, 200, "the web's process alone listens");
        storm.crowd.start(&storm.fitter.telegram).await;
        let timers = if storm.size.long { 40 } else { 3 };
        // Somebody who lets the program time things; the crowd does not.
        let timed = storm.fitter.technician("Хронометр").await;
        storm
            .crowd_acts(async {
                timed.say("/procedures").await.tap("Установка маяка").await.tap("▶ Начать").await;
                timed.tap("Да").await.say("356307042441013").await;
                for round in 1..=timers {
                    let begun = SystemClock.now();
                    timed.tap("Засечь 1 с").await;
                    let rang = async || (timed.count("Время вышло: ").await == round).then(|| SystemClock.now());
                    let rang = eventually("the timer rings", rang).await;
                    // A clock that is ten minutes off would show.
                    let after = (rang - begun).num_milliseconds();
                    assert!((1000..60_000).contains(&after), "it rang after {after} ms");
                }
            })
            .await;
        storm.calm().await;
        let report = storm.audit().await;
        storm.publish("clocks apart", &report);
        report.check(&Meant::default());
        let doubled = storm.fitter.count("SELECT count(*) FROM queue_items WHERE attempts > 0").await;
        assert_eq!(doubled, 0, "nobody took what another one had");
        for worker in [&ahead, &behind] {
            assert!(worker.counter("fitter_queue_items_total", "outcome=\"done\"").await > 0.0, "{} did nothing", worker.name);
        }
        for (worker, off) in [(&ahead, "seconds=600"), (&behind, "seconds=-600")] {
            let told = format!("clock is ahead of the database's by so much; the database's counts {off}");
            assert!(worker.log().contains(&told), "{}: {}", worker.name, worker.log());
        }
        for process in [bot, web, ahead, behind] {
            process.terminate().await;
        }
        storm.check_logs();
    });
}
