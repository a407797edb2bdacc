//! Messages without files.

use serde_json::{Value, json};

use super::Call;
use crate::error::{ApiError, ApiResult};
use crate::text::{self, Formatted};
use crate::world::chat::bot_view;
use crate::world::post::Content;

/// `sendMessage`.
pub(crate) fn message(call: &Call<'_>) -> ApiResult {
    let mut content = Content::new();
    put_text(call, &mut content)?;
    finish(call, content)
}

/// Reads the text of a message.
pub(crate) fn put_text(call: &Call<'_>, content: &mut Content) -> ApiResult<Formatted> {
    let text = call.text("text", "entities")?;
    if text.text.is_empty() {
        let blank = call.args.text("text").is_some();
        return Err(ApiError::bad(if blank { "text must be non-empty" } else { "message text is empty" }));
    }
    if text::units(&text.text) > text::TEXT_UNITS {
        return Err(ApiError::bad("message is too long"));
    }
    text::put(content, "text", "entities", &text);
    if let Some(options) = call.args.json("link_preview_options") {
        let fields = options.as_object().ok_or_else(|| ApiError::bad("object expected as link preview options"))?;
        for (field, value) in fields {
            if field == "url" {
                let url = value.as_str().unwrap_or_default();
                crate::links::check(url).map_err(|_| ApiError::bad("WEBPAGE_URL_INVALID"))?;
            } else if !value.is_boolean() {
                return Err(ApiError::bad(format!("field \"{field}\" must be of type Boolean")));
            }
        }
        content.insert("link_preview_options".into(), options);
    }
    Ok(text)
}

/// Sends what a method built to `chat_id`.
pub(crate) fn finish(call: &Call<'_>, mut content: Content) -> ApiResult {
    let target = call.open_target()?;
    call.dress(&target.chat, &mut content)?;
    call.pace(&target.chat, 1)?;
    let sent = call.world.post_by_bot(call.bot, &target.peer, &target.chat, vec![content]);
    Ok(sent.first().map(|body| bot_view(body)).unwrap_or_default())
}

/// `sendLocation`.
pub(crate) fn location(call: &Call<'_>) -> ApiResult {
    let location = location_of(call.args.float("latitude"), call.args.float("longitude"))?;
    let mut content = Content::new();
    content.insert("location".into(), location);
    if let Some(period) = call.args.int("live_period")
        && !(60..=86_400).contains(&period)
        && period != 0x7FFF_FFFF
    {
        return Err(ApiError::bad("wrong live location period specified"));
    }
    finish(call, content)
}

/// A `Location` of possible coordinates.
pub(crate) fn location_of(latitude: Option<f64>, longitude: Option<f64>) -> ApiResult {
    match (latitude, longitude) {
        (Some(latitude), Some(longitude)) if (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude) => {
            Ok(json!({ "latitude": latitude, "longitude": longitude }))
        }
        _ => Err(ApiError::bad("wrong location specified")),
    }
}

/// `sendContact`.
pub(crate) fn contact(call: &Call<'_>) -> ApiResult {
    let mut contact = Content::new();
    for field in ["phone_number", "first_name", "last_name", "vcard"] {
        if let Some(value) = call.args.text(field) {
            contact.insert(field.into(), value.into());
        }
    }
    let mut content = Content::new();
    content.insert("contact".into(), Value::Object(contact));
    finish(call, content)
}
