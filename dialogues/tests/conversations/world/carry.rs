//! Carries commands out, as the services do.

use fitter_dialogues::ask::question_screen;
use fitter_dialogues::effect::{Addressee, Command};
use fitter_dialogues::event::{InviteRefusal, Outcome};
use fitter_domain::clock::Clock as _;
use fitter_domain::ids::{FaultId, JobId, PersonId, ProcedureId, QueryId, QuestionId, RunId, VehicleId};
use fitter_domain::job::{Job, JobStatus};
use fitter_domain::person::{Object, Role, Verb, may};
use fitter_domain::procedure::ProcedureSummary;
use fitter_domain::run::{Run, RunState, RunStatus, RunSummary};
use fitter_domain::ticket::{Fault, Question};
use fitter_domain::vault::VaultState;
use fitter_domain::vehicle::VehicleNumber;

use super::{World, check};

const PAGE: usize = 3;

pub(super) fn next(len: usize) -> i64 {
    i64::try_from(len).unwrap() + 1
}

pub(super) fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap()
}

impl World {
    pub(super) fn may(&self, who: PersonId, verb: Verb, object: Object) -> bool {
        may(self.chats[&who].person.role, verb, object)
    }

    fn job(&self, who: PersonId, verb: Verb, job: JobId) -> Option<Job> {
        let mut job = self.jobs.get(&job).filter(|job| self.may(who, verb, Object::Job { own: job.technician == who }))?.clone();
        job.photos = count(self.job_photos.get(&job.id).map_or(0, Vec::len));
        let of_job = |run: &&Run| run.job.as_ref().is_some_and(|(id, _)| *id == job.id) && run.state.status != RunStatus::Abandoned;
        job.runs = self
            .runs
            .values()
            .filter(of_job)
            .map(|run| (run.id, run.procedure.title.clone(), run.state.status == RunStatus::Done))
            .collect();
        Some(job)
    }

    fn open_jobs(&self, who: PersonId, all: bool) -> Vec<Job> {
        let open = |job: &&Job| job.status != JobStatus::Complete && (all || job.technician == who);
        let mut jobs: Vec<Job> = self.jobs.values().filter(open).filter_map(|job| self.job(who, Verb::See, job.id)).collect();
        jobs.reverse();
        jobs
    }

    fn open_runs(&self, who: PersonId) -> Vec<RunSummary> {
        let open = |run: &&Run| run.by == who && matches!(run.state.status, RunStatus::Active | RunStatus::Paused);
        let summary = |run: &Run| {
            let (step, of) = run.progress();
            let number = run.job.as_ref().map(|(_, number)| number.clone());
            RunSummary {
                id: run.id,
                title: run.procedure.title.clone(),
                number,
                step: count(step),
                of: count(of),
                status: run.state.status,
            }
        };
        self.runs.values().rev().filter(open).map(summary).collect()
    }

    fn found_job(&self, who: PersonId, verb: Verb, job: JobId) -> Option<Outcome> {
        Some(self.job(who, verb, job).map_or(Outcome::Refused, |job| Outcome::Job { job: Box::new(job), made: false }))
    }

    fn opened_run(&self, who: PersonId, run: RunId, begun: bool) -> Option<Outcome> {
        let run = self.runs.get(&run).filter(|run| run.by == who);
        Some(run.map_or(Outcome::Refused, |run| Outcome::Run { run: Box::new(run.clone()), begun }))
    }

    /// Two minutes ago, with one broken note.
    fn vault(&self) -> VaultState {
        VaultState {
            source: Some("https://git.example.com/notes.git".to_owned()),
            version: Some("0123456789abcdef".to_owned()),
            at: Some(self.clock.now() - chrono::TimeDelta::minutes(2)),
            error: None,
            revision: 7,
            notes: 12,
            procedures: 3,
            errors: 1,
            warnings: 0,
            problems: vec!["Осмотр.md:13: `min` is not a number".to_owned()],
        }
    }

