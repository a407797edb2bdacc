//! The search index: a cache of the stored notes in this process, rebuilt on any doubt.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use fitter_domain::Locale;
use fitter_domain::ids::ProcedureId;
use fitter_domain::passage::Passage;
use fitter_domain::person::Role;
use fitter_retrieval::glossary::Glossary;
use fitter_retrieval::index::{ChunkEntry, Hit, LexicalIndex as _, NoteEntry, TantivyIndex, Version};
use fitter_retrieval::meta::{Kind, Visibility};
use fitter_retrieval::search::{Answer, Filter, Question, Searcher};
use fitter_store::PgConnection;
use fitter_store::notes::{self, NoteRecord, StoredChunk};
use fitter_store::procedures;

use crate::app::App;
use crate::error::ServiceError;

/// Hits that a person can leaf through.
const HITS: usize = 5;
/// Characters of a question that are searched for.
const SEARCHED: usize = 1000;

/// What the notes say to a question.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Asked {
    /// The best passages, best first; none if nothing answers the question.
    pub hits: Vec<Hit>,
    /// If nothing answers: the nearest passages all the same, to be shown as such.
    pub nearest: Vec<Hit>,
}

impl Asked {
    /// Whether the notes answer the question.
    #[must_use]
    pub fn answered(&self) -> bool {
        !self.hits.is_empty()
    }
}

/// The index of the notes; cheap to clone.
#[derive(Clone)]
pub struct Search(Arc<RwLock<Arc<Searcher>>>);

impl std::fmt::Debug for Search {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Search").field("version", &self.current().index().version()).finish()
    }
}

/// The visibility up to which somebody may read.
#[must_use]
pub fn visible_to(role: Role) -> notes::Visibility {
    match role {
        Role::Client => notes::Visibility::Public,
        Role::Technician | Role::Manager => notes::Visibility::Staff,
        Role::Admin => notes::Visibility::Draft,
    }
}

/// A visibility as it is stored.
#[must_use]
pub const fn stored(visibility: Visibility) -> notes::Visibility {
    match visibility {
        Visibility::Public => notes::Visibility::Public,
        Visibility::Staff => notes::Visibility::Staff,
        Visibility::Draft => notes::Visibility::Draft,
    }
}

const fn read(visibility: notes::Visibility) -> Visibility {
    match visibility {
        notes::Visibility::Public => Visibility::Public,
        notes::Visibility::Staff => Visibility::Staff,
        notes::Visibility::Draft => Visibility::Draft,
    }
}

/// A kind of note as it is stored.
#[must_use]
pub const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Note => "note",
        Kind::Procedure => "procedure",
        Kind::Glossary => "glossary",
    }
}

impl Search {
    /// An index of nothing.
    ///
    /// # Errors
    /// If the engine refuses.
    pub fn empty() -> Result<Self, ServiceError> {
        let searcher = Searcher::new(Arc::new(TantivyIndex::in_memory()?), Glossary::default());
        Ok(Self(Arc::new(RwLock::new(Arc::new(searcher)))))
    }

    fn current(&self) -> Arc<Searcher> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A question, taken apart with the company's jargon.
    #[must_use]
    pub fn question(&self, text: &str) -> Question {
        self.current().question(text)
    }

    /// The best passages for a question that its asker may see.
    ///
    /// # Errors
    /// If the engine fails.
    pub async fn ask(&self, text: &str, role: Role, prefer: Locale) -> Result<Asked, ServiceError> {
        let answer = self.search(text, role, prefer, HITS).await?;
        Ok(if answer.answered {
            Asked { hits: answer.hits, nearest: Vec::new() }
        } else {
            Asked { hits: Vec::new(), nearest: answer.hits }
        })
    }

    /// The best passages for a question that its asker may see, whether they answer it or not; at most `limit`.
    ///
    /// # Errors
    /// If the engine fails.
    pub async fn hits(&self, text: &str, role: Role, prefer: Locale, limit: usize) -> Result<Vec<Hit>, ServiceError> {
        Ok(self.search(text, role, prefer, limit).await?.hits)
    }

