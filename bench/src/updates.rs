//! `fitter-bench updates`: which measurements there are, and in which order they are made.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::ValueEnum;
use fitter_simulator::load::Pace;
use serde_json::{Map, Value, json};

use crate::arena::{Arena, Bench, Shape};
use crate::database::Server;
use crate::measure::Summary;
use crate::{alone, broadcast, footprint, peer, report};

/// Technicians who take turns on 500 seats at full speed: nobody comes back before their limit of one message a second has let them.
const MANY: usize = 10_000;
/// What is thrown away at the beginning of a measurement.
const WARM_UP: Duration = Duration::from_secs(3);
/// Windows of a measurement; the median counts.
const WINDOWS: u32 = 5;
/// Bots that share 10,000 messages a minute.
const SEVERAL: usize = 5;
/// Messages a second of all of them together.
const BUSY: f64 = 10_000.0 / 60.0;

/// `fitter-bench updates`
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The program to measure.
    #[arg(long, default_value = "target/release/fitter")]
    fitter: PathBuf,
    /// The notes.
    #[arg(long, default_value = "examples/vault")]
    vault: PathBuf,
    /// A PostgreSQL server to use instead of one of its own.
    #[arg(long)]
    database: Option<String>,
    /// Length of each measurement, in seconds.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Only these measurements, separated by commas.
    #[arg(long, value_delimiter = ',', value_enum)]
    only: Vec<Piece>,
    /// Updates a second of the measurements at a fixed rate.
    #[arg(long, default_value_t = 200.0)]
    rate: f64,
    /// A variable more for the product, as NAME=VALUE.
    #[arg(long = "env", value_parser = variable)]
    env: Vec<(String, String)>,
    /// Writes the figures here, as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Writes the figures into their places in this document.
    #[arg(long)]
    document: Option<PathBuf>,
    /// Folder for what the peer needs.
    #[arg(long, default_value = "target")]
    target: PathBuf,
}

/// A measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Piece {
    /// The load server by itself.
    Alone,
    /// As fast as it goes, fetched.
    Poll,
    /// As fast as it goes, brought.
    Webhook,
    /// A text, a change of the chat's state, one message: as fast as it goes, fetched.
    Same,
    /// The same job on aiogram 3, as fast as it goes.
    Peer,
    /// As fast as it goes, on the embedded server.
    Embedded,
    /// At a fixed rate, fetched.
    Rate,
    /// At a fixed rate, brought.
    RateWebhook,
    /// Memory.
    Memory,
    /// A hundred thousand announcements.
    Broadcast,
    /// Ten thousand messages a minute through five bots.
    Several,
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// `fitter-bench updates`
///
/// # Errors
/// If something does not start, or the product loses something.
pub async fn run(args: &Args) -> anyhow::Result<()> {
    let absolute = |path: &Path| path.canonicalize().with_context(|| format!("{} is not there", path.display()));
    let bench = Bench {
        binary: absolute(&args.fitter)?,
        vault: absolute(&args.vault)?,
        target: std::path::absolute(&args.target)?,
        server: Server::start(args.database.as_deref())?,
        seconds: args.seconds,
        env: args.env.clone(),
    };
    let server = bench.server.describe().await?;
    println!("{server}");
    let mut figures = Map::new();
    for piece in Piece::value_variants().iter().filter(|piece| args.only.is_empty() || args.only.contains(piece)) {
        let name = piece.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        let mut figure = measure(&bench, *piece, args.rate).await.with_context(|| format!("the measurement '{name}'"))?;
        if let Some(figure) = figure.as_object_mut() {
            figure.insert("seconds".to_owned(), args.seconds.into());
        }
        println!("\n{}", report::table(&name, &figure));
        figures.insert(name, figure);
        // What was measured stays, whatever comes next.
        if let Some(path) = &args.json {
            std::fs::write(path, serde_json::to_string_pretty(&json!({"server": server, "figures": figures}))?)?;
        }
    }
    if let Some(ratio) = report::ratio(&figures) {
        println!("\n{ratio}");
    }
    if let Some(path) = &args.document {
        report::write(path, &figures)?;
    }
    Ok(())
}

async fn measure(bench: &Bench, piece: Piece, rate: f64) -> anyhow::Result<Value> {
    let length = Duration::from_secs(bench.seconds);
    let poll = Shape::poll(MANY);
    let webhook = Shape { webhook: true, ..poll };
    let fixed = Pace::Open { per_second: rate };
    match piece {
        Piece::Alone => alone::run(bench.seconds).await,
        Piece::Poll => measured(bench, poll, Pace::Closed).await,
        Piece::Webhook => measured(bench, webhook, Pace::Closed).await,
        Piece::Same => measured(bench, Shape { talk: true, ..poll }, Pace::Closed).await,
        Piece::Peer => peer::run(bench, WARM_UP, WINDOWS, length / WINDOWS).await,
        Piece::Embedded => measured(bench, Shape { embedded: true, ..poll }, Pace::Closed).await,
        Piece::Rate => measured(bench, poll, fixed).await,
        Piece::RateWebhook => measured(bench, webhook, fixed).await,
        Piece::Memory => footprint::run(bench, rate).await,
        Piece::Broadcast => broadcast::run(bench, MANY, rate).await,
        Piece::Several => measured(bench, Shape { bots: SEVERAL, ..poll }, Pace::Open { per_second: BUSY }).await,
    }
}

/// Closed: everybody goes on as soon as they have their reply, so this is how much the product can do. Open: how long people wait.
async fn measured(bench: &Bench, shape: Shape, pace: Pace) -> anyhow::Result<Value> {
    let arena = Arena::open(bench, shape).await?;
    let windows = arena.measure(pace, WARM_UP, WINDOWS, Duration::from_secs(bench.seconds) / WINDOWS).await;
    let settled = arena.settle().await?;
    arena.close(bench).await?;
    let mut figure = Summary::of(&windows).json();
    if let (Some(figure), Some(settled)) = (figure.as_object_mut(), settled.json().as_object()) {
        figure.extend(settled.clone());
    }
    Ok(figure)
}
