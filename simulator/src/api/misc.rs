//! Small methods.

use serde_json::{Value, json};

use super::Call;
use crate::error::{ApiError, ApiResult};
use crate::world::chat::{REACTIONS, message_id};
use crate::world::groups::Status;
use crate::world::lock;

/// Milliseconds for which a chat action is shown.
const ACTION_MS: i64 = 5000;
/// What a bot can seem to do.
const ACTIONS: [&str; 15] = [
    "cancel",
    "typing",
    "record_audio",
    "upload_audio",
    "pick_up_location",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
];

/// Methods that have nothing to do here.
pub(crate) fn truly(_: &Call<'_>) -> ApiResult {
    Ok(Value::Bool(true))
}

pub(crate) fn chat_action(call: &Call<'_>) -> ApiResult {
    let action = call.args.text("action").unwrap_or_default().to_ascii_lowercase();
    if !ACTIONS.contains(&action.as_str()) {
        return Err(ApiError::bad("wrong parameter action in request"));
    }
    let target = call.open_target()?;
    let until = call.world.clock.now_ms() + ACTION_MS;
    lock(&target.chat.state).typing = (action != "cancel").then(|| (action.clone(), until));
    call.world.tell(call.bot, &target.chat, "typing", || json!({ "action": action }));
    Ok(Value::Bool(true))
}

/// Puts the bot's reaction on a message, or takes it away.
pub(crate) fn reaction(call: &Call<'_>) -> ApiResult {
    let target = call.open_target()?;
    let id = call.args.int("message_id").unwrap_or(0);
    let list = call.args.array("reaction").unwrap_or_default();
    if list.len() > 1 {
        return Err(ApiError::bad("REACTIONS_TOO_MANY"));
    }
    for reaction in &list {
        let fail = |why: &str| ApiError::bad(format!("can't parse ReactionType: {why}"));
        let field = |name: &str| reaction.get(name).and_then(Value::as_str);
        match (reaction.is_object(), field("type"), field("emoji")) {
            (false, ..) => return Err(fail("expected an Object")),
            (true, None, _) => return Err(fail("Can't find field \"type\"")),
            (true, Some("emoji"), None) => return Err(fail("Can't find field \"emoji\"")),
            (true, Some("emoji"), Some("")) | (true, Some("custom_emoji" | "paid"), _) => return Err(ApiError::bad("REACTION_INVALID")),
            (true, Some("emoji"), Some(_)) => {}
            (true, Some(_), _) => return Err(fail("invalid reaction type specified")),
        }
    }
    let mut state = lock(&target.chat.state);
    let Some(message) = state.get(id) else {
        return Err(ApiError::bad("message to react not found"));
    };
    let mut message = message.clone();
    let mut body = message.body.as_ref().clone();
    if let Some(map) = body.as_object_mut() {
        if list.is_empty() {
            map.remove(REACTIONS);
        } else {
            map.insert(REACTIONS.into(), Value::Array(list));
        }
    }
    debug_assert_eq!(message_id(&body), id, "a reaction keeps the message");
    message.body = body.into();
    call.world.replace(call.bot, &target.chat, &mut state, message, false);
    Ok(Value::Bool(true))
}

pub(crate) fn leave(call: &Call<'_>) -> ApiResult {
    let target = call.target()?;
    let Some(group) = target.peer.group() else {
        return Err(ApiError::bad("chat member status can't be changed in private chats"));
    };
    let bot = call.bot.seed.id;
    call.world.set_member(group, bot, bot, Status::Left);
    Ok(Value::Bool(true))
}
