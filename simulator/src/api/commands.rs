//! The command menu, per scope and language.

use serde_json::{Value, json};

use super::{Call, profile};
use crate::error::{ApiError, ApiResult};
use crate::world::World;
use crate::world::bot::Bot;
use crate::world::lock;

/// Most commands of one menu.
const MOST: usize = 100;

pub(crate) fn set(call: &Call<'_>) -> ApiResult {
    let key = key(call)?;
    let given = call.args.array("commands").unwrap_or_default();
    let mut commands: Vec<Value> = Vec::with_capacity(given.len());
    for command in &given {
        let command = checked(command)?;
        // A command that comes again replaces the one before.
        commands.retain(|known| known.get("command") != command.get("command"));
        commands.push(command);
    }
    if commands.len() > MOST {
        return Err(ApiError::bad("BOT_COMMANDS_TOO_MUCH"));
    }
    profile::change(call, |profile| {
        if commands.is_empty() {
            profile.commands.remove(&key);
        } else {
            profile.commands.insert(key, Value::Array(commands));
        }
    });
    announce(call);
    Ok(Value::Bool(true))
}

pub(crate) fn get(call: &Call<'_>) -> ApiResult {
    let key = key(call)?;
    let profile = lock(&call.bot.profile);
    Ok(profile.commands.get(&key).cloned().unwrap_or_else(|| json!([])))
}

pub(crate) fn delete(call: &Call<'_>) -> ApiResult {
    let key = key(call)?;
    profile::change(call, |profile| {
        profile.commands.remove(&key);
    });
    announce(call);
    Ok(Value::Bool(true))
}

fn announce(call: &Call<'_>) {
    call.world.events.publish(None, "commands", || json!({ "bot": call.bot.seed.username }));
}

/// One command of allowed shape; a leading slash is dropped.
fn checked(command: &Value) -> ApiResult {
    if !command.is_object() {
        return Err(ApiError::bad("can't parse BotCommand: expected an Object"));
    }
    let field = |name: &str| {
        command
            .get(name)
            .and_then(Value::as_str)
            .ok_or_else(|| ApiError::bad(format!("can't parse BotCommand: Can't find field \"{name}\"")))
    };
    let (name, description) = (field("command")?.trim_start_matches('/'), field("description")?);
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !(1..=32).contains(&name.len()) || !name.chars().all(plain) {
        return Err(ApiError::bad("BOT_COMMAND_INVALID"));
    }
    if !(1..=256).contains(&crate::text::units(description)) {
        return Err(ApiError::bad("BOT_COMMAND_DESCRIPTION_INVALID"));
    }
    Ok(json!({ "command": name, "description": description }))
}

/// `scope|language` of a call.
fn key(call: &Call<'_>) -> ApiResult<String> {
    let fail = |why: &str| ApiError::bad(format!("can't parse BotCommandScope: {why}"));
    let language = profile::language(call)?;
    let scope = call.args.json("scope").unwrap_or_else(|| json!({ "type": "default" }));
    let kind = scope.get("type").and_then(Value::as_str).ok_or_else(|| fail("Can't find field \"type\""))?;
    let id = |name: &str| match scope.get(name) {
        Some(Value::Number(number)) => Ok(number.to_string()),
        Some(Value::String(text)) => Ok(text.clone()),
        _ => Err(fail(&format!("Can't find field \"{name}\""))),
    };
    let scope = match kind {
        "default" | "all_private_chats" | "all_group_chats" | "all_chat_administrators" => kind.to_owned(),
        "chat" | "chat_administrators" => {
            let chat = id("chat_id")?;
            let known = chat.parse().is_ok_and(|id| call.world.people.get(id).is_some() || call.world.groups.get(id).is_some());
            if !known {
                return Err(ApiError::bad("chat not found"));
            }
            format!("{kind}:{chat}")
        }
        "chat_member" => format!("{kind}:{}:{}", id("chat_id")?, id("user_id")?),
        _ => return Err(fail("Unsupported type specified")),
    };
    Ok(format!("{scope}|{language}"))
}

/// The commands that a person's client shows: the narrowest scope that has any.
pub(crate) fn for_person(world: &World, bot: &Bot, person: Option<i64>) -> Value {
    let language = person.and_then(|id| world.people.get(id)).and_then(|person| person.language_code.clone()).unwrap_or_default();
    let short = language.split('-').next().unwrap_or_default();
    let profile = lock(&bot.profile);
    let own = person.map(|id| format!("chat:{id}"));
    own.into_iter()
        .chain(["all_private_chats".to_owned(), "default".to_owned()])
        .flat_map(|scope| [format!("{scope}|{short}"), format!("{scope}|")])
        .find_map(|key| profile.commands.get(&key).cloned())
        .unwrap_or_else(|| json!([]))
}
