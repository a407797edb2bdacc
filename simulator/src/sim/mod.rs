//! `/sim`: the person's side, and what tests need around it. `docs/simulator.md` is the contract.

mod act;
mod admin;
mod events;
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
        .route("/sim/events", get(events::events))
        .route("/sim/calls", get(admin::calls))
        .route("/sim/transcript", get(transcript::transcript))
        .route("/sim/wait", get(wait::wait))
        .route("/sim/answers", get(wait::answers))
        .route("/sim/quiet", post(wait::quiet))
        .route("/sim/faults", post(admin::add_fault).get(admin::faults).delete(admin::clear_faults))
        .route("/sim/clock", post(admin::clock))
        .route("/sim/limits", post(admin::limits))
        .route("/sim/reset", post(admin::reset))
}
