use fitter_dialogues::event::Piece;
use serde_json::{Value, json};

use super::*;

async fn route(me: &Me, raws: &[Value]) -> Option<Incoming> {
    super::route(me, raws.iter().map(Update::read).collect()).await
}

fn me() -> Me {
    Me { id: BotId(42), username: "FitterBot".to_owned() }
}

fn person() -> Value {
    json!({"id": 5, "is_bot": false, "first_name": "Айгуль", "language_code": "kk"})
}

fn private(extra: Value) -> Value {
    message(json!({"id": 5, "type": "private"}), extra)
}

fn group(extra: Value) -> Value {
    message(json!({"id": -100, "type": "supergroup"}), extra)
}

fn message(chat: Value, extra: Value) -> Value {
    let mut message = json!({"message_id": 10, "date": 1, "chat": chat, "from": person()});
    for (key, value) in extra.as_object().expect("object") {
        message[key] = value.clone();
    }
    json!({"update_id": 1, "message": message})
}

async fn input(update: Value) -> Option<Input> {
    route(&me(), &[update]).await.map(|incoming| incoming.input)
}

fn text(text: &str) -> Option<Input> {
    Some(Input::Text { text: text.to_owned() })
}

fn command(name: &str, payload: &str) -> Option<Input> {
    Some(Input::Command { name: name.to_owned(), payload: payload.to_owned() })
}

#[test]
fn the_tree_gets_what_it_needs() {
    dptree::type_check(tree().sig(), &deps_of(&me(), Vec::new()), &[]);
}

#[tokio::test]
async fn commands() {
    assert_eq!(input(private(json!({"text": "/start inv_abc"}))).await, command("start", "inv_abc"));
    assert_eq!(input(private(json!({"text": "/Menu@fitterbot"}))).await, command("menu", ""));
    assert_eq!(input(private(json!({"text": "/search\nгде масса"}))).await, command("search", "где масса"));
    assert_eq!(input(private(json!({"text": "/menu@another_bot"}))).await, text("/menu@another_bot"));
    assert_eq!(input(private(json!({"text": "/ нет"}))).await, text("/ нет"));
    assert_eq!(input(private(json!({"text": "/привет"}))).await, text("/привет"));
}

#[tokio::test]
async fn a_group_is_left_when_it_calls() {
    let called = Some(Input::Group);
    assert_eq!(input(group(json!({"text": "/menu@FitterBot x"}))).await, called);
    assert_eq!(input(group(json!({"text": "/menu"}))).await, None);
    assert_eq!(input(group(json!({"text": "/menu@other_bot"}))).await, None);
    assert_eq!(input(group(json!({"text": "привет"}))).await, None);
    let reply = json!({"message_id": 9, "from": {"id": 42, "is_bot": true}});
    assert_eq!(input(group(json!({"text": "да", "reply_to_message": reply}))).await, called);
    let other = json!({"message_id": 9, "from": {"id": 43, "is_bot": true}});
    assert_eq!(input(group(json!({"text": "да", "reply_to_message": other}))).await, None);

    // An anonymous administrator speaks for the group; a channel and another bot speak for themselves.
    let hidden = json!({"id": 1_087_968_824, "is_bot": true, "first_name": "Group"});
    let speaks = |chat: Value| json!({"text": "/menu@FitterBot", "from": hidden.clone(), "sender_chat": chat});
    assert_eq!(input(group(speaks(json!({"id": -100, "type": "supergroup"})))).await, called);
    assert_eq!(input(group(speaks(json!({"id": -7, "type": "channel"})))).await, None);
    assert_eq!(input(group(speaks(Value::Null))).await, None);

    let member = |chat: i64, kind: &str, old: &str, new: &str| {
        json!({"update_id": 1, "my_chat_member": {"chat": {"id": chat, "type": kind}, "from": person(),
            "old_chat_member": {"status": old}, "new_chat_member": {"status": new}}})
    };
    assert_eq!(input(member(-100, "supergroup", "left", "member")).await, called);
    assert_eq!(input(member(-100, "group", "kicked", "administrator")).await, called);
    assert_eq!(input(member(-100, "group", "member", "administrator")).await, None);
    assert_eq!(input(member(-100, "group", "member", "left")).await, None);
    assert_eq!(input(member(-7, "channel", "left", "administrator")).await, None);
}

#[tokio::test]
async fn bots_and_channels_are_ignored() {
    let bot = json!({"id": 6, "is_bot": true, "first_name": "b"});
    assert_eq!(input(private(json!({"text": "x", "from": bot}))).await, None);
    assert_eq!(input(message(json!({"id": -7, "type": "channel"}), json!({"text": "/menu@FitterBot"}))).await, None);
    assert_eq!(input(json!({"update_id": 1, "channel_post": {"text": "x", "chat": {"id": -7, "type": "channel"}}})).await, None);
    assert_eq!(input(private(json!({"pinned_message": {"message_id": 1}}))).await, None);
    assert_eq!(input(json!({"update_id": 1, "quantum": {"x": 1}})).await, None);
}

