//! All SQL about entities, and the database itself: an external PostgreSQL or one embedded in the process.
//!
//! | module | what |
//! | --- | --- |
//! | [`database`] | opening, migrating, closing |
//! | [`lock`] | one holder among all processes |
//! | [`maintenance`] | what `fitter doctor` asks |
//! | [`people`] | people and their chats |
//! | [`invites`] | invitations, redeemed once |
//! | [`dialogues`] | the state of a dialogue |
//! | [`slots`] | names of messages |
//! | [`vehicles`] | vehicles by number |
//! | [`home`] | what the home screen counts |
//! | [`jobs`] | repair cards |
//! | [`photos`] | photos of cards and walks |
//! | [`procedures`] | versions of procedures |
//! | [`runs`] | walks through them |
//! | [`faults`] | faults met at work |
//! | [`questions`] | questions to a human |
//! | [`queries`] | searches that were made |
//! | [`notes`] | notes and their passages |
//! | [`vault`] | what is known of the files and the source of the notes |
//! | [`files`] | Telegram's files and our own |
//! | [`audit`] | who changed what |
//!
//! Functions take a connection and run in the caller's transaction, return domain types, and `None` for what does not exist. Times come from
//! the caller's clock. The pool may have one connection only: never ask it for another while holding one.

#[cfg(feature = "embedded")]
mod embedded;
#[cfg(not(feature = "embedded"))]
#[path = "not_embedded.rs"]
mod embedded;
mod sql;

pub mod audit;
pub mod database;
pub mod dialogues;
pub mod faults;
pub mod files;
pub mod home;
pub mod invites;
pub mod jobs;
pub mod lock;
pub mod maintenance;
pub mod notes;
pub mod people;
pub mod photos;
pub mod procedures;
pub mod queries;
pub mod questions;
pub mod runs;
pub mod slots;
pub mod vault;
pub mod vehicles;

pub use database::{Database, DatabaseConfig, MigrateError, OpenError};
pub use sqlx::{Error, PgConnection, PgPool, Postgres, Transaction};

/// Every SQL statement of this crate and of the queue, for the test that prepares them all.
#[must_use]
pub fn statements() -> Vec<&'static str> {
    let own: [&[&str]; 20] = [
        audit::STATEMENTS,
        database::STATEMENTS,
        dialogues::STATEMENTS,
        faults::STATEMENTS,
        files::STATEMENTS,
        invites::STATEMENTS,
        home::STATEMENTS,
        jobs::STATEMENTS,
        lock::STATEMENTS,
        maintenance::STATEMENTS,
        notes::STATEMENTS,
        people::STATEMENTS,
        photos::STATEMENTS,
        procedures::STATEMENTS,
        queries::STATEMENTS,
        questions::STATEMENTS,
        runs::STATEMENTS,
        slots::STATEMENTS,
        vault::STATEMENTS,
        vehicles::STATEMENTS,
    ];
    own.iter().chain(fitter_queue::STATEMENTS).flat_map(|statements| statements.iter().copied()).collect()
}
