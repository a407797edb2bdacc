//! The bot against the simulator.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy knows test functions, not their helpers"
)]

mod common;
mod receive;
mod send;
mod whole;
