//! Telegram refusing, failing, and not answering.

use std::time::Duration;

use fitter_domain::Locale;
use fitter_domain::person::Role;
use fitter_testkit::Fitter;
use fitter_testkit::app::{eventually, run};
use futures::future::join;
use serde_json::{Value, json};

use crate::audit::Meant;
use crate::options;
use crate::storm::{Size, Storm};

/// Faults that lose the answer to a call that was done.
const AFTER_WRITE: [&str; 3] = ["drop_after", "cut", "hang_after"];

#[test]
fn everything_arrives_while_telegram_is_unwell() {
    run(async {
        let size = Size::of(1, 30, 15.0);
        let patience = if size.long { size.patience } else { Duration::from_secs(8) };
        let storm = Storm::prepare(options(), Size { patience, ..size }).await;
        let telegram = &storm.fitter.telegram;
        let mut all = storm.spawn("all", &[], &[]);
        all.ready().await;
        storm.crowd.start(telegram).await;
        let seconds = if size.long { [1, 30] } else { [1, 3] };
        let mut faults = vec![
            json!({"kind": "429", "probability": 0.1, "retry_after": seconds}),
            json!({"kind": "500", "probability": 0.03}),
            json!({"kind": "502", "probability": 0.02}),
            json!({"kind": "drop_before", "probability": 0.01}),
            json!({"kind": "403", "probability": 0.01}),
        ];
        // A call that hangs takes a minute.
        let after_write = if size.long { &AFTER_WRITE[..] } else { &AFTER_WRITE[..2] };
        let each = 0.02 / after_write.len() as f64;
        faults.extend(after_write.iter().map(|kind| json!({"kind": kind, "probability": each})));
        for (place, mut fault) in (0..).zip(faults) {
            fault["seed"] = Value::from(storm.size.seed + place);
            telegram.fault(fault).await;
        }
        storm
            .crowd_acts(async {
                join(storm.turns(150), tokio::time::sleep(Duration::from_secs(if size.long { 600 } else { 0 }))).await;
                while telegram.faults().await.iter().any(|fault| fault["hits"] == 0) {
                    storm.turns(30).await;
                }
            })
            .await;
        storm.calm().await;
        let faults = telegram.faults().await;
        let hits =
            |kind: &str| -> u64 { faults.iter().filter(|fault| fault["kind"] == *kind).filter_map(|fault| fault["hits"].as_u64()).sum() };
        let lost_answers: u64 = AFTER_WRITE.iter().map(|kind| hits(kind)).sum();
        let report = storm.audit().await;
        storm.publish("Telegram unwell", &report);
        report.check(&Meant { doubled: usize::try_from(lost_answers).unwrap(), ..Meant::default() });

        let (_, violations) = telegram.get("violations").await;
        assert_eq!(violations["early"], 0, "retry_after was broken: {violations}");
        // Each refusal holds one lane once, and no other lane.
        let held = all.counter("fitter_queue_items_total", "outcome=\"held\"").await;
        assert!(held <= violations["refused"].as_f64().unwrap(), "{held} lanes were held: {violations}");
        // A connection that ends before the call is done looks like one that ends after it.
        let twice = all.counter("fitter_tg_repeats_total", "").await;
        let unknown = lost_answers + hits("drop_before");
        assert!(
            twice <= unknown as f64 && (twice > 0.0 || report.doubled_letters == 0),
            "{twice} letters were repeated, at most {unknown}"
        );
        telegram.clear_faults().await;
        all.terminate().await;
        storm.check_logs();
    });
}

#[test]
fn whoever_blocks_the_bot_is_left_alone() {
    run(async {
        let fitter = Fitter::start(options()).await;
        let aidos = fitter.technician("Айдос").await;
        let marina = fitter.manager("Марина").await;
        aidos.say("/procedures").await.tap("Восемь замеров").await.tap("▶ Начать").await;
        marina.block().await;
        let refused = async || {
            let calls = fitter.telegram.calls_of("sendMessage", &format!("\"chat_id\":{}", marina.id)).await;
            calls.iter().filter(|call| call["response"]["error_code"] == 403).count()
        };
        eventually("the block is known", async || {
            let blocked = format!("SELECT count(*) FROM chats WHERE chat = {} AND blocked", marina.id);
            (fitter.count(&blocked).await == 1).then_some(())
        })
        .await;
        for report in 0..3 {
            aidos.tap("Проблема").await.say(&format!("искрит {report}")).await.tap("Отправить менеджеру").await;
            aidos.got("Сообщил менеджеру").await;
        }
        fitter.quiet().await;
        assert_eq!(refused().await, 0, "nothing is sent to her");
        // Somebody whose block the bot has not heard of is asked once.
        let dina = fitter.person("Дина", Role::Manager, Locale::Ru).await;
        fitter.telegram.fault(json!({"kind": "403", "contains": format!("\"chat_id\":{}", dina.id)})).await;
        for report in 3..6 {
            aidos.tap("Проблема").await.say(&format!("искрит {report}")).await.tap("Отправить менеджеру").await;
            aidos.got("Сообщил менеджеру").await;
        }
        fitter.quiet().await;
        assert_eq!(fitter.telegram.faults().await[0]["hits"], 1, "she is asked once");
        fitter.finish().await;
    });
}
