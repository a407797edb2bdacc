//! What a person can do through `/sim`.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::rig::{AIDOS, MARIA, Rig, png};

fn who() -> Value {
    json!({ "person": AIDOS, "bot": "fitter_bot" })
}

fn with(extra: Value) -> Value {
    let mut body = who();
    body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn a_text_arrives_as_telegram_would_send_it() {
    let rig = Rig::started().await;
    let first = rig.aidos_writes("/report 12 https://a.kz").await;
    let reply = rig.sim("send", with(json!({ "text": "ответ", "reply_to": first["message_id"] }))).await;
    let updates = rig.updates(json!({})).await;
    let message = &updates[0]["message"];
    assert_eq!(message["from"], json!({ "id": AIDOS, "is_bot": false, "first_name": "Айдос", "language_code": "ru" }));
    assert_eq!(message["chat"]["id"], AIDOS);
    assert_eq!(
        message["entities"],
        json!([
            { "type": "bot_command", "offset": 0, "length": 7 },
            { "type": "url", "offset": 11, "length": 12 },
        ])
    );
    assert_eq!(updates[1]["message"], reply[0]);
    assert_eq!(updates[1]["message"]["reply_to_message"]["message_id"], first["message_id"]);
}

#[tokio::test]
async fn places_contacts_and_files_are_sent() {
    let rig = Rig::started().await;
    let place = json!({ "latitude": 51.1, "longitude": 71.4 });
    let sent = rig.sim("send", with(json!({ "location": place }))).await;
    assert_eq!(sent[0]["location"], place);
    let contact = json!({ "phone_number": "+77010000000", "first_name": "Айдос" });
    let sent = rig.sim("send", with(json!({ "contact": contact }))).await;
    assert_eq!(sent[0]["contact"], contact);
    let mut voice = b"OggS\0\x04".to_vec();
    voice.extend((48_000_i64 * 7).to_le_bytes());
    let sent = rig.aidos_sends(&[("voice", "v.ogg", voice)], json!({})).await;
    assert_eq!(sent[0]["voice"]["duration"], 7);
    assert_eq!(sent[0]["voice"]["mime_type"], "audio/ogg");
    let sent = rig.aidos_sends(&[("document", "a.pdf", b"x".to_vec())], json!({ "caption": "акт" })).await;
    assert_eq!(sent[0]["document"]["file_name"], "a.pdf");
    assert_eq!(sent[0]["caption"], "акт");
    let sent = rig.aidos_sends(&[("photo", "a.png", png(640, 480, 0))], json!({})).await;
    assert_eq!(sent[0]["photo"].as_array().unwrap().len(), 3);
    assert_eq!(rig.updates(json!({})).await.len(), 5);
    let id = sent[0]["photo"][2]["file_id"].as_str().unwrap();
    let url = format!("{}/sim/file?bot=fitter_bot&file_id={id}", rig.running.url());
    let file = rig.http.get(url).send().await.unwrap();
    assert_eq!(file.headers()["content-type"], "image/png");
}

#[tokio::test]
async fn edits_reach_the_bot() {
    let rig = Rig::started().await;
    let id = rig.aidos_writes("опечтка").await["message_id"].clone();
    rig.sim("edit", with(json!({ "message_id": id, "text": "опечатка" }))).await;
    let updates = rig.updates(json!({})).await;
    let edited = &updates[1]["edited_message"];
    assert_eq!(edited["text"], "опечатка");
    assert_eq!(edited["message_id"], id);
    assert!(edited["edit_date"].is_i64());
    let bots = rig.say("чужое").await;
    let why = rig.sim_refused("edit", with(json!({ "message_id": bots, "text": "x" }))).await;
    assert_eq!(why, "the message is the bot's");
}

#[tokio::test]
async fn deep_links_start_with_their_payload() {
    let rig = Rig::new().await;
    let sent = rig.sim("open", with(json!({ "start": "job_12-a" }))).await;
    assert_eq!(sent[0]["text"], "/start job_12-a");
    for wrong in ["x".repeat(65), "a b".into(), "é".into()] {
        rig.sim_refused("open", with(json!({ "start": wrong }))).await;
    }
}

#[tokio::test]
async fn blocking_tells_the_bot_and_stops_both_sides() {
    let rig = Rig::started().await;
    rig.sim("block", who()).await;
    rig.sim("block", who()).await;
    assert_eq!(rig.sim_refused("send", with(json!({ "text": "x" }))).await, "the bot is blocked");
    rig.sim("open", who()).await;
    let updates = rig.updates(json!({})).await;
    let changes: Vec<_> = updates.iter().filter_map(|update| update["my_chat_member"]["new_chat_member"]["status"].as_str()).collect();
    assert_eq!(changes, ["kicked", "member"], "pressing Restart unblocks");
    assert_eq!(updates.last().unwrap()["message"]["text"], "/start");
}

#[tokio::test]
async fn reply_keyboards_are_pressed() {
    let rig = Rig::started().await;
    let keyboard = json!({ "one_time_keyboard": true, "keyboard": [
        ["Готово", { "text": "Где я", "request_location": true }],
        [{ "text": "Телефон", "request_contact": true }],
    ] });
    let args = json!({ "chat_id": AIDOS, "text": "?", "reply_markup": keyboard });
    rig.call("sendMessage", args.clone()).await;
    let sent = rig.sim("press", with(json!({ "text": "Готово" }))).await;
    assert_eq!(sent[0]["text"], "Готово");
    let why = rig.sim_refused("press", with(json!({ "text": "Готово" }))).await;
    assert_eq!(why, "no reply keyboard is shown", "a one-time keyboard goes away");
    rig.call("sendMessage", args.clone()).await;
    let why = rig.sim_refused("press", with(json!({ "text": "Нет такой" }))).await;
    assert_eq!(why, "the keyboard has no such button");
    let sent = rig.sim("press", with(json!({ "text": "Телефон" }))).await;
    assert_eq!(sent[0]["contact"]["user_id"], AIDOS);
    rig.call("sendMessage", args).await;
    let sent = rig.sim("press", with(json!({ "text": "Где я", "latitude": 43.2, "longitude": 76.9 }))).await;
    assert_eq!(sent[0]["location"]["latitude"], 43.2);
}

#[tokio::test]
async fn people_are_added_and_named() {
    let rig = Rig::new().await;
    let new = rig.sim("people", json!({ "first_name": "Дана", "username": "@dana", "about": "техник" })).await;
    assert!(new["id"].as_i64().unwrap() > MARIA);
    assert_eq!(new["username"], "dana");
    rig.sim_refused("people", json!({ "id": 1001, "first_name": "Бот" })).await;
    rig.sim_refused("people", json!({ "first_name": " " })).await;
    let (status, answer) = rig.try_sim(Method::GET, "chats?person=5", None).await;
    assert_eq!((status, answer), (StatusCode::NOT_FOUND, json!({ "error": "no person 5" })));
    assert_eq!(rig.sim_refused("open", json!({ "person": AIDOS, "bot": "nobody" })).await, "no bot nobody");
}

#[tokio::test]
async fn chats_count_what_is_unread() {
    let rig = Rig::started().await;
    rig.say("1").await;
    rig.say("2").await;
    rig.call("sendChatAction", json!({ "chat_id": AIDOS, "action": "typing" })).await;
    let chats = async || rig.look(&format!("chats?person={AIDOS}")).await;
    let before = chats().await;
    assert_eq!(before[0]["unread"], 2);
    assert_eq!(before[0]["typing"], "typing");
    assert_eq!(before[0]["last"]["text"], "2");
    assert_eq!(before[1]["last"], Value::Null);
    rig.messages().await;
    assert_eq!(chats().await[0]["unread"], 0);
    rig.sim("clock", json!({ "advance_ms": 5000 })).await;
    assert_eq!(chats().await[0]["typing"], Value::Null);
}

#[tokio::test]
async fn a_conversation_can_be_read() {
    let rig = Rig::new().await;
    rig.sim("open", who()).await;
    let markup = json!({ "inline_keyboard": [
        [{ "text": "Да", "callback_data": "1" }, { "text": "Нет", "callback_data": "2" }],
    ] });
    let id = rig.say("Начали?").await;
    let args = json!({ "chat_id": AIDOS, "message_id": id, "text": "Начнём?", "reply_markup": markup });
    rig.call("editMessageText", args).await;
    rig.aidos_sends(&[("photo", "a.png", png(640, 480, 0))], json!({ "caption": "щит" })).await;
    let url = format!("{}/sim/transcript?person={AIDOS}&bot=fitter_bot&format=text", rig.running.url());
    let text = rig.http.get(url).send().await.unwrap().text().await.unwrap();
    assert_eq!(text, "Айдос: /start\nBot: Начнём? (edited)\n    [Да] [Нет]\nАйдос: (photo 640x480) щит\n");
    let lines = rig.look(&format!("transcript?person={AIDOS}&bot=fitter_bot")).await["lines"].clone();
    assert_eq!(lines[1]["buttons"], json!([["Да", "Нет"]]));
    assert_eq!(lines[2]["media"], "photo 640x480");
}
