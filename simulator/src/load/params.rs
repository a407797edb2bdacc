//! Reading a call's parameters: JSON, a form, or a form with files. Only what the load server looks at.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::crowd::Button;

/// Parameters of any method; those of JSON point into the request.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Params<'a> {
    #[serde(borrow)]
    chat_id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) text: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) caption: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) reply_markup: Option<&'a RawValue>,
    #[serde(borrow)]
    message_id: Option<&'a RawValue>,
    #[serde(borrow)]
    offset: Option<&'a RawValue>,
    #[serde(borrow)]
    limit: Option<&'a RawValue>,
    #[serde(borrow)]
    timeout: Option<&'a RawValue>,
    #[serde(borrow)]
    max_connections: Option<&'a RawValue>,
    #[serde(borrow)]
    media: Option<&'a RawValue>,
    pub(super) callback_query_id: Option<Cow<'a, str>>,
    pub(super) url: Option<Cow<'a, str>>,
    pub(super) secret_token: Option<Cow<'a, str>>,
    pub(super) file_id: Option<Cow<'a, str>>,
}

/// A number, also one in quotes as forms have it.
fn number(raw: Option<&RawValue>) -> Option<i64> {
    raw?.get().trim_matches('"').parse().ok()
}

impl Params<'_> {
    pub(super) fn chat(&self) -> Option<i64> {
        number(self.chat_id)
    }

    pub(super) fn message(&self) -> Option<i64> {
        number(self.message_id)
    }

    pub(super) fn offset(&self) -> Option<i64> {
        number(self.offset)
    }

    pub(super) fn limit(&self) -> usize {
        number(self.limit).and_then(|limit| usize::try_from(limit).ok()).filter(|limit| (1..=100).contains(limit)).unwrap_or(100)
    }

    /// Seconds.
    pub(super) fn timeout(&self) -> u64 {
        number(self.timeout).and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(0).min(50)
    }

    pub(super) fn max_connections(&self) -> usize {
        number(self.max_connections).and_then(|most| usize::try_from(most).ok()).filter(|most| (1..=100).contains(most)).unwrap_or(40)
    }

    /// How many pictures an album has.
    pub(super) fn pictures(&self) -> usize {
        let count = |raw: &RawValue| nested::<Vec<Value>>(raw).map(|media| media.len());
        self.media.and_then(count).unwrap_or(1)
    }

    /// Whether there are buttons that answer.
    pub(super) fn has_buttons(&self) -> bool {
        self.reply_markup.is_some_and(|markup| markup.get().contains("callback_data"))
    }
}

/// A value that JSON holds as it is and forms hold as text.
fn nested<T: for<'de> Deserialize<'de>>(raw: &RawValue) -> Option<T> {
    if raw.get().starts_with('"') {
        serde_json::from_str(&serde_json::from_str::<String>(raw.get()).ok()?).ok()
    } else {
        serde_json::from_str(raw.get()).ok()
    }
}

/// The buttons of a stored `reply_markup`.
pub(super) fn buttons(markup: &str) -> Vec<Button> {
    #[derive(Deserialize)]
    struct Markup {
        #[serde(default)]
        inline_keyboard: Vec<Vec<Button>>,
    }
    let markup = serde_json::from_str::<&RawValue>(markup).ok().and_then(nested::<Markup>);
    markup.map(|markup| markup.inline_keyboard.into_iter().flatten().collect()).unwrap_or_default()
}

/// The body as JSON: itself, or an object of a form's fields without its files.
pub(super) fn as_json<'a>(kind: &str, body: &'a [u8]) -> Cow<'a, [u8]> {
    let fields: serde_json::Map<String, Value> = if kind.starts_with("application/x-www-form-urlencoded") {
        url::form_urlencoded::parse(body).map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect()
    } else if let Some(boundary) = kind.strip_prefix("multipart/form-data").and_then(|kind| kind.split_once("boundary=")) {
        fields(body, boundary.1.trim_matches('"'))
    } else if body.is_empty() {
        return Cow::Borrowed(b"{}");
    } else {
        return Cow::Borrowed(body);
    };
    Cow::Owned(Value::Object(fields).to_string().into_bytes())
}

/// The parts that are texts. Files are skipped, not understood: their bytes cannot hold the boundary.
fn fields(body: &[u8], boundary: &str) -> serde_json::Map<String, Value> {
    let text = String::from_utf8_lossy(body);
    let part = |part: &str| {
        let (head, value) = part.split_once("\r\n\r\n")?;
        let (_, name) = head.split_once("name=\"")?;
        let (name, rest) = name.split_once('"')?;
        let is_text = !rest.contains("filename");
        is_text.then(|| (name.to_owned(), Value::String(value.trim_end_matches("\r\n").to_owned())))
    };
    text.split(&format!("--{boundary}")).filter_map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T>(kind: &str, body: &str, look: impl FnOnce(&Params<'_>) -> T) -> T {
        look(&serde_json::from_slice(&as_json(kind, body.as_bytes())).unwrap())
    }

    #[test]
    fn the_same_call_in_three_forms() {
        let look = |params: &Params<'_>| {
            let markup = params.reply_markup.map(RawValue::get).unwrap_or_default();
            (params.chat(), params.has_buttons(), buttons(markup), params.pictures())
        };
        let button = Button { text: "Да".to_owned(), callback_data: Some("ok".to_owned()) };
        let expected = (Some(7), true, vec![button], 2);
        let json = r#"{"chat_id":7,"text":"a","reply_markup":{"inline_keyboard":[[{"text":"Да","callback_data":"ok"}]]},"media":[{},{}]}"#;
        assert_eq!(read("application/json", json, look), expected);
        let markup = r#"{"inline_keyboard":[[{"text":"Да","callback_data":"ok"}]]}"#;
        let form: String = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("chat_id", "7"), ("reply_markup", markup), ("media", "[{},{}]")])
            .finish();
        assert_eq!(read("application/x-www-form-urlencoded", &form, look), expected);
        let parts = [("chat_id", "7"), ("reply_markup", markup), ("media", "[{},{}]")];
        let mut multi: String = parts
            .iter()
            .map(|(name, value)| format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"))
            .collect();
        multi += "--b\r\nContent-Disposition: form-data; name=\"p\"; filename=\"p.jpg\"\r\n\r\n\u{fffd}PNG\r\n--b--\r\n";
        assert_eq!(read("multipart/form-data; boundary=b", &multi, look), expected);
    }

    #[test]
    fn what_is_missing_has_its_default() {
        assert_eq!(read("", "", |params| (params.chat(), params.limit(), params.timeout(), params.max_connections())), (None, 100, 0, 40));
        let body = r#"{"limit":3,"timeout":"30","offset":-1}"#;
        assert_eq!(read("", body, |params| (params.limit(), params.timeout(), params.offset())), (3, 30, Some(-1)));
    }
}
