//! The webhook: `POST /telegram/{bot}`, 200 only after the commit.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::routing::post;
use fitter_domain::ids::BotId;
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

/// Updates are a few kilobytes; Telegram cuts answers to getUpdates at 4 MiB for a hundred of them.
const BODY_LIMIT: usize = 1 << 20;

/// Telegram repeats the secret of `setWebhook` here.
const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";

struct Door {
    secrets: HashMap<BotId, SecretString>,
    storage: Arc<dyn Storage>,
}

/// The route for the bots that have a secret here.
pub fn router(secrets: HashMap<BotId, SecretString>, storage: Arc<dyn Storage>) -> Router {
    Router::new().route("/telegram/{bot}", post(receive)).with_state(Arc::new(Door { secrets, storage }))
}

async fn receive(State(door): State<Arc<Door>>, Path(bot): Path<i64>, request: Request) -> StatusCode {
    let bot = BotId(bot);
    let given = request.headers().get(SECRET_HEADER).map(|value| value.as_bytes().to_vec()).unwrap_or_default();
    // An unknown bot is answered like a wrong secret: nobody learns which bots there are.
    let known = door.secrets.get(&bot).is_some_and(|secret| secret.expose_secret().as_bytes().ct_eq(&given).into());
    if !known {
        return StatusCode::UNAUTHORIZED;
    }
    let Ok(body) = to_bytes(request.into_body(), BODY_LIMIT).await else { return StatusCode::PAYLOAD_TOO_LARGE };
    let Ok(raw) = serde_json::from_slice::<Box<RawValue>>(&body) else { return StatusCode::BAD_REQUEST };
    match accept(door.storage.as_ref(), bot, std::slice::from_ref(&raw)).await {
        Ok(_) => StatusCode::OK,
        Err(error) => {
            tracing::error!(%error, "an update cannot be kept, Telegram sends it again");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
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
