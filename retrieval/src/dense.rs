//! Vectors of texts: near ones mean the same in other words. Models stand behind [`Embedder`]; those that exist are in `fitter-embedders`.

use fitter_domain::Locale;

use crate::index::NoteEntry;

mod pool;
mod workers;

pub use pool::Pool;
pub use workers::{BATCH, Engine, Prefixes, Workers};

/// Why there is no vector.
#[derive(Debug, thiserror::Error)]
pub enum EmbedError {
    /// The model cannot be loaded; the text says what to do.
    #[error("{0}")]
    Model(String),
    /// It was loaded, and failed at a text.
    #[error("the model failed: {0}")]
    Failed(String),
    /// Its threads have ended.
    #[error("the model has stopped")]
    Stopped,
}

/// Makes vectors of texts. Its methods block for as long as the model takes: call them from a thread that may.
pub trait Embedder: Send + Sync {
    /// Tells this model, with everything that its vectors depend on, from any other. Stored with the vectors.
    fn name(&self) -> &str;

    /// Numbers in a vector.
    fn dimension(&self) -> usize;

    /// Vectors of length 1 of passages, in their order.
    ///
    /// # Errors
    /// [`EmbedError`].
    fn passages(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError>;

    /// The vector of length 1 of a question. Goes before passages that wait.
    ///
    /// # Errors
    /// [`EmbedError`].
    fn query(&self, text: &str) -> Result<Vec<f32>, EmbedError>;
}

/// What a vector of a passage is made of: a section is about what stands above it.
#[must_use]
pub fn passage_text(title: &str, headings: &[String], text: &str) -> String {
    let above = headings.iter().map(String::as_str).filter(|heading| *heading != title);
    let head = std::iter::once(title).chain(above).collect::<Vec<_>>().join(" > ");
    format!("{head}\n{text}")
}

/// A passage that is near to a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Near {
    /// Path of the note.
    pub note: String,
    /// Number of the passage in it, from 0.
    pub chunk: u32,
    /// Language of the note.
    pub locale: Locale,
    /// Cosine of the angle between the vectors, -1 to 1; models differ in what is much.
    pub similarity: f32,
}

/// Cosine of the angle between vectors of length 1.
#[must_use]
pub fn similarity(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

/// Vectors in memory, all of which are compared: for a vault without a database.
#[derive(Debug, Default)]
pub struct Memory {
    rows: Vec<(String, u32, Locale, Vec<f32>)>,
}

impl Memory {
    /// Embeds all passages of notes. Takes as long as the model takes; `progress` hears how many are done.
    ///
    /// # Errors
    /// [`EmbedError`].
    pub fn new(embedder: &dyn Embedder, notes: &[NoteEntry], mut progress: impl FnMut(usize)) -> Result<Self, EmbedError> {
        let texts = notes.iter().flat_map(|note| {
            let text = |chunk: &crate::index::ChunkEntry| passage_text(&note.title, &chunk.headings, &chunk.text);
            (0_u32..).zip(&note.chunks).map(move |(number, chunk)| (note, number, text(chunk)))
        });
        let texts: Vec<(&NoteEntry, u32, String)> = texts.collect();
        let mut memory = Self::default();
        for batch in texts.chunks(BATCH * 4) {
            let vectors = embedder.passages(&batch.iter().map(|(_, _, text)| text.clone()).collect::<Vec<_>>())?;
            for ((note, number, _), vector) in batch.iter().zip(vectors) {
                memory.rows.push((note.path.clone(), *number, note.locale, vector));
            }
            progress(memory.rows.len());
        }
        Ok(memory)
    }

    /// The nearest passages, nearest first.
    #[must_use]
    pub fn nearest(&self, question: &[f32], limit: usize) -> Vec<Near> {
        let mut all: Vec<(f32, usize)> =
            self.rows.iter().enumerate().map(|(at, (.., vector))| (similarity(question, vector), at)).collect();
        all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let near = all.into_iter().take(limit).filter_map(|(similarity, at)| {
            let (note, chunk, locale, _) = self.rows.get(at)?;
            Some(Near { note: note.clone(), chunk: *chunk, locale: *locale, similarity })
        });
        near.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passage_is_embedded_with_what_stands_above_it() {
        let headings = ["FMB920".to_owned(), "Питание".to_owned()];
        assert_eq!(passage_text("FMB920", &headings, "Красный на плюс."), "FMB920 > Питание\nКрасный на плюс.");
    }

    #[test]
    fn the_nearest_come_first() {
        let row = |note: &str, vector: &[f32]| (note.to_owned(), 0, Locale::Ru, vector.to_vec());
        let memory = Memory { rows: vec![row("a", &[1.0, 0.0]), row("b", &[0.6, 0.8]), row("c", &[0.0, 1.0])] };
        let near = memory.nearest(&[0.0, 1.0], 2);
        assert_eq!(near.iter().map(|near| near.note.as_str()).collect::<Vec<_>>(), ["c", "b"]);
        assert!((near[1].similarity - 0.8).abs() < 1e-6);
    }
}
