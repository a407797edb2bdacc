//! Letters to the simulator, and to a server that answers what the simulator never would.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::post;
use fitter_bot::ports::{MessageKind, Placed};
use fitter_bot::send::Progress;
use fitter_domain::ids::ChatId;
use fitter_domain::outbound::OutboundKind;
use fitter_domain::rich::Rich;
use fitter_domain::screen::{Button, Media, Press, Screen, Slot, Style};
use fitter_queue::Failure;
use serde_json::{Value, json};

use super::common::{BOT, CHAT, Stage, TOKEN, picture};

fn text(text: &str) -> Screen {
    Screen::of(Rich::text(text))
}

fn say(screen: Screen) -> OutboundKind {
    OutboundKind::Send { slot: None, screen }
}

#[tokio::test]
async fn a_screen_is_sent_and_changed_in_place() {
    let stage = Stage::simulated().await;
    let screen = Screen::of(Rich::text("🔧 ").bold("Шаг 1")).primary("Дальше", "next");
    let sent = stage.send("menu", screen.clone()).await;
    let message = stage.messages().await.pop().unwrap();
    assert_eq!((message["message_id"].as_i64(), sent.kind), (Some(sent.message), MessageKind::Text));
    assert_eq!(message["text"], "🔧 Шаг 1");
    assert_eq!(message["entities"], json!([{"type": "bold", "offset": 3, "length": 5}]));
    assert_eq!(message["reply_markup"]["inline_keyboard"][0][0]["callback_data"], "next");
    assert_eq!(message["reply_markup"]["inline_keyboard"][0][0]["style"], "primary");

    assert_eq!(stage.edit("menu", text("Шаг 2")).await, sent);
    // Twice the same: Telegram refuses, and that is fine.
    assert_eq!(stage.edit("menu", text("Шаг 2")).await, sent);
    let messages = stage.messages().await;
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0]["text"], "Шаг 2");
    assert!(messages[0]["reply_markup"].is_null());
}

#[tokio::test]
async fn an_edit_without_a_message_sends_one() {
    let stage = Stage::simulated().await;
    let sent = stage.edit("menu", text("Меню")).await;
    assert_eq!(stage.messages().await[0]["message_id"], sent.message);
    // The person deleted it, or the database is from a backup.
    stage.memory.slots.lock().unwrap().insert((CHAT, Slot::new("menu")), Placed { message: 999_999, kind: MessageKind::Text });
    let again = stage.edit("menu", text("Снова")).await;
    assert_ne!(again, sent);
    assert_eq!(stage.messages().await.len(), 2);
}

#[tokio::test]
async fn a_long_text_goes_on_where_it_stopped() {
    let stage = Stage::simulated().await;
    let long = text(&"Проверьте питание терминала. ".repeat(350)).button("Готово", "done");
    stage.send("answer", long.clone()).await;
    let messages = stage.messages().await;
    assert_eq!(messages.len(), 3);
    assert!(messages.iter().take(2).all(|message| message["reply_markup"].is_null()));
    assert!(messages[2]["reply_markup"].is_object());
    assert_eq!(stage.memory.parts.lock().unwrap().len(), 2);

    let first = Placed { message: messages[0]["message_id"].as_i64().unwrap(), kind: MessageKind::Text };
    let progress = Progress { sent: vec![Some(first)], ..Progress::default() };
    stage.deliver_to(CHAT, say(long), progress, false).await.unwrap();
    assert_eq!(stage.messages().await.len(), 5);
}

#[tokio::test]
async fn a_picture_is_uploaded_once() {
    let stage = Stage::simulated().await;
    stage.memory.blobs.lock().unwrap().insert("aa".into(), picture("leds"));
    let screen = Screen { media: vec![Media::Blob("aa".into())], ..text("Индикаторы").button("Понятно", "ok") };
    let sent = stage.send("step", screen.clone()).await;
    assert_eq!(sent.kind, MessageKind::Media);
    let id = stage.memory.file_ids.lock().unwrap().get("aa").cloned().unwrap();
    stage.memory.blobs.lock().unwrap().clear();
    stage.deliver(say(screen)).await.unwrap();
    let calls = stage.calls("sendPhoto").await;
    assert_eq!(calls.len(), 2);
    assert!(calls[1]["request"].to_string().contains(&id));
    let messages = stage.messages().await;
    assert_eq!((messages[1]["caption"].as_str(), messages[1]["photo"].is_array()), (Some("Индикаторы"), true));
    assert_eq!(messages[0]["photo"][0]["file_unique_id"], messages[1]["photo"][0]["file_unique_id"]);
}

