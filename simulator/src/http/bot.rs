//! The Bot API endpoint: from a request to a method and back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::api::{Call, entry, get_updates};
use crate::args::Args;
use crate::error::{ApiError, ApiResult};
use crate::schema::{Method, Schema, check};
use crate::world::World;
use crate::world::bot::Bot;
use crate::world::calls;
use crate::world::faults::{Fault, FaultKind};

/// How long a call that got the fault "timeout" hangs at most.
const HANG: Duration = Duration::from_secs(300);

/// The body of an answer, and its HTTP status.
pub(crate) struct Answer {
    status: u16,
    retry_after: Option<u64>,
    pub(crate) body: Bytes,
}

impl Answer {
    fn ok(result: &str) -> Self {
        Self { status: 200, retry_after: None, body: format!("{{\"ok\":true,\"result\":{result}}}").into() }
    }

    fn error(error: &ApiError) -> Self {
        Self { status: error.code, retry_after: error.retry_after, body: error.body().to_string().into() }
    }

    fn of(result: ApiResult) -> Self {
        match result {
            Ok(value) => Self::ok(&value.to_string()),
            Err(error) => Self::error(&error),
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(after) = self.retry_after {
            headers.insert(RETRY_AFTER, after.into());
        }
        response
    }
}

/// `/bot<token>/<method>`.
pub(crate) async fn call(State(world): State<Arc<World>>, Path(path): Path<Vec<(String, String)>>, request: Request) -> Response {
    let part = |name: &str| path.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let Some(token) = part("bot").strip_prefix("bot") else {
        return Answer::error(&ApiError::new(404, "Not Found")).into_response();
    };
    let Some(bot) = world.bot_by_token(token) else {
        return Answer::error(&ApiError::new(401, "Unauthorized")).into_response();
    };
    let method = match method(part("method")) {
        Ok(method) => method,
        Err(error) => return Answer::error(&error).into_response(),
    };
    match Args::read(request).await {
        Ok(args) => serve(&world, bot, method, &args).await,
        Err(error) => Answer::error(&error).into_response(),
    }
}

fn method(name: &str) -> ApiResult<&'static Method> {
    Schema::get()
        .map_err(|error| ApiError::new(500, format!("Internal Server Error: {error}")))?
        .method(name)
        .ok_or_else(|| ApiError::new(404, "Not Found: method not found"))
}

/// Runs a call with its faults.
async fn serve(world: &Arc<World>, bot: &Arc<Bot>, method: &'static Method, args: &Args) -> Response {
    let request = args.summary();
    let fault = world.faults.take(method.name, &request);
    if method.name == "getUpdates" {
        if let Some(response) = fail(world, fault.as_ref()).await {
            return response;
        }
        let polled = match check(method, args) {
            Ok(()) => get_updates(&Call { world, bot, args }).await,
            Err(error) => Err(error),
        };
        if breaks(fault.as_ref()) {
            return broken_connection();
        }
        return match polled {
            Ok(updates) => Answer::ok(&updates).into_response(),
            Err(error) => Answer::error(&error).into_response(),
        };
    }
    let _busy = world.calls.begin();
    let begin = Instant::now();
    if let Some(response) = fail(world, fault.as_ref()).await {
        let note = json!({ "fault": fault }).to_string();
        log(world, bot, method, request, note.into(), begin);
        return response;
    }
    let answer = run(world, bot, method, args);
    log(world, bot, method, request, answer.body.clone(), begin);
    if breaks(fault.as_ref()) {
        return broken_connection();
    }
    answer.into_response()
}

fn breaks(fault: Option<&Fault>) -> bool {
    fault.is_some_and(|fault| fault.kind == FaultKind::DropAfter)
}

/// Checks and executes a method other than `getUpdates`.
pub(crate) fn run(world: &Arc<World>, bot: &Arc<Bot>, method: &'static Method, args: &Args) -> Answer {
    let Some(handler) = entry(method.name).and_then(|entry| entry.handler) else {
        return Answer::error(&ApiError::not_served(method.name));
    };
    let call = Call { world, bot, args };
    Answer::of(check(method, args).and_then(|()| handler(&call)))
}

/// Executes a method that came in the answer to a webhook; nobody learns the result.
pub(crate) fn run_from_webhook(world: &Arc<World>, bot: &Arc<Bot>, mut values: serde_json::Map<String, Value>) {
    let Some(Value::String(name)) = values.remove("method") else {
        return;
    };
    let Ok(method) = method(&name) else { return };
    let lower = name.to_ascii_lowercase();
    let barred = ["setwebhook", "deletewebhook", "close", "logout"];
    if lower.starts_with("get") || barred.contains(&lower.as_str()) {
        return;
    }
    let _busy = world.calls.begin();
    let begin = Instant::now();
    let args = Args::from_values(values);
    let answer = run(world, bot, method, &args);
    log(world, bot, method, args.summary(), answer.body, begin);
}

/// The answer of a fault that comes instead of the call.
async fn fail(world: &World, fault: Option<&Fault>) -> Option<Response> {
    let fault = fault?;
    let error = match fault.kind {
        FaultKind::DropAfter => return None,
        FaultKind::TooMany => ApiError::too_many(fault.retry_after.unwrap_or(1)),
        FaultKind::Internal => ApiError::new(500, "Internal Server Error"),
        FaultKind::Forbidden => ApiError::forbidden("bot was blocked by the user"),
        FaultKind::Timeout => {
            tokio::select! {
                () = world.stop.cancelled() => {}
                () = tokio::time::sleep(HANG) => {}
            }
            return Some(broken_connection());
        }
    };
    Some(Answer::error(&error).into_response())
}

/// An answer that breaks off before its first byte of content.
fn broken_connection() -> Response {
    let broken = futures::stream::once(async { Err::<Bytes, _>(std::io::Error::from(std::io::ErrorKind::ConnectionReset)) });
    Response::new(Body::from_stream(broken))
}

fn log(world: &World, bot: &Bot, method: &'static Method, request: String, response: Bytes, begin: Instant) {
    let call = Arc::new(calls::Call {
        seq: world.calls.next_seq(),
        at_ms: world.clock.now_ms(),
        bot: bot.seed.username.clone(),
        method: method.name,
        request,
        response,
        ms: u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX),
    });
    world.events.publish(None, "call", || call.view());
    world.calls.push(call);
}

/// `/file/bot<token>/<path>`.
pub(crate) async fn download(State(world): State<Arc<World>>, Path((bot, path)): Path<(String, String)>) -> Response {
    let found = bot
        .strip_prefix("bot")
        .and_then(|token| world.bot_by_token(token))
        .and_then(|bot| world.files.by_path(bot.seed.id, &path))
        .and_then(|meta| world.files.content(&meta));
    match found {
        Some(data) => ([(CONTENT_TYPE, "application/octet-stream")], data).into_response(),
        None => Answer::error(&ApiError::new(404, "Not Found")).into_response(),
    }
}