    pub(super) fn carry_out(&mut self, who: PersonId, command: Command) -> Option<Outcome> {
        match command {
            Command::SetLocale(locale) => self.person(who).locale = locale,
            Command::Onboard { name } => {
                self.person(who).name = name;
                self.person(who).onboarded = true;
            }
            Command::RedeemInvite { token } => return Some(self.redeem(who, &token)),
            Command::MakeInvite { role } => {
                if !self.may(who, Verb::Create, Object::Invite) {
                    return Some(Outcome::Refused);
                }
                let link = format!("https://t.me/fitter_bot?start=inv_{}", self.invites.len());
                return Some(Outcome::InviteMade { link, role, days: 7 });
            }
            Command::ShowVault | Command::SyncVault => {
                if !self.may(who, Verb::See, Object::Vault) {
                    return Some(Outcome::Refused);
                }
                let wanted = command == Command::SyncVault;
                return Some(Outcome::Vault { vault: Box::new(self.vault()), wanted });
            }
            Command::Home => {
                let manager = self.may(who, Verb::See, Object::Fault);
                let runs = self.open_runs(who);
                let (questions, faults) = if manager {
                    (self.questions.iter().filter(|it| it.answer.is_none()).count(), self.faults.iter().filter(|it| !it.closed).count())
                } else {
                    (0, 0)
                };
                return Some(Outcome::Home {
                    runs: count(runs.len()),
                    run: runs.into_iter().next(),
                    jobs: count(self.open_jobs(who, manager).len()),
                    questions: count(questions),
                    faults: count(faults),
                });
            }
            Command::MakeJob { number } => return self.make_job(who, number),
            Command::OpenJob(job) => return self.found_job(who, Verb::See, job),
            Command::SetJobStatus { job, to } => {
                if let Some(mut changed) = self.job(who, Verb::Change, job) {
                    if to == JobStatus::Complete && changed.runs.iter().any(|(_, _, done)| !done) {
                        return Some(Outcome::Unfinished { job: Box::new(changed) });
                    }
                    changed.status = changed.status.go(to).unwrap_or(changed.status);
                    self.jobs.insert(job, changed);
                }
                return self.found_job(who, Verb::Change, job);
            }
            Command::FinishJob(job) => {
                if let Some(mut finished) = self.job(who, Verb::Change, job) {
                    for (run, _, done) in &finished.runs {
                        if let Some(run) = self.runs.get_mut(run).filter(|_| !done) {
                            run.state.status = RunStatus::Abandoned;
                        }
                    }
                    finished.status = JobStatus::Complete;
                    self.jobs.insert(job, finished);
                }
                return self.found_job(who, Verb::Change, job);
            }
            Command::AddJobPhotos { job, files, caption } => {
                if self.job(who, Verb::Change, job).is_none() {
                    return Some(Outcome::Refused);
                }
                self.kept.extend(files.iter().map(|photo| (photo.file_id.clone(), (None, caption.clone()))));
                self.job_photos.entry(job).or_default().extend(files.into_iter().map(|photo| photo.file_id));
            }
            Command::ListJobPhotos(job) => {
                let files = self.job_photos.get(&job).cloned().unwrap_or_default();
                return Some(self.job(who, Verb::See, job).map_or(Outcome::Refused, |job| Outcome::JobPhotos { job: job.id, files }));
            }
            Command::ListJobs => {
                if !self.may(who, Verb::See, Object::Job { own: true }) {
                    return Some(Outcome::Refused);
                }
                return Some(Outcome::Jobs { jobs: self.open_jobs(who, self.may(who, Verb::See, Object::Job { own: false })) });
            }
            Command::VehicleHistory(job) => {
                let Some(job) = self.job(who, Verb::See, job) else { return Some(Outcome::Refused) };
                let of_vehicle = self.jobs.values().rev().filter(|other| other.vehicle == job.vehicle);
                let jobs =
                    of_vehicle.map(|other| self.job(other.technician, Verb::See, other.id).unwrap_or_else(|| other.clone())).collect();
                return Some(Outcome::History { job: job.id, jobs });
            }
            Command::AskHuman(query) => {
                let Some(found) = self.found.get(&query).filter(|found| found.by == who) else { return Some(Outcome::Refused) };
                if let Some(asked) = self.asked.get(&query) {
                    return Some(Outcome::Asked { question: self.questions[*asked].id });
                }
                let question = Question {
                    id: QuestionId(next(self.questions.len())),
                    by: who,
                    by_name: self.chats[&who].person.name.clone(),
                    text: found.text.clone(),
                    tried: found.hits.iter().map(|hit| hit.source()).collect(),
                    answer: None,
                };
                let (slot, screen) = question_screen(&question);
                self.asked.insert(query, self.questions.len());
                self.questions.push(question.clone());
                self.tell(who, Addressee::Managers, Some(slot), &screen);
                return Some(Outcome::Asked { question: question.id });
            }
            Command::OpenHit { query, index } => {
                let found = self.found.get(&query).filter(|found| found.by == who);
                let (of, hit) =
                    found.map_or((0, None), |found| (count(found.hits.len()), found.hits.get(index as usize).cloned().map(Box::new)));
                let of_note = |note: &str| self.procedures.iter().position(|it| it.note == note);
                let procedure = hit.as_ref().and_then(|hit| hit.procedure.as_deref()).and_then(of_note);
                let procedure = procedure.map(|at| (ProcedureId(next(at)), self.procedures[at].title.clone()));
                return Some(Outcome::Hit { query, index, of, hit, procedure });
            }
            Command::OpenSection { query, index, section } => return Some(self.section(who, query, index, section)),
            Command::Judge { query, good, .. } => {
                if let Some(found) = self.found.get(&query).filter(|found| found.by == who) {
                    let text = found.text.clone();
                    self.gaps.retain(|(gap, ..)| *gap != query);
                    if !good {
                        self.gaps.push((query, who, text));
                    }
                }
            }
            Command::ListGaps | Command::OpenGap(_) | Command::AnswerGap(_) | Command::CloseGap(_) | Command::SaveNote(_) => {
                return self.gap(who, command);
            }
            Command::OpenQuestion(_) | Command::ListQuestions | Command::Answer { .. } => return self.question(who, command),
            Command::ReportFault { .. } | Command::ListFaults | Command::OpenFault(_) | Command::CloseFault(_) => {
                return self.fault(who, command);
            }
            Command::Search { text, .. } => self.searches.push_back((who, text)),
            command => return self.walk(who, command),
        }
        None
    }

