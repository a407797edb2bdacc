//! For tests: the call log, faults, the clock, limits, a fresh start.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::request::{Body, Params, SimResult, bad};
use crate::world::World;
use crate::world::faults::Fault;
use crate::world::journal::Record;

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

/// `POST /sim/faults`.
pub(crate) async fn add_fault(State(world): State<Arc<World>>, Body(fault): Body<Fault>) -> SimResult {
    if fault.times == 0 {
        return Err(bad("times must be at least 1"));
    }
    Ok(Json(json!({ "id": world.faults.add(fault) })))
}

/// `GET /sim/faults`: those that are still to happen.
pub(crate) async fn faults(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!(world.faults.all()))
}

/// `DELETE /sim/faults`.
pub(crate) async fn clear_faults(State(world): State<Arc<World>>) -> Json<Value> {
    world.faults.clear();
    Json(json!({}))
}

#[derive(Deserialize)]
pub(crate) struct Clock {
    #[serde(default)]
    advance_ms: u64,
}

/// `POST /sim/clock`: moves the clock forward.
pub(crate) async fn clock(State(world): State<Arc<World>>, Body(clock): Body<Clock>) -> Json<Value> {
    world.clock.advance(Duration::from_millis(clock.advance_ms));
    Json(json!({ "now_ms": world.clock.now_ms() }))
}

#[derive(Deserialize)]
pub(crate) struct Limits {
    enabled: bool,
}

/// `POST /sim/limits`: switches the sending limits.
pub(crate) async fn limits(State(world): State<Arc<World>>, Body(limits): Body<Limits>) -> Json<Value> {
    world.rates.set(limits.enabled);
    Json(json!({ "enabled": limits.enabled }))
}

/// `POST /sim/reset`.
pub(crate) async fn reset(State(world): State<Arc<World>>) -> Json<Value> {
    world.forget();
    world.journal.write(|| vec![Record::Reset]);
    world.events.publish(None, "reload", || json!({}));
    Json(json!({}))
}
