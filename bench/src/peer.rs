//! The same job on aiogram 3 with asyncpg, in the same surroundings: `bench/peer/bot.py`.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use fitter_simulator::load::{Act, Crowd, Pace, Seen, Turn};
use serde_json::Value;

use crate::arena::{self, Bench, SEATS};
use crate::crew;
use crate::measure::{Meter, Summary, Window};

/// What the peer needs.
const PACKAGES: &str = include_str!("../peer/requirements.txt");

/// The database of the peer.
const NAME: &str = "fitter_bench_peer";

/// People who report readings.
struct Readers {
    said: u64,
}

impl Crowd for Readers {
    fn next(&mut self, seat: usize, _seen: Option<&Seen>) -> Turn {
        self.said += 1;
        let person = crew::FIRST + i64::try_from(seat).unwrap_or_default();
        Turn { bot: 0, person, act: Act::Say(format!("{},{}", self.said % 30, self.said % 10)) }
    }
}

struct Peer(Child);

impl Drop for Peer {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Measures it at full speed.
///
/// # Errors
/// If Python or a package is missing, or the peer does not reply.
pub async fn run(bench: &Bench, warm_up: Duration, windows: u32, length: Duration) -> anyhow::Result<Value> {
    let python = environment(&bench.target.join("bench-peer"), PACKAGES)?;
    let bots = arena::bots(1);
    let load = arena::load(&bots, SEATS, false, Readers { said: 0 })?;
    let database = bench.server.fresh(NAME).await?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peer/bot.py");
    let token = bots.first().map(|bot| bot.token.clone()).unwrap_or_default();
    let log = std::fs::File::create(bench.target.join("bench-peer/log"))?;
    let mut command = Command::new(&python);
    command.arg(script).arg(load.url()).arg(token).arg(&database).env("NO_PROXY", "127.0.0.1").stdin(Stdio::null());
    let mut peer = Peer(command.stdout(log.try_clone()?).stderr(log).spawn().context("the peer does not start")?);
    load.pace(Pace::Closed);
    let until = Instant::now() + Duration::from_secs(30);
    while load.take().replies.is_empty() {
        ensure!(
            peer.0.try_wait()?.is_none() && Instant::now() < until,
            "the peer does not reply; its log is in {}",
            bench.target.display()
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(warm_up).await;
    let mut meter = Meter::start(&load, peer.0.id(), bench.server.pid());
    let mut measured: Vec<Window> = Vec::new();
    for _ in 0..windows {
        tokio::time::sleep(length).await;
        measured.push(meter.window());
    }
    load.pace(Pace::Still);
    let until = Instant::now() + Duration::from_secs(30);
    while load.outstanding() > 0 && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let lost = load.outstanding();
    drop(peer);
    bench.server.drop(NAME).await?;
    let mut figure = Summary::of(&measured).json();
    if let Some(figure) = figure.as_object_mut() {
        figure.insert("without_reply".to_owned(), lost.into());
        figure.insert("versions".to_owned(), versions(&python, PACKAGES)?.into());
    }
    Ok(figure)
}

/// A Python with packages (`wanted` is a `requirements.txt`), made once in its folder.
///
/// # Errors
/// If Python or a package cannot be had.
pub fn environment(folder: &Path, wanted: &str) -> anyhow::Result<PathBuf> {
    let (python, made) = (folder.join("venv/bin/python"), folder.join("requirements.txt"));
    if std::fs::read_to_string(&made).is_ok_and(|made| made == wanted) && python.exists() {
        return Ok(python);
    }
    std::fs::create_dir_all(folder)?;
    let run = |command: &mut Command| -> anyhow::Result<()> {
        let output = command.output().with_context(|| format!("{} does not start", command.get_program().display()))?;
        ensure!(output.status.success(), "the peer's packages cannot be had: {}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(())
    };
    run(Command::new("python3").args(["-m", "venv"]).arg(folder.join("venv")))?;
    let list = folder.join("wanted.txt");
    std::fs::write(&list, wanted)?;
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&list))?;
    std::fs::rename(&list, &made)?;
    Ok(python)
}

/// Python and the packages, with their versions.
///
/// # Errors
/// If Python does not start.
pub fn versions(python: &Path, wanted: &str) -> anyhow::Result<String> {
    let version = Command::new(python).arg("--version").output()?;
    let packages = wanted.split_whitespace().collect::<Vec<_>>().join(", ").replace("==", " ");
    Ok(format!("{}, {packages}", String::from_utf8_lossy(&version.stdout).trim()))
}
