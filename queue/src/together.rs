//! Many tasks in one transaction: first it is seen which leases hold, then the work is done, then all tasks are finished at once.

use sqlx::PgConnection;

use crate::error::QueueError;
use crate::finish;
use crate::item::LaneLease;
use crate::task::{Finished, Task};

/// Begins a transaction of several: whoever waits longer for somebody's lock does so alone.
pub const BEGIN: &str = "BEGIN; SET LOCAL lock_timeout = '200ms'";

/// The same for what a crash of the server may undo: its end does not wait for the disk.
pub const BEGIN_LIGHT: &str = "BEGIN; SET LOCAL lock_timeout = '200ms'; SET LOCAL synchronous_commit = off";

/// Which of these tasks may be finished by this transaction, in their order: those whose leases hold. They are kept from being claimed until it
/// ends. Waits for nobody: a task whose lane is locked by somebody else at the moment is `false` too and has to be tried alone.
///
/// Call it first, and do nothing for the others.
///
/// # Errors
/// [`QueueError::Database`].
pub async fn keep(conn: &mut PgConnection, tasks: &[&Task]) -> Result<Vec<bool>, QueueError> {
    finish::keep(conn, &tasks.iter().map(|task| task.lease()).collect::<Vec<_>>()).await
}

/// Marks tasks done that were kept ([`keep`]), all or none, and gives back the lanes whose last task is among them. What it returns belongs to
/// the tasks in their order; their handlers return it, after the commit.
///
/// Call it last, after [`crate::put()`]: it waits for nobody's lock, and what it locks nobody else waits for for long.
///
/// # Errors
/// [`QueueError::LeaseLost`] if one of them is finished already: roll back.
pub async fn finish_all(conn: &mut PgConnection, tasks: &[&Task]) -> Result<Vec<Finished>, QueueError> {
    finish::done_kept(conn, tasks.iter().flat_map(|task| task.items())).await?;
    let last: Vec<&LaneLease> = tasks.iter().filter(|task| task.is_last()).map(|task| task.lease()).collect();
    let released = finish::release_some(conn, &last).await?;
    let finished = |task: &&Task| Finished::of(released.free.contains(&task.lease().token).then_some(released.ready));
    Ok(tasks.iter().map(finished).collect())
}
