//! Keeping the search index of this process in line with the stored notes: what changed is changed in it, and on any doubt it is built anew.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use fitter_domain::Locale;
use fitter_retrieval::glossary::Glossary;
use fitter_retrieval::index::{ChunkEntry, LexicalIndex as _, NoteEntry, TantivyIndex, Version};
use fitter_retrieval::meta::Kind;
use fitter_retrieval::search::Searcher;
use fitter_store::notes::{self, ChunkText, NoteRecord};
use tokio::sync::Mutex;

use crate::app::App;
use crate::error::ServiceError;
use crate::search::{kind, read};

/// If more than one of so many notes changed, a new index is built beside the old one: it is as fast then, and leaves nothing behind.
const MOSTLY: usize = 3;

/// What the index in use was made of; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Indexed(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    /// Hashes of the notes in it, by path.
    notes: HashMap<String, String>,
    /// Jargon of those notes that have any.
    terms: BTreeMap<String, Vec<(String, String)>>,
}

impl Held {
    fn take_terms(&mut self, notes: &[NoteRecord]) {
        for note in notes {
            if note.terms.is_empty() {
                self.terms.remove(&note.path);
            } else {
                self.terms.insert(note.path.clone(), note.terms.clone());
            }
        }
    }

    fn glossary(&self) -> Glossary {
        Glossary::new(self.terms.values().flatten())
    }
}

impl App {
    /// Brings the index in line with the stored notes, if they have changed since. `true` if they have.
    ///
    /// # Errors
    /// If the database or the engine refuses; the old index stays in use.
    pub async fn refresh_search(&self) -> Result<bool, ServiceError> {
        // One at a time: the second has nothing left to do.
        let mut held = self.indexed.0.lock().await;
        let searcher = self.search.current();
        let built = searcher.index().version();
        let mut conn = self.db.pool().acquire().await?;
        let now = Version::current(notes::revision(&mut conn).await?.to_string());
        if built == now {
            return Ok(false);
        }
        let stored = notes::known(&mut conn).await?;
        let removed: Vec<String> = held.notes.keys().filter(|path| !stored.contains_key(*path)).cloned().collect();
        let changed: Vec<String> =
            stored.iter().filter(|(path, hash)| held.notes.get(*path) != Some(*hash)).map(|(path, _)| path.clone()).collect();
        let same_program = (built.analyser, built.chunker) == (now.analyser, now.chunker);
        if same_program && (changed.len() + removed.len()) * MOSTLY <= stored.len() {
            let records = notes::some(&mut conn, &changed).await?;
            let texts = notes::texts(&mut conn, Some(&changed)).await?;
            drop(conn);
            let (index, revision, gone, entries) = (searcher.index(), now.source.clone(), removed.clone(), entries(&records, texts));
            let updated = tokio::task::spawn_blocking(move || index.update(&revision, &gone, &entries)).await;
            match updated.map_err(|_| ServiceError::Interrupted("index update"))? {
                Ok(()) => {
                    for path in &removed {
                        held.notes.remove(path);
                        held.terms.remove(path);
                    }
                    held.take_terms(&records);
                    held.notes.extend(records.into_iter().map(|note| (note.path, note.hash)));
                    searcher.set_glossary(held.glossary());
                    tracing::debug!(changed = changed.len(), removed = removed.len(), "search index updated");
                    return Ok(true);
                }
                Err(error) => tracing::warn!(%error, "the search index cannot be updated, it is built anew"),
            }
            conn = self.db.pool().acquire().await?;
        }
        let records = notes::all(&mut conn).await?;
        let texts = notes::texts(&mut conn, None).await?;
        drop(conn);
        let mut fresh = Held::default();
        fresh.take_terms(&records);
        let glossary = fresh.glossary();
        fresh.notes = records.iter().map(|note| (note.path.clone(), note.hash.clone())).collect();
        let built = tokio::task::spawn_blocking(move || build(&now.source, &entries(&records, texts), glossary)).await;
        let searcher = built.map_err(|_| ServiceError::Interrupted("index rebuild"))??;
        tracing::info!(passages = searcher.index().len(), "search index built");
        self.search.swap(searcher);
        *held = fresh;
        Ok(true)
    }
}

fn build(revision: &str, entries: &[NoteEntry], glossary: Glossary) -> Result<Searcher, ServiceError> {
    let index = TantivyIndex::in_memory()?;
    index.update(revision, &[], entries)?;
    Ok(Searcher::new(Arc::new(index), glossary))
}

fn entries(notes: &[NoteRecord], texts: Vec<ChunkText>) -> Vec<NoteEntry> {
    let mut by_note: HashMap<String, Vec<ChunkEntry>> = HashMap::new();
    for ChunkText { note, headings, text } in texts {
        by_note.entry(note).or_default().push(ChunkEntry { headings, text });
    }
    let entry = |note: &NoteRecord| NoteEntry {
        chunks: by_note.remove(&note.path).unwrap_or_default(),
        path: note.path.clone(),
        title: note.title.clone(),
        names: note.aliases.iter().chain(&note.tags).cloned().collect(),
        visibility: read(note.visibility),
        kind: [Kind::Note, Kind::Procedure, Kind::Glossary].into_iter().find(|known| kind(*known) == note.kind).unwrap_or(Kind::Note),
        locale: note.lang.as_deref().and_then(Locale::from_tag).unwrap_or_default(),
    };
    notes.iter().map(entry).collect()
}
