//! One lease engine for inbox, outbox and jobs.
//!
//! | module | what |
//! | --- | --- |
//! | [`item`] | queues, items, leases |
//! | [`put`](mod@put) | adding items: batches, duplicates, albums, replaced edits |
//! | `gather` | items that join or end what gathers before them |
//! | [`hand`](mod@hand) | handing new lanes straight to this process's workers |
//! | [`claim`](mod@claim) | leasing lanes and taking their first items |
//! | [`finish`] | done, deferred, buried, held; giving lanes back |
//! | [`dead`] | dead letters and their replay |
//! | [`depth`](mod@depth) | how much waits, and sweeping out what is finished |
//! | [`limiter`] | token buckets shared by all processes |
//! | [`batch`] | doing together what comes close together |
//! | [`together`] | many tasks in one transaction |
//! | [`wake`] | waking the workers |
//! | [`runner`] | the loop of a worker |
//! | `round` | its rounds of giving back and claiming |
//! | `work` | the work on one lane |
//! | [`task`] | what a handler gets, and what it says about it |
//! | [`outage`] | the database in trouble, told apart from faults of an item |
//! | [`failpoint`] | places where tests make a process fail; nothing in a release |
//!
//! The rules:
//! - A **lane** is worked by one lease holder at a time and strictly in order; no lane ever waits for another.
//! - Leases, delays and limits run on the database's clock: they alone care about skew between machines.
//! - Every function takes a connection and runs in the caller's transaction, so that a change of state, the items it causes and the end of
//!   the item it came from are one. Functions that need several statements open a transaction or savepoint of their own.
//! - [`put()`] locks the lanes that it touches until the caller's transaction ends, in the order of their names. So call it **once per
//!   transaction, last, with everything**: two calls in one transaction can deadlock with a transaction that makes them the other way round.
//! - The isolation level is READ COMMITTED, PostgreSQL's default: several functions read afresh after they got a lock.

mod sql;

pub mod batch;
pub mod claim;
pub mod dead;
pub mod depth;
pub mod error;
pub mod failpoint;
pub mod finish;
mod gather;
pub mod hand;
pub mod item;
pub mod limiter;
pub mod outage;
pub mod put;
mod round;
pub mod runner;
pub mod task;
pub mod together;
pub mod wake;
mod work;

pub use batch::{Batcher, Request};
pub use claim::{Claim, claim, expire_leases, next_ready};
pub use dead::{DeadItem, dead_list, dead_show, discard, replay};
pub use depth::{Depth, depth, idle, purge};
pub use error::QueueError;
pub use finish::{Deferred, bury, defer, done, done_many, hold, release, renew};
pub use hand::{Handover, hand};
pub use item::{Item, ItemId, LaneLease, NewItem, Priority, Queue};
pub use put::{put, supersede};
pub use runner::{RunnerConfig, run_lanes};
pub use task::{Failure, Finished, Task};
pub use together::{finish_all, keep};
pub use wake::Wake;

/// Every SQL statement of this crate, for the test that prepares them all.
pub const STATEMENTS: &[&[&str]] = &[
    claim::STATEMENTS,
    dead::STATEMENTS,
    depth::STATEMENTS,
    finish::STATEMENTS,
    gather::STATEMENTS,
    limiter::STATEMENTS,
    put::STATEMENTS,
    wake::STATEMENTS,
];
