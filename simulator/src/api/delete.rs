//! Deleting messages.

use serde_json::Value;

use super::Call;
use super::call::Target;
use crate::error::{ApiError, ApiResult};
use crate::world::chat::ChatState;
use crate::world::lock;

/// Messages older than this stay.
const OLDEST: i64 = 48 * 3600;

pub(crate) fn one(call: &Call<'_>) -> ApiResult {
    let target = call.target()?;
    let id = call.args.int("message_id").unwrap_or(0);
    let deletable = deletable(&lock(&target.chat.state), call, &target, id);
    match deletable {
        None => Err(ApiError::bad("message to delete not found")),
        Some(false) if target.peer.group().is_some() => Err(ApiError::bad("message can't be deleted")),
        Some(false) => Err(ApiError::bad("message can't be deleted for everyone")),
        Some(true) => {
            call.world.remove(call.bot, &target.chat, &[id]);
            Ok(Value::Bool(true))
        }
    }
}

/// Skips what is gone or too old, as Telegram does.
pub(crate) fn many(call: &Call<'_>) -> ApiResult {
    let target = call.target()?;
    let ids: Vec<i64> = call.args.array("message_ids").unwrap_or_default().iter().filter_map(Value::as_i64).collect();
    let found: Vec<i64> = {
        let state = lock(&target.chat.state);
        ids.into_iter().filter(|id| deletable(&state, call, &target, *id) == Some(true)).collect()
    };
    if !found.is_empty() {
        call.world.remove(call.bot, &target.chat, &found);
    }
    Ok(Value::Bool(true))
}

/// Whether the bot may delete a message, if it exists. Of a supergroup's messages only its administrators may delete those of others.
fn deletable(state: &ChatState, call: &Call<'_>, target: &Target, id: i64) -> Option<bool> {
    let message = state.get(id)?;
    let date = message.body.get("date").and_then(Value::as_i64)?;
    let own = message.body.pointer("/from/id").and_then(Value::as_i64) == Some(call.bot.seed.id);
    let private = target.peer.person().is_some();
    Some((own || private || target.is_ruled_by(call.bot)) && call.world.clock.now() - date < OLDEST)
}
