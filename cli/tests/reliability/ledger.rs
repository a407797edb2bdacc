//! Every call that Telegram got, read from the simulator while it happens: it keeps the newest calls only.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fitter_testkit::Telegram;
use serde_json::{Value, json};
use tokio::task::AbortHandle;

/// How often it is read.
const LOOK: Duration = Duration::from_millis(400);
/// The simulator keeps so many calls: far more than come between two looks.
const KEPT: u64 = 50_000;

/// One call of the Bot API, without what the audit does not need: there are many.
#[derive(Debug, Clone)]
pub struct Call {
    /// Its number.
    pub seq: u64,
    /// Its method.
    pub method: String,
    /// The chat it is about; 0 if it names none.
    pub chat: i64,
    /// Text or caption.
    pub text: String,
    /// The tap it answers.
    pub tap: String,
    /// Whether Telegram did it, or would have had nothing to change.
    pub done: bool,
    /// The code with which Telegram said no; 0 if it did not.
    pub refused: u64,
}

impl Call {
    fn read(call: &Value) -> Self {
        let text = |pointer: &str| call.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let number = |pointer: &str| call.pointer(pointer).and_then(Value::as_u64).unwrap_or_default();
        let chat = call.pointer("/request/chat_id").and_then(|chat| chat.as_i64().or_else(|| chat.as_str()?.parse().ok()));
        let ok = call.pointer("/response/ok").and_then(Value::as_bool) == Some(true);
        Self {
            seq: number("/seq"),
            method: text("/method"),
            chat: chat.unwrap_or_default(),
            text: if call.pointer("/request/text").is_some() { text("/request/text") } else { text("/request/caption") },
            tap: text("/request/callback_query_id"),
            done: ok || text("/response/description").contains("not modified"),
            refused: number("/response/error_code"),
        }
    }
}

/// The calls so far.
pub struct Ledger {
    calls: Arc<Mutex<Vec<Call>>>,
    reader: AbortHandle,
}

impl Ledger {
    /// Begins to read.
    pub async fn start(telegram: &Telegram) -> Self {
        telegram.post("calls", json!({"keep": KEPT})).await;
        let calls: Arc<Mutex<Vec<Call>>> = Arc::default();
        let (url, client, kept) = (telegram.url(), fitter_testkit::telegram::client(), Arc::clone(&calls));
        let reader = tokio::spawn(async move {
            loop {
                let after = last(&kept);
                let read = client.get(format!("{url}/sim/calls?after={after}&limit=100000")).send().await;
                if let Ok(answer) = read
                    && let Ok(Value::Array(new)) = answer.json().await
                {
                    keep(&kept, &new);
                }
                tokio::time::sleep(LOOK).await;
            }
        })
        .abort_handle();
        Self { calls, reader }
    }

    /// All calls, also the newest, in the order in which Telegram did them.
    pub async fn whole(&self, telegram: &Telegram) -> Vec<Call> {
        self.reader.abort();
        keep(&self.calls, &telegram.calls(last(&self.calls)).await);
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone();
        calls.sort_by_key(|call| call.seq);
        calls.dedup_by_key(|call| call.seq);
        calls
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// From where to read on. Calls that ran side by side may be written down in another order than they are numbered in.
fn last(calls: &Mutex<Vec<Call>>) -> u64 {
    let calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
    calls.last().map_or(0, |call| call.seq).saturating_sub(200)
}

fn keep(calls: &Mutex<Vec<Call>>, new: &[Value]) {
    calls.lock().unwrap_or_else(PoisonError::into_inner).extend(new.iter().map(Call::read));
}
