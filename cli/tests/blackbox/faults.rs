//! Telegram and the database failing.

use std::time::Duration;

use fitter_testkit::app::{eventually, run};
use fitter_testkit::{Fitter, Message, Player, Storage, Telegram};
use serde_json::{Value, json};

use crate::walks::runs;
use crate::{options, vault};

async fn begin(player: &Player<'_>, title: &str) {
    player.say("/procedures").await.tap(title).await.tap("▶ Начать").await;
}

#[test]
fn too_many_requests_hold_up_one_chat_only() {
    run(async {
        let fitter = Fitter::start(options().vault(vault())).await;
        let (aidos, berik) = (fitter.technician("Айдос").await, fitter.technician("Берик").await);
        let chat = format!("\"chat_id\":{}", aidos.id);
        fitter.telegram.fault(json!({"method": "sendMessage", "contains": chat, "kind": "429", "retry_after": 3, "times": 1})).await;
        let waiting = aidos.post(json!({"text": "бешбармак"})).await;
        eventually("the refusal", async || (fitter.telegram.faults_left().await == 0).then_some(())).await;
        // The other one is served meanwhile.
        berik.say("бешбармак").await;
        berik.sees("Не нашёл в базе").await;
        aidos.never_sees("Не нашёл в базе").await;
        aidos.settle(waiting).await;
        aidos.sees("Не нашёл в базе").await;
        let calls = fitter.telegram.calls_of("sendMessage", &chat).await;
        let of: Vec<&Value> = calls.iter().filter(|call| call["request"].to_string().contains("бешбармак")).collect();
        assert_eq!(of.len(), 2, "refused, then sent: {of:?}");
        let waited = Telegram::between(of[0], of[1]);
        assert!(waited >= 2900, "{waited} ms");
        fitter.finish().await;
    });
}

#[test]
fn telegrams_own_failures_are_tried_again() {
    run(async {
        let fitter = Fitter::start(options().vault(vault())).await;
        let aidos = fitter.technician("Айдос").await;
        for (method, times) in [("sendMessage", 2), ("editMessageText", 1), ("answerCallbackQuery", 1), ("getFile", 1), ("getUpdates", 1)] {
            fitter.telegram.fault(json!({"method": method, "kind": "500", "times": times})).await;
        }
        begin(&aidos, "Короткая проверка").await;
        aidos.say("12").await.say("сто").await.photo().await.tap("Готово").await;
        aidos.wait_for("✓ Короткая проверка — готово").await;
        eventually("all faults happened", async || (fitter.telegram.faults_left().await == 0).then_some(())).await;
        assert_eq!(aidos.count("✓ Короткая проверка — готово").await, 1);
        fitter.quiet().await;
        let answers = aidos.answers().await.len();
        assert_eq!(answers, 3, "every tap is answered");
        let missing = fitter.count("SELECT count(*) FROM telegram_files WHERE blob IS NULL").await;
        assert_eq!(missing, 0, "the photo was fetched at last");
        fitter.finish().await;
    });
}

#[test]
fn an_answer_that_got_lost_is_sent_again() {
    run(async {
        let fitter = Fitter::start(options().vault(vault())).await;
        let aidos = fitter.technician("Айдос").await;
        begin(&aidos, "Короткая проверка").await;
        // The step's message does not arrive, or nobody hears that it did: who waits for it gets it, twice at worst.
        fitter.telegram.fault(json!({"method": "sendMessage", "contains": "Шаг 2 из 3", "kind": "drop_before", "times": 1})).await;
        fitter.telegram.fault(json!({"method": "sendMessage", "contains": "Шаг 2 из 3", "kind": "drop_after", "times": 1})).await;
        aidos.say("12").await;
        let steps: Vec<Message> = aidos.from_bot().await.into_iter().filter(|message| message.text().contains("Шаг 2 из 3")).collect();
        assert_eq!(steps.len(), 2, "once for nobody's ears, and once more");
        assert_eq!(fitter.telegram.faults_left().await, 0);
        assert_eq!(counted(&fitter, "fitter_tg_repeats_total").await, "2");
        // The buttons of both work, although nobody knows the number of the first.
        let step = &steps[0];
        let press = aidos.press_data(step.id(), &step.data("⚠ Проблема").unwrap()).await;
        aidos.settle(press).await;
        aidos.sees("Опишите словами или пришлите фото").await;
        aidos.tap("‹ К шагу").await;
        // Edits and answers to taps can be repeated without harm.
        for method in ["editMessageText", "answerCallbackQuery", "deleteMessage"] {
            fitter.telegram.fault(json!({"method": method, "kind": "drop_after", "times": 1})).await;
        }
        aidos.say("сто").await;
        aidos.sees("Шаг 3 из 3").await;
        aidos.tap("Готово").await;
        aidos.wait_for("✓ Короткая проверка — готово").await;
        fitter.quiet().await;
        let run = &runs(&fitter, &aidos).await[0];
        assert_eq!(run["status"], "done");
        assert_eq!(run["state"]["records"].as_array().map(Vec::len), Some(3), "{run}");
        fitter.finish().await;
    });
}

