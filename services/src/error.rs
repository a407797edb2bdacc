//! What can go wrong in a use case. None of it is a person's fault: what people do wrong is an outcome of their dialogue.

use fitter_queue::outage::Outage;
use fitter_queue::{Failure, QueueError};

/// A fault of a use case; the caller logs it once and tries again.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The database refused or is away.
    #[error("{0}{advice}", advice = fitter_queue::outage::advice(.0))]
    Database(#[from] fitter_store::Error),
    /// The database is in trouble, as somebody else found out just now.
    #[error("{}", .0.advice())]
    Outage(Outage),
    /// The queue refused; a lost lease means that somebody else does the work.
    #[error(transparent)]
    Queue(#[from] fitter_queue::QueueError),
    /// The file store refused.
    #[error("file store: {0}")]
    Files(#[from] object_store::Error),
    /// The source of the notes cannot be looked at.
    #[error(transparent)]
    Source(#[from] crate::vault::SourceError),
    /// The search index failed.
    #[error(transparent)]
    Search(#[from] fitter_retrieval::index::IndexError),
    /// Work on a thread of its own was cut off.
    #[error("{0} was cut off")]
    Interrupted(&'static str),
    /// The dialogue was changed by somebody else under its lock.
    #[error("a dialogue was changed while its row was locked")]
    Overtaken,
    /// Something has no JSON form.
    #[error("JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A dialogue went round in circles.
    #[error("a dialogue made more than {0} steps of one event")]
    Circles(usize),
}

impl ServiceError {
    /// The trouble of the database, if that is all.
    #[must_use]
    pub fn outage(&self) -> Option<Outage> {
        match self {
            Self::Database(error) | Self::Queue(QueueError::Database(error)) => Outage::of(error),
            Self::Outage(outage) => Some(*outage),
            _ => None,
        }
    }
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Queue(error) => error.into(),
            ServiceError::Database(error) => error.into(),
            ServiceError::Outage(_) => Self::Hold { time: fitter_queue::task::OUTAGE_PAUSE },
            error => Self::retry(error),
        }
    }
}
