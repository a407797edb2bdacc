//! A photo or file waits for what comes with it and for its turn; that it was taken is seen at once.

use fitter_testkit::app::{eventually, run};
use fitter_testkit::player::Did;
use fitter_testkit::telegram::picture;
use fitter_testkit::{Fitter, Options, Player};
use futures::future::join;
use serde_json::{Value, json};

use crate::{options, vault};

/// The messages of a person on which the bot has put its reaction, in this order.
async fn seen(fitter: &Fitter, player: &Player<'_>) -> Vec<i64> {
    let calls = fitter.telegram.calls_of("setMessageReaction", &format!("\"chat_id\":{}", player.id)).await;
    calls.iter().map(|call| call["request"]["message_id"].as_i64().unwrap()).collect()
}

/// Sends a photo and does not wait.
async fn photo(fitter: &Fitter, player: &Player<'_>) -> i64 {
    let body = json!({"person": player.id, "bot": fitter.telegram.username(0)});
    let sent = fitter.telegram.send_files(&body, vec![("photo", "photo.png".to_owned(), picture(rand::random()))]).await;
    sent[0]["message_id"].as_i64().unwrap()
}

/// Somebody at a card that takes photos.
async fn at_a_card<'f>(fitter: &'f Fitter, number: &str) -> Player<'f> {
    let player = fitter.technician("Айдос").await;
    player.say("/new").await.say(number).await.tap("📷 Фото").await;
    player
}

/// Turns hang for as long as it takes; the photo is seen to be taken nevertheless.
async fn before_its_turn(options: Options) {
    let fitter = Fitter::start(options.vault(vault())).await;
    let aidos = at_a_card(&fitter, "710 AAA 01").await;
    let before = fitter.telegram.calls(0).await.last().and_then(|call| call["seq"].as_u64()).unwrap();
    fitter.execute("CREATE TABLE enough (said boolean)").await;
    let lock = "DO $$ BEGIN
            LOCK TABLE dialogues IN ACCESS EXCLUSIVE MODE;
            WHILE NOT EXISTS (SELECT FROM enough) LOOP PERFORM pg_sleep(0.02); END LOOP;
        END $$";
    let locked = "SELECT count(*) FROM pg_locks WHERE relation = 'dialogues'::regclass AND mode = 'AccessExclusiveLock' AND granted";
    let (sent, ()) = join(
        async {
            eventually("no turn can be done", async || (fitter.count(locked).await > 0).then_some(())).await;
            let sent = photo(&fitter, &aidos).await;
            let reaction = async || seen(&fitter, &aidos).await.first().copied();
            assert_eq!(eventually("the photo is seen", reaction).await, sent);
            let handled = format!(
                "SELECT count(*) FROM queue_items WHERE queue = 1 AND status = 1 AND payload #>> '{{update,message,message_id}}' = '{sent}'"
            );
            assert_eq!(fitter.count(&handled).await, 0, "its turn comes later");
            fitter.execute("INSERT INTO enough VALUES (true)").await;
            sent
        },
        fitter.execute(lock),
    )
    .await;
    aidos.settle(Did::Sent(sent)).await;
    aidos.sees("Добавил 1 фото.").await;
    let chat = |call: &Value| call["request"]["chat_id"].as_i64() == Some(aidos.id);
    let methods: Vec<String> = fitter
        .telegram
        .calls(before)
        .await
        .iter()
        .filter(|call| chat(call))
        .map(|call| call["method"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(methods.first().map(String::as_str), Some("setMessageReaction"), "{methods:?}");
    assert!(methods.iter().any(|method| method == "sendMessage" || method == "editMessageText"), "{methods:?}");
    let reaction = aidos.messages().await.iter().find(|message| message.id() == sent).map(|message| message.0["sim_reactions"].clone());
    assert_eq!(reaction, Some(json!([{"type": "emoji", "emoji": "👀"}])));
    fitter.finish().await;
}

#[test]
fn it_is_seen_before_its_turn() {
    run(async {
        let webhook = options().env("FITTER_WEBHOOK_URL", "http://{http}").env("FITTER_WEBHOOK_SECRET", "a-secret");
        join(before_its_turn(options()), before_its_turn(webhook)).await;
    });
}

#[test]
fn one_for_each_photo_file_and_album_of_a_private_chat() {
    run(async {
        let fitter = Fitter::start(options().vault(vault())).await;
        let aidos = at_a_card(&fitter, "710 AAA 02").await;
        aidos.photos(3, Some("салон")).await;
        let album = aidos.messages().await.iter().find(|message| message.0.get("media_group_id").is_some()).unwrap().id();
        let mut expected = vec![album];
        for part in ["document", "voice"] {
            aidos.files(vec![(part, "photo.png".to_owned(), picture(rand::random()))], None).await;
            expected.push(aidos.own_last().await);
        }
        aidos.say("слова").await;
        let group = fitter.telegram.group("supergroup", aidos.id, &[], 0).await;
        let body = json!({"person": aidos.id, "bot": fitter.telegram.username(0), "chat_id": group});
        fitter.telegram.send_files(&body, vec![("photo", "photo.png".to_owned(), picture(rand::random()))]).await;
        fitter.quiet().await;
        let all = fitter.telegram.calls_of("setMessageReaction", "").await;
        assert_eq!((seen(&fitter, &aidos).await, all.len()), (expected, 3), "{all:?}");
        fitter.finish().await;
    });
}

#[test]
fn nothing_waits_for_it_and_nothing_fails_with_it() {
    run(async {
        let fitter = Fitter::start(options().vault(vault())).await;
        let aidos = at_a_card(&fitter, "710 AAA 03").await;
        for kind in [json!({"kind": "timeout"}), json!({"kind": "500"}), json!({"kind": "429", "retry_after": 600})] {
            let mut fault = json!({"method": "setMessageReaction", "times": 1});
            fault["kind"] = kind["kind"].clone();
            if let Some(time) = kind.get("retry_after") {
                fault["retry_after"] = time.clone();
            }
            fitter.telegram.fault(fault).await;
            aidos.photo().await;
            aidos.sees("Добавил").await;
            eventually("the fault was met", async || (fitter.telegram.faults_left().await == 0).then_some(())).await;
        }
        assert_eq!(seen(&fitter, &aidos).await.len(), 3);
        // Telegram wants none for a while.
        let sent = photo(&fitter, &aidos).await;
        aidos.settle(Did::Sent(sent)).await;
        fitter.quiet().await;
        assert_eq!(seen(&fitter, &aidos).await.len(), 3);
        assert_eq!(fitter.telegram.violations().await["early"], 0);
        fitter.finish().await;
    });
}