/// A counter without labels.
async fn counted(fitter: &Fitter, name: &str) -> String {
    let (_, text) = fitter.metrics("/metrics").await;
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap_or_default().to_owned()
}

#[test]
fn an_announcement_in_doubt_is_a_dead_letter() {
    run(async {
        let fitter = Fitter::start(options().vault(vault())).await;
        let aidos = fitter.technician("Айдос").await;
        let (bot, chat) = (fitter.telegram.bot_id(0), aidos.id);
        fitter.telegram.fault(json!({"method": "sendMessage", "contains": "Завтра", "kind": "drop_after", "times": 1})).await;
        let screen = json!({"body": [{"text": "Завтра выходной"}]});
        let payload = json!({"bot": bot, "chat": chat, "what": {"do": "send", "slot": null, "screen": screen}});
        // The product has no announcements yet: one is put as it would be.
        let lane = format!("bulk:{bot}:{chat}");
        fitter
            .execute(&format!(
                "INSERT INTO queue_items (queue, lane, payload, priority, run_at, max_attempts) VALUES (2, '{lane}', '{payload}', 20, now(), 10);
                 INSERT INTO queue_lanes (queue, lane, priority, ready_at) VALUES (2, '{lane}', 20, now())"
            ))
            .await;
        let died = async || (fitter.count("SELECT count(*) FROM queue_items WHERE status = 2").await == 1).then_some(());
        eventually("a dead letter", died).await;
        assert_eq!(aidos.count("Завтра выходной").await, 1, "nobody waits for it: it is not repeated");
        let dead = fitter.cli(["dead", "list"]).await;
        assert!(dead.out.contains("uncertain, it may have been delivered"), "{dead:?}");
        let id = dead.out.split_whitespace().next().unwrap().to_owned();
        let shown = fitter.cli(["dead", "show", &id]).await;
        assert!(shown.out.contains("Завтра выходной"), "{shown:?}");
        let doctor = fitter.cli(["doctor"]).await;
        assert_eq!(doctor.code, Some(1));
        assert!(doctor.out.contains("FAIL  dead letters: 1; see `fitter dead list`"), "{doctor:?}");
        let replayed = fitter.cli(["dead", "replay", &id]).await;
        assert_eq!(replayed.out, "back in the outbox\n");
        aidos.wait_for("Завтра выходной").await;
        assert_eq!(fitter.cli(["dead", "show", "999999"]).await.code, Some(1));
        fitter.finish().await;
    });
}

#[test]
fn a_refused_chat_is_marked_and_nothing_dies() {
    run(async {
        let fitter = Fitter::start(options().vault(vault())).await;
        let aidos = fitter.technician("Айдос").await;
        fitter.telegram.fault(json!({"method": "sendMessage", "kind": "403", "times": 1})).await;
        aidos.say("бешбармак").await;
        let blocked = format!("SELECT count(*) FROM chats WHERE chat = {} AND blocked", aidos.id);
        assert_eq!(fitter.count(&blocked).await, 1);
        // Whoever writes can be written to.
        aidos.say("/menu").await;
        aidos.sees("Айдос, чем помочь?").await;
        assert_eq!(fitter.count(&blocked).await, 0);
        fitter.finish().await;
    });
}