    fn walk(&mut self, who: PersonId, command: Command) -> Option<Outcome> {
        match command {
            Command::ListProcedures { .. } | Command::OpenProcedure { .. } | Command::StartRun { .. }
                if !self.may(who, Verb::Create, Object::Run { own: true }) =>
            {
                return Some(Outcome::Refused);
            }
            Command::ListProcedures { job, skip, like } => {
                let all = self.procedures.iter().enumerate().map(|(index, it)| ProcedureSummary {
                    id: ProcedureId(next(index)),
                    title: it.title.clone(),
                    locale: it.locale,
                    steps: count(it.steps.len()),
                    duration: it.duration,
                });
                let like = like.unwrap_or_default().to_lowercase();
                let fitting: Vec<_> = all.filter(|it| it.title.to_lowercase().contains(&like)).skip(skip as usize).collect();
                let more = fitting.len() > PAGE;
                return Some(Outcome::Procedures { procedures: fitting.into_iter().take(PAGE).collect(), job, skip, more });
            }
            Command::OpenProcedure { id, job } => {
                let Some(procedure) = usize::try_from(id.0 - 1).ok().and_then(|at| self.procedures.get(at)) else {
                    return Some(Outcome::Refused);
                };
                let jobs = if job.is_none() { self.open_jobs(who, false) } else { Vec::new() };
                return Some(Outcome::Procedure { id, procedure: Box::new((**procedure).clone()), job, jobs });
            }
            Command::StartRun { procedure: id, job } => {
                let Some(procedure) = usize::try_from(id.0 - 1).ok().and_then(|at| self.procedures.get(at)).cloned() else {
                    return Some(Outcome::Refused);
                };
                let job = match job.map(|job| self.job(who, Verb::Change, job)) {
                    Some(None) => return Some(Outcome::Refused),
                    job => job.flatten(),
                };
                if let Some(job) = &job {
                    self.jobs.get_mut(&job.id).unwrap().status = JobStatus::InProgress;
                }
                let run = Run {
                    id: RunId(next(self.runs.len())),
                    by: who,
                    by_name: self.chats[&who].person.name.clone(),
                    job: job.map(|job| (job.id, job.number)),
                    procedure_id: id,
                    procedure,
                    newer: false,
                    state: RunState::default(),
                    started: self.clock.now(),
                };
                let id = run.id;
                self.runs.insert(id, run);
                return self.opened_run(who, id, true);
            }
            Command::OpenRun(run) => return self.opened_run(who, run, false),
            Command::SaveRun { run, state } => {
                let Some(stored) = self.runs.get_mut(&run).filter(|run| run.by == who) else { return Some(Outcome::Refused) };
                check::kept(&stored.state, &state);
                stored.state = serde_json::from_value(serde_json::to_value(&*state).unwrap()).unwrap();
            }
            Command::KeepPhotos { run, files, step, caption } => {
                let Some(run) = self.runs.get(&run).filter(|run| run.by == who) else { return Some(Outcome::Refused) };
                self.kept.extend(files.iter().map(|photo| (photo.file_id.clone(), (step.clone(), caption.clone()))));
                if let Some((job, _)) = &run.job {
                    self.job_photos.entry(*job).or_default().extend(files.into_iter().map(|photo| photo.file_id));
                }
            }
            Command::PlacePhotos { run, step, files } => {
                if self.runs.get(&run).is_none_or(|run| run.by != who) {
                    return Some(Outcome::Refused);
                }
                for file in files {
                    self.kept.get_mut(&file).unwrap().0 = Some(step.clone());
                }
            }
            Command::ListRuns => return Some(Outcome::Runs { runs: self.open_runs(who) }),
            Command::StartTimer { run, step, seconds } => {
                self.timers.push((self.clock.now() + chrono::TimeDelta::seconds(i64::from(seconds)), who, run, step));
            }
            other => panic!("nobody carries out {other:?}"),
        }
        None
    }

