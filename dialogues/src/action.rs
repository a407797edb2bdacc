//! What buttons say back: callback data, 1 to 64 bytes of ASCII, readable in logs and stable across releases.

use fitter_domain::ids::{FaultId, JobId, ProcedureId, QueryId, QuestionId, RunId};
use fitter_domain::job::JobStatus;
use fitter_domain::locale::Locale;
use fitter_domain::person::Role;
use fitter_domain::vehicle::VehicleNumber;

/// What a button does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Home.
    Menu,
    /// Choose a language.
    Languages,
    /// This language.
    Language(Locale),
    /// The suggested name is right.
    KeepName,
    /// Help.
    Help,
    /// The jobs.
    Jobs,
    /// A new job: ask for the number.
    NewJob,
    /// A new job for this vehicle.
    JobFor(VehicleNumber),
    /// The typed text was a question, not a vehicle.
    NotAVehicle,
    /// A card.
    Job(JobId),
    /// The rest of a card's buttons.
    JobMore(JobId),
    /// A card's new state.
    JobStatus(JobId, JobStatus),
    /// Complete a job although walks on it are open.
    FinishJob(JobId),
    /// Add photos to a card.
    JobPhotos(JobId),
    /// Show a card's photos.
    JobGallery(JobId),
    /// The vehicle's history.
    JobHistory(JobId),
    /// Report a fault on a job, outside of any walk.
    JobProblem(JobId),
    /// Procedures, for a job, from a place in the list.
    Procedures {
        /// For this job.
        job: Option<JobId>,
        /// Leave out so many.
        skip: u32,
    },
    /// A procedure's introduction.
    Procedure {
        /// Which version.
        id: ProcedureId,
        /// For this job.
        job: Option<JobId>,
    },
    /// Begin a walk.
    Start {
        /// Which version.
        id: ProcedureId,
        /// For this job.
        job: Option<JobId>,
    },
    /// Open walks.
    Runs,
    /// Go on with a walk.
    Run(RunId),
    /// Something in a walk, for a certain state of it.
    Walk(RunId, u32, Walk),
    /// Ask a question.
    Ask,
    /// Show a hit of a search.
    Hit(QueryId, u32),
    /// This hit is what was asked for.
    Good(QueryId, u32),
    /// This hit is not what was asked for.
    NotIt(QueryId, u32),
    /// The whole section that a hit is from, or another section of its note.
    Section(QueryId, u32, Option<u32>),
    /// Ask a human.
    Human(QueryId),
    /// What the notes do not answer.
    Gaps,
    /// Something that the notes do not answer.
    Gap(QueryId),
    /// Answer all who asked it.
    AnswerGap(QueryId),
    /// The notes have it.
    CloseGap(QueryId),
    /// Save an answer as a note.
    SaveNote(QuestionId),
    /// Unanswered questions.
    Questions,
    /// Answer a question.
    Question(QuestionId),
    /// Open faults.
    Faults,
    /// A fault.
    Fault(FaultId),
    /// Close a fault.
    CloseFault(FaultId),
    /// Invite somebody.
    Invite,
    /// Invite somebody with this role.
    InviteAs(Role),
    /// Send the fault that is being described.
    SendProblem,
    /// How the notes are kept.
    Vault,
    /// Look at the source of the notes now.
    SyncVault,
    /// Drop what is being typed.
    Cancel,
}

/// What a button in a walk does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Walk {
    /// Done, yes, on.
    Ok,
    /// The answer of this place, from 0.
    Choose(u32),
    /// Skip an optional step.
    Skip,
    /// The step before.
    Back,
    /// Put aside.
    Pause,
    /// Report a problem.
    Problem,
    /// Show the checkpoint's hint.
    Hint,
    /// A repeatable step once more.
    Again,
    /// Measure again.
    Remeasure,
    /// Give a reason for the reading.
    Reason,
    /// Start the timer.
    Timer,
    /// Change the answer of this place, from 0.
    Change(u32),
    /// Send the problem.
    Send,
    /// Back to the step.
    Cancel,
    /// Give the walk up: ask first.
    Abandon,
    /// Give the walk up, really.
    AbandonYes,
    /// To the first step that is not done.
    Forward,
    /// Which of several answers is to be changed.
    Changes,
    /// The words in doubt were a question.
    Question,
}

