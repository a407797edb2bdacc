//! A person edits, opens a link to a bot, blocks and unblocks.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::request::{Body, Parties, SimResult, Who, bad, missing};
use super::send::{post, text_content};
use crate::api::put_checked_caption;
use crate::text;
use crate::world::post::Content;
use crate::world::{World, lock};

/// Longest payload of a deep link.
const START_CHARS: usize = 64;

#[derive(Deserialize)]
pub(crate) struct Edit {
    person: i64,
    bot: String,
    chat_id: Option<i64>,
    message_id: i64,
    text: Option<String>,
    caption: Option<String>,
}

/// `POST /sim/edit`.
pub(crate) async fn edit(State(world): State<Arc<World>>, Body(edit): Body<Edit>) -> SimResult {
    let parties = Parties::find(&world, edit.person, &edit.bot, edit.chat_id)?;
    let (fields, content) = match (edit.text, edit.caption) {
        (Some(text), _) => (["text", "entities"], text_content(text, None)?),
        (None, Some(caption)) => {
            let mut content = Content::new();
            put_checked_caption(&text::parse(caption, None, None)?, &mut content)?;
            (["caption", "caption_entities"], content)
        }
        (None, None) => return Err(bad("a text or a caption is needed")),
    };
    let mut state = lock(&parties.chat.state);
    let mut message = state.get(edit.message_id).cloned().ok_or_else(|| missing(format!("no message {}", edit.message_id)))?;
    if message.by_bot {
        return Err(bad("the message is the bot's"));
    }
    if message.body.pointer("/from/id").and_then(Value::as_i64) != Some(parties.person.id) {
        return Err(bad("the message is somebody else's"));
    }
    let mut body = Value::clone(&message.body);
    if let Some(map) = body.as_object_mut() {
        let has_text = map.contains_key("text");
        if has_text != (fields.first() == Some(&"text")) {
            return Err(bad("the message has no such text"));
        }
        for field in fields {
            map.remove(field);
        }
        map.extend(content);
        map.insert("edit_date".into(), world.clock.now().into());
    }
    message.body = Arc::new(body);
    let view = json!(message.body);
    world.replace(&parties.bot, &parties.chat, &mut state, message, true);
    Ok(Json(view))
}

#[derive(Deserialize)]
pub(crate) struct Open {
    person: i64,
    bot: String,
    start: Option<String>,
}

/// `POST /sim/open`: opens `t.me/<bot>?start=<start>` and presses Start, or Restart.
pub(crate) async fn open(State(world): State<Arc<World>>, Body(open): Body<Open>) -> SimResult {
    let parties = Parties::find(&world, open.person, &open.bot, None)?;
    let text = match open.start.as_deref() {
        None | Some("") => "/start".to_owned(),
        Some(start) => {
            let fine = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            if start.len() > START_CHARS || !start.chars().all(fine) {
                return Err(bad("a start parameter has 1-64 of A-Z, a-z, 0-9, _ and -"));
            }
            format!("/start {start}")
        }
    };
    let content = text_content(text, None)?;
    world.set_blocked(&parties.bot, &parties.person, &parties.chat, false);
    post(&world, &parties, vec![content])
}

/// `POST /sim/block`.
pub(crate) async fn block(State(world): State<Arc<World>>, Body(who): Body<Who>) -> SimResult {
    set_blocked(&world, &who, true)
}

/// `POST /sim/unblock`.
pub(crate) async fn unblock(State(world): State<Arc<World>>, Body(who): Body<Who>) -> SimResult {
    set_blocked(&world, &who, false)
}

fn set_blocked(world: &World, who: &Who, blocked: bool) -> SimResult {
    let parties = Parties::find(world, who.person, &who.bot, None)?;
    world.set_blocked(&parties.bot, &parties.person, &parties.chat, blocked);
    Ok(Json(json!({})))
}
