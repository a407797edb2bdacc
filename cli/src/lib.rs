//! The part of the command that is more than a command: its configuration, which is read from what operators write.

pub mod config;
