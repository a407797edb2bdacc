//! Finding the weight that answers known questions best.

use fitter_domain::Locale;

use super::{Fused, Fusion, fuse};
use crate::dense::Near;
use crate::index::Hit;

/// A question with both lists for it.
#[derive(Debug, Clone)]
pub struct Asked {
    /// By words.
    pub lexical: Vec<Hit>,
    /// By vectors.
    pub near: Vec<Near>,
    /// The asker's language.
    pub prefer: Option<Locale>,
}

/// A weight and what it brings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// The share of the words.
    pub weight: f32,
    /// The mean of what `judge` said with it.
    pub value: f32,
    /// The same for reciprocal ranks, to compare.
    pub rrf: f32,
}

/// Weights are tried in steps of this many to 1.
const STEPS: u16 = 20;
/// A difference that some other questions would turn round.
const NOISE: f32 = 0.005;

/// The share of the words with which questions are answered best. `judge` says how good an order is for the question of this number, 0 to 1.
///
/// Of weights that are as good as the best one the middle is taken: the edge of a plateau is where it ends.
#[must_use]
pub fn fit(questions: &[Asked], judge: impl Fn(usize, &[Fused]) -> f32) -> Fit {
    let value = |fusion: Fusion| {
        let of = |(at, asked): (usize, &Asked)| judge(at, &fuse(asked.lexical.clone(), &asked.near, fusion, asked.prefer));
        questions.iter().enumerate().map(of).sum::<f32>() / questions.len().max(1) as f32
    };
    let tried: Vec<(f32, f32)> = (0..=STEPS)
        .map(|step| {
            let weight = f32::from(step) / f32::from(STEPS);
            (weight, value(Fusion::Weight(weight)))
        })
        .collect();
    let best = tried.iter().map(|(_, value)| *value).fold(0.0, f32::max);
    let good: Vec<&(f32, f32)> = tried.iter().filter(|(_, value)| *value >= best - NOISE).collect();
    let (weight, value_there) = good.get(good.len() / 2).map_or((0.5, best), |(weight, value)| (*weight, *value));
    Fit { weight, value: value_there, rrf: value(Fusion::Rrf) }
}
