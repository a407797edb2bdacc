//! `GET /sim/transcript`: a conversation to read.

use std::fmt::Write;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::request::{Params, Parties, SimResult};
use crate::world::chat::{REACTIONS, StoredMessage, text_of};
use crate::world::{World, lock};

#[derive(Deserialize)]
pub(crate) struct Wanted {
    person: i64,
    bot: String,
    chat_id: Option<i64>,
    format: Option<String>,
}

/// The handler.
pub(crate) async fn transcript(State(world): State<Arc<World>>, Params(wanted): Params<Wanted>) -> SimResult<Response> {
    let Parties { bot, person, chat, .. } = Parties::find(&world, wanted.person, &wanted.bot, wanted.chat_id)?;
    let messages: Vec<StoredMessage> = lock(&chat.state).messages.values().cloned().collect();
    let name = |message: &StoredMessage| {
        let own = message.body.pointer("/from/first_name").and_then(Value::as_str).unwrap_or_default();
        if message.by_bot { "Bot" } else { own }.to_owned()
    };
    if wanted.format.as_deref() == Some("text") {
        let mut text = String::new();
        for message in &messages {
            write_message(&mut text, &name(message), &message.body);
        }
        let kind = [(CONTENT_TYPE, "text/plain; charset=utf-8")];
        return Ok((kind, text).into_response());
    }
    let lines: Vec<Value> = messages
        .iter()
        .map(|message| {
            json!({
                "message_id": message.body.get("message_id"),
                "date": message.body.get("date"),
                "edited": message.body.get("edit_date").is_some(),
                "from": if message.by_bot { "bot" } else { "person" },
                "name": name(message),
                "text": text_of(&message.body),
                "media": media(&message.body),
                "buttons": buttons(&message.body),
            })
        })
        .collect();
    Ok(Json(json!({
        "bot": bot.seed.username,
        "person": person.id,
        "lines": lines,
    }))
    .into_response())
}

/// `Name: (photo 640x480) text`, then the buttons row by row.
fn write_message(out: &mut String, name: &str, body: &Value) {
    let parts: Vec<String> = media(body).map(|media| format!("({media})")).into_iter().chain(text_of(body).map(str::to_owned)).collect();
    let mut line = parts.join(" ");
    if line.is_empty() {
        line = "(service message)".into();
    }
    if body.get("edit_date").is_some() {
        line.push_str(" (edited)");
    }
    // Writing to a String cannot fail.
    writeln!(out, "{name}: {line}").ok();
    for row in buttons(body) {
        let labels: Vec<String> = row.iter().map(|label| format!("[{label}]")).collect();
        writeln!(out, "    {}", labels.join(" ")).ok();
    }
    if let Some(emoji) = body.pointer(&format!("/{REACTIONS}/0/emoji")).and_then(Value::as_str) {
        writeln!(out, "    ({emoji})").ok();
    }
}

/// What a message carries besides text, in words.
fn media(body: &Value) -> Option<String> {
    let text = |value: &Value, field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let number = |value: &Value, field: &str| value.get(field).and_then(Value::as_f64).unwrap_or(0.0);
    if let Some(largest) = body.get("photo").and_then(Value::as_array).and_then(|sizes| sizes.last()) {
        return Some(format!("photo {}x{}", number(largest, "width"), number(largest, "height")));
    }
    let kinds = [
        "voice",
        "audio",
        "video",
        "animation",
        "video_note",
        "sticker",
        "document",
        "location",
        "contact",
        "poll",
        "invoice",
        "pinned_message",
        "forum_topic_created",
    ];
    let (kind, value) = kinds.iter().find_map(|kind| Some((*kind, body.get(kind)?)))?;
    Some(match kind {
        "voice" | "audio" | "video" | "video_note" => {
            format!("{} {} s", kind.replace('_', " "), number(value, "duration"))
        }
        "document" | "animation" => format!("{kind} {}", text(value, "file_name")),
        "location" => format!("location {}, {}", number(value, "latitude"), number(value, "longitude")),
        "contact" => format!("contact {}", text(value, "phone_number")),
        "poll" => format!("poll {}", text(value, "question")),
        "invoice" => format!("invoice {}", text(value, "title")),
        "pinned_message" => "pinned a message".into(),
        "forum_topic_created" => format!("topic {}", text(value, "name")),
        _ => kind.to_owned(),
    })
}

/// Labels of the buttons, row by row, of either kind of keyboard.
fn buttons(body: &Value) -> Vec<Vec<String>> {
    let label = |button: &Value| match button {
        Value::String(text) => text.clone(),
        other => other.get("text").and_then(Value::as_str).unwrap_or_default().to_owned(),
    };
    body.get("reply_markup")
        .and_then(|markup| markup.get("inline_keyboard").or_else(|| markup.get("keyboard")))
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_array)
        .map(|row| row.iter().map(label).collect())
        .collect()
}
