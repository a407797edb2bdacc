//! Project tasks: `cargo xtask test | check | docs`.
//!
//! | task | what |
//! | --- | --- |
//! | `test` | every test of the workspace, with a PostgreSQL of its own |
//! | `check` | what `.ci/run` checks before the tests: format and clippy |
//! | `docs` | writes the generated documents |

mod postgres;

use std::process::Command;

use anyhow::{Context as _, ensure};
use clap::{Parser, Subcommand};

/// What the tests need of the program and releases do not have.
const FEATURES: &str = "fitter-cli/failpoints";

#[derive(Parser)]
#[command(about = "Project tasks")]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Runs every test of the workspace with a PostgreSQL of its own.
    Test {
        /// Passed on to `cargo test`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Checks format and lints.
    Check,
    /// Writes the generated documents; a test checks that they are current.
    Docs,
}

fn main() -> anyhow::Result<()> {
    match Args::parse().task {
        Task::Test { args } => test(&args),
        Task::Check => check(),
        Task::Docs => docs(),
    }
}

fn cargo(args: &[&str], env: &[(&str, &str)]) -> anyhow::Result<()> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let status = Command::new(cargo).args(args).envs(env.iter().copied()).status().context("cargo does not start")?;
    ensure!(status.success(), "cargo {} failed", args.join(" "));
    Ok(())
}

/// One build of the whole workspace: building single packages first would compile their dependencies once more, with other features.
fn test(args: &[String]) -> anyhow::Result<()> {
    let given = std::env::var("FITTER_TEST_DATABASE_URL").ok();
    let started = if given.is_none() { Some(postgres::start()?) } else { None };
    let url = given.or_else(|| started.as_ref().map(|running| running.url().to_owned())).unwrap_or_default();
    let mut all = vec!["test", "--workspace", "--features", FEATURES, "--no-fail-fast"];
    all.extend(args.iter().map(String::as_str));
    cargo(&all, &[("FITTER_TEST_DATABASE_URL", &url)])
}

fn check() -> anyhow::Result<()> {
    cargo(&["fmt", "--all", "--", "--check"], &[])?;
    cargo(&["clippy", "--workspace", "--features", FEATURES, "--all-targets", "--", "-D", "warnings"], &[])
}

/// `docs/configuration.md` comes out of the typed configuration.
fn docs() -> anyhow::Result<()> {
    cargo(&["run", "--quiet", "--package", "fitter-cli", "--", "configuration", "docs/configuration.md"], &[])
}