#[test]
fn the_database_goes_away_and_comes_back() {
    run(async {
        let fitter = Fitter::start(options().vault(vault()).storage(Storage::Cuttable)).await;
        let aidos = fitter.technician("Айдос").await;
        begin(&aidos, "Короткая проверка").await;
        aidos.say("12").await;
        fitter.way().cut();
        eventually("readyz says so", async || (fitter.http("/readyz").await.0 == 503).then_some(())).await;
        assert_eq!(fitter.http("/healthz").await.0, 200);
        let waiting = aidos.post(json!({"text": "сто"})).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(fitter.ended().is_none(), "it waits for the database:\n{}", fitter.log_tail());
        fitter.way().mend();
        eventually("readyz says so", async || (fitter.http("/readyz").await.0 == 200).then_some(())).await;
        aidos.settle(waiting).await;
        aidos.sees("Шаг 3 из 3").await;
        // Cut in the middle of it, several times.
        for round in 0..3 {
            aidos.tap("‹ Назад").await;
            let press = aidos.press("Дальше").await;
            tokio::time::sleep(Duration::from_millis(5 * round)).await;
            fitter.way().cut();
            tokio::time::sleep(Duration::from_millis(300)).await;
            fitter.way().mend();
            fitter.expire_leases().await;
            aidos.settle(press).await;
            aidos.wait_for("Шаг 3 из 3").await;
        }
        aidos.tap("Готово").await;
        aidos.wait_for("✓ Короткая проверка — готово").await;
        let state = &runs(&fitter, &aidos).await[0];
        assert_eq!(state["status"], "done");
        let twice =
            fitter.count("SELECT count(*) - count(DISTINCT dedupe_key) FROM queue_items WHERE queue = 1 AND dedupe_key IS NOT NULL").await;
        assert_eq!(twice, 0);
        fitter.finish().await;
    });
}

#[test]
fn everything_arrives_in_spite_of_telegrams_limits() {
    run(async {
        let fitter = Fitter::start(options().vault(vault())).await;
        let (aidos, marina) = (fitter.technician("Айдос").await, fitter.manager("Марина").await);
        fitter.telegram.post("limits", json!({"enabled": true})).await;
        begin(&aidos, "Короткая проверка").await;
        aidos.say("12").await.say("сто").await.tap("Готово").await;
        aidos.wait_for("Короткая проверка — готово").await;
        marina.wait_for("сто").await;
        assert_eq!(aidos.count("Короткая проверка — готово").await, 1);
        fitter.finish().await;
    });
}

#[test]
fn a_step_whose_picture_is_uncertain_still_arrives() {
    run(async {
        let fitter = Fitter::start(options().vault(vault())).await;
        let aidos = fitter.technician("Айдос").await;
        begin(&aidos, "Установка маяка").await;
        fitter.telegram.fault(json!({"method": "sendPhoto", "kind": "drop_after", "times": 1})).await;
        aidos.tap("Да").await;
        assert_eq!(fitter.telegram.faults_left().await, 0);
        aidos.sees("Шаг 2 из 7").await;
        aidos.say("356307042441013").await;
        aidos.sees("Шаг 3 из 7").await;
        fitter.finish().await;
    });
}

#[test]
fn a_report_whose_pictures_are_uncertain_still_arrives() {
    run(async {
        let fitter = Fitter::start(options().vault(vault())).await;
        let (aidos, marina) = (fitter.technician("Айдос").await, fitter.manager("Марина").await);
        begin(&aidos, "Короткая проверка").await;
        aidos.tap("Проблема").await.say("искрит").await.photos(2, None).await;
        fitter.telegram.fault(json!({"method": "sendMediaGroup", "kind": "drop_after", "times": 1})).await;
        aidos.tap("Отправить менеджеру").await;
        eventually("the pictures are lost", async || (fitter.telegram.faults_left().await == 0).then_some(())).await;
        fitter.quiet().await;
        marina.sees("искрит").await;
        fitter.finish().await;
    });
}
