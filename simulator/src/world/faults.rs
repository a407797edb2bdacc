//! Failures that a test asked for.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use super::lock;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum FaultKind {
    /// Too many requests.
    #[serde(rename = "429")]
    TooMany,
    /// Telegram's own failure.
    #[serde(rename = "500")]
    Internal,
    /// The person blocked the bot.
    #[serde(rename = "403")]
    Forbidden,
    /// No answer ever comes; the call was not processed.
    #[serde(rename = "timeout")]
    Timeout,
    /// The call is processed, then the connection breaks.
    #[serde(rename = "drop_after")]
    DropAfter,
}

/// A fault as `/sim/faults` takes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Fault {
    #[serde(default)]
    pub(crate) id: u64,
    /// Only calls of this method; case does not matter.
    pub(crate) method: Option<String>,
    /// Only calls whose request has this text.
    pub(crate) contains: Option<String>,
    #[serde(default = "once")]
    pub(crate) times: u64,
    pub(crate) kind: FaultKind,
    pub(crate) retry_after: Option<u64>,
}

fn once() -> u64 {
    1
}

/// The faults that are still to happen.
#[derive(Default)]
pub(crate) struct Faults {
    /// Saves the lock on every call when no fault is set.
    any: AtomicBool,
    list: Mutex<(u64, Vec<Fault>)>,
}

impl Faults {
    pub(crate) fn add(&self, mut fault: Fault) -> u64 {
        let mut list = lock(&self.list);
        list.0 += 1;
        fault.id = list.0;
        list.1.push(fault);
        self.any.store(true, Ordering::SeqCst);
        list.0
    }

    pub(crate) fn clear(&self) {
        lock(&self.list).1.clear();
        self.any.store(false, Ordering::SeqCst);
    }

    pub(crate) fn all(&self) -> Vec<Fault> {
        lock(&self.list).1.clone()
    }

    /// Takes one use of the first fault that fits the call.
    pub(crate) fn take(&self, method: &str, request: &str) -> Option<Fault> {
        if !self.any.load(Ordering::SeqCst) {
            return None;
        }
        let mut list = lock(&self.list);
        let index = list.1.iter().position(|fault| {
            // A poll is hit only by name: it would take every fault meant for another call.
            fault.method.as_deref().map_or(method != "getUpdates", |wanted| wanted.eq_ignore_ascii_case(method))
                && fault.contains.as_deref().is_none_or(|text| request.contains(text))
        })?;
        let fault = list.1.get_mut(index)?;
        fault.times = fault.times.saturating_sub(1);
        let taken = fault.clone();
        if taken.times == 0 {
            list.1.remove(index);
        }
        self.any.store(!list.1.is_empty(), Ordering::SeqCst);
        Some(taken)
    }
}