    async fn search(&self, text: &str, role: Role, prefer: Locale, limit: usize) -> Result<Answer, ServiceError> {
        // A longer question is kept whole and searched for by its beginning.
        let (searcher, text) = (self.current(), text.chars().take(SEARCHED).collect::<String>());
        let up_to = visible_to(role);
        let visible = Visibility::ALL.into_iter().filter(|visibility| stored(*visibility) <= up_to).collect();
        let filter = Filter { visible, prefer: Some(prefer), limit };
        Ok(tokio::task::spawn_blocking(move || searcher.ask(&text, &filter)).await.map_err(|_| ServiceError::Interrupted("search"))??)
    }

    /// The passages of hits. One that was changed a moment ago is left out.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn passages(&self, conn: &mut PgConnection, hits: &[Hit]) -> Result<Vec<Passage>, ServiceError> {
        let mut passages = Vec::with_capacity(hits.len());
        for hit in hits {
            let Some(note) = notes::get(conn, &hit.note).await? else { continue };
            let chunks = notes::chunks_of(conn, std::slice::from_ref(&hit.note)).await?;
            let Some(StoredChunk { chunk, .. }) = chunks.into_iter().nth(hit.chunk as usize) else { continue };
            passages.push(Passage {
                procedure: (note.kind == kind(Kind::Procedure)).then(|| note.path.clone()),
                note: note.path,
                title: note.title,
                headings: chunk.headings,
                start_line: chunk.start_line,
                end_line: chunk.end_line,
                score: hit.score,
                body: chunk.body,
                images: chunk.images,
                changed: Some(note.modified),
                ..Passage::default()
            });
        }
        Ok(passages)
    }

    /// The procedure that the best passages belong to, if the asker may walk it.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn procedure(
        &self,
        conn: &mut PgConnection,
        hits: &[Passage],
        role: Role,
    ) -> Result<Option<(ProcedureId, String)>, ServiceError> {
        if !role.is_staff() {
            return Ok(None);
        }
        for note in hits.iter().take(2).filter_map(|hit| hit.procedure.as_deref()) {
            if let Some((id, title, visibility)) = procedures::current_of_note(conn, note).await?
                && visibility <= visible_to(role)
            {
                return Ok(Some((id, title)));
            }
        }
        Ok(None)
    }
}

impl App {
    /// Rebuilds the index beside the one in use if the stored notes have changed since, and swaps it in. `true` if it was rebuilt.
    ///
    /// # Errors
    /// If the database or the engine refuses; the old index stays in use.
    pub async fn refresh_search(&self) -> Result<bool, ServiceError> {
        let (revision, stored_notes, chunks) = {
            let mut conn = self.db.pool().acquire().await?;
            let revision = notes::revision(&mut conn).await?.to_string();
            if self.search.current().index().version() == Version::current(&revision) {
                return Ok(false);
            }
            (revision, notes::all(&mut conn).await?, notes::all_chunks(&mut conn).await?)
        };
        let searcher = tokio::task::spawn_blocking(move || build(&revision, stored_notes, chunks))
            .await
            .map_err(|_| ServiceError::Interrupted("index rebuild"))??;
        tracing::info!(passages = searcher.index().len(), "search index rebuilt");
        *self.search.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(searcher);
        Ok(true)
    }
}

fn build(revision: &str, stored_notes: Vec<NoteRecord>, chunks: Vec<StoredChunk>) -> Result<Searcher, ServiceError> {
    let mut by_note: BTreeMap<String, Vec<ChunkEntry>> = BTreeMap::new();
    for StoredChunk { note, chunk, .. } in chunks {
        by_note.entry(note).or_default().push(ChunkEntry { headings: chunk.headings, text: chunk.text });
    }
    let glossary = Glossary::new(stored_notes.iter().flat_map(|note| &note.terms));
    let entries: Vec<NoteEntry> = stored_notes
        .into_iter()
        .map(|note| NoteEntry {
            chunks: by_note.remove(&note.path).unwrap_or_default(),
            path: note.path,
            title: note.title,
            names: note.aliases.into_iter().chain(note.tags).collect(),
            visibility: read(note.visibility),
            kind: [Kind::Note, Kind::Procedure, Kind::Glossary].into_iter().find(|known| kind(*known) == note.kind).unwrap_or(Kind::Note),
            locale: note.lang.as_deref().and_then(Locale::from_tag).unwrap_or_default(),
        })
        .collect();
    let index = TantivyIndex::in_memory()?;
    index.update(revision, &[], &entries)?;
    Ok(Searcher::new(Arc::new(index), glossary))
}
