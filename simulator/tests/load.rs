//! The load mode as bots see it: fetched and brought updates, what the ledger says, and the order of a chat.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail as tests do")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use fitter_simulator::BotSeed;
use fitter_simulator::load::{Act, Crowd, Load, LoadConfig, Pace, Seen, Turn};
use serde_json::{Value, json};

/// People who press the button that is there, or ask for one; what they saw is told.
#[derive(Clone, Default)]
struct People(Arc<Mutex<Vec<Option<Seen>>>>);

impl Crowd for People {
    fn next(&mut self, seat: usize, seen: Option<&Seen>) -> Turn {
        self.0.lock().unwrap().push(seen.cloned());
        let act = match seen.and_then(|seen| seen.buttons.first()?.callback_data.clone()) {
            Some(data) => Act::Tap(data),
            None => Act::Say("/start now".to_owned()),
        };
        Turn { bot: 0, person: 100 + i64::try_from(seat).unwrap(), act }
    }
}

struct Rig {
    load: Load,
    http: reqwest::Client,
    people: People,
}

impl Rig {
    fn new(seats: usize, needs_buttons: bool) -> Self {
        let bot = |id: i64| BotSeed { token: format!("{id}:t"), username: format!("bot{id}"), first_name: "Bot".to_owned(), id };
        let people = People::default();
        let config = LoadConfig {
            addr: ([127, 0, 0, 1], 0).into(),
            bots: vec![bot(1), bot(2)],
            seats,
            needs_buttons,
            patience: Duration::from_secs(60),
        };
        let load = Load::start(config, people.clone()).unwrap();
        Self { load, http: reqwest::Client::builder().no_proxy().build().unwrap(), people }
    }

    async fn call(&self, method: &str, params: Value) -> Value {
        let request = self.http.post(format!("{}/bot1:t/{method}", self.load.url())).json(&params);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["ok"], true, "{method}: {answer}");
        answer["result"].clone()
    }

    async fn updates(&self, offset: i64) -> Vec<Value> {
        self.call("getUpdates", json!({"offset": offset, "timeout": 10})).await.as_array().unwrap().clone()
    }

    fn say(&self, person: i64, text: &str) -> i64 {
        self.load.act(Turn { bot: 0, person, act: Act::Say(text.to_owned()) })
    }
}