    fn question(&mut self, who: PersonId, command: Command) -> Option<Outcome> {
        if !self.may(who, Verb::Resolve, Object::Question { own: false }) {
            return Some(Outcome::Refused);
        }
        Some(match command {
            Command::OpenQuestion(id) => {
                let question = self.questions.iter().find(|question| question.id == id);
                question.map_or(Outcome::Refused, |question| Outcome::Question { question: Box::new(question.clone()) })
            }
            Command::Answer { question, text } => match self.questions.iter_mut().find(|it| it.id == question) {
                None => Outcome::Refused,
                Some(question) => {
                    let already = question.answer.is_some();
                    question.answer.get_or_insert(text);
                    let question = question.clone();
                    let same = |text: &str| text.to_lowercase() == question.text.to_lowercase();
                    let (closed, open) = std::mem::take(&mut self.gaps).into_iter().partition(|(_, _, text)| same(text));
                    self.gaps = open;
                    let closed: Vec<(QueryId, PersonId, String)> = closed;
                    let mut others: Vec<(PersonId, String)> = Vec::new();
                    for (_, person, text) in closed {
                        if person != question.by && !others.iter().any(|(known, _)| *known == person) {
                            others.push((person, text));
                        }
                    }
                    Outcome::Answered { question: Box::new(question), already, others, savable: true }
                }
            },
            _ => Outcome::Questions { questions: self.questions.iter().filter(|it| it.answer.is_none()).cloned().collect() },
        })
    }

    fn fault(&mut self, who: PersonId, command: Command) -> Option<Outcome> {
        let allowed = match command {
            Command::ReportFault { .. } => self.may(who, Verb::Create, Object::Fault),
            _ => self.may(who, Verb::Resolve, Object::Fault),
        };
        if !allowed {
            return Some(Outcome::Refused);
        }
        Some(match command {
            Command::ReportFault { job, run, step, note, photos } => {
                let by_name = self.chats[&who].person.name.clone();
                let id = FaultId(next(self.faults.len()));
                self.faults.push(Fault { id, by: who, by_name, job, run, step, note, photos, at: self.clock.now(), closed: false });
                Outcome::FaultMade { fault: Box::new(self.faults[self.faults.len() - 1].clone()) }
            }
            Command::OpenFault(id) => self
                .faults
                .iter()
                .find(|fault| fault.id == id)
                .map_or(Outcome::Refused, |fault| Outcome::Fault { fault: Box::new(fault.clone()) }),
            Command::CloseFault(id) => match self.faults.iter_mut().find(|fault| fault.id == id) {
                None => Outcome::Refused,
                Some(fault) => {
                    fault.closed = true;
                    Outcome::Fault { fault: Box::new(fault.clone()) }
                }
            },
            _ => Outcome::Faults { faults: self.faults.iter().rev().filter(|fault| !fault.closed).cloned().collect() },
        })
    }

    fn person(&mut self, who: PersonId) -> &mut fitter_domain::person::Person {
        &mut self.chats.get_mut(&who).unwrap().person
    }

    fn redeem(&mut self, who: PersonId, token: &str) -> Outcome {
        let why = match self.invites.get_mut(token) {
            None => InviteRefusal::Unknown,
            Some(invite) if invite.expired => InviteRefusal::Expired,
            Some(invite) if invite.used => InviteRefusal::Used,
            Some(invite) => {
                invite.used = true;
                let role: Role = invite.role.max(self.chats[&who].person.role);
                self.person(who).role = role;
                return Outcome::Invited { role };
            }
        };
        Outcome::NotInvited { why }
    }

    fn make_job(&mut self, who: PersonId, number: VehicleNumber) -> Option<Outcome> {
        if !self.may(who, Verb::Create, Object::Job { own: true }) {
            return Some(Outcome::Refused);
        }
        let open = |job: &&Job| job.number == number && job.technician == who && job.status != JobStatus::Complete;
        if let Some(job) = self.jobs.values().find(open) {
            return self.found_job(who, Verb::See, job.id);
        }
        let id = JobId(next(self.jobs.len()));
        let known = self.jobs.values().find(|job| job.number == number).map(|job| job.vehicle);
        let job = Job {
            id,
            vehicle: known.unwrap_or(VehicleId(id.0)),
            number,
            technician: who,
            technician_name: self.chats[&who].person.name.clone(),
            status: JobStatus::Open,
            photos: 0,
            created: self.clock.now(),
            runs: Vec::new(),
        };
        self.jobs.insert(id, job.clone());
        Some(Outcome::Job { job: Box::new(job), made: true })
    }
}
