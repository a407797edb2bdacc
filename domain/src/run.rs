//! One walk through a procedure: where it stands, what was answered, how long it took.
//!
//! Only data and lookups; the rules of the walk are the `run` machine of `fitter-dialogues`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{JobId, PersonId, ProcedureId, QueryId, RunId};
use crate::procedure::{Procedure, Step};
use crate::rich::Rich;
use crate::vehicle::VehicleNumber;

/// Whether it goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    /// Being walked.
    #[default]
    Active,
    /// Put aside by the technician.
    Paused,
    /// Walked to the end.
    Done,
    /// Given up.
    Abandoned,
}

impl RunStatus {
    /// The name used in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Done => "done",
            Self::Abandoned => "abandoned",
        }
    }
}

/// An answer to a checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Answer {
    /// Confirmed.
    Confirmed,
    /// Words.
    Text {
        /// The words.
        text: String,
    },
    /// A reading.
    Number {
        /// The value.
        value: f64,
        /// Why a value out of range was accepted.
        reason: Option<String>,
    },
    /// The label that was chosen.
    Choice {
        /// The label.
        label: String,
    },
    /// Photos, Telegram file ids, in the order in which they came.
    Photos {
        /// The file ids.
        files: Vec<String>,
    },
}

/// A visit of a step: the step's index and, for a repeatable step, which time (from 0).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Visit {
    /// Index in [`Procedure::steps`].
    pub step: u32,
    /// Which time.
    pub round: u32,
}

/// What was given at one visit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// Answers so far, one per checkpoint from the first.
    pub answers: Vec<Answer>,
    /// When it was first shown.
    pub started: Option<DateTime<Utc>>,
    /// When it was finished or skipped.
    pub finished: Option<DateTime<Utc>>,
    /// It was skipped.
    pub skipped: bool,
    /// When its timer ends.
    pub timer_ends: Option<DateTime<Utc>>,
}

/// An answer that was changed later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Where.
    pub visit: Visit,
    /// Which checkpoint, from 0.
    pub check: u32,
    /// What it was.
    pub old: Answer,
    /// What it is now.
    pub new: Answer,
    /// Why.
    pub reason: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// What the walk waits for, beside the step's own checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Pending {
    /// The next checkpoint.
    #[default]
    Check,
    /// A reading is out of range: measure again, or say why it stands.
    OutOfRange {
        /// The reading.
        value: f64,
        /// The technician chose to give a reason and is about to type it.
        reason: bool,
        /// Words that came without that choice: a reason or a question, which has to be told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        typed: Option<String>,
    },
    /// An answer is to be changed, and its new value is awaited.
    Change {
        /// Which checkpoint of the step in focus.
        check: u32,
        /// The new value, once given; then the reason is awaited.
        new: Option<Answer>,
    },
    /// A fault is being described.
    Problem {
        /// What was written so far.
        note: String,
        /// Photos so far.
        photos: Vec<String>,
    },
    /// A finished repeatable step: once more, or on.
    Repeat,
    /// A photo checkpoint has enough photos but may have more: the technician says when it is done.
    MorePhotos,
}

/// Evidence for a checkpoint that is not open yet: it came with others in one go, ahead of its step. It is taken when the checkpoint opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aside {
    /// Index of the step.
    pub step: u32,
    /// Photos, Telegram file ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// Words: a reading, an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Something that came with others in one go and whose step the technician is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// Photos, Telegram file ids; they stand on the card already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// Words, or the caption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Which of the photos that came together the first of these was, from 1.
    pub number: u32,
    /// Indices of the steps it may belong to.
    pub steps: Vec<u32>,
}

/// Words that are no answer but belong to the walk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Index of the step they were written to.
    pub step: Option<u32>,
    /// The words.
    pub text: String,
}

/// Words that were searched for a moment ago. Photos right behind them tell that they were a note of somebody who had been offline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// The words.
    pub text: String,
    /// When.
    pub at: DateTime<Utc>,
    /// The search, once it has answered.
    pub query: Option<QueryId>,
    /// They were taken for a note before the search has answered: its answer is not told.
    #[serde(default)]
    pub taken: bool,
}

/// The message that sums up what came in one go. While it is attached, the step in focus is shown in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// The visit it is attached to.
    pub at: Visit,
    /// Tells it from other such messages of the walk.
    pub number: u32,
    /// What it says.
    pub body: Rich,
    /// When it was told; none once something else was done with it. What follows at once is summed up together with it.
    pub told: Option<DateTime<Utc>>,
    /// What it sums up.
    pub came: Came,
}

