//! Entities that came ready-made: are they possible, and in which order.

use serde_json::Value;

use super::{Entity, Formatted};
use crate::error::{ApiError, ApiResult};

/// Entities that count; Telegram ignores the rest.
const MOST: usize = 100;

/// Kinds a bot may give.
const GIVEN: [&str; 12] = [
    "bold",
    "italic",
    "underline",
    "strikethrough",
    "spoiler",
    "blockquote",
    "expandable_blockquote",
    "code",
    "pre",
    "text_link",
    "text_mention",
    "custom_emoji",
];

/// Kinds that Telegram finds itself and takes no one's word for.
const FOUND: [&str; 8] = ["mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "bank_card_number"];

/// Reads the entities of a request against their text.
pub(crate) fn entities(text: &str, given: Vec<Value>) -> ApiResult<Vec<Entity>> {
    let mut entities = Vec::new();
    for item in given.into_iter().take(MOST) {
        if let Some(entity) = entity(item)? {
            entities.push(entity);
        }
    }
    entities.sort_by(|a, b| a.offset.cmp(&b.offset).then(b.length.cmp(&a.length)));
    let units: Vec<u16> = text.encode_utf16().collect();
    for entity in &entities {
        in_text(text, &units, entity)?;
    }
    Ok(entities)
}

fn entity(item: Value) -> ApiResult<Option<Entity>> {
    let fail = |why: &str| ApiError::bad(format!("can't parse MessageEntity: {why}"));
    let Value::Object(mut map) = item else {
        return Err(fail("expected an Object"));
    };
    let mut number = |name: &str| match map.remove(name) {
        Some(Value::Number(number)) => number.as_i64().ok_or_else(|| fail(&format!("Field \"{name}\" must be of type Number"))),
        Some(_) => Err(fail(&format!("Field \"{name}\" must be of type Number"))),
        None => Err(fail(&format!("Can't find field \"{name}\""))),
    };
    let (offset, length) = (number("offset")?, number("length")?);
    let Some(Value::String(kind)) = map.remove("type") else {
        return Err(fail("Can't find field \"type\""));
    };
    if FOUND.contains(&kind.as_str()) {
        return Ok(None);
    }
    if !GIVEN.contains(&kind.as_str()) && kind != "date_time" {
        return Err(fail("Unsupported type specified"));
    }
    let needs = match kind.as_str() {
        "text_link" => Some("url"),
        "text_mention" => Some("user"),
        "custom_emoji" => Some("custom_emoji_id"),
        "date_time" => Some("unix_time"),
        _ => None,
    };
    if let Some(field) = needs.filter(|field| !map.contains_key(*field)) {
        return Err(fail(&format!("Can't find field \"{field}\"")));
    }
    if let Some(id) = map.get("custom_emoji_id")
        && id.as_str().is_none_or(|id| id.parse::<i64>().is_err())
    {
        return Err(fail("Field \"custom_emoji_id\" must be a valid Number"));
    }
    let (Ok(offset), Ok(length)) = (usize::try_from(offset), usize::try_from(length)) else {
        let (what, value) = if offset < 0 { ("offset", offset) } else { ("length", length) };
        return Err(ApiError::bad(format!("receive an entity with incorrect {what} {value}")));
    };
    let known = ["url", "user", "language", "custom_emoji_id", "unix_time", "date_time_format"];
    map.retain(|name, _| known.contains(&name.as_str()));
    Ok((length > 0).then_some(Entity { offset, length, kind, extra: map }))
}

fn in_text(text: &str, units: &[u16], entity: &Entity) -> ApiResult<()> {
    let Entity { offset, length, .. } = entity;
    let end = offset.saturating_add(*length);
    let inside_pair = |at: usize| units.get(at).is_some_and(|unit| (0xDC00..0xE000).contains(unit));
    let why = if *offset >= units.len() {
        format!("entity begins after the end of the text at UTF-16 offset {offset}")
    } else if end > units.len() {
        format!("entity beginning at UTF-16 offset {offset} ends after the end of the text at UTF-16 offset {end}")
    } else if inside_pair(*offset) {
        format!("entity begins in a middle of a UTF-16 symbol at byte offset {}", byte_after(text, *offset))
    } else if inside_pair(end) {
        let byte = byte_after(text, end);
        format!("entity beginning at UTF-16 offset {offset} ends in a middle of a UTF-16 symbol at byte offset {byte}")
    } else {
        return Ok(());
    };
    Err(ApiError::bad(why))
}

/// Where the symbol ends in whose middle a UTF-16 offset is: that is where Telegram notices.
fn byte_after(text: &str, offset: usize) -> usize {
    let mut units = 0;
    let mut ends = text.char_indices().map(|(at, c)| {
        units += c.len_utf16();
        (units, at + c.len_utf8())
    });
    ends.find(|(units, _)| *units > offset).map_or(text.len(), |(_, byte)| byte)
}

/// Refuses links that lead nowhere.
pub(crate) fn links(text: &Formatted) -> ApiResult<()> {
    for entity in text.entities.iter().filter(|entity| entity.kind == "text_link") {
        let url = entity.extra.get("url").and_then(Value::as_str).unwrap_or_default();
        if let Err(why) = crate::links::check(url) {
            return Err(ApiError::bad(format!("entity URL '{url}' is invalid: {why}")));
        }
    }
    Ok(())
}

/// Cuts the white space around a text, and the entities with it.
pub(crate) fn trim(parsed: Formatted) -> Formatted {
    let blank = |c: char| c.is_whitespace() || matches!(c, '\u{200b}' | '\0');
    let text = parsed.text.trim_end_matches(blank);
    // Leading spaces are kept while an entity needs them, as in an indented code block.
    let kept = text.trim_start_matches(blank);
    let cut = super::units(text) - super::units(kept);
    let keep_start = parsed.entities.iter().any(|entity| entity.offset < cut && matches!(entity.kind.as_str(), "pre" | "code"));
    let (text, cut) = if keep_start { (text, 0) } else { (kept, cut) };
    let length = super::units(text);
    let entities = parsed
        .entities
        .into_iter()
        .filter_map(|mut entity| {
            let end = entity.end().saturating_sub(cut).min(length);
            entity.offset = entity.offset.saturating_sub(cut);
            entity.length = end.checked_sub(entity.offset)?;
            (entity.length > 0).then_some(entity)
        })
        .collect();
    Formatted { text: text.to_owned(), entities }
}

/// Orders entities as Telegram reports them: by place, the outer one first. Nothing is inside
/// code, and an entity that crosses the end of another is cut in two there.
pub(crate) fn sort(entities: &mut Vec<Entity>) {
    by_place(entities);
    let code: Vec<(usize, usize)> = entities
        .iter()
        .filter(|entity| matches!(entity.kind.as_str(), "code" | "pre"))
        .map(|entity| (entity.offset, entity.end()))
        .collect();
    entities.retain(|entity| {
        let inside = |(from, to): &(usize, usize)| *from <= entity.offset && entity.end() <= *to;
        matches!(entity.kind.as_str(), "code" | "pre") || !code.iter().any(inside)
    });
    let mut at = 1;
    while let (Some(before), Some(entity)) = (entities.get(..at), entities.get(at)) {
        let cut = before.iter().map(Entity::end).filter(|end| (entity.offset + 1..entity.end()).contains(end)).min();
        if let Some(cut) = cut {
            let mut rest = entity.clone();
            rest.length = entity.end() - cut;
            rest.offset = cut;
            if let Some(entity) = entities.get_mut(at) {
                entity.length = cut - entity.offset;
            }
            entities.push(rest);
            by_place(entities);
        } else {
            at += 1;
        }
    }
    entities.truncate(MOST);
}

pub(super) fn by_place(entities: &mut [Entity]) {
    entities.sort_by(|a, b| a.offset.cmp(&b.offset).then(b.length.cmp(&a.length)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refusal(text: &str, entity: Value) -> String {
        entities(text, vec![entity]).unwrap_err().description
    }

    #[test]
    fn entities_must_lie_in_the_text() {
        assert_eq!(
            refusal("hello", json!({ "type": "bold", "offset": 100, "length": 1 })),
            "Bad Request: entity begins after the end of the text at UTF-16 offset 100"
        );
        assert_eq!(
            refusal("hello", json!({ "type": "bold", "offset": 0, "length": 100 })),
            "Bad Request: entity beginning at UTF-16 offset 0 ends after the end of the text at UTF-16 offset 100"
        );
        assert_eq!(
            refusal("hello", json!({ "type": "bold", "offset": -1, "length": 1 })),
            "Bad Request: receive an entity with incorrect offset -1"
        );
    }

    #[test]
    fn entities_do_not_split_a_surrogate_pair() {
        assert_eq!(
            refusal("🔧 ok", json!({ "type": "bold", "offset": 1, "length": 2 })),
            "Bad Request: entity begins in a middle of a UTF-16 symbol at byte offset 4"
        );
        assert_eq!(
            refusal("🔧 ok", json!({ "type": "bold", "offset": 0, "length": 1 })),
            "Bad Request: entity beginning at UTF-16 offset 0 ends in a middle of a UTF-16 symbol at byte offset 4"
        );
        assert!(entities("🔧 ok", vec![json!({ "type": "bold", "offset": 0, "length": 2 })]).is_ok());
    }

    #[test]
    fn kinds_must_be_known() {
        assert_eq!(
            refusal("hello", json!({ "type": "marquee", "offset": 0, "length": 1 })),
            "Bad Request: can't parse MessageEntity: Unsupported type specified"
        );
        let url = json!({ "type": "url", "offset": 0, "length": 1 });
        assert_eq!(entities("hello", vec![url]).unwrap(), []);
    }

    #[test]
    fn the_hundred_and_first_entity_is_ignored() {
        let many = (0..150).map(|at| json!({ "type": "bold", "offset": at, "length": 1 })).collect();
        assert_eq!(entities(&"x".repeat(200), many).unwrap().len(), 100);
    }

    #[test]
    fn trimming_moves_entities() {
        let trimmed = trim(Formatted { text: "  ab \n".into(), entities: vec![Entity::new("bold", 2, 3), Entity::new("italic", 5, 1)] });
        assert_eq!(trimmed.text, "ab");
        assert_eq!(trimmed.entities, [Entity::new("bold", 0, 2)]);
    }

    #[test]
    fn crossing_entities_are_cut() {
        let mut crossing = vec![Entity::new("italic", 9, 3), Entity::new("bot_command", 4, 6)];
        sort(&mut crossing);
        assert_eq!(crossing, [Entity::new("bot_command", 4, 6), Entity::new("italic", 9, 1), Entity::new("italic", 10, 2),]);
        let mut inside = vec![Entity::new("pre", 0, 5), Entity::new("bold", 1, 2)];
        sort(&mut inside);
        assert_eq!(inside, [Entity::new("pre", 0, 5)]);
    }
}
