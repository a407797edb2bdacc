//! `editMessageMedia`.

use serde_json::Value;

use super::Call;
use super::album::read_item;
use super::edit::{FILES, edit, replace, target};
use crate::error::{ApiError, ApiResult};
use crate::world::files::FileKind;
use crate::world::lock;

pub(crate) fn media(call: &Call<'_>) -> ApiResult {
    let item = call.args.json("media").unwrap_or_default();
    let kind = match item.get("type").and_then(Value::as_str) {
        Some("photo") => FileKind::Photo,
        Some("video") => FileKind::Video,
        Some("animation") => FileKind::Animation,
        Some("audio") => FileKind::Audio,
        Some("document") => FileKind::Document,
        Some(other) => return Err(ApiError::bad(format!("can't parse InputMedia: type \"{other}\" is unsupported"))),
        None => return Err(ApiError::bad("can't parse InputMedia: Can't find field \"type\"")),
    };
    // The message is looked at before the file is kept.
    let (target, id) = target(call)?;
    if lock(&target.chat.state).get(id).is_none() {
        return Err(ApiError::bad("message to edit not found"));
    }
    let content = read_item(call, &item, kind)?;
    edit(call, |body| {
        if !FILES.iter().any(|field| body.contains_key(*field)) && !body.contains_key("text") {
            return Err(ApiError::bad("there is no media in the message to edit"));
        }
        let mut old: Vec<&str> = FILES.to_vec();
        old.extend(["text", "entities", "caption", "caption_entities", "has_media_spoiler"]);
        // The same file sent again is no change; ids differ but contents do not.
        if unique_ids(body.get(kind.field())) == unique_ids(content.get(kind.field()))
            && body.get("caption") == content.get("caption")
            && body.get("caption_entities") == content.get("caption_entities")
        {
            return Ok(());
        }
        replace(body, &old, content);
        Ok(())
    })
}

/// The unique ids inside a file's object.
fn unique_ids(object: Option<&Value>) -> Option<Vec<&str>> {
    match object? {
        Value::Array(sizes) => sizes.iter().map(unique_id).collect(),
        other => unique_id(other).map(|id| vec![id]),
    }
}

fn unique_id(file: &Value) -> Option<&str> {
    file.get("file_unique_id").and_then(Value::as_str)
}
