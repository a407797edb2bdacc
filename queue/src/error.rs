//! What can go wrong.

/// What can go wrong in the queue.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// Somebody else may work on the lane by now, or the item is finished already: roll back what was done for it.
    #[error("the lease is lost")]
    LeaseLost,
    /// An item's payload is not what its reader expects.
    #[error("the payload of item {item} cannot be read: {source}")]
    Payload {
        /// The item's number.
        item: i64,
        /// Why.
        source: serde_json::Error,
    },
    /// The database refused or is away.
    #[error("{0}{advice}", advice = crate::outage::advice(.0))]
    Database(#[from] sqlx::Error),
    /// A test wants a fault here ([`crate::failpoint`]).
    #[error("failpoint {0}")]
    Failpoint(&'static str),
}
