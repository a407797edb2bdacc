//! Questions about the bot, a chat or a person.

use serde_json::{Value, json};

use super::Call;
use crate::error::{ApiError, ApiResult};
use crate::world::chat::quoted;
use crate::world::lock;

pub(crate) fn me(call: &Call<'_>) -> ApiResult {
    let mut me = call.bot.user();
    if let Some(map) = me.as_object_mut() {
        for (ability, on) in [
            ("can_join_groups", true),
            ("can_read_all_group_messages", false),
            ("supports_inline_queries", false),
            ("can_connect_to_business", false),
            ("has_main_web_app", false),
            ("has_topics_enabled", true),
            ("allows_users_to_create_topics", false),
            ("can_manage_bots", false),
        ] {
            map.insert(ability.into(), on.into());
        }
    }
    Ok(me)
}

pub(crate) fn chat(call: &Call<'_>) -> ApiResult {
    let target = call.target()?;
    let mut chat = target.person.chat();
    if let Some(map) = chat.as_object_mut() {
        if let Some(username) = &target.person.username {
            map.insert("active_usernames".into(), json!([username]));
        }
        map.insert("accent_color_id".into(), 0.into());
        map.insert("max_reaction_count".into(), 11.into());
        map.insert(
            "accepted_gift_types".into(),
            json!({
                "unlimited_gifts": false, "limited_gifts": false,
                "unique_gifts": false, "premium_subscription": false,
            }),
        );
        let state = lock(&target.chat.state);
        let pinned = state.meta.pinned.last().and_then(|id| state.get(*id));
        if let Some(message) = pinned {
            map.insert("pinned_message".into(), quoted(&message.body));
        }
    }
    Ok(chat)
}

pub(crate) fn member(call: &Call<'_>) -> ApiResult {
    let target = call.target()?;
    let id = call.args.int("user_id").unwrap_or(0);
    let (user, out) = if id == call.bot.seed.id {
        (call.bot.user(), lock(&target.chat.state).meta.blocked)
    } else if id == target.person.id {
        (target.person.user(), false)
    } else {
        return Err(ApiError::bad("user not found"));
    };
    Ok(if out { json!({ "user": user, "status": "kicked", "until_date": 0 }) } else { json!({ "user": user, "status": "member" }) })
}

pub(crate) fn profile_photos(call: &Call<'_>) -> ApiResult {
    let id = call.args.int("user_id").unwrap_or(0);
    let known = call.world.people.get(id).is_some() || id == call.bot.seed.id;
    if !known {
        return Err(ApiError::bad("user not found"));
    }
    Ok(json!({ "total_count": 0, "photos": Value::Array(Vec::new()) }))
}
