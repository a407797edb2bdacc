//! `POST /hooks/vault`: a push to the repository of the notes.
//!
//! Whoever calls has to know the secret: GitHub, Gitea and Forgejo sign the body with it (HMAC-SHA256), GitLab sends it along. What the body says
//! is not believed and not read: the repository is looked at, and what is there counts. A delivery that comes again is known by its number.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use fitter_services::{App, ServiceError};
use futures::StreamExt as _;
use hmac::{Hmac, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

/// GitHub sends no more; the others' pushes are smaller.
const LIMIT: usize = 25 << 20;
/// Longest number of a delivery that is remembered.
const NUMBER: usize = 100;

/// Headers with `sha256=<hex>` or `<hex>` of the body's HMAC.
const SIGNATURES: [&str; 3] = ["x-hub-signature-256", "x-gitea-signature", "x-forgejo-signature"];
/// Headers with the number of a delivery.
const DELIVERIES: [&str; 5] =
    ["x-github-delivery", "x-gitea-delivery", "x-forgejo-delivery", "x-gitlab-event-uuid", "x-gitlab-webhook-uuid"];
/// Headers with the kind of an event.
const EVENTS: [&str; 4] = ["x-github-event", "x-gitea-event", "x-forgejo-event", "x-gitlab-event"];

/// Who is told of pushes.
#[async_trait]
pub trait Pushes: Send + Sync {
    /// There was a push; `false` if this delivery was told of before.
    ///
    /// # Errors
    /// If it cannot be written down.
    async fn pushed(&self, delivery: Option<&str>) -> Result<bool, ServiceError>;
}

#[async_trait]
impl Pushes for App {
    async fn pushed(&self, delivery: Option<&str>) -> Result<bool, ServiceError> {
        self.vault_pushed(delivery).await
    }
}

struct Door {
    secret: SecretString,
    pushes: Arc<dyn Pushes>,
}

/// The route, for those who know the secret.
pub fn router(secret: SecretString, pushes: Arc<dyn Pushes>) -> Router {
    Router::new().route("/hooks/vault", post(receive)).with_state(Arc::new(Door { secret, pushes }))
}

async fn receive(State(door): State<Arc<Door>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let known = match door.knows(&head.headers, body).await {
        Ok(known) => known,
        Err(status) => return status.into_response(),
    };
    if !known {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let event = text(&head.headers, &EVENTS).unwrap_or("push").to_ascii_lowercase();
    if !event.contains("push") {
        // A ping, or more than was asked for.
        return StatusCode::ACCEPTED.into_response();
    }
    let delivery = text(&head.headers, &DELIVERIES).filter(|number| number.len() <= NUMBER);
    match door.pushes.pushed(delivery).await {
        Ok(fresh) => {
            tracing::info!(fresh, "a push to the repository of the notes");
            StatusCode::ACCEPTED.into_response()
        }
        Err(error) => {
            tracing::error!(%error, "a push cannot be written down; the next look at the repository finds it");
            (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "5")]).into_response()
        }
    }
}

impl Door {
    /// Whether the request is of somebody who knows the secret. Reads the body without keeping it.
    async fn knows(&self, headers: &HeaderMap, body: Body) -> Result<bool, StatusCode> {
        let secret = self.secret.expose_secret().as_bytes();
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|_| StatusCode::UNAUTHORIZED)?;
        let (mut length, mut body) = (0, body.into_data_stream());
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|_| StatusCode::BAD_REQUEST)?;
            length += piece.len();
            if length > LIMIT {
                return Err(StatusCode::PAYLOAD_TOO_LARGE);
            }
            mac.update(&piece);
        }
        if let Some(signature) = text(headers, &SIGNATURES) {
            let Ok(given) = hex::decode(signature.strip_prefix("sha256=").unwrap_or(signature)) else { return Ok(false) };
            return Ok(mac.verify_slice(&given).is_ok());
        }
        let token = text(headers, &["x-gitlab-token"]);
        Ok(token.is_some_and(|token| token.as_bytes().ct_eq(secret).into()))
    }
}

