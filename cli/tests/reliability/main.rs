//! The promises of the durable core under faults: nothing lost, nothing doubled, order kept, work resumed.
//!
//! A crowd of people works with the product while something goes wrong ([`storm`]); when it is quiet again, the audit compares what Telegram
//! made and saw with what the database holds ([`audit`]).
//!
//! | module | what |
//! | --- | --- |
//! | [`storm`] | people, processes and a record of what happened |
//! | [`crowd`] | what the people do, and what they gave |
//! | [`process`] | processes of one installation |
//! | [`ledger`] | every call that Telegram got |
//! | [`audit`] | holds the promises against all of it |
//! | [`letters`] | … what was sent, and in which order |
//! | [`auditor`] | that the audit notices what is wrong |
//! | [`kills`] | `kill -9` at random moments |
//! | [`failpoints`] | a crash, an error and a delay at every boundary |
//! | [`telegram`] | Telegram refusing, failing, not answering |
//! | [`stopping`] | SIGTERM |
//! | [`database`] | PostgreSQL going away |
//! | [`disk`] | PostgreSQL's disk full |
//! | [`schema`] | an old release on a new schema |
//! | [`clocks`] | clocks that differ |
//! | [`poison`] | items that cannot be handled |
//!
//! The tests run a short form. `cargo xtask faults` runs the long one: the same code with the variables of [`storm::Size`].

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests")]

mod audit;
mod crowd;
mod ledger;
mod letters;
mod process;
mod storm;

mod auditor;
mod clocks;
mod database;
mod disk;
mod failpoints;
mod kills;
mod poison;
mod schema;
mod stopping;
mod telegram;

use std::path::PathBuf;

use fitter_testkit::Options;

fn vault() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "vault"].iter().collect()
}

fn options() -> Options {
    Options::new(env!("CARGO_BIN_EXE_fitter")).vault(vault())
}
