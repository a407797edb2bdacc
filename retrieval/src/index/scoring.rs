//! How the scores of the fields become one.

use std::collections::HashMap;

use tantivy::DocAddress;

use super::Hit;
use super::schema::{OPENING, OVERVIEW};

/// Weights of the score. The defaults are measured (`examples/measure.rs`).
///
/// Phrases as clauses of the query made the order worse (306 Russian questions, MRR@10: 45.1 without, 43.3 with half a word's weight): a rare
/// pair outweighs everything else. Compared among the best passages, `near` is worth 2 points on 25 questions over technical notes and nothing
/// on the 306, `lead` 1.9 points on the 306 and nothing on technical notes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// Share of the grams in the fused score; the stems have the rest.
    pub grams: f32,
    /// Title, aliases and headings against the text, for stems.
    pub head: f32,
    /// The same for grams.
    pub head_grams: f32,
    /// A part code against a word.
    pub code: f32,
    /// A stop word against a word.
    pub stop: f32,
    /// A word of a glossary's meaning against a word of the question.
    pub meaning: f32,
    /// A word one letter away, or in the other keyboard layout, against the word itself.
    pub guess: f32,
    /// Added to the fused score of a note in the asker's language.
    pub prefer: f32,
    /// The fused score of a glossary's passage is multiplied by this: it explains a word, it seldom answers.
    pub glossary: f32,
    /// The same for a procedure's overview: being short it is found too easily, and it has only the beginning of an answer.
    pub overview: f32,
    /// Share of the coverage in the final score of the best passages; the fused score has the rest.
    pub coverage: f32,
    /// What it adds to the final score of a passage that neighbouring words of the question stand side by side in it, before normalisation.
    pub near: f32,
    /// The same for beginning with the question's words: `The tracker — …` is what a question about the tracker means.
    pub lead: f32,
    /// How many of the best passages are compared by coverage.
    pub reranked: usize,
    /// Passages taken from each field before fusion.
    pub candidates: usize,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            grams: 0.4,
            head: 1.0,
            head_grams: 0.5,
            code: 2.0,
            stop: 0.3,
            meaning: 0.6,
            guess: 0.7,
            prefer: 0.2,
            glossary: 0.5,
            overview: 0.85,
            coverage: 0.4,
            near: 0.05,
            lead: 0.2,
            reranked: 30,
            candidates: 200,
        }
    }
}

/// Convex combination of normalised scores (Bruch, Gai, Ingber, TOIS 2023, arXiv 2210.11934): of `stems` with weight `1 - share` and of
/// `grams` with weight `share`.
///
/// Normalised by the list's greatest score and BM25's least, which is 0: the least score of the list would make the last of two good
/// passages worthless. A passage that one list lacks has 0 there.
pub(super) fn fuse(stems: &[(f32, DocAddress)], grams: &[(f32, DocAddress)], share: f32) -> HashMap<DocAddress, f32> {
    let mut fused = HashMap::with_capacity(stems.len() + grams.len());
    for (list, weight) in [(stems, 1.0 - share), (grams, share)] {
        let most = list.iter().map(|(score, _)| *score).fold(f32::MIN_POSITIVE, f32::max);
        for (score, address) in list {
            *fused.entry(*address).or_insert(0.0) += weight * score / most;
        }
    }
    fused
}

/// A section covers a question as well as the opening does if it lacks at most this much of it.
const NEARLY: f32 = 0.15;

/// An overview that covers a question from here on is what was asked for.
const WHOLE: f32 = 0.95;

/// Orders the passages of one note among themselves; other notes stay where they are.
///
/// A short opening says what its note is about and is found for the title: the best section goes before it. A procedure's overview goes before
/// the steps that have no more of the question than it has: a question that names the procedure wants the whole of it.
pub(super) fn within_notes(mut hits: Vec<(u64, Hit)>) -> Vec<Hit> {
    for at in 0..hits.len() {
        let Some((place, first)) = hits.get(at) else { continue };
        let better = hits.iter().skip(at + 1).position(|(other, hit)| {
            let wanted = match (*place, *other) {
                (OPENING, 0) => hit.coverage + NEARLY >= first.coverage,
                (0, OVERVIEW) => hit.coverage >= WHOLE.max(first.coverage),
                _ => false,
            };
            wanted && hit.note == first.note
        });
        let Some(better) = better.map(|distance| at + 1 + distance) else { continue };
        let score = first.score;
        // It takes the first one's place, all between go one down.
        if let Some(window) = hits.get_mut(at..=better) {
            window.rotate_right(1);
        }
        if let Some((_, hit)) = hits.get_mut(at) {
            hit.score = score;
        }
    }
    hits.into_iter().map(|(_, hit)| hit).collect()
}
