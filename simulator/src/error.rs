//! Errors: the library's own, and the ones that a Bot API answer carries.

use serde_json::{Value, json};

/// Why a simulator could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address could not be bound, or the state directory not be used.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A committed file of this crate does not parse.
    #[error("method table: {0}")]
    Table(String),
}

/// The library's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A refusal in Telegram's shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) code: u16,
    pub(crate) description: String,
    pub(crate) retry_after: Option<u64>,
    /// The supergroup that a group became.
    pub(crate) migrate_to: Option<i64>,
}

/// Result of a Bot API call.
pub(crate) type ApiResult<T = Value> = std::result::Result<T, ApiError>;

impl ApiError {
    pub(crate) fn new(code: u16, description: impl Into<String>) -> Self {
        Self { code, description: description.into(), retry_after: None, migrate_to: None }
    }

    /// 400; the text goes after Telegram's `Bad Request: `.
    pub(crate) fn bad(description: impl AsRef<str>) -> Self {
        Self::new(400, format!("Bad Request: {}", description.as_ref()))
    }

    /// 403; the text goes after Telegram's `Forbidden: `.
    pub(crate) fn forbidden(description: impl AsRef<str>) -> Self {
        Self::new(403, format!("Forbidden: {}", description.as_ref()))
    }

    /// 409; the text goes after Telegram's `Conflict: `.
    pub(crate) fn conflict(description: &str) -> Self {
        Self::new(409, format!("Conflict: {description}"))
    }

    /// 429 with the pause in seconds.
    pub(crate) fn too_many(retry_after: u64) -> Self {
        let description = format!("Too Many Requests: retry after {retry_after}");
        Self { retry_after: Some(retry_after), ..Self::new(429, description) }
    }

    /// 400: the group has another id now.
    pub(crate) fn migrated(to: i64) -> Self {
        Self { migrate_to: Some(to), ..Self::bad("group chat was upgraded to a supergroup chat") }
    }

    /// A real method that the simulator does not serve.
    pub(crate) fn not_served(method: &str) -> Self {
        Self::new(501, format!("Not Implemented: the simulator does not serve {method}, see /fidelity"))
    }

    /// The body of the answer.
    pub(crate) fn body(&self) -> Value {
        let mut body = json!({
            "ok": false,
            "error_code": self.code,
            "description": self.description,
        });
        let after = self.retry_after.map(|after| json!({ "retry_after": after }));
        let parameters = after.or_else(|| self.migrate_to.map(|to| json!({ "migrate_to_chat_id": to })));
        if let (Some(parameters), Some(map)) = (parameters, body.as_object_mut()) {
            map.insert("parameters".into(), parameters);
        }
        body
    }
}
