//! From a configuration to a running product: every problem an operator can mend is said before anything runs.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use anyhow::{Context as _, bail};
use chrono::TimeDelta;
use fitter_domain::clock::{Clock, FollowingClock, SystemClock, WrongClock};
use fitter_prompts::Messages;
use fitter_queue::{Wake, failpoint};
use fitter_services::App;
use fitter_services::app::{Flushes, Puts, Walks};
use fitter_services::files::Files;
use fitter_services::index::Indexed;
use fitter_services::search::Search;
use fitter_services::turns::Turns;
use fitter_store::procedures::Bodies;
use fitter_store::{Database, DatabaseConfig};
use secrecy::ExposeSecret as _;

use crate::config::Config;

/// What to do about migrations that are pending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Migrations {
    /// Apply them.
    Apply,
    /// Refuse to start.
    Refuse,
}

/// Opens the database.
///
/// # Errors
/// With what to do, when it cannot be reached, is too old, or is behind.
pub async fn database(config: &Config, migrations: Migrations) -> anyhow::Result<Database> {
    let database = Database::open(&DatabaseConfig {
        url: config.database.url.as_ref().map(|url| url.expose_secret().to_owned()),
        data_dir: config.storage.data_dir.clone(),
        max_connections: config.database.max_connections,
    })
    .await?;
    match migrations {
        // The embedded database has no other user who could be surprised.
        Migrations::Apply => database.migrate().await.context("migrations")?,
        Migrations::Refuse if database.is_embedded() => database.migrate().await.context("migrations")?,
        Migrations::Refuse => {
            let pending = database.pending().await?;
            if !pending.is_empty() {
                bail!("{} migrations are pending ({}); run `fitter migrate`, then start again", pending.len(), pending.join(", "));
            }
        }
    }
    Ok(database)
}

/// Everything that use cases need.
///
/// # Errors
/// If the data folder cannot be written or the notes cannot be indexed.
pub async fn app(config: &Config, database: Database) -> anyhow::Result<App> {
    let files = Files::folder(&config.storage.data_dir.join("files"))
        .with_context(|| format!("storage.data_dir: cannot write {}", config.storage.data_dir.display()))?;
    let clock = clock(&database).await?;
    let app = App {
        db: database,
        messages: Arc::new(Messages::load()?),
        clock,
        files,
        search: Search::empty()?,
        indexed: Indexed::default(),
        stirred: Arc::default(),
        wake: Wake::new(),
        bots: Arc::new(RwLock::new(HashMap::new())),
        turns: Turns::default(),
        puts: Puts::default(),
        bodies: Bodies::default(),
        walks: Walks::default(),
        flushes: Flushes::default(),
        answering: Arc::default(),
        greeted: Arc::default(),
    };
    app.refresh_search().await?;
    Ok(app)
}

/// The system's clock; a test may want it to be so many seconds off.
fn machine() -> Arc<dyn Clock> {
    match failpoint::order("clock").and_then(|seconds| seconds.parse().ok()) {
        Some(seconds) => Arc::new(WrongClock(TimeDelta::seconds(seconds))),
        None => Arc::new(SystemClock),
    }
}

/// How often the database's clock is looked at: a machine's goes wrong by milliseconds in this time.
const LOOK: Duration = Duration::from_secs(30);
/// A difference that somebody should know of.
const WRONG: TimeDelta = TimeDelta::seconds(5);

/// The database's clock. Processes on machines whose clocks differ share dialogues and timers, so all go by the one that they have in common.
async fn clock(database: &Database) -> anyhow::Result<Arc<dyn Clock>> {
    if database.is_embedded() {
        return Ok(machine());
    }
    let clock = Arc::new(FollowingClock::new(machine()));
    let ahead = follow(&clock, database).await.context("the database's clock")?;
    if ahead.abs() > WRONG {
        let seconds = -(ahead.num_milliseconds() + 500).div_euclid(1000);
        tracing::warn!(seconds, "this machine's clock is ahead of the database's by so much; the database's counts");
    }
    let (following, database) = (Arc::downgrade(&clock), database.clone());
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(LOOK).await;
            let Some(clock) = following.upgrade() else { return };
            if let Err(error) = follow(&clock, &database).await {
                tracing::debug!(%error, "the database's clock was not looked at");
            }
        }
    });
    Ok(clock)
}

/// An answer that took so long says little about the time.
const PROMPT: TimeDelta = TimeDelta::milliseconds(100);
/// So often it is asked for a prompt one.
const ASKED: usize = 5;

async fn follow<C: Clock>(clock: &FollowingClock<C>, database: &Database) -> Result<TimeDelta, fitter_store::Error> {
    let mut best: Option<(TimeDelta, _, _)> = None;
    for _ in 0..ASKED {
        let asked = clock.own();
        let theirs = fitter_store::maintenance::time(database).await?;
        let between = (asked, clock.own());
        let took = between.1 - between.0;
        if best.is_none_or(|(least, ..)| took < least) {
            best = Some((took, theirs, between));
        }
        if took < PROMPT {
            break;
        }
    }
    Ok(best.map_or_else(TimeDelta::zero, |(_, theirs, between)| clock.follow(theirs, between)))
}
