//! Sending limits.

use serde_json::json;

use crate::rig::{AIDOS, MARIA, Rig};

#[tokio::test]
async fn a_full_chat_waits_and_others_do_not() {
    let rig = Rig::started().await;
    rig.sim("open", json!({ "person": MARIA, "bot": "fitter_bot" })).await;
    rig.sim("clock", json!({ "freeze": true })).await;
    let limits = rig.sim("limits", json!({ "enabled": true, "chat_burst": 3 })).await;
    assert_eq!(
        limits,
        json!({
            "enabled": true, "chat_per_second": 1.0, "chat_burst": 3, "group_per_minute": 20, "bulk_per_second": 30, "answer_s": 60,
        })
    );
    rig.aidos_writes("hello").await;
    for _ in 0..3 {
        rig.say("x").await;
    }
    let answer = rig.raw("sendMessage", json!({ "chat_id": AIDOS, "text": "x" })).await;
    assert_eq!(
        answer,
        json!({
            "ok": false, "error_code": 429, "description": "Too Many Requests: retry after 1", "parameters": { "retry_after": 1 },
        })
    );
    rig.call("sendMessage", json!({ "chat_id": MARIA, "text": "x" })).await;
    rig.call("sendChatAction", json!({ "chat_id": AIDOS, "action": "typing" })).await;
    assert_eq!(rig.look("violations").await, json!({ "refused": 1, "early": 0, "calls": [] }));
    rig.refused("sendMessage", json!({ "chat_id": AIDOS, "text": "x" })).await;
    assert_eq!(rig.look("violations").await["early"], 1);
    rig.sim("clock", json!({ "advance_ms": 1000 })).await;
    rig.say("x").await;
    assert_eq!(rig.look("violations").await["early"], 1);
    rig.sim("limits", json!({ "enabled": false })).await;
    for _ in 0..5 {
        rig.say("x").await;
    }
    assert_eq!(rig.look("limits").await["chat_burst"], 3, "figures stay");
}

#[tokio::test]
async fn answers_to_many_are_no_bulk() {
    let rig = Rig::new().await;
    rig.sim("clock", json!({ "freeze": true })).await;
    for id in 1..=9 {
        rig.sim("people", json!({ "id": id, "first_name": "x" })).await;
        rig.sim("open", json!({ "person": id, "bot": "fitter_bot" })).await;
    }
    rig.sim("limits", json!({ "enabled": true, "bulk_per_second": 3 })).await;
    let send = |id: i64| json!({ "chat_id": id, "text": "x" });
    for id in 1..=3 {
        rig.call("sendMessage", send(id)).await;
    }
    assert_eq!(rig.raw("sendMessage", send(4)).await["parameters"]["retry_after"], 1);
    for id in 4..=9 {
        rig.sim("send", json!({ "person": id, "bot": "fitter_bot", "text": "?" })).await;
        rig.call("sendMessage", send(id)).await;
    }
    rig.sim("clock", json!({ "advance_ms": 1000 })).await;
    rig.call("sendMessage", send(1)).await;
}

#[tokio::test]
async fn a_tap_makes_room_for_an_answer() {
    let rig = Rig::started().await;
    rig.sim("clock", json!({ "freeze": true })).await;
    rig.sim("limits", json!({ "enabled": true, "bulk_per_second": 1 })).await;
    let markup = json!({ "inline_keyboard": [[{ "text": "a", "callback_data": "x" }]] });
    let sent = rig.call("sendMessage", json!({ "chat_id": AIDOS, "text": "x", "reply_markup": markup })).await;
    assert_eq!(rig.raw("sendMessage", json!({ "chat_id": AIDOS, "text": "x" })).await["error_code"], 429);
    let tap = json!({ "person": AIDOS, "bot": "fitter_bot", "message_id": sent["message_id"], "data": "x" });
    rig.sim("tap", tap).await;
    rig.say("an answer").await;
}

#[tokio::test]
async fn a_group_takes_twenty_a_minute() {
    let rig = Rig::started().await;
    let id = rig.sim("groups", json!({ "title": "x", "by": AIDOS, "bots": ["fitter_bot"] })).await["chat_id"].clone();
    rig.sim("clock", json!({ "freeze": true })).await;
    rig.sim("limits", json!({ "enabled": true })).await;
    let send = || json!({ "chat_id": id, "text": "x" });
    for _ in 0..20 {
        rig.call("sendMessage", send()).await;
    }
    assert_eq!(rig.raw("sendMessage", send()).await["parameters"]["retry_after"], 60);
    rig.sim("clock", json!({ "advance_ms": 60_000 })).await;
    rig.call("sendMessage", send()).await;
}

#[tokio::test]
async fn nonsense_is_refused() {
    let rig = Rig::new().await;
    assert_eq!(rig.sim_refused("limits", json!({ "enabled": true, "chat_burst": 0 })).await, "a limit must be above 0");
    assert!(rig.sim_refused("limits", json!({ "enabled": true, "chat_brust": 1 })).await.contains("chat_brust"));
}
