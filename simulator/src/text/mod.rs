//! Texts with entities: what a bot may send, and what Telegram makes of it.

pub(crate) mod check;
pub(crate) mod detect;
pub(crate) mod fix;
pub(crate) mod html;
pub(crate) mod legacy;
pub(crate) mod markdown;

use serde_json::{Map, Value};

use crate::args::Args;
use crate::error::{ApiError, ApiResult};

/// Most UTF-16 units of a message text.
pub(crate) const TEXT_UNITS: usize = 4096;
/// Most UTF-16 units of a caption.
pub(crate) const CAPTION_UNITS: usize = 1024;
/// Most bytes of a text before its markup is parsed.
const RAW_BYTES: usize = 32_768;

/// A text after parsing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Formatted {
    pub(crate) text: String,
    pub(crate) entities: Vec<Entity>,
}

/// A range of a text that means something, in UTF-16 units.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entity {
    pub(crate) offset: usize,
    pub(crate) length: usize,
    pub(crate) kind: String,
    /// `url`, `user`, `language` and the like.
    pub(crate) extra: Map<String, Value>,
}

impl Entity {
    pub(crate) fn new(kind: &str, offset: usize, length: usize) -> Self {
        Self { offset, length, kind: kind.to_owned(), extra: Map::new() }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn end(&self) -> usize {
        self.offset + self.length
    }

    /// The Bot API `MessageEntity`.
    pub(crate) fn view(&self) -> Value {
        let mut map = self.extra.clone();
        map.insert("type".into(), self.kind.as_str().into());
        map.insert("offset".into(), self.offset.into());
        map.insert("length".into(), self.length.into());
        Value::Object(map)
    }
}

/// Number of UTF-16 units, the measure of every text limit.
pub(crate) fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Reads `<name>` with `parse_mode` or `<entities>` from a request.
pub(crate) fn from_args(args: &Args, name: &str, entities: &str) -> ApiResult<Formatted> {
    parse(args.text(name).unwrap_or_default(), args.text("parse_mode").as_deref(), args.array(entities))
}

/// Parses a text as `sendMessage` does.
pub(crate) fn parse(text: String, parse_mode: Option<&str>, entities: Option<Vec<Value>>) -> ApiResult<Formatted> {
    if text.len() > RAW_BYTES {
        return Err(ApiError::bad("text is too long"));
    }
    let parsed = match parse_mode.map(str::to_ascii_lowercase).as_deref() {
        None | Some("") => {
            let entities = check::entities(&text, entities.unwrap_or_default())?;
            Ok(Formatted { text, entities })
        }
        Some("html") => html::parse(&text),
        Some("markdownv2") => markdown::parse(&text),
        Some("markdown") => legacy::parse(&text),
        Some(_) => return Err(ApiError::bad("unsupported parse_mode")),
    };
    let parsed = parsed.map_err(|why: String| ApiError::bad(format!("can't parse entities: {why}")))?;
    check::links(&parsed)?;
    Ok(finish(parsed))
}

/// Trims, sorts, limits and completes a parsed text.
pub(crate) fn finish(parsed: Formatted) -> Formatted {
    let mut done = check::trim(parsed);
    done.entities = fix::entities(done.entities);
    check::sort(&mut done.entities);
    detect::add(&mut done);
    done
}

/// Puts a text and its entities under the names of a message.
pub(crate) fn put(content: &mut Map<String, Value>, name: &str, entities: &str, text: &Formatted) {
    content.insert(name.to_owned(), text.text.as_str().into());
    if text.entities.is_empty() {
        content.remove(entities);
    } else {
        let list = text.entities.iter().map(Entity::view).collect();
        content.insert(entities.to_owned(), Value::Array(list));
    }
}

/// Makes an entity a link; a link to a user becomes a mention. False if it leads nowhere.
pub(crate) fn link(entity: &mut Entity, url: &str) -> bool {
    if let Some(id) = url.strip_prefix("tg://user?id=").and_then(|id| id.parse::<i64>().ok()) {
        entity.kind = "text_mention".into();
        entity.extra.insert("user".into(), serde_json::json!({ "id": id }));
        return true;
    }
    if crate::links::check(url).is_err() {
        return false;
    }
    entity.extra.insert("url".into(), url.into());
    true
}
