//! Questions to a human, and faults.

use fitter_dialogues::ask::question_screen;
use fitter_dialogues::effect::Addressee;
use fitter_dialogues::event::Outcome;
use fitter_dialogues::faults::closed_screen;
use fitter_domain::ids::{FaultId, JobId, PersonId, QueryId, QuestionId, RunId};
use fitter_domain::passage::Passage;
use fitter_domain::person::{Object, Verb};
use fitter_domain::ticket::Question;
use fitter_store::PgConnection;
use fitter_store::{faults, gaps, queries, questions};

use super::Came;
use crate::conversation::Turn;
use crate::error::ServiceError;
use crate::gaps::others;

/// Sources that a manager is told of: what was shown first.
const SOURCES: usize = 3;

/// Tickets of a list: more than anybody scrolls through.
const LISTED: u32 = 50;

impl Turn<'_> {
    pub(super) async fn ask_human(&mut self, conn: &mut PgConnection, query: QueryId) -> Came {
        let Some(found) = queries::get(conn, query).await?.filter(|found| self.own(found.person)) else {
            return Ok(Some(Outcome::Refused));
        };
        let mut tried: Vec<String> = found.hits.iter().map(Passage::source).collect();
        tried.dedup();
        tried.truncate(SOURCES);
        let (question, new) =
            questions::create(conn, query, self.person.id, &self.person.name, &found.whole(), &tried, self.app.clock.now()).await?;
        let id = question.id;
        // Pressed twice: the managers have it already.
        if new {
            gaps::note(conn, query, self.person.id, &found.text, gaps::Why::Asked, self.app.clock.now()).await?;
            let (slot, screen) = question_screen(&question);
            self.tell(conn, Addressee::Managers, Some(slot), &screen).await?;
            self.record("ask", format!("question:{id}"), None, None);
        }
        Ok(Some(Outcome::Asked { question: id }))
    }

    pub(super) async fn open_question(&mut self, conn: &mut PgConnection, question: QuestionId) -> Came {
        if !self.may(Verb::Resolve, Object::Question { own: false }) {
            return Ok(Some(Outcome::Refused));
        }
        let question = questions::get(conn, question).await?;
        Ok(Some(question.map_or(Outcome::Refused, |question| Outcome::Question { question: Box::new(question) })))
    }

    pub(super) async fn list_questions(&mut self, conn: &mut PgConnection) -> Came {
        if !self.may(Verb::See, Object::Question { own: false }) {
            return Ok(Some(Outcome::Refused));
        }
        Ok(Some(Outcome::Questions { questions: questions::open(conn, LISTED).await? }))
    }

    pub(super) async fn answer(&mut self, conn: &mut PgConnection, question: QuestionId, text: &str) -> Came {
        if !self.may(Verb::Resolve, Object::Question { own: false }) {
            return Ok(Some(Outcome::Refused));
        }
        let now = self.app.clock.now();
        let answered = questions::answer(conn, question, self.person.id, text, now).await?;
        Ok(Some(match answered {
            None => Outcome::Refused,
            Some(questions::Answered::Now(question)) => {
                self.record("answer", format!("question:{}", question.id), None, None);
                let others = self.answer_the_same(conn, &question, text).await?;
                Outcome::Answered { question: Box::new(question), already: false, others, savable: self.app.drafts.is_some() }
            }
            Some(questions::Answered::Already(question)) => {
                Outcome::Answered { question: Box::new(question), already: true, others: Vec::new(), savable: false }
            }
        }))
    }

    /// Whoever asked the same has this answer too: their questions are answered, and nobody has to write a note for them. Gives those who are to
    /// be told.
    async fn answer_the_same(
        &mut self,
        conn: &mut PgConnection,
        question: &Question,
        text: &str,
    ) -> Result<Vec<(PersonId, String)>, ServiceError> {
        let now = self.app.clock.now();
        let Some(query) = questions::search_of(conn, question.id).await? else { return Ok(Vec::new()) };
        let Some(group) = self.app.gap_group(conn, query).await? else { return Ok(Vec::new()) };
        let queries: Vec<QueryId> = group.iter().map(|search| search.query).collect();
        for other in questions::open_of(conn, &queries).await? {
            questions::answer(conn, other.id, self.person.id, text, now).await?;
        }
        gaps::close(conn, &queries, self.person.id, now).await?;
        Ok(others(&group, question.by))
    }

    pub(super) async fn report_fault(
        &mut self,
        conn: &mut PgConnection,
        job: Option<JobId>,
        run: Option<RunId>,
        step: Option<String>,
        note: String,
        photos: Vec<String>,
    ) -> Came {
        if !self.may(Verb::Create, Object::Fault) {
            return Ok(Some(Outcome::Refused));
        }
        let new = faults::NewFault {
            by: self.person.id,
            by_name: &self.person.name,
            job,
            run,
            step: step.as_deref(),
            note: &note,
            photos: &photos,
        };
        let fault = faults::create(conn, &new, self.app.clock.now()).await?;
        self.record("report", format!("fault:{}", fault.id), None, None);
        Ok(Some(Outcome::FaultMade { fault: Box::new(fault) }))
    }

    pub(super) async fn list_faults(&mut self, conn: &mut PgConnection) -> Came {
        if !self.may(Verb::See, Object::Fault) {
            return Ok(Some(Outcome::Refused));
        }
        Ok(Some(Outcome::Faults { faults: faults::open(conn, LISTED).await? }))
    }

    pub(super) async fn open_fault(&mut self, conn: &mut PgConnection, fault: FaultId) -> Came {
        if !self.may(Verb::See, Object::Fault) {
            return Ok(Some(Outcome::Refused));
        }
        let fault = faults::get(conn, fault).await?;
        Ok(Some(fault.map_or(Outcome::Refused, |fault| Outcome::Fault { fault: Box::new(fault) })))
    }

    pub(super) async fn close_fault(&mut self, conn: &mut PgConnection, fault: FaultId) -> Came {
        if !self.may(Verb::Resolve, Object::Fault) {
            return Ok(Some(Outcome::Refused));
        }
        // Closed twice: the fault as it is now answers it.
        if faults::close(conn, fault, self.person.id, self.app.clock.now()).await? {
            self.record("close", format!("fault:{fault}"), None, None);
            if let Some(closed) = faults::get(conn, fault).await?.filter(|closed| !self.own(closed.by)) {
                let screen = closed_screen(&closed, &self.person.name);
                self.tell(conn, Addressee::Person(closed.by), None, &screen).await?;
            }
        }
        self.open_fault(conn, fault).await
    }
}
