//! Pinned messages.

use serde_json::Value;

use super::Call;
use super::call::Target;
use crate::error::{ApiError, ApiResult};
use crate::world::chat::quoted;
use crate::world::lock;
use crate::world::post::Content;

pub(crate) fn pin(call: &Call<'_>) -> ApiResult {
    let target = call.open_target()?;
    may_pin(call, &target)?;
    let id = call.args.int("message_id").unwrap_or(0);
    let message = lock(&target.chat.state).get(id).cloned();
    let message = message.ok_or_else(|| ApiError::bad("message to pin not found"))?;
    call.world.change_chat(call.bot, &target.chat, |state| {
        state.meta.pinned.retain(|pinned| *pinned != id);
        state.meta.pinned.push(id);
    });
    let mut notice = Content::new();
    notice.insert("pinned_message".into(), quoted(&message.body));
    call.world.post_by_bot(call.bot, &target.peer, &target.chat, vec![notice]);
    Ok(Value::Bool(true))
}

pub(crate) fn unpin(call: &Call<'_>) -> ApiResult {
    let target = call.target()?;
    may_pin(call, &target)?;
    let pinned = lock(&target.chat.state).meta.pinned.clone();
    let id = call.args.int("message_id").or(pinned.last().copied());
    let Some(id) = id.filter(|id| pinned.contains(id)) else {
        return Err(ApiError::bad("message to unpin not found"));
    };
    call.world.change_chat(call.bot, &target.chat, |state| {
        state.meta.pinned.retain(|pinned| *pinned != id);
    });
    Ok(Value::Bool(true))
}

pub(crate) fn unpin_all(call: &Call<'_>) -> ApiResult {
    let target = call.target()?;
    may_pin(call, &target)?;
    call.world.change_chat(call.bot, &target.chat, |state| state.meta.pinned.clear());
    Ok(Value::Bool(true))
}

fn may_pin(call: &Call<'_>, target: &Target) -> ApiResult<()> {
    let may = target.is_ruled_by(call.bot);
    if may { Ok(()) } else { Err(ApiError::bad("not enough rights to manage pinned messages in the chat")) }
}
