//! What the notes do not answer: the editors' list.

use std::cmp::Reverse;
use std::time::Duration;

use fitter_dialogues::event::Outcome;
use fitter_domain::ids::{QueryId, QuestionId};
use fitter_domain::person::{Object, Verb};
use fitter_domain::ticket::Gap;
use fitter_store::PgConnection;
use fitter_store::{gaps, questions};

use super::Came;
use crate::conversation::Turn;
use crate::gaps::gap;
use crate::jobs::Job as Slow;

/// Gaps of a list: more than anybody scrolls through.
const LISTED: usize = 50;

impl Turn<'_> {
    fn edits(&self) -> bool {
        self.may(Verb::Resolve, Object::Question { own: false })
    }

    pub(super) async fn list_gaps(&mut self, conn: &mut PgConnection) -> Came {
        if !self.edits() {
            return Ok(Some(Outcome::Refused));
        }
        let groups = self.app.gap_groups(conn).await?;
        let mut gaps: Vec<Gap> = groups.iter().filter_map(|group| gap(group)).collect();
        let of = u32::try_from(gaps.len()).unwrap_or(u32::MAX);
        // What is asked most first; of equals the newest.
        gaps.sort_by_key(|gap| Reverse((gap.count, gap.query.0)));
        gaps.truncate(LISTED);
        Ok(Some(Outcome::Gaps { gaps, of }))
    }

    pub(super) async fn open_gap(&mut self, conn: &mut PgConnection, query: QueryId) -> Came {
        if !self.edits() {
            return Ok(Some(Outcome::Refused));
        }
        // Closed by somebody else: the list as it is now.
        let Some(gap) = self.app.gap_group(conn, query).await?.as_deref().and_then(gap) else { return self.list_gaps(conn).await };
        Ok(Some(Outcome::Gap { gap: Box::new(gap) }))
    }

    /// Opens the question that stands for all who asked it; if none of them asked a human, it is made.
    pub(super) async fn answer_gap(&mut self, conn: &mut PgConnection, query: QueryId) -> Came {
        if !self.edits() {
            return Ok(Some(Outcome::Refused));
        }
        let Some(group) = self.app.gap_group(conn, query).await? else { return self.list_gaps(conn).await };
        let queries: Vec<QueryId> = group.iter().map(|search| search.query).collect();
        let open = questions::open_of(conn, &queries).await?.into_iter().next();
        let question = match (open, group.first()) {
            (Some(question), _) => question,
            (None, Some(first)) => {
                let now = self.app.clock.now();
                questions::create(conn, first.query, first.person, &first.name, &first.text, &[], now).await?.0
            }
            (None, None) => return Ok(Some(Outcome::Refused)),
        };
        Ok(Some(Outcome::Question { question: Box::new(question) }))
    }

    pub(super) async fn close_gap(&mut self, conn: &mut PgConnection, query: QueryId) -> Came {
        if !self.edits() {
            return Ok(Some(Outcome::Refused));
        }
        if let Some(group) = self.app.gap_group(conn, query).await? {
            let queries: Vec<QueryId> = group.iter().map(|search| search.query).collect();
            gaps::close(conn, &queries, self.person.id, self.app.clock.now()).await?;
            self.record("close", format!("gap:{query}"), None, None);
        }
        self.list_gaps(conn).await
    }

    /// Writing takes a while, so a worker does it.
    pub(super) async fn save_note(&mut self, conn: &mut PgConnection, question: QuestionId) -> Came {
        let answered = questions::get(conn, question).await?.is_some_and(|question| question.answer.is_some());
        if !self.edits() || !answered {
            return Ok(Some(Outcome::Refused));
        }
        let at = self.at;
        let job = Slow::Draft { bot: at.bot, chat: at.chat, thread: at.thread, person: self.person.id, question };
        self.later(format!("draft:{question}"), &job, Duration::ZERO)?;
        self.record("draft", format!("question:{question}"), None, None);
        Ok(None)
    }
}
