//! Failures on demand.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

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
    for (kind, code, text) in
        [("500", 500, "Internal Server Error"), ("502", 502, "Bad Gateway"), ("403", 403, "Forbidden: bot was blocked by the user")]
    {
        rig.sim("faults", json!({ "kind": kind, "times": 1 })).await;
        // A poll passes by a fault that does not name it.
        rig.updates(json!({})).await;
        let answer = rig.raw("sendMessage", json!({ "chat_id": AIDOS, "text": "x" })).await;
        assert_eq!((answer["error_code"].as_i64(), answer["description"].as_str()), (Some(code), Some(text)));
    }
}

/// A call that must get no whole answer.
async fn no_answer(rig: &Rig, method: &str, args: Value) {
    let request = rig.http.post(rig.method_url(method)).json(&args).timeout(Duration::from_millis(500));
    let broken = match request.send().await {
        Err(_) => true,
        Ok(response) => response.bytes().await.is_err(),
    };
    assert!(broken, "the client must not get an answer");
}

async fn texts(rig: &Rig) -> Vec<String> {
    let text = |message: &Value| message["text"].as_str().unwrap().to_owned();
    rig.messages().await.iter().map(text).collect()
}

#[tokio::test]
async fn calls_without_an_answer_are_processed_or_not() {
    for (kind, processed) in [("timeout", false), ("drop_before", false), ("drop_after", true), ("hang_after", true), ("cut", true)] {
        let rig = Rig::started().await;
        rig.sim("faults", json!({ "method": "sendMessage", "times": 1, "kind": kind })).await;
        no_answer(&rig, "sendMessage", json!({ "chat_id": AIDOS, "text": "once" })).await;
        assert_eq!(texts(&rig).await.contains(&"once".to_owned()), processed, "{kind}");
        let calls = rig.look("calls").await;
        assert_eq!(calls[0]["fault"], json!({ "id": 1, "kind": kind }));
        rig.say("fine").await;
    }
}

#[tokio::test]
async fn a_cut_answer_arrives_in_part() {
    let rig = Rig::started().await;
    rig.aidos_writes("hello").await;
    rig.sim("faults", json!({ "method": "getUpdates", "times": 1, "kind": "cut" })).await;
    let mut response = rig.http.post(rig.method_url("getUpdates")).send().await.unwrap();
    let announced = usize::try_from(response.content_length().unwrap()).unwrap();
    let mut got = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        got.extend_from_slice(&chunk);
    }
    assert_eq!(got.len(), announced / 2);
    assert!(got.starts_with(b"{\"ok\":true,\"result\":[{\"update_id\""));
    let quiet = rig.try_sim(Method::POST, "quiet", Some(json!({ "settle_ms": 1, "timeout_ms": 1 }))).await;
    assert_eq!(quiet.0, 408, "nobody has the update yet");
    assert_eq!(rig.updates(json!({})).await[0]["message"]["text"], "hello");
}

#[tokio::test]
async fn a_poll_is_hit_by_name() {
    let rig = Rig::started().await;
    for (kind, code) in [("429", 429), ("502", 502)] {
        rig.sim("faults", json!({ "method": "getUpdates", "times": 1, "kind": kind })).await;
        assert_eq!(rig.raw("getUpdates", json!({})).await["error_code"], code);
    }
    rig.aidos_writes("hello").await;
    rig.sim("faults", json!({ "method": "getUpdates", "times": 1, "kind": "drop_after" })).await;
    no_answer(&rig, "getUpdates", json!({})).await;
    assert_eq!(rig.updates(json!({})).await.len(), 1, "what was lost on the way comes again");
}

#[tokio::test]
async fn a_slow_call_is_done_late() {
    let rig = Rig::started().await;
    rig.sim("faults", json!({ "times": 1, "kind": "slow", "delay_ms": [30, 60] })).await;
    rig.say("late").await;
    let call = rig.look("calls").await[0].clone();
    let delay = call["fault"]["delay_ms"].as_u64().unwrap();
    assert!((30..=60).contains(&delay));
    assert!(call["ms"].as_u64().unwrap() >= delay);
}

#[tokio::test]
async fn chance_is_seeded_and_counted() {
    let mut seen = Vec::new();
    for seed in [1, 1, 2] {
        let rig = Rig::started().await;
        let fault = json!({ "kind": "429", "probability": 0.3, "seed": seed, "retry_after": [2, 9] });
        rig.sim("faults", fault).await;
        let mut answers = Vec::new();
        for _ in 0..40 {
            answers.push(rig.raw("sendMessage", json!({ "chat_id": AIDOS, "text": "x" })).await["parameters"].clone());
        }
        let refused = answers.iter().filter(|answer| !answer.is_null()).count();
        let fault = rig.look("faults").await[0].clone();
        assert_eq!((fault["met"].as_u64(), fault["hits"].as_u64()), (Some(40), Some(refused as u64)));
        assert!(fault["left"].is_null());
        assert_eq!(rig.look("violations").await["refused"], refused);
        seen.push(answers);
    }
    assert_eq!(seen[0], seen[1]);
    assert_ne!(seen[0], seen[2]);
}

#[tokio::test]
async fn calls_that_come_too_early_are_found() {
    let rig = Rig::started().await;
    rig.sim("faults", json!({ "method": "sendMessage", "times": 1, "kind": "429", "retry_after": 20 })).await;
    let args = || json!({ "chat_id": AIDOS, "text": "x" });
    rig.refused("sendMessage", args()).await;
    rig.call("sendChatAction", json!({ "chat_id": AIDOS, "action": "typing" })).await;
    assert_eq!(rig.look("violations").await["early"], 0);
    rig.call("sendMessage", args()).await;
    let violations = rig.look("violations").await;
    assert_eq!((&violations["refused"], &violations["early"]), (&json!(1), &json!(1)));
    let call = &violations["calls"][0];
    assert_eq!((&call["chat_id"], &call["method"]), (&json!(AIDOS.to_string()), &json!("sendMessage")));
    assert_eq!(call["refused"]["retry_after"], 20);
    rig.sim("clock", json!({ "advance_ms": 20_000 })).await;
    rig.call("sendMessage", args()).await;
    assert_eq!(rig.look("violations").await["early"], 1);
}

#[tokio::test]
async fn the_log_keeps_as_many_calls_as_asked() {
    let rig = Rig::started().await;
    rig.sim("calls", json!({ "keep": 2 })).await;
    for text in ["1", "2", "3"] {
        rig.say(text).await;
    }
    let calls = rig.look("calls").await;
    let texts: Vec<_> = calls.as_array().unwrap().iter().map(|call| call["request"]["text"].clone()).collect();
    assert_eq!(texts, ["2", "3"]);
}

#[tokio::test]
async fn faults_can_be_cleared() {
    let rig = Rig::started().await;
    let id = rig.sim("faults", json!({ "times": 5, "kind": "500" })).await["id"].clone();
    assert_eq!(rig.look("faults").await[0]["id"], id);
    rig.try_sim(Method::DELETE, "faults", None).await;
    rig.say("fine").await;
    assert_eq!(rig.look("faults").await, json!([]));
    assert_eq!(rig.sim_refused("faults", json!({ "kind": "slow" })).await, "slow needs delay_ms");
}
