//! What happens to a dialogue.

use fitter_domain::ids::{BotId, ChatId, JobId, PersonId, ProcedureId, QueryId, QuestionId, RunId, UserId};
use fitter_domain::job::Job;
use fitter_domain::passage::Passage;
use fitter_domain::procedure::ProcedureSummary;
use fitter_domain::run::{Run, RunSummary};
use fitter_domain::screen::Slot;
use fitter_domain::ticket::{Fault, Gap, Question};
use fitter_domain::vault::VaultState;
use fitter_domain::written::Written;
use serde::{Deserialize, Serialize};

use fitter_domain::person::Role;

/// Something a person did, as the transport saw it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incoming {
    /// To which bot.
    pub bot: BotId,
    /// In which chat.
    pub chat: ChatId,
    /// In which topic of it.
    pub thread: Option<i64>,
    /// Who.
    pub user: UserId,
    /// Their first name in Telegram, a suggestion only.
    pub first_name: String,
    /// The language of their client, a hint only.
    pub language: Option<String>,
    /// Their message, or the one they tapped on.
    pub message: Option<i64>,
    /// The message they replied to.
    pub reply_to: Option<i64>,
    /// The callback query to answer.
    pub callback: Option<String>,
    /// What they did.
    pub input: Input,
}

/// What a person did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "input", rename_all = "snake_case")]
pub enum Input {
    /// `/name payload`.
    Command {
        /// Lower case, without the slash and the bot's name.
        name: String,
        /// What follows it.
        payload: String,
    },
    /// Words.
    Text {
        /// The words.
        text: String,
    },
    /// Photos or image files; an album is one event.
    Photos {
        /// In the order in which they stand in the chat; never empty.
        photos: Vec<Photo>,
        /// The caption of any of them.
        caption: Option<String>,
    },
    /// Several things in one go, of a phone that was offline or of somebody quick: photos among them.
    Burst {
        /// In the order in which they stand in the chat.
        pieces: Vec<Piece>,
    },
    /// A tap on a button.
    Tap {
        /// Callback data.
        data: String,
    },
    /// A shared contact, location, voice, sticker, … : something nobody asked for.
    Other {
        /// The Bot API's name of it.
        what: String,
        /// Text or caption that came with it, so that no words are lost.
        text: Option<String>,
    },
    /// The person changed a message they had sent.
    Edited {
        /// The new text or caption.
        text: Option<String>,
    },
    /// Somebody called the bot in a group, or took it there. No dialogue comes of it.
    Group,
    /// The person blocked (`false`) or unblocked (`true`) the bot.
    Reachable {
        /// Whether messages reach them.
        reachable: bool,
    },
}

/// One thing of several that came in one go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "piece", rename_all = "snake_case")]
pub enum Piece {
    /// A photo, or those photos of an album that share a caption.
    Photos {
        /// Never empty.
        photos: Vec<Photo>,
        /// What is written under them.
        caption: Option<String>,
    },
    /// Words.
    Text {
        /// The words.
        text: String,
    },
    /// Something that is not read.
    Other {
        /// The Bot API's name of it.
        what: String,
        /// Text or caption that came with it.
        text: Option<String>,
    },
}

impl Piece {
    /// The words that came with it, if they say something.
    #[must_use]
    pub fn words(&self) -> Option<&str> {
        let words = match self {
            Self::Photos { caption: words, .. } | Self::Other { text: words, .. } => words.as_deref(),
            Self::Text { text } => Some(text.as_str()),
        };
        words.map(str::trim).filter(|words| !words.is_empty())
    }
}

/// A photo as Telegram describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Photo {
    /// To send or fetch it; differs per bot.
    pub file_id: String,
    /// The same for the same file everywhere.
    pub unique_id: String,
    /// Bytes, 0 if unknown.
    pub size: u64,
}

impl Photo {
    /// Bots may fetch files of 20 MB (Bot API: `getFile`).
    pub const LARGEST: u64 = 20 << 20;

    /// Whether it can never be fetched.
    #[must_use]
    pub const fn is_too_big(&self) -> bool {
        self.size > Self::LARGEST
    }
}

/// What a machine sees.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A person did something.
    Person {
        /// What.
        input: Input,
        /// The slot of the message they replied to or tapped on.
        slot: Option<Slot>,
    },
    /// The outcome of a command that the machine gave.
    Outcome(Outcome),
}

