//! The `fitter` command: starts the product, and does what operators do from a shell.
//!
//! | module | what |
//! | --- | --- |
//! | [`fitter_cli::config`] | the configuration |
//! | [`start`] | from a configuration to everything that use cases need |
//! | [`report`] | what `fitter import --report` prints |
//! | [`serve`] | the product running: bots, workers, web |
//! | [`demo`] | the product and a Telegram of its own on one machine |
//! | [`health`] | `/healthz`, `/readyz`, `/metrics`, and figures of the queues |
//! | [`keep`] | keeping the notes in line with their source |
//! | [`notes`] | `fitter import`, `fitter search` |
//! | [`operate`] | `fitter migrate`, `doctor`, `user`, `dead` |
//! | [`telemetry`] | logs |

mod demo;
mod health;
mod keep;
mod notes;
mod operate;
mod report;
mod serve;
mod start;
mod telemetry;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use fitter_cli::config::{self, Config};

// A fifth of the processor time went into glibc's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(name = "fitter", version, about = "The field technician's assistant in Telegram")]
struct Args {
    /// Configuration file (TOML); docs/configuration.md lists the keys.
    #[arg(long, env = "FITTER_CONFIG", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the product with a Telegram of its own on this machine: no token, no network.
    Demo(demo::Args),
    /// Runs the product.
    Serve(serve::Args),
    /// Applies the migrations that are pending.
    Migrate,
    /// Checks everything, one line each; the exit status tells whether all is well.
    Doctor,
    /// Reads a folder of notes into the database.
    Import(notes::Import),
    /// Searches the notes.
    Search(notes::Search),
    /// People and invitations.
    #[command(subcommand)]
    User(operate::User),
    /// Items that could not be handled.
    #[command(subcommand)]
    Dead(operate::Dead),
    /// Writes docs/configuration.md.
    #[command(hide = true)]
    Configuration(operate::Document),
}

fn main() -> ExitCode {
    #[cfg(feature = "failpoints")]
    let _armed = fitter_queue::failpoint::arm();
    let args = Args::parse();
    let result = Config::load(args.config.as_deref(), std::env::vars()).and_then(|config| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime")?;
        let result = runtime.block_on(run(args.command, config));
        // A look-up of a name that hangs in a thread does not keep the process.
        runtime.shutdown_background();
        result
    });
    match result {
        Ok(code) => code,
        Err(error) => {
            // One sentence that says what to do; causes follow on the same line.
            eprintln!("fitter: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command, config: Config) -> anyhow::Result<ExitCode> {
    match command {
        Command::Demo(args) => demo::run(args, config).await,
        Command::Serve(args) => serve::run(&args, config).await,
        Command::Migrate => operate::migrate(&config).await,
        Command::Doctor => operate::doctor(&config).await,
        Command::Import(args) => notes::import(&args, &config).await,
        Command::Search(args) => notes::search(&args, &config).await,
        Command::User(user) => operate::user(user, &config).await,
        Command::Dead(dead) => operate::dead(dead, &config).await,
        Command::Configuration(document) => operate::document(&document),
    }
}
