//! Drives a whole simulator over HTTP, as bots and people do.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests fail as tests do")]

mod albums;
mod disorder;
mod editing;
mod endpoint;
mod faults;
mod files;
mod groups;
mod limits;
mod methods;
mod pages;
mod person;
mod queries;
mod restart;
mod rig;
mod sending;
mod updates;
mod waiting;
mod webhooks;
