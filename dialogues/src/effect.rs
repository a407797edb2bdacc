//! What a dialogue wants done.

use fitter_domain::ids::{FaultId, JobId, PersonId, ProcedureId, QueryId, QuestionId, RunId};
use fitter_domain::job::JobStatus;
use fitter_domain::locale::Locale;
use fitter_domain::msg::Msg;
use fitter_domain::person::Role;
use fitter_domain::run::RunState;
use fitter_domain::screen::{Screen, Slot};
use fitter_domain::vehicle::VehicleNumber;

/// What a dialogue wants done.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// The navigation screen: edits the message that was tapped, else sends a new one and takes the buttons off the former.
    Show(Screen),
    /// A new message.
    Say {
        /// Its name.
        slot: Option<Slot>,
        /// Its content.
        screen: Screen,
    },
    /// Changes the message of a slot in place; sends it if there is none.
    Edit {
        /// Which message.
        slot: Slot,
        /// Its new content.
        screen: Screen,
    },
    /// Deletes the message of a slot.
    Delete {
        /// Which message.
        slot: Slot,
    },
    /// Takes the buttons off the message of a slot.
    Retire {
        /// Which message.
        slot: Slot,
    },
    /// A few words on the tapped button; lost when the event was not a tap.
    Toast(Msg),
    /// A message to somebody else.
    Tell {
        /// To whom.
        to: Addressee,
        /// Its name in their chat.
        slot: Option<Slot>,
        /// Its content.
        screen: Screen,
    },
    /// Changes the company's data or looks something up.
    Do(Command),
}

/// To whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressee {
    /// One person.
    Person(PersonId),
    /// Every manager and admin, except the actor.
    Managers,
}

/// A change or a lookup, carried out in the transaction of the step. Those that say so come back as an [`crate::event::Outcome`].
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Sets the person's language.
    SetLocale(Locale),
    /// Ends onboarding with this name.
    Onboard {
        /// How they want to be called.
        name: String,
    },
    /// → `Invited` or `NotInvited`.
    RedeemInvite {
        /// The token of the link.
        token: String,
    },
    /// → `InviteMade` or `Refused`.
    MakeInvite {
        /// The role inside.
        role: Role,
    },
    /// → `Home`.
    Home,
    /// → `Job { made }`: the vehicle's open job of this person, or a new one.
    MakeJob {
        /// The vehicle.
        number: VehicleNumber,
    },
    /// → `Job` or `Refused`.
    OpenJob(JobId),
    /// → `Job`, `Unfinished` or `Refused`.
    SetJobStatus {
        /// Which.
        job: JobId,
        /// To what.
        to: JobStatus,
    },
    /// Completes a job and gives up its open walks. → `Job` or `Refused`.
    FinishJob(JobId),
    /// Adds photos to a card. → nothing or `Refused`.
    AddJobPhotos {
        /// Which.
        job: JobId,
        /// Telegram file ids.
        files: Vec<crate::event::Photo>,
        /// What was written under them.
        caption: Option<String>,
    },
    /// → `JobPhotos` or `Refused`.
    ListJobPhotos(JobId),
    /// → `Jobs`.
    ListJobs,
    /// → `History` or `Refused`.
    VehicleHistory(JobId),
    /// → `Procedures`.
    ListProcedures {
        /// To start one for this job.
        job: Option<JobId>,
        /// Leave out so many.
        skip: u32,
        /// Only those whose title or aliases match.
        like: Option<String>,
    },
    /// → `Procedure` or `Refused`.
    OpenProcedure {
        /// Which version.
        id: ProcedureId,
        /// For this job.
        job: Option<JobId>,
    },
    /// Takes the job up if it is not in progress. → `Run { begun: true }`, or `begun: false` when it was begun before, or `Refused`.
    StartRun {
        /// Which version.
        procedure: ProcedureId,
        /// For this job.
        job: Option<JobId>,
    },
    /// → `Run { begun: false }` or `Refused`.
    OpenRun(RunId),
    /// Stores a walk's state.
    SaveRun {
        /// Which.
        run: RunId,
        /// Its new state.
        state: Box<RunState>,
    },
    /// Stores photos given as evidence, so that they are fetched and stand on the card.
    KeepPhotos {
        /// The walk.
        run: RunId,
        /// The step's title; none while it is not known.
        step: Option<String>,
        /// Telegram file ids.
        files: Vec<crate::event::Photo>,
        /// What was written under them.
        caption: Option<String>,
    },
    /// Tells the step of photos that were kept without one.
    PlacePhotos {
        /// The walk.
        run: RunId,
        /// The step's title.
        step: String,
        /// Telegram file ids.
        files: Vec<String>,
    },
    /// → `Runs`.
    ListRuns,
    /// Calls back when a step's timer is over. → `TimerOver`, later.
    StartTimer {
        /// The walk.
        run: RunId,
        /// The step's index.
        step: u32,
        /// Seconds from now.
        seconds: u32,
    },
    /// Searches the vault. → `Found`, later.
    Search {
        /// The question.
        text: String,
        /// What it is asked in the middle of: the procedure of the walk in focus.
        within: Option<String>,
    },
    /// → `Hit`.
    OpenHit {
        /// The search.
        query: QueryId,
        /// Which hit, from 0.
        index: u32,
    },
    /// → `Section`, or `Hit` without a hit for a search that is forgotten.
    OpenSection {
        /// The search.
        query: QueryId,
        /// Which hit, from 0.
        index: u32,
        /// Which section of its note, from 0; none for the hit's own.
        section: Option<u32>,
    },
    /// Keeps whether a hit was what was asked for.
    Judge {
        /// The search.
        query: QueryId,
        /// Which hit, from 0.
        index: u32,
        /// Whether it was.
        good: bool,
    },
    /// Puts a searched question to the managers. → `Asked` or `Refused`.
    AskHuman(QueryId),
    /// → `Question` or `Refused`.
    OpenQuestion(QuestionId),
    /// → `Questions`.
    ListQuestions,
    /// → `Answered` or `Refused`.
    Answer {
        /// Which.
        question: QuestionId,
        /// The answer.
        text: String,
    },
    /// → `Gaps` or `Refused`.
    ListGaps,
    /// → `Gap` or `Refused`.
    OpenGap(QueryId),
    /// → `Question` or `Refused`: the question that stands for all who asked it.
    AnswerGap(QueryId),
    /// The notes have it. → `Gaps` or `Refused`.
    CloseGap(QueryId),
    /// Writes an answer into the vault as a draft. → `Drafted`, later, or `Refused`.
    SaveNote(QuestionId),
    /// → `FaultMade`. The managers are told by the machine.
    ReportFault {
        /// The job it was met on.
        job: Option<JobId>,
        /// The walk it was met in.
        run: Option<RunId>,
        /// The procedure and the step, as people read them.
        step: Option<String>,
        /// What was written.
        note: String,
        /// Telegram file ids.
        photos: Vec<String>,
    },
    /// → `Faults`.
    ListFaults,
    /// → `Fault` or `Refused`.
    OpenFault(FaultId),
    /// → `Fault` or `Refused`.
    CloseFault(FaultId),
    /// → `Vault` or `Refused`.
    ShowVault,
    /// Has the source of the notes looked at soon. → `Vault` or `Refused`.
    SyncVault,
}
