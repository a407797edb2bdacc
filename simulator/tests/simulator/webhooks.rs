//! Deliveries to a webhook.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::{Json, Router, routing::post};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::rig::{AIDOS, Rig};

/// A bot's endpoint that answers what it is told, then 200.
struct Endpoint {
    url: String,
    arrived: mpsc::UnboundedReceiver<(Option<String>, Value)>,
    answers: Arc<Mutex<VecDeque<(StatusCode, Value)>>>,
}

#[derive(Clone)]
struct Shared {
    arrived: mpsc::UnboundedSender<(Option<String>, Value)>,
    answers: Arc<Mutex<VecDeque<(StatusCode, Value)>>>,
}

async fn take(State(shared): State<Shared>, headers: HeaderMap, Json(update): Json<Value>) -> (StatusCode, Json<Value>) {
    let secret = headers.get("x-telegram-bot-api-secret-token");
    let secret = secret.map(|value| value.to_str().unwrap().to_owned());
    shared.arrived.send((secret, update)).unwrap();
    let next = shared.answers.lock().unwrap().pop_front();
    let (status, body) = next.unwrap_or((StatusCode::OK, json!({})));
    (status, Json(body))
}

impl Endpoint {
    async fn start() -> Self {
        let (sender, arrived) = mpsc::unbounded_channel();
        let answers = Arc::new(Mutex::new(VecDeque::new()));
        let shared = Shared { arrived: sender, answers: Arc::clone(&answers) };
        let app = Router::new().route("/hook", post(take)).with_state(shared);
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, arrived, answers }
    }

    async fn next(&mut self) -> (Option<String>, Value) {
        tokio::time::timeout(Duration::from_secs(5), self.arrived.recv()).await.expect("a delivery comes").unwrap()
    }

    fn answer(&self, status: StatusCode, body: Value) {
        self.answers.lock().unwrap().push_back((status, body));
    }
}

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
    let mut endpoint = Endpoint::start().await;
    rig.aidos_writes("0").await;
    let args = json!({ "url": endpoint.url, "secret_token": "s3cret-_" });
    rig.call("setWebhook", args).await;
    for text in ["1", "2", "3"] {
        rig.aidos_writes(text).await;
    }
    for expected in ["0", "1", "2", "3"] {
        let (secret, update) = endpoint.next().await;
        assert_eq!(secret.as_deref(), Some("s3cret-_"));
        assert_eq!(update["message"]["text"], expected);
    }
    until("all is delivered", async || rig.call("getWebhookInfo", json!({})).await["pending_update_count"] == 0).await;
}

#[tokio::test]
async fn a_failed_delivery_is_repeated_and_reported() {
    let rig = Rig::started().await;
    let mut endpoint = Endpoint::start().await;
    endpoint.answer(StatusCode::BAD_GATEWAY, json!({}));
    rig.call("setWebhook", json!({ "url": endpoint.url })).await;
    rig.aidos_writes("hello").await;
    let (_, first) = endpoint.next().await;
    let (secret, second) = endpoint.next().await;
    assert_eq!(first, second);
    assert_eq!(secret, None);
    let info = rig.call("getWebhookInfo", json!({})).await;
    assert_eq!(info["url"], endpoint.url);
    assert_eq!(info["last_error_message"], "Wrong response from the webhook: 502 Bad Gateway");
    assert!(info["last_error_date"].is_i64());
}

#[tokio::test]
async fn the_answer_may_carry_a_method() {
    let rig = Rig::started().await;
    let mut endpoint = Endpoint::start().await;
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
        ("http://example.com/", "An HTTPS URL must be provided for webhook"),
        ("https://example.com:8080/", "Webhook can be set up only on ports 80, 88, 443 or 8443"),
        ("nonsense", "Invalid webhook URL specified"),
    ] {
        assert_eq!(rig.refused("setWebhook", json!({ "url": url })).await, format!("Bad Request: bad webhook: {why}"));
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
