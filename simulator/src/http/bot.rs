//! The Bot API endpoint: from a request to a method and back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::Value;

use crate::api::{Call, entry, get_updates};
use crate::args::Args;
use crate::error::{ApiError, ApiResult};
use crate::schema::{Method, Schema, check};
use crate::world::World;
use crate::world::bot::Bot;
use crate::world::calls;
use crate::world::faults::{FaultKind, Hit};
use crate::world::refusals::Seen;

/// How long a call without an answer hangs at most.
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
    let chat = args.text("chat_id");
    let seen = Seen { bot: bot.seed.id, method: method.name, chat, request: &request };
    world.refusals.arrived(&seen, world.clock.now_ms());
    let fault = world.faults.take(method.name, &request);
    if method.name == "getUpdates" {
        return poll(world, bot, method, args, &seen, fault).await;
    }
    let _busy = world.calls.begin();
    let entry = Entry { world, bot, seen: &seen, fault, begin: Instant::now() };
    if let Some(response) = instead(&entry).await {
        return response;
    }
    let answer = run(world, bot, method, args);
    entry.note(&answer);
    afterwards(world, fault, answer).await
}

/// `getUpdates`: the only method that waits. It is in the log only if a fault hits it.
async fn poll(world: &Arc<World>, bot: &Arc<Bot>, method: &'static Method, args: &Args, seen: &Seen<'_>, fault: Option<Hit>) -> Response {
    let entry = Entry { world, bot, seen, fault, begin: Instant::now() };
    if let Some(response) = instead(&entry).await {
        return response;
    }
    let before = bot.updates.fetched_to();
    let polled = match check(method, args) {
        Ok(()) => get_updates(&Call { world, bot, args }).await,
        Err(error) => Err(error),
    };
    let answer = match polled {
        Ok(updates) => Answer::ok(&updates),
        Err(error) => Answer::error(&error),
    };
    if fault.is_some() {
        entry.note(&answer);
    }
    if fault.is_some_and(|fault| fault.kind.loses_the_answer()) {
        bot.updates.lost_since(before);
    }
    afterwards(world, fault, answer).await
}

/// A call on its way into the log.
struct Entry<'a> {
    world: &'a World,
    bot: &'a Bot,
    seen: &'a Seen<'a>,
    fault: Option<Hit>,
    begin: Instant,
}

impl Entry<'_> {
    /// Books the answer: in the log, and among the refusals if it is one.
    fn note(&self, answer: &Answer) {
        if answer.status == 429 {
            self.world.refusals.refused(self.seen, answer.retry_after.unwrap_or(0), self.world.clock.now_ms());
        }
        self.log(answer.body.clone());
    }

    fn log(&self, response: Bytes) {
        let ms = u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        log(self.world, self.bot, self.seen.method, self.seen.request.to_owned(), response, ms, self.fault);
    }
}

/// What a fault answers instead of the call, if it does.
async fn instead(entry: &Entry<'_>) -> Option<Response> {
    let fault = entry.fault?;
    let error = match fault.kind {
        FaultKind::TooMany => ApiError::too_many(fault.retry_after),
        FaultKind::Internal => ApiError::new(500, "Internal Server Error"),
        FaultKind::BadGateway => ApiError::new(502, "Bad Gateway"),
        FaultKind::Unauthorized => ApiError::new(401, "Unauthorized"),
        FaultKind::Forbidden => ApiError::forbidden("bot was blocked by the user"),
        FaultKind::Timeout | FaultKind::DropBefore => {
            // The log shows it while it hangs: the client may go away before the end.
            entry.log(Bytes::new());
            if fault.kind == FaultKind::Timeout {
                hang(entry.world).await;
            }
            return Some(broken_connection());
        }
        FaultKind::Slow => {
            entry.world.pause(Duration::from_millis(fault.delay_ms)).await;
            return None;
        }
        FaultKind::DropAfter | FaultKind::HangAfter | FaultKind::Cut => return None,
    };
    let answer = Answer::error(&error);
    entry.world.pause(Duration::from_millis(fault.delay_ms)).await;
    entry.note(&answer);
    Some(answer.into_response())
}

/// How the answer of a processed call arrives.
async fn afterwards(world: &World, fault: Option<Hit>, answer: Answer) -> Response {
    match fault.map(|fault| fault.kind) {
        Some(FaultKind::DropAfter) => broken_connection(),
        Some(FaultKind::HangAfter) => {
            hang(world).await;
            broken_connection()
        }
        Some(FaultKind::Cut) => cut(&answer.body),
        _ => answer.into_response(),
    }
}

/// Hangs until the client or the simulator gives up.
async fn hang(world: &World) {
    world.pause(HANG).await;
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
    let ms = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
    log(world, bot, method.name, args.summary(), answer.body, ms, None);
}

/// An answer that breaks off before its first byte of content.
fn broken_connection() -> Response {
    let broken = futures::stream::once(async { Err::<Bytes, _>(std::io::Error::from(std::io::ErrorKind::ConnectionReset)) });
    Response::new(Body::from_stream(broken))
}

/// An answer that says how long it is and breaks off in the middle.
fn cut(body: &Bytes) -> Response {
    let half = body.slice(..body.len() / 2);
    let chunks = futures::stream::unfold(Some(half), |half| async move {
        match half {
            Some(half) => Some((Ok(half), None)),
            None => {
                // What was written so far goes out before the connection breaks.
                tokio::task::yield_now().await;
                Some((Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)), None))
            }
        }
    });
    let mut response = Response::new(Body::from_stream(chunks));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CONTENT_LENGTH, body.len().into());
    response
}

fn log(world: &World, bot: &Bot, method: &'static str, request: String, response: Bytes, ms: u64, fault: Option<Hit>) {
    let call = Arc::new(calls::Call {
        seq: world.calls.next_seq(),
        at_ms: world.clock.now_ms(),
        bot: bot.seed.username.clone(),
        method,
        request,
        response,
        ms,
        fault,
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
