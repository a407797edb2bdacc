//! `GET /sim/events`: what happens, as Server-Sent Events.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use super::request::{Params, SimResult, find_person};
use crate::world::World;

#[derive(Deserialize)]
pub(crate) struct Whose {
    person: i64,
}

/// The stream of one page.
pub(crate) async fn events(
    State(world): State<Arc<World>>,
    Params(whose): Params<Whose>,
) -> SimResult<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    find_person(&world, whose.person)?;
    let (receiver, stop) = (world.events.subscribe(), world.stop.clone());
    let stream = futures::stream::unfold((receiver, stop), move |(mut receiver, stop)| async move {
        loop {
            let received = tokio::select! {
                () = stop.cancelled() => return None,
                received = receiver.recv() => received,
            };
            let event = match received {
                Ok(event) if event.person.is_none_or(|person| person == whose.person) => sse(event.name, &event.data),
                Ok(_) => continue,
                // The page fell behind: it has to load everything again.
                Err(RecvError::Lagged(missed)) => sse("reload", &json!({ "missed": missed })),
                Err(RecvError::Closed) => return None,
            };
            return Some((Ok(event), (receiver, stop)));
        }
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

fn sse(name: &str, data: &Value) -> Event {
    Event::default().event(name).data(data.to_string())
}
