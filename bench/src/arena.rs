//! One measurement's surroundings: a load server, a database, technicians, and the product.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::ensure;
use fitter_simulator::BotSeed;
use fitter_simulator::load::{Load, LoadConfig, Pace};
use fitter_store::Database;

use crate::crew::{Crew, Talkers};
use crate::database::{self, Server};
use crate::measure::{Meter, Window};
use crate::product::{Product, Setup};

/// People who talk at a time.
pub const SEATS: usize = 500;

/// How long people wait for a reply before they start over.
const PATIENCE: Duration = Duration::from_secs(15);

/// What is measured.
pub struct Bench {
    /// The program.
    pub binary: PathBuf,
    /// The notes.
    pub vault: PathBuf,
    /// Folder for what is made once.
    pub target: PathBuf,
    /// The PostgreSQL server.
    pub server: Server,
    /// Length of one measurement.
    pub seconds: u64,
    /// More variables for the product.
    pub env: Vec<(String, String)>,
}

/// What one measurement needs.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// In the process itself instead of on the server.
    pub embedded: bool,
    /// Updates are brought instead of fetched.
    pub webhook: bool,
    /// How many bots.
    pub bots: usize,
    /// How many technicians take turns on the seats.
    pub people: usize,
    /// They only talk: one reply each, and nothing to walk through.
    pub talk: bool,
}

impl Shape {
    /// One bot that fetches from the load server, a database on the server, and so many technicians.
    #[must_use]
    pub const fn poll(people: usize) -> Self {
        Self { embedded: false, webhook: false, bots: 1, people, talk: false }
    }
}

/// A measurement under way.
pub struct Arena {
    /// The load server.
    pub load: Load,
    /// The product.
    pub product: Product,
    /// Its database; none if it is embedded, as the product owns it.
    pub database: Option<Database>,
    server: Option<u32>,
    name: &'static str,
    _home: tempfile::TempDir,
}

/// What became of everything.
#[derive(Clone, Copy, Debug)]
pub struct Settled {
    /// Updates that were made, warm-up included.
    pub made: u64,
    /// Updates that the product says are done; none for the embedded database.
    pub done: Option<u64>,
    /// Updates that nobody replied to.
    pub without_reply: usize,
}

impl Settled {
    /// For the report.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({"made_in_all": self.made, "done_in_the_database": self.done, "without_reply": self.without_reply})
    }
}

/// The database of the measurements.
const NAME: &str = "fitter_bench";

/// Bots, as BotFather would make them.
#[must_use]
pub fn bots(count: usize) -> Vec<BotSeed> {
    let bot = |n| BotSeed { token: format!("{n}:load"), username: format!("load_{n}_bot"), first_name: "Load".to_owned(), id: n };
    (1..=i64::try_from(count).unwrap_or(i64::MAX)).map(bot).collect()
}

/// Starts a load server for these bots.
///
/// # Errors
/// If it cannot listen.
pub fn load(bots: &[BotSeed], seats: usize, needs_buttons: bool, crowd: impl fitter_simulator::load::Crowd) -> anyhow::Result<Load> {
    let addr = ([127, 0, 0, 1], 0).into();
    Ok(Load::start(LoadConfig { addr, bots: bots.to_vec(), seats, needs_buttons, patience: PATIENCE }, crowd)?)
}

impl Arena {
    /// Starts everything; nobody does anything yet.
    ///
    /// # Errors
    /// If a part does not start.
    pub async fn open(bench: &Bench, shape: Shape) -> anyhow::Result<Self> {
        let home = tempfile::tempdir()?;
        let bots = bots(shape.bots);
        let seats = SEATS.min(shape.people);
        let load = if shape.talk {
            load(&bots, seats, true, Talkers::new(seats, shape.people))?
        } else {
            load(&bots, seats, true, Crew::new(seats, shape.people, shape.bots))?
        };
        let url = if shape.embedded { None } else { Some(bench.server.fresh(NAME).await?) };
        let setup = Setup {
            binary: &bench.binary,
            api: load.url(),
            tokens: bots.iter().map(|bot| bot.token.clone()).collect(),
            database: url.clone(),
            home: home.path(),
            vault: &bench.vault,
            webhook: shape.webhook,
            env: &bench.env,
        };
        setup.migrate()?;
        let database = database::open(url.as_deref(), &setup.data_dir()).await?;
        database::hire(database.pool(), shape.people).await?;
        let database = if shape.embedded {
            database.close().await;
            None
        } else {
            Some(database)
        };
        let product = setup.start().await?;
        Ok(Self { load, product, database, server: bench.server.pid().filter(|_| !shape.embedded), name: NAME, _home: home })
    }

    /// Measures in `windows` windows after a warm-up.
    pub async fn measure(&self, pace: Pace, warm_up: Duration, windows: u32, length: Duration) -> Vec<Window> {
        self.load.pace(pace);
        tokio::time::sleep(warm_up).await;
        let mut meter = Meter::start(&self.load, self.product.pid(), self.server);
        let mut measured = Vec::new();
        for _ in 0..windows {
            tokio::time::sleep(length).await;
            measured.push(meter.window());
        }
        self.load.pace(Pace::Still);
        measured
    }

    /// Waits until every update has its reply and the queues are empty.
    ///
    /// # Errors
    /// If something was given up, work is left, or the product does not know of as many updates as were made.
    pub async fn settle(&self) -> anyhow::Result<Settled> {
        let until = Instant::now() + Duration::from_secs(60);
        while self.load.outstanding() > 0 && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let (made, without_reply) = (self.load.made(), self.load.outstanding());
        let Some(database) = &self.database else { return Ok(Settled { made, done: None, without_reply }) };
        loop {
            let queues = database::queues(database.pool()).await?;
            let log = || self.product.log_tail();
            if queues.waiting == 0 {
                ensure!(queues.dead == 0, "{} items were given up; the log ends with:\n{}", queues.dead, log());
                let done = queues.updates_done.cast_unsigned();
                ensure!(done == made, "{made} updates were made, {done} are done");
                return Ok(Settled { made, done: Some(done), without_reply });
            }
            ensure!(Instant::now() < until, "{} items are left in the queues; the log ends with:\n{}", queues.waiting, log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Ends the product and drops the database.
    ///
    /// # Errors
    /// If the product does not end well.
    pub async fn close(self, bench: &Bench) -> anyhow::Result<()> {
        self.product.stop().await?;
        if let Some(database) = self.database {
            database.close().await;
            bench.server.drop(self.name).await?;
        }
        Ok(())
    }
}
