//! The table of Bot API facts, and the checks that follow from it alone.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

use crate::args::Args;
use crate::error::{ApiError, ApiResult, Error, Result};

const TABLE: &str = include_str!("../schema/bot-api-methods.json");

/// One method of the Bot API.
#[derive(Debug)]
pub(crate) struct Method {
    /// The name as it is documented.
    pub(crate) name: &'static str,
    pub(crate) params: Vec<Param>,
}

/// Parameters that Telegram passes over when they cannot be read.
const LENIENT: [&str; 3] = ["entities", "caption_entities", "allowed_updates"];

/// One parameter.
#[derive(Debug)]
pub(crate) struct Param {
    pub(crate) name: String,
    pub(crate) types: Vec<String>,
    pub(crate) required: bool,
    /// Unit, least and most.
    pub(crate) limit: Option<(String, u64, u64)>,
}

/// The methods by lower-case name.
pub(crate) struct Schema {
    pub(crate) version: String,
    by_name: HashMap<String, Method>,
}

#[derive(Deserialize)]
struct RawTable {
    version: String,
    methods: HashMap<String, Vec<RawParam>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawParam {
    Limited(String, Vec<String>, bool, (String, u64, u64)),
    Free(String, Vec<String>, bool),
}

static SCHEMA: LazyLock<std::result::Result<Schema, String>> = LazyLock::new(|| Schema::parse(TABLE).map_err(|error| error.to_string()));

impl Schema {
    /// The committed table.
    pub(crate) fn get() -> Result<&'static Self> {
        SCHEMA.as_ref().map_err(|error| Error::Table(error.clone()))
    }

    fn parse(text: &str) -> serde_json::Result<Self> {
        let raw: RawTable = serde_json::from_str(text)?;
        let by_name = raw
            .methods
            .into_iter()
            .map(|(name, params)| {
                let method = Method {
                    // The table lives as long as the process; call logs point into it.
                    name: String::leak(name),
                    params: params.into_iter().map(Param::from).collect(),
                };
                (method.name.to_ascii_lowercase(), method)
            })
            .collect();
        Ok(Self { version: raw.version, by_name })
    }

    /// Finds a method; case does not matter.
    pub(crate) fn method(&self, name: &str) -> Option<&Method> {
        self.by_name.get(&name.to_ascii_lowercase())
    }

    /// All methods by name.
    pub(crate) fn methods(&self) -> Vec<&Method> {
        let mut all: Vec<_> = self.by_name.values().collect();
        all.sort_by_key(|method| method.name);
        all
    }
}

impl From<RawParam> for Param {
    fn from(raw: RawParam) -> Self {
        let (name, types, required, limit) = match raw {
            RawParam::Limited(name, types, required, limit) => (name, types, required, Some(limit)),
            RawParam::Free(name, types, required) => (name, types, required, None),
        };
        Self { name, types, required, limit }
    }
}

/// Refuses a request that lacks a required parameter or has one of a wrong type or size.
pub(crate) fn check(method: &Method, args: &Args) -> ApiResult<()> {
    for param in &method.params {
        let has_upload = args.uploads.contains_key(&param.name);
        match args.values.get(&param.name).filter(|value| !is_empty(value)) {
            Some(value) => {
                param.check_type(value)?;
                param.check_limit(value)?;
            }
            // An empty address removes the webhook; without a number no message is found.
            None if method.name == "setWebhook" && param.name == "url" || param.name == "message_id" => {}
            None if param.required && !has_upload => return Err(param.missing()),
            None => {}
        }
    }
    Ok(())
}

/// Telegram takes an empty value for an absent one.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

