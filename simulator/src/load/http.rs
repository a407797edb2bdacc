//! The server: HTTP/1.1 with kept connections, one task each.

use std::convert::Infallible;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;

use super::params::{Params, as_json};
use super::{Shared, calls, webhook};

/// How exactly an open pace is kept.
const PACE: Duration = Duration::from_millis(1);
/// How often anything else is looked after.
const LOOK: Duration = Duration::from_millis(100);

/// Serves until the stop.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "the load server cannot listen");
            return;
        }
    };
    tokio::spawn(keep_time(Arc::clone(&shared)));
    let stop = shared.stop.clone();
    let accept = async {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            // A small answer must not wait for more to send.
            let _fast = stream.set_nodelay(true);
            let shared = Arc::clone(&shared);
            tokio::spawn(async move {
                let service = service_fn(|request| answer(&shared, request));
                let connection =
                    hyper::server::conn::http1::Builder::new().pipeline_flush(true).serve_connection(TokioIo::new(stream), service);
                if let Err(error) = connection.await {
                    tracing::trace!(%error, "a connection ended");
                }
            });
        }
    };
    let _stopped = stop.run_until_cancelled(accept).await;
}

async fn keep_time(shared: Arc<Shared>) {
    let mut looked = Instant::now();
    loop {
        let open = {
            let (mut world, now) = (shared.world(), Instant::now());
            world.tick(now);
            if now.duration_since(looked) >= LOOK {
                looked = now;
                world.lose_patience(now);
            }
            world.is_open()
        };
        tokio::time::sleep(if open { PACE } else { LOOK }).await;
    }
}

async fn answer(shared: &Arc<Shared>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else { return Ok(plain(StatusCode::BAD_REQUEST, "")) };
    let body = body.to_bytes();
    let path = head.uri.path();
    if path.starts_with("/file/") {
        return Ok(plain(StatusCode::OK, "\u{1}\u{2}\u{3}\u{4}"));
    }
    let Some((token, method)) = path.strip_prefix("/bot").and_then(|path| path.rsplit_once('/')) else {
        return Ok(plain(StatusCode::NOT_FOUND, r#"{"ok":false,"error_code":404,"description":"Not Found"}"#));
    };
    let kind = head.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let json = as_json(kind, &body);
    let Ok(params) = serde_json::from_slice::<Params<'_>>(&json) else {
        return Ok(plain(
            StatusCode::BAD_REQUEST,
            r#"{"ok":false,"error_code":400,"description":"Bad Request: can't parse the parameters"}"#,
        ));
    };
    let Some(bot) = shared.world().bot_of(token) else {
        return Ok(plain(StatusCode::UNAUTHORIZED, r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#));
    };
    let result = if method.eq_ignore_ascii_case("getUpdates") {
        updates(shared, bot, &params).await
    } else {
        calls::call(&mut shared.world(), bot, method, &params, Instant::now())
    };
    if method.eq_ignore_ascii_case("setWebhook") {
        webhook::begin(shared, bot);
    }
    Ok(plain(StatusCode::OK, format!(r#"{{"ok":true,"result":{result}}}"#)))
}

/// Long poll: as soon as there is anything, or an empty array after the time the bot gave.
async fn updates(shared: &Shared, bot: usize, params: &Params<'_>) -> String {
    let until = Instant::now() + Duration::from_secs(params.timeout());
    let news = {
        let mut world = shared.world();
        world.tally.call("getUpdates");
        world.bots.get(bot).map(|bot| Arc::clone(&bot.news)).unwrap_or_default()
    };
    loop {
        let found = shared.world().fetch(bot, params.offset(), params.limit(), Instant::now());
        if let Some(found) = found {
            return found;
        }
        if tokio::time::timeout_at(until.into(), news.notified()).await.is_err() {
            return "[]".to_owned();
        }
    }
}

fn plain(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
