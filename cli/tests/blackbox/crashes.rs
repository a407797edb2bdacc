//! `kill -9` in the middle of it all.

use std::cell::Cell;
use std::time::Duration;

use fitter_testkit::app::run;
use fitter_testkit::{Fitter, Player};
use futures::future::{join, join_all};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::Value;

use crate::walks::runs;
use crate::{options, vault};

const PEOPLE: usize = 6;
const ROUNDS: usize = 5;

/// What one person gives in one walk.
struct Plan {
    texts: [String; 4],
    number: u32,
    choice: &'static str,
}

impl Plan {
    fn new(person: usize, walk: usize) -> Self {
        let text = |step: &str| format!("ответ {step} {person}-{walk}");
        Self {
            texts: ["первый", "третий", "пятый", "седьмой"].map(text),
            number: u32::try_from(person * 1000 + walk).unwrap(),
            choice: if (person + walk).is_multiple_of(2) { "Левый" } else { "Правый" },
        }
    }

    async fn walk(&self, player: &Player<'_>) {
        player.say("/procedures").await.tap("Восемь замеров").await.tap("▶ Начать").await;
        player.say(&self.texts[0]).await.say(&self.number.to_string()).await.say(&self.texts[1]).await;
        player.tap("✓ Да").await.say(&self.texts[2]).await.tap(self.choice).await.say(&self.texts[3]).await;
        player.photo().await;
    }

    /// The answers of a finished walk are these, and nothing else.
    fn check(&self, run: &Value) {
        assert_eq!(run["status"], "done", "{run}");
        let records = run["state"]["records"].as_array().unwrap();
        let answers: Vec<Value> = records.iter().map(|record| record[1]["answers"].clone()).collect();
        let one = |step: usize| {
            let given = answers[step].as_array().unwrap();
            assert_eq!(given.len(), 1, "step {step} of {run}");
            given[0].clone()
        };
        for (step, text) in [(0, 0), (2, 1), (4, 2), (6, 3)] {
            assert_eq!(one(step)["text"], self.texts[text], "{run}");
        }
        assert_eq!(one(1)["value"].as_f64(), Some(f64::from(self.number)), "{run}");
        assert_eq!(one(3)["kind"], "confirmed", "{run}");
        assert_eq!(one(5)["label"], self.choice, "{run}");
        assert_eq!(one(7)["files"].as_array().map(Vec::len), Some(1), "{run}");
        assert_eq!(answers.len(), 8, "{run}");
        assert_eq!(run["state"]["changes"], serde_json::json!([]), "{run}");
    }
}

#[test]
fn nothing_is_lost_and_nothing_counts_twice() {
    run(async {
        let fitter = Fitter::start(options().vault(vault())).await;
        let seed = std::env::var("FITTER_CHAOS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_120);
        eprintln!("seed {seed}: FITTER_CHAOS_SEED repeats it");
        let mut random = StdRng::seed_from_u64(seed);
        let mut players = Vec::new();
        for person in 0..PEOPLE {
            players.push(fitter.technician(&format!("Ходок {person}")).await);
        }
        // Undisturbed, so that it is known how a walk looks.
        let calm = fitter.technician("Спокойный").await;
        let plan = Plan::new(99, 0);
        plan.walk(&calm).await;
        let reference = runs(&fitter, &calm).await;
        plan.check(&reference[0]);
        let revs = reference[0]["state"]["rev"].clone();
        let letters = calm.from_bot().await.len();

        let enough = Cell::new(false);
        let walkers = join_all(players.iter().enumerate().map(|(person, player)| {
            let enough = &enough;
            async move {
                let mut walks = 0;
                while !enough.get() || walks == 0 {
                    Plan::new(person, walks).walk(player).await;
                    walks += 1;
                }
                walks
            }
        }));
        let killer = async {
            for round in 0..ROUNDS {
                tokio::time::sleep(Duration::from_millis(random.random_range(300..2000))).await;
                fitter.kill9();
                // Half a minute passes in the first round only.
                if round > 0 {
                    fitter.expire_leases().await;
                }
                fitter.launch().await;
            }
            enough.set(true);
        };
        let (walks, ()) = join(walkers, killer).await;
        fitter.quiet().await;
        eprintln!("walks: {walks:?}");

        for (person, (player, walks)) in players.iter().zip(&walks).enumerate() {
            let runs = runs(&fitter, player).await;
            assert_eq!(runs.len(), *walks, "{}\n{}", player.name, player.transcript().await);
            for (walk, run) in runs.iter().enumerate() {
                Plan::new(person, walk).check(run);
                assert_eq!(run["state"]["rev"], revs, "{run}");
            }
            // A message may come twice if it was on its way at a kill, and only then.
            let most = walks * letters + letters + ROUNDS * 8;
            let got = player.from_bot().await.len();
            assert!(got <= most, "{got} messages, at most {most}\n{}", player.transcript().await);
            let photos =
                fitter.count(&format!("SELECT count(*) FROM photos p JOIN people w ON w.id = p.by WHERE w.user_id = {}", player.id)).await;
            assert_eq!(usize::try_from(photos).ok(), Some(*walks));
        }
        let total = fitter.count("SELECT count(*) FROM queue_items WHERE queue = 1 AND dedupe_key IS NOT NULL").await;
        let distinct = fitter.count("SELECT count(DISTINCT dedupe_key) FROM queue_items WHERE queue = 1").await;
        assert_eq!(total, distinct);
        let left = fitter.count("SELECT count(*) FROM queue_items WHERE status NOT IN (1, 3)").await;
        assert_eq!(left, 0, "everything is done, nothing died");
        fitter.finish().await;
    });
}
