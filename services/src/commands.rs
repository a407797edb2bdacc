//! What dialogues ask to be done, in the transaction of their turn. Here, and nowhere else, it is checked that the person may.
//!
//! | file | what |
//! | --- | --- |
//! | `commands.rs` | people, invitations, home |
//! | `commands/jobs.rs` | repair cards and their photos |
//! | `commands/walks.rs` | procedures and walks |
//! | `commands/answers.rs` | searches and what people think of them |
//! | `commands/gaps.rs` | what the notes do not answer |
//! | `commands/tickets.rs` | questions and faults |

mod answers;
mod gaps;
mod jobs;
mod tickets;
mod walks;

use std::time::Duration;

use fitter_dialogues::effect::Command;
use fitter_dialogues::event::{InviteRefusal, Outcome};
use fitter_domain::Locale;
use fitter_domain::ids::{JobId, PersonId};
use fitter_domain::person::{Object, Role, Verb, may};
use fitter_queue::{NewItem, Queue};
use fitter_store::PgConnection;
use fitter_store::{audit, home, invites as stored_invites, people, runs, vault};
use serde::Serialize;
use serde_json::Value;

use crate::conversation::Turn;
use crate::error::ServiceError;
use crate::invites;
use crate::jobs::Job as Slow;

/// The home screen counts up to here.
const COUNTED: u32 = 99;

type Came = Result<Option<Outcome>, ServiceError>;