/// What came of a [`crate::effect::Command`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// An invitation was redeemed.
    Invited {
        /// The role it gave.
        role: Role,
    },
    /// An invitation was not redeemed.
    NotInvited {
        /// Why.
        why: InviteRefusal,
    },
    /// An invitation was made.
    InviteMade {
        /// The link to send.
        link: String,
        /// The role inside.
        role: Role,
        /// Days until it expires.
        days: u32,
    },
    /// How the notes are kept.
    Vault {
        /// How.
        vault: Box<VaultState>,
        /// Their source is looked at soon, because it was asked for.
        wanted: bool,
    },
    /// What the home screen shows.
    Home {
        /// The walk to go on with.
        run: Option<RunSummary>,
        /// How many walks are open.
        runs: u32,
        /// How many jobs are open: the person's own, everybody's for a manager.
        jobs: u32,
        /// How many questions wait for an answer; managers only.
        questions: u32,
        /// How many faults are open; managers only.
        faults: u32,
    },
    /// A job, after it was made, opened or changed.
    Job {
        /// The card.
        job: Box<Job>,
        /// It was made just now.
        made: bool,
    },
    /// A job was to be completed, but walks on it are open.
    Unfinished {
        /// The card.
        job: Box<Job>,
    },
    /// Jobs of the person, or of everybody for a manager; newest first.
    Jobs {
        /// The jobs.
        jobs: Vec<Job>,
    },
    /// All jobs of a vehicle, newest first.
    History {
        /// The job from which it was asked.
        job: JobId,
        /// The jobs.
        jobs: Vec<Job>,
    },
    /// Photos of a job.
    JobPhotos {
        /// The job.
        job: JobId,
        /// Telegram file ids in order.
        files: Vec<String>,
    },
    /// Procedures that the person may walk.
    Procedures {
        /// In the order in which they are offered.
        procedures: Vec<ProcedureSummary>,
        /// For this job.
        job: Option<JobId>,
        /// How many were left out before these.
        skip: u32,
        /// There are more after these.
        more: bool,
    },
    /// A procedure was opened, to be looked at before the start.
    Procedure {
        /// Which version.
        id: ProcedureId,
        /// The procedure.
        procedure: Box<fitter_domain::procedure::Procedure>,
        /// For this job.
        job: Option<JobId>,
        /// Open jobs it could be for.
        jobs: Vec<Job>,
    },
    /// A walk was begun or opened; it is in focus now.
    Run {
        /// The walk.
        run: Box<Run>,
        /// It was begun just now.
        begun: bool,
    },
    /// Open walks.
    Runs {
        /// The walks, newest first.
        runs: Vec<RunSummary>,
    },
    /// A search is done.
    Found {
        /// Its number, to refer to its hits later.
        query: QueryId,
        /// The question.
        text: String,
        /// Hits, best first; none if nothing answers the question.
        hits: Vec<Passage>,
        /// If nothing answers: what comes nearest, to be leafed through as hits are.
        nearest: Vec<Passage>,
        /// A procedure that matches, with its title.
        procedure: Option<(ProcedureId, String)>,
        /// What a language model made of the hits.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        written: Option<Written>,
    },
    /// A hit of an earlier search. Without a hit: they were all shown (`of` above 0), or the search is forgotten (`of` 0).
    Hit {
        /// The search.
        query: QueryId,
        /// Which hit, from 0.
        index: u32,
        /// How many there are.
        of: u32,
        /// The passage.
        hit: Option<Box<Passage>>,
        /// The procedure that the passage belongs to, with its title.
        #[serde(default)]
        procedure: Option<(ProcedureId, String)>,
    },
    /// A section of the note that a hit is from, as it is now.
    Section {
        /// The search.
        query: QueryId,
        /// Which hit, from 0.
        index: u32,
        /// Which section, from 0.
        section: u32,
        /// The section.
        passage: Box<Passage>,
        /// The heading of the section before it.
        before: Option<String>,
        /// The heading of the one after it.
        after: Option<String>,
    },
    /// A question went to the managers.
    Asked {
        /// Its number.
        question: QuestionId,
    },
    /// A question was opened.
    Question {
        /// The question.
        question: Box<Question>,
    },
    /// Unanswered questions, oldest first.
    Questions {
        /// The questions.
        questions: Vec<Question>,
    },
    /// A question was answered.
    Answered {
        /// The question with its answer.
        question: Box<Question>,
        /// Somebody had answered before; the answer is theirs.
        already: bool,
        /// Others who asked the same, with their words.
        #[serde(default)]
        others: Vec<(PersonId, String)>,
        /// The answer can be saved as a note.
        #[serde(default)]
        savable: bool,
    },
    /// What the notes do not answer, what is asked most first.
    Gaps {
        /// The first of them.
        gaps: Vec<Gap>,
        /// How many there are.
        of: u32,
    },
    /// Something that the notes do not answer was opened.
    Gap {
        /// It.
        gap: Box<Gap>,
    },
    /// An answer was saved as a draft.
    Drafted {
        /// Where in the vault; none if it could not be saved.
        path: Option<String>,
    },
    /// A fault was reported.
    FaultMade {
        /// The fault.
        fault: Box<Fault>,
    },
    /// Open faults, newest first.
    Faults {
        /// The faults.
        faults: Vec<Fault>,
    },
    /// A fault was opened or closed.
    Fault {
        /// The fault.
        fault: Box<Fault>,
    },
    /// A timer of a walk is over.
    TimerOver {
        /// The walk.
        run: RunId,
        /// The step's index.
        step: u32,
    },
    /// A photo turned out to be one that Telegram does not hand out.
    TooBig,
    /// What was asked for does not exist or may not be seen.
    Refused,
}

/// Why an invitation was not redeemed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InviteRefusal {
    /// No such invitation.
    Unknown,
    /// Too late.
    Expired,
    /// Somebody used it.
    Used,
    /// The person used it before: pressed twice.
    Own,
}
