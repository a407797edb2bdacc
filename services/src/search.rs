//! The search index: a cache of the stored notes in this process, rebuilt on any doubt.

use std::sync::{Arc, PoisonError, RwLock};

use fitter_domain::Locale;
use fitter_domain::ids::ProcedureId;
use fitter_domain::passage::Passage;
use fitter_domain::person::Role;
use fitter_retrieval::glossary::Glossary;
use fitter_retrieval::index::{Hit, TantivyIndex};
use fitter_retrieval::meta::{Kind, Visibility};
use fitter_retrieval::search::{Answer, Filter, Question, Searcher};
use fitter_store::PgConnection;
use fitter_store::notes::{self, StoredChunk};
use fitter_store::procedures;

use crate::error::ServiceError;

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

pub(crate) const fn read(visibility: notes::Visibility) -> Visibility {
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

fn of_nothing() -> Result<Searcher, ServiceError> {
    Ok(Searcher::new(Arc::new(TantivyIndex::in_memory()?), Glossary::default()))
}

impl Search {
    /// An index of nothing.
    ///
    /// # Errors
    /// If the engine refuses.
    pub fn empty() -> Result<Self, ServiceError> {
        Ok(Self::new(of_nothing()?))
    }

    /// Search by this index, until it is refreshed.
    #[must_use]
    pub fn new(searcher: Searcher) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(searcher))))
    }

    pub(crate) fn current(&self) -> Arc<Searcher> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A question, taken apart with the company's jargon.
    #[must_use]
    pub fn question(&self, text: &str) -> Question {
        self.current().question(text)
    }

    /// Puts another index in the place of the one in use.
    pub(crate) fn swap(&self, searcher: Searcher) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(searcher);
    }

    /// What the words find, and whether that answers the question.
    pub(crate) async fn by_words(&self, text: &str, role: Role, prefer: Locale, limit: usize) -> Result<Answer, ServiceError> {
        let (searcher, text) = (self.current(), text.to_owned());
        let up_to = visible_to(role);
        let visible = Visibility::ALL.into_iter().filter(|visibility| stored(*visibility) <= up_to).collect();
        let filter = Filter { visible, prefer: Some(prefer), limit };
        Ok(tokio::task::spawn_blocking(move || searcher.ask(&text, &filter)).await.map_err(|_| ServiceError::Interrupted("search"))??)
    }

    /// Puts an index of nothing in the place of one that fails: it is behind, so that [`App::refresh_search`] builds a new one.
    pub(crate) fn discard(&self) -> Result<(), ServiceError> {
        self.swap(of_nothing()?);
        Ok(())
    }

    /// Whether it was never filled, or discarded and not filled since.
    #[must_use]
    pub fn is_degraded(&self) -> bool {
        self.current().index().version().source.is_empty()
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
                author: note.author,
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
