//! The webhook: `POST /telegram/{bot}`, 200 only after the commit.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::BytesMut;
use fitter_domain::ids::BotId;
use futures::StreamExt as _;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::value::RawValue;
use subtle::ConstantTimeEq;
use teloxide::payloads::GetWebhookInfo;
use url::Url;

use crate::accept::{ALLOWED_UPDATES, accept};
use crate::api::{Api, Call};
use crate::fault::ApiError;
use crate::ports::Storage;
use crate::receipt::Receipts;

/// Updates are a few kilobytes, the largest (a rich message of 500 blocks and 50 files) some hundred.
const BODY_LIMIT: usize = 1 << 20;
/// Read to here, and forgotten: whoever is cut off in the middle does not hear why.
const READ_LIMIT: usize = 32 << 20;

/// Telegram repeats the secret of `setWebhook` here.
const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";

struct Door {
    bots: HashMap<BotId, (SecretString, Receipts)>,
    storage: Arc<dyn Storage>,
}

/// The route for these bots, each with the secret of its webhook.
pub fn router(bots: impl IntoIterator<Item = (Arc<Api>, SecretString)>, storage: Arc<dyn Storage>) -> Router {
    let bots = bots.into_iter().map(|(api, secret)| (api.bot(), (secret, Receipts::new(api)))).collect();
    Router::new().route("/telegram/{bot}", post(receive)).with_state(Arc::new(Door { bots, storage }))
}

async fn receive(State(door): State<Arc<Door>>, Path(bot): Path<i64>, request: Request) -> Response {
    let given = request.headers().get(SECRET_HEADER).map(|value| value.as_bytes().to_vec()).unwrap_or_default();
    let known = door.bots.get(&BotId(bot)).filter(|(secret, _)| secret.expose_secret().as_bytes().ct_eq(&given).into());
    // An unknown bot is answered like a wrong secret: nobody learns which bots there are.
    let Some((_, receipts)) = known else { return StatusCode::UNAUTHORIZED.into_response() };
    let body = match read(request.into_body()).await {
        Ok(body) => body,
        Err(status) => return status.into_response(),
    };
    let Ok(raw) = serde_json::from_slice::<Box<RawValue>>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    match accept(door.storage.as_ref(), receipts, std::slice::from_ref(&raw)).await {
        Ok(_) => StatusCode::OK.into_response(),
        Err(error) => {
            tracing::error!(%error, "an update cannot be kept, Telegram sends it again");
            busy()
        }
    }
}

/// Not now. Telegram would wait up to two minutes after several of these; it comes again as soon as it is asked to.
#[must_use]
pub fn busy() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")]).into_response()
}

/// The body, if it can be an update's.
async fn read(body: Body) -> Result<BytesMut, StatusCode> {
    let (mut kept, mut length) = (BytesMut::new(), 0);
    let mut body = body.into_data_stream();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|_| StatusCode::BAD_REQUEST)?;
        length += chunk.len();
        if length <= BODY_LIMIT {
            kept.extend_from_slice(&chunk);
        } else if length > READ_LIMIT {
            break;
        }
    }
    if length <= BODY_LIMIT { Ok(kept) } else { Err(StatusCode::PAYLOAD_TOO_LARGE) }
}

/// Why the webhook cannot be set.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// It leads elsewhere.
    #[error("this bot's webhook leads to another program ({host}): remove it there, or tell Fitter to take the bot over")]
    Foreign {
        /// Where to.
        host: String,
    },
    /// Bot API: 1 to 256 of `A-Z a-z 0-9 _ -`.
    #[error("the webhook secret must have 1 to 256 characters out of A-Z, a-z, 0-9, _ and -")]
    BadSecret,
    /// Telegram.
    #[error(transparent)]
    Api(#[from] ApiError),
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Info {
    url: String,
}

/// Where the bot's webhook leads; `None` if there is none.
///
/// # Errors
/// [`ApiError`].
pub async fn current(api: &Api) -> Result<Option<String>, ApiError> {
    let info: Info = api.ask(&GetWebhookInfo::new()).await?;
    Ok(Some(info.url).filter(|url| !url.is_empty()))
}

/// Makes Telegram send updates to `address`. It is never removed at a stop, so that a new version can take over without a gap.
///
/// # Errors
/// [`WebhookError::Foreign`] if the bot's webhook leads elsewhere and `take_over` is not given.
pub async fn set(api: &Api, address: &Url, secret: &SecretString, take_over: bool) -> Result<(), WebhookError> {
    let token = secret.expose_secret();
    if !(1..=256).contains(&token.len()) || !token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
        return Err(WebhookError::BadSecret);
    }
    if let Some(url) = current(api).await?
        && url != address.as_str()
        && !take_over
    {
        // Only the host: the path of another program's webhook may be its secret.
        let host = Url::parse(&url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_else(|| "?".to_owned());
        return Err(WebhookError::Foreign { host });
    }
    let call = Call::new("setWebhook").with("url", address.as_str()).with("secret_token", token);
    let _set: bool = api.call(call.with("allowed_updates", ALLOWED_UPDATES.as_slice())).await?;
    Ok(())
}
