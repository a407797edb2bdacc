//! Messages that are neither words nor photos, where words, a value or a photo are due.

use fitter_testkit::Player;
use serde_json::{Value, json};

use crate::Row;
use crate::stage::Stage;

/// What a person can share.
const KINDS: [(&str, &str); 25] = [
    ("a voice message", r#"{"voice": {"file_id": "v", "duration": 3}}"#),
    ("a round video", r#"{"video_note": {"file_id": "v", "length": 240, "duration": 3}}"#),
    ("a video", r#"{"video": {"file_id": "v", "width": 1, "height": 1, "duration": 3, "file_size": 900000000}}"#),
    ("a GIF", r#"{"animation": {"file_id": "v"}, "document": {"file_id": "v", "mime_type": "image/gif"}}"#),
    ("music", r#"{"audio": {"file_id": "v", "duration": 3}}"#),
    ("a sticker", r#"{"sticker": {"file_id": "v", "type": "regular", "emoji": "👍"}}"#),
    ("a PDF", r#"{"document": {"file_id": "v", "mime_type": "application/pdf", "file_size": 90000000}}"#),
    ("a file of no type", r#"{"document": {}}"#),
    ("a contact", r#"{"contact": {"phone_number": "+77010000000", "first_name": "Кто"}}"#),
    ("a location", r#"{"location": {"latitude": 43.2, "longitude": 76.9}}"#),
    ("a live location", r#"{"location": {"latitude": 43.2, "longitude": 76.9, "live_period": 900}}"#),
    (
        "a venue",
        r#"{"venue": {"title": "СТО", "address": "Абая 1", "location": {"latitude": 1, "longitude": 1}}, "location": {"latitude": 1, "longitude": 1}}"#,
    ),
    ("a die", r#"{"dice": {"emoji": "🎲", "value": 6}}"#),
    ("a poll", r#"{"poll": {"id": "1", "question": "Кто едет?", "options": [{"text": "Я", "voter_count": 0}]}}"#),
    ("a story", r#"{"story": {"chat": {"id": 1, "type": "private"}, "id": 1}}"#),
    ("a game", r#"{"game": {"title": "x", "description": "x", "photo": []}}"#),
    ("paid media", r#"{"paid_media": {"star_count": 1, "paid_media": []}}"#),
    ("an invoice", r#"{"invoice": {"title": "x", "currency": "XTR", "total_amount": 1}}"#),
    ("a giveaway", r#"{"giveaway": {"chats": [], "winner_count": 1}}"#),
    ("data of a web app", r#"{"web_app_data": {"data": "{}", "button_text": "x"}}"#),
    ("shared people", r#"{"users_shared": {"request_id": 1, "users": [{"user_id": 5}]}}"#),
    ("a shared chat", r#"{"chat_shared": {"request_id": 1, "chat_id": -5}}"#),
    ("a passport", r#"{"passport_data": {"data": [], "credentials": {}}}"#),
    ("a payment", r#"{"successful_payment": {"currency": "XTR", "total_amount": 1, "invoice_payload": "x"}}"#),
    ("something that nobody knows", r#"{"hologram": {"depth": 3}}"#),
];

/// What only happens in a chat.
const HAPPENINGS: [(&str, &str); 16] = [
    ("a pinned message", r#"{"pinned_message": {"message_id": 1}}"#),
    ("a new timer of deletion", r#"{"message_auto_delete_timer_changed": {"message_auto_delete_time": 86400}}"#),
    ("leave to write", r#"{"write_access_allowed": {"web_app_name": "x"}}"#),
    ("a new background", r#"{"chat_background_set": {"type": {"type": "wallpaper"}}}"#),
    ("a topic that was made, renamed or closed", r#"{"forum_topic_created": {"name": "x", "icon_color": 1}}"#),
    ("a boost", r#"{"boost_added": {"boost_count": 1}}"#),
    ("a gift", r#"{"gift_upgrade_sent": {"gift": {}}}"#),
    ("ticks in a checklist", r#"{"checklist_tasks_done": {"marked_as_done_task_ids": [1]}}"#),
    ("a new option of a poll", r#"{"poll_option_added": {"option_text": "x"}}"#),
    ("a website that was logged into", r#"{"connected_website": "example.org"}"#),
    ("somebody near", r#"{"proximity_alert_triggered": {"distance": 5}}"#),
    ("a video chat", r#"{"video_chat_started": {}}"#),
    ("a new price of messages", r#"{"paid_message_price_changed": {"paid_message_star_count": 1}}"#),
    ("a community", r#"{"community_chat_added": {}}"#),
    ("a bot that was made", r#"{"managed_bot_created": {"bot": {"id": 5}}}"#),
    ("a suggested post", r#"{"suggested_post_paid": {"currency": "XTR"}}"#),
];

const NOT_UNDERSTOOD: &str = "Это я пока не понимаю. Пришлите текст или фото.";
const CLIENTS: &str = "Пока я понимаю только текст. Напишите вопрос словами.";

/// The rows: all of a kind see the same.
pub fn rows() -> Vec<Row> {
    let all = |kinds: &[(&str, &str)], rest: &str| {
        let names: Vec<&str> = kinds.iter().map(|(sent, _)| *sent).collect();
        &*format!("{}{rest}", names.join(", ")).leak()
    };
    let kept = &["the walk where it stood"];
    let due = "; in the menu, and where a value or a photo is due";
    vec![
        Row { test: "strange::kinds::neither_words_nor_photos", sent: all(&KINDS, due), seen: &[NOT_UNDERSTOOD, CLIENTS], kept },
        Row { test: "strange::kinds::nobody_said_anything", sent: all(&HAPPENINGS, ", a live location that moves"), seen: &[], kept },
    ]
}

/// Somebody whose walk waits for a value, and somebody whose walk waits for a photo.
async fn walkers<'f>(stage: &Stage<'f>, name: &str) -> [Player<'f>; 2] {
    let value = stage.technician(&format!("Айдос {name}")).await;
    stage.walk(&value, "Короткая проверка").await;
    let photo = stage.technician(&format!("Серик {name}")).await;
    stage.walk(&photo, "Восемь замеров").await;
    for answer in ["раз", "2", "три", "да", "пять", "Левый", "семь"] {
        photo.say(answer).await;
    }
    photo.sees("Пришлите фото").await;
    [value, photo]
}

fn content(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

#[test]
fn neither_words_nor_photos() {
    crate::shared(async |fitter| {
        let stage = Stage::new(fitter);
        let [value, photo] = walkers(&stage, "Вид").await;
        let home = stage.technician("Болат Вид").await;
        let client = stage.client("Ольга Вид").await;
        let english = stage.person("John", fitter_domain::person::Role::Technician, fitter_domain::Locale::En).await;
        let before = (stage.runs(&value).await, stage.runs(&photo).await);
        let places = [
            (&value, vec![NOT_UNDERSTOOD, "❓ Напряжение"]),
            (&photo, vec![NOT_UNDERSTOOD, "Пришлите фото."]),
            (&home, vec![NOT_UNDERSTOOD]),
            (&client, vec![CLIENTS]),
            (&english, vec!["I cannot read that yet."]),
        ];
        for (sent, json) in KINDS {
            for (player, wanted) in &places {
                let written = stage.sends(player, content(json)).await;
                let texts: Vec<&str> = written.iter().map(|message| message.text()).collect();
                for wanted in wanted {
                    assert!(texts.iter().any(|text| text.contains(wanted)), "{sent}: {} reads {texts:?} without «{wanted}»", player.name);
                }
            }
        }
        stage.keeps("the walk where it stood", (stage.runs(&value).await, stage.runs(&photo).await) == before);
        // What came with one of them is read: where a question is none of the answers, it is asked.
        let captioned = json!({"video": {"file_id": "v"}, "caption": "какой предохранитель на питание маяка?"});
        for player in [&value, &home, &client] {
            stage.sends(player, captioned.clone()).await;
            assert_eq!(stage.questions(player).await, ["какой предохранитель на питание маяка?"], "{}", player.name);
        }
        stage.end(&rows()[0]).await;
    });
}

#[test]
fn nobody_said_anything() {
    crate::shared(async |fitter| {
        let stage = Stage::new(fitter);
        let [value, photo] = walkers(&stage, "Случай").await;
        let before = (stage.runs(&value).await, stage.runs(&photo).await);
        for (sent, json) in HAPPENINGS {
            for player in [&value, &photo] {
                let written = stage.sends(player, content(json)).await;
                assert!(written.is_empty(), "{sent}: {written:?}");
            }
        }
        // A live location that moves is an edited message that says nothing.
        let mut moved = stage.message(&value, &content(KINDS[10].1));
        moved["edited_message"] = moved["message"].take();
        assert!(stage.since(&value, async || stage.update(moved).await).await.is_empty());
        stage.keeps("the walk where it stood", (stage.runs(&value).await, stage.runs(&photo).await) == before);
        stage.end(&rows()[1]).await;
    });
}
