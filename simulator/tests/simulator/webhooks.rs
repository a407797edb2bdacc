//! Deliveries to a webhook.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;

use crate::endpoint::Endpoint;
use crate::rig::{AIDOS, MARIA, Rig};

/// Asks again until the condition holds.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..500 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}");
}

#[tokio::test]
async fn updates_are_delivered_with_the_secret_in_order() {
    let rig = Rig::started().await;
    let mut endpoint = Endpoint::start(rig.clock()).await;
    rig.aidos_writes("0").await;
    let args = json!({ "url": endpoint.url, "secret_token": "s3cret-_" });
    rig.call("setWebhook", args).await;
    for text in ["1", "2", "3"] {
        rig.aidos_writes(text).await;
    }
    for expected in ["0", "1", "2", "3"] {
        let delivery = endpoint.next().await;
        assert_eq!(delivery.secret.as_deref(), Some("s3cret-_"));
        assert_eq!(delivery.update["message"]["text"], expected);
    }
    until("all is delivered", async || rig.call("getWebhookInfo", json!({})).await["pending_update_count"] == 0).await;
}

#[tokio::test]
async fn a_failed_delivery_is_repeated_and_reported() {
    let rig = Rig::started().await;
    let mut endpoint = Endpoint::start(rig.clock()).await;
    endpoint.answer(StatusCode::BAD_GATEWAY, json!({}));
    rig.call("setWebhook", json!({ "url": endpoint.url })).await;
    rig.aidos_writes("hello").await;
    let (first, second) = (endpoint.next().await, endpoint.next().await);
    assert_eq!(first.update, second.update);
    assert_eq!(second.secret, None);
    let info = rig.call("getWebhookInfo", json!({})).await;
    assert_eq!(info["url"], endpoint.url);
    assert_eq!(info["last_error_message"], "Wrong response from the webhook: 502 Bad Gateway");
    assert!(info["last_error_date"].is_i64());
}

#[tokio::test]
async fn the_answer_may_carry_a_method() {
    let rig = Rig::started().await;
    let mut endpoint = Endpoint::start(rig.clock()).await;
    endpoint.answer(StatusCode::OK, json!({ "method": "sendMessage", "chat_id": AIDOS, "text": "pong" }));
    rig.call("setWebhook", json!({ "url": endpoint.url })).await;
    rig.aidos_writes("ping").await;
    endpoint.next().await;
    let answer = rig.look(&format!("wait?person={AIDOS}&bot=fitter_bot&contains=pong")).await;
    assert_eq!(answer["text"], "pong");
}

#[tokio::test]
async fn addresses_and_secrets_are_checked() {
    let rig = Rig::new().await;
    for (url, why) in [
        ("http://example.com/", "bad webhook: An HTTPS URL must be provided for webhook"),
        ("https://example.com:8080/", "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443"),
        ("nonsense", "bad webhook: Failed to resolve host: Name or service not known"),
        ("https://", "invalid webhook URL specified"),
    ] {
        assert_eq!(rig.refused("setWebhook", json!({ "url": url })).await, format!("Bad Request: {why}"));
    }
    assert_eq!(
        rig.refused("setWebhook", json!({ "url": "https://example.com/", "secret_token": "a b" })).await,
        "Bad Request: secret token contains unallowed characters"
    );
    let args = json!({
        "url": "https://example.com:8443/x", "max_connections": 7, "allowed_updates": ["message"],
    });
    rig.call("setWebhook", args).await;
    let info = rig.call("getWebhookInfo", json!({})).await;
    assert_eq!(info["max_connections"], 7);
    assert_eq!(info["allowed_updates"], json!(["message"]));
    rig.call("setWebhook", json!({ "url": "" })).await;
    assert_eq!(rig.call("getWebhookInfo", json!({})).await["url"], "");
}

/// How long after the last attempt the next one comes, by the clock, which jumps there.
async fn pause(rig: &Rig, endpoint: &mut Endpoint, last_ms: i64) -> i64 {
    while !endpoint.has_more() {
        // Null while an attempt is under way.
        if let Some(due) = rig.look("webhook?bot=fitter_bot").await["next_attempt_ms"].as_i64() {
            rig.sim("clock", json!({ "advance_ms": (due - rig.clock().now_ms()).max(0) })).await;
            break;
        }
    }
    endpoint.next().await.at_ms - last_ms
}

#[tokio::test]
async fn the_pauses_after_failures_are_telegrams() {
    let rig = Rig::started().await;
    rig.sim("clock", json!({ "freeze": true })).await;
    let mut endpoint = Endpoint::start(rig.clock()).await;
    endpoint.always(StatusCode::INTERNAL_SERVER_ERROR);
    rig.call("setWebhook", json!({ "url": endpoint.url })).await;
    rig.aidos_writes("hello").await;
    let mut last = endpoint.next().await.at_ms;
    let mut pauses = Vec::new();
    for _ in 0..10 {
        let pause = pause(&rig, &mut endpoint, last).await;
        pauses.push(pause / 1000);
        last += pause;
    }
    assert_eq!(pauses[..6], [0, 2, 4, 8, 16, 32]);
    assert!(pauses[6..].iter().all(|pause| (60..=120).contains(pause)), "{pauses:?}");
    // What an endpoint asks for counts instead.
    endpoint.ask_for(StatusCode::TOO_MANY_REQUESTS, 1234);
    last += pause(&rig, &mut endpoint, last).await;
    assert_eq!(pause(&rig, &mut endpoint, last).await, 1_234_000);
}

