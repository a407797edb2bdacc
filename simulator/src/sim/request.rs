//! Reading requests of `/sim`, and its errors.

use std::sync::Arc;

use axum::Json;
use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Multipart, Query, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::args::Upload;
use crate::config::PersonSeed;
use crate::error::ApiError;
use crate::world::bot::Bot;
use crate::world::chat::Chat;
use crate::world::groups::Group;
use crate::world::{World, lock};

/// Most bytes of one request.
const BODY_BYTES: usize = 256 << 20;

/// A refusal: `{"error": …}`.
#[derive(Debug)]
pub(crate) struct SimError(pub(crate) StatusCode, pub(crate) String);

/// What `/sim` handlers return.
pub(crate) type SimResult<T = Json<Value>> = Result<T, SimError>;

impl IntoResponse for SimError {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

impl From<ApiError> for SimError {
    fn from(error: ApiError) -> Self {
        bad(error.description)
    }
}

/// 400.
pub(crate) fn bad(why: impl Into<String>) -> SimError {
    SimError(StatusCode::BAD_REQUEST, why.into())
}

/// 404.
pub(crate) fn missing(what: impl Into<String>) -> SimError {
    SimError(StatusCode::NOT_FOUND, what.into())
}

/// 408.
pub(crate) fn timed_out(what: impl Into<String>) -> SimError {
    SimError(StatusCode::REQUEST_TIMEOUT, what.into())
}

/// A JSON body. An empty body counts as `{}`.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = SimError;

    async fn from_request(request: Request, _: &S) -> Result<Self, SimError> {
        let body = to_bytes(request.into_body(), BODY_BYTES).await.map_err(|error| bad(error.to_string()))?;
        parse(if body.is_empty() { b"{}" } else { &body }).map(Self)
    }
}

/// A query string.
pub(crate) struct Params<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = SimError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SimError> {
        Query::<T>::try_from_uri(&parts.uri).map(|Query(params)| Self(params)).map_err(|error| bad(error.to_string()))
    }
}

/// A JSON body, or a multipart one with a `json` part and files by part name, in their order.
pub(crate) struct WithFiles<T>(pub(crate) T, pub(crate) Vec<(String, Upload)>);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequest<S> for WithFiles<T> {
    type Rejection = SimError;

    async fn from_request(request: Request, state: &S) -> Result<Self, SimError> {
        let multipart = request
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|kind| kind.starts_with("multipart/form-data"));
        if !multipart {
            let Body(body) = Body::from_request(request, state).await?;
            return Ok(Self(body, Vec::new()));
        }
        let mut form = Multipart::from_request(request, state).await.map_err(|error| bad(error.to_string()))?;
        let (mut body, mut files) = (None, Vec::new());
        while let Some(field) = form.next_field().await.map_err(|error| bad(error.to_string()))? {
            let part = field.name().unwrap_or_default().to_owned();
            let name = field.file_name().map(str::to_owned);
            let mime = field.content_type().map(str::to_owned);
            let data = field.bytes().await.map_err(|error| bad(error.to_string()))?;
            if part == "json" {
                body = Some(parse(&data)?);
            } else {
                let name = name.unwrap_or_else(|| part.clone());
                files.push((part, Upload { name, mime, data }));
            }
        }
        let body = body.ok_or_else(|| bad("the part \"json\" is missing"))?;
        Ok(Self(body, files))
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> SimResult<T> {
    serde_json::from_slice(body).map_err(|error| bad(error.to_string()))
}

/// Whose chat with which bot a request is about.
#[derive(Debug, Deserialize)]
pub(crate) struct Who {
    pub(crate) person: i64,
    pub(crate) bot: String,
}

/// The parties of a chat, known to exist.
pub(crate) struct Parties {
    pub(crate) bot: Arc<Bot>,
    pub(crate) person: Arc<PersonSeed>,
    /// The group, if it is no private chat.
    pub(crate) group: Option<Arc<Group>>,
    pub(crate) chat: Arc<Chat>,
}

impl Parties {
    /// The private chat of a person with a bot, or with `chat_id` a group that the person is in.
    pub(crate) fn find(world: &World, person: i64, bot: &str, chat_id: Option<i64>) -> SimResult<Self> {
        let person = find_person(world, person)?;
        let bot = Arc::clone(find_bot(world, bot)?);
        let Some(id) = chat_id.filter(|id| *id != person.id) else {
            let chat = bot.chat(person.id);
            return Ok(Self { bot, person, group: None, chat });
        };
        let group = find_group(world, id)?;
        if !lock(&group.info).has(person.id) {
            return Err(bad(format!("{} is not in the group {id}", person.id)));
        }
        let chat = Arc::clone(&group.chat);
        Ok(Self { bot, person, group: Some(group), chat })
    }
}

pub(crate) fn find_group(world: &World, id: i64) -> SimResult<Arc<Group>> {
    world.groups.get(id).ok_or_else(|| missing(format!("no group {id}")))
}

pub(crate) fn find_person(world: &World, id: i64) -> SimResult<Arc<PersonSeed>> {
    world.people.get(id).ok_or_else(|| missing(format!("no person {id}")))
}

pub(crate) fn find_bot<'a>(world: &'a World, name: &str) -> SimResult<&'a Arc<Bot>> {
    world.bot_by_name(name).ok_or_else(|| missing(format!("no bot {name}")))
}
