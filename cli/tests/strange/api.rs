//! Everything that an update of Bot API 10.3 can hold: `bot-api.json`, written by `bot-api.py` from a machine-readable schema. teloxide 0.17, whose
//! types end at 9.1, would lose a whole message for one field that it does not know.

use fitter_testkit::Player;
use serde_json::{Value, json};

use crate::SECRET;
use crate::stage::Stage;

fn samples() -> Value {
    serde_json::from_str(include_str!("bot-api.json")).unwrap()
}

fn entries(samples: &Value, of: &str) -> Vec<(String, Value)> {
    match &samples[of] {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        Value::Array(items) => items.iter().map(|value| (value["type"].as_str().unwrap_or_default().to_owned(), value.clone())).collect(),
        _ => panic!("no {of}"),
    }
}

/// Sends many messages, each with words of its own, and tells which words were not searched for.
async fn lost(stage: &Stage<'_>, player: &Player<'_>, contents: Vec<(String, Value)>) -> Vec<String> {
    let mut wanted = Vec::new();
    // Fewer at once than a chat may have in a burst.
    for some in contents.chunks(30) {
        let mut last = 0;
        for (name, content) in some {
            let words = format!("деталь {name}");
            let update = stage.message(player, content).to_string().replace("{words}", &words);
            last = serde_json::from_str::<Value>(&update).unwrap()["update_id"].as_i64().unwrap();
            assert_eq!(stage.knock(Some(SECRET), update).await, 200, "{name}");
            wanted.push(words);
            if content.get("caption").is_some() {
                // Words behind a file would go with it.
                stage.settle(last).await;
            }
        }
        stage.settle(last).await;
        stage.unhurried(player).await;
    }
    let asked = stage.questions(player).await;
    wanted.retain(|words| !asked.iter().any(|text| text.split('\n').any(|line| line == words)));
    wanted
}

