//! The wire: calls as JSON or multipart, errors without the token.
//!
//! Payload types are teloxide's where it has them ([`Api::ask`]); newer ones are plain JSON ([`Call`]). Its transport is not used: it sleeps ten
//! seconds inside a call on any 5xx, forgets the status code that tells a proxy's 403 from Telegram's, and prints the token in `Debug`.

use std::time::Duration;

use bytes::Bytes;
use fitter_domain::ids::BotId;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use teloxide::requests::Payload;
use url::Url;

use crate::fault::{ApiError, Refusal};

/// The Bot API's own address.
pub const TELEGRAM_API: &str = "https://api.telegram.org";

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a call may take, uploads of 10 MB over a mobile link included.
const TOTAL: Duration = Duration::from_secs(60);

/// A token that BotFather cannot have given.
#[derive(Debug, thiserror::Error)]
#[error("this is no bot token: it must look like 123456789:AA… as @BotFather gives it")]
pub struct BadToken;

/// A client of the Bot API for one bot.
pub struct Api {
    client: reqwest::Client,
    base: Url,
    token: SecretString,
    bot: BotId,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("bot", &self.bot).field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

/// Bytes that travel with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Name of the part; parameters point to it with `attach://name`, or are it.
    pub name: String,
    /// What they are.
    pub bytes: Bytes,
}

/// A call of a method.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Its name.
    pub method: &'static str,
    /// Its parameters.
    pub params: Map<String, Value>,
    /// Its files.
    pub files: Vec<Upload>,
}

impl Call {
    /// A call of `method` without parameters.
    #[must_use]
    pub fn new(method: &'static str) -> Self {
        Self { method, params: Map::new(), files: Vec::new() }
    }

    /// Adds a parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.params.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a parameter if there is one.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }
}

/// An answer of the Bot API.
#[derive(Deserialize)]
struct Answer<'a> {
    ok: bool,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(default)]
    error_code: Option<u16>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    parameters: Option<Parameters>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Parameters {
    retry_after: Option<u64>,
    migrate_to_chat_id: Option<i64>,
}

/// The bot's number: the part of its token before the colon.
///
/// # Errors
/// If it is no token.
pub fn bot_of(token: &SecretString) -> Result<BotId, BadToken> {
    let (id, secret) = token.expose_secret().split_once(':').ok_or(BadToken)?;
    let good = !secret.is_empty() && secret.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    let id: i64 = id.parse().map_err(|_| BadToken)?;
    if good && id > 0 { Ok(BotId(id)) } else { Err(BadToken) }
}

/// Connections to the Bot API, for one bot or for many: cheap to clone.
///
/// # Errors
/// If TLS cannot be set up.
pub fn client() -> Result<reqwest::Client, ApiError> {
    // No redirects: the next address would get the token.
    let redirect = reqwest::redirect::Policy::none();
    let client = reqwest::Client::builder().connect_timeout(CONNECT).timeout(TOTAL).tcp_nodelay(true).redirect(redirect).build();
    client.map_err(|e| ApiError::Unusable(e.without_url().to_string()))
}

impl Api {
    /// A client for the bot of `token` at `base` ([`TELEGRAM_API`], a local Bot API server, or the simulator).
    ///
    /// # Errors
    /// If the token is none; if the address cannot have a path; if TLS cannot be set up.
    pub fn new(base: Url, token: SecretString) -> Result<Self, ApiError> {
        Self::over(client()?, base, token)
    }

    /// [`Api::new`] over connections that several bots share.
    ///
    /// # Errors
    /// If the token is none; if the address cannot have a path.
    pub fn over(client: reqwest::Client, base: Url, token: SecretString) -> Result<Self, ApiError> {
        let bot = bot_of(&token).map_err(|bad| ApiError::Unusable(bad.to_string()))?;
        if base.cannot_be_a_base() {
            return Err(ApiError::Unusable("the Bot API address must begin with http:// or https://".to_owned()));
        }
        Ok(Self { client, base, token, bot })
    }

    /// Whose client it is.
    #[must_use]
    pub const fn bot(&self) -> BotId {
        self.bot
    }

    /// Calls a method and reads its answer as `T`.
    ///
    /// # Errors
    /// [`ApiError`], never with the address.
    pub async fn call<T: DeserializeOwned>(&self, call: Call) -> Result<T, ApiError> {
        let request = self.client.post(self.address(&["bot"], call.method));
        let request = if call.files.is_empty() { request.json(&call.params) } else { request.multipart(form(call)) };
        let (status, body) = fetch(request).await?;
        read(status, &body)
    }

    /// Calls a method with one of teloxide's payloads and reads its answer as `T`: our own lenient view, not the payload's output.
    ///
    /// # Errors
    /// As [`Api::call`].
    pub async fn ask<P: Payload + Serialize, T: DeserializeOwned>(&self, payload: &P) -> Result<T, ApiError> {
        let (status, body) = fetch(self.client.post(self.address(&["bot"], P::NAME)).json(payload)).await?;
        read(status, &body)
    }

