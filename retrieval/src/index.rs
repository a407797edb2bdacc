//! The lexical index behind a trait: tantivy today, a distributed engine when one machine is not enough.

use serde::{Deserialize, Serialize};

use crate::CHUNKER_VERSION;
use crate::analyse::ANALYSER_VERSION;
use crate::meta::{Kind, Visibility};
use crate::note::Parsed;
use crate::search::{Filter, Question};
use fitter_domain::Locale;

mod schema;
mod scoring;
mod tantivy;
mod tokens;

pub use self::tantivy::TantivyIndex;
pub use scoring::Weights;

/// Why an index cannot be built, changed or asked. Always a fault, never the asker's mistake.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The engine failed.
    #[error("search index: {0}")]
    Engine(#[from] ::tantivy::TantivyError),
    /// Its terms cannot be read.
    #[error("search index: {0}")]
    Io(#[from] std::io::Error),
    /// What it says of itself cannot be read or written.
    #[error("search index: {0}")]
    Json(#[from] serde_json::Error),
}

/// What an index was built from; one that differs in any part is rebuilt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Revision of the notes: a commit, a count, a hash; compared, not interpreted.
    pub source: String,
    /// [`ANALYSER_VERSION`].
    pub analyser: u32,
    /// [`CHUNKER_VERSION`].
    pub chunker: u32,
}

impl Version {
    /// This program's version of `source`.
    #[must_use]
    pub fn current(source: impl Into<String>) -> Self {
        Self { source: source.into(), analyser: ANALYSER_VERSION, chunker: CHUNKER_VERSION }
    }
}

/// A note as it is indexed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteEntry {
    /// Path inside the vault: the key.
    pub path: String,
    /// Its title.
    pub title: String,
    /// Other words that name it: aliases, devices, vehicles, tags.
    pub names: Vec<String>,
    /// What it is.
    pub kind: Kind,
    /// Who may see it.
    pub visibility: Visibility,
    /// Its language.
    pub locale: Locale,
    /// Its passages in order.
    pub chunks: Vec<ChunkEntry>,
}

/// A passage as it is indexed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkEntry {
    /// Headings from the outermost to its own.
    pub headings: Vec<String>,
    /// Text for search.
    pub text: String,
}

impl From<&Parsed> for NoteEntry {
    fn from(note: &Parsed) -> Self {
        let meta = &note.meta;
        Self {
            path: note.path.clone(),
            title: meta.title.clone(),
            names: meta.aliases.iter().chain(&meta.devices).chain(&meta.vehicles).chain(&meta.tags).cloned().collect(),
            kind: meta.kind,
            visibility: meta.visibility,
            locale: meta.locale,
            chunks: note.chunks.iter().map(|chunk| ChunkEntry { headings: chunk.headings.clone(), text: chunk.text.clone() }).collect(),
        }
    }
}

/// A passage that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Path of the note.
    pub note: String,
    /// Number of the passage in it, from 0.
    pub chunk: u32,
    /// Fused score, 0 to 1; not comparable between questions.
    pub score: f32,
    /// How much of the question's informative words the passage has, weighted by their rarity, and more if its heading asks the same, 0 to 1;
    /// comparable between questions.
    pub coverage: f32,
    /// How many of the question's informative words the passage has.
    pub words: u8,
}

/// An index of passages by their words. Methods block for milliseconds; a change is seen by every later search.
pub trait LexicalIndex: Send + Sync {
    /// Removes the notes at `removed`, adds or replaces `put`, and notes the new revision, all or nothing.
    ///
    /// # Errors
    /// [`IndexError`]; the index is as before then.
    fn update(&self, revision: &str, removed: &[String], put: &[NoteEntry]) -> Result<(), IndexError>;

    /// The best passages, best first, at most [`Filter::limit`].
    ///
    /// # Errors
    /// [`IndexError`].
    fn search(&self, question: &Question, filter: &Filter) -> Result<Vec<Hit>, IndexError>;

    /// What it was built from.
    fn version(&self) -> Version;

    /// How many passages it has.
    fn len(&self) -> u64;

    /// Whether it has none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
