//! Failures that a test asked for.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::chance::{Chance, Span, is_probability};
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
    /// A failure before Telegram.
    #[serde(rename = "502")]
    BadGateway,
    /// The token is revoked.
    #[serde(rename = "401")]
    Unauthorized,
    /// The person blocked the bot.
    #[serde(rename = "403")]
    Forbidden,
    /// No answer ever comes; the call is not processed.
    #[serde(rename = "timeout")]
    Timeout,
    /// The connection breaks, the call is not processed.
    #[serde(rename = "drop_before")]
    DropBefore,
    /// The call is processed, then the connection breaks.
    #[serde(rename = "drop_after")]
    DropAfter,
    /// The call is processed, but no answer ever comes.
    #[serde(rename = "hang_after")]
    HangAfter,
    /// The call is processed, and the connection breaks in the middle of the answer.
    #[serde(rename = "cut")]
    Cut,
    /// The call is processed late.
    #[serde(rename = "slow")]
    Slow,
}

impl FaultKind {
    /// Whether the call is processed and nobody learns the result.
    pub(crate) const fn loses_the_answer(self) -> bool {
        matches!(self, Self::DropAfter | Self::HangAfter | Self::Cut)
    }
}

/// A fault as `POST /sim/faults` takes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    /// Only calls of this method; case does not matter.
    method: Option<String>,
    /// Only calls whose request has this text.
    contains: Option<String>,
    /// How many calls it may hit; absent: any number.
    times: Option<u64>,
    #[serde(default = "always")]
    probability: f64,
    /// Absent: its place in the list.
    seed: Option<u64>,
    kind: FaultKind,
    /// Seconds.
    retry_after: Option<Span>,
    /// Milliseconds.
    delay_ms: Option<Span>,
}

fn always() -> f64 {
    1.0
}

impl Fault {
    /// What is wrong with it.
    pub(crate) fn complaint(&self) -> Option<&'static str> {
        let spans = [self.retry_after, self.delay_ms];
        if self.times == Some(0) {
            Some("times must be at least 1")
        } else if !is_probability(self.probability) {
            Some("probability must be from 0 to 1")
        } else if !spans.into_iter().flatten().all(Span::is_right) {
            Some("a span is [least, most]")
        } else if self.kind == FaultKind::Slow && self.delay_ms.is_none() {
            Some("slow needs delay_ms")
        } else {
            None
        }
    }

    fn fits(&self, method: &str, request: &str) -> bool {
        // A poll is hit only by name: it would take every fault meant for another call.
        self.method.as_deref().map_or(method != "getUpdates", |wanted| wanted.eq_ignore_ascii_case(method))
            && self.contains.as_deref().is_none_or(|text| request.contains(text))
    }
}

/// A fault that hit a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hit {
    pub(crate) id: u64,
    pub(crate) kind: FaultKind,
    /// Seconds.
    pub(crate) retry_after: u64,
    /// Milliseconds.
    pub(crate) delay_ms: u64,
}

impl Hit {
    /// What `/sim/calls` says of it.
    pub(crate) fn view(&self) -> Value {
        let mut view = json!({ "id": self.id, "kind": self.kind });
        if let Some(map) = view.as_object_mut() {
            if self.kind == FaultKind::TooMany {
                map.insert("retry_after".into(), self.retry_after.into());
            }
            if self.delay_ms > 0 {
                map.insert("delay_ms".into(), self.delay_ms.into());
            }
        }
        view
    }
}

/// A fault, and what it has done.
struct Armed {
    id: u64,
    fault: Fault,
    chance: Chance,
    /// Calls that it fitted.
    met: u64,
    /// Calls that it hit.
    hits: u64,
}

impl Armed {
    fn is_spent(&self) -> bool {
        self.fault.times.is_some_and(|times| self.hits >= times)
    }

    fn meet(&mut self) -> Option<Hit> {
        self.met += 1;
        if !self.chance.hits(self.fault.probability) {
            return None;
        }
        self.hits += 1;
        Some(Hit {
            id: self.id,
            kind: self.fault.kind,
            retry_after: self.chance.pick(self.fault.retry_after.unwrap_or(Span::Exactly(1))),
            delay_ms: self.chance.pick(self.fault.delay_ms.unwrap_or(Span::Exactly(0))),
        })
    }

