//! Project tasks: `cargo xtask test | check | docs | faults | bench | models`.
//!
//! | task | what |
//! | --- | --- |
//! | `test` | every test of the workspace, with a PostgreSQL of its own |
//! | `check` | what `.ci/run` checks before the tests: format and clippy |
//! | `docs` | writes the generated documents |
//! | `bench` | measures the program; writes the figures into `docs/performance.md` |
//! | `models` | the tests of models, with the runtime and the model that they need |
//! | `faults` | the long form of the reliability tests; writes their figures into `docs/reliability.md` |

mod bench;
mod faults;
mod models;

use std::process::Command;

use anyhow::{Context as _, ensure};
use clap::{Parser, Subcommand};
use fitter_test_postgres::{Cluster, FOLDER_VARIABLE, Settings};

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
    /// Runs the long form of the reliability tests and writes docs/reliability.md.
    Faults(faults::Faults),
    /// Runs the tests of models with the ONNX Runtime and all-MiniLM-L6-v2 from PyPI.
    Models,
    /// Measures the program as it is released: `cargo xtask bench updates`.
    Bench {
        /// What to measure, and how: `updates --help` tells.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

fn main() -> anyhow::Result<()> {
    match Args::parse().task {
        Task::Test { args } => test(&args.iter().map(String::as_str).collect::<Vec<_>>(), &[]),
        Task::Check => check(),
        Task::Docs => docs(),
        Task::Faults(faults) => faults.run(test),
        Task::Models => models::models(cargo),
        Task::Bench { args } => bench::bench(&args, cargo),
    }
}

fn cargo(args: &[&str], env: &[(&str, &str)]) -> anyhow::Result<()> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let status = Command::new(cargo).args(args).envs(env.iter().copied()).status().context("cargo does not start")?;
    ensure!(status.success(), "cargo {} failed", args.join(" "));
    Ok(())
}

/// One build of the whole workspace: building single packages first would compile their dependencies once more, with other features.
fn test(args: &[&str], env: &[(&str, &str)]) -> anyhow::Result<()> {
    let mut all = vec!["test", "--workspace", "--features", FEATURES, "--no-fail-fast"];
    all.extend_from_slice(args);
    if std::env::var_os("FITTER_TEST_DATABASE_URL").is_some() {
        return cargo(&all, env);
    }
    let server = Cluster::start(Settings::default())?;
    // Tests that stop a server or fill its disk start their own from the same folder.
    let install = server.install().to_string_lossy();
    let mut env = env.to_vec();
    env.extend([("FITTER_TEST_DATABASE_URL", server.url()), (FOLDER_VARIABLE, &*install)]);
    cargo(&all, &env)
}

fn check() -> anyhow::Result<()> {
    cargo(&["fmt", "--all", "--", "--check"], &[])?;
    cargo(&["clippy", "--workspace", "--features", FEATURES, "--all-targets", "--", "-D", "warnings"], &[])
}

/// `docs/configuration.md` comes out of the typed configuration.
fn docs() -> anyhow::Result<()> {
    cargo(&["run", "--quiet", "--package", "fitter-cli", "--", "configuration", "docs/configuration.md"], &[])
}
