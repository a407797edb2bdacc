//! `getUpdates`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::rig::{AIDOS, Rig};

fn texts(updates: &[Value]) -> Vec<&str> {
    updates.iter().map(|update| update["message"]["text"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_offset_confirms() {
    let rig = Rig::started().await;
    for text in ["1", "2", "3"] {
        rig.aidos_writes(text).await;
    }
    let first = rig.updates(json!({ "limit": 2 })).await;
    assert_eq!(texts(&first), ["1", "2"]);
    let again = rig.updates(json!({})).await;
    assert_eq!(texts(&again), ["1", "2", "3"]);
    assert_eq!(again[0]["update_id"], first[0]["update_id"]);
    let second = again[1]["update_id"].as_i64().unwrap();
    let rest = rig.updates(json!({ "offset": second })).await;
    assert_eq!(texts(&rest), ["2", "3"]);
    assert_eq!(texts(&rig.updates(json!({})).await), ["2", "3"], "1 is forgotten");
    assert_eq!(texts(&rig.updates(json!({ "offset": -1 })).await), ["3"]);
    assert_eq!(texts(&rig.updates(json!({})).await), ["3"], "a negative offset forgets");
}

#[tokio::test]
async fn a_long_poll_ends_with_the_first_update() {
    let rig = Rig::started().await;
    let (updates, _) = tokio::join!(rig.updates(json!({ "timeout": 50 })), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        rig.aidos_writes("now").await
    });
    assert_eq!(texts(&updates), ["now"]);
}

#[tokio::test]
async fn the_older_of_two_polls_ends_with_409() {
    let rig = Rig::started().await;
    let old = rig.raw("getUpdates", json!({ "timeout": 50 }));
    let new = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        rig.updates(json!({ "timeout": 0 })).await
    };
    let (old, new) = tokio::join!(old, new);
    assert_eq!(new, Vec::<Value>::new());
    assert_eq!(old["error_code"], 409);
    assert_eq!(old["description"], "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running");
}

#[tokio::test]
async fn a_webhook_and_polling_exclude_each_other() {
    let rig = Rig::started().await;
    let poll = rig.refused("getUpdates", json!({ "timeout": 50 }));
    let set = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        rig.call("setWebhook", json!({ "url": "http://127.0.0.1:9/" })).await
    };
    let (why, _) = tokio::join!(poll, set);
    assert_eq!(why, "Conflict: terminated by setWebhook request");
    assert_eq!(
        rig.refused("getUpdates", json!({})).await,
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
    );
    rig.call("deleteWebhook", json!({})).await;
    rig.updates(json!({})).await;
}

#[tokio::test]
async fn allowed_updates_are_kept_between_calls() {
    let rig = Rig::started().await;
    rig.updates(json!({ "allowed_updates": ["callback_query"] })).await;
    rig.aidos_writes("dropped").await;
    rig.updates(json!({})).await;
    rig.aidos_writes("dropped too").await;
    assert_eq!(rig.updates(json!({})).await, Vec::<Value>::new());
    rig.updates(json!({ "allowed_updates": [] })).await;
    rig.aidos_writes("kept").await;
    assert_eq!(texts(&rig.updates(json!({})).await), ["kept"]);
}

#[tokio::test]
async fn updates_expire() {
    let rig = Rig::started().await;
    let markup = json!({ "inline_keyboard": [[{ "text": "a", "callback_data": "x" }]] });
    let args = json!({ "chat_id": AIDOS, "text": "x", "reply_markup": markup });
    let id = rig.call("sendMessage", args).await["message_id"].clone();
    rig.aidos_writes("a message").await;
    rig.sim("tap", json!({ "person": AIDOS, "bot": "fitter_bot", "message_id": id, "data": "x" })).await;
    assert_eq!(rig.updates(json!({})).await.len(), 2);
    rig.sim("clock", json!({ "advance_ms": 151_000 })).await;
    assert_eq!(texts(&rig.updates(json!({})).await), ["a message"]);
    rig.sim("clock", json!({ "advance_ms": 24 * 3600 * 1000 })).await;
    assert_eq!(rig.updates(json!({})).await, Vec::<Value>::new());
}

#[tokio::test]
async fn bots_have_queues_of_their_own() {
    let rig = Rig::started().await;
    rig.sim("send", json!({ "person": AIDOS, "bot": "other_bot", "text": "to the other" })).await;
    assert_eq!(rig.updates(json!({})).await, Vec::<Value>::new());
}
