//! Buttons: `POST /sim/tap` under a message, `POST /sim/press` on the reply keyboard.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::request::{Body, Parties, SimResult, bad, missing};
use super::send::{post, text_content, unique_number};
use crate::world::bot::{Query, QueryKind};
use crate::world::chat::{PAYLOAD, bot_view};
use crate::world::journal::Record;
use crate::world::post::Content;
use crate::world::update::NewUpdate;
use crate::world::{World, lock};

#[derive(Deserialize)]
pub(crate) struct Tap {
    person: i64,
    bot: String,
    chat_id: Option<i64>,
    message_id: i64,
    data: Option<String>,
    row: Option<usize>,
    col: Option<usize>,
}

/// `POST /sim/tap`.
pub(crate) async fn tap(State(world): State<Arc<World>>, Body(tap): Body<Tap>) -> SimResult {
    let parties = Parties::find(&world, tap.person, &tap.bot, tap.chat_id)?;
    let message = {
        let state = lock(&parties.chat.state);
        if state.meta.blocked {
            return Err(bad("the bot is blocked"));
        }
        state.get(tap.message_id).map(|found| Arc::clone(&found.body))
    };
    let message = message.ok_or_else(|| missing(format!("no message {}", tap.message_id)))?;
    if let Some(group) = &parties.group {
        let bot = parties.bot.seed.id;
        let own = message.pointer("/from/id").and_then(Value::as_i64) == Some(bot);
        if !own || !lock(&group.info).has(bot) {
            return Err(bad("the message is not of a bot of this name that is in the group"));
        }
    }
    if pays(&message, &tap) {
        return checkout(&world, &parties, &message);
    }
    let button = button(&message, &tap)?;
    if button.get("disabled") == Some(&Value::Bool(true)) {
        return Err(bad("the button is disabled"));
    }
    let Some(data) = button.get("callback_data").and_then(Value::as_str) else {
        return other_action(button);
    };
    let payload = json!({
        "message": bot_view(&message),
        "chat_instance": (parties.bot.seed.id ^ (parties.chat.id << 20)).to_string(),
        "data": data,
    });
    let id = ask(&world, &parties, QueryKind::Callback, payload, Value::Null);
    Ok(Json(json!({ "callback_query_id": id })))
}

/// Whether the button is that of an invoice; one without a keyboard has it anyway.
fn pays(message: &Value, tap: &Tap) -> bool {
    let first = (tap.row.unwrap_or(0), tap.col.unwrap_or(0)) == (0, 0);
    message.get("invoice").is_some() && tap.data.is_none() && first
}

/// The person pays: the bot is asked whether it agrees.
fn checkout(world: &World, parties: &Parties, message: &Value) -> SimResult {
    let invoice = message.get("invoice").cloned().unwrap_or_default();
    let payment = json!({
        "currency": invoice.get("currency"),
        "total_amount": invoice.get("total_amount"),
        "invoice_payload": message.get(PAYLOAD),
    });
    let id = ask(world, parties, QueryKind::PreCheckout, payment.clone(), payment);
    Ok(Json(json!({ "pre_checkout_query_id": id })))
}

/// Sends a query to the bot and keeps it until the answer.
fn ask(world: &World, parties: &Parties, kind: QueryKind, mut payload: Value, extra: Value) -> String {
    let (id, now) = (unique_number(world), world.clock.now());
    let (bot, person) = (&parties.bot, &parties.person);
    world.rates.heard(bot.seed.id, parties.chat.id, world.clock.now_ms());
    if let Some(map) = payload.as_object_mut() {
        map.insert("id".into(), id.as_str().into());
        map.insert("from".into(), person.user());
    }
    let query = Query { kind, person: person.id, at: now, answered: false, extra };
    lock(&bot.queries).insert(id.clone(), query.clone());
    let update = NewUpdate {
        kind: match kind {
            QueryKind::PreCheckout => "pre_checkout_query",
            QueryKind::Callback | QueryKind::Inline | QueryKind::WebApp => "callback_query",
        },
        of: person.id,
        payload,
    };
    bot.updates.commit(&world.journal, &world.clock, vec![update], || vec![Record::Query { bot: bot.seed.id, id: id.clone(), query }]);
    id
}