impl Param {
    fn missing(&self) -> ApiError {
        let name = self.name.as_str();
        if self.types.iter().any(|kind| kind == "InputFile") {
            let kind = name.replace('_', " ");
            return ApiError::bad(format!("there is no {kind} in the request"));
        }
        match name {
            "chat_id" => ApiError::bad("chat_id is empty"),
            "from_chat_id" => ApiError::bad("chat_id is empty"),
            "user_id" => ApiError::bad("invalid user_id specified"),
            "text" => ApiError::bad("message text is empty"),
            "message_ids" => ApiError::bad("message identifiers are not specified"),
            "file_id" => ApiError::bad("file_id not specified"),
            "latitude" | "longitude" => ApiError::bad(format!("{name} is empty")),
            "callback_query_id" | "inline_query_id" | "pre_checkout_query_id" => stale_query(),
            _ => ApiError::bad(format!("parameter \"{name}\" is required")),
        }
    }

    fn check_type(&self, value: &Value) -> ApiResult<()> {
        if self.types.iter().any(|kind| fits(kind, value)) || LENIENT.contains(&self.name.as_str()) {
            return Ok(());
        }
        let name = &self.name;
        let garbled = matches!(value, Value::String(text) if serde_json::from_str::<Value>(text).is_err());
        Err(match self.types.first().map(String::as_str) {
            Some("Integer") if name.ends_with("chat_id") => ApiError::bad("chat not found"),
            Some(kind @ ("Integer" | "Float" | "Boolean" | "String")) => {
                ApiError::bad(format!("parameter \"{name}\" must be of type {kind}"))
            }
            _ if name == "reply_markup" && garbled => ApiError::bad("can't parse reply keyboard markup JSON object"),
            _ if name == "reply_markup" => ApiError::bad("object expected as reply markup"),
            _ if name == "link_preview_options" && !garbled => ApiError::bad("object expected as link preview options"),
            _ if name == "scope" && garbled => ApiError::bad("can't parse BotCommandScope JSON object"),
            _ if name == "scope" => ApiError::bad("can't parse BotCommandScope: BotCommandScope must be an Object"),
            _ if name == "reaction" && garbled => ApiError::bad("can't parse reaction types JSON object"),
            _ if name == "reaction" => ApiError::bad("expected an Array of ReactionType"),
            _ if name == "message_ids" && garbled => ApiError::bad("can't parse message_ids JSON object"),
            _ if name == "message_ids" => ApiError::bad("expected an Array of message identifiers"),
            _ if name == "commands" && !garbled => ApiError::bad("expected an Array of BotCommand"),
            _ if name == "media" && self.types.iter().any(|kind| kind.starts_with('[')) && !garbled => {
                ApiError::bad("expected an Array of InputMedia")
            }
            _ => ApiError::bad(format!("can't parse {} JSON object", name.replace('_', " "))),
        })
    }

    fn check_limit(&self, value: &Value) -> ApiResult<()> {
        let Some((unit, least, most)) = &self.limit else {
            return Ok(());
        };
        let name = &self.name;
        // Texts and captions are measured after parsing; numbers are clamped by the methods.
        if matches!(name.as_str(), "text" | "caption") && unit == "characters" || unit == "value" {
            return Ok(());
        }
        let size = match (unit.as_str(), value) {
            ("characters", Value::String(text)) => text.encode_utf16().count(),
            ("bytes", Value::String(text)) => text.len(),
            ("items", value) => match as_json(value).as_deref() {
                Some(Value::Array(items)) => items.len(),
                _ => return Ok(()),
            },
            _ => return Ok(()),
        } as u64;
        if size > *most {
            return Err(match name.as_str() {
                "message_ids" => ApiError::bad("too many message identifiers specified"),
                "media" => ApiError::bad("too many messages to send as an album"),
                "secret_token" => ApiError::bad("secret token is too long"),
                _ => ApiError::bad(format!("parameter \"{name}\" is too long")),
            });
        }
        if size < *least {
            return Err(match name.as_str() {
                "message_ids" => ApiError::bad("message identifiers are not specified"),
                "media" => ApiError::bad("too few messages to send as an album"),
                _ => ApiError::bad(format!("parameter \"{name}\" is too short")),
            });
        }
        Ok(())
    }
}