impl Walk {
    fn encode(self) -> String {
        match self {
            Self::Ok => "ok".into(),
            Self::Choose(place) => format!("c{place}"),
            Self::Skip => "sk".into(),
            Self::Back => "bk".into(),
            Self::Pause => "pa".into(),
            Self::Problem => "pr".into(),
            Self::Hint => "hi".into(),
            Self::Again => "ag".into(),
            Self::Remeasure => "re".into(),
            Self::Reason => "rs".into(),
            Self::Timer => "ti".into(),
            Self::Change(place) => format!("e{place}"),
            Self::Send => "se".into(),
            Self::Cancel => "ca".into(),
            Self::Abandon => "ab".into(),
            Self::AbandonYes => "ay".into(),
            Self::Forward => "fw".into(),
            Self::Changes => "es".into(),
            Self::Question => "qu".into(),
        }
    }

    fn decode(s: &str) -> Option<Self> {
        Some(match s {
            "ok" => Self::Ok,
            "sk" => Self::Skip,
            "bk" => Self::Back,
            "pa" => Self::Pause,
            "pr" => Self::Problem,
            "hi" => Self::Hint,
            "ag" => Self::Again,
            "re" => Self::Remeasure,
            "rs" => Self::Reason,
            "ti" => Self::Timer,
            "se" => Self::Send,
            "ca" => Self::Cancel,
            "ab" => Self::Abandon,
            "ay" => Self::AbandonYes,
            "fw" => Self::Forward,
            "es" => Self::Changes,
            "qu" => Self::Question,
            _ => {
                if let Some(place) = s.strip_prefix('c') {
                    Self::Choose(place.parse().ok()?)
                } else {
                    Self::Change(s.strip_prefix('e')?.parse().ok()?)
                }
            }
        })
    }
}

fn optional(job: Option<JobId>) -> String {
    job.map_or_else(|| "-".to_owned(), |job| job.to_string())
}

fn read_optional(s: &str) -> Option<Option<JobId>> {
    if s == "-" { Some(None) } else { s.parse().ok().map(Some) }
}

impl From<Action> for String {
    fn from(action: Action) -> Self {
        action.encode()
    }
}

impl Action {
    /// The callback data.
    #[must_use]
    pub fn encode(&self) -> String {
        match self {
            Self::Menu => "m".into(),
            Self::Languages => "l".into(),
            Self::Language(locale) => format!("l:{}", locale.code()),
            Self::KeepName => "n".into(),
            Self::Help => "help".into(),
            Self::Jobs => "js".into(),
            Self::NewJob => "jn".into(),
            Self::JobFor(number) => format!("jn:{}:{}", number.kind(), number.number()),
            Self::NotAVehicle => "jx".into(),
            Self::Job(job) => format!("j:{job}"),
            Self::JobMore(job) => format!("jm:{job}"),
            Self::JobStatus(job, status) => format!("jt:{job}:{}", status.name()),
            Self::FinishJob(job) => format!("jc:{job}"),
            Self::JobPhotos(job) => format!("jp:{job}"),
            Self::JobGallery(job) => format!("jg:{job}"),
            Self::JobHistory(job) => format!("jh:{job}"),
            Self::JobProblem(job) => format!("jf:{job}"),
            Self::Procedures { job, skip } => format!("ps:{}:{skip}", optional(*job)),
            Self::Procedure { id, job } => format!("p:{id}:{}", optional(*job)),
            Self::Start { id, job } => format!("go:{id}:{}", optional(*job)),
            Self::Runs => "rs".into(),
            Self::Run(run) => format!("r:{run}"),
            Self::Walk(run, rev, walk) => format!("w:{run}:{rev}:{}", walk.encode()),
            Self::Ask => "a".into(),
            Self::Hit(query, place) => format!("h:{query}:{place}"),
            Self::Good(query, place) => format!("hg:{query}:{place}"),
            Self::NotIt(query, place) => format!("hn:{query}:{place}"),
            Self::Section(query, place, None) => format!("hs:{query}:{place}"),
            Self::Section(query, place, Some(section)) => format!("hs:{query}:{place}:{section}"),
            Self::Human(query) => format!("hu:{query}"),
            Self::Gaps => "gs".into(),
            Self::Gap(query) => format!("g:{query}"),
            Self::AnswerGap(query) => format!("ga:{query}"),
            Self::CloseGap(query) => format!("gc:{query}"),
            Self::SaveNote(question) => format!("qn:{question}"),
            Self::Questions => "qs".into(),
            Self::Question(question) => format!("q:{question}"),
            Self::Faults => "fs".into(),
            Self::Fault(fault) => format!("f:{fault}"),
            Self::CloseFault(fault) => format!("fc:{fault}"),
            Self::Invite => "iv".into(),
            Self::InviteAs(role) => format!("iv:{}", role.name()),
            Self::SendProblem => "se".into(),
            Self::Vault => "va".into(),
            Self::SyncVault => "vs".into(),
            Self::Cancel => "x".into(),
        }
    }

