//! What the server answers at which address.

mod bot;
mod fidelity;
mod lanes;
mod pages;
mod webhook;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{any, get};

use crate::world::World;

pub(crate) use webhook::spawn as spawn_webhooks;

/// All routes. The names of bots are parameters, so that this can be merged into another server.
pub(crate) fn router(world: Arc<World>) -> Router {
    Router::new()
        .route("/", get(pages::index))
        .route("/web/{*path}", get(pages::file))
        .route("/fidelity", get(fidelity::page))
        .route("/{bot}/{method}", any(bot::call))
        .route("/{bot}/test/{method}", any(bot::call))
        .route("/file/{bot}/{*path}", get(bot::download))
        .route("/file/{bot}/test/{*path}", get(bot::download))
        .merge(crate::sim::router())
        .layer(DefaultBodyLimit::disable())
        .with_state(world)
}
