//! Pure dialogue state machines: what a person did and where the dialogue stood, to what is done and where it stands then.
//!
//! No clock, no database, no words: time comes in [`Ctx`], changes go out as [`effect::Command`]s whose outcomes come back as events, and
//! texts are message keys. So a dialogue can be tested as a table and replayed from a file (`tests/transcripts`).
//!
//! | module | what |
//! | --- | --- |
//! | [`event`] | what happens |
//! | [`effect`] | what is wanted |
//! | [`action`] | what buttons say back |
//! | [`state`] | where a dialogue stands, and its stored form |
//! | [`turn`] | collects the effects of one step |
//! | [`step`] | one step: routes an event to its machine |
//! | `burst` | what comes in one go outside of a walk |
//! | `onboarding` `home` `jobs` `procedures` `walk` `ask` `gaps` `faults` `invites` `vaults` | the machines, one per file |

pub mod action;
pub mod ask;
mod burst;
pub mod effect;
pub mod event;
pub mod faults;
mod gaps;
mod home;
mod invites;
mod jobs;
mod onboarding;
mod procedures;
pub mod state;
mod step;
pub mod turn;
mod vaults;
mod walk;

pub use step::{focus, step};
pub use turn::{Ctx, Transition};
