//! What can happen to updates on their way, as far as Telegram lets it: twice, late, or overtaken.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::chance::{Chance, Span, is_probability};

/// An update that waits to be overtaken goes after this time even if nothing came, in milliseconds.
const OVERTAKE_MS: u64 = 1000;

/// What `POST /sim/updates` asks for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    /// Only this bot's updates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bot: Option<String>,
    /// How likely an update comes again after the bot confirmed it.
    #[serde(default)]
    duplicate: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    delay: Option<Delay>,
    /// How likely an update lets the next one of another queue pass.
    #[serde(default)]
    reorder: f64,
    #[serde(default)]
    seed: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Delay {
    p: f64,
    ms: Span,
}

impl Plan {
    /// What is wrong with it.
    pub(crate) fn complaint(&self) -> Option<&'static str> {
        let late = self.delay.as_ref().map_or(0.0, |delay| delay.p);
        if ![self.duplicate, self.reorder, late].into_iter().all(is_probability) {
            return Some("a probability must be from 0 to 1");
        }
        match &self.delay {
            Some(delay) if !delay.ms.is_right() => Some("a span is [least, most]"),
            _ => None,
        }
    }
}

/// How an update is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// For so many milliseconds.
    Late(u64),
    /// Until another queue's update passed, but not longer than so many milliseconds.
    Overtaken(u64),
}

/// What happens to one update.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fate {
    pub(crate) twice: bool,
    pub(crate) hold: Option<Hold>,
}

/// A plan at work.
pub(crate) struct Disorder {
    plan: Plan,
    chance: Chance,
    met: u64,
    duplicated: u64,
    delayed: u64,
    reordered: u64,
}

impl Disorder {
    pub(crate) fn new(plan: Plan) -> Self {
        Self { chance: Chance::new(plan.seed), plan, met: 0, duplicated: 0, delayed: 0, reordered: 0 }
    }

    /// Decides about the next update. One that is late is not overtaken as well.
    pub(crate) fn decide(&mut self) -> Fate {
        self.met += 1;
        let twice = self.chance.hits(self.plan.duplicate);
        let late = self.plan.delay.as_ref().filter(|delay| self.chance.hits(delay.p)).map(|delay| self.chance.pick(delay.ms));
        let overtaken = self.chance.hits(self.plan.reorder);
        self.duplicated += u64::from(twice);
        let hold = match late {
            Some(ms) => {
                self.delayed += 1;
                Some(Hold::Late(ms))
            }
            None if overtaken => {
                self.reordered += 1;
                Some(Hold::Overtaken(OVERTAKE_MS))
            }
            None => None,
        };
        Fate { twice, hold }
    }

    pub(crate) fn view(&self) -> Value {
        json!({
            "plan": self.plan, "met": self.met, "duplicated": self.duplicated,
            "delayed": self.delayed, "reordered": self.reordered,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(json: Value) -> Plan {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_seed_decides_about_every_update() {
        let fates = |seed: u64| {
            let mut disorder =
                Disorder::new(plan(json!({ "duplicate": 0.3, "delay": { "p": 0.2, "ms": [5, 9] }, "reorder": 0.3, "seed": seed })));
            (0..200).map(|_| disorder.decide()).collect::<Vec<_>>()
        };
        assert_eq!(fates(1), fates(1));
        assert_ne!(fates(1), fates(2));
        assert!(fates(1).iter().any(|fate| fate.twice && fate.hold.is_none()));
        assert!(fates(1).iter().any(|fate| matches!(fate.hold, Some(Hold::Late(5..=9)))));
        assert!(fates(1).iter().any(|fate| matches!(fate.hold, Some(Hold::Overtaken(_)))));
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(plan(json!({ "duplicate": 2 })).complaint().is_some());
        assert!(plan(json!({ "delay": { "p": 1, "ms": [9, 5] } })).complaint().is_some());
        assert_eq!(plan(json!({ "reorder": 0.5 })).complaint(), None);
    }
}
