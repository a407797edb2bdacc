//! Questions about the bot, a chat or a person.

use serde_json::{Value, json};

use super::Call;
use crate::error::{ApiError, ApiResult};
use crate::world::chat::quoted;
use crate::world::groups::Status;
use crate::world::lock;
use crate::world::peer::Peer;

pub(crate) fn me(call: &Call<'_>) -> ApiResult {
    let mut me = call.bot.user();
    if let Some(map) = me.as_object_mut() {
        for (ability, on) in [
            ("can_join_groups", true),
            ("can_read_all_group_messages", !lock(&call.bot.profile).privacy()),
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
    let mut chat = target.peer.view();
    if let Some(map) = chat.as_object_mut() {
        match &target.peer {
            Peer::Person(person) => {
                if let Some(username) = &person.username {
                    map.insert("active_usernames".into(), json!([username]));
                }
            }
            Peer::Group(_) => {
                map.insert("permissions".into(), permissions());
            }
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
    let user = call.world.user(id).ok_or_else(|| ApiError::bad("user not found"))?;
    let status = match &target.peer {
        Peer::Group(group) => lock(&group.info).status(id).unwrap_or(Status::Left),
        Peer::Person(_) if id == call.bot.seed.id && lock(&target.chat.state).meta.blocked => Status::Kicked,
        Peer::Person(person) if id == call.bot.seed.id || id == person.id => Status::Member,
        Peer::Person(_) => return Err(ApiError::bad("user not found")),
    };
    Ok(status.member(user))
}

/// `getChatAdministrators`. Other bots are left out, as documented.
pub(crate) fn administrators(call: &Call<'_>) -> ApiResult {
    let target = call.target()?;
    let Some(group) = target.peer.group() else {
        return Err(ApiError::bad("there are no administrators in the private chat"));
    };
    let info = lock(&group.info);
    let admins = info.members.iter().filter(|(_, status)| status.is_admin());
    let known = admins.filter_map(|(id, status)| Some(status.member(call.world.user(*id)?)));
    let other_bot = |member: &Value| member.pointer("/user/is_bot") == Some(&Value::Bool(true));
    let own = |member: &Value| member.pointer("/user/id").and_then(Value::as_i64) == Some(call.bot.seed.id);
    Ok(Value::Array(known.filter(|member| own(member) || !other_bot(member)).collect()))
}

/// `getChatMemberCount`.
pub(crate) fn member_count(call: &Call<'_>) -> ApiResult {
    let target = call.target()?;
    Ok(target.peer.group().map_or(2, |group| lock(&group.info).present().count()).into())
}

/// What everybody may do in a group.
fn permissions() -> Value {
    let allowed = [
        "can_send_messages",
        "can_send_audios",
        "can_send_documents",
        "can_send_photos",
        "can_send_videos",
        "can_send_video_notes",
        "can_send_voice_notes",
        "can_send_polls",
        "can_send_other_messages",
        "can_add_web_page_previews",
        "can_invite_users",
    ];
    let barred = ["can_change_info", "can_pin_messages", "can_manage_topics"];
    let rights = allowed.into_iter().map(|right| (right, true)).chain(barred.into_iter().map(|right| (right, false)));
    Value::Object(rights.map(|(right, may)| (right.to_owned(), may.into())).collect())
}

pub(crate) fn profile_photos(call: &Call<'_>) -> ApiResult {
    let id = call.args.int("user_id").unwrap_or(0);
    let known = call.world.people.get(id).is_some() || id == call.bot.seed.id;
    if !known {
        return Err(ApiError::bad("user not found"));
    }
    Ok(json!({ "total_count": 0, "photos": Value::Array(Vec::new()) }))
}
