//! A technician who was out of reach went on by memory; now all of it arrives within two seconds.

use std::time::Duration;

use fitter_testkit::app::{eventually, run};
use fitter_testkit::player::Did;
use fitter_testkit::telegram::{client, picture};
use fitter_testkit::{Fitter, Player};
use serde_json::{Value, json};

use crate::walks::runs;
use crate::{options, vault};

const TITLE: &str = "Обход машины";

const NOTE: &str = "---
type: procedure
title: Обход машины
---

Осмотр перед выездом.

1. **Щиток приборов.**

   > [!check] photo: Щиток

2. **Аккумулятор.**

   > [!check] number: Напряжение АКБ
   > unit: В
   > min: 9
   > max: 32

3. **Пломба.**

   > [!check] photo: Пломба
   > count: 1..2

4. **Датчик топлива.**

   > [!check] number: Длина датчика
   > unit: мм
   > min: 100

5. **Кузов.**

   > [!check] confirm: Кузов цел?

6. **Салон.** Передние и задние места.

   ![[board.png|Салон]]

   > [!check] photo: Салон
   > count: 3

7. **Госномер.**

   > [!check] photo: Госномер

8. **Закройте капот.**
";

/// How far apart things arrive over a weak link.
const PACE: Duration = Duration::from_millis(60);

/// One thing that the phone sends: photos with a caption, or words.
#[derive(Clone, Copy)]
enum Sent {
    Photos(u64, &'static str),
    Words(&'static str),
}

use Sent::{Photos, Words};

/// Twelve updates: two albums are two each.
const TWELVE: [Sent; 10] = [
    Photos(1, ""),
    Words("акб 12.6"),
    Photos(2, "3. пломба"),
    Words("датчик 8"),
    Photos(1, "салон"),
    Photos(2, ""),
    Photos(1, "вот так"),
    Words("царапина на двери"),
    Photos(1, "салон и пломба"),
    Words("шаг 1: стекло целое"),
];

async fn send(fitter: &Fitter, player: &Player<'_>, what: Sent) -> Did {
    let who = json!({"person": player.id, "bot": fitter.telegram.username(0)});
    let sent = match what {
        Words(text) => {
            let body = json!({"person": player.id, "bot": fitter.telegram.username(0), "text": text});
            fitter.telegram.post("send", body).await
        }
        Photos(count, caption) => {
            let body =
                if caption.is_empty() { who } else { json!({"person": player.id, "bot": fitter.telegram.username(0), "caption": caption}) };
            let files = (0..count).map(|_| ("photo", "photo.png".to_owned(), picture(rand::random()))).collect();
            fitter.telegram.send_files(&body, files).await
        }
    };
    tokio::time::sleep(PACE).await;
    Did::Sent(sent.as_array().unwrap().last().unwrap()["message_id"].as_i64().unwrap())
}

async fn send_all(fitter: &Fitter, player: &Player<'_>, what: &[Sent]) -> Did {
    let mut last = Did::Nothing;
    for sent in what {
        last = send(fitter, player, *sent).await;
    }
    last
}

async fn with_note(options: fitter_testkit::Options) -> Fitter {
    let fitter = Fitter::prepare(options.vault(vault())).await;
    std::fs::write(fitter.vault().join("Обход.md"), NOTE).unwrap();
    fitter.launch().await;
    eventually("the note is imported", async || {
        let found = fitter.count(&format!("SELECT count(*) FROM procedures WHERE title = '{TITLE}'")).await;
        (found == 1).then_some(())
    })
    .await;
    fitter
}

/// A technician who stands at the first step, on a card of their own.
async fn walker<'f>(fitter: &'f Fitter, name: &str, number: &str) -> Player<'f> {
    let player = fitter.technician(name).await;
    player.say("/new").await.say(number).await.tap("▶ Начать по инструкции").await.tap(TITLE).await.tap("▶ Начать").await;
    player.sees("Шаг 1 из 8").await;
    player
}

/// Number of the newest message in the chat.
async fn newest(player: &Player<'_>) -> i64 {
    player.messages().await.last().map_or(0, fitter_testkit::telegram::Message::id)
}

/// The bot's messages that came after a number and are still there.
async fn replies(player: &Player<'_>, after: i64) -> Vec<fitter_testkit::telegram::Message> {
    player.from_bot().await.into_iter().filter(|message| message.id() > after).collect()
}

async fn state(fitter: &Fitter, player: &Player<'_>) -> Value {
    runs(fitter, player).await.pop().unwrap()["state"].clone()
}

