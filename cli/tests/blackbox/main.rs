//! The built `fitter` from outside: people at their phones, operators at their shells, and what goes wrong.
//!
//! | module | what |
//! | --- | --- |
//! | `onboarding` | links, languages, names, homes of the roles |
//! | `jobs` | repair cards |
//! | `walks` | procedures step by step |
//! | `questions` | answers from the notes and from people |
//! | `answers` | the part that answers, opinions, what the notes lack |
//! | `searching` | the search from a shell, and without its model |
//! | `models` | answers that a language model writes |
//! | `receipts` | that a photo was taken is seen at once |
//! | `bursts` | what arrives in one go after an outage |
//! | `oddities` | what people and Telegram do that nobody expects |
//! | `vaults` | notes that change, in a folder and in a repository |
//! | `faults` | Telegram and the database failing |
//! | `operators` | commands, refusals to start, webhooks, metrics |
//! | `crashes` | `kill -9` in the middle of it all |
//! | `monkeys` | people who press and write whatever comes to mind |

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

mod answers;
mod bursts;
mod crashes;
mod faults;
mod jobs;
mod models;
mod monkeys;
mod oddities;
mod onboarding;
mod operators;
mod questions;
mod receipts;
mod searching;
mod vaults;
mod walks;

use std::path::PathBuf;

use fitter_testkit::{Fitter, Options, Shared};

/// Tests whose people do not meet use one process.
static SHARED: Shared = Shared::new();

fn vault() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "vault"].iter().collect()
}

fn options() -> Options {
    Options::new(env!("CARGO_BIN_EXE_fitter"))
}

fn shared<T>(test: impl AsyncFnOnce(&Fitter) -> T) -> T {
    SHARED.with(|| options().vault(vault()), test)
}
