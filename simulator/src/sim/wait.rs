//! Waiting: for a message, for the callback answers, for quiet.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout_at};

use super::request::{Body, Params, Parties, SimResult, timed_out};
use crate::world::chat::{ChatState, text_of};
use crate::world::{World, lock};

/// How long `/sim/wait` waits when it is not told.
const WAIT_MS: u64 = 10_000;
/// How often `/sim/quiet` looks.
const LOOK: Duration = Duration::from_millis(10);

#[derive(Deserialize)]
pub(crate) struct Wait {
    person: i64,
    bot: String,
    chat_id: Option<i64>,
    #[serde(default)]
    after: i64,
    contains: Option<String>,
    #[serde(default)]
    edited: bool,
    timeout_ms: Option<u64>,
}

/// `GET /sim/wait`.
pub(crate) async fn wait(State(world): State<Arc<World>>, Params(wanted): Params<Wait>) -> SimResult {
    let parties = Parties::find(&world, wanted.person, &wanted.bot, wanted.chat_id)?;
    let chat = parties.chat;
    let deadline = Instant::now() + Duration::from_millis(wanted.timeout_ms.unwrap_or(WAIT_MS));
    loop {
        // Armed before the look, or a message between the two is missed.
        let changed = chat.changed.notified();
        tokio::pin!(changed);
        changed.as_mut().enable();
        if let Some(found) = find(&lock(&chat.state), &wanted) {
            return Ok(Json(json!(found)));
        }
        let stopped = tokio::select! {
            () = world.stop.cancelled() => true,
            woken = timeout_at(deadline, changed) => woken.is_err(),
        };
        if stopped {
            return Err(timed_out("no such message came"));
        }
    }
}

/// The first fitting message after `after`, else the newest fitting edit made since `after` was
/// the newest message.
fn find(state: &ChatState, wanted: &Wait) -> Option<Arc<Value>> {
    let fits = |body: &Value| match &wanted.contains {
        Some(part) => text_of(body).is_some_and(|text| text.contains(part.as_str())),
        None => true,
    };
    let new = state
        .messages
        .range(wanted.after.saturating_add(1)..)
        .map(|(_, message)| message)
        .find(|message| message.by_bot && fits(&message.body));
    let edited = || {
        state
            .messages
            .values()
            .rev()
            .find(|message| message.by_bot && message.edited_at_id > 0 && message.edited_at_id >= wanted.after && fits(&message.body))
    };
    new.or_else(|| wanted.edited.then(edited).flatten()).map(|message| Arc::clone(&message.body))
}

#[derive(Deserialize)]
pub(crate) struct AnswersOf {
    person: i64,
    #[serde(default)]
    after: u64,
}

/// `GET /sim/answers`.
pub(crate) async fn answers(State(world): State<Arc<World>>, Params(params): Params<AnswersOf>) -> Json<Value> {
    Json(Value::Array(world.answers.list(params.person, params.after)))
}

#[derive(Deserialize)]
pub(crate) struct Quiet {
    settle_ms: Option<u64>,
    timeout_ms: Option<u64>,
}

/// `POST /sim/quiet`.
pub(crate) async fn quiet(State(world): State<Arc<World>>, Body(quiet): Body<Quiet>) -> SimResult {
    let settle = Duration::from_millis(quiet.settle_ms.unwrap_or(300));
    let deadline = Instant::now() + Duration::from_millis(quiet.timeout_ms.unwrap_or(WAIT_MS));
    let (mut since, mut before) = (Instant::now(), None);
    loop {
        let now = world.clock.now();
        let arrived = world.on_the_way.load(Ordering::SeqCst) == 0;
        let fetched = arrived && world.bots.iter().all(|bot| bot.updates.all_fetched(now));
        let (idle, activity) = world.calls.activity();
        let handed_out: i64 = world.bots.iter().map(|bot| bot.updates.handed_out()).sum();
        let state = Some((activity, handed_out));
        if !fetched || !idle || state != before {
            since = Instant::now();
            before = state;
        } else if since.elapsed() >= settle {
            return Ok(Json(json!({})));
        }
        if Instant::now() >= deadline || world.stop.is_cancelled() {
            let why = if fetched { "the bot keeps calling" } else { "the bot does not fetch its updates" };
            return Err(timed_out(why));
        }
        sleep(LOOK).await;
    }
}