    /// Long poll: calls `getUpdates`, which waits up to `wait` on the other side.
    ///
    /// # Errors
    /// As [`Api::call`].
    pub async fn updates(&self, offset: Option<i64>, wait: Duration, allowed: &[&str]) -> Result<Vec<Box<RawValue>>, ApiError> {
        let params = Call::new("").with_some("offset", offset).with("timeout", wait.as_secs()).with("limit", 100);
        let params = params.with("allowed_updates", allowed).params;
        let request = self.client.post(self.address(&["bot"], "getUpdates")).json(&params).timeout(wait + Duration::from_secs(15));
        let (status, body) = fetch(request).await?;
        read(status, &body)
    }

    /// Downloads a file of at most `cap` bytes by its `file_path`.
    ///
    /// # Errors
    /// As [`Api::call`]; [`ApiError::TooBig`] as soon as the cap is passed.
    pub async fn download(&self, path: &str, cap: usize) -> Result<Bytes, ApiError> {
        let mut address = self.address(&["file", "bot"], "");
        if let Ok(mut segments) = address.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/').filter(|part| !part.is_empty() && *part != ".."));
        }
        let mut response = self.client.get(address).send().await.map_err(ApiError::network)?;
        if !response.status().is_success() {
            return Err(ApiError::Odd { status: response.status().as_u16(), what: "file download".to_owned() });
        }
        let mut bytes = bytes::BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(ApiError::network)? {
            if bytes.len() + chunk.len() > cap {
                return Err(ApiError::TooBig { cap });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes.freeze())
    }

    /// `…/bot<token>/<method>`, or `…/file/bot<token>/<path>`.
    fn address(&self, prefix: &[&str], method: &str) -> Url {
        let mut address = self.base.clone();
        if let Ok(mut segments) = address.path_segments_mut() {
            segments.pop_if_empty();
            for (at, part) in prefix.iter().enumerate() {
                let last = at + 1 == prefix.len();
                if last {
                    segments.push(&format!("{part}{}", self.token.expose_secret()))
                } else {
                    segments.push(part)
                };
            }
            segments.push(method);
        }
        address
    }
}

async fn fetch(request: reqwest::RequestBuilder) -> Result<(u16, Bytes), ApiError> {
    let response = request.send().await.map_err(ApiError::network)?;
    let status = response.status().as_u16();
    Ok((status, response.bytes().await.map_err(ApiError::network)?))
}

fn read<T: DeserializeOwned>(status: u16, body: &[u8]) -> Result<T, ApiError> {
    let odd = |what: &str| ApiError::Odd { status, what: what.to_owned() };
    let answer: Answer<'_> = serde_json::from_slice(body).map_err(|_| odd("the answer is not from the Bot API"))?;
    if answer.ok {
        let result = answer.result.map_or("null", RawValue::get);
        return serde_json::from_str(result).map_err(|e| odd(&e.to_string()));
    }
    let parameters = answer.parameters.unwrap_or_default();
    Err(ApiError::Refused(Refusal {
        code: answer.error_code.unwrap_or(status),
        description: answer.description.unwrap_or_default(),
        retry_after: parameters.retry_after.map(Duration::from_secs),
        migrate_to: parameters.migrate_to_chat_id,
    }))
}

fn form(call: Call) -> reqwest::multipart::Form {
    let mut form = reqwest::multipart::Form::new();
    for (name, value) in call.params {
        let text = match value {
            Value::String(text) => text,
            value => value.to_string(),
        };
        form = form.text(name, text);
    }
    for file in call.files {
        let length = file.bytes.len() as u64;
        let part = reqwest::multipart::Part::stream_with_length(file.bytes, length).file_name(format!("{}.jpg", file.name));
        form = form.part(file.name, part);
    }
    form
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api() -> Api {
        Api::new("http://127.0.0.1:9/x/".parse().unwrap(), "123:abcdefgh_-".into()).unwrap()
    }

    #[test]
    fn tokens() {
        assert_eq!(bot_of(&"123456789:AAE-x_yzAAE-x_yz".into()).unwrap(), BotId(123_456_789));
        for bad in ["", "123", "abc:AAE-x_yzAAE", "123:", "-1:AAE-x_yzAAE", "1:ключ-ключ-ключ", "1:a b"] {
            assert!(bot_of(&bad.into()).is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses() {
        assert_eq!(api().address(&["bot"], "getMe").as_str(), "http://127.0.0.1:9/x/bot123:abcdefgh_-/getMe");
        assert!(Api::new("mailto:x@y".parse().unwrap(), "123:abcdefgh".into()).is_err());
    }

    #[tokio::test]
    async fn errors_and_debug_never_hold_the_token() {
        let error = api().call::<Value>(Call::new("getMe")).await.unwrap_err();
        assert!(matches!(error, ApiError::Unreachable(_)));
        let api = api();
        for shown in [format!("{error}"), format!("{error:?}"), format!("{api:?}")] {
            assert!(!shown.contains("abcdefgh"), "{shown}");
        }
    }

    #[test]
    fn answers() {
        assert_eq!(read::<i64>(200, br#"{"ok":true,"result":7}"#).unwrap(), 7);
        let refused =
            read::<bool>(429, br#"{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":5,"new":1}}"#);
        assert!(matches!(refused, Err(ApiError::Refused(Refusal { code: 429, retry_after: Some(d), .. })) if d.as_secs() == 5));
        assert!(matches!(read::<bool>(502, b"<html>"), Err(ApiError::Odd { status: 502, .. })));
    }
}
