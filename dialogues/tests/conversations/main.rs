//! Conversations with the machines in a small world: as written in `tests/transcripts`, and at random.
#![cfg(test)]

mod bursts;
mod happenings;
mod machine;
mod random;
mod transcripts;
mod world;
