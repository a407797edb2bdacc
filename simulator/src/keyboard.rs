//! Reply markup: which shapes Telegram takes.

use serde_json::Value;

use crate::args::Args;
use crate::error::{ApiError, ApiResult};
use crate::links;

/// Most buttons of one inline keyboard.
const BUTTONS: usize = 100;
/// Most bytes of callback data.
const DATA_BYTES: usize = 64;
/// What an inline button may do.
const ACTIONS: [&str; 9] = [
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
];

/// Reads and checks `reply_markup`. An empty keyboard is no keyboard.
pub(crate) fn from_args(args: &Args) -> ApiResult<Option<Value>> {
    match args.json("reply_markup") {
        Some(markup) => check(markup),
        None => Ok(None),
    }
}

/// Reads the markup of an edit, which can only be an inline keyboard.
pub(crate) fn inline_from_args(args: &Args) -> ApiResult<Option<Value>> {
    match args.json("reply_markup") {
        Some(markup)
            if ["keyboard", "remove_keyboard", "force_reply"].iter().any(|field| markup.get(field).is_some())
                && markup.get("inline_keyboard").is_none() =>
        {
            Err(ApiError::bad("inline keyboard expected"))
        }
        Some(markup) => check(markup),
        None => Ok(None),
    }
}

/// Checks one reply markup.
pub(crate) fn check(markup: Value) -> ApiResult<Option<Value>> {
    let Value::Object(map) = &markup else {
        return Err(ApiError::bad("object expected as reply markup"));
    };
    if let Some(keyboard) = map.get("inline_keyboard") {
        let rows = rows(keyboard, "inline_keyboard", "InlineKeyboardMarkup")?;
        let buttons: Vec<&Value> = rows.into_iter().flatten().collect();
        if buttons.len() > BUTTONS {
            return Err(ApiError::bad("reply markup is too long"));
        }
        for button in &buttons {
            inline_button(button)?;
        }
        return Ok((!buttons.is_empty()).then_some(markup));
    }
    if let Some(keyboard) = map.get("keyboard") {
        for button in rows(keyboard, "keyboard", "")?.into_iter().flatten() {
            reply_button(button)?;
        }
        for flag in ["resize_keyboard", "one_time_keyboard", "is_persistent", "selective"] {
            boolean(map.get(flag), flag)?;
        }
        placeholder(map.get("input_field_placeholder"))?;
        return Ok(Some(markup));
    }
    for flag in ["remove_keyboard", "force_reply"] {
        if map.contains_key(flag) {
            boolean(map.get(flag), flag)?;
            placeholder(map.get("input_field_placeholder"))?;
            let on = map.get(flag) == Some(&Value::Bool(true));
            return Ok(on.then_some(markup));
        }
    }
    Ok(None)
}

/// Refuses what only private chats can have.
pub(crate) fn check_for_group(markup: &Value) -> ApiResult<()> {
    let buttons = |field: &str| markup.get(field).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_array).flatten();
    if buttons("inline_keyboard").any(|button| button.get("web_app").is_some()) {
        return Err(ApiError::bad("BUTTON_TYPE_INVALID"));
    }
    for (field, what) in [("request_contact", "phone number"), ("request_location", "location")] {
        if buttons("keyboard").any(|button| button.get(field) == Some(&Value::Bool(true))) {
            return Err(ApiError::bad(format!("{what} can be requested in private chats only")));
        }
    }
    Ok(())
}

fn rows<'a>(keyboard: &'a Value, field: &str, kind: &str) -> ApiResult<Vec<&'a Vec<Value>>> {
    let of = if kind.is_empty() { String::new() } else { format!(" of the {kind}") };
    let shape = || ApiError::bad(format!("field \"{field}\"{of} must be an Array of Arrays"));
    keyboard
        .as_array()
        .ok_or_else(|| ApiError::bad(format!("field \"{field}\" must be of type Array")))?
        .iter()
        .map(|row| row.as_array().ok_or_else(shape))
        .collect()
}

fn boolean(value: Option<&Value>, field: &str) -> ApiResult<()> {
    match value {
        None | Some(Value::Bool(_)) => Ok(()),
        Some(_) => Err(ApiError::bad(format!("field \"{field}\" must be of type Boolean"))),
    }
}

fn placeholder(value: Option<&Value>) -> ApiResult<()> {
    match value.and_then(Value::as_str) {
        Some(text) if text.chars().count() > 64 => Err(ApiError::bad("input field placeholder is too long")),
        _ => Ok(()),
    }
}

