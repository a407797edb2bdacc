//! For tests: the call log, faults, the clock, limits, a fresh start.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::request::{Body, Params, SimResult, bad, find_bot};
use crate::world::disorder::Plan;
use crate::world::faults::Fault;
use crate::world::journal::Record;
use crate::world::rates::Figures;
use crate::world::{World, lock};

#[derive(Deserialize)]
pub(crate) struct CallsOf {
    bot: Option<String>,
    after: Option<u64>,
    limit: Option<usize>,
}

/// `GET /sim/calls`.
pub(crate) async fn calls(State(world): State<Arc<World>>, Params(params): Params<CallsOf>) -> Json<Value> {
    let bot = params.bot.as_deref().map(|name| name.trim_start_matches('@'));
    let calls = world.calls.list(bot, params.after, params.limit.unwrap_or(100));
    Json(calls.iter().map(|call| call.view()).collect())
}

#[derive(Deserialize)]
pub(crate) struct Keep {
    keep: usize,
}

/// `POST /sim/calls`: how many calls the log keeps.
pub(crate) async fn keep_calls(State(world): State<Arc<World>>, Body(body): Body<Keep>) -> Json<Value> {
    world.calls.keep(body.keep);
    Json(json!({ "keep": body.keep }))
}

/// `GET /sim/violations`: calls that came although the bot had been told to wait.
pub(crate) async fn violations(State(world): State<Arc<World>>) -> Json<Value> {
    Json(world.refusals.view())
}

/// `POST /sim/faults`.
pub(crate) async fn add_fault(State(world): State<Arc<World>>, Body(fault): Body<Fault>) -> SimResult {
    if let Some(why) = fault.complaint() {
        return Err(bad(why));
    }
    Ok(Json(json!({ "id": world.faults.add(fault) })))
}

/// `GET /sim/faults`: all of them, and how often each hit.
pub(crate) async fn faults(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!(world.faults.view()))
}

/// `DELETE /sim/faults`.
pub(crate) async fn clear_faults(State(world): State<Arc<World>>) -> Json<Value> {
    world.faults.clear();
    Json(json!({}))
}

/// `POST /sim/updates`: updates come twice, late or overtaken from now on.
pub(crate) async fn disturb(State(world): State<Arc<World>>, Body(plan): Body<Plan>) -> SimResult {
    if let Some(why) = plan.complaint() {
        return Err(bad(why));
    }
    let only = plan.bot.as_deref().map(|name| find_bot(&world, name)).transpose()?;
    for bot in world.bots.iter().filter(|bot| only.is_none_or(|only| only.seed.id == bot.seed.id)) {
        bot.updates.disturb(&world.journal, Some(plan.clone()));
    }
    Ok(disorder(State(world)).await)
}

/// `GET /sim/updates`: what the disorder of each bot's updates has done.
pub(crate) async fn disorder(State(world): State<Arc<World>>) -> Json<Value> {
    let views = world.bots.iter().filter_map(|bot| Some((bot.seed.username.clone(), bot.updates.disorder()?)));
    Json(Value::Object(views.collect()))
}

/// `DELETE /sim/updates`: updates come as they should, those held back at once.
pub(crate) async fn calm(State(world): State<Arc<World>>) -> Json<Value> {
    for bot in &world.bots {
        bot.updates.disturb(&world.journal, None);
    }
    Json(json!({}))
}

#[derive(Deserialize)]
pub(crate) struct WebhookOf {
    bot: String,
}

/// `GET /sim/webhook`: when updates that were not taken are delivered again.
pub(crate) async fn webhook(State(world): State<Arc<World>>, Params(params): Params<WebhookOf>) -> SimResult {
    let bot = find_bot(&world, &params.bot)?;
    let url = lock(&bot.profile).webhook.as_ref().map(|webhook| webhook.url.clone());
    Ok(Json(json!({ "url": url, "next_attempt_ms": *lock(&bot.webhook_due), "now_ms": world.clock.now_ms() })))
}

#[derive(Deserialize)]
pub(crate) struct Clock {
    #[serde(default)]
    advance_ms: u64,
    freeze: Option<bool>,
}

/// `POST /sim/clock`: moves the clock forward, stops it or lets it run.
pub(crate) async fn clock(State(world): State<Arc<World>>, Body(clock): Body<Clock>) -> Json<Value> {
    if let Some(stand) = clock.freeze {
        world.clock.freeze(stand);
    }
    world.clock.advance(Duration::from_millis(clock.advance_ms));
    Json(json!({ "now_ms": world.clock.now_ms() }))
}

#[derive(Deserialize)]
pub(crate) struct Limits {
    enabled: bool,
    /// Figures to change; the others stay.
    #[serde(flatten)]
    figures: Map<String, Value>,
}

/// `POST /sim/limits`: switches the sending limits and sets their figures.
pub(crate) async fn set_limits(State(world): State<Arc<World>>, Body(limits): Body<Limits>) -> SimResult {
    let mut figures = json!(world.rates.figures().1);
    if let Some(map) = figures.as_object_mut() {
        map.extend(limits.figures);
    }
    let figures: Figures = serde_json::from_value(figures).map_err(|error| bad(error.to_string()))?;
    if let Some(why) = figures.complaint() {
        return Err(bad(why));
    }
    world.rates.set(limits.enabled, Some(figures));
    Ok(self::limits(State(world)).await)
}

/// `GET /sim/limits`.
pub(crate) async fn limits(State(world): State<Arc<World>>) -> Json<Value> {
    let (enabled, figures) = world.rates.figures();
    let mut view = json!(figures);
    if let Some(map) = view.as_object_mut() {
        map.insert("enabled".into(), enabled.into());
    }
    Json(view)
}

/// `POST /sim/reset`.
pub(crate) async fn reset(State(world): State<Arc<World>>) -> Json<Value> {
    world.forget();
    world.journal.write(|| vec![Record::Reset]);
    world.events.publish(None, "reload", || json!({}));
    Json(json!({}))
}
