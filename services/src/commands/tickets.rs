//! Searches, questions to a human, and faults.

use std::time::Duration;

use fitter_dialogues::ask::question_screen;
use fitter_dialogues::effect::Addressee;
use fitter_dialogues::event::Outcome;
use fitter_dialogues::faults::closed_screen;
use fitter_domain::ids::{FaultId, JobId, QueryId, QuestionId, RunId};
use fitter_domain::passage::Passage;
use fitter_domain::person::{Object, Verb};
use fitter_store::PgConnection;
use fitter_store::{faults, queries, questions};

use super::Came;
use crate::conversation::Turn;
use crate::jobs::Job as Slow;

/// Sources that a manager is told of: what was shown first.
const SOURCES: usize = 3;

/// Tickets of a list: more than anybody scrolls through.
const LISTED: u32 = 50;

impl Turn<'_> {
    pub(super) fn search(&mut self, text: String) -> Came {
        let (at, person) = (self.at, self.person.id);
        let job = Slow::Search { bot: at.bot, chat: at.chat, thread: at.thread, person, text };
        self.later(format!("search:{}:{}", at.bot, at.chat), &job, Duration::ZERO)?;
        Ok(None)
    }

    pub(super) async fn open_hit(&mut self, conn: &mut PgConnection, query: QueryId, index: u32) -> Came {
        let found = queries::get(conn, query).await?.filter(|found| self.own(found.person));
        let (of, hit) = found.map_or((0, None), |found| {
            let of = u32::try_from(found.hits.len()).unwrap_or(u32::MAX);
            (of, found.hits.into_iter().nth(index as usize).map(Box::new))
        });
        Ok(Some(Outcome::Hit { query, index, of, hit }))
    }

    pub(super) async fn ask_human(&mut self, conn: &mut PgConnection, query: QueryId) -> Came {
        let Some(found) = queries::get(conn, query).await?.filter(|found| self.own(found.person)) else {
            return Ok(Some(Outcome::Refused));
        };
        let mut tried: Vec<String> = found.hits.iter().map(Passage::source).collect();
        tried.dedup();
        tried.truncate(SOURCES);
        let (question, new) =
            questions::create(conn, query, self.person.id, &self.person.name, &found.text, &tried, self.app.clock.now()).await?;
        let id = question.id;
        // Pressed twice: the managers have it already.
        if new {
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
        let answered = questions::answer(conn, question, self.person.id, text, self.app.clock.now()).await?;
        Ok(Some(match answered {
            None => Outcome::Refused,
            Some(questions::Answered::Now(question)) => {
                self.record("answer", format!("question:{}", question.id), None, None);
                Outcome::Answered { question: Box::new(question), already: false }
            }
            Some(questions::Answered::Already(question)) => Outcome::Answered { question: Box::new(question), already: true },
        }))
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
