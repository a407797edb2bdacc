//! A [`Screen`] as messages: text cut to Telegram's limits, formatting as entities, never as markup.

use fitter_domain::rich::{CAPTION_LIMIT, Formatted, Rich, TEXT_LIMIT, flatten, split, utf16_len};
use fitter_domain::screen::{Button, Media, Press, Screen, Style};
use fitter_domain::{ids::ChatId, rich::Node};
use serde_json::{Map, Value, json};

/// Pictures in an album at most (Bot API: `sendMediaGroup`).
const ALBUM_LIMIT: usize = 10;
/// Buttons under a message at most; Telegram refuses more.
const BUTTON_LIMIT: usize = 100;
/// Bytes of callback data (Bot API: `InlineKeyboardButton`).
const DATA_LIMIT: usize = 64;
/// Characters of a text to copy (Bot API: `CopyTextButton`).
const COPY_LIMIT: usize = 256;
/// Characters of a placeholder (Bot API: `ForceReply`).
const PLACEHOLDER_LIMIT: usize = 64;

/// One call that makes one message, or the messages of an album.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// A text.
    Text {
        /// The text.
        text: Formatted,
        /// `reply_markup`, on the last part only.
        markup: Option<Value>,
    },
    /// A picture.
    Photo {
        /// The picture.
        media: Media,
        /// Its caption, may be empty.
        caption: Formatted,
        /// `reply_markup`, on the last part only.
        markup: Option<Value>,
    },
    /// 2 to 10 pictures.
    Album {
        /// The pictures.
        media: Vec<Media>,
    },
}

/// Where messages go, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct To {
    /// Which chat.
    pub chat: ChatId,
    /// Which topic of it.
    pub thread: Option<i64>,
    /// Without a sound.
    pub silent: bool,
}

impl To {
    /// The parameters that every message has.
    #[must_use]
    pub fn params(self) -> Map<String, Value> {
        let mut params = Map::new();
        params.insert("chat_id".to_owned(), self.chat.0.into());
        if let Some(thread) = self.thread {
            params.insert("message_thread_id".to_owned(), thread.into());
        }
        if self.silent {
            params.insert("disable_notification".to_owned(), true.into());
        }
        params
    }
}

/// The messages of a screen in the order in which they are sent; the last one has the buttons. Empty if there is nothing to show.
#[must_use]
pub fn parts(screen: &Screen) -> Vec<Part> {
    let body = flatten(&screen.body);
    let markup = markup(screen);
    let mut parts = Vec::new();
    let texts = match screen.media.as_slice() {
        [] => split(&body, TEXT_LIMIT, TEXT_LIMIT),
        [media] => {
            let mut captions = split(&body, CAPTION_LIMIT, TEXT_LIMIT);
            if captions.len() <= 1 {
                let caption = captions.pop().unwrap_or_default();
                return vec![Part::Photo { media: media.clone(), caption, markup }];
            }
            parts.push(Part::Photo { media: media.clone(), caption: Formatted::default(), markup: None });
            split(&body, TEXT_LIMIT, TEXT_LIMIT)
        }
        media => {
            parts.extend(albums(media));
            let texts = split(&body, TEXT_LIMIT, TEXT_LIMIT);
            // An album cannot have buttons, and a message cannot be without text.
            if texts.is_empty() && markup.is_some() { vec![Formatted { text: "⬆".to_owned(), entities: Vec::new() }] } else { texts }
        }
    };
    parts.extend(texts.into_iter().map(|text| Part::Text { text, markup: None }));
    if let Some(Part::Text { markup: last, .. }) = parts.last_mut() {
        *last = markup;
    }
    parts
}

/// Albums of equal size: eleven pictures are six and five, never ten and a lonely one.
fn albums(media: &[Media]) -> impl Iterator<Item = Part> {
    let count = media.len().div_ceil(ALBUM_LIMIT).max(1);
    media.chunks(media.len().div_ceil(count).max(1)).map(|media| Part::Album { media: media.to_vec() })
}

/// Inline keyboard, else a forced reply with a placeholder, else nothing.
#[must_use]
pub fn markup(screen: &Screen) -> Option<Value> {
    keyboard(&screen.buttons).or_else(|| {
        let placeholder = cut(&words(screen.ask.as_ref()?), PLACEHOLDER_LIMIT);
        Some(if placeholder.is_empty() {
            json!({"force_reply": true})
        } else {
            json!({"force_reply": true, "input_field_placeholder": placeholder})
        })
    })
}

/// Inline keyboard. A button that Telegram would refuse, and the whole message with it, is left out and reported.
#[must_use]
pub fn keyboard(rows: &[Vec<Button>]) -> Option<Value> {
    let mut left = BUTTON_LIMIT;
    let rows: Vec<Vec<Value>> = rows
        .iter()
        .map(|row| {
            let row: Vec<Value> = row.iter().filter_map(button).take(left).collect();
            left -= row.len();
            row
        })
        .filter(|row| !row.is_empty())
        .collect();
    (!rows.is_empty()).then(|| json!({"inline_keyboard": rows}))
}

fn button(button: &Button) -> Option<Value> {
    let label = words(&button.label);
    let (good, key, value) = match &button.press {
        Press::Callback(data) => ((1..=DATA_LIMIT).contains(&data.len()), "callback_data", json!(data)),
        Press::Url(url) => (url::Url::parse(url).is_ok_and(|u| matches!(u.scheme(), "http" | "https" | "tg")), "url", json!(url)),
        Press::Copy(text) => ((1..=COPY_LIMIT).contains(&utf16_len(text)), "copy_text", json!({"text": text})),
    };
    if !good || label.trim().is_empty() {
        tracing::error!(kind = key, "a button that Telegram would refuse was left out");
        return None;
    }
    let style = match button.style {
        Style::Plain => None,
        Style::Primary => Some("primary"),
        Style::Danger => Some("danger"),
    };
    let parts = [("text", Some(Value::from(label))), (key, Some(value)), ("style", style.map(Value::from))];
    Some(parts.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect::<Map<_, _>>().into())
}

fn words(node: &Node) -> String {
    Rich(vec![node.clone()]).plain()
}

/// At most `limit` characters.
fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests;
