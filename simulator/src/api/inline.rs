//! Inline mode and answers to Mini Apps.

use serde_json::{Map, Value, json};

use super::Call;
use super::queries::take;
use crate::error::{ApiError, ApiResult};
use crate::text;
use crate::world::bot::QueryKind;
use crate::world::post::Content;

/// Most results of one answer.
const RESULTS: usize = 50;
/// Seconds for which a prepared message can be used.
const PREPARED: i64 = 24 * 3600;

pub(crate) fn answer(call: &Call<'_>) -> ApiResult {
    let results = call.args.array("results").unwrap_or_default();
    if results.len() > RESULTS {
        return Err(ApiError::bad("RESULTS_TOO_MUCH"));
    }
    for result in &results {
        check(result)?;
    }
    let id = call.args.text("inline_query_id").unwrap_or_default();
    let query = take(call, &id, QueryKind::Inline)?;
    call.world.events.publish(
        Some(query.person),
        "inline",
        || json!({ "bot": call.bot.seed.username, "inline_query_id": id, "results": results }),
    );
    Ok(Value::Bool(true))
}

/// Sends a Mini App's result to the person as the person's own message.
pub(crate) fn answer_web_app(call: &Call<'_>) -> ApiResult {
    let result = call.args.json("result").unwrap_or_default();
    check(&result)?;
    let id = call.args.text("web_app_query_id").unwrap_or_default();
    let query = take(call, &id, QueryKind::WebApp)?;
    let person = call.world.people.get(query.person).ok_or_else(|| ApiError::bad("chat not found"))?;
    let mut content = Content::new();
    let input = result.get("input_message_content").cloned().unwrap_or_default();
    let parsed = text::parse(
        input.get("message_text").and_then(Value::as_str).unwrap_or_default().to_owned(),
        input.get("parse_mode").and_then(Value::as_str),
        input.get("entities").and_then(Value::as_array).cloned(),
    )?;
    if parsed.text.is_empty() {
        return Err(ApiError::bad("message text is empty"));
    }
    text::put(&mut content, "text", "entities", &parsed);
    content.insert("via_bot".into(), call.bot.user());
    let chat = call.bot.chat(person.id);
    call.world.post_by_person(call.bot, &person, &chat, vec![content]);
    Ok(json!({ "inline_message_id": format!("sim-{id}") }))
}

pub(crate) fn save_prepared(call: &Call<'_>) -> ApiResult {
    let user = call.args.int("user_id").unwrap_or(0);
    if call.world.people.get(user).is_none() {
        return Err(ApiError::bad("user not found"));
    }
    check(&call.args.json("result").unwrap_or_default())?;
    let mut number = 0;
    super::profile::change(call, |profile| {
        profile.prepared_messages += 1;
        number = profile.prepared_messages;
    });
    Ok(json!({
        "id": format!("prepared{number}"),
        "expiration_date": call.world.clock.now() + PREPARED,
    }))
}

/// Checks what all kinds of `InlineQueryResult` have in common.
fn check(result: &Value) -> ApiResult<()> {
    let fail = |why: &str| ApiError::bad(format!("can't parse inline query result: {why}"));
    let Value::Object(map) = result else {
        return Err(fail("Inline query result must be an object"));
    };
    let text = |map: &Map<String, Value>, name: &str| {
        map.get(name).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| fail(&format!("Can't find field \"{name}\"")))
    };
    let kind = text(map, "type")?;
    let id = text(map, "id")?;
    if id.is_empty() || id.len() > 64 {
        return Err(ApiError::bad("RESULT_ID_INVALID"));
    }
    if kind == "article" {
        text(map, "title")?;
        let content = map
            .get("input_message_content")
            .and_then(Value::as_object)
            .ok_or_else(|| fail("Can't find field \"input_message_content\""))?;
        if content.is_empty() {
            return Err(fail("Can't find field \"message_text\""));
        }
    }
    if let Some(markup) = map.get("reply_markup") {
        crate::keyboard::check(markup.clone())?;
    }
    Ok(())
}
