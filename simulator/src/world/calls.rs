//! The log of Bot API calls, the callback answers, and who is busy right now.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use serde_json::{Value, json};

use super::faults::Hit;
use super::lock;

/// Calls that are kept unless a test asks for more; older ones are dropped.
const KEPT: usize = 4000;

/// One Bot API call.
pub(crate) struct Call {
    pub(crate) seq: u64,
    /// Clock milliseconds.
    pub(crate) at_ms: i64,
    pub(crate) bot: String,
    pub(crate) method: &'static str,
    pub(crate) request: String,
    pub(crate) response: Bytes,
    pub(crate) ms: u64,
    /// The fault that hit it.
    pub(crate) fault: Option<Hit>,
}

impl Call {
    /// The JSON of `/sim/calls`.
    pub(crate) fn view(&self) -> Value {
        json!({
            "seq": self.seq,
            "at": rfc3339(self.at_ms),
            "bot": self.bot,
            "method": self.method,
            "request": serde_json::from_str::<Value>(&self.request).unwrap_or_default(),
            "response": serde_json::from_slice::<Value>(&self.response).unwrap_or_default(),
            "ms": self.ms,
            "fault": self.fault.as_ref().map(Hit::view),
        })
    }
}

/// A time as people read it.
fn rfc3339(ms: i64) -> String {
    chrono::DateTime::from_timestamp_millis(ms).map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)).unwrap_or_default()
}

/// The newest calls, and counters for `/sim/quiet`.
pub(crate) struct CallLog {
    calls: Mutex<VecDeque<Arc<Call>>>,
    keep: AtomicUsize,
    seq: AtomicU64,
    in_flight: AtomicI64,
    /// Counts beginnings and ends, so that a change is seen even between two looks.
    activity: AtomicU64,
}

impl Default for CallLog {
    fn default() -> Self {
        Self {
            calls: Mutex::default(),
            keep: AtomicUsize::new(KEPT),
            seq: AtomicU64::default(),
            in_flight: AtomicI64::default(),
            activity: AtomicU64::default(),
        }
    }
}

impl CallLog {
    /// Says how many calls to keep from now on.
    pub(crate) fn keep(&self, most: usize) {
        self.keep.store(most, Ordering::SeqCst);
    }

    /// Marks a call as begun until the guard is dropped.
    pub(crate) fn begin(&self) -> Busy<'_> {
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        self.activity.fetch_add(1, Ordering::SeqCst);
        Busy(self)
    }

    /// Whether no call runs, and how much has happened so far.
    pub(crate) fn activity(&self) -> (bool, u64) {
        (self.in_flight.load(Ordering::SeqCst) == 0, self.activity.load(Ordering::SeqCst))
    }

    pub(crate) fn next_seq(&self) -> u64 {
        self.seq.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn push(&self, call: Arc<Call>) {
        let most = self.keep.load(Ordering::Relaxed);
        let mut calls = lock(&self.calls);
        while calls.len() >= most.max(1) {
            calls.pop_front();
        }
        if most > 0 {
            calls.push_back(call);
        }
    }

    pub(crate) fn clear(&self) {
        lock(&self.calls).clear();
    }

    /// Calls with `seq > after`, oldest first; without `after` the newest ones.
    pub(crate) fn list(&self, bot: Option<&str>, after: Option<u64>, limit: usize) -> Vec<Arc<Call>> {
        let calls = lock(&self.calls);
        let wanted = calls.iter().filter(|call| bot.is_none_or(|bot| call.bot.eq_ignore_ascii_case(bot)));
        if let Some(after) = after {
            return wanted.filter(|call| call.seq > after).take(limit).cloned().collect();
        }
        let mut newest: Vec<_> = wanted.rev().take(limit).cloned().collect();
        newest.reverse();
        newest
    }
}

/// A call that is being served.
pub(crate) struct Busy<'a>(&'a CallLog);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.activity.fetch_add(1, Ordering::SeqCst);
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

/// One answer to a callback query.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) seq: u64,
    pub(crate) person: i64,
    pub(crate) view: Value,
}

/// The newest callback answers.
#[derive(Default)]
pub(crate) struct Answers {
    kept: Mutex<(u64, VecDeque<Answer>)>,
}

impl Answers {
    /// Keeps an answer; `view` gets its `seq`.
    pub(crate) fn push(&self, person: i64, mut view: Value) {
        let mut kept = lock(&self.kept);
        kept.0 += 1;
        let seq = kept.0;
        if let Some(map) = view.as_object_mut() {
            map.insert("seq".into(), seq.into());
        }
        if kept.1.len() >= KEPT {
            kept.1.pop_front();
        }
        kept.1.push_back(Answer { seq, person, view });
    }

    pub(crate) fn list(&self, person: i64, after: u64) -> Vec<Value> {
        lock(&self.kept).1.iter().filter(|answer| answer.person == person && answer.seq > after).map(|answer| answer.view.clone()).collect()
    }

    pub(crate) fn clear(&self) {
        lock(&self.kept).1.clear();
    }
}
