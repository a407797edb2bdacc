//! How the notes are kept, for those who keep them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The source of the notes, what was taken from it, and what is wrong there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultState {
    /// A folder or an address; none if nothing was ever imported.
    pub source: Option<String>,
    /// The commit, if the source has commits.
    pub version: Option<String>,
    /// When the notes were last found to be those of the source.
    pub at: Option<DateTime<Utc>>,
    /// Why the last look at the source failed, in English.
    pub error: Option<String>,
    /// Counts the changes of the notes.
    pub revision: i64,
    /// How many notes there are.
    pub notes: u32,
    /// How many procedures are offered.
    pub procedures: u32,
    /// Problems that keep a note from being what it says it is.
    pub errors: u32,
    /// Problems that leave something out.
    pub warnings: u32,
    /// The worst problems as `path:line: what`, in English.
    pub problems: Vec<String>,
}