async fn eventually(what: &str, mut look: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    while !look() {
        assert!(Instant::now() < until, "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_bot_fetches_and_people_follow_its_buttons() {
    let rig = Rig::new(1, true);
    rig.load.pace(Pace::Closed);
    let first = rig.updates(0).await;
    assert_eq!(first.len(), 1);
    let message = &first[0]["message"];
    assert_eq!(
        (&message["text"], &message["entities"][0]["length"], &message["chat"]["id"]),
        (&json!("/start now"), &json!(6), &json!(100))
    );
    // Not confirmed: it comes again.
    assert_eq!(rig.updates(0).await, first);

    // Words without buttons are the reply, but nobody can go on.
    rig.call("sendMessage", json!({"chat_id": 100, "text": "…"})).await;
    let keyboard = json!({"inline_keyboard": [[{"text": "Далее", "callback_data": "on"}]]});
    let sent = rig.call("sendMessage", json!({"chat_id": 100, "text": "«Шаг» 1", "reply_markup": keyboard})).await;
    let next = rig.updates(first[0]["update_id"].as_i64().unwrap() + 1).await;
    let query = &next[0]["callback_query"];
    assert_eq!((&query["data"], &query["message"]["message_id"]), (&json!("on"), &sent["message_id"]));
    assert_eq!((&query["message"]["text"], &query["message"]["reply_markup"]), (&json!("«Шаг» 1"), &keyboard));
    rig.call("answerCallbackQuery", json!({"callback_query_id": query["id"]})).await;

    rig.load.pace(Pace::Still);
    assert_eq!(rig.load.outstanding(), 1);
    rig.call("editMessageText", json!({"chat_id": 100, "message_id": sent["message_id"], "text": "Шаг 2", "reply_markup": keyboard})).await;
    assert_eq!(rig.load.outstanding(), 0);
    let tally = rig.load.take();
    assert_eq!((tally.made, tally.taps, tally.handed, tally.replies.len(), tally.answers.len()), (2, 1, 2, 2, 1));
    assert_eq!((tally.calls["sendMessage"], tally.calls["getUpdates"], tally.announcements, tally.stuck), (2, 3, 0, 0));
    let seen = rig.people.0.lock().unwrap();
    assert_eq!((seen.len(), &seen[0], seen[1].as_ref().unwrap().text.as_str()), (2, &None::<Seen>, "«Шаг» 1"));
}

#[tokio::test]
async fn an_open_pace_goes_round_the_seats_and_does_not_wait_for_the_bot() {
    let rig = Rig::new(3, false);
    rig.load.pace(Pace::Open { per_second: 1000.0 });
    eventually("everybody has done something", || rig.load.outstanding() == 3).await;
    let updates = rig.updates(0).await;
    let chats: Vec<&Value> = updates.iter().map(|update| &update["message"]["chat"]["id"]).collect();
    assert_eq!(chats, [100, 101, 102]);
    // All wait; what is due meanwhile is counted from when it was due.
    tokio::time::sleep(Duration::from_millis(50)).await;
    rig.call("sendMessage", json!({"chat_id": 101, "text": "ok"})).await;
    rig.load.pace(Pace::Still);
    rig.call("sendMessage", json!({"chat_id": 101, "text": "ok"})).await;
    let tally = rig.load.take();
    assert_eq!((tally.made, tally.replies.len()), (4, 1), "the second reply is for an update that was not fetched yet");
    assert_eq!(rig.updates(4).await[0]["message"]["chat"]["id"], 101);
    rig.call("sendMessage", json!({"chat_id": 101, "text": "ok"})).await;
    let late = rig.load.take().replies[0];
    assert!(late.made_to_reply > late.handed_to_reply, "{late:?}");
}

#[tokio::test]
async fn batches_hold_a_hundred_and_announcements_are_no_replies() {
    let rig = Rig::new(0, false);
    for person in 0..150 {
        rig.say(person, "привет");
    }
    let batch = rig.updates(0).await;
    assert_eq!(batch.len(), 100);
    assert_eq!(rig.updates(101).await.len(), 50);
    for chat in 1000..1010 {
        rig.call("sendMessage", json!({"chat_id": chat, "text": "всем"})).await;
    }
    let tally = rig.load.take();
    assert_eq!((tally.announcements, tally.replies.len(), tally.made, tally.handed), (10, 0, 150, 150));
    let stranger = rig.http.post(format!("{}/bot9:t/getMe", rig.load.url())).send().await.unwrap();
    assert_eq!(stranger.status(), 401);
}

/// Texts by chat, chats of which an update is in the webhook's hands, and the most of them at once.
type Brought = (Vec<(i64, String)>, Vec<i64>, usize);

/// What the bot's webhook has seen.
#[derive(Clone, Default)]
struct Hooked(Arc<Mutex<Brought>>);

async fn receive(State(hooked): State<Hooked>, headers: HeaderMap, body: String) -> StatusCode {
    assert_eq!(headers["x-telegram-bot-api-secret-token"], "s3cret");
    let update: Value = serde_json::from_str(&body).unwrap();
    let chat = update["message"]["chat"]["id"].as_i64().unwrap();
    {
        let mut hooked = hooked.0.lock().unwrap();
        assert!(!hooked.1.contains(&chat), "two updates of chat {chat} at once");
        hooked.1.push(chat);
        hooked.2 = hooked.2.max(hooked.1.len());
    }
    // Others get their turn meanwhile.
    tokio::time::sleep(Duration::from_millis(1)).await;
    let mut hooked = hooked.0.lock().unwrap();
    hooked.1.retain(|busy| *busy != chat);
    let text = update["message"]["text"].as_str().unwrap().to_owned();
    // The first time something is not taken: it has to come again before what follows.
    if text == "refused" && !hooked.0.contains(&(chat, "refused".to_owned())) {
        hooked.0.push((chat, text));
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    hooked.0.push((chat, text));
    StatusCode::OK
}

#[tokio::test]
async fn webhooks_come_in_parallel_but_a_chat_in_order() {
    let rig = Rig::new(0, false);
    let hooked = Hooked::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let router = Router::new().route("/hook", post(receive)).with_state(hooked.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let set = json!({"url": url, "secret_token": "s3cret", "max_connections": 8});
    rig.call("setWebhook", set).await;
    assert_eq!(rig.call("getWebhookInfo", json!({})).await["url"], url);
    for n in 0..20 {
        for chat in 1..=10 {
            rig.say(chat, &if (chat, n) == (3, 5) { "refused".to_owned() } else { n.to_string() });
        }
    }
    eventually("all updates came", || hooked.0.lock().unwrap().0.len() == 201).await;
    let seen = hooked.0.lock().unwrap();
    for chat in 1..=10 {
        let texts: Vec<&str> = seen.0.iter().filter(|(of, _)| *of == chat).map(|(_, text)| text.as_str()).collect();
        let mut expected: Vec<String> = (0..20).map(|n| n.to_string()).collect();
        if chat == 3 {
            expected.splice(5..6, ["refused".to_owned(), "refused".to_owned()]);
        }
        assert_eq!(texts, expected, "chat {chat}");
    }
    assert!((2..=8).contains(&seen.2), "{} at once", seen.2);
    assert_eq!(rig.load.take().handed, 200);
}

#[tokio::test]
async fn people_who_get_nothing_usable_start_over() {
    let bot = BotSeed { token: "1:t".to_owned(), username: "bot".to_owned(), first_name: "Bot".to_owned(), id: 1 };
    let patience = Duration::from_millis(100);
    let config = LoadConfig { addr: ([127, 0, 0, 1], 0).into(), bots: vec![bot], seats: 1, needs_buttons: true, patience };
    let people = People::default();
    let load = Load::start(config, people.clone()).unwrap();
    load.pace(Pace::Closed);
    eventually("they start over", || people.0.lock().unwrap().len() > 1).await;
    load.pace(Pace::Still);
    assert!(load.take().stuck >= 1);
    assert!(people.0.lock().unwrap().iter().all(Option::is_none));
    if cfg!(target_os = "linux") {
        assert!(load.cpu().is_some());
    }
}
