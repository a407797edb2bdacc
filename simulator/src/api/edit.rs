//! Edits of a bot's own messages.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::call::Target;
use super::{Call, media, send};
use crate::error::{ApiError, ApiResult};
use crate::keyboard;
use crate::world::chat::bot_view;
use crate::world::lock;
use crate::world::post::Content;

/// Fields that say how a message's text or caption is made.
const TEXT: [&str; 3] = ["text", "entities", "link_preview_options"];
const CAPTION: [&str; 3] = ["caption", "caption_entities", "show_caption_above_media"];
/// Fields of a message that carry a file.
pub(crate) const FILES: [&str; 5] = ["photo", "document", "video", "animation", "audio"];

/// `editMessageText`.
pub(crate) fn text(call: &Call<'_>) -> ApiResult {
    let mut content = Content::new();
    if call.args.json("rich_message").is_some() {
        super::rich::put_rich(call, &mut content)?;
    } else {
        send::put_text(call, &mut content)
            .map_err(|error| if error.description.ends_with("message is too long") { ApiError::bad("MESSAGE_TOO_LONG") } else { error })?;
    }
    edit(call, |body| {
        if !body.contains_key("text") {
            return Err(ApiError::bad("there is no text in the message to edit"));
        }
        replace(body, &TEXT, content);
        Ok(())
    })
}

/// `editMessageCaption`.
pub(crate) fn caption(call: &Call<'_>) -> ApiResult {
    let mut content = Content::new();
    media::put_caption(call, &mut content)?;
    if call.args.flag("show_caption_above_media") {
        content.insert("show_caption_above_media".into(), true.into());
    }
    edit(call, |body| {
        let has_file = FILES.iter().any(|field| body.contains_key(*field));
        if !has_file && !body.contains_key("voice") {
            return Err(ApiError::bad("there is no caption in the message to edit"));
        }
        replace(body, &CAPTION, content);
        Ok(())
    })
}

/// `editMessageReplyMarkup`.
pub(crate) fn markup(call: &Call<'_>) -> ApiResult {
    edit(call, |_| Ok(()))
}

/// Replaces the named fields of a message by those of `content`.
pub(crate) fn replace(body: &mut Map<String, Value>, fields: &[&str], content: Content) {
    for field in fields {
        body.remove(*field);
    }
    body.extend(content);
}

/// The chat of an edit; an inline message cannot be found here.
pub(crate) fn target(call: &Call<'_>) -> ApiResult<(Target, i64)> {
    if call.args.text("inline_message_id").is_some() {
        return Err(ApiError::bad("MESSAGE_ID_INVALID"));
    }
    let id = call.args.int("message_id").unwrap_or(0);
    if call.args.text("chat_id").is_none() && id == 0 {
        return Err(ApiError::bad("message identifier is not specified"));
    }
    Ok((call.target()?, id))
}

/// Applies a change and the new inline keyboard, unless nothing changes.
pub(crate) fn edit(call: &Call<'_>, change: impl FnOnce(&mut Map<String, Value>) -> ApiResult<()>) -> ApiResult {
    let markup = keyboard::inline_from_args(call.args)?;
    let (target, id) = target(call)?;
    if lock(&target.chat.state).meta.blocked {
        return Err(ApiError::forbidden("bot was blocked by the user"));
    }
    call.pace_edit(&target.chat)?;
    let mut state = lock(&target.chat.state);
    let Some(message) = state.get(id) else {
        return Err(ApiError::bad("message to edit not found"));
    };
    let mut message = message.clone();
    let Value::Object(before) = message.body.as_ref() else {
        return Err(ApiError::bad("message can't be edited"));
    };
    // A message with a reply keyboard stays as it is, as do service messages and forwards.
    let reply_keyboard = before.get("reply_markup").is_some_and(|markup| markup.get("inline_keyboard").is_none());
    let own = before.get("from").and_then(|from| from.get("id")).and_then(Value::as_i64) == Some(call.bot.seed.id);
    if !message.by_bot || !own || reply_keyboard || before.contains_key("forward_origin") {
        return Err(ApiError::bad("message can't be edited"));
    }
    let mut after = before.clone();
    change(&mut after)?;
    match markup {
        Some(markup) => after.insert("reply_markup".into(), markup),
        None => after.remove("reply_markup"),
    };
    if after == *before {
        return Err(ApiError::bad(
            "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
        ));
    }
    after.insert("edit_date".into(), call.world.clock.now().into());
    message.body = Arc::new(Value::Object(after));
    let view = bot_view(&message.body);
    call.world.replace(call.bot, &target.chat, &mut state, message, false);
    Ok(view)
}
