//! From a question to what is shown: what it goes on from, what the notes say by keyword and by search, and the part that answers.

use chrono::TimeDelta;
use fitter_domain::Locale;
use fitter_domain::ids::{PersonId, ProcedureId, QueryId};
use fitter_domain::passage::Passage;
use fitter_domain::person::Role;
use fitter_retrieval::extract::extract;
use fitter_retrieval::index::Hit;
use fitter_retrieval::{fixed, follow};
use fitter_store::PgConnection;
use fitter_store::{gaps, queries};

use crate::app::App;
use crate::error::ServiceError;
use crate::search::{Asked, visible_to};

/// A question may go on from what was asked within this time.
const REMEMBERED: TimeDelta = TimeDelta::minutes(10);
/// So many earlier questions are looked at.
const EARLIER: u32 = 4;

/// A question and where it was asked.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Who asks.
    pub person: PersonId,
    /// Their role.
    pub role: Role,
    /// Their language.
    pub locale: Locale,
    /// The question.
    pub text: String,
    /// The procedure that they are in the middle of.
    pub within: Option<String>,
}

/// What is searched for a question.
#[derive(Debug, Clone)]
pub struct Searched {
    /// What the question goes on from.
    pub context: Option<String>,
    /// What the notes say.
    pub asked: Asked,
    /// The words that were searched for.
    pub words: String,
}

/// What is shown.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The best passages; none if nothing answers.
    pub hits: Vec<Passage>,
    /// If nothing answers: the nearest ones.
    pub nearest: Vec<Passage>,
    /// The procedure that answers.
    pub procedure: Option<(ProcedureId, String)>,
}

impl App {
    /// Searches for a question with what it goes on from. No connection is held while the index is searched.
    ///
    /// # Errors
    /// If the database or the engine refuses.
    pub async fn ask_notes(&self, ask: &Ask) -> Result<Searched, ServiceError> {
        let mut earlier = {
            let mut conn = self.db.pool().acquire().await?;
            queries::recent(&mut conn, ask.person, self.clock.now() - REMEMBERED, EARLIER).await?
        };
        let at_hand = self.at_hand(ask.person).await?;
        earlier.extend(ask.within.clone());
        let words: Vec<&str> = earlier.iter().map(String::as_str).collect();
        if let Some(going_on) = follow::expand(&ask.text, &words) {
            let asked = self.ask(&going_on.words, ask.role, ask.locale, &at_hand).await?;
            if asked.answered() {
                return Ok(Searched { context: Some(going_on.base), asked, words: going_on.words });
            }
        }
        // It may be a question of its own after all.
        let asked = self.ask(&ask.text, ask.role, ask.locale, &at_hand).await?;
        Ok(Searched { context: None, asked, words: ask.text.clone() })
    }

    /// What is shown for a question.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn show_notes(&self, conn: &mut PgConnection, ask: &Ask, searched: &Searched) -> Result<Shown, ServiceError> {
        let mut hits = self.search.passages(conn, &searched.asked.hits).await?;
        let question = self.search.question(&searched.words);
        for hit in &mut hits {
            hit.span = extract(&question, hit);
        }
        if let Some(first) = self.fixed_answer(conn, &ask.text, ask.role).await? {
            hits.retain(|hit| hit.note != first.note || hit.start_line != first.start_line);
            hits.insert(0, first);
        }
        let nearest = if hits.is_empty() { self.search.passages(conn, &searched.asked.nearest).await? } else { Vec::new() };
        let procedure = self.search.procedure(conn, &hits, ask.role).await?;
        Ok(Shown { hits, nearest, procedure })
    }

    /// Stores a search with what is shown: a button pressed a week later shows the same.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn keep_search(
        &self,
        conn: &mut PgConnection,
        ask: &Ask,
        searched: &Searched,
        Shown { hits, nearest, .. }: &Shown,
    ) -> Result<QueryId, ServiceError> {
        let leafed = if hits.is_empty() { nearest } else { hits };
        let new = queries::NewQuery { person: ask.person, text: &ask.text, context: searched.context.as_deref(), hits: leafed };
        let now = self.clock.now();
        let query = queries::create(conn, &new, now).await?;
        if hits.is_empty() {
            gaps::note(conn, query, ask.person, &ask.text, gaps::Why::Unanswered, now).await?;
        }
        Ok(query)
    }

    /// The beginning of the note that answers by its keywords.
    async fn fixed_answer(&self, conn: &mut PgConnection, text: &str, role: Role) -> Result<Option<Passage>, ServiceError> {
        let phrases = fitter_store::fixed::visible(conn, visible_to(role)).await?;
        let Some(path) = fixed::find(text, phrases.iter().map(|(phrase, note)| (phrase.as_str(), note.as_str()))) else { return Ok(None) };
        let beginning = Hit { note: path.to_owned(), chunk: 0, score: 1.0, coverage: 1.0, words: 0 };
        let passages = self.search.passages(conn, &[beginning]).await?;
        Ok(passages.into_iter().next().map(|passage| Passage { fixed: true, ..passage }))
    }
}
