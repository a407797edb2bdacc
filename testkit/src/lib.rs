//! Test harness.
//!
//! | module | what |
//! | --- | --- |
//! | [`db`] | a fresh, migrated database per test |
//! | [`app`] | the built `fitter` as a process, with a Telegram and a database of its own |
//! | [`options`] | what of it to start |
//! | [`command`] | commands of the shell, run to their end |
//! | [`telegram`] | that Telegram: the simulator and its `/sim` API |
//! | [`player`] | a person at the phone |
//! | [`proxy`] | a way to the database that can be cut |

pub mod app;
pub mod command;
pub mod db;
pub mod options;
pub mod player;
pub mod proxy;
pub mod telegram;

pub use app::{Fitter, Shared};
pub use db::TestDb;
pub use fitter_test_postgres as postgres;
pub use options::{Options, Storage};
pub use player::Player;
pub use telegram::{Message, Telegram};
