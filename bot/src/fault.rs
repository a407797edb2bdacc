//! What a failed call means. The descriptions are the Bot API server's own (telegram-bot-api, `Client.cpp`).

use std::time::Duration;

use fitter_domain::ids::ChatId;

/// A refusal by Telegram itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Its code, HTTP-like.
    pub code: u16,
    /// In English.
    pub description: String,
    /// Not before this.
    pub retry_after: Option<Duration>,
    /// The group has this number now.
    pub migrate_to: Option<i64>,
}

/// Why a call failed. No variant holds an address, for addresses hold the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// Telegram said no.
    #[error("Telegram refused ({}): {}", .0.code, .0.description)]
    Refused(Refusal),
    /// No connection: nothing was sent.
    #[error("Telegram cannot be reached: {0}")]
    Unreachable(String),
    /// Sent, but the answer did not come: nobody knows whether it was done.
    #[error("no answer from Telegram: {0}")]
    NoAnswer(String),
    /// An answer of something that is not the Bot API, or not one that can be read.
    #[error("odd answer ({status}): {what}")]
    Odd {
        /// HTTP status.
        status: u16,
        /// What about it.
        what: String,
    },
    /// More bytes than allowed.
    #[error("larger than {cap} bytes")]
    TooBig {
        /// How many are allowed.
        cap: usize,
    },
    /// The client cannot be made: token or address.
    #[error("{0}")]
    Unusable(String),
}

impl ApiError {
    /// An error of the HTTP client, without its address.
    #[must_use]
    pub fn network(error: reqwest::Error) -> Self {
        let (connect, builder) = (error.is_connect(), error.is_builder());
        let error = error.without_url();
        // The cause ("connection refused", "operation timed out") stands in the sources.
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(inner) = cause {
            text = format!("{text}: {inner}");
            cause = inner.source();
        }
        match (connect, builder) {
            (true, _) => Self::Unreachable(text),
            (_, true) => Self::Unusable(text),
            _ => Self::NoAnswer(text),
        }
    }

    /// What it means for the sender.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Refused(refusal) => refusal.fault(),
            Self::Unreachable(_) => Fault::Retry,
            Self::NoAnswer(_) => Fault::Uncertain,
            Self::Odd { status: 200..=299, .. } => Fault::Uncertain,
            Self::Odd { status: 413, .. } | Self::TooBig { .. } | Self::Unusable(_) => Fault::Rejected,
            // A proxy or captive portal on the way: Telegram saw nothing, or was itself unwell.
            Self::Odd { .. } => Fault::Retry,
        }
    }
}

/// What to do about a failed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// An edit that changes nothing: as good as done.
    NotModified,
    /// An answer to a tap that nobody waits for any more: as good as done.
    TooOld,
    /// Not before this: the chat is full, or the whole bot.
    Wait(Duration),
    /// The person does not want to hear from the bot, or is gone.
    Blocked,
    /// The group has a new number.
    Migrated(ChatId),
    /// The message to change is not there or cannot be changed any more.
    Gone,
    /// A text was to be changed where a picture stands, or the other way round.
    OtherKind,
    /// The formatting is refused: try plain text.
    Formatting,
    /// The file id is refused: upload anew.
    StaleFile,
    /// The topic is closed or gone.
    NoTopic,
    /// The token is revoked or wrong.
    Unauthorized,
    /// Nothing was done; later it may be.
    Retry,
    /// Nobody knows whether it was done.
    Uncertain,
    /// Refused for good.
    Rejected,
}

impl Fault {
    /// For the metric's label.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotModified => "not_modified",
            Self::TooOld => "too_old",
            Self::Wait(_) => "wait",
            Self::Blocked => "blocked",
            Self::Migrated(_) => "migrated",
            Self::Gone => "gone",
            Self::OtherKind => "other_kind",
            Self::Formatting => "formatting",
            Self::StaleFile => "stale_file",
            Self::NoTopic => "no_topic",
            Self::Unauthorized => "unauthorized",
            Self::Retry => "retry",
            Self::Uncertain => "uncertain",
            Self::Rejected => "rejected",
        }
    }
}

/// Parts of descriptions, lower case, and what they mean; the first that fits counts.
const MEANINGS: [(&str, Fault); 25] = [
    ("message is not modified", Fault::NotModified),
    ("query is too old", Fault::TooOld),
    ("query id is invalid", Fault::TooOld),
    ("query_id_invalid", Fault::TooOld),
    ("message to edit not found", Fault::Gone),
    ("message to delete not found", Fault::Gone),
    ("message can't be edited", Fault::Gone),
    ("message_id_invalid", Fault::Gone),
    ("message identifier is not specified", Fault::Gone),
    ("there is no text in the message to edit", Fault::OtherKind),
    ("there is no caption in the message to edit", Fault::OtherKind),
    ("there is no media in the message to edit", Fault::OtherKind),
    ("can't parse entities", Fault::Formatting),
    ("can't parse entity", Fault::Formatting),
    ("entity_", Fault::Formatting),
    ("entities_", Fault::Formatting),
    ("wrong file identifier", Fault::StaleFile),
    ("wrong remote file", Fault::StaleFile),
    ("file_reference_", Fault::StaleFile),
    ("message thread not found", Fault::NoTopic),
    ("topic_closed", Fault::NoTopic),
    ("topic_deleted", Fault::NoTopic),
    ("user is deactivated", Fault::Blocked),
    ("chat not found", Fault::Blocked),
    ("peer_id_invalid", Fault::Blocked),
];