/// How much came in one go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Came {
    /// Photos.
    pub photos: usize,
    /// Words.
    pub notes: usize,
    /// What is not read.
    pub others: usize,
    /// Photos beside the evidence: the step's index and how many.
    pub extra: Vec<(u32, usize)>,
    /// So many notes of the walk were there before.
    pub notes_before: usize,
}

/// The state of a walk; stored as JSON, so that new fields need a default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RunState {
    /// Whether it goes on.
    pub status: RunStatus,
    /// Where it stands.
    pub at: Visit,
    /// What is waited for.
    #[serde(default)]
    pub pending: Pending,
    /// What was given, per visit.
    #[serde(with = "visits")]
    pub records: BTreeMap<Visit, StepRecord>,
    /// Answers that were changed.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// The technician knows that a newer version of the note exists.
    #[serde(default)]
    pub newer_told: bool,
    /// Evidence that waits for its checkpoint.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asides: Vec<Aside>,
    /// What the technician is asked about, one after the other, before anything else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<Doubt>,
    /// Words that belong to the walk.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// Words that were searched for a moment ago.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heard: Vec<Heard>,
    /// The message in which the step in focus is shown, if it is not one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Counts every change of this state but those of [`RunState::heard`]: a button made for another number is stale.
    pub rev: u32,
}

mod visits {
    //! JSON keys are strings, so the map is stored as a list of pairs.
    use super::{BTreeMap, StepRecord, Visit};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(map: &BTreeMap<Visit, StepRecord>, to: S) -> Result<S::Ok, S::Error> {
        map.iter().collect::<Vec<_>>().serialize(to)
    }
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<Visit, StepRecord>, D::Error> {
        Vec::<(Visit, StepRecord)>::deserialize(from).map(|pairs| pairs.into_iter().collect())
    }
}

/// A walk with all that a dialogue needs to go on with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Number shown to people.
    pub id: RunId,
    /// Who walks.
    pub by: PersonId,
    /// Their name.
    pub by_name: String,
    /// The card it belongs to, and the vehicle's number.
    pub job: Option<(JobId, VehicleNumber)>,
    /// The version it is pinned to.
    pub procedure_id: ProcedureId,
    /// That version.
    pub procedure: std::sync::Arc<Procedure>,
    /// A newer version of the note exists.
    pub newer: bool,
    /// Where it stands.
    pub state: RunState,
    /// When it began.
    pub started: DateTime<Utc>,
}

impl Run {
    /// The step in focus.
    #[must_use]
    pub fn step(&self) -> Option<&Step> {
        self.procedure.steps.get(self.state.at.step as usize)
    }

    /// What was given at the visit in focus.
    #[must_use]
    pub fn record(&self) -> Option<&StepRecord> {
        self.state.records.get(&self.state.at)
    }

    /// Whether the answers so far let step `index` be shown.
    #[must_use]
    pub fn shown(&self, index: usize) -> bool {
        let Some(condition) = self.procedure.steps.get(index).and_then(|step| step.when.as_ref()) else { return true };
        let Some(asked) = self.procedure.steps.iter().position(|step| step.id == condition.step) else { return true };
        // An answer of a step that is not shown any more does not count; a condition on a later step is not looked into, so this ends.
        let counts = asked >= index || self.shown(asked);
        let chosen = counts
            && self.state.records.iter().any(|(visit, record)| {
                visit.step as usize == asked
                    && record.answers.iter().any(|answer| matches!(answer, Answer::Choice { label } if condition.answers.contains(label)))
            });
        chosen != condition.negated
    }

    /// Indices of the steps shown with the answers so far.
    #[must_use]
    pub fn path(&self) -> Vec<usize> {
        (0..self.procedure.steps.len()).filter(|&index| self.shown(index)).collect()
    }

    /// Place of the step in focus among the shown ones, from 1, and their number.
    #[must_use]
    pub fn progress(&self) -> (usize, usize) {
        let path = self.path();
        let place = path.iter().position(|&index| index == self.state.at.step as usize).map_or(path.len(), |place| place + 1);
        (place, path.len())
    }
}

/// A walk in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Number shown to people.
    pub id: RunId,
    /// The procedure's title.
    pub title: String,
    /// The vehicle's number, if it belongs to a card.
    pub number: Option<VehicleNumber>,
    /// Place among the shown steps, from 1.
    pub step: u32,
    /// How many are shown.
    pub of: u32,
    /// Whether it goes on.
    pub status: RunStatus,
}
