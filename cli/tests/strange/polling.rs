//! Updates that are fetched, by a program of its own with a Bot API between it and the simulator that slips updates into the answers; and a month
//! that passes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use fitter_testkit::app::run;
use fitter_testkit::telegram::client;
use fitter_testkit::{Fitter, Player};
use serde_json::json;

use crate::stage::Stage;
use crate::{Row, options};

const TEST: &str = "strange::polling::fetched_updates_and_a_month";

/// The rows: one program plays them all.
pub const ROWS: &[Row] = &[
    Row {
        test: TEST,
        sent: "an update of 10 MB among others that are fetched",
        seen: &["3 А, плавкий"],
        kept: &["the first 32,768 signs of its words, as a question"],
    },
    Row {
        test: TEST,
        sent: "JSON nested 100,000 deep, U+0000 in every place, the number 1e999, objects that are no updates, in one answer with others",
        seen: &["3 А, плавкий"],
        kept: &["the words of all of them, as questions, in their order"],
    },
    Row {
        test: TEST,
        sent: "a whole answer of objects without numbers, again and again",
        seen: &["3 А, плавкий"],
        kept: &["what comes after it"],
    },
    Row {
        test: TEST,
        sent: "a tap on a button that is a month old",
        seen: &["Кнопка устарела — показываю, как сейчас", "Шаг 2 из 3"],
        kept: &["the walk where it stood"],
    },
];

/// A Bot API that adds to what `getUpdates` gives.
struct Between {
    to: OnceLock<String>,
    client: reqwest::Client,
    /// Raw updates, as text, for the next answers.
    slipped: Mutex<VecDeque<Vec<String>>>,
}

async fn pass(State(between): State<Arc<Between>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    if path.ends_with("/getUpdates") {
        let slipped = between.slipped.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        if let Some(updates) = slipped {
            return Response::new(Body::from(format!("{{\"ok\":true,\"result\":[{}]}}", updates.join(","))));
        }
    }
    let kind = parts.headers.get("content-type").cloned();
    let mut request = between.client.request(parts.method, format!("{}{path}", between.to.get().map_or("", String::as_str))).body(body);
    if let Some(kind) = kind {
        request = request.header("content-type", kind);
    }
    match request.send().await {
        Ok(answer) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = answer.status();
            *response.body_mut() = Body::from(answer.bytes().await.unwrap_or_default());
            response
        }
        Err(_) => Response::builder().status(502).body(Body::empty()).unwrap_or_default(),
    }
}

impl Between {
    async fn start() -> (Arc<Self>, String) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let between = Arc::new(Self { to: OnceLock::new(), client: client(), slipped: Mutex::default() });
        let router = Router::new().fallback(pass).with_state(Arc::clone(&between));
        tokio::spawn(async move { axum::serve(listener, router).await });
        (between, url)
    }

    /// These are the answers that come next, once something that is said ends the one that is waited for.
    async fn slip(&self, updates: impl IntoIterator<Item = Vec<String>>, player: &Player<'_>) {
        self.slipped.lock().unwrap_or_else(PoisonError::into_inner).extend(updates);
        player.post(json!({"text": "/help"})).await;
    }
}

/// A question of a person as a raw update; `"HERE"` is replaced.
fn question(stage: &Stage<'_>, player: &Player<'_>, number: i64, text: &str, here: &str) -> String {
    let mut update = stage.message(player, &json!({"text": text, "x": "HERE"}));
    update["update_id"] = number.into();
    update.to_string().replace("\"HERE\"", here)
}

#[test]
fn fetched_updates_and_a_month() {
    run(async {
        let (between, url) = Between::start().await;
        let fitter = Fitter::prepare(options().env("FITTER_TELEGRAM_API_URL", url)).await;
        between.to.set(fitter.telegram.url()).unwrap();
        fitter.launch().await;
        let stage = Stage::new(&fitter);
        let aidos = stage.technician("Айдос Опрос").await;
        let words = "какой предохранитель на питание маяка";

        // The numbers are smaller than the simulator's, which go on as if nothing had been.
        let huge = format!("{words} {}", "я".repeat(5 << 20));
        let batch = vec![
            question(&stage, &aidos, 1, "первый", "1"),
            question(&stage, &aidos, 2, &huge, "1"),
            question(&stage, &aidos, 3, words, "1"),
        ];
        between.slip([batch], &aidos).await;
        stage.settle(3).await;
        let questions = stage.questions(&aidos).await;
        let whole = questions.get(1).is_some_and(|text| text.chars().count() == 32_768 && text.starts_with(words));
        stage.keeps("the first 32,768 signs of its words, as a question", whole && questions.len() == 3);

        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        let odd = question(&stage, &aidos, 5, "раз", &deep);
        let zero = question(&stage, &aidos, 6, "два", r#""\u0000", "media_group_id": "\u0000g", "\u0000": {"\u0000": "\ud800"}"#);
        let endless = question(&stage, &aidos, 7, "три", "1e999");
        let nothing = ["5", "null", "[]", "{}", "\"x\"", r#"{"update_id": "x"}"#].map(str::to_owned);
        let all = nothing.into_iter().chain([odd, zero, endless, question(&stage, &aidos, 8, "четыре", "1")]);
        between.slip([all.collect()], &aidos).await;
        stage.settle(8).await;
        let last = stage.questions(&aidos).await.split_off(3);
        stage.keeps("the words of all of them, as questions, in their order", last.join("\n") == "раз\nдва\nтри\nчетыре");

        let nothing = vec!["{}".to_owned(), r#"{"update_id": null, "message": {"text": "x"}}"#.to_owned()];
        between.slip([nothing.clone(), nothing.clone(), nothing], &aidos).await;
        stage.unhurried(&aidos).await;
        aidos.say(words).await;
        stage.keeps("what comes after it", stage.questions(&aidos).await.join("\n").lines().count() == 8);

        stage.walk(&aidos, "Короткая проверка").await;
        let first = aidos.sees("Шаг 1 из 3").await;
        let data = first.data("⏸ Пауза").unwrap();
        aidos.say("12").await;
        let before = stage.runs(&aidos).await;
        fitter.telegram.post("clock", json!({"advance_ms": 30_i64 * 24 * 3600 * 1000})).await;
        aidos.tap_old(first.id(), &data).await;
        stage.look(&aidos).await;
        stage.keeps("the walk where it stood", stage.runs(&aidos).await == before);

        let seen: Vec<&str> = ROWS.iter().flat_map(|row| row.seen).copied().collect();
        let kept: Vec<&str> = ROWS.iter().flat_map(|row| row.kept).copied().collect();
        stage.end(&Row { test: TEST, sent: "", seen: seen.leak(), kept: kept.leak() }).await;
        drop(stage);
        fitter.finish().await;
    });
}
