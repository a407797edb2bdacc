//! One update: what it tells, how long it lives, and behind which others it queues.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An update that waits for the bot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Update {
    pub(crate) id: i64,
    /// Clock seconds after which Telegram would drop it.
    pub(crate) expires: i64,
    /// Webhook deliveries with the same key keep their order.
    pub(crate) key: i64,
    /// The whole JSON object, serialised once.
    pub(crate) body: Arc<str>,
}

/// An update before it has an id.
pub(crate) struct NewUpdate {
    pub(crate) kind: &'static str,
    /// The chat of a message or a membership, the person of a query.
    pub(crate) of: i64,
    pub(crate) payload: Value,
}

impl NewUpdate {
    /// How long Telegram keeps updates of this kind, in seconds (telegram-bot-api, `Client.cpp`).
    pub(crate) fn lifetime(&self) -> i64 {
        match self.kind {
            "callback_query" | "shipping_query" | "pre_checkout_query" => 150,
            "chosen_inline_result" => 600,
            "inline_query" => 30,
            _ => 24 * 3600,
        }
    }

    /// The queue within which deliveries keep their order: messages by chat, queries by person, the rest apart (`webhook_queue_id` of
    /// telegram-bot-api, `Client.cpp`).
    pub(crate) fn key(&self) -> i64 {
        let family: i64 = match self.kind {
            "inline_query" => 1,
            "chosen_inline_result" => 2,
            "callback_query" => 3,
            "shipping_query" | "pre_checkout_query" => 4,
            "my_chat_member" => 5,
            "chat_member" => 6,
            _ => 0,
        };
        self.of + (family << 33)
    }

    /// The update with its id.
    pub(crate) fn numbered(&self, id: i64, expires: i64) -> Update {
        let body = format!("{{\"update_id\":{id},\"{}\":{}}}", self.kind, self.payload);
        Update { id, expires, key: self.key(), body: body.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(kind: &'static str, of: i64) -> NewUpdate {
        NewUpdate { kind, of, payload: Value::Null }
    }

    #[test]
    fn kinds_live_for_different_times() {
        let lifetime = |kind| update(kind, 1).lifetime();
        assert_eq!(["message", "edited_message", "my_chat_member"].map(lifetime), [86_400; 3]);
        assert_eq!(["callback_query", "pre_checkout_query", "shipping_query"].map(lifetime), [150; 3]);
        assert_eq!(["inline_query", "chosen_inline_result"].map(lifetime), [30, 600]);
    }

    #[test]
    fn taps_and_memberships_queue_apart_from_messages() {
        let key = |kind, of| update(kind, of).key();
        assert_eq!(key("message", 5), key("edited_message", 5));
        assert_ne!(key("message", 5), key("message", 6));
        let kinds = ["message", "callback_query", "inline_query", "my_chat_member", "chat_member", "pre_checkout_query"];
        let keys: std::collections::BTreeSet<_> = kinds.map(|kind| key(kind, 5)).into_iter().collect();
        assert_eq!(keys.len(), kinds.len());
    }
}
