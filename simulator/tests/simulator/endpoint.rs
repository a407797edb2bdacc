//! A bot's webhook that answers what it is told, then 200.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::{Json, Router, routing::post};
use fitter_simulator::SimClock;
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// A delivery as it arrived.
pub struct Delivery {
    pub secret: Option<String>,
    pub update: Value,
    /// By the simulator's clock.
    pub at_ms: i64,
}

#[derive(Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub retry_after: Option<u64>,
    pub body: Value,
}

pub struct Endpoint {
    pub url: String,
    arrived: mpsc::UnboundedReceiver<Delivery>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
    always: Arc<Mutex<StatusCode>>,
}

#[derive(Clone)]
struct Shared {
    clock: SimClock,
    arrived: mpsc::UnboundedSender<Delivery>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
    always: Arc<Mutex<StatusCode>>,
}

async fn take(State(shared): State<Shared>, headers: HeaderMap, Json(update): Json<Value>) -> impl IntoResponse {
    let secret = headers.get("x-telegram-bot-api-secret-token");
    let secret = secret.map(|value| value.to_str().unwrap().to_owned());
    let always = *shared.always.lock().unwrap();
    let answer = shared.answers.lock().unwrap().pop_front().unwrap_or(Answer { status: always, retry_after: None, body: json!({}) });
    shared.arrived.send(Delivery { secret, update, at_ms: shared.clock.now_ms() }).unwrap();
    let mut headers = HeaderMap::new();
    if let Some(seconds) = answer.retry_after {
        headers.insert("retry-after", seconds.into());
    }
    (answer.status, headers, Json(answer.body))
}

impl Endpoint {
    pub async fn start(clock: SimClock) -> Self {
        let (sender, arrived) = mpsc::unbounded_channel();
        let answers = Arc::new(Mutex::new(VecDeque::new()));
        let always = Arc::new(Mutex::new(StatusCode::OK));
        let shared = Shared { clock, arrived: sender, answers: Arc::clone(&answers), always: Arc::clone(&always) };
        let app = Router::new().route("/hook", post(take)).with_state(shared);
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, arrived, answers, always }
    }

    /// The next delivery.
    pub async fn next(&mut self) -> Delivery {
        tokio::time::timeout(Duration::from_secs(10), self.arrived.recv()).await.expect("a delivery comes").unwrap()
    }

    /// Whether a delivery has come that nobody looked at.
    pub fn has_more(&self) -> bool {
        !self.arrived.is_empty()
    }

    /// What to answer next.
    pub fn answer(&self, status: StatusCode, body: Value) {
        self.answers.lock().unwrap().push_back(Answer { status, retry_after: None, body });
    }

    /// What to answer next, with a pause to ask for.
    pub fn ask_for(&self, status: StatusCode, retry_after: u64) {
        self.answers.lock().unwrap().push_back(Answer { status, retry_after: Some(retry_after), body: json!({}) });
    }

    /// What to answer when nothing else was said.
    pub fn always(&self, status: StatusCode) {
        *self.always.lock().unwrap() = status;
    }
}