impl Turn<'_> {
    /// Carries a command out; gives its outcome if it has one now.
    pub(crate) async fn carry_out(&mut self, conn: &mut PgConnection, command: Command) -> Came {
        if !matches!(command, Command::SaveRun { .. } | Command::KeepPhotos { .. } | Command::StartTimer { .. } | Command::Search { .. }) {
            // It may look at walks, or change them.
            self.kept.store_runs(conn, self.app.clock.now()).await?;
            self.run = None;
        }
        match command {
            Command::SetLocale(locale) => self.set_locale(conn, locale).await,
            Command::Onboard { name } => self.onboard(conn, name).await,
            Command::RedeemInvite { token } => self.redeem(conn, &token).await,
            Command::MakeInvite { role } => self.invite(conn, role).await,
            Command::Home => self.home(conn).await,
            Command::MakeJob { number } => self.make_job(conn, &number).await,
            Command::OpenJob(job) => self.open_job(conn, job).await,
            Command::SetJobStatus { job, to } => self.set_job_status(conn, job, to).await,
            Command::FinishJob(job) => self.finish_job(conn, job).await,
            Command::AddJobPhotos { job, files, caption } => self.add_job_photos(conn, job, &files, caption.as_deref()).await,
            Command::ListJobPhotos(job) => self.job_photos(conn, job).await,
            Command::ListJobs => self.list_jobs(conn).await,
            Command::VehicleHistory(job) => self.vehicle_history(conn, job).await,
            Command::ListProcedures { job, skip, like } => self.list_procedures(conn, job, skip, like.as_deref()).await,
            Command::OpenProcedure { id, job } => self.open_procedure(conn, id, job).await,
            Command::StartRun { procedure, job } => self.start_run(conn, procedure, job).await,
            Command::OpenRun(run) => self.open_run(conn, run).await,
            Command::SaveRun { run, state } => self.save_run(conn, run, &state).await,
            Command::KeepPhotos { run, step, files, caption } => {
                self.keep_photos(conn, run, step.as_deref(), &files, caption.as_deref()).await
            }
            Command::PlacePhotos { run, step, files } => self.place_photos(conn, run, &step, &files).await,
            Command::ListRuns => Ok(Some(Outcome::Runs { runs: runs::open_of(conn, self.person.id, COUNTED).await? })),
            Command::StartTimer { run, step, seconds } => self.start_timer(run, step, seconds),
            Command::Search { text, within } => self.search(text, within),
            Command::OpenSection { query, index, section } => self.open_section(conn, query, index, section).await,
            Command::Judge { query, index, good } => self.judge(conn, query, index, good).await,
            Command::ListGaps => self.list_gaps(conn).await,
            Command::OpenGap(query) => self.open_gap(conn, query).await,
            Command::AnswerGap(query) => self.answer_gap(conn, query).await,
            Command::CloseGap(query) => self.close_gap(conn, query).await,
            Command::SaveNote(question) => self.save_note(conn, question).await,
            Command::OpenHit { query, index } => self.open_hit(conn, query, index).await,
            Command::AskHuman(query) => self.ask_human(conn, query).await,
            Command::OpenQuestion(question) => self.open_question(conn, question).await,
            Command::ListQuestions => self.list_questions(conn).await,
            Command::Answer { question, text } => self.answer(conn, question, &text).await,
            Command::ReportFault { job, run, step, note, photos } => self.report_fault(conn, job, run, step, note, photos).await,
            Command::ListFaults => self.list_faults(conn).await,
            Command::OpenFault(fault) => self.open_fault(conn, fault).await,
            Command::CloseFault(fault) => self.close_fault(conn, fault).await,
            Command::ShowVault => self.vault(conn, Verb::See).await,
            Command::SyncVault => self.vault(conn, Verb::Change).await,
        }
    }

    /// Whether the person may do this.
    pub(crate) fn may(&self, verb: Verb, object: Object) -> bool {
        may(self.person.role, verb, object)
    }

    /// Whether a thing of `owner` is the person's own.
    pub(crate) fn own(&self, owner: PersonId) -> bool {
        owner == self.person.id
    }

    /// Writes who did what to the audit, when the turn is stored.
    pub(crate) fn record(&mut self, verb: &str, object: String, old: Option<Value>, new: Option<Value>) {
        let at = self.app.clock.now();
        self.kept.audits.push(audit::Entry { actor: Some(self.person.id), verb: verb.to_owned(), object, old, new, at });
    }

    /// Leaves slow work to the workers, not before `delay`.
    pub(crate) fn later(&mut self, lane: String, job: &Slow, delay: Duration) -> Result<(), ServiceError> {
        self.out.push(NewItem::json(Queue::Job, lane, job)?.delay(delay));
        Ok(())
    }

    async fn set_locale(&mut self, conn: &mut PgConnection, locale: Locale) -> Came {
        people::set_locale(conn, self.person.id, locale).await?;
        self.person.locale = locale;
        if self.person.role.is_staff() {
            self.list_commands(conn).await?;
        }
        Ok(None)
    }

    async fn onboard(&mut self, conn: &mut PgConnection, name: String) -> Came {
        people::onboard(conn, self.person.id, &name).await?;
        self.person.name = name;
        self.person.onboarded = true;
        Ok(None)
    }

    async fn redeem(&mut self, conn: &mut PgConnection, token: &str) -> Came {
        let redeemed = stored_invites::redeem(conn, &invites::hash(token), self.person.id, self.app.clock.now()).await?;
        let refusal = match redeemed {
            Ok(role) => {
                // A link for technicians does not take a manager's role away.
                let role = role.max(self.person.role);
                people::set_role(conn, self.person.id, role).await?;
                self.record("redeem", format!("person:{}", self.person.id), json(&self.person.role), json(&role));
                self.person.role = role;
                self.list_commands(conn).await?;
                return Ok(Some(Outcome::Invited { role }));
            }
            Err(stored_invites::Refusal::Unknown) => InviteRefusal::Unknown,
            Err(stored_invites::Refusal::Expired) => InviteRefusal::Expired,
            Err(stored_invites::Refusal::Used { by }) if self.own(by) => InviteRefusal::Own,
            Err(stored_invites::Refusal::Used { .. }) => InviteRefusal::Used,
        };
        Ok(Some(Outcome::NotInvited { why: refusal }))
    }

    async fn invite(&mut self, conn: &mut PgConnection, role: Role) -> Came {
        if !self.may(Verb::Create, Object::Invite) {
            return Ok(Some(Outcome::Refused));
        }
        let token = self.app.make_invite(conn, role, Some(self.person.id)).await?;
        self.record("invite", format!("role:{}", role.name()), None, None);
        let Some(link) = self.app.invite_link(self.at.bot, &token) else { return Ok(Some(Outcome::Refused)) };
        Ok(Some(Outcome::InviteMade { link, role, days: invites::DAYS }))
    }

    /// How the notes are kept; to change it is to have their source looked at.
    async fn vault(&mut self, conn: &mut PgConnection, verb: Verb) -> Came {
        if !self.may(verb, Object::Vault) {
            return Ok(Some(Outcome::Refused));
        }
        let wanted = verb == Verb::Change;
        if wanted {
            vault::want(conn).await?;
        }
        Ok(Some(Outcome::Vault { vault: Box::new(crate::vault::state(conn).await?), wanted }))
    }

    async fn home(&mut self, conn: &mut PgConnection) -> Came {
        self.list_commands_once()?;
        let staff = self.person.role.is_staff();
        let manager = self.may(Verb::See, Object::Fault);
        let open = if staff { home::counts(conn, self.person.id, manager, COUNTED).await? } else { home::Counts::default() };
        let last = if open.runs > 0 { runs::open_of(conn, self.person.id, 1).await? } else { Vec::new() };
        Ok(Some(Outcome::Home {
            runs: open.runs,
            run: last.into_iter().next(),
            jobs: open.jobs,
            questions: open.questions,
            faults: open.faults,
        }))
    }
}

/// A value for the audit.
pub(crate) fn json(value: &impl Serialize) -> Option<Value> {
    serde_json::to_value(value).ok()
}

/// The audit's name of a job.
pub(crate) fn job_object(job: JobId) -> String {
    format!("job:{job}")
}