/// The button at a place, or the one with the data.
fn button<'a>(message: &'a Value, tap: &Tap) -> SimResult<&'a Value> {
    let rows = message
        .get("reply_markup")
        .and_then(|markup| markup.get("inline_keyboard"))
        .and_then(Value::as_array)
        .ok_or_else(|| bad("the message has no buttons"))?;
    let mut cells = rows.iter().filter_map(Value::as_array);
    let found = match (&tap.data, tap.row) {
        (Some(data), _) => cells.flatten().find(|button| button.get("callback_data").and_then(Value::as_str) == Some(data.as_str())),
        (None, Some(row)) => cells.nth(row).and_then(|row| row.get(tap.col.unwrap_or(0))),
        (None, None) => return Err(bad("data or row and col are needed")),
    };
    found.ok_or_else(|| bad("the message has no such button"))
}

/// What a client does by itself when a button carries no data.
fn other_action(button: &Value) -> SimResult {
    let url = button
        .get("url")
        .or_else(|| button.get("web_app").and_then(|app| app.get("url")))
        .or_else(|| button.get("login_url").and_then(|login| login.get("url")));
    if let Some(url) = url {
        return Ok(Json(json!({ "url": url })));
    }
    if let Some(text) = button.get("copy_text").and_then(|copy| copy.get("text")) {
        return Ok(Json(json!({ "copy_text": text })));
    }
    let inline = ["switch_inline_query", "switch_inline_query_current_chat"].iter().find_map(|field| button.get(field));
    match inline {
        Some(query) => Ok(Json(json!({ "switch_inline_query": query }))),
        None => Err(bad("the simulator cannot press this kind of button")),
    }
}

#[derive(Deserialize)]
pub(crate) struct Press {
    person: i64,
    bot: String,
    chat_id: Option<i64>,
    text: String,
    latitude: Option<f64>,
    longitude: Option<f64>,
}

/// `POST /sim/press`.
pub(crate) async fn press(State(world): State<Arc<World>>, Body(press): Body<Press>) -> SimResult {
    let parties = Parties::find(&world, press.person, &press.bot, press.chat_id)?;
    let keyboard = lock(&parties.chat.state).meta.keyboard.clone();
    let keyboard = keyboard.ok_or_else(|| bad("no reply keyboard is shown"))?;
    let rows = keyboard.get("keyboard").and_then(Value::as_array);
    let text_of = |button: &Value| match button {
        Value::String(text) => Some(text.clone()),
        other => other.get("text").and_then(Value::as_str).map(str::to_owned),
    };
    let button = rows
        .into_iter()
        .flatten()
        .filter_map(Value::as_array)
        .flatten()
        .find(|button| text_of(button).as_deref() == Some(press.text.as_str()))
        .ok_or_else(|| bad("the keyboard has no such button"))?;
    let asks = |what: &str| button.get(what) == Some(&Value::Bool(true));
    let mut content = Content::new();
    if asks("request_contact") {
        let person = &parties.person;
        content.insert(
            "contact".into(),
            json!({
                "phone_number": format!("+7700{:07}", person.id % 10_000_000),
                "first_name": person.first_name,
                "user_id": person.id,
            }),
        );
    } else if asks("request_location") {
        // Astana, unless the page says where the person is.
        let location = crate::api::location_of(press.latitude.or(Some(51.1282)), press.longitude.or(Some(71.4304)))?;
        content.insert("location".into(), location);
    } else if let Some(app) = button.get("web_app") {
        return Ok(Json(json!({ "url": app.get("url") })));
    } else {
        content = text_content(press.text, None)?;
    }
    let sent = post(&world, &parties, vec![content])?;
    if keyboard.get("one_time_keyboard") == Some(&Value::Bool(true)) {
        world.change_chat(&parties.bot, &parties.chat, |state| {
            // The bot may have answered with another keyboard meanwhile.
            if state.meta.keyboard.as_ref() == Some(&keyboard) {
                state.meta.keyboard = None;
            }
        });
    }
    Ok(sent)
}
