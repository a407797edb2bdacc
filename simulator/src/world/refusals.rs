//! Who was told to wait, and who did not: the ledger behind `GET /sim/violations`.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::lock;

/// Early calls that are kept word for word; all of them are counted.
const KEPT: usize = 10_000;
/// Methods that count under a chat's limit. Answers to taps, "typing…", drafts and questions do not (telegram-bot-api#648).
const COUNTED: [&str; 6] = ["send", "edit", "copy", "forward", "delete", "pin"];
/// Methods that begin like those but change no message.
const FREE: [&str; 8] = [
    "sendChatAction",
    "sendMessageDraft",
    "sendRichMessageDraft",
    "deleteMyCommands",
    "deleteWebhook",
    "deleteForumTopic",
    "editForumTopic",
    "editGeneralForumTopic",
];

/// What a refusal concerns.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Scope {
    /// Everything that counts under a chat's limit; the text of `chat_id`.
    Chat(String),
    /// The very same call again.
    Call(String),
}

/// A 429 that is not over yet.
struct Wait {
    method: &'static str,
    /// Clock milliseconds.
    at_ms: i64,
    retry_after: u64,
}

impl Wait {
    fn until_ms(&self) -> i64 {
        self.at_ms.saturating_add_unsigned(self.retry_after.saturating_mul(1000))
    }
}

/// The ledger of all bots.
#[derive(Default)]
pub(crate) struct Refusals {
    /// Saves the lock on every call while nobody was refused.
    any: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waits: HashMap<(i64, Scope), Wait>,
    refused: u64,
    early: u64,
    list: VecDeque<Value>,
}

/// A call as the ledger sees it.
pub(crate) struct Seen<'a> {
    pub(crate) bot: i64,
    pub(crate) method: &'static str,
    /// The text of `chat_id`.
    pub(crate) chat: Option<String>,
    pub(crate) request: &'a str,
}

impl Seen<'_> {
    fn scope(&self) -> Scope {
        let counted = COUNTED.iter().any(|verb| self.method.starts_with(verb)) && !FREE.contains(&self.method);
        match &self.chat {
            Some(chat) if counted => Scope::Chat(chat.clone()),
            _ => Scope::Call(format!("{} {}", self.method, self.request)),
        }
    }
}

impl Refusals {
    /// Books a call that arrived; it is early if what it concerns was refused and the time is not over.
    pub(crate) fn arrived(&self, call: &Seen<'_>, now_ms: i64) {
        if !self.any.load(Ordering::SeqCst) {
            return;
        }
        let mut state = lock(&self.state);
        let key = (call.bot, call.scope());
        let Some(wait) = state.waits.get(&key) else { return };
        let left = wait.until_ms() - now_ms;
        if left <= 0 {
            state.waits.remove(&key);
            return;
        }
        let view = json!({
            "at_ms": now_ms,
            "bot": call.bot,
            "chat_id": call.chat,
            "method": call.method,
            "early_by_ms": left,
            "refused": { "at_ms": wait.at_ms, "method": wait.method, "retry_after": wait.retry_after },
        });
        state.early += 1;
        if state.list.len() >= KEPT {
            state.list.pop_front();
        }
        state.list.push_back(view);
    }

    /// Books a 429 at the time it is answered.
    pub(crate) fn refused(&self, call: &Seen<'_>, retry_after: u64, now_ms: i64) {
        let mut state = lock(&self.state);
        state.refused += 1;
        let wait = Wait { method: call.method, at_ms: now_ms, retry_after };
        let known = state.waits.entry((call.bot, call.scope()));
        known
            .and_modify(|old| {
                if wait.until_ms() > old.until_ms() {
                    *old = Wait { ..wait }
                }
            })
            .or_insert(wait);
        self.any.store(true, Ordering::SeqCst);
    }

    /// `GET /sim/violations`.
    pub(crate) fn view(&self) -> Value {
        let state = lock(&self.state);
        json!({ "refused": state.refused, "early": state.early, "calls": state.list })
    }

    pub(crate) fn clear(&self) {
        *lock(&self.state) = State::default();
        self.any.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(method: &'static str, chat: &str, request: &'static str) -> Seen<'static> {
        Seen { bot: 1, method, chat: (!chat.is_empty()).then(|| chat.to_owned()), request }
    }

    #[test]
    fn a_chat_waits_and_nobody_else() {
        let refusals = Refusals::default();
        refusals.arrived(&call("sendMessage", "5", "a"), 0);
        refusals.refused(&call("sendMessage", "5", "a"), 3, 1000);
        refusals.arrived(&call("sendMessage", "6", "b"), 1001);
        refusals.arrived(&call("answerCallbackQuery", "", "c"), 1002);
        refusals.arrived(&call("sendChatAction", "5", "d"), 1003);
        assert_eq!(refusals.view()["early"], 0);
        refusals.arrived(&call("editMessageText", "5", "e"), 3999);
        refusals.arrived(&call("sendMessage", "5", "a"), 4000);
        let view = refusals.view();
        assert_eq!((&view["refused"], &view["early"]), (&json!(1), &json!(1)));
        assert_eq!(view["calls"][0]["early_by_ms"], 1);
        assert_eq!(view["calls"][0]["refused"]["retry_after"], 3);
    }

    #[test]
    fn without_a_chat_only_the_same_call_waits() {
        let refusals = Refusals::default();
        refusals.refused(&call("answerCallbackQuery", "", "one"), 2, 0);
        refusals.arrived(&call("answerCallbackQuery", "", "two"), 1);
        assert_eq!(refusals.view()["early"], 0);
        refusals.arrived(&call("answerCallbackQuery", "", "one"), 1);
        assert_eq!(refusals.view()["early"], 1);
    }

    #[test]
    fn a_shorter_refusal_does_not_end_a_longer_one() {
        let refusals = Refusals::default();
        refusals.refused(&call("sendMessage", "5", "a"), 10, 0);
        refusals.refused(&call("sendMessage", "5", "a"), 1, 0);
        refusals.arrived(&call("sendMessage", "5", "a"), 5000);
        assert_eq!(refusals.view()["early"], 1);
    }
}