    fn view(&self) -> Value {
        let mut view = json!(self.fault);
        if let Some(map) = view.as_object_mut() {
            map.retain(|_, value| !value.is_null());
            map.insert("id".into(), self.id.into());
            map.insert("met".into(), self.met.into());
            map.insert("hits".into(), self.hits.into());
            map.insert("left".into(), self.fault.times.map(|times| times.saturating_sub(self.hits)).into());
        }
        view
    }
}

/// All faults since the last clearing.
#[derive(Default)]
pub(crate) struct Faults {
    /// Saves the lock on every call when no fault is set.
    any: AtomicBool,
    list: Mutex<(u64, Vec<Armed>)>,
}

impl Faults {
    pub(crate) fn add(&self, fault: Fault) -> u64 {
        let mut list = lock(&self.list);
        list.0 += 1;
        let id = list.0;
        let seed = fault.seed.unwrap_or(list.1.len() as u64);
        list.1.push(Armed { id, chance: Chance::new(seed), fault, met: 0, hits: 0 });
        self.any.store(true, Ordering::SeqCst);
        id
    }

    pub(crate) fn clear(&self) {
        lock(&self.list).1.clear();
        self.any.store(false, Ordering::SeqCst);
    }

    /// All of them, those that are spent too.
    pub(crate) fn view(&self) -> Vec<Value> {
        lock(&self.list).1.iter().map(Armed::view).collect()
    }

    /// What hits the call: the faults that fit are asked in the order in which they were set.
    pub(crate) fn take(&self, method: &str, request: &str) -> Option<Hit> {
        if !self.any.load(Ordering::SeqCst) {
            return None;
        }
        let mut list = lock(&self.list);
        list.1.iter_mut().filter(|armed| !armed.is_spent() && armed.fault.fits(method, request)).find_map(Armed::meet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(list: Value) -> Faults {
        let faults = Faults::default();
        for fault in serde_json::from_value::<Vec<Fault>>(list).unwrap() {
            assert_eq!(fault.complaint(), None);
            faults.add(fault);
        }
        faults
    }

    fn hits(faults: &Faults, calls: usize) -> Vec<Option<u64>> {
        (0..calls).map(|_| faults.take("sendMessage", "{}").map(|hit| hit.id)).collect()
    }

    #[test]
    fn the_same_seed_hits_the_same_calls() {
        let rain = |seed: u64| faults(json!([{ "kind": "429", "probability": 0.1, "seed": seed }, { "kind": "500", "probability": 0.05 }]));
        let (one, same, other) = (rain(1), rain(1), rain(2));
        assert_eq!(hits(&one, 500), hits(&same, 500));
        assert_ne!(hits(&one, 500), hits(&other, 500));
        let view = one.view();
        let count = |fault: usize, what: &str| view[fault][what].as_u64().unwrap();
        assert!((60..=140).contains(&count(0, "hits")), "{view:?}");
        assert_eq!(count(0, "met"), 1000);
        assert_eq!(count(1, "met"), 1000 - count(0, "hits"), "what the first one hit, the second one never saw");
    }

    #[test]
    fn a_fault_hits_so_many_times_and_then_lets_others_through() {
        let faults = faults(json!([{ "kind": "500", "times": 2 }, { "kind": "slow", "delay_ms": [5, 6], "times": 1 }]));
        assert_eq!(hits(&faults, 4), [Some(1), Some(1), Some(2), None]);
        let left: Vec<_> = faults.view().iter().map(|fault| fault["left"].clone()).collect();
        assert_eq!(left, [0, 0]);
    }

    #[test]
    fn nonsense_is_refused() {
        for (fault, why) in [
            (json!({ "kind": "500", "times": 0 }), "times must be at least 1"),
            (json!({ "kind": "500", "probability": 1.5 }), "probability must be from 0 to 1"),
            (json!({ "kind": "429", "retry_after": [3, 2] }), "a span is [least, most]"),
            (json!({ "kind": "slow" }), "slow needs delay_ms"),
        ] {
            assert_eq!(serde_json::from_value::<Fault>(fault).unwrap().complaint(), Some(why));
        }
    }
}
