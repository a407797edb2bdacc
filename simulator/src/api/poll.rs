//! `sendPoll`.

use serde_json::{Value, json};

use super::{Call, send};
use crate::error::{ApiError, ApiResult};
use crate::text;
use crate::world::post::Content;

/// Most UTF-16 units of an option.
const OPTION_UNITS: usize = 100;

pub(crate) fn send(call: &Call<'_>) -> ApiResult {
    let args = call.args;
    let question = text::parse(
        args.text("question").unwrap_or_default(),
        args.text("question_parse_mode").as_deref(),
        args.array("question_entities"),
    )?;
    let kind = args.text("type").unwrap_or_else(|| "regular".into());
    if !["regular", "quiz"].contains(&kind.as_str()) {
        return Err(ApiError::bad("unsupported poll type specified"));
    }
    let mut options = Vec::new();
    for (index, option) in args.array("options").unwrap_or_default().iter().enumerate() {
        let text = match option {
            Value::String(text) => Some(text.as_str()),
            other => other.get("text").and_then(Value::as_str),
        };
        let text = text.unwrap_or_default().trim();
        if text.is_empty() {
            return Err(ApiError::bad("poll option must be non-empty"));
        }
        if text::units(text) > OPTION_UNITS {
            return Err(ApiError::bad("poll options length must not exceed 100"));
        }
        options.push(json!({
            "persistent_id": index.to_string(), "text": text, "voter_count": 0,
        }));
    }
    let correct = args.array("correct_option_ids").unwrap_or_default();
    if kind == "quiz" {
        let possible = |id: &Value| id.as_u64().is_some_and(|id| usize::try_from(id).is_ok_and(|id| id < options.len()));
        if correct.is_empty() || !correct.iter().all(possible) {
            return Err(ApiError::bad("wrong correct option ID specified"));
        }
    }
    let anonymous = args.values.get("is_anonymous").is_none() || args.flag("is_anonymous");
    let mut poll = json!({
        "id": format!("5{:018}", call.world.calls.next_seq()),
        "question": question.text,
        "options": options,
        "total_voter_count": 0,
        "is_closed": args.flag("is_closed"),
        "is_anonymous": anonymous,
        "type": kind,
        "allows_multiple_answers": args.flag("allows_multiple_answers"),
        "allows_revoting": args.flag("allows_revoting"),
        "members_only": false,
    });
    if let Some(map) = poll.as_object_mut() {
        if kind == "quiz" {
            map.insert("correct_option_ids".into(), Value::Array(correct));
        }
        if let Some(explanation) = args.text("explanation") {
            map.insert("explanation".into(), explanation.into());
        }
    }
    let mut content = Content::new();
    content.insert("poll".into(), poll);
    send::finish(call, content)
}