fn text<'h>(headers: &'h HeaderMap, names: &[&str]) -> Option<&'h str> {
    names.iter().find_map(|name| headers.get(*name)?.to_str().ok()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tower::ServiceExt as _;

    use super::*;

    const SECRET: &str = "a secret of the hook";

    #[derive(Default)]
    struct Heard(Mutex<Vec<Option<String>>>);

    #[async_trait]
    impl Pushes for Heard {
        async fn pushed(&self, delivery: Option<&str>) -> Result<bool, ServiceError> {
            self.0.lock().unwrap().push(delivery.map(str::to_owned));
            if delivery == Some("away") { Err(ServiceError::Interrupted("test")) } else { Ok(true) }
        }
    }

    fn signature(body: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(body.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }

    async fn post(headers: &[(&str, &str)], body: &str) -> (u16, Vec<Option<String>>) {
        let heard = Arc::new(Heard::default());
        let mut request = Request::post("/hooks/vault");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let router = router(SECRET.into(), Arc::<Heard>::clone(&heard));
        let response = router.oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
        let told = heard.0.lock().unwrap().clone();
        (response.status().as_u16(), told)
    }

    #[tokio::test]
    async fn each_server_is_known_by_its_own_sign() {
        let (body, one) = ("{\"ref\":\"refs/heads/main\"}", Some("one".to_owned()));
        let signed = signature(body);
        let github = format!("sha256={signed}");
        for headers in [
            vec![("X-Hub-Signature-256", github.as_str()), ("X-GitHub-Delivery", "one"), ("X-GitHub-Event", "push")],
            vec![("X-Gitea-Signature", signed.as_str()), ("X-Gitea-Delivery", "one"), ("X-Gitea-Event", "push")],
            vec![("X-Forgejo-Signature", signed.as_str()), ("X-Forgejo-Delivery", "one")],
            vec![("X-Gitlab-Token", SECRET), ("X-Gitlab-Event-UUID", "one"), ("X-Gitlab-Event", "Push Hook")],
        ] {
            assert_eq!(post(&headers, body).await, (202, vec![one.clone()]), "{headers:?}");
        }
        // Without a number nothing can be told from it; the look is cheap.
        assert_eq!(post(&[("X-Gitlab-Token", SECRET)], body).await, (202, vec![None]));
    }

    #[tokio::test]
    async fn whoever_does_not_know_the_secret_is_not_heard() {
        let signed = signature("{}");
        for (headers, body) in [
            (vec![], "{}"),
            (vec![("X-Gitlab-Token", "a secret of the hooK")], "{}"),
            (vec![("X-Gitlab-Token", "")], "{}"),
            (vec![("X-Gitea-Signature", signed.as_str())], "{ }"),
            (vec![("X-Hub-Signature-256", "sha256=")], "{}"),
            (vec![("X-Hub-Signature-256", "sha256=zz")], "{}"),
            // A wrong signature is not mended by the right token.
            (vec![("X-Hub-Signature-256", "00"), ("X-Gitlab-Token", SECRET)], "{}"),
        ] {
            assert_eq!(post(&headers, body).await, (401, vec![]), "{headers:?}");
        }
    }

    #[tokio::test]
    async fn other_events_and_trouble() {
        let signed = signature("{}");
        assert_eq!(post(&[("X-Gitea-Signature", &signed), ("X-Gitea-Event", "ping")], "{}").await, (202, vec![]));
        let away = post(&[("X-Gitea-Signature", &signed), ("X-Gitea-Delivery", "away")], "{}").await;
        assert_eq!(away, (503, vec![Some("away".to_owned())]));
        let long = "x".repeat(LIMIT + 1);
        assert_eq!(post(&[("X-Gitlab-Token", SECRET)], &long).await, (413, vec![]));
    }
}
