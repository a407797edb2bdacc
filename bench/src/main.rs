//! Figures of the product: `cargo xtask bench updates`, `cargo xtask bench retrieval`.
//!
//! | module | what |
//! | --- | --- |
//! | [`updates`] | which measurements there are |
//! | [`alone`] | the load server by itself |
//! | [`broadcast`] | announcements |
//! | [`footprint`] | memory |
//! | [`peer`] | the same job on aiogram |
//! | [`retrieval`] | the search, and bm25s |
//! | [`report`] | tables |
//! | [`arena`] | the surroundings of one: load server, database, people, product |
//! | [`crew`] | what the people do |
//! | [`product`] | `fitter serve` as a process |
//! | [`database`] | PostgreSQL |
//! | [`measure`] | windows of time |
//! | [`machine`] | processor time and memory |
//! | [`stats`] | percentiles |
//! | [`wire`] | a client that costs little |

mod alone;
mod arena;
mod broadcast;
mod crew;
mod database;
mod footprint;
mod machine;
mod measure;
mod peer;
mod product;
mod report;
mod retrieval;
mod stats;
mod updates;
mod wire;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Figures of the product")]
struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// How many updates, how fast, how much memory.
    Updates(updates::Args),
    /// How well and how fast the notes are searched.
    Retrieval(retrieval::Args),
}

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    match Args::parse().what {
        What::Updates(args) => runtime.block_on(updates::run(&args)),
        What::Retrieval(args) => retrieval::run(&args),
    }
}
