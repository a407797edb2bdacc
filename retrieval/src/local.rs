//! Search over a folder in memory, without a database: `fitter search --vault DIR "…"`.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use fitter_domain::passage::Passage;
use serde::Serialize;

use crate::glossary::Glossary;
use crate::import::{self, Import};
use crate::index::{Hit, IndexError, LexicalIndex, NoteEntry, TantivyIndex};
use crate::note::{Chunk, Parsed};
use crate::search::{Filter, Searcher};
use crate::vault;

/// A vault in memory, ready to be asked.
pub struct LocalSearch {
    searcher: Searcher,
    notes: BTreeMap<String, Parsed>,
    /// What the import found out.
    pub import: Import,
}

/// A found passage as the command line shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Found {
    /// Path of the note inside the vault.
    pub note: String,
    /// Its title.
    pub title: String,
    /// Headings from the outermost to the passage's own, joined by ` › `.
    pub heading: String,
    /// First line of the passage in the file, from 1.
    pub start_line: u32,
    /// Last line, inclusive.
    pub end_line: u32,
    /// Fused score, 0 to 1, within one question.
    pub score: f32,
    /// Share of the question's informative words that the passage has, 0 to 1.
    pub coverage: f32,
    /// The passage as plain text.
    pub text: String,
}

/// Reads a folder of notes and indexes it in memory.
///
/// # Errors
/// [`IndexError`]; what is wrong with notes is in [`LocalSearch::import`].
pub fn search_vault(dir: &Path) -> Result<LocalSearch, IndexError> {
    let vault = vault::read(dir);
    let mut import = import::plan(&HashMap::new(), &vault, &|_, _| {});
    let parsed = std::mem::take(&mut import.changed);
    let entries: Vec<NoteEntry> = parsed.iter().map(NoteEntry::from).collect();
    let index = TantivyIndex::in_memory()?;
    index.update("", &[], &entries)?;
    let glossary = Glossary::new(parsed.iter().flat_map(|note| &note.terms));
    let searcher = Searcher::new(Arc::new(index), glossary);
    let notes = parsed.into_iter().map(|note| (note.path.clone(), note)).collect();
    Ok(LocalSearch { searcher, notes, import })
}

impl LocalSearch {
    /// The search itself, without the texts.
    #[must_use]
    pub const fn searcher(&self) -> &Searcher {
        &self.searcher
    }

    /// The notes, by path.
    #[must_use]
    pub const fn notes(&self) -> &BTreeMap<String, Parsed> {
        &self.notes
    }

    /// The best passages for a question, best first.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn find(&self, question: &str, filter: &Filter) -> Result<Vec<Found>, IndexError> {
        let hits = self.searcher.search(question, filter)?;
        Ok(hits.iter().filter_map(|hit| self.lookup(hit).map(|(note, chunk)| found(hit, note, chunk))).collect())
    }

    /// A hit as a passage to show; pictures are paths inside the vault.
    #[must_use]
    pub fn passage(&self, hit: &Hit) -> Option<Passage> {
        let (note, chunk) = self.lookup(hit)?;
        Some(passage(note, chunk, hit.score))
    }

    fn lookup(&self, hit: &Hit) -> Option<(&Parsed, &Chunk)> {
        let note = self.notes.get(&hit.note)?;
        Some((note, note.chunks.get(hit.chunk as usize)?))
    }
}

fn found(hit: &Hit, note: &Parsed, chunk: &Chunk) -> Found {
    Found {
        note: note.path.clone(),
        title: note.meta.title.clone(),
        heading: chunk.headings.join(" › "),
        start_line: chunk.start_line,
        end_line: chunk.end_line,
        score: hit.score,
        coverage: hit.coverage,
        text: chunk.body.plain(),
    }
}

/// A passage of a note to show; [`Passage::images`] are paths inside the vault.
#[must_use]
pub fn passage(note: &Parsed, chunk: &Chunk, score: f32) -> Passage {
    Passage {
        note: note.path.clone(),
        title: note.meta.title.clone(),
        headings: chunk.headings.clone(),
        start_line: chunk.start_line,
        end_line: chunk.end_line,
        score,
        body: chunk.body.clone(),
        images: chunk.images.clone(),
        procedure: note.procedure.as_ref().map(|_| note.path.clone()),
    }
}
