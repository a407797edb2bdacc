//! What comes in is bad for the product: more of it than anybody can handle, what kills its handler, the same again and again, and a token that
//! is refused.

use std::time::{Duration, Instant};

use fitter_testkit::app::{eventually, run};
use fitter_testkit::telegram::client;
use fitter_testkit::{Fitter, Player};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::audit::Meant;
use crate::options;
use crate::storm::{Size, Storm};

/// Updates of one chat that wait.
const BACKLOG: i64 = 10_000;

/// The inbox as it looks after somebody wrote so many messages in one breath.
async fn flood(fitter: &Fitter, chat: i64) {
    let bot = fitter.telegram.bot_id(0);
    fitter
        .execute(&format!(
            r#"WITH lane AS (INSERT INTO queue_lanes (queue, lane, priority, ready_at) VALUES (1, '{bot}:{chat}:0', 10, now()))
            INSERT INTO queue_items (queue, lane, dedupe_key, payload, priority, run_at, max_attempts)
            SELECT 1, '{bot}:{chat}:0', 'flood:' || n, json_build_object('bot', {bot}, 'update', json_build_object('update_id', n, 'message',
                json_build_object('message_id', n, 'date', 1, 'text', 'бешбармак ' || n, 'chat', json_build_object('id', {chat}, 'type', 'private'),
                'from', json_build_object('id', {chat}, 'is_bot', false, 'first_name', 'Поток')))), 10, now(), 5
            FROM generate_series(1, {BACKLOG}) AS n"#
        ))
        .await;
}

