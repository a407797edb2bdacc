//! A second look at the best passages by a model that reads question and passage together. It is slow, so only doubtful orders get one.

use std::time::Instant;

use crate::dense::EmbedError;
use crate::fusion::Fused;

/// Scores passages against a question. It blocks for as long as the model takes.
pub trait Reranker: Send + Sync {
    /// Its name, for people.
    fn name(&self) -> &str;

    /// How well each passage answers; compared within one call only.
    ///
    /// # Errors
    /// [`EmbedError`], also when it is not done by `until`.
    fn scores(&self, question: &str, passages: &[String], until: Instant) -> Result<Vec<f32>, EmbedError>;
}

/// Passages that are looked at again.
pub const RERANKED: usize = 20;

/// Whether the first two are so close that their order is doubtful.
#[must_use]
pub fn is_doubtful(hits: &[Fused], margin: f32) -> bool {
    match hits {
        [first, second, ..] => first.hit.score - second.hit.score < margin * first.hit.score,
        _ => false,
    }
}

/// The first passages in the order of their scores, those without one behind them. Places keep the fused scores they had, so that these fall.
#[must_use]
pub fn reorder(mut hits: Vec<Fused>, scores: &[f32]) -> Vec<Fused> {
    let rest = hits.split_off(scores.len().min(hits.len()));
    let places: Vec<f32> = hits.iter().map(|fused| fused.hit.score).collect();
    let mut scored: Vec<(f32, Fused)> = scores.iter().copied().zip(hits).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let first = scored.into_iter().zip(places).map(|((_, mut fused), score)| {
        fused.hit.score = score;
        fused
    });
    first.chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Hit;

    fn hits(scores: &[f32]) -> Vec<Fused> {
        let hit = |(chunk, score): (u32, &f32)| Fused::from(Hit { note: "n".to_owned(), chunk, score: *score, coverage: 0.0, words: 0 });
        (0..).zip(scores).map(hit).collect()
    }

    #[test]
    fn only_close_ones_are_doubtful() {
        assert!(is_doubtful(&hits(&[0.8, 0.79]), 0.05) && !is_doubtful(&hits(&[0.8, 0.7]), 0.05));
        assert!(!is_doubtful(&hits(&[0.8]), 0.05) && !is_doubtful(&[], 0.05));
    }

    #[test]
    fn the_second_look_orders_the_first_and_leaves_the_rest() {
        let reordered = reorder(hits(&[0.9, 0.8, 0.7, 0.6]), &[-2.0, 0.5, 3.0]);
        assert_eq!(reordered.iter().map(|fused| fused.hit.chunk).collect::<Vec<_>>(), [2, 1, 0, 3]);
        assert_eq!(reordered.iter().map(|fused| fused.hit.score).collect::<Vec<_>>(), [0.9, 0.8, 0.7, 0.6]);
        assert_eq!(reorder(hits(&[0.9]), &[1.0, 2.0]).len(), 1);
    }
}