/// Photos of a walk by step: `step:count`, in the order of the first.
async fn photos_by_step(fitter: &Fitter, player: &Player<'_>) -> Vec<String> {
    let sql = format!(
        "SELECT coalesce(step, '-') AS step, count(*) AS n FROM photos f JOIN people p ON p.id = f.by
            WHERE p.user_id = {} AND run IS NOT NULL AND job IS NOT NULL GROUP BY 1 ORDER BY min(f.id)",
        player.id
    );
    fitter.rows(&sql).await.iter().map(|row| format!("{} {}", row["step"].as_str().unwrap(), row["n"])).collect()
}

/// Where the twelve belong.
async fn everything_is_at_its_step(fitter: &Fitter, player: &Player<'_>) {
    let state = state(fitter, player).await;
    let records = state["records"].as_array().unwrap();
    let answer = |step: usize| &records[step][1]["answers"][0];
    assert_eq!(answer(0)["files"].as_array().map(Vec::len), Some(1), "{state}");
    assert_eq!(answer(1)["value"].as_f64(), Some(12.6), "{state}");
    assert_eq!(answer(2)["files"].as_array().map(Vec::len), Some(2), "{state}");
    assert_eq!(answer(3), &Value::Null, "a reading out of range is not taken silently: {state}");
    assert_eq!((&state["at"]["step"], &state["pending"]), (&json!(3), &json!({"kind": "out_of_range", "value": 8.0, "reason": false})));
    let asides: Vec<(i64, usize)> = state["asides"]
        .as_array()
        .unwrap()
        .iter()
        .map(|aside| (aside["step"].as_i64().unwrap(), aside["files"].as_array().map_or(0, Vec::len)))
        .collect();
    assert_eq!(asides, [(5, 1), (5, 2), (6, 1)], "{state}");
    assert_eq!(state["notes"], json!([{"step": 0, "text": "стекло целое"}]));
    let doubts: Vec<&Value> = state["doubts"].as_array().unwrap().iter().map(|doubt| &doubt["text"]).collect();
    assert_eq!(doubts, ["царапина на двери", "салон и пломба"]);
    assert_eq!(
        photos_by_step(fitter, player).await,
        ["Щиток приборов 1", "Пломба 2", "Салон 3", "Госномер 1", "- 1"],
        "{}",
        player.transcript().await
    );
}

/// What is asked, one thing at a time, and how the walk ends.
async fn the_doubts_are_asked_and_the_walk_ends(fitter: &Fitter, player: &Player<'_>) {
    let asked = player.sees("Длина датчика: 8 мм (≥ 100 мм)").await;
    assert!(!asked.text().contains("К какому шагу"), "one thing at a time: {}", asked.text());
    player.tap("Измерить ещё раз").await.say("700").await;
    let asked = player.sees("К какому шагу эта заметка?").await;
    assert!(asked.text().contains("«царапина на двери»") && asked.text().contains("Потом спрошу ещё: 1"), "{}", asked.text());
    assert_eq!(asked.labels(), ["4. Датчик топлива", "Это был вопрос", "Без шага", "Пауза", "Проблема"]);
    player.tap("Без шага").await;
    let asked = player.sees("К какому шагу фото 8?").await;
    assert_eq!(asked.labels(), ["3. Пломба", "6. Салон", "Без шага", "Пауза", "Проблема"]);
    player.tap("3. Пломба").await;
    player.sees("Кузов цел?").await;
    // What was laid aside is taken when its step comes.
    player.tap("✓ Да").await;
    player.wait_for("✓ 6. Салон — 3 фото").await;
    player.wait_for("✓ 7. Госномер — 1 фото").await;
    player.sees("Шаг 8 из 8").await;
    player.tap("Готово").await;
    let summary = player.sees("✓ Обход машины — готово").await;
    for part in ["2. Аккумулятор — 12,6 В", "4. Датчик топлива — 700 мм", "📝 1. Щиток приборов: стекло целое", "📝 царапина на двери"]
    {
        assert!(summary.text().contains(part), "«{part}» in {}", summary.text());
    }
    assert_eq!(photos_by_step(fitter, player).await, ["Щиток приборов 1", "Пломба 3", "Салон 3", "Госномер 1"]);
    player.tap("Карточка № …").await;
    player.sees("Фото: 8").await;
}

#[test]
fn twelve_in_two_seconds_are_one_orderly_reply() {
    run(async {
        let fitter = with_note(options()).await;
        let aidos = walker(&fitter, "Айдос", "700 AAA 01").await;
        let before = newest(&aidos).await;
        let last = send_all(&fitter, &aidos, &TWELVE).await;
        aidos.settle(last).await;
        let new = replies(&aidos, before).await;
        assert_eq!(new.len(), 1, "{}", aidos.transcript().await);
        let told = new[0].text();
        for line in [
            "📥 Пришло сразу: 8 фото, 4 записи",
            "✓ 1. Щиток приборов — 1 фото; «стекло целое»",
            "✓ 2. Аккумулятор — 12,6 В",
            "✓ 3. Пломба — 2 фото",
            "⚠ 4. Датчик топлива — 8 мм, вне допустимого (≥ 100 мм)",
            "📎 6. Салон — 3 фото",
            "📎 7. Госномер — 1 фото",
            "Шаг 4 из 8",
        ] {
            assert!(told.contains(line), "«{line}» in {told}");
        }
        everything_is_at_its_step(&fitter, &aidos).await;
        the_doubts_are_asked_and_the_walk_ends(&fitter, &aidos).await;
        fitter.finish().await;
    });
}

