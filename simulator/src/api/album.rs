//! `sendMediaGroup`.

use serde_json::{Map, Value};

use super::{Call, media};
use crate::error::{ApiError, ApiResult};
use crate::text;
use crate::world::chat::bot_view;
use crate::world::files::FileKind;
use crate::world::post::Content;

pub(crate) fn send(call: &Call<'_>) -> ApiResult {
    let items = call.args.array("media").unwrap_or_default();
    let target = call.open_target()?;
    let kinds: Vec<FileKind> = items.iter().map(kind_of).collect::<ApiResult<_>>()?;
    for (kind, name) in [(FileKind::Document, "Document"), (FileKind::Audio, "Audio")] {
        if kinds.contains(&kind) && kinds.iter().any(|other| *other != kind) {
            return Err(ApiError::bad(format!("{} can't be mixed with other media types", name.to_lowercase())));
        }
    }
    call.pace(&target.chat, items.len())?;
    let group = format!("1{:017}", call.world.calls.next_seq() + now_ms(call));
    let mut contents = Vec::with_capacity(items.len());
    for (item, kind) in items.iter().zip(kinds) {
        let mut content = read_item(call, item, kind)?;
        call.dress(&target.chat, &mut content)?;
        content.insert("media_group_id".into(), group.as_str().into());
        contents.push(content);
    }
    let sent = call.world.post_by_bot(call.bot, &target.peer, &target.chat, contents);
    Ok(Value::Array(sent.iter().map(|body| bot_view(body)).collect()))
}

fn now_ms(call: &Call<'_>) -> u64 {
    u64::try_from(call.world.clock.now_ms()).unwrap_or(0)
}

fn kind_of(item: &Value) -> ApiResult<FileKind> {
    let fail = |why: &str| ApiError::bad(format!("can't parse InputMedia: {why}"));
    match item.get("type").and_then(Value::as_str) {
        Some("photo") => Ok(FileKind::Photo),
        Some("video") => Ok(FileKind::Video),
        Some("document") => Ok(FileKind::Document),
        Some("audio") => Ok(FileKind::Audio),
        Some("animation") => Err(fail("type \"animation\" can't be used in sendMediaGroup")),
        Some(other) => Err(fail(&format!("type \"{other}\" is unsupported"))),
        None if item.is_object() => Err(fail("Can't find field \"type\"")),
        None => Err(fail("expected an Object")),
    }
}

/// Reads one `InputMedia`: its file and its caption.
pub(crate) fn read_item(call: &Call<'_>, item: &Value, kind: FileKind) -> ApiResult<Content> {
    let field = |name: &str| item.get(name).and_then(Value::as_str).map(str::to_owned);
    let mut content = Content::new();
    let caption = text::parse(
        field("caption").unwrap_or_default(),
        field("parse_mode").as_deref(),
        item.get("caption_entities").and_then(Value::as_array).cloned(),
    )?;
    media::put_checked_caption(&caption, &mut content)?;
    let mut details = Map::new();
    for name in ["width", "height", "duration", "performer", "title"] {
        if let Some(value) = item.get(name) {
            details.insert(name.into(), value.clone());
        }
    }
    let file = field("media").unwrap_or_default();
    let attached = file.strip_prefix("attach://").map_or(!file.is_empty(), |name| call.args.uploads.contains_key(name));
    if !attached {
        return Err(ApiError::bad("can't parse InputMedia: media not found"));
    }
    media::put_file(call, kind, Some(file), "", details, &mut content)?;
    for (flag, name) in [("has_spoiler", "has_media_spoiler"), ("show_caption_above_media", "show_caption_above_media")] {
        if item.get(flag) == Some(&Value::Bool(true)) {
            content.insert(name.into(), true.into());
        }
    }
    Ok(content)
}