#[tokio::test]
async fn the_largest_photo_and_image_files() {
    let sizes = json!([
        {"file_id": "s", "file_unique_id": "us", "width": 90, "height": 60, "file_size": 900},
        {"file_id": "l", "file_unique_id": "ul", "width": 1280, "height": 853},
        {"file_id": "m", "file_unique_id": "um", "width": 320, "height": 213, "file_size": 9000},
    ]);
    let Some(Input::Photos { photos, caption }) = input(private(json!({"photo": sizes, "caption": "щиток"}))).await else { panic!() };
    assert_eq!(photos, [Photo { file_id: "l".to_owned(), unique_id: "ul".to_owned(), size: 0 }]);
    assert_eq!(caption.as_deref(), Some("щиток"));
    let file = json!({"file_id": "d", "file_unique_id": "ud", "mime_type": "image/heic", "file_size": 7});
    let Some(Input::Photos { photos, .. }) = input(private(json!({"document": file}))).await else { panic!() };
    assert_eq!(photos[0].size, 7);
    let gif = json!({"document": {"file_id": "d", "mime_type": "image/gif"}, "animation": {"file_id": "d"}});
    assert_eq!(input(private(gif)).await, Some(Input::Other { what: "animation".to_owned(), text: None }));
    let pdf = json!({"document": {"file_id": "d", "mime_type": "application/pdf"}, "caption": "акт"});
    assert_eq!(input(private(pdf)).await, Some(Input::Other { what: "document".to_owned(), text: Some("акт".to_owned()) }));
}

#[tokio::test]
async fn an_album_is_one_event_in_the_order_of_the_chat() {
    let part = |id: i64, caption: Option<&str>| {
        private(
            json!({"message_id": id, "media_group_id": "g", "caption": caption, "photo": [{"file_id": format!("f{id}"), "file_unique_id": "u"}]}),
        )
    };
    let incoming = route(&me(), &[part(12, None), part(10, None), part(11, Some("после"))]).await.expect("incoming");
    assert_eq!(incoming.message, Some(10));
    let Input::Photos { photos, caption } = incoming.input else { panic!() };
    assert_eq!(photos.iter().map(|p| p.file_id.as_str()).collect::<Vec<_>>(), ["f10", "f11", "f12"]);
    assert_eq!(caption.as_deref(), Some("после"));
}

#[tokio::test]
async fn what_came_in_one_go_is_one_event() {
    let said = |id: i64, text: &str| private(json!({"message_id": id, "text": text}));
    let photo = |id: i64, album: Option<&str>, caption: Option<&str>| {
        private(
            json!({"message_id": id, "media_group_id": album, "caption": caption, "photo": [{"file_id": format!("f{id}"), "file_unique_id": "u"}]}),
        )
    };
    let voice = private(json!({"message_id": 16, "voice": {"file_id": "v"}, "caption": "слышно"}));
    let updates = [
        photo(11, None, None),
        said(10, "12,4"),
        photo(12, Some("g"), None),
        photo(13, Some("g"), Some("5. пломба")),
        photo(14, Some("h"), Some("раз")),
        photo(15, Some("h"), Some("два")),
        voice,
    ];
    let incoming = route(&me(), &updates).await.expect("incoming");
    assert_eq!(incoming.message, Some(10));
    let Input::Burst { pieces } = incoming.input else { panic!("{:?}", incoming.input) };
    let shown = |piece: &Piece| match piece {
        Piece::Photos { photos, caption } => {
            format!("{} {}", photos.iter().map(|p| p.file_id.as_str()).collect::<Vec<_>>().join("+"), caption.as_deref().unwrap_or("-"))
        }
        Piece::Text { text } => text.clone(),
        Piece::Other { what, text } => format!("{what} {}", text.as_deref().unwrap_or("-")),
    };
    let shown: Vec<String> = pieces.iter().map(shown).collect();
    assert_eq!(shown, ["12,4", "f11 -", "f12+f13 5. пломба", "f14 раз", "f15 два", "voice слышно"]);
    // An album with several captions: no words of it are lost.
    let several = [photo(1, Some("g"), Some("раз")), photo(2, Some("g"), Some("два"))];
    assert!(matches!(route(&me(), &several).await.expect("incoming").input, Input::Burst { pieces } if pieces.len() == 2));
}

