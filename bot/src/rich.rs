//! The words of rich messages and checklists (Bot API 9.1 and 10.1): trees of blocks, where other messages have a text.

use serde_json::Value;

/// Fields that hold a text, in the order in which a reader meets them.
const TEXTS: [&str; 8] = ["label", "title", "summary", "text", "expression", "alternative_text", "button", "credit"];
/// Fields that hold more blocks.
const BLOCKS: [&str; 6] = ["blocks", "items", "tasks", "cells", "buttons", "caption"];

/// All words of a tree, a line for each block; `None` if there are none.
#[must_use]
pub fn words(tree: &Value) -> Option<String> {
    let mut lines = Vec::new();
    block(tree, &mut lines);
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn block(value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::Array(blocks) => blocks.iter().for_each(|inner| block(inner, lines)),
        Value::Object(fields) => {
            lines.extend(TEXTS.iter().filter_map(|name| fields.get(*name)).map(inline).filter(|line| !line.is_empty()));
            BLOCKS.iter().filter_map(|name| fields.get(*name)).for_each(|inner| block(inner, lines));
        }
        // A caption may be a bare text.
        Value::String(text) => lines.push(text.clone()),
        _ => {}
    }
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(inline).collect(),
        Value::Object(fields) => TEXTS.iter().find_map(|name| fields.get(*name)).map(inline).unwrap_or_default(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_word_is_found() {
        let message = json!({"is_rtl": true, "blocks": [
            {"type": "heading", "size": 1, "text": "Заголовок"},
            {"type": "paragraph", "text": ["жмёт ", {"type": "bold", "text": ["очень ", {"type": "italic", "text": "сильно"}]}]},
            {"type": "list", "items": [{"label": "1.", "blocks": [{"type": "paragraph", "text": "раз"}]}]},
            {"type": "table", "cells": [[{"text": "а"}, {"text": {"type": "url", "text": "б", "url": "https://x"}}]], "caption": "таблица"},
            {"type": "details", "summary": "ещё", "blocks": [{"type": "math", "expression": "x^2"}]},
            {"type": "photo", "photo": [], "caption": {"text": "подпись", "credit": "кто"}},
            {"type": "divider"}, 5, null
        ]});
        let text = words(&message).expect("words");
        assert_eq!(text, "Заголовок\nжмёт очень сильно\n1.\nраз\nа\nб\nтаблица\nещё\nx^2\nподпись\nкто");
        let list = json!({"title": "Завтра", "tasks": [{"id": 1, "text": "маяк"}, {"id": 2, "text": "замок"}]});
        assert_eq!(words(&list).as_deref(), Some("Завтра\nмаяк\nзамок"));
        assert_eq!(words(&json!({"blocks": []})), None);
        assert_eq!(words(&json!(7)), None);
    }
}
