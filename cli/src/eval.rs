//! `fitter eval`: figures over labelled questions.
//!
//! | file | what |
//! | --- | --- |
//! | `eval/answers.rs` | `fitter eval answers` |

mod answers;

use std::process::ExitCode;

use clap::Subcommand;

/// `fitter eval`
#[derive(Debug, Subcommand)]
pub enum Eval {
    /// Measures what the first message answers and what is refused.
    Answers(answers::Args),
}

/// `fitter eval`
///
/// # Errors
/// If the notes or the questions cannot be read.
pub fn run(eval: &Eval) -> anyhow::Result<ExitCode> {
    match eval {
        Eval::Answers(args) => answers::run(args),
    }
}
