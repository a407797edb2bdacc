//! Failures on demand.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::rig::{AIDOS, Rig};

#[tokio::test]
async fn faults_come_as_often_as_asked_and_only_where_they_fit() {
    let rig = Rig::started().await;
    rig.sim("faults", json!({ "method": "SENDMESSAGE", "contains": "бах", "times": 2, "kind": "429", "retry_after": 7 })).await;
    rig.say("other text").await;
    let args = || json!({ "chat_id": AIDOS, "text": "бах" });
    for _ in 0..2 {
        let answer = rig.raw("sendMessage", args()).await;
        assert_eq!(answer["error_code"], 429);
        assert_eq!(answer["parameters"]["retry_after"], 7);
    }
    rig.call("sendMessage", args()).await;
    assert_eq!(rig.messages().await.len(), 3, "refused calls send nothing");
}

#[tokio::test]
async fn other_failures_have_their_codes() {
    let rig = Rig::started().await;
    for (kind, code, text) in [("500", 500, "Internal Server Error"), ("403", 403, "Forbidden: bot was blocked by the user")] {
        rig.sim("faults", json!({ "kind": kind, "times": 1 })).await;
        // A poll passes by a fault that does not name it.
        rig.updates(json!({})).await;
        let answer = rig.raw("sendMessage", json!({ "chat_id": AIDOS, "text": "x" })).await;
        assert_eq!((answer["error_code"].as_i64(), answer["description"].as_str()), (Some(code), Some(text)));
    }
}

#[tokio::test]
async fn a_dropped_answer_leaves_the_message_sent() {
    let rig = Rig::started().await;
    rig.sim("faults", json!({ "method": "sendMessage", "times": 1, "kind": "drop_after" })).await;
    let request = rig.http.post(rig.method_url("sendMessage"));
    let sent = request.json(&json!({ "chat_id": AIDOS, "text": "twice" })).send().await;
    let broken = match sent {
        Err(_) => true,
        Ok(response) => response.bytes().await.is_err(),
    };
    assert!(broken, "the client must not get an answer");
    assert_eq!(rig.messages().await.last().unwrap()["text"], "twice");
}

#[tokio::test]
async fn a_call_that_times_out_was_not_processed() {
    let rig = Rig::started().await;
    rig.sim("faults", json!({ "method": "sendMessage", "times": 1, "kind": "timeout" })).await;
    let request = rig.http.post(rig.method_url("sendMessage"));
    let sent = request.json(&json!({ "chat_id": AIDOS, "text": "x" })).timeout(Duration::from_millis(300)).send().await;
    assert!(sent.unwrap_err().is_timeout());
    assert_eq!(rig.messages().await.len(), 1);
}

#[tokio::test]
async fn faults_can_be_cleared() {
    let rig = Rig::started().await;
    let id = rig.sim("faults", json!({ "times": 5, "kind": "500" })).await["id"].clone();
    assert_eq!(rig.look("faults").await[0]["id"], id);
    rig.try_sim(Method::DELETE, "faults", None).await;
    rig.say("fine").await;
    assert_eq!(rig.look("faults").await, json!([]));
}
