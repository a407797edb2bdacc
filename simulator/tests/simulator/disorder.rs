//! Updates that come twice, late or overtaken, to a bot that polls.

use reqwest::Method;
use serde_json::{Value, json};

use crate::rig::{AIDOS, MARIA, Rig};

/// What the updates say, oldest first.
fn said(updates: &[Value]) -> Vec<&str> {
    let word = |update: &Value| update.pointer("/message/text").or_else(|| update.pointer("/callback_query/data")).is_some();
    assert!(updates.iter().all(word));
    updates
        .iter()
        .filter_map(|update| update.pointer("/message/text").or_else(|| update.pointer("/callback_query/data"))?.as_str())
        .collect()
}

/// Polls and confirms, as a bot does.
async fn poll(rig: &Rig, offset: &mut i64) -> Vec<Value> {
    let updates = rig.updates(json!({ "offset": *offset })).await;
    for update in &updates {
        *offset = (*offset).max(update["update_id"].as_i64().unwrap() + 1);
    }
    updates
}

#[tokio::test]
async fn a_confirmed_update_comes_again() {
    let rig = Rig::started().await;
    rig.sim("updates", json!({ "duplicate": 1 })).await;
    rig.aidos_writes("1").await;
    rig.aidos_writes("2").await;
    let mut offset = 0;
    assert_eq!(said(&poll(&rig, &mut offset).await), ["1", "2"]);
    let quiet = rig.try_sim(Method::POST, "quiet", Some(json!({ "settle_ms": 1, "timeout_ms": 1 }))).await;
    assert_eq!(quiet.0, 408, "the same updates are still to come");
    let again = poll(&rig, &mut offset).await;
    assert_eq!(said(&again), ["1", "2"]);
    assert_eq!(again[0]["update_id"].as_i64().unwrap() + 2, offset);
    assert_eq!(said(&poll(&rig, &mut offset).await), Vec::<&str>::new());
    assert_eq!(rig.look("updates").await["fitter_bot"]["duplicated"], 2);
}

#[tokio::test]
async fn a_late_update_comes_when_the_clock_says_so() {
    let rig = Rig::started().await;
    rig.sim("clock", json!({ "freeze": true })).await;
    rig.sim("updates", json!({ "bot": "fitter_bot", "delay": { "p": 1, "ms": [4000, 5000] }, "seed": 3 })).await;
    rig.aidos_writes("late").await;
    assert_eq!(rig.updates(json!({})).await, Vec::<Value>::new());
    let poll = rig.updates(json!({ "timeout": 50 }));
    let clock = async {
        rig.sim("clock", json!({ "advance_ms": 3999 })).await;
        rig.sim("clock", json!({ "advance_ms": 1001 })).await
    };
    let (updates, _) = tokio::join!(poll, clock);
    assert_eq!(said(&updates), ["late"], "a poll that waits is woken");
    assert_eq!(rig.look("updates").await["fitter_bot"]["delayed"], 1);
    assert!(rig.look("updates").await["other_bot"].is_null());
}

#[tokio::test]
async fn updates_of_one_chat_are_never_out_of_order() {
    let rig = Rig::started().await;
    rig.sim("open", json!({ "person": MARIA, "bot": "fitter_bot" })).await;
    rig.updates(json!({ "offset": -1 })).await;
    rig.sim("updates", json!({ "delay": { "p": 0.5, "ms": [1, 40] }, "reorder": 0.5, "seed": 11 })).await;
    for number in 0..40 {
        rig.aidos_writes(&format!("a{number}")).await;
        rig.sim("send", json!({ "person": MARIA, "bot": "fitter_bot", "text": format!("m{number}") })).await;
    }
    rig.try_sim(Method::DELETE, "updates", None).await;
    let updates = rig.updates(json!({})).await;
    let all = said(&updates);
    let of = |letter: char| all.iter().filter_map(|text| text.strip_prefix(letter)?.parse::<usize>().ok()).collect::<Vec<_>>();
    assert_eq!(of('a'), (0..40).collect::<Vec<_>>());
    assert_eq!(of('m'), (0..40).collect::<Vec<_>>());
    let straight: Vec<String> = (0..40).flat_map(|number| [format!("a{number}"), format!("m{number}")]).collect();
    assert_ne!(all.iter().filter(|text| **text != "/start").copied().collect::<Vec<_>>(), straight, "but the chats are mixed");
}

#[tokio::test]
async fn a_tap_overtakes_a_message() {
    let rig = Rig::started().await;
    let markup = json!({ "inline_keyboard": [[{ "text": "a", "callback_data": "tap" }]] });
    let sent = rig.call("sendMessage", json!({ "chat_id": AIDOS, "text": "x", "reply_markup": markup })).await;
    rig.sim("clock", json!({ "freeze": true })).await;
    rig.sim("updates", json!({ "reorder": 1 })).await;
    rig.aidos_writes("message").await;
    rig.sim("updates", json!({})).await;
    rig.sim("tap", json!({ "person": AIDOS, "bot": "fitter_bot", "message_id": sent["message_id"], "data": "tap" })).await;
    assert_eq!(said(&rig.updates(json!({})).await), ["tap", "message"]);
}

#[tokio::test]
async fn an_update_that_nobody_overtakes_comes_all_the_same() {
    let rig = Rig::started().await;
    rig.sim("updates", json!({ "reorder": 1 })).await;
    rig.aidos_writes("alone").await;
    assert_eq!(said(&rig.updates(json!({ "timeout": 50 })).await), ["alone"]);
}

#[tokio::test]
async fn nonsense_is_refused() {
    let rig = Rig::new().await;
    assert_eq!(rig.sim_refused("updates", json!({ "duplicate": -1 })).await, "a probability must be from 0 to 1");
    assert_eq!(rig.sim_refused("updates", json!({ "bot": "nobody" })).await, "no bot nobody");
}
