//! The repair card and its states.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{JobId, PersonId, VehicleId};
use crate::vehicle::VehicleNumber;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobStatus {
    /// Made, not begun.
    Open,
    /// Being worked on.
    InProgress,
    /// Waiting for something.
    OnHold,
    /// Finished.
    Complete,
}

/// A change of state that the card does not allow.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a job cannot go from {from:?} to {to:?}")]
pub struct InvalidTransition {
    /// The present state.
    pub from: JobStatus,
    /// The state asked for.
    pub to: JobStatus,
}

impl JobStatus {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Open, Self::InProgress, Self::OnHold, Self::Complete];

    /// The name used in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::InProgress => "in_progress",
            Self::OnHold => "on_hold",
            Self::Complete => "complete",
        }
    }

    /// Reads [`JobStatus::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// The state after going to `to`; going where the job already is changes nothing.
    ///
    /// # Errors
    /// [`InvalidTransition`] for a job that is put on hold before it began, or goes back to open. A complete job can be taken up again.
    pub fn go(self, to: Self) -> Result<Self, InvalidTransition> {
        use JobStatus::{Complete, InProgress, OnHold, Open};
        match (self, to) {
            (Open | OnHold | Complete, InProgress) | (InProgress, OnHold) | (Open | InProgress | OnHold, Complete) => Ok(to),
            (from, to) if from == to => Ok(to),
            (from, to) => Err(InvalidTransition { from, to }),
        }
    }
}

/// A repair card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Number shown to people.
    pub id: JobId,
    /// The vehicle it is for.
    pub vehicle: VehicleId,
    /// Its plate or VIN.
    pub number: VehicleNumber,
    /// Who works on it.
    pub technician: PersonId,
    /// Their name.
    pub technician_name: String,
    /// Where it stands.
    pub status: JobStatus,
    /// How many photos the card has.
    pub photos: u32,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// Titles of the procedures walked through on it, with whether they are finished; those given up are left out.
    pub runs: Vec<(crate::ids::RunId, String, bool)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_of_a_job() {
        use JobStatus::{Complete, InProgress, OnHold, Open};
        assert_eq!(Open.go(InProgress), Ok(InProgress));
        assert_eq!(InProgress.go(OnHold), Ok(OnHold));
        assert_eq!(OnHold.go(InProgress), Ok(InProgress));
        assert_eq!(InProgress.go(Complete), Ok(Complete));
        assert_eq!(Complete.go(Complete), Ok(Complete));
        assert_eq!(Open.go(OnHold), Err(InvalidTransition { from: Open, to: OnHold }));
        assert_eq!(Complete.go(Open), Err(InvalidTransition { from: Complete, to: Open }));
    }
}
