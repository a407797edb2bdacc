//! Faults met at work and questions put to a human.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{FaultId, JobId, PersonId, QueryId, QuestionId, RunId};

/// A fault reported by a technician.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Number shown to people.
    pub id: FaultId,
    /// Who reported it.
    pub by: PersonId,
    /// Their name at that moment.
    pub by_name: String,
    /// The job it was met on.
    pub job: Option<JobId>,
    /// The walk it was met in.
    pub run: Option<RunId>,
    /// The procedure and the step it was met at, as people read them.
    pub step: Option<String>,
    /// What they wrote.
    pub note: String,
    /// Telegram file ids of the photos.
    pub photos: Vec<String>,
    /// When it was reported.
    pub at: DateTime<Utc>,
    /// Whether a manager has closed it.
    pub closed: bool,
}

/// A question that search did not answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Number shown to people.
    pub id: QuestionId,
    /// Who asked.
    pub by: PersonId,
    /// Their name at that moment.
    pub by_name: String,
    /// Their words.
    pub text: String,
    /// The sources that were shown and did not help.
    pub tried: Vec<String>,
    /// The answer, once there is one.
    pub answer: Option<String>,
}

/// Something that the notes do not answer: searches that meant the same and were no help.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The first of the searches; it names all of them.
    pub query: QueryId,
    /// Its words.
    pub text: String,
    /// How many searches there were.
    pub count: u32,
    /// Other words for the same.
    pub examples: Vec<String>,
    /// Who asked, and how often; who asked most comes first.
    pub askers: Vec<(String, u32)>,
}
