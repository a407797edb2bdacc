//! Where a dialogue stands, and its form in the database.

use fitter_domain::ids::{JobId, QuestionId, RunId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::Photo;

/// Where a dialogue stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum State {
    /// A person who has not told their language.
    Language {
        /// What they asked before they were known; it is searched for when they are.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        question: Option<String>,
    },
    /// A person who has not told their name.
    Name {
        /// What they asked before they were known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        question: Option<String>,
    },
    /// Nothing is awaited: words are a question.
    Home,
    /// The number of a vehicle is awaited, to open a card.
    NewJob,
    /// Words looked like a vehicle's number; they wait for "yes" or "it was a question".
    Vehicle {
        /// The words.
        text: String,
    },
    /// Photos for a card are awaited.
    JobPhotos {
        /// Which card.
        job: JobId,
    },
    /// Photos came that nobody asked for; they wait for a card.
    Photos {
        /// The photos.
        photos: Vec<Photo>,
        /// What was written under them.
        caption: Option<String>,
    },
    /// A fault on a job is being described.
    Problem {
        /// The job.
        job: JobId,
        /// What was written so far.
        note: String,
        /// Photos so far.
        photos: Vec<String>,
    },
    /// Words choose a procedure.
    Procedures {
        /// For this job.
        job: Option<JobId>,
        /// The words that chose those in view.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        like: Option<String>,
    },
    /// A walk is in focus; what it waits for is in its own state.
    Running {
        /// Which.
        run: RunId,
    },
    /// A manager's next words answer a question.
    Answering {
        /// Which.
        question: QuestionId,
    },
}

impl Default for State {
    fn default() -> Self {
        Self::Language { question: None }
    }
}

/// Version of the stored form. Raise it when [`State`] changes in a way that old rows do not survive, and teach [`decode`] the old form.
pub const VERSION: i32 = 1;

/// The stored form.
///
/// # Errors
/// Never for the states of this release; the type is serde's.
pub fn encode(state: &State) -> Result<Value, serde_json::Error> {
    serde_json::to_value(state)
}

/// Reads a stored form. `None` for one that this release does not know: the person is told and starts at home.
#[must_use]
pub fn decode(version: i32, value: &Value) -> Option<State> {
    match version {
        // A row that was just made.
        0 => Some(State::default()),
        VERSION => serde_json::from_value(value.clone()).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rows_of_this_version_are_read() {
        assert_eq!(decode(1, &json!({"at": "running", "run": 4})), Some(State::Running { run: RunId(4) }));
        assert_eq!(decode(0, &Value::Null), Some(State::default()));
        assert_eq!(decode(1, &json!({"at": "name"})), Some(State::Name { question: None }));
    }

    #[test]
    fn unknown_rows_are_told_apart() {
        assert_eq!(decode(1, &json!({"at": "teleporting"})), None);
        assert_eq!(decode(99, &json!({"at": "home"})), None);
    }
}