/// The refusal of a query id that is unknown, answered or too old.
pub(crate) fn stale_query() -> ApiError {
    ApiError::bad("query is too old and response timeout expired or query ID is invalid")
}

/// Whether a value can be taken as the type. Text forms count: most requests are forms.
fn fits(kind: &str, value: &Value) -> bool {
    match (kind, value) {
        ("String" | "InputFile", Value::String(_) | Value::Number(_)) => true,
        ("Integer", Value::Number(number)) => number.is_i64(),
        ("Integer", Value::String(text)) => text.trim().parse::<i64>().is_ok(),
        ("Float", Value::Number(_)) => true,
        ("Float", Value::String(text)) => text.trim().parse::<f64>().is_ok_and(f64::is_finite),
        ("Boolean", Value::Bool(_)) => true,
        ("Boolean", Value::String(text)) => {
            matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "1" | "0" | "yes" | "no")
        }
        ("Boolean", Value::Number(number)) => matches!(number.as_i64(), Some(0 | 1)),
        ("String" | "InputFile" | "Integer" | "Float" | "Boolean", _) => false,
        (kind, value) if kind.starts_with('[') => as_json(value).is_some_and(|value| value.is_array()),
        (_, value) => as_json(value).is_some_and(|value| value.is_object()),
    }
}

/// A value that may have come as JSON text.
fn as_json(value: &Value) -> Option<std::borrow::Cow<'_, Value>> {
    match value {
        Value::String(text) => serde_json::from_str(text).ok().map(std::borrow::Cow::Owned),
        other => Some(std::borrow::Cow::Borrowed(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn try_call(method: &str, values: Value) -> ApiResult<()> {
        let method = Schema::get().unwrap().method(method).unwrap();
        let Value::Object(values) = values else { panic!("an object is needed") };
        check(method, &Args::from_values(values))
    }

    fn refusal(method: &str, values: Value) -> String {
        try_call(method, values).unwrap_err().description
    }

    #[test]
    fn the_table_has_the_whole_bot_api() {
        let schema = Schema::get().unwrap();
        assert_eq!(schema.version, "10.3");
        assert_eq!(schema.methods().len(), 185);
        assert_eq!(schema.method("SENDMESSAGE").unwrap().name, "sendMessage");
    }

    #[test]
    fn required_parameters_are_missed() {
        assert_eq!(refusal("sendMessage", json!({ "text": "a" })), "Bad Request: chat_id is empty");
        assert_eq!(refusal("sendMessage", json!({ "chat_id": 1, "text": "" })), "Bad Request: message text is empty");
        assert_eq!(refusal("sendPhoto", json!({ "chat_id": 1 })), "Bad Request: there is no photo in the request");
    }

    #[test]
    fn types_are_checked_in_json_and_text_form() {
        assert!(try_call("sendMessage", json!({ "chat_id": "1", "text": "a" })).is_ok());
        assert!(try_call("sendMessage", json!({ "chat_id": 1, "text": 5 })).is_ok());
        assert_eq!(
            refusal("sendMessage", json!({ "chat_id": 1, "text": "a", "reply_markup": "x" })),
            "Bad Request: can't parse reply keyboard markup JSON object"
        );
        assert!(try_call("sendMessage", json!({ "chat_id": 1, "text": "a", "entities": "x" })).is_ok(), "passed over");
        assert_eq!(
            refusal("sendLocation", json!({ "chat_id": 1, "latitude": "x", "longitude": 1 })),
            "Bad Request: parameter \"latitude\" must be of type Float"
        );
    }

    #[test]
    fn sizes_are_checked() {
        let ids: Vec<u8> = (0..101).collect();
        assert_eq!(
            refusal("deleteMessages", json!({ "chat_id": 1, "message_ids": ids })),
            "Bad Request: too many message identifiers specified"
        );
        assert_eq!(refusal("setMyName", json!({ "name": "я".repeat(65) })), "Bad Request: parameter \"name\" is too long");
        assert!(try_call("setMyName", json!({ "name": "я".repeat(64) })).is_ok());
    }
}
