//! Procedures and walks through them.

use std::sync::Arc;
use std::time::Duration;

use fitter_dialogues::event::{Outcome, Photo};
use fitter_domain::ids::{JobId, ProcedureId, RunId};
use fitter_domain::job::JobStatus;
use fitter_domain::person::{Object, Verb};
use fitter_domain::run::{Run, RunState, RunStatus};
use fitter_store::PgConnection;
use fitter_store::procedures::{Listing, Version};
use fitter_store::runs::{Progress, Save};
use fitter_store::{jobs, photos, procedures, runs};

use super::{Came, json};
use crate::conversation::Turn;
use crate::error::ServiceError;
use crate::jobs::Job as Slow;
use crate::search::visible_to;

/// Procedures offered at once: few big buttons.
const PAGE: u32 = 5;

impl Turn<'_> {
    pub(super) async fn list_procedures(&mut self, conn: &mut PgConnection, job: Option<JobId>, skip: u32, like: Option<&str>) -> Came {
        if !self.may(Verb::Create, Object::Run { own: true }) {
            return Ok(Some(Outcome::Refused));
        }
        let listing = Listing { up_to: visible_to(self.person.role), prefer: self.person.locale, skip, limit: PAGE, like };
        let walked = self.app.walked(conn).await?;
        let (procedures, more) = procedures::list(conn, &listing, &walked).await?;
        Ok(Some(Outcome::Procedures { procedures, job, skip, more }))
    }

    pub(super) async fn open_procedure(&mut self, conn: &mut PgConnection, id: ProcedureId, job: Option<JobId>) -> Came {
        if !self.may(Verb::Create, Object::Run { own: true }) {
            return Ok(Some(Outcome::Refused));
        }
        let Some((id, version)) = self.newest(conn, id).await? else { return Ok(Some(Outcome::Refused)) };
        let jobs = if job.is_none() { jobs::open_of(conn, self.person.id, PAGE).await? } else { Vec::new() };
        Ok(Some(Outcome::Procedure { id, procedure: Box::new(Arc::unwrap_or_clone(version.procedure)), job, jobs }))
    }

    /// The version that is offered now of the note that a version is of, if the person may see it: a button may be older than the note.
    async fn newest(&self, conn: &mut PgConnection, id: ProcedureId) -> Result<Option<(ProcedureId, Version)>, ServiceError> {
        let Some(version) = procedures::get(conn, &self.app.bodies, id).await? else { return Ok(None) };
        let (id, version) = if version.current {
            (id, version)
        } else {
            let Some((id, ..)) = procedures::current_of_note(conn, &version.procedure.note).await? else { return Ok(None) };
            let Some(version) = procedures::get(conn, &self.app.bodies, id).await? else { return Ok(None) };
            (id, version)
        };
        Ok((version.visibility <= visible_to(self.person.role)).then_some((id, version)))
    }

    pub(super) async fn start_run(&mut self, conn: &mut PgConnection, id: ProcedureId, job: Option<JobId>) -> Came {
        if !self.may(Verb::Create, Object::Run { own: true }) {
            return Ok(Some(Outcome::Refused));
        }
        let Some((id, version)) = self.newest(conn, id).await? else { return Ok(Some(Outcome::Refused)) };
        if let Some(job) = job {
            let Some(job) = self.job(conn, Verb::Change, job).await? else { return Ok(Some(Outcome::Refused)) };
            // Pressed twice: the walk that was begun a moment ago is the one that is meant.
            if let Some(run) = runs::open_for(conn, self.person.id, job.id, id).await? {
                return self.open_run(conn, run).await;
            }
            if job.status.go(JobStatus::InProgress).is_ok_and(|status| status != job.status) {
                jobs::set_status(conn, job.id, JobStatus::InProgress, self.app.clock.now()).await?;
            }
        }
        // Steps with a condition count once it is met, so the first figure is corrected with the first save.
        let of = u32::try_from(version.procedure.size()).unwrap_or(u32::MAX);
        let progress = Progress { step: 1, of };
        let run = runs::create(conn, self.person.id, job, id, &RunState::default(), progress, self.app.clock.now()).await?;
        self.record("start", format!("run:{run}"), None, json(&id));
        let begun = runs::get(conn, &self.app.bodies, run).await?;
        Ok(Some(begun.map_or(Outcome::Refused, |run| Outcome::Run { run: Box::new(run), begun: true })))
    }

    /// The walk, if it is the person's own: a walk has one writer.
    async fn run(&self, conn: &mut PgConnection, run: RunId) -> Result<Option<Run>, ServiceError> {
        let run = match self.run.clone().filter(|known| known.id == run) {
            Some(run) => Some(run),
            None => runs::get(conn, &self.app.bodies, run).await?,
        };
        Ok(run.filter(|run| self.own(run.by) && self.may(Verb::Change, Object::Run { own: true })))
    }

    pub(super) async fn open_run(&mut self, conn: &mut PgConnection, run: RunId) -> Came {
        let run = self.run(conn, run).await?;
        Ok(Some(run.map_or(Outcome::Refused, |run| Outcome::Run { run: Box::new(run), begun: false })))
    }

    pub(super) async fn save_run(&mut self, conn: &mut PgConnection, id: RunId, state: &RunState) -> Came {
        let Some(mut run) = self.run(conn, id).await? else { return Ok(Some(Outcome::Refused)) };
        if state.changes.len() > run.state.changes.len()
            && let Some(change) = state.changes.last()
        {
            self.record("change", format!("run:{id}:{}", change.visit.step), json(&change.old), json(change));
        }
        if state.status != run.state.status && matches!(state.status, RunStatus::Done | RunStatus::Abandoned) {
            self.record(state.status.name(), format!("run:{id}"), None, None);
        }
        run.state = state.clone();
        let (place, of) = run.progress();
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let progress = Progress { step: count(place), of: count(of) };
        // Of several in a turn the last one counts.
        self.kept.saves.retain(|save| save.run != id);
        self.kept.saves.push(Save { run: id, state: state.clone(), progress });
        self.run = Some(run);
        Ok(None)
    }

    pub(super) async fn keep_photos(
        &mut self,
        conn: &mut PgConnection,
        id: RunId,
        step: Option<&str>,
        files: &[Photo],
        caption: Option<&str>,
    ) -> Came {
        let Some(run) = self.run(conn, id).await? else { return Ok(Some(Outcome::Refused)) };
        let job = run.job.as_ref().map(|(job, _)| *job);
        self.store_photos(conn, (job, Some(id)), step, files, caption).await?;
        Ok(None)
    }

    pub(super) async fn place_photos(&mut self, conn: &mut PgConnection, id: RunId, step: &str, files: &[String]) -> Came {
        if self.run(conn, id).await?.is_none() {
            return Ok(Some(Outcome::Refused));
        }
        photos::place(conn, id, step, files).await?;
        Ok(None)
    }

    pub(super) fn start_timer(&mut self, run: RunId, step: u32, seconds: u32) -> Came {
        let (at, person) = (self.at, self.person.id);
        let job = Slow::Timer { bot: at.bot, chat: at.chat, thread: at.thread, person, run, step };
        // A lane of its own: nothing waits behind a timer.
        self.later(format!("timer:{run}:{step}"), &job, Duration::from_secs(u64::from(seconds)))?;
        Ok(None)
    }
}
