//! Chance that can be repeated: the same seed gives the same decisions in the same order.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

/// A source of decisions.
pub(crate) struct Chance(StdRng);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// Whether something of this probability happens. What is certain or impossible uses up no decision.
    pub(crate) fn hits(&mut self, probability: f64) -> bool {
        probability >= 1.0 || (probability > 0.0 && self.0.random_bool(probability))
    }

    /// A number of the span.
    pub(crate) fn pick(&mut self, span: Span) -> u64 {
        match span {
            Span::Exactly(number) => number,
            Span::Between([least, most]) => self.0.random_range(least..=most.max(least)),
        }
    }
}

/// A number, or the least and the most it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Span {
    Exactly(u64),
    Between([u64; 2]),
}

impl Span {
    /// Whether the least is not above the most.
    pub(crate) fn is_right(self) -> bool {
        match self {
            Self::Exactly(_) => true,
            Self::Between([least, most]) => least <= most,
        }
    }
}

/// Whether a number is a probability.
pub(crate) fn is_probability(number: f64) -> bool {
    (0.0..=1.0).contains(&number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decisions(seed: u64) -> Vec<(bool, u64)> {
        let mut chance = Chance::new(seed);
        (0..200).map(|_| (chance.hits(0.3), chance.pick(Span::Between([5, 9])))).collect()
    }

    #[test]
    fn a_seed_decides() {
        assert_eq!(decisions(7), decisions(7));
        assert_ne!(decisions(7), decisions(8));
        assert!(decisions(7).iter().all(|(_, number)| (5..=9).contains(number)));
        let hits = decisions(7).iter().filter(|(hit, _)| *hit).count();
        assert!((30..=90).contains(&hits), "{hits} of 200 at 0.3");
    }

    #[test]
    fn the_certain_is_certain() {
        let mut chance = Chance::new(1);
        assert!(chance.hits(1.0) && !chance.hits(0.0));
        assert_eq!(chance.pick(Span::Exactly(3)), 3);
    }
}
