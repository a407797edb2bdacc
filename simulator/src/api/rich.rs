//! Drafts and rich messages, both as plain text here.

use serde_json::{Value, json};

use super::{Call, send};
use crate::error::{ApiError, ApiResult};
use crate::text::{self, Formatted};
use crate::world::post::Content;

/// Most characters of a rich message.
const RICH_UNITS: usize = 32_768;

/// `sendMessageDraft`. An empty text shows "Thinking…".
pub(crate) fn draft(call: &Call<'_>) -> ApiResult {
    let parsed = call.text("text", "entities")?;
    if text::units(&parsed.text) > text::TEXT_UNITS {
        return Err(ApiError::bad("message is too long"));
    }
    show_draft(call, &parsed)
}

/// `sendRichMessageDraft`.
pub(crate) fn rich_draft(call: &Call<'_>) -> ApiResult {
    let parsed = rich_text(call)?;
    show_draft(call, &parsed)
}

fn show_draft(call: &Call<'_>, parsed: &Formatted) -> ApiResult {
    let id = call.args.int("draft_id").unwrap_or(0);
    if id == 0 {
        return Err(ApiError::bad("DRAFT_ID_INVALID"));
    }
    let target = call.open_target()?;
    if target.peer.group().is_some() {
        return Err(ApiError::bad("TEXTDRAFT_PEER_INVALID"));
    }
    call.world.events.publish(Some(target.chat.id), "draft", || {
        let mut view = Content::new();
        text::put(&mut view, "text", "entities", parsed);
        view.insert("draft_id".into(), id.into());
        json!({ "bot": call.bot.seed.username, "draft": view })
    });
    Ok(Value::Bool(true))
}

/// `sendRichMessage`.
pub(crate) fn send(call: &Call<'_>) -> ApiResult {
    let mut content = Content::new();
    put_rich(call, &mut content)?;
    send::finish(call, content)
}

/// Puts the plain text of `rich_message` into a message.
pub(crate) fn put_rich(call: &Call<'_>, content: &mut Content) -> ApiResult<()> {
    let parsed = rich_text(call)?;
    if parsed.text.is_empty() {
        return Err(ApiError::bad("message text is empty"));
    }
    text::put(content, "text", "entities", &parsed);
    Ok(())
}

/// The words of a rich message, whichever way they were given.
fn rich_text(call: &Call<'_>) -> ApiResult<Formatted> {
    let rich = call.args.json("rich_message").unwrap_or_default();
    let mut words = String::new();
    collect(&rich, &mut words);
    if text::units(&words) > RICH_UNITS {
        return Err(ApiError::bad("RICH_MESSAGE_TOO_LONG"));
    }
    Ok(text::finish(Formatted { text: words, entities: Vec::new() }))
}

/// Gathers the texts inside blocks, each on its own line.
fn collect(value: &Value, words: &mut String) {
    match value {
        Value::String(text) => {
            if !words.is_empty() && !words.ends_with('\n') {
                words.push('\n');
            }
            words.push_str(text);
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, words)),
        Value::Object(map) => {
            let spoken = ["markdown", "html", "text", "blocks", "items", "cells", "title", "caption"];
            for field in spoken {
                if let Some(inner) = map.get(field) {
                    collect(inner, words);
                }
            }
        }
        _ => {}
    }
}
