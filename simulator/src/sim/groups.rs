//! Groups: who makes them, who is in them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::request::{Body, Params, SimResult, bad, find_bot, find_group, find_person};
use crate::world::groups::{Group, GroupKind, Status};
use crate::world::journal::Record;
use crate::world::{World, lock};

/// A group as `/sim` shows it.
fn view(world: &World, group: &Group) -> Value {
    let info = lock(&group.info);
    let bot_name = |id: i64| world.bots.iter().find(|bot| bot.seed.id == id).map(|bot| bot.seed.username.clone());
    let members: Vec<Value> = info.members.iter().map(|(id, status)| json!({ "id": id, "bot": bot_name(*id), "status": status })).collect();
    json!({
        "chat_id": info.id, "title": info.title, "kind": info.kind, "members": members,
        "migrated_to": info.migrated_to, "migrated_from": info.migrated_from,
    })
}

#[derive(Deserialize)]
pub(crate) struct OfPerson {
    person: Option<i64>,
}

/// `GET /sim/groups`: all of them, or those that a person is in.
pub(crate) async fn groups(State(world): State<Arc<World>>, Params(of): Params<OfPerson>) -> Json<Value> {
    let wanted = |group: &Arc<Group>| of.person.is_none_or(|person| lock(&group.info).has(person));
    Json(world.groups.all().iter().filter(|group| wanted(group)).map(|group| view(&world, group)).collect())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewGroup {
    title: String,
    #[serde(default)]
    kind: GroupKind,
    /// Who makes it.
    by: i64,
    #[serde(default)]
    people: Vec<i64>,
    #[serde(default)]
    bots: Vec<String>,
}

/// `POST /sim/groups`: a person makes a group and adds people and bots to it, who are not asked.
pub(crate) async fn found(State(world): State<Arc<World>>, Body(new): Body<NewGroup>) -> SimResult {
    if new.title.trim().is_empty() || new.title.chars().count() > 128 {
        return Err(bad("a title has 1-128 characters"));
    }
    for id in new.people.iter().chain([&new.by]) {
        find_person(&world, *id)?;
    }
    let bots = new.bots.iter().map(|name| Ok(find_bot(&world, name)?.seed.id)).collect::<SimResult<Vec<_>>>()?;
    let group = world.found(new.title, new.kind, new.by, &new.people);
    for bot in bots {
        world.set_member(&group, new.by, bot, Status::Member);
    }
    world.events.publish(None, "reload", || json!({}));
    Ok(Json(view(&world, &group)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    chat_id: i64,
    /// Who does it; absent: the person themselves.
    by: Option<i64>,
    person: Option<i64>,
    bot: Option<String>,
    status: Status,
}

/// `POST /sim/groups/member`: somebody is added, made an administrator, leaves or is removed.
pub(crate) async fn change(State(world): State<Arc<World>>, Body(change): Body<Change>) -> SimResult {
    let group = find_group(&world, change.chat_id)?;
    let who = match (change.person, &change.bot) {
        (Some(person), None) => find_person(&world, person)?.id,
        (None, Some(bot)) => find_bot(&world, bot)?.seed.id,
        _ => return Err(bad("a person or a bot is needed")),
    };
    let by = change.by.or(change.person).ok_or_else(|| bad("who does it to the bot?"))?;
    find_person(&world, by)?;
    let info = lock(&group.info).clone();
    if info.migrated_to.is_some() {
        return Err(bad("the group is a supergroup now"));
    }
    if change.status == Status::Creator || info.status(who) == Some(Status::Creator) {
        return Err(bad("a group keeps its creator"));
    }
    if !info.has(by) && by != who {
        return Err(bad(format!("{by} is not in the group")));
    }
    world.set_member(&group, by, who, change.status);
    world.events.publish(None, "reload", || json!({}));
    Ok(Json(view(&world, &group)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Upgrade {
    chat_id: i64,
    by: i64,
}

/// `POST /sim/groups/upgrade`: a group becomes a supergroup; returns the new one.
pub(crate) async fn upgrade(State(world): State<Arc<World>>, Body(upgrade): Body<Upgrade>) -> SimResult {
    let group = find_group(&world, upgrade.chat_id)?;
    let info = lock(&group.info).clone();
    if info.kind == GroupKind::Supergroup || info.migrated_to.is_some() {
        return Err(bad("the group is a supergroup already"));
    }
    if !info.has(upgrade.by) {
        return Err(bad(format!("{} is not in the group", upgrade.by)));
    }
    let new = world.upgrade(&group, upgrade.by);
    world.events.publish(None, "reload", || json!({}));
    Ok(Json(view(&world, &new)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Privacy {
    bot: String,
    enabled: bool,
}

/// `POST /sim/privacy`: BotFather's `/setprivacy`. Unlike Telegram's it counts at once in groups that the bot is in already.
pub(crate) async fn privacy(State(world): State<Arc<World>>, Body(privacy): Body<Privacy>) -> SimResult {
    let bot = find_bot(&world, &privacy.bot)?;
    let mut profile = lock(&bot.profile);
    profile.privacy_off = !privacy.enabled;
    world.journal.write(|| vec![Record::Profile { bot: bot.seed.id, profile: Box::new(profile.clone()) }]);
    Ok(Json(json!({ "bot": bot.seed.username, "enabled": privacy.enabled })))
}
