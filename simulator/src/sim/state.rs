//! What the page shows: bots, people, chats, messages, files.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::request::{Body, Params, Parties, SimResult, bad, find_bot, find_person, missing};
use crate::api;
use crate::config::PersonSeed;
use crate::world::journal::Record;
use crate::world::{World, lock};

/// Messages of a page that asked for no number.
const PAGE: usize = 100;

#[derive(Deserialize)]
pub(crate) struct OfPerson {
    person: Option<i64>,
}

/// `GET /sim/state`.
pub(crate) async fn state(State(world): State<Arc<World>>, Params(params): Params<OfPerson>) -> Json<Value> {
    let bots: Vec<Value> = world
        .bots
        .iter()
        .map(|bot| {
            let own = params.person.and_then(|id| bot.known_chat(id)).and_then(|chat| lock(&chat.state).meta.menu_button.clone());
            let menu = own.or_else(|| lock(&bot.profile).menu_button.clone());
            json!({
                "id": bot.seed.id,
                "username": bot.seed.username,
                "first_name": bot.name(&language(&world, params.person)),
                "commands": api::commands_for(&world, bot, params.person),
                "menu_button": menu.unwrap_or_else(|| json!({ "type": "commands" })),
            })
        })
        .collect();
    let people = world.people.all();
    let people: Vec<&PersonSeed> = people.iter().map(Arc::as_ref).collect();
    Json(json!({ "bots": bots, "people": people }))
}

/// The two letters of a person's language.
fn language(world: &World, person: Option<i64>) -> String {
    person
        .and_then(|id| world.people.get(id))
        .and_then(|person| person.language_code.clone())
        .and_then(|code| code.split('-').next().map(str::to_owned))
        .unwrap_or_default()
}

#[derive(Deserialize)]
pub(crate) struct NewPerson {
    id: Option<i64>,
    first_name: String,
    last_name: Option<String>,
    username: Option<String>,
    language_code: Option<String>,
    about: Option<String>,
}

/// `POST /sim/people`.
pub(crate) async fn add_person(State(world): State<Arc<World>>, Body(new): Body<NewPerson>) -> SimResult {
    let taken = |id| world.bots.iter().any(|bot| bot.seed.id == id);
    if new.id.is_some_and(|id| id <= 0 || taken(id)) {
        return Err(bad("the id must be positive and no bot's"));
    }
    if new.first_name.trim().is_empty() {
        return Err(bad("a first name is needed"));
    }
    let person = world.people.register(PersonSeed {
        id: new.id.unwrap_or(0),
        first_name: new.first_name,
        last_name: new.last_name,
        username: new.username.map(|name| name.trim_start_matches('@').to_owned()),
        language_code: new.language_code,
        about: new.about,
    });
    world.journal.write(|| vec![Record::Person { person: PersonSeed::clone(&person) }]);
    Ok(Json(json!(*person)))
}

#[derive(Deserialize)]
pub(crate) struct ChatsOf {
    person: i64,
}

/// `GET /sim/chats`.
pub(crate) async fn chats(State(world): State<Arc<World>>, Params(params): Params<ChatsOf>) -> SimResult {
    let person = find_person(&world, params.person)?;
    let language = language(&world, Some(person.id));
    let now_ms = world.clock.now_ms();
    let mut chats: Vec<Value> = world
        .bots
        .iter()
        .map(|bot| {
            let chat = bot.chat(person.id);
            let state = lock(&chat.state);
            let last = state.messages.last_key_value();
            json!({
                "bot": bot.seed.username,
                "chat_id": person.id,
                "title": bot.name(&language),
                "kind": "private",
                "last": last.map(|(_, message)| &message.body),
                "unread": state.unread(),
                "blocked": state.meta.blocked,
                "started": state.meta.started,
                "typing": state.typing_at(now_ms),
                "keyboard": state.meta.keyboard,
                "pinned": state.meta.pinned,
            })
        })
        .collect();
    for group in world.groups.all() {
        let Some(bot) = world.home(&group).filter(|_| lock(&group.info).has(person.id)) else { continue };
        let state = lock(&group.chat.state);
        let info = lock(&group.info);
        chats.push(json!({
            "bot": bot.seed.username,
            "chat_id": group.id,
            "title": info.title,
            "kind": info.kind,
            "members": info.present().count(),
            "last": state.messages.last_key_value().map(|(_, message)| &message.body),
            "unread": state.unread(),
            "blocked": false,
            "started": true,
            "typing": state.typing_at(now_ms),
            "keyboard": state.meta.keyboard,
            "pinned": state.meta.pinned,
        }));
    }
    Ok(Json(Value::Array(chats)))
}

#[derive(Deserialize)]
pub(crate) struct MessagesOf {
    person: i64,
    bot: String,
    chat_id: Option<i64>,
    after: Option<i64>,
    limit: Option<usize>,
}

/// `GET /sim/messages`. Looking at messages is reading them.
pub(crate) async fn messages(State(world): State<Arc<World>>, Params(params): Params<MessagesOf>) -> SimResult {
    let Parties { bot, chat, .. } = Parties::find(&world, params.person, &params.bot, params.chat_id)?;
    let limit = params.limit.unwrap_or(PAGE);
    let (found, last, read_to) = {
        let state = lock(&chat.state);
        let found: Vec<Arc<Value>> = match params.after {
            Some(after) => {
                state.messages.range(after.saturating_add(1)..).take(limit).map(|(_, message)| Arc::clone(&message.body)).collect()
            }
            None => {
                let newest = state.messages.values().rev().take(limit);
                let mut newest: Vec<_> = newest.map(|message| Arc::clone(&message.body)).collect();
                newest.reverse();
                newest
            }
        };
        let last = found.last().map_or(0, |body| crate::world::chat::message_id(body));
        (found, last, state.meta.read_to)
    };
    if last > read_to {
        world.change_chat(&bot, &chat, |state| {
            state.meta.read_to = state.meta.read_to.max(last);
        });
    }
    Ok(Json(json!(found)))
}

#[derive(Deserialize)]
pub(crate) struct FileOf {
    bot: String,
    file_id: String,
}

/// `GET /sim/file`: the content of a file, for the page.
pub(crate) async fn file(State(world): State<Arc<World>>, Params(params): Params<FileOf>) -> SimResult<Response> {
    let bot = find_bot(&world, &params.bot)?;
    let none = || missing("no such file");
    let meta = world.files.get(bot.seed.id, &params.file_id).ok_or_else(none)?;
    let data = world.files.content(&meta).ok_or_else(none)?;
    let named = meta.details.get("mime_type").and_then(Value::as_str);
    // Only types that cannot run as a page of this origin.
    let safe = named.filter(|mime| *mime != "image/svg+xml" && ["image/", "audio/", "video/"].iter().any(|kind| mime.starts_with(kind)));
    let mime = match (safe, imagesize::image_type(&data)) {
        (Some(mime), _) => mime.to_owned(),
        (None, Ok(imagesize::ImageType::Png)) => "image/png".into(),
        (None, Ok(imagesize::ImageType::Jpeg)) => "image/jpeg".into(),
        (None, Ok(imagesize::ImageType::Webp)) => "image/webp".into(),
        (None, Ok(imagesize::ImageType::Gif)) => "image/gif".into(),
        _ => "application/octet-stream".into(),
    };
    Ok(([(CONTENT_TYPE, mime), (CACHE_CONTROL, "max-age=3600".to_owned())], data).into_response())
}
