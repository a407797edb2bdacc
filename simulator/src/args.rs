//! The arguments of a Bot API call, from wherever the client put them.

use std::collections::HashMap;

use axum::body::to_bytes;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::error::{ApiError, ApiResult};

/// Most bytes of one request: a file of 50 MB and what goes with it.
const BODY_BYTES: usize = (50 << 20) + (64 << 10);

/// A file in the request.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub(crate) name: String,
    pub(crate) mime: Option<String>,
    pub(crate) data: Bytes,
}

/// Parameters and files of one call.
#[derive(Debug, Default)]
pub(crate) struct Args {
    pub(crate) values: Map<String, Value>,
    pub(crate) uploads: HashMap<String, Upload>,
}

impl Args {
    /// Arguments that came as a JSON object.
    pub(crate) fn from_values(values: Map<String, Value>) -> Self {
        Self { values, uploads: HashMap::new() }
    }

    /// Reads query, form, JSON or multipart. The body wins over the query.
    pub(crate) async fn read(request: Request) -> ApiResult<Self> {
        let too_large = || ApiError::new(413, "Request Entity Too Large");
        let mut args = Self::default();
        if let Some(query) = request.uri().query() {
            args.add_form(query.as_bytes());
        }
        let announced = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        if announced.is_some_and(|bytes: usize| bytes > BODY_BYTES) {
            return Err(too_large());
        }
        let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
        if kind.starts_with("multipart/form-data") {
            args.add_multipart(request).await?;
            return Ok(args);
        }
        let body = to_bytes(request.into_body(), BODY_BYTES).await.map_err(|_| too_large())?;
        if kind.starts_with("application/json") {
            if !body.is_empty() {
                match serde_json::from_slice(&body) {
                    Ok(Value::Object(values)) => args.values.extend(values),
                    _ => return Err(ApiError::bad("can't parse request body JSON object")),
                }
            }
        } else {
            args.add_form(&body);
        }
        Ok(args)
    }

    fn add_form(&mut self, text: &[u8]) {
        for (name, value) in url::form_urlencoded::parse(text) {
            self.values.insert(name.into_owned(), Value::String(value.into_owned()));
        }
    }

    async fn add_multipart(&mut self, request: Request) -> ApiResult<()> {
        let broken = || ApiError::bad("can't parse multipart request body");
        let mut form = Multipart::from_request(request, &()).await.map_err(|_| broken())?;
        while let Some(field) = form.next_field().await.map_err(|_| broken())? {
            let name = field.name().unwrap_or_default().to_owned();
            let file_name = field.file_name().map(str::to_owned);
            let mime = field.content_type().map(str::to_owned);
            let data = field.bytes().await.map_err(|_| broken())?;
            // Some clients send a file without a name; its type then tells it from a value.
            let typed = mime.as_deref().is_some_and(|mime| !mime.starts_with("text/plain"));
            if let Some(name_of_file) = file_name.or_else(|| typed.then(|| name.clone())) {
                let upload = Upload { name: name_of_file, mime, data };
                self.uploads.insert(name, upload);
            } else {
                let text = String::from_utf8(data.into()).map_err(|_| ApiError::bad("strings must be encoded in UTF-8"))?;
                self.values.insert(name, Value::String(text));
            }
        }
        Ok(())
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name).filter(|value| !value.is_null())
    }

    /// A text that is not empty.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        match self.value(name)? {
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// A whole number.
    pub(crate) fn int(&self, name: &str) -> Option<i64> {
        match self.value(name)? {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// A number.
    pub(crate) fn float(&self, name: &str) -> Option<f64> {
        match self.value(name)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// A flag; absent is false.
    pub(crate) fn flag(&self, name: &str) -> bool {
        match self.value(name) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::Number(number)) => number.as_i64() == Some(1),
            Some(Value::String(text)) => {
                matches!(text.to_ascii_lowercase().as_str(), "true" | "yes" | "1")
            }
            _ => false,
        }
    }

    /// A structured value, which most clients send as JSON text.
    pub(crate) fn json(&self, name: &str) -> Option<Value> {
        match self.value(name)? {
            Value::String(text) => serde_json::from_str(text).ok(),
            other => Some(other.clone()),
        }
    }

    /// An array; anything else is none.
    pub(crate) fn array(&self, name: &str) -> Option<Vec<Value>> {
        match self.json(name)? {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The request for the call log: JSON text in its structure, files by name and size.
    pub(crate) fn summary(&self) -> String {
        let mut view = Map::new();
        for (name, value) in &self.values {
            let parsed = match value {
                Value::String(text) if text.starts_with(['{', '[']) => serde_json::from_str(text).ok(),
                _ => None,
            };
            view.insert(name.clone(), parsed.unwrap_or_else(|| value.clone()));
        }
        for (name, file) in &self.uploads {
            view.insert(name.clone(), json!({ "file": file.name, "bytes": file.data.len() }));
        }
        Value::Object(view).to_string()
    }
}
