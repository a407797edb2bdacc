//! What a bot says of itself: names, descriptions, the menu button.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Call;
use crate::error::{ApiError, ApiResult};
use crate::keyboard;
use crate::world::bot::{Profile, localized};
use crate::world::journal::Record;
use crate::world::lock;

/// Changes the profile and keeps the change.
pub(crate) fn change(call: &Call<'_>, change: impl FnOnce(&mut Profile)) {
    let mut profile = lock(&call.bot.profile);
    change(&mut profile);
    call.world.journal.write(|| vec![Record::Profile { bot: call.bot.seed.id, profile: Box::new(profile.clone()) }]);
}

/// The two-letter `language_code`, or "".
pub(crate) fn language(call: &Call<'_>) -> ApiResult<String> {
    let language = call.args.text("language_code").unwrap_or_default();
    let fine = language.is_empty() || (language.len() == 2 && language.chars().all(|c| c.is_ascii_lowercase()));
    if fine { Ok(language) } else { Err(ApiError::bad("invalid language code specified")) }
}

type Texts = fn(&mut Profile) -> &mut BTreeMap<String, String>;

fn set(call: &Call<'_>, field: &str, texts: Texts) -> ApiResult {
    let language = language(call)?;
    let text = call.args.text(field);
    change(call, |profile| {
        match text {
            Some(text) => texts(profile).insert(language, text),
            None => texts(profile).remove(&language),
        };
    });
    Ok(Value::Bool(true))
}

pub(crate) fn set_name(call: &Call<'_>) -> ApiResult {
    set(call, "name", |profile| &mut profile.names)
}

pub(crate) fn set_description(call: &Call<'_>) -> ApiResult {
    set(call, "description", |profile| &mut profile.descriptions)
}

pub(crate) fn set_short_description(call: &Call<'_>) -> ApiResult {
    set(call, "short_description", |profile| &mut profile.short_descriptions)
}

pub(crate) fn get_name(call: &Call<'_>) -> ApiResult {
    Ok(json!({ "name": call.bot.name(&language(call)?) }))
}

pub(crate) fn get_description(call: &Call<'_>) -> ApiResult {
    let language = language(call)?;
    let text = localized(&lock(&call.bot.profile).descriptions, &language);
    Ok(json!({ "description": text.unwrap_or_default() }))
}

pub(crate) fn get_short_description(call: &Call<'_>) -> ApiResult {
    let language = language(call)?;
    let text = localized(&lock(&call.bot.profile).short_descriptions, &language);
    Ok(json!({ "short_description": text.unwrap_or_default() }))
}

/// Sets the button for one chat, or the default one.
pub(crate) fn set_menu_button(call: &Call<'_>) -> ApiResult {
    let button = call.args.json("menu_button").unwrap_or_else(|| json!({ "type": "default" }));
    let fail = |why: &str| ApiError::bad(format!("can't parse menu button: {why}"));
    match button.get("type").and_then(Value::as_str) {
        Some("default" | "commands") => {}
        Some("web_app") => {
            let text = button.get("text").and_then(Value::as_str).unwrap_or_default();
            if text.is_empty() {
                return Err(fail("Can't find field \"text\""));
            }
            let app = button.get("web_app").ok_or_else(|| fail("Can't find field \"web_app\""))?;
            keyboard::web_app(app, "menu button Web App")?;
        }
        Some(_) => return Err(fail("MenuButton has unsupported type")),
        None => return Err(fail("Can't find field \"type\"")),
    }
    if call.args.text("chat_id").is_some() {
        let target = call.target()?;
        call.world.change_chat(call.bot, &target.chat, |state| {
            state.meta.menu_button = Some(button);
        });
    } else {
        change(call, |profile| profile.menu_button = Some(button));
    }
    call.world.events.publish(None, "commands", || json!({ "bot": call.bot.seed.username }));
    Ok(Value::Bool(true))
}

pub(crate) fn get_menu_button(call: &Call<'_>) -> ApiResult {
    let own = match call.args.text("chat_id") {
        Some(_) => lock(&call.target()?.chat.state).meta.menu_button.clone(),
        None => None,
    };
    let button = own.or_else(|| lock(&call.bot.profile).menu_button.clone());
    Ok(button.unwrap_or_else(|| json!({ "type": "commands" })))
}