#[test]
fn a_backlog_is_one_reply_as_well() {
    run(async {
        let fitter = with_note(options()).await;
        let (aidos, berik) = (walker(&fitter, "Айдос", "700 AAA 02").await, walker(&fitter, "Берик", "700 AAA 03").await);
        let before = newest(&aidos).await;
        let before_berik = newest(&berik).await;
        fitter.terminate().await;
        let last = send_all(&fitter, &aidos, &TWELVE).await;
        // Words first: their photos are in the same backlog.
        let berik_last = send_all(&fitter, &berik, &[Words("стекло целое"), Photos(1, ""), Words("акб 12.6"), Photos(2, "пломба")]).await;
        fitter.launch().await;
        aidos.settle(last).await;
        berik.settle(berik_last).await;
        assert_eq!(replies(&aidos, before).await.len(), 1, "{}", aidos.transcript().await);
        assert_eq!(replies(&berik, before_berik).await.len(), 1, "{}", berik.transcript().await);
        everything_is_at_its_step(&fitter, &aidos).await;
        let state = state(&fitter, &berik).await;
        assert_eq!((&state["at"]["step"], &state["doubts"][0]["text"]), (&json!(3), &json!("стекло целое")), "{state}");
        fitter.finish().await;
    });
}

#[test]
fn kill_9_in_the_middle_ends_the_same() {
    run(async {
        let fitter = with_note(options()).await;
        let aidos = walker(&fitter, "Айдос", "700 AAA 04").await;
        let before = newest(&aidos).await;
        let (one, other) = TWELVE.split_at(5);
        send_all(&fitter, &aidos, one).await;
        fitter.kill9();
        let last = send_all(&fitter, &aidos, other).await;
        fitter.expire_leases().await;
        fitter.launch().await;
        aidos.settle(last).await;
        assert_eq!(replies(&aidos, before).await.len(), 1, "{}", aidos.transcript().await);
        everything_is_at_its_step(&fitter, &aidos).await;
        the_doubts_are_asked_and_the_walk_ends(&fitter, &aidos).await;
        fitter.finish().await;
    });
}

#[test]
fn kill_9_at_the_end_ends_the_same() {
    run(async {
        let fitter = with_note(options()).await;
        let aidos = walker(&fitter, "Айдос", "700 AAA 05").await;
        let before = newest(&aidos).await;
        let last = send_all(&fitter, &aidos, &TWELVE).await;
        // Whatever it was doing by then: gathering, or in the turn.
        eventually("it has begun to gather or to work", async || {
            (fitter.count("SELECT count(*) FROM queue_items WHERE queue = 1 AND gathers").await >= 12).then_some(())
        })
        .await;
        fitter.kill9();
        fitter.expire_leases().await;
        fitter.launch().await;
        aidos.settle(last).await;
        assert_eq!(replies(&aidos, before).await.len(), 1, "{}", aidos.transcript().await);
        everything_is_at_its_step(&fitter, &aidos).await;
        fitter.finish().await;
    });
}

#[test]
fn words_first_are_not_held_up_and_add_no_reply() {
    run(async {
        let fitter = with_note(options()).await;
        // Words that nothing waits for are searched for; the photos behind them tell that they were a note.
        let aidos = walker(&fitter, "Айдос", "700 AAA 06").await;
        let before = newest(&aidos).await;
        let words = send(&fitter, &aidos, Words("бешбармак стекло")).await;
        aidos.settle(words).await;
        aidos.sees("Не нашёл в базе").await;
        let last = send_all(&fitter, &aidos, &TWELVE).await;
        aidos.settle(last).await;
        let new = replies(&aidos, before).await;
        assert_eq!(new.len(), 1, "{}", aidos.transcript().await);
        assert!(new[0].text().contains("8 фото, 5 записей"), "{}", new[0].text());
        // A reading is taken at once, and its line goes into the summary.
        let berik = walker(&fitter, "Берик", "700 AAA 07").await;
        berik.photo().await;
        berik.sees("Шаг 2 из 8").await;
        let before = newest(&berik).await;
        let reading = send(&fitter, &berik, Words("12,6")).await;
        berik.settle(reading).await;
        berik.sees("Шаг 3 из 8").await;
        let last = send_all(&fitter, &berik, &[Photos(2, "пломба"), Words("700"), Photos(1, "салон")]).await;
        berik.settle(last).await;
        let new = replies(&berik, before).await;
        assert_eq!(new.len(), 1, "{}", berik.transcript().await);
        for line in
            ["✓ 2. Аккумулятор — 12,6 В", "✓ 3. Пломба — 2 фото", "✓ 4. Датчик топлива — 700 мм", "📎 6. Салон — 1 фото", "Кузов цел?"]
        {
            assert!(new[0].text().contains(line), "«{line}» in {}", new[0].text());
        }
        // Neither words alone nor taps wait for anything.
        let gathered = "SELECT count(*) FROM queue_items WHERE queue = 1 AND gathers AND payload::text ";
        assert_eq!(fitter.count(&format!("{gathered} LIKE '%бешбармак%'")).await, 0);
        assert_eq!(fitter.count(&format!("{gathered} LIKE '%callback_query%'")).await, 0);
        fitter.finish().await;
    });
}