#[tokio::test]
async fn an_update_that_was_never_taken_is_dropped_after_its_time() {
    let rig = Rig::started().await;
    rig.sim("clock", json!({ "freeze": true })).await;
    let mut endpoint = Endpoint::start(rig.clock()).await;
    endpoint.always(StatusCode::BAD_GATEWAY);
    rig.call("setWebhook", json!({ "url": endpoint.url })).await;
    rig.aidos_writes("lost").await;
    let mut last = endpoint.next().await.at_ms;
    let begin = last;
    while rig.call("getWebhookInfo", json!({})).await["pending_update_count"] == 1 && last - begin < 25 * 3_600_000 {
        endpoint.ask_for(StatusCode::SERVICE_UNAVAILABLE, 3599);
        if rig.look("webhook?bot=fitter_bot").await["next_attempt_ms"].is_i64() || endpoint.has_more() {
            last += pause(&rig, &mut endpoint, last).await;
        }
    }
    assert!((23 * 3_600_000..=24 * 3_600_000).contains(&(last - begin)), "{} ms", last - begin);
}

#[tokio::test]
async fn a_webhook_that_is_gone_for_23_hours_is_removed() {
    let rig = Rig::started().await;
    rig.sim("clock", json!({ "freeze": true })).await;
    let mut endpoint = Endpoint::start(rig.clock()).await;
    rig.call("setWebhook", json!({ "url": endpoint.url })).await;
    endpoint.ask_for(StatusCode::GONE, 3600);
    rig.aidos_writes("hello").await;
    let mut last = endpoint.next().await.at_ms;
    for _ in 0..22 {
        endpoint.ask_for(StatusCode::GONE, 3600);
        last += pause(&rig, &mut endpoint, last).await;
    }
    assert_eq!(rig.call("getWebhookInfo", json!({})).await["url"], endpoint.url);
    // The 24th attempt comes 23 hours after the first; the next one is beyond them.
    endpoint.always(StatusCode::GONE);
    last += pause(&rig, &mut endpoint, last).await;
    pause(&rig, &mut endpoint, last).await;
    while rig.call("getWebhookInfo", json!({})).await["url"] == endpoint.url {
        if rig.look("webhook?bot=fitter_bot").await["next_attempt_ms"].is_i64() {
            rig.sim("clock", json!({ "advance_ms": 120_000 })).await;
        }
    }
    assert_eq!(rig.call("getWebhookInfo", json!({})).await["url"], "");
}

#[tokio::test]
async fn a_tap_passes_a_message_that_is_not_taken() {
    let rig = Rig::started().await;
    let markup = json!({ "inline_keyboard": [[{ "text": "a", "callback_data": "x" }]] });
    let sent = rig.call("sendMessage", json!({ "chat_id": AIDOS, "text": "x", "reply_markup": markup })).await;
    rig.sim("clock", json!({ "freeze": true })).await;
    let mut endpoint = Endpoint::start(rig.clock()).await;
    rig.call("setWebhook", json!({ "url": endpoint.url })).await;
    endpoint.ask_for(StatusCode::SERVICE_UNAVAILABLE, 60);
    rig.aidos_writes("1").await;
    assert_eq!(endpoint.next().await.update["message"]["text"], "1");
    rig.aidos_writes("2").await;
    rig.sim("tap", json!({ "person": AIDOS, "bot": "fitter_bot", "message_id": sent["message_id"], "data": "x" })).await;
    assert_eq!(endpoint.next().await.update["callback_query"]["data"], "x", "taps have a queue of their own");
    rig.sim("block", json!({ "person": AIDOS, "bot": "fitter_bot" })).await;
    assert_eq!(endpoint.next().await.update["my_chat_member"]["new_chat_member"]["status"], "kicked", "and so have memberships");
    rig.sim("open", json!({ "person": MARIA, "bot": "fitter_bot" })).await;
    assert_eq!(endpoint.next().await.update["message"]["chat"]["id"], MARIA, "and other chats");
    rig.sim("clock", json!({ "advance_ms": 60_000 })).await;
    for expected in ["1", "2"] {
        assert_eq!(endpoint.next().await.update["message"]["text"], expected);
    }
}

#[tokio::test]
async fn a_webhook_gets_updates_twice_and_late() {
    let rig = Rig::started().await;
    rig.sim("clock", json!({ "freeze": true })).await;
    let mut endpoint = Endpoint::start(rig.clock()).await;
    rig.call("setWebhook", json!({ "url": endpoint.url })).await;
    rig.sim("updates", json!({ "duplicate": 1, "delay": { "p": 1, "ms": 5000 } })).await;
    rig.aidos_writes("1").await;
    rig.aidos_writes("2").await;
    let before = rig.clock().now_ms();
    rig.sim("clock", json!({ "advance_ms": 5000 })).await;
    for expected in ["1", "1", "2", "2"] {
        let delivery = endpoint.next().await;
        assert_eq!((delivery.update["message"]["text"].as_str(), delivery.at_ms), (Some(expected), before + 5000));
    }
    until("all is delivered", async || rig.call("getWebhookInfo", json!({})).await["pending_update_count"] == 0).await;
    assert!(!endpoint.has_more());
}
