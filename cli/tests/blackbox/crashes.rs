//! `kill -9` in the middle of it all.

use std::cell::Cell;
use std::time::Duration;

use fitter_testkit::app::run;
use fitter_testkit::{Fitter, Player, Storage};
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

#[test]
fn a_new_version_takes_over_without_a_trace() {
    run(async {
        let fitter = Fitter::start(options().vault(vault())).await;
        let mut players = Vec::new();
        for person in 0..3 {
            players.push(fitter.technician(&format!("Ходок {person}")).await);
        }
        let calm = fitter.technician("Спокойный").await;
        Plan::new(99, 0).walk(&calm).await;
        let letters = calm.from_bot().await.len();
        let calm_texts: Vec<String> =
            calm.from_bot().await.iter().map(|message| message.text().lines().next().unwrap_or_default().to_owned()).collect();
        let walkers = join_all(players.iter().enumerate().map(async |(person, player)| Plan::new(person, 0).walk(player).await));
        let operator = async {
            for _ in 0..3 {
                tokio::time::sleep(Duration::from_millis(400)).await;
                fitter.restart().await;
            }
        };
        join(walkers, operator).await;
        fitter.quiet().await;
        for (person, player) in players.iter().enumerate() {
            let runs = runs(&fitter, player).await;
            assert_eq!(runs.len(), 1);
            Plan::new(person, 0).check(&runs[0]);
            // Not even a message came twice.
            let texts: Vec<String> =
                player.from_bot().await.iter().map(|message| message.text().lines().next().unwrap_or_default().to_owned()).collect();
            assert_eq!(texts.len(), letters, "{texts:#?}\ninstead of {calm_texts:#?}");
        }
        assert_eq!(fitter.count("SELECT count(*) FROM queue_items WHERE queue = 2 AND attempts > 1").await, 0);
        fitter.finish().await;
    });
}

#[test]
fn a_timer_rings_after_a_crash() {
    run(async {
        let fitter = Fitter::start(options().vault(vault())).await;
        let aidos = fitter.technician("Айдос").await;
        aidos.say("/procedures").await.tap("Установка маяка").await.tap("Начать").await;
        aidos.tap("Да").await.say("356307042441013").await.tap("Засечь 1 с").await;
        fitter.kill9();
        tokio::time::sleep(Duration::from_millis(1100)).await;
        aidos.never_sees("Время вышло: Измерьте напряжение").await;
        fitter.launch().await;
        aidos.wait_for("Время вышло: Измерьте напряжение").await;
        fitter.quiet().await;
        assert_eq!(aidos.count("Время вышло: Измерьте напряжение").await, 1);
        // It does not ring for whoever has gone on.
        aidos.tap("Засечь 1 с").await.say("12,4").await;
        fitter.quiet().await;
        assert_eq!(aidos.count("Время вышло: Измерьте напряжение").await, 1);
        fitter.finish().await;
    });
}

#[test]
fn the_embedded_database_survives_a_power_cut() {
    run(async {
        let fitter = Fitter::prepare(options().vault(vault()).storage(Storage::Embedded)).await;
        let mut links = Vec::new();
        for _ in 0..3 {
            links.push(fitter.invite("technician").await);
        }
        fitter.launch().await;
        let mut players = Vec::new();
        for (person, link) in links.iter().enumerate() {
            let player = fitter.stranger(&format!("Ходок {person}"), "ru").await;
            player.start(link).await.tap("Русский").await.tap(&format!("Ходок {person}")).await;
            players.push(player);
        }
        let walkers = join_all(players.iter().enumerate().map(async |(person, player)| {
            for walk in 0..2 {
                player.say("/procedures").await.tap("Короткая проверка").await.tap("Начать").await;
                player.say("12").await.say(&format!("ответ {person}-{walk}")).await.tap("Готово").await;
                player.wait_for(&format!("2. Впишите показание — ответ {person}-{walk}\n")).await;
            }
        }));
        let killer = async {
            tokio::time::sleep(Duration::from_millis(1300)).await;
            fitter.kill9();
            fitter.launch().await;
        };
        join(walkers, killer).await;
        for player in &players {
            assert!(player.count("Короткая проверка — готово").await >= 2, "{}", player.transcript().await);
            player.say("/menu").await;
            let home = player.sees("чем помочь?").await;
            assert_eq!(home.labels(), ["Новая карточка", "Инструкции", "Помощь"], "no walk is left over");
        }
        fitter.finish().await;
    });
}