#[tokio::test]
async fn taps() {
    let tap = |chat: Value| {
        json!({"update_id": 1, "callback_query": {"id": "77", "from": person(), "data": "menu",
        "message": {"message_id": 3, "date": 0, "chat": chat}}})
    };
    let incoming = route(&me(), &[tap(json!({"id": 5, "type": "private"}))]).await.expect("incoming");
    assert_eq!((incoming.chat, incoming.message, incoming.callback.as_deref()), (ChatId(5), Some(3), Some("77")));
    assert_eq!(incoming.input, Input::Tap { data: "menu".to_owned() });
    let incoming = route(&me(), &[tap(json!({"id": -100, "type": "supergroup"}))]).await.expect("incoming");
    assert_eq!((incoming.chat, incoming.callback.as_deref(), incoming.input), (ChatId(-100), Some("77"), Input::Group));
    // A button under somebody else's message: the person hears of it in their own chat.
    let inline = json!({"update_id": 1, "callback_query": {"id": "77", "from": person(), "inline_message_id": "x", "data": "m"}});
    let incoming = route(&me(), &[inline]).await.expect("incoming");
    assert_eq!((incoming.chat, incoming.callback.as_deref()), (ChatId(5), Some("77")));
}

#[tokio::test]
async fn edits_blocks_stops_and_the_rest() {
    let mut edit = private(json!({"text": "А123ВС"}));
    edit["edited_message"] = edit["message"].take();
    assert_eq!(input(edit).await, Some(Input::Edited { text: Some("А123ВС".to_owned()) }));
    let member = |status: &str| json!({"update_id": 1, "my_chat_member": {"chat": {"id": 5, "type": "private"}, "from": person(), "new_chat_member": {"status": status}}});
    assert_eq!(input(member("kicked")).await, Some(Input::Reachable { reachable: false }));
    assert_eq!(input(member("member")).await, Some(Input::Reachable { reachable: true }));
    let stop = json!({"update_id": 1, "stopped_message_generation": {"chat": {"id": 5, "type": "private"}, "draft_id": 3}});
    assert!(matches!(input(stop).await, Some(Input::Other { what, .. }) if what == "stopped_message_generation"));
    let contact = private(json!({"contact": {"phone_number": "1"}}));
    assert_eq!(input(contact).await, Some(Input::Other { what: "contact".to_owned(), text: None }));
    let novel = private(json!({"hologram": {"x": 1}, "caption": "смотри"}));
    assert_eq!(input(novel).await, Some(Input::Other { what: "hologram".to_owned(), text: Some("смотри".to_owned()) }));
    // A location that moves says nothing new.
    assert_eq!(
        input(json!({"update_id": 1, "edited_message": {"message_id": 3, "chat": {"id": 5}, "from": person(), "location": {}}})).await,
        None
    );
}

#[tokio::test]
async fn words_that_can_be_seen() {
    assert_eq!(input(private(json!({"text": "\u{feff}/start\u{200b}"}))).await, command("start", ""));
    assert_eq!(input(private(json!({"text": " \u{200f}12,4\u{200f} "}))).await, text("12,4"));
    let unseen = Some(Input::Other { what: "unknown".to_owned(), text: None });
    assert_eq!(input(private(json!({"text": "\u{200b}\u{3164}"}))).await, unseen);
    let blocks = json!({"rich_message": {"blocks": [{"type": "paragraph", "text": ["где ", {"type": "bold", "text": "масса"}]}]}});
    assert_eq!(input(private(blocks)).await, text("где масса"));
    let long = "я".repeat(100_000);
    let Some(Input::Text { text }) = input(private(json!({"text": long}))).await else { panic!() };
    assert_eq!(text.chars().count(), 32_768);
    // A private chat has the number of its person.
    let nobody = json!({"update_id": 1, "message": {"message_id": 3, "chat": {"id": 5, "type": "private"}, "text": "да"}});
    assert_eq!(route(&me(), &[nobody]).await.map(|incoming| incoming.user.0), Some(5));
    let named = json!({"message_id": 3, "chat": {"id": 5}, "from": {"id": 5, "first_name": "\u{202e}А\nБ"}, "text": "да"});
    let named = route(&me(), &[json!({"update_id": 1, "message": named})]).await.expect("incoming");
    assert_eq!(named.first_name, "А Б");
}

#[tokio::test]
async fn topics_and_replies() {
    let reply = private(json!({"text": "12,4", "reply_to_message": {"message_id": 8}}));
    assert_eq!(route(&me(), &[reply]).await.and_then(|i| i.reply_to), Some(8));
    let topic = private(json!({"text": "x", "is_topic_message": true, "message_thread_id": 8, "reply_to_message": {"message_id": 8}}));
    let incoming = route(&me(), &[topic]).await.expect("incoming");
    assert_eq!((incoming.thread, incoming.reply_to), (Some(8), None));
}
