//! `/sim/wait`, `/sim/quiet`, `/sim/events`, `/sim/calls`.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::rig::{AIDOS, Rig};

fn wait(extra: &str) -> String {
    format!("wait?person={AIDOS}&bot=fitter_bot&{extra}")
}

#[tokio::test]
async fn waiting_ends_with_the_message() {
    let rig = Rig::started().await;
    let old = rig.say("готово: старое").await;
    let path = wait(&format!("after={old}&contains=%D0%B3%D0%BE%D1%82%D0%BE%D0%B2%D0%BE"));
    let (found, new) = tokio::join!(rig.look(&path), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        rig.say("не то").await;
        rig.say("готово: новое").await
    });
    assert_eq!(found["message_id"], new);
}

#[tokio::test]
async fn edits_count_if_asked() {
    let rig = Rig::started().await;
    let id = rig.say("1/3").await;
    let edit = json!({ "chat_id": AIDOS, "message_id": id, "text": "3/3" });
    rig.call("editMessageText", edit).await;
    let found = rig.look(&wait(&format!("after={id}&contains=3/3&edited=true"))).await;
    assert_eq!(found["message_id"], id);
    let later = rig.say("x").await;
    for path in
        [wait(&format!("after={id}&contains=3/3&timeout_ms=1")), wait(&format!("after={later}&contains=3/3&edited=true&timeout_ms=1"))]
    {
        let (status, _) = rig.try_sim(Method::GET, &path, None).await;
        assert_eq!(status, StatusCode::REQUEST_TIMEOUT, "{path}");
    }
}

#[tokio::test]
async fn quiet_needs_fetched_updates_and_no_calls() {
    let rig = Rig::started().await;
    let quick = json!({ "settle_ms": 30, "timeout_ms": 2000 });
    rig.sim("quiet", quick.clone()).await;
    rig.aidos_writes("x").await;
    let short = json!({ "settle_ms": 30, "timeout_ms": 100 });
    let (status, answer) = rig.try_sim(Method::POST, "quiet", Some(short)).await;
    assert_eq!(status, StatusCode::REQUEST_TIMEOUT);
    assert_eq!(answer["error"], "the bot does not fetch its updates");
    rig.updates(json!({})).await;
    rig.sim("quiet", quick).await;
}

/// Reads events until one is named `name`.
async fn event(stream: &mut reqwest::Response, buffer: &mut String, name: &str) -> Value {
    loop {
        while let Some(end) = buffer.find("\n\n") {
            let event: String = buffer.drain(..end + 2).collect();
            let line = |key: &str| event.lines().find_map(|line| line.strip_prefix(key).map(str::to_owned));
            if line("event: ").as_deref() == Some(name) {
                return serde_json::from_str(&line("data: ").unwrap()).unwrap();
            }
        }
        let chunk = tokio::time::timeout(Duration::from_secs(5), stream.chunk()).await;
        let chunk = chunk.expect("an event comes").unwrap().unwrap();
        buffer.push_str(std::str::from_utf8(&chunk).unwrap());
    }
}

#[tokio::test]
async fn a_page_is_told_what_happens() {
    let rig = Rig::started().await;
    let url = format!("{}/sim/events?person={AIDOS}", rig.running.url());
    let mut stream = rig.http.get(url).send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let mut buffer = String::new();
    let id = rig.say("one").await;
    let told = event(&mut stream, &mut buffer, "message").await;
    assert_eq!((&told["bot"], &told["message"]["text"]), (&json!("fitter_bot"), &json!("one")));
    let call = event(&mut stream, &mut buffer, "call").await;
    assert_eq!(call["method"], "sendMessage");
    rig.call("sendChatAction", json!({ "chat_id": AIDOS, "action": "upload_photo" })).await;
    assert_eq!(event(&mut stream, &mut buffer, "typing").await["action"], "upload_photo");
    rig.call("editMessageText", json!({ "chat_id": AIDOS, "message_id": id, "text": "two" })).await;
    assert_eq!(event(&mut stream, &mut buffer, "edit").await["message"]["text"], "two");
    rig.call("sendMessageDraft", json!({ "chat_id": AIDOS, "draft_id": 1, "text": "ду" })).await;
    assert_eq!(event(&mut stream, &mut buffer, "draft").await["draft"]["text"], "ду");
    rig.call("deleteMessage", json!({ "chat_id": AIDOS, "message_id": id })).await;
    assert_eq!(event(&mut stream, &mut buffer, "delete").await["message_ids"], json!([id]));
    rig.call("setMyCommands", json!({ "commands": [] })).await;
    assert_eq!(event(&mut stream, &mut buffer, "commands").await["bot"], "fitter_bot");
}

#[tokio::test]
async fn calls_are_logged_without_polls() {
    let rig = Rig::started().await;
    rig.say("one").await;
    rig.refused("sendMessage", json!({ "chat_id": 5, "text": "x" })).await;
    rig.updates(json!({})).await;
    let calls = rig.look("calls?bot=fitter_bot").await;
    let calls = calls.as_array().unwrap();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0]["method"], "sendMessage");
    assert_eq!(calls[0]["request"]["text"], "one");
    assert_eq!(calls[1]["response"]["error_code"], 400);
    let seq = calls[0]["seq"].clone();
    let later = rig.look(&format!("calls?after={seq}")).await;
    assert_eq!(later.as_array().unwrap().len(), 1);
    assert_eq!(rig.look("calls?bot=other_bot").await, json!([]));
}
