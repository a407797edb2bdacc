//! Updates of the simulator into the inbox, by long poll and by webhook; and what happens at the start.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use fitter_bot::accept::Accepted;
use fitter_bot::api::Api;
use fitter_bot::fault::ApiError;
use fitter_bot::fetch::fetch;
use fitter_bot::incoming::Update;
use fitter_bot::poll::poll;
use fitter_bot::route::{Me, route};
use fitter_bot::setup::{SetupError, Words, dress, identify};
use fitter_bot::webhook::{self, WebhookError};
use fitter_dialogues::event::{Incoming, Input};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::common::{BOT, Stage, TOKEN, picture};

fn me() -> Me {
    Me { id: BOT, username: "fitter_bot".to_owned() }
}

/// What the inbox holds by now, routed as the worker does; parts of an album are one.
async fn incoming(stage: &Stage) -> Vec<Incoming> {
    let items = stage.memory.items.lock().unwrap().clone();
    let mut groups: Vec<(Option<String>, Vec<Value>)> = Vec::new();
    for item in items {
        let update = serde_json::from_str(serde_json::from_str::<Accepted<'_>>(&item.payload).unwrap().update.get()).unwrap();
        match groups.last_mut() {
            Some((group, updates)) if group.is_some() && *group == item.group => updates.push(update),
            _ => groups.push((item.group, vec![update])),
        }
    }
    let mut all = Vec::new();
    for (_, updates) in groups {
        all.extend(route(&me(), updates.iter().map(Update::read).collect()).await);
    }
    all
}

/// Waits until the inbox holds so many items.
async fn until(stage: &Stage, items: usize) {
    let enough = async {
        while stage.memory.items.lock().unwrap().len() < items {
            stage.memory.put.notified().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), enough).await.unwrap();
}

fn start(stage: &Stage) -> (CancellationToken, tokio::task::JoinHandle<()>) {
    let stop = CancellationToken::new();
    (stop.clone(), tokio::spawn(poll(Arc::clone(&stage.api), stage.memory.clone(), stop)))
}

#[tokio::test]
async fn what_people_do_comes_in_by_long_poll() {
    let stage = Stage::simulated().await;
    // Four people have pressed Start.
    let (stop, polling) = start(&stage);
    until(&stage, 4).await;
    stage.sim("send", json!({"person": 101, "bot": "fitter_bot", "text": "привет"})).await;
    stage.sim_photos(101, vec![picture("leds"), picture("power")], "до и после").await;
    until(&stage, 7).await;
    stop.cancel();
    polling.await.unwrap();

    let seen = incoming(&stage).await;
    assert_eq!(seen.len(), 6);
    assert_eq!(seen[0].input, Input::Command { name: "start".to_owned(), payload: String::new() });
    assert_eq!(seen[4].input, Input::Text { text: "привет".to_owned() });
    let Input::Photos { photos, caption } = &seen[5].input else { panic!("{:?}", seen[5]) };
    assert_eq!((photos.len(), caption.as_deref()), (2, Some("до и после")));
    assert_eq!(fetch(&stage.api, &photos[0].file_id).await.unwrap(), picture("leds"));

    // A new process asks from the beginning; what it has is not kept twice.
    stage.sim("send", json!({"person": 101, "bot": "fitter_bot", "text": "ещё"})).await;
    let (stop, polling) = start(&stage);
    until(&stage, 8).await;
    stop.cancel();
    polling.await.unwrap();
    assert_eq!(stage.memory.items.lock().unwrap().len(), 8);
}

#[tokio::test]
async fn nothing_is_lost_while_the_database_is_away() {
    let stage = Stage::simulated().await;
    stage.memory.broken.store(true, Ordering::SeqCst);
    let (stop, polling) = start(&stage);
    stage.sim("send", json!({"person": 101, "bot": "fitter_bot", "text": "важно"})).await;
    stage.memory.refused.notified().await;
    stage.memory.broken.store(false, Ordering::SeqCst);
    until(&stage, 5).await;
    stop.cancel();
    polling.await.unwrap();
    assert_eq!(incoming(&stage).await.pop().unwrap().input, Input::Text { text: "важно".to_owned() });
}

#[tokio::test]
async fn a_tap_is_urgent_and_in_the_lane_of_its_chat() {
    let stage = Stage::simulated().await;
    let menu = fitter_domain::screen::Screen::of(fitter_domain::rich::Rich::text("Меню")).button("Раз", "one");
    let sent = stage.send("menu", menu).await;
    stage.sim("tap", json!({"person": 101, "bot": "fitter_bot", "message_id": sent.message, "data": "one"})).await;
    let (stop, polling) = start(&stage);
    until(&stage, 5).await;
    stop.cancel();
    polling.await.unwrap();
    let tap = incoming(&stage).await.pop().unwrap();
    assert_eq!((tap.input, tap.message), (Input::Tap { data: "one".to_owned() }, Some(sent.message)));
    let items = stage.memory.items.lock().unwrap();
    let item = items.last().unwrap();
    assert_eq!((item.lane.as_str(), item.priority), ("1000001:101:0", fitter_queue::Priority::Urgent));
}

#[tokio::test]
async fn the_webhook_keeps_before_it_says_yes() {
    let stage = Stage::simulated().await;
    let app = webhook::router([(stage.api.clone(), "s3cret".into())], stage.memory.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/telegram", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let http = reqwest::Client::new();
    let post = async |bot: i64, secret: Option<&str>, body: String| {
        let request = http.post(format!("{base}/{bot}")).body(body);
        let request = match secret {
            Some(secret) => request.header("X-Telegram-Bot-Api-Secret-Token", secret),
            None => request,
        };
        request.send().await.unwrap().status().as_u16()
    };
    let update = json!({"update_id": 1, "message": {"text": "x", "chat": {"id": 5}}}).to_string();
    assert_eq!(post(BOT.0, None, update.clone()).await, 401);
    assert_eq!(post(BOT.0, Some("s3creT"), update.clone()).await, 401);
    assert_eq!(post(5, Some("s3cret"), update.clone()).await, 401);
    assert_eq!(post(BOT.0, Some("s3cret"), "{".to_owned()).await, 400);
    assert_eq!(post(BOT.0, Some("s3cret"), format!("\"{}\"", "x".repeat(1 << 20))).await, 413);
    stage.memory.broken.store(true, Ordering::SeqCst);
    assert_eq!(post(BOT.0, Some("s3cret"), update.clone()).await, 503);
    assert!(stage.memory.payloads().is_empty());
    stage.memory.broken.store(false, Ordering::SeqCst);
    assert_eq!(post(BOT.0, Some("s3cret"), update.clone()).await, 200);
    assert_eq!(post(BOT.0, Some("s3cret"), update.clone()).await, 200);
    assert_eq!(stage.memory.payloads(), [json!({"bot": BOT.0, "update": serde_json::from_str::<Value>(&update).unwrap()})]);
}

#[tokio::test]
async fn a_webhook_of_another_program_is_not_stolen() {
    let stage = Stage::simulated().await;
    let ours = "https://fitter.example.org/telegram/1000001".parse().unwrap();
    let theirs = "https://other.example.org/secret-path".parse().unwrap();
    webhook::set(&stage.api, &theirs, &"x".into(), false).await.unwrap();
    let stolen = webhook::set(&stage.api, &ours, &"x".into(), false).await;
    assert!(matches!(stolen, Err(WebhookError::Foreign { host }) if host == "other.example.org"));
    webhook::set(&stage.api, &ours, &"x".into(), true).await.unwrap();
    webhook::set(&stage.api, &ours, &"y".into(), false).await.unwrap();
    assert_eq!(webhook::current(&stage.api).await.unwrap().as_deref(), Some("https://fitter.example.org/telegram/1000001"));
    let bad = webhook::set(&stage.api, &ours, &"с пробелом".into(), false).await;
    assert!(matches!(bad, Err(WebhookError::BadSecret)));
}

#[tokio::test]
async fn a_bot_introduces_itself_and_dresses_once() {
    let stage = Stage::simulated().await;
    assert_eq!(identify(&stage.api).await.unwrap(), me());
    let words = |language: Option<&str>, text: &str| Words {
        language: language.map(str::to_owned),
        commands: vec![("menu".to_owned(), text.to_owned())],
        description: text.to_owned(),
        short_description: text.to_owned(),
    };
    let all = [words(None, "Меню"), words(Some("kk"), "Мәзір"), words(Some("en"), "Menu")];
    dress(&stage.api, &all).await;
    dress(&stage.api, &all).await;
    for method in ["setMyCommands", "setMyDescription", "setMyShortDescription"] {
        assert_eq!(stage.calls(method).await.len(), 3, "{method}");
    }
}

#[tokio::test]
async fn a_wrong_token_says_what_to_do() {
    let stage = Stage::simulated().await;
    let api = Api::new(stage.base.parse().unwrap(), "77:wrong".into()).unwrap();
    let error = identify(&api).await.unwrap_err();
    assert!(matches!(error, SetupError::Unauthorized) && error.to_string().contains("@BotFather"));
    let Err(ApiError::Unusable(text)) = Api::new(stage.base.parse().unwrap(), "no token".into()) else { panic!() };
    assert!(text.contains("@BotFather") && !text.contains("no token") && !text.contains(TOKEN));
}