#[test]
fn a_tap_in_the_middle_keeps_its_place() {
    run(async {
        let fitter = with_note(options()).await;
        let aidos = walker(&fitter, "Айдос", "700 AAA 08").await;
        let card = aidos.sees("Шаг 1 из 8").await;
        let problem = card.data("⚠ Проблема").unwrap();
        fitter.terminate().await;
        let before = newest(&aidos).await;
        send_all(&fitter, &aidos, &[Photos(1, ""), Words("12,6")]).await;
        // The button of the first step, which is done by then.
        let tapped = aidos.press_data(card.id(), &problem).await;
        let last = send_all(&fitter, &aidos, &[Photos(1, ""), Photos(1, ""), Words("700")]).await;
        fitter.launch().await;
        aidos.settle(tapped).await.settle(last).await;
        assert_eq!(aidos.toast().await, "Кнопка устарела — показываю, как сейчас");
        aidos.sees("Кузов цел?").await;
        let state = state(&fitter, &aidos).await;
        assert_eq!((&state["at"]["step"], &state["pending"]["kind"]), (&json!(4), &json!("check")), "{state}");
        // The second part followed at once, so it is summed up together with the first.
        let new = replies(&aidos, before).await;
        assert_eq!(new.len(), 1, "{}", aidos.transcript().await);
        assert!(new[0].text().contains("📥 Пришло сразу: 3 фото, 2 записи"), "{}", new[0].text());
        fitter.finish().await;
    });
}

#[test]
fn everything_twice_counts_once() {
    run(async {
        let secret = "a-secret_of-the-webhook";
        let fitter = with_note(options().env("FITTER_WEBHOOK_URL", "http://{http}").env("FITTER_WEBHOOK_SECRET", secret)).await;
        let aidos = walker(&fitter, "Айдос", "700 AAA 09").await;
        let before = newest(&aidos).await;
        let url = format!("http://{}/telegram/{}", fitter.http_addr(), fitter.telegram.bot_id(0));
        let door = client();
        let again = async || {
            let sql = "SELECT payload->'update' AS update FROM queue_items WHERE queue = 1 AND gathers ORDER BY id";
            for row in fitter.rows(sql).await {
                let knock = door.post(&url).header("x-telegram-bot-api-secret-token", secret).body(row["update"].to_string());
                assert_eq!(knock.send().await.unwrap().status().as_u16(), 200);
            }
        };
        let mut last = Did::Nothing;
        for what in TWELVE {
            last = send(&fitter, &aidos, what).await;
            again().await;
        }
        aidos.settle(last).await;
        again().await;
        fitter.quiet().await;
        assert_eq!(replies(&aidos, before).await.len(), 1, "{}", aidos.transcript().await);
        everything_is_at_its_step(&fitter, &aidos).await;
        fitter.finish().await;
    });
}

#[test]
fn on_a_card_there_is_one_reply() {
    run(async {
        let fitter = with_note(options()).await;
        let aidos = fitter.technician("Айдос").await;
        aidos.say("/new").await.say("700 AAA 10").await.tap("📷 Фото").await;
        let before = newest(&aidos).await;
        let last = send_all(&fitter, &aidos, &[Photos(1, ""), Words("царапина слева"), Photos(3, "салон"), Photos(1, "щиток")]).await;
        aidos.settle(last).await;
        let new = replies(&aidos, before).await;
        assert_eq!(new.len(), 1, "{}", aidos.transcript().await);
        assert!(new[0].text().contains("Добавил 5 фото."), "{}", new[0].text());
        let captions = fitter.rows("SELECT coalesce(caption, '-') AS caption, count(*) AS n FROM photos GROUP BY 1 ORDER BY min(id)").await;
        let captions: Vec<String> = captions.iter().map(|row| format!("{} {}", row["caption"].as_str().unwrap(), row["n"])).collect();
        assert_eq!(captions, ["царапина слева 1", "салон 3", "щиток 1"]);
        fitter.finish().await;
    });
}
