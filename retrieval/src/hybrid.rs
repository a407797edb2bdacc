//! Search by words and vectors over notes in memory, without a database: for the command line and for measuring.

use std::sync::Arc;

use crate::dense::{EmbedError, Embedder, Memory};
use crate::fusion::{self, Asked, CANDIDATES, Fused, Fusion};
use crate::index::{IndexError, NoteEntry};
use crate::search::{self, Filter, Searcher};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HybridError {
    /// The index failed.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The model failed.
    #[error(transparent)]
    Embed(#[from] EmbedError),
}

/// Notes in memory with their vectors, if there is a model.
#[derive(Default)]
pub struct Vectors(Option<(Arc<dyn Embedder>, Memory)>);

impl Vectors {
    /// Embeds all passages of notes; `progress` hears how many are done.
    ///
    /// # Errors
    /// [`EmbedError`].
    pub fn new(embedder: Arc<dyn Embedder>, notes: &[NoteEntry], progress: impl FnMut(usize)) -> Result<Self, EmbedError> {
        let memory = Memory::new(&*embedder, notes, progress)?;
        Ok(Self(Some((embedder, memory))))
    }

    /// Both lists for a question, as they are before they become one. The vectors know nothing of visibility: this is for one who may see all.
    ///
    /// # Errors
    /// [`HybridError`].
    pub fn lists(&self, searcher: &Searcher, question: &str, filter: &Filter) -> Result<(Asked, bool), HybridError> {
        let limit = if self.0.is_some() { CANDIDATES.max(filter.limit) } else { filter.limit };
        let answer = searcher.ask(question, &Filter { limit, ..filter.clone() })?;
        let near = match &self.0 {
            Some((embedder, memory)) => memory.nearest(&embedder.query(question)?, CANDIDATES),
            None => Vec::new(),
        };
        Ok((Asked { lexical: answer.hits, near, prefer: filter.prefer }, answer.answered))
    }

    /// The best passages for a question, best first, and whether they answer it.
    ///
    /// # Errors
    /// [`HybridError`].
    pub fn ask(&self, searcher: &Searcher, question: &str, filter: &Filter, by: Fusion) -> Result<(Vec<Fused>, bool), HybridError> {
        let (asked, answered) = self.lists(searcher, question, filter)?;
        let mut hits = fusion::fuse(asked.lexical, &asked.near, by, asked.prefer);
        hits.truncate(filter.limit);
        let answered = answered || search::answered(hits.iter().map(|fused| &fused.hit));
        Ok((hits, answered))
    }
}