    /// Reads callback data; `None` for what no release of this bot has ever made.
    #[must_use]
    pub fn decode(data: &str) -> Option<Self> {
        let mut parts = data.split(':');
        let verb = parts.next()?;
        let args: Vec<&str> = parts.collect();
        Some(match (verb, args.as_slice()) {
            ("m", []) => Self::Menu,
            ("l", []) => Self::Languages,
            ("l", [code]) => Self::Language(Locale::from_tag(code)?),
            ("n", []) => Self::KeepName,
            ("help", []) => Self::Help,
            ("js", []) => Self::Jobs,
            ("jn", []) => Self::NewJob,
            // Whatever comes back in a button is checked again: callback data can be forged.
            ("jn", [_, number]) => Self::JobFor(VehicleNumber::parse(number).ok()?),
            ("jx", []) => Self::NotAVehicle,
            ("j", [job]) => Self::Job(job.parse().ok()?),
            ("jm", [job]) => Self::JobMore(job.parse().ok()?),
            ("jt", [job, status]) => Self::JobStatus(job.parse().ok()?, JobStatus::from_name(status)?),
            ("jc", [job]) => Self::FinishJob(job.parse().ok()?),
            ("jp", [job]) => Self::JobPhotos(job.parse().ok()?),
            ("jg", [job]) => Self::JobGallery(job.parse().ok()?),
            ("jh", [job]) => Self::JobHistory(job.parse().ok()?),
            ("jf", [job]) => Self::JobProblem(job.parse().ok()?),
            ("ps", [job, skip]) => Self::Procedures { job: read_optional(job)?, skip: skip.parse().ok()? },
            ("p", [id, job]) => Self::Procedure { id: id.parse().ok()?, job: read_optional(job)? },
            ("go", [id, job]) => Self::Start { id: id.parse().ok()?, job: read_optional(job)? },
            ("rs", []) => Self::Runs,
            ("r", [run]) => Self::Run(run.parse().ok()?),
            ("w", [run, rev, walk]) => Self::Walk(run.parse().ok()?, rev.parse().ok()?, Walk::decode(walk)?),
            ("a", []) => Self::Ask,
            ("h", [query, place]) => Self::Hit(query.parse().ok()?, place.parse().ok()?),
            ("hg", [query, place]) => Self::Good(query.parse().ok()?, place.parse().ok()?),
            ("hn", [query, place]) => Self::NotIt(query.parse().ok()?, place.parse().ok()?),
            ("hs", [query, place]) => Self::Section(query.parse().ok()?, place.parse().ok()?, None),
            ("hs", [query, place, section]) => Self::Section(query.parse().ok()?, place.parse().ok()?, Some(section.parse().ok()?)),
            ("hu", [query]) => Self::Human(query.parse().ok()?),
            ("gs", []) => Self::Gaps,
            ("g", [query]) => Self::Gap(query.parse().ok()?),
            ("ga", [query]) => Self::AnswerGap(query.parse().ok()?),
            ("gc", [query]) => Self::CloseGap(query.parse().ok()?),
            ("qn", [question]) => Self::SaveNote(question.parse().ok()?),
            ("qs", []) => Self::Questions,
            ("q", [question]) => Self::Question(question.parse().ok()?),
            ("fs", []) => Self::Faults,
            ("f", [fault]) => Self::Fault(fault.parse().ok()?),
            ("fc", [fault]) => Self::CloseFault(fault.parse().ok()?),
            ("iv", []) => Self::Invite,
            ("iv", [role]) => Self::InviteAs(role.parse().ok()?),
            ("se", []) => Self::SendProblem,
            ("va", []) => Self::Vault,
            ("vs", []) => Self::SyncVault,
            ("x", []) => Self::Cancel,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_comes_back_and_fits() {
        let job = JobId(i64::MAX);
        let long = VehicleNumber::parse("1M8GDM9AXKP042788").unwrap();
        let mut actions = vec![
            Action::Menu,
            Action::Languages,
            Action::KeepName,
            Action::Help,
            Action::Jobs,
            Action::NewJob,
            Action::JobFor(long),
            Action::NotAVehicle,
            Action::Job(job),
            Action::JobMore(job),
            Action::JobStatus(job, JobStatus::InProgress),
            Action::FinishJob(job),
            Action::JobPhotos(job),
            Action::JobGallery(job),
            Action::JobHistory(job),
            Action::JobProblem(job),
            Action::Procedures { job: Some(job), skip: u32::MAX },
            Action::Procedures { job: None, skip: 0 },
            Action::Procedure { id: ProcedureId(i64::MAX), job: Some(job) },
            Action::Start { id: ProcedureId(i64::MAX), job: Some(job) },
            Action::Runs,
            Action::Run(RunId(i64::MAX)),
            Action::Ask,
            Action::Hit(QueryId(i64::MAX), u32::MAX),
            Action::Good(QueryId(i64::MAX), u32::MAX),
            Action::NotIt(QueryId(i64::MAX), u32::MAX),
            Action::Section(QueryId(i64::MAX), u32::MAX, None),
            Action::Section(QueryId(i64::MAX), u32::MAX, Some(u32::MAX)),
            Action::Human(QueryId(i64::MAX)),
            Action::Gaps,
            Action::Gap(QueryId(i64::MAX)),
            Action::AnswerGap(QueryId(i64::MAX)),
            Action::CloseGap(QueryId(i64::MAX)),
            Action::SaveNote(QuestionId(i64::MAX)),
            Action::Questions,
            Action::Question(QuestionId(i64::MAX)),
            Action::Faults,
            Action::Fault(FaultId(i64::MAX)),
            Action::CloseFault(FaultId(i64::MAX)),
            Action::Invite,
            Action::InviteAs(Role::Technician),
            Action::SendProblem,
            Action::Vault,
            Action::SyncVault,
            Action::Cancel,
        ];
        actions.extend(Locale::ALL.map(Action::Language));
        let walks = [
            Walk::Ok,
            Walk::Choose(u32::MAX),
            Walk::Skip,
            Walk::Back,
            Walk::Pause,
            Walk::Problem,
            Walk::Hint,
            Walk::Again,
            Walk::Remeasure,
            Walk::Reason,
            Walk::Timer,
            Walk::Change(u32::MAX),
            Walk::Send,
            Walk::Cancel,
            Walk::Abandon,
            Walk::AbandonYes,
            Walk::Forward,
            Walk::Changes,
            Walk::Question,
        ];
        actions.extend(walks.map(|walk| Action::Walk(RunId(i64::MAX), u32::MAX, walk)));
        for action in actions {
            let data = action.encode();
            assert!((1..=64).contains(&data.len()), "{data}");
            assert_eq!(Action::decode(&data), Some(action), "{data}");
        }
    }

    #[test]
    fn forged_data_is_nothing() {
        for data in ["", ":", "j", "j:", "j:x", "w:1:2:zz", "w:1:2:c", "jn:plate:привет", "l:de", "iv:root", "🙂", "j:1:2:3:4"] {
            assert_eq!(Action::decode(data), None, "{data}");
        }
    }
}