#[tokio::test]
async fn an_album_has_its_buttons_in_a_text_below() {
    let stage = Stage::simulated().await;
    for name in ["leds", "power", "ignition"] {
        stage.memory.blobs.lock().unwrap().insert(name.into(), picture(name));
    }
    let media = ["leds", "power", "ignition"].map(|name| Media::Blob(name.into())).to_vec();
    let sent = stage.send("step", Screen { media, ..text("Три рисунка").button("Дальше", "next") }).await;
    let messages = stage.messages().await;
    assert_eq!(messages.len(), 4);
    assert!(messages.iter().take(3).all(|message| message["photo"].is_array() && message["media_group_id"].is_string()));
    assert_eq!((messages[3]["text"].as_str(), messages[3]["message_id"].as_i64()), (Some("Три рисунка"), Some(sent.message)));
    assert_eq!(stage.memory.file_ids.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn a_text_becomes_a_picture_in_place_and_a_picture_gives_way_to_a_new_text() {
    let stage = Stage::simulated().await;
    stage.memory.blobs.lock().unwrap().insert("aa".into(), picture("leds"));
    let first = stage.send("step", text("Шаг 1").button("Дальше", "next")).await;
    let shown = Screen { media: vec![Media::Blob("aa".into())], ..text("Шаг 2").button("Дальше", "next") };
    let second = stage.edit("step", shown).await;
    assert_eq!((second.message, second.kind), (first.message, MessageKind::Media));
    let third = stage.edit("step", text("Шаг 3").button("Дальше", "next")).await;
    assert_ne!(third.message, second.message);
    let messages = stage.messages().await;
    assert_eq!(messages.len(), 2);
    assert!(messages[0]["photo"].is_array() && messages[0]["reply_markup"].is_null(), "{}", messages[0]);
    assert!(messages[1]["reply_markup"].is_object());
}

#[tokio::test]
async fn words_arrive_without_a_picture_that_is_missing_or_refused() {
    let stage = Stage::simulated().await;
    let screen = |media| Screen { media: vec![media], ..text("Щиток").button("Дальше", "next") };
    stage.send("a", screen(Media::Blob("nowhere".into()))).await;
    stage.send("b", screen(Media::File("nonsense".into()))).await;
    let messages = stage.messages().await;
    assert_eq!(messages.iter().map(|message| message["text"].as_str()).collect::<Vec<_>>(), [Some("Щиток"); 2]);
}

#[tokio::test]
async fn retiring_deleting_and_answering() {
    let stage = Stage::simulated().await;
    let sent = stage.send("menu", text("Меню").button("Раз", "one")).await;
    let tap = stage.sim("tap", json!({"person": 101, "bot": "fitter_bot", "message_id": sent.message, "data": "one"})).await;
    let answer =
        |callback: &str| OutboundKind::Answer { callback: callback.to_owned(), text: Some("Готово".to_owned()), alert: false };
    let callback = tap["callback_query_id"].as_str().unwrap();
    stage.deliver(answer(callback)).await.unwrap();
    assert_eq!(stage.get("answers?person=101").await[0]["text"], "Готово");
    // Too late or twice: nobody waits for it.
    stage.deliver(answer(callback)).await.unwrap();

    stage.deliver(OutboundKind::Retire { slot: Slot::new("menu") }).await.unwrap();
    assert!(stage.messages().await[0]["reply_markup"].is_null());
    stage.deliver(OutboundKind::Retire { slot: Slot::new("menu") }).await.unwrap();
    stage.deliver(OutboundKind::Delete { slot: Slot::new("menu") }).await.unwrap();
    assert!(stage.messages().await.is_empty() && stage.memory.slots.lock().unwrap().is_empty());
    stage.deliver(OutboundKind::Busy).await.unwrap();
    assert_eq!(stage.calls("sendChatAction").await.len(), 1);
}

#[tokio::test]
async fn a_screen_moves_below_whatever_becomes_of_the_old_one() {
    let stage = Stage::simulated().await;
    stage.send("menu", text("Меню")).await;
    stage.deliver(say(text("Ответ"))).await.unwrap();
    let to_below = |words: &str| OutboundKind::Move { slot: Slot::new("menu"), screen: text(words) };
    let placed = stage.deliver(to_below("Меню снова")).await.unwrap().expect("a place").placed;
    let messages = stage.messages().await;
    assert_eq!(messages.iter().map(|message| message["text"].as_str().unwrap()).collect::<Vec<_>>(), ["Ответ", "Меню снова"]);
    assert_eq!(messages[1]["message_id"], placed.message);
    stage.sim("faults", json!({"method": "deleteMessage", "times": 1, "kind": "403"})).await;
    stage.deliver(to_below("И снова")).await.unwrap().expect("a place");
    let last = stage.messages().await.pop().unwrap();
    assert_eq!(last["text"], "И снова", "whether the chat hears from the bot does not say the old message");
    assert!(stage.memory.blocked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_full_chat_waits_alone() {
    let stage = Stage::simulated().await;
    stage.sim("faults", json!({"method": "sendMessage", "contains": "первый", "times": 1, "kind": "429", "retry_after": 7})).await;
    let held = stage.deliver(say(text("первый"))).await;
    assert_eq!(held, Err(Failure::Hold { time: Duration::from_secs(7) }));
    stage.deliver_to(ChatId(102), say(text("второй")), Progress::default(), false).await.unwrap();
    assert_eq!(stage.memory.taken.lock().unwrap()[0][0].key, format!("tg:{BOT}:{CHAT}"));
}

#[tokio::test]
async fn many_full_chats_mean_a_full_bot() {
    let stage = Stage::simulated().await;
    stage.sim("faults", json!({"method": "sendMessage", "times": 3, "kind": "429", "retry_after": 30})).await;
    for chat in [101, 102, 103] {
        stage.deliver_to(ChatId(chat), say(text("x")), Progress::default(), false).await.unwrap_err();
    }
    let before = stage.calls("sendMessage").await.len();
    let held = stage.deliver_to(ChatId(104), say(text("x")), Progress::default(), false).await;
    assert!(matches!(held, Err(Failure::Hold { time }) if time > Duration::from_secs(20)));
    assert_eq!(stage.calls("sendMessage").await.len(), before);
    // Answers to taps go on.
    stage.deliver(OutboundKind::Answer { callback: "1".into(), text: None, alert: false }).await.unwrap();
}

#[tokio::test]
async fn a_few_full_chats_among_many_wait_alone() {
    let stage = Stage::simulated().await;
    stage.sim("faults", json!({"method": "sendMessage", "contains": "полон", "kind": "429", "retry_after": 30})).await;
    for chat in [101, 102, 103, 104] {
        stage.deliver_to(ChatId(chat), say(text("x")), Progress::default(), false).await.unwrap();
        let held = stage.deliver_to(ChatId(chat), say(text("полон")), Progress::default(), false).await;
        assert_eq!(held, Err(Failure::Hold { time: Duration::from_secs(30) }));
    }
    stage.deliver_to(CHAT, say(text("y")), Progress::default(), false).await.unwrap();
}

#[tokio::test]
async fn pictures_in_doubt_do_not_keep_the_words_back_and_are_remembered() {
    let stage = Stage::simulated().await;
    for name in ["leds", "power"] {
        stage.memory.blobs.lock().unwrap().insert(name.into(), picture(name));
    }
    let media = ["leds", "power"].map(|name| Media::Blob(name.into())).to_vec();
    let screen = Screen { media, ..text("Два рисунка").button("Дальше", "next") };
    stage.sim("faults", json!({"method": "sendMediaGroup", "times": 1, "kind": "drop_after"})).await;
    stage.sim("faults", json!({"method": "sendMessage", "times": 1, "kind": "500"})).await;
    let failed = stage.deliver(say(screen.clone())).await;
    assert!(matches!(failed, Err(Failure::Retry { .. })), "{failed:?}");
    stage.send("step", screen).await;
    let messages = stage.messages().await;
    assert_eq!(messages.len(), 3, "the album is not sent again");
    assert_eq!(messages[2]["text"], "Два рисунка");
}

#[tokio::test]
async fn a_part_that_has_to_wait_is_not_sent_twice() {
    let stage = Stage::simulated().await;
    let long = text(&format!("{}\n\nконец", "слово ".repeat(700)));
    stage.sim("faults", json!({"method": "sendMessage", "contains": "конец", "times": 1, "kind": "429", "retry_after": 3})).await;
    let failed = stage.deliver(say(long.clone())).await;
    assert_eq!(failed, Err(Failure::Hold { time: Duration::from_secs(3) }));
    stage.deliver(say(long)).await.unwrap();
    assert_eq!(stage.messages().await.len(), 2);
}

#[tokio::test]
async fn a_person_who_blocked_the_bot_is_left_alone() {
    let stage = Stage::simulated().await;
    stage.sim("block", json!({"person": 101, "bot": "fitter_bot"})).await;
    assert_eq!(stage.deliver(say(text("x"))).await, Ok(None));
    assert!(stage.memory.blocked.lock().unwrap().contains(&CHAT));
}

#[tokio::test]
async fn without_an_answer_everything_is_repeated_but_announcements() {
    let stage = Stage::simulated().await;
    stage.send("menu", text("Меню")).await;
    stage.sim("faults", json!({"method": "sendMessage", "times": 2, "kind": "drop_after"})).await;
    let failed = stage.deliver(say(text("x"))).await;
    assert!(matches!(&failed, Err(Failure::Retry { error, .. }) if !error.contains(TOKEN)), "{failed:?}");
    let failed = stage.deliver_to(CHAT, say(text("объявление")), Progress::default(), true).await;
    assert!(matches!(&failed, Err(Failure::Bury { reason }) if reason.starts_with("uncertain") && !reason.contains(TOKEN)), "{failed:?}");
    stage.sim("faults", json!({"method": "editMessageText", "times": 1, "kind": "drop_after"})).await;
    let failed = stage.deliver(OutboundKind::Edit { slot: Slot::new("menu"), screen: text("y") }).await;
    assert!(matches!(failed, Err(Failure::Retry { .. })), "{failed:?}");
    stage.sim("faults", json!({"method": "sendMessage", "times": 1, "kind": "500"})).await;
    assert!(matches!(stage.deliver(say(text("z"))).await, Err(Failure::Retry { .. })));
}

#[tokio::test]
async fn announcements_have_a_limit_of_their_own() {
    let stage = Stage::simulated().await;
    stage.deliver_to(CHAT, say(text("x")), Progress::default(), true).await.unwrap();
    stage.deliver_to(CHAT, OutboundKind::Busy, Progress::default(), true).await.unwrap();
    let taken = stage.memory.taken.lock().unwrap();
    assert_eq!(taken.iter().map(|needs| needs.len()).collect::<Vec<_>>(), [2]);
}

#[tokio::test]
async fn a_button_of_every_kind_is_taken() {
    let stage = Stage::simulated().await;
    let button = |press, style| Button { label: "x".into(), press, style };
    let mut screen = text("Кнопки");
    screen.buttons = vec![
        vec![button(Press::Url("https://example.org/".into()), Style::Plain), button(Press::Copy("A123BC".into()), Style::Danger)],
        vec![button(Press::Callback("c".repeat(64)), Style::Primary)],
    ];
    stage.send("menu", screen).await;
    let asked = Screen { ask: Some("Номер машины".into()), ..text("Номер?") };
    stage.send("ask", asked).await;
    let call = stage.calls("sendMessage").await.pop().unwrap();
    assert!(call["request"].to_string().contains("input_field_placeholder"));
}

/// A server that gives the same answers in turn, whatever is asked.
async fn scripted(answers: Vec<Value>) -> (Stage, Arc<Mutex<Vec<(String, Value)>>>) {
    type Script = Arc<(Mutex<std::vec::IntoIter<Value>>, Arc<Mutex<Vec<(String, Value)>>>)>;
    async fn answer(State(script): State<Script>, Path((_, method)): Path<(String, String)>, body: axum::Json<Value>) -> axum::Json<Value> {
        script.1.lock().unwrap().push((method, body.0));
        axum::Json(script.0.lock().unwrap().next().unwrap())
    }
    let seen = Arc::default();
    let script: Script = Arc::new((Mutex::new(answers.into_iter()), Arc::clone(&seen)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().route("/{token}/{method}", post(answer)).with_state(script);
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (Stage::at(base, None), seen)
}

fn refused(description: &str, parameters: Value) -> Value {
    json!({"ok": false, "error_code": 400, "description": description, "parameters": parameters})
}

fn sent() -> Value {
    json!({"ok": true, "result": {"message_id": 5}})
}

#[tokio::test]
async fn a_group_that_moved_gets_its_message() {
    let moved = refused("Bad Request: group chat was upgraded to a supergroup chat", json!({"migrate_to_chat_id": -1005}));
    let (stage, seen) = scripted(vec![moved, sent()]).await;
    let what = OutboundKind::Send { slot: Some(Slot::new("menu")), screen: text("x") };
    let place = stage.deliver_to(ChatId(-5), what, Progress::default(), false).await.unwrap().unwrap();
    assert_eq!((place.chat, place.placed.message), (ChatId(-1005), 5));
    assert_eq!(*stage.memory.moved.lock().unwrap(), [(ChatId(-5), ChatId(-1005))]);
    let chats: Vec<Value> = seen.lock().unwrap().iter().map(|(_, body)| body["chat_id"].clone()).collect();
    assert_eq!(chats, [json!(-5), json!(-1005)]);
}

#[tokio::test]
async fn refused_formatting_goes_as_plain_text() {
    let (stage, seen) = scripted(vec![refused("Bad Request: can't parse entities: bad offset", json!({})), sent()]).await;
    stage.deliver(say(Screen::of(Rich::new().bold("важно")))).await.unwrap();
    let seen = seen.lock().unwrap();
    assert!(seen[0].1["entities"].is_array() && seen[1].1["entities"].is_null());
    assert_eq!(seen[1].1["text"], "важно");
}

#[tokio::test]
async fn a_final_refusal_is_a_dead_letter_with_its_reason() {
    let (stage, _) = scripted(vec![refused("Bad Request: message is too long", json!({}))]).await;
    let failed = stage.deliver(say(text("x"))).await;
    assert!(matches!(&failed, Err(Failure::Bury { reason }) if reason.contains("message is too long")), "{failed:?}");
}
