//! Use cases: what the product does, each in one transaction. The only crate where a transaction begins.
//!
//! | module | what |
//! | --- | --- |
//! | [`app`] | what every use case needs: database, words, clock, files, search |
//! | [`conversation`] | one turn of a dialogue: load, step, apply, save |
//! | [`turns`] | the turns of several dialogues in one transaction |
//! | [`delivery`] | screens in the reader's language on their way to the outbox |
//! | [`commands`] | what dialogues ask to be done |
//! | [`invites`] | one-time links |
//! | [`groups`] | what is done in groups: nothing |
//! | [`menu`] | the commands that a client lists |
//! | [`access`] | taking people's access away |
//! | [`files`] | photos and pictures, by the hash of their content |
//! | [`vault`] | importing the notes |
//! | [`index`] | keeping the search index in line with them |
//! | [`search`] | searching them |
//! | [`jobs`] | slow work: searches, timers, fetching photos |
//! | [`error`] | what can go wrong |

pub mod access;
pub mod app;
pub mod commands;
pub mod conversation;
pub mod delivery;
pub mod error;
pub mod files;
pub mod groups;
pub mod index;
pub mod invites;
pub mod jobs;
pub mod menu;
pub mod search;
pub mod turns;
pub mod vault;

pub use app::{App, BotInfo};
pub use error::ServiceError;