/// Everybody asks something and waits for the answer, so often; how long the answers took.
async fn asked(people: &[Player<'_>], times: usize) -> Vec<Duration> {
    let answers = people.iter().map(async |player| {
        let mut took = Vec::new();
        for _ in 0..times {
            let before = player.count("Не нашёл в базе").await;
            let begun = Instant::now();
            player.post(json!({"text": "бешбармак"})).await;
            let answered = async || (player.count("Не нашёл в базе").await > before).then_some(());
            eventually("an answer", answered).await;
            took.push(begun.elapsed());
        }
        took
    });
    let mut all: Vec<Duration> = join_all(answers).await.into_iter().flatten().collect();
    all.sort_unstable();
    all
}

fn p95(sorted: &[Duration]) -> u128 {
    sorted.get(sorted.len() * 95 / 100).copied().unwrap_or_default().as_millis()
}

#[test]
fn ten_thousand_updates_of_one_chat_do_not_stand_in_the_way_of_others() {
    run(async {
        let storm = Storm::prepare(options(), Size::one_of_many(2, 1, 1.0)).await;
        let fitter = &storm.fitter;
        let all = {
            let mut all = storm.spawn("all", &[], &[]);
            all.ready().await;
            all
        };
        let flooding = fitter.technician("Поток").await;
        let mut people = Vec::new();
        for person in 0..20 {
            people.push(fitter.technician(&format!("Другой {person}")).await);
        }
        let times = storm.size.rounds;
        let calm = asked(&people, times).await;
        flood(fitter, flooding.id).await;
        let waiting = format!("SELECT count(*) FROM queue_items WHERE queue = 1 AND status = 0 AND lane LIKE '%:{}:0'", flooding.id);
        eventually("the flood is being worked on", async || (fitter.count(&waiting).await < BACKLOG).then_some(())).await;
        let flooded = asked(&people, times).await;
        let left = fitter.count(&waiting).await;
        eprintln!("p95 {} ms before, {} ms while {left} updates of another chat wait", p95(&calm), p95(&flooded));
        assert!(left >= BACKLOG * 8 / 10, "{left} left: the others had to wait for the flood");
        let figures = json!({"answers": flooded.len(), "p95_before_ms": p95(&calm), "p95_ms": p95(&flooded), "still_waiting": left});
        storm.note("10,000 updates of one chat", figures);
        // Nobody has to wait for the rest of it.
        all.kill9();
        storm.check_logs();
    });
}

#[test]
fn what_fails_every_time_costs_itself_only() {
    run(async {
        let fitter = Fitter::start(options().env("FAILPOINTS", "step=1*panic(a fault of the program)->off")).await;
        // The first turn of all panics; it is done again and works.
        let aidos = fitter.technician("Айдос").await;
        aidos.sees("Айдос, чем помочь?").await;
        assert!(fitter.log().contains("panicked at"), "{}", fitter.log_tail());
        assert_eq!(fitter.count("SELECT count(*) FROM queue_items WHERE attempts = 1 AND error LIKE 'panic: %'").await, 1);

        fitter
            .execute(
                "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    IF NEW.payload::text LIKE '%мышьяк%' THEN RAISE EXCEPTION 'it is poisonous'; END IF; RETURN NEW;
                END $$;
                CREATE TRIGGER poison BEFORE UPDATE OF status ON queue_items FOR EACH ROW WHEN (NEW.status = 1) EXECUTE FUNCTION poison();",
            )
            .await;
        let berik = fitter.technician("Берик").await;
        let poisoned = aidos.post(json!({"text": "мышьяк"})).await;
        let failing = "SELECT count(*) FROM queue_items WHERE status = 0 AND attempts > 0";
        eventually("it fails", async || (fitter.count(failing).await == 1).then_some(())).await;
        berik.say("бешбармак").await;
        berik.sees("Не нашёл в базе").await;
        assert_eq!(fitter.count(failing).await, 1, "the others did not wait for it");
        aidos.post(json!({"text": "бешбармак"})).await;
        aidos.settle(poisoned).await;
        // The person hears that it did not work, and what they wrote afterwards is handled.
        aidos.wait_for("Что-то пошло не так").await;
        aidos.wait_for("Не нашёл в базе").await;
        let dead = fitter.cli(["dead", "list"]).await;
        assert!(dead.out.lines().count() == 1 && dead.out.contains("it is poisonous"), "{dead:?}");
        let id = dead.out.split_whitespace().next().unwrap().to_owned();
        let shown = fitter.cli(["dead", "show", &id]).await;
        assert!(shown.out.contains("мышьяк"), "{shown:?}");
        fitter.execute("DROP TRIGGER poison ON queue_items").await;
        assert_eq!(fitter.cli(["dead", "replay", &id]).await.out, "back in the inbox\n");
        let answered = async || (aidos.count("Не нашёл в базе").await == 2).then_some(());
        eventually("the replayed update is handled", answered).await;
        fitter.quiet().await;
        assert_eq!(fitter.count("SELECT count(*) FROM queue_items WHERE status = 2").await, 0);
        fitter.terminate().await;
    });
}

const SECRET: &str = "a-secret-of-the-tests";

/// Brings an update as Telegram does; the status of the answer.
async fn bring(fitter: &Fitter, update: &Value) -> u16 {
    let url = format!("http://{}/telegram/{}", fitter.http_addr(), fitter.telegram.bot_id(0));
    let answer = client().post(url).header("x-telegram-bot-api-secret-token", SECRET).json(update).send().await;
    answer.map_or(0, |answer| answer.status().as_u16())
}

#[test]
fn updates_out_of_order_and_again_and_again() {
    run(async {
        let options = options().env("FITTER_WEBHOOK_URL", "http://{http}").env("FITTER_WEBHOOK_SECRET", SECRET);
        let fitter = Fitter::start(options).await;
        let aidos = fitter.technician("Айдос").await;
        let update = |id: i64| {
            let chat = json!({"id": aidos.id, "type": "private"});
            let from = json!({"id": aidos.id, "is_bot": false, "first_name": "Айдос"});
            json!({"update_id": id, "message": {"message_id": id, "date": 1, "chat": chat, "from": from, "text": format!("бешбармак {id}")}})
        };
        // In another order than their numbers: each is handled, in the order in which they came.
        let order = [900_005, 900_003, 900_004, 900_001, 900_002];
        for id in order {
            assert_eq!(bring(&fitter, &update(id)).await, 200);
        }
        let asked = async || (fitter.count("SELECT count(*) FROM queries").await == 5).then_some(());
        eventually("all are handled", asked).await;
        let texts = fitter.rows("SELECT text FROM queries ORDER BY id").await;
        let texts: Vec<&str> = texts.iter().filter_map(|row| row["text"].as_str()).collect();
        assert_eq!(texts, order.map(|id| format!("бешбармак {id}")));

        // The same again, many at once: taken and done nothing about.
        let repeated = order.map(update);
        let again = join_all((0..100).map(|n| bring(&fitter, &repeated[n % 5]))).await;
        assert!(again.iter().all(|status| *status == 200), "{again:?}");
        fitter.quiet().await;
        assert_eq!(fitter.count("SELECT count(*) FROM queries").await, 5);
        // Telegram repeats for 24 hours; done items are known for 48.
        let swept = async |age: &str| {
            fitter.execute(&format!("UPDATE queue_items SET done_at = now() - interval '{age}' WHERE status IN (1, 3)")).await;
            let mut conn = fitter.pool().acquire().await.unwrap();
            fitter_queue::purge(&mut conn, Duration::from_secs(48 * 3600), 10_000).await.unwrap()
        };
        assert_eq!(swept("47 hours").await, 0);
        assert_eq!(bring(&fitter, &update(order[0])).await, 200);
        fitter.quiet().await;
        assert_eq!(fitter.count("SELECT count(*) FROM queries").await, 5);
        // After that it is an update like any other.
        assert!(swept("49 hours").await >= 5);
        assert_eq!(bring(&fitter, &update(order[0])).await, 200);
        let asked = async || (fitter.count("SELECT count(*) FROM queries").await == 6).then_some(());
        eventually("it is handled anew", asked).await;
        fitter.finish().await;
    });
}

#[test]
fn a_refused_token_makes_everything_wait() {
    run(async {
        let fitter = Fitter::start(options()).await;
        let aidos = fitter.technician("Айдос").await;
        for fault in [json!({"kind": "401"}), json!({"kind": "401", "method": "getUpdates"})] {
            fitter.telegram.fault(fault).await;
        }
        for word in ["один", "два", "три"] {
            aidos.post(json!({"text": format!("бешбармак {word}")})).await;
        }
        let told =
            ["Telegram refuses the bot's token: was it revoked in @BotFather? Sending waits", "Telegram refuses the token: copy it again"];
        for told in told {
            eventually("the log says so", async || fitter.log().contains(told).then_some(())).await;
        }
        aidos.never_sees("Не нашёл в базе").await;
        assert_eq!(fitter.http("/readyz").await.0, 200, "no other bot has to suffer");
        fitter.telegram.clear_faults().await;
        let answered = async || (aidos.count("Не нашёл в базе").await == 3).then_some(());
        eventually("all are answered", answered).await;
        fitter.quiet().await;
        assert_eq!(aidos.count("Не нашёл в базе").await, 3, "once each");
        fitter.finish().await;
    });
}

#[test]
fn panics_now_and_then_lose_nothing() {
    run(async {
        let storm = Storm::prepare(options(), Size::one_of_many(1, 20, 15.0)).await;
        let mut all = storm.spawn("all", &[], &[("FAILPOINTS", "step=12%panic(a fault of the program)")]);
        all.ready().await;
        storm.crowd.start(&storm.fitter.telegram).await;
        let panics = async || (all.log().matches("panicked at").count() >= 3 * storm.size.rounds).then_some(());
        storm.crowd_acts(async { eventually("panics", panics).await }).await;
        storm.calm().await;
        let report = storm.audit().await;
        storm.publish_with("panics", &report, &json!({"panics": all.log().matches("panicked at").count()}));
        report.check(&Meant::default());
        all.terminate().await;
    });
}