cases! {
    every_field {
        sent: "a text or caption in a message with each of the fields that a message can have",
        seen: ["Не нашёл в базе: «деталь live_photo»", "Не нашёл в базе: «деталь suggested_post_info»"],
        kept: ["the words of each, as a question"],
        play: async |stage| {
            // A client's photos are not taken, so that the words under them are a question too.
            let olga = stage.client("Ольга Поля").await;
            let samples = samples();
            let media = ["animation", "audio", "document", "live_photo", "paid_media", "photo", "video", "voice"];
            let contents = entries(&samples, "fields").into_iter().filter(|(name, _)| !["rich_message", "checklist"].contains(&name.as_str()));
            let contents = contents.map(|(name, value)| {
                let mut content = json!({});
                content[if media.contains(&name.as_str()) { "caption" } else { "text" }] = "{words}".into();
                content[&name] = value;
                (name, content)
            });
            let contents: Vec<_> = contents.collect();
            assert!(contents.len() > 100, "{}", contents.len());
            assert_eq!(lost(stage, &olga, contents).await, Vec::<String>::new());
            stage.keeps("the words of each, as a question", true);
        },
    }
    every_entity {
        sent: "a text with each kind of entity, one of tomorrow's, entities beyond its end, overlapping, negative, of another type",
        seen: ["Не нашёл в базе: «деталь date_time»"],
        kept: ["the words of each, as a question"],
        play: async |stage| {
            let olga = stage.client("Ольга Части").await;
            let samples = samples();
            let kinds = samples["entities"].as_array().unwrap().iter().map(|kind| kind.as_str().unwrap().to_owned());
            let mut contents: Vec<(String, Value)> = kinds.map(|kind| {
                let mut entity = samples["entity"].clone();
                (entity["type"], entity["offset"], entity["length"]) = (kind.as_str().into(), 0.into(), 3.into());
                (kind, json!({"text": "{words}", "entities": [entity]}))
            }).collect();
            let odd = [json!([{"type": "hologram", "offset": 0, "length": 1, "x": {"y": 1}}]), json!([{"type": "bold", "offset": 1_000_000, "length": 5}]),
                json!([{"type": "bold", "offset": -4, "length": -1}, {"type": "code", "offset": 0, "length": 9}]), json!("x"), json!([5, null]), json!({})];
            contents.extend(odd.into_iter().enumerate().map(|(place, entities)| (format!("odd{place}"), json!({"text": "{words}", "entities": entities}))));
            assert_eq!(lost(stage, &olga, contents).await, Vec::<String>::new());
            stage.keeps("the words of each, as a question", true);
        },
    }
    every_button {
        sent: "a text under which each kind of button stands, one of tomorrow's, and keyboards of another type",
        seen: ["Не нашёл в базе: «деталь disabled»"],
        kept: ["the words of each, as a question"],
        play: async |stage| {
            let olga = stage.client("Ольга Кнопки").await;
            let mut contents: Vec<(String, Value)> = entries(&samples(), "buttons").into_iter().map(|(name, value)| {
                let mut button = json!({"text": "x"});
                button[&name] = value;
                (name, json!({"text": "{words}", "reply_markup": {"inline_keyboard": [[button]]}}))
            }).collect();
            for (place, markup) in [json!({"inline_keyboard": [[{"text": "x", "teleport": {}}]]}), json!({"keyboard": 5}), json!([]), json!({"inline_keyboard": [[[[]]]]})].into_iter().enumerate() {
                contents.push((format!("odd{place}"), json!({"text": "{words}", "reply_markup": markup})));
            }
            assert_eq!(lost(stage, &olga, contents).await, Vec::<String>::new());
            stage.keeps("the words of each, as a question", true);
        },
    }
    every_block {
        sent: "rich messages with each kind of block and of inline text in which words can stand, and a checklist",
        seen: ["Не нашёл в базе: «деталь spoiler»"],
        kept: ["the words of each, as a question"],
        play: async |stage| {
            let olga = stage.client("Ольга Блоки").await;
            let samples = samples();
            let rich = |blocks: Value| json!({"rich_message": {"blocks": blocks}});
            let has_words = |(_, value): &(String, Value)| value.to_string().contains("{words}");
            let blocks = entries(&samples, "blocks").into_iter().filter(has_words).map(|(name, block)| (format!("block_{name}"), rich(json!([block]))));
            let inline = entries(&samples, "inline").into_iter().filter(has_words);
            let inline = inline.map(|(name, text)| (name, rich(json!([{"type": "paragraph", "text": [text]}]))));
            let mut contents: Vec<_> = blocks.chain(inline).collect();
            assert!(contents.len() > 40, "{}", contents.len());
            contents.push(("checklist".into(), json!({"checklist": {"title": "{words}", "tasks": [{"id": 1, "text": "проверить"}]}})));
            contents.push(("task".into(), json!({"checklist": {"title": "x", "tasks": [{"id": 1, "text": "{words}"}]}})));
            assert_eq!(lost(stage, &olga, contents).await, Vec::<String>::new());
            stage.keeps("the words of each, as a question", true);
        },
    }
    every_kind_of_update {
        sent: "each kind of update, also those that nobody asked for: reactions, polls, payments, business messages, boosts, guests, …",
        seen: [],
        kept: ["the updates"],
        play: async |stage| {
            let mut numbers = Vec::new();
            for (name, value) in entries(&samples(), "updates") {
                let value: Value = serde_json::from_str(&value.to_string().replace("{words}", "слова")).unwrap();
                let mut update = json!({});
                update[name] = value;
                numbers.push(stage.update(update).await);
            }
            let mut kept = 0;
            for number in &numbers {
                kept += stage.in_inbox(*number).await;
            }
            assert!(numbers.len() >= 27, "{}", numbers.len());
            stage.keeps("the updates", kept as usize == numbers.len());
        },
    }
}