impl Refusal {
    fn fault(&self) -> Fault {
        if let Some(chat) = self.migrate_to {
            return Fault::Migrated(ChatId(chat));
        }
        if let Some(wait) = self.retry_after {
            return Fault::Wait(wait);
        }
        let text = self.description.to_lowercase();
        if let Some((_, fault)) = MEANINGS.iter().find(|(part, _)| text.contains(part)) {
            return *fault;
        }
        match self.code {
            429 => Fault::Wait(Duration::from_secs(1)),
            401 => Fault::Unauthorized,
            // A malformed token gives a bare "Not Found"; an unknown method says so.
            404 if text == "not found" => Fault::Unauthorized,
            403 => Fault::Blocked,
            500.. => Fault::Retry,
            _ => Fault::Rejected,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(code: u16, description: &str) -> Fault {
        ApiError::Refused(Refusal { code, description: description.to_owned(), retry_after: None, migrate_to: None }).fault()
    }

    #[test]
    fn descriptions_of_the_bot_api_server() {
        let table = [
            (
                400,
                "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
                Fault::NotModified,
            ),
            (400, "Bad Request: query is too old and response timeout expired or query ID is invalid", Fault::TooOld),
            (400, "Bad Request: QUERY_ID_INVALID", Fault::TooOld),
            (403, "Forbidden: bot was blocked by the user", Fault::Blocked),
            (403, "Forbidden: user is deactivated", Fault::Blocked),
            (403, "Forbidden: bot can't initiate conversation with a user", Fault::Blocked),
            (403, "Forbidden: bot was kicked from the supergroup chat", Fault::Blocked),
            (400, "Bad Request: message to edit not found", Fault::Gone),
            (400, "Bad Request: message can't be edited", Fault::Gone),
            (400, "Bad Request: MESSAGE_ID_INVALID", Fault::Gone),
            (400, "Bad Request: there is no text in the message to edit", Fault::OtherKind),
            (400, "Bad Request: there is no caption in the message to edit", Fault::OtherKind),
            (400, "Bad Request: can't parse entities: Can't find end of the entity starting at byte offset 7", Fault::Formatting),
            (400, "Bad Request: ENTITY_BOUNDS_INVALID", Fault::Formatting),
            (400, "Bad Request: wrong file identifier/HTTP URL specified", Fault::StaleFile),
            (400, "Bad Request: wrong remote file identifier specified: Wrong padding in the string", Fault::StaleFile),
            (400, "Bad Request: message to be replied not found", Fault::Rejected),
            (400, "Bad Request: chat not found", Fault::Blocked),
            (400, "Bad Request: message thread not found", Fault::NoTopic),
            (400, "Bad Request: TOPIC_CLOSED", Fault::NoTopic),
            (400, "Bad Request: chat_id is empty", Fault::Rejected),
            (400, "Bad Request: message text is empty", Fault::Rejected),
            (400, "Bad Request: BUTTON_DATA_INVALID", Fault::Rejected),
            (400, "Bad Request: Text is too long", Fault::Rejected),
            (401, "Unauthorized", Fault::Unauthorized),
            (404, "Not Found", Fault::Unauthorized),
            (404, "Not Found: method not found", Fault::Rejected),
            (413, "Request Entity Too Large", Fault::Rejected),
            (429, "Too Many Requests", Fault::Wait(Duration::from_secs(1))),
            (500, "Internal Server Error", Fault::Retry),
            (502, "Bad Gateway", Fault::Retry),
        ];
        for (code, description, expected) in table {
            assert_eq!(fault(code, description), expected, "{description}");
        }
    }

    #[test]
    fn parameters_come_before_words() {
        let refusal = |retry_after: Option<u64>, migrate_to| {
            let retry_after = retry_after.map(Duration::from_secs);
            ApiError::Refused(Refusal { code: 400, description: "Bad Request: x".to_owned(), retry_after, migrate_to }).fault()
        };
        assert_eq!(refusal(Some(7), None), Fault::Wait(Duration::from_secs(7)));
        assert_eq!(refusal(None, Some(-1005)), Fault::Migrated(ChatId(-1005)));
    }

    #[test]
    fn a_proxy_does_not_block_anybody() {
        let odd = |status| ApiError::Odd { status, what: String::new() }.fault();
        assert_eq!((odd(403), odd(502), odd(200), odd(413)), (Fault::Retry, Fault::Retry, Fault::Uncertain, Fault::Rejected));
        assert_eq!(ApiError::Unreachable(String::new()).fault(), Fault::Retry);
        assert_eq!(ApiError::NoAnswer(String::new()).fault(), Fault::Uncertain);
    }
}
