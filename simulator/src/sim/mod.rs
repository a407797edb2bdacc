//! `/sim`: the person's side, and what tests need around it. `docs/simulator.md` is the contract.

mod act;
mod admin;
mod events;
mod groups;
mod request;
mod send;
mod state;
mod tap;
mod transcript;
mod wait;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::world::World;

/// The routes below `/sim`.
pub(crate) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/sim/state", get(state::state))
        .route("/sim/people", post(state::add_person))
        .route("/sim/chats", get(state::chats))
        .route("/sim/messages", get(state::messages))
        .route("/sim/file", get(state::file))
        .route("/sim/send", post(send::send))
        .route("/sim/tap", post(tap::tap))
        .route("/sim/press", post(tap::press))
        .route("/sim/edit", post(act::edit))
        .route("/sim/open", post(act::open))
        .route("/sim/block", post(act::block))
        .route("/sim/unblock", post(act::unblock))
        .route("/sim/groups", post(groups::found).get(groups::groups))
        .route("/sim/groups/member", post(groups::change))
        .route("/sim/groups/upgrade", post(groups::upgrade))
        .route("/sim/privacy", post(groups::privacy))
        .route("/sim/events", get(events::events))
        .route("/sim/calls", get(admin::calls).post(admin::keep_calls))
        .route("/sim/violations", get(admin::violations))
        .route("/sim/transcript", get(transcript::transcript))
        .route("/sim/wait", get(wait::wait))
        .route("/sim/answers", get(wait::answers))
        .route("/sim/quiet", post(wait::quiet))
        .route("/sim/faults", post(admin::add_fault).get(admin::faults).delete(admin::clear_faults))
        .route("/sim/updates", post(admin::disturb).get(admin::disorder).delete(admin::calm))
        .route("/sim/webhook", get(admin::webhook))
        .route("/sim/clock", post(admin::clock))
        .route("/sim/limits", post(admin::set_limits).get(admin::limits))
        .route("/sim/reset", post(admin::reset))
}