fn inline_button(button: &Value) -> ApiResult<()> {
    let fail = |why: &str| ApiError::bad(format!("can't parse inline keyboard button: {why}"));
    let Value::Object(map) = button else {
        return Err(fail("InlineKeyboardButton must be an Object"));
    };
    match map.get("text") {
        Some(Value::String(text)) if !text.is_empty() => {}
        Some(Value::String(_)) => return Err(fail("Field \"text\" must be non-empty")),
        Some(_) => return Err(fail("Field \"text\" must be of type String")),
        None => return Err(fail("Can't find field \"text\"")),
    }
    style(map.get("style"))?;
    let has = |action: &str| match map.get(action) {
        None | Some(Value::Null) => false,
        // An empty query is an action: it opens the inline mode with nothing typed.
        Some(Value::String(text)) => !text.is_empty() || action.starts_with("switch"),
        Some(_) => true,
    };
    if map.get("callback_data").is_some_and(|data| !data.is_string()) {
        return Err(fail("Field \"callback_data\" must be of type String"));
    }
    let actions = ACTIONS.iter().filter(|action| has(action)).count();
    // Only an invoice has a pay button, and it has it by itself.
    let pay = map.get("pay") == Some(&Value::Bool(true));
    match actions + usize::from(pay) {
        0 => return Err(fail("Text buttons are unallowed in the inline keyboard")),
        1 if !pay => {}
        _ => return Err(ApiError::bad("BUTTON_TYPE_INVALID")),
    }
    let text = |name: &str| map.get(name).and_then(Value::as_str);
    if text("callback_data").is_some_and(|data| data.len() > DATA_BYTES) {
        return Err(ApiError::bad("BUTTON_DATA_INVALID"));
    }
    if let Some(url) = text("url")
        && let Err(why) = links::check(url)
    {
        return Err(ApiError::bad(format!("inline keyboard button URL '{url}' is invalid: {why}")));
    }
    if let Some(app) = map.get("web_app") {
        web_app(app, "inline keyboard button Web App")?;
    }
    if let Some(copy) = map.get("copy_text") {
        let units = copy.get("text").and_then(Value::as_str).map(crate::text::units);
        if !units.is_some_and(|units| (1..=256).contains(&units)) {
            return Err(ApiError::bad("BUTTON_COPY_TEXT_INVALID"));
        }
    }
    Ok(())
}

fn reply_button(button: &Value) -> ApiResult<()> {
    let fail = |why: &str| ApiError::bad(format!("can't parse keyboard button: {why}"));
    let text = match button {
        Value::String(text) => Some(text.as_str()),
        Value::Object(map) => {
            style(map.get("style"))?;
            if let Some(app) = map.get("web_app") {
                web_app(app, "keyboard button Web App")?;
            }
            map.get("text").and_then(Value::as_str)
        }
        _ => return Err(fail("KeyboardButton must be an Object")),
    };
    match text {
        None => Err(fail("Can't find field \"text\"")),
        Some("") => Err(fail("Field \"text\" must be non-empty")),
        Some(_) => Ok(()),
    }
}

fn style(value: Option<&Value>) -> ApiResult<()> {
    match value {
        None => Ok(()),
        Some(Value::String(style)) if ["danger", "success", "primary", ""].contains(&style.as_str()) => Ok(()),
        Some(_) => Err(ApiError::bad("invalid button style specified")),
    }
}

/// Checks a `WebAppInfo`.
pub(crate) fn web_app(app: &Value, what: &str) -> ApiResult<()> {
    let url = app.get("url").and_then(Value::as_str).unwrap_or_default();
    links::check_web_app(url).map_err(|why| ApiError::bad(format!("{what} URL '{url}' is invalid: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refusal(button: Value) -> String {
        check(json!({ "inline_keyboard": [[button]] })).unwrap_err().description
    }

    #[test]
    fn inline_buttons_are_checked() {
        assert_eq!(refusal(json!({ "text": "a", "callback_data": "я".repeat(33) })), "Bad Request: BUTTON_DATA_INVALID");
        assert_eq!(
            refusal(json!({ "text": "a", "callback_data": "" })),
            "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
        );
        assert_eq!(
            refusal(json!({ "text": "a", "url": "not-a-url" })),
            "Bad Request: inline keyboard button URL 'not-a-url' is invalid: Wrong HTTP URL"
        );
        assert_eq!(
            refusal(json!({ "text": "a", "web_app": { "url": "http://a.kz" } })),
            "Bad Request: inline keyboard button Web App URL 'http://a.kz' is invalid: Only HTTPS links are allowed"
        );
        assert_eq!(refusal(json!({ "callback_data": "x" })), "Bad Request: can't parse inline keyboard button: Can't find field \"text\"");
        let fine = json!({ "text": "a", "callback_data": "я".repeat(32), "style": "danger" });
        assert!(check(json!({ "inline_keyboard": [[fine]] })).unwrap().is_some());
    }

    #[test]
    fn shapes_are_checked() {
        for keyboard in [json!(null), json!("x"), json!({})] {
            assert_eq!(
                check(json!({ "inline_keyboard": keyboard })).unwrap_err().description,
                "Bad Request: field \"inline_keyboard\" must be of type Array"
            );
        }
        for keyboard in [json!([{}]), json!(["x"])] {
            assert_eq!(
                check(json!({ "inline_keyboard": keyboard })).unwrap_err().description,
                "Bad Request: field \"inline_keyboard\" of the InlineKeyboardMarkup must be an Array of Arrays"
            );
        }
        let many = vec![vec![json!({ "text": "a", "callback_data": "x" }); 10]; 11];
        assert_eq!(check(json!({ "inline_keyboard": many })).unwrap_err().description, "Bad Request: reply markup is too long");
        assert_eq!(check(json!({ "inline_keyboard": [[]] })).unwrap(), None);
        assert!(check(json!({ "keyboard": [["a", { "text": "b" }]] })).unwrap().is_some());
        assert_eq!(
            check(json!({ "force_reply": "yes" })).unwrap_err().description,
            "Bad Request: field \"force_reply\" must be of type Boolean"
        );
    }
}
