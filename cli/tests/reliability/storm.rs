//! A crowd at work while things go wrong, and a record of all of it for the audit.
//!
//! ```ignore
//! let storm = Storm::prepare(options(), Size::short(40, 20.0)).await;
//! let mut all = storm.spawn("all", &[], &[]);
//! all.ready().await;
//! storm.crowd_acts(async { /* trouble */ }).await;
//! storm.calm().await;
//! let report = storm.audit().await;
//! report.check(&Meant::default());
//! storm.publish("what it was", &report);
//! all.terminate().await;
//! ```

use std::collections::HashMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use fitter_domain::clock::{Clock as _, SystemClock};
use fitter_testkit::{Fitter, Options};
use serde_json::Value;

use crate::audit::Report;
use crate::crowd::Crowd;
use crate::ledger::Ledger;
use crate::process::Process;

/// How long until everything is quiet after a storm. Leases of the killed run out within 30 s, and items wait up to minutes after several
/// failures.
const CALM: Duration = Duration::from_secs(240);

/// How large a storm is. The long form comes by variables: `FITTER_FAULTS_ROUNDS`, `_PEOPLE`, `_RATE` (updates a second), `_SEED`.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Times that something goes wrong.
    pub rounds: usize,
    /// People.
    pub people: usize,
    /// Updates a second that they make together.
    pub rate: f64,
    /// Of everything that is left to chance.
    pub seed: u64,
    /// How long people wait for the bot before they open the menu: longer than work may stand still after a kill.
    pub patience: Duration,
    /// Updates come by webhook, where a tap and what is said after it travel apart: people wait until the tap is answered.
    pub apart: bool,
    /// Whether this is the long form.
    pub long: bool,
}

impl Size {
    /// So large in the tests; the long form is as large as the variables say.
    pub fn of(rounds: usize, people: usize, rate: f64) -> Self {
        Self {
            rounds: variable("ROUNDS").unwrap_or(rounds),
            people: variable("PEOPLE").unwrap_or(people),
            rate: variable("RATE").unwrap_or(rate),
            seed: variable("SEED").unwrap_or(20_261_120),
            patience: Duration::from_secs(50),
            apart: false,
            long: variable::<usize>("ROUNDS").is_some(),
        }
    }

    /// A storm that is one of many: a tenth of the rounds of the long form.
    pub fn one_of_many(rounds: usize, people: usize, rate: f64) -> Self {
        let size = Self::of(rounds, people, rate);
        if size.long { Self { rounds: size.rounds.div_ceil(10), ..size } } else { size }
    }
}

fn variable<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(format!("FITTER_FAULTS_{name}")).ok()?.parse().ok()
}

/// A process that was killed.
#[derive(Debug, Clone)]
pub struct Kill {
    /// When.
    pub at: DateTime<Utc>,
    /// Nobody else worked on.
    pub alone: bool,
    /// When somebody worked again: at once unless [`Kill::alone`].
    pub again: DateTime<Utc>,
    /// Lanes that were leased then and had something to do: queue and name, and the lease's token.
    pub lanes: HashMap<(i64, String), i64>,
}

impl Kill {
    /// Letters that may have been on their way.
    pub fn in_flight(&self) -> usize {
        self.lanes.keys().filter(|(queue, lane)| *queue == 2 && !lane.starts_with("answer:")).count()
    }
}

/// A product, its Telegram, its database and its people.
pub struct Storm {
    /// The installation. Its own process is not used; see [`Storm::spawn`].
    pub fitter: Fitter,
    /// Its people.
    pub crowd: Crowd,
    /// How large it is.
    pub size: Size,
    pub(crate) ledger: Ledger,
    pub(crate) kills: Mutex<Vec<Kill>>,
    logs: Mutex<Vec<PathBuf>>,
    began: Instant,
}

impl Storm {
    /// Everything but the processes. The people are known to the company, and have not written yet.
    pub async fn prepare(options: Options, size: Size) -> Self {
        eprintln!("{size:?}");
        let fitter = Fitter::prepare(options).await;
        fitter.execute(crate::audit::TRAIL).await;
        let crowd = Crowd::gather(&fitter, &size).await;
        let ledger = Ledger::start(&fitter.telegram).await;
        Self { fitter, crowd, size, ledger, kills: Mutex::default(), logs: Mutex::default(), began: Instant::now() }
    }

    /// Starts a process and does not wait.
    pub fn spawn(&self, name: &str, args: &[&str], env: &[(&str, &str)]) -> Process {
        let now = SystemClock.now();
        for kill in self.kills.lock().unwrap_or_else(PoisonError::into_inner).iter_mut() {
            if kill.again == DateTime::<Utc>::MAX_UTC {
                kill.again = now;
            }
        }
        let process = Process::spawn(&self.fitter, name, args, env);
        self.logs.lock().unwrap_or_else(PoisonError::into_inner).push(process.log_path());
        process
    }

    /// Waits until a process works, and writes down that somebody works again.
    pub async fn ready(&self, process: &mut Process) {
        process.ready().await;
        let mut kills = self.kills.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = kills.last_mut().filter(|last| last.alone) {
            last.again = SystemClock.now();
        }
    }

    /// Kills processes as a power cut would; `alone` if nobody else works on.
    pub async fn kill9(&self, processes: Vec<Process>, alone: bool) {
        processes.into_iter().for_each(Process::kill9);
        self.died(alone).await;
    }

    /// Writes down that a process died just now; `alone` if nobody else works on.
    pub async fn died(&self, alone: bool) {
        let at = SystemClock.now();
        let leased =
            "SELECT l.queue, l.lane, l.lease_token FROM queue_lanes l WHERE l.lease_token IS NOT NULL AND l.hold_until IS NULL AND EXISTS
            (SELECT FROM queue_items i WHERE i.queue = l.queue AND i.lane = l.lane AND i.status = 0 AND i.run_at <= now())";
        let rows = self.fitter.rows(leased).await;
        let number = |row: &Value, key: &str| row[key].as_i64().unwrap();
        let lanes =
            rows.iter().map(|row| ((number(row, "queue"), row["lane"].as_str().unwrap().to_owned()), number(row, "lease_token"))).collect();
        let again = if alone { DateTime::<Utc>::MAX_UTC } else { at };
        self.kills.lock().unwrap_or_else(PoisonError::into_inner).push(Kill { at, alone, again, lanes });
    }

    /// The people act while `trouble` goes on.
    pub async fn crowd_acts<T>(&self, trouble: impl Future<Output = T>) -> T {
        let trouble = async {
            let result = trouble.await;
            self.crowd.rest();
            result
        };
        let (result, ()) = futures::future::join(trouble, self.crowd.act(&self.fitter.telegram, self.size.rate)).await;
        result
    }

    /// Waits until so many turns more are done: on a slow machine a time alone says little.
    pub async fn turns(&self, more: i64) {
        let done = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM trail_dialogues_seq_seq";
        let enough = self.fitter.count(done).await + more;
        let until = Instant::now() + CALM;
        while self.fitter.count(done).await < enough {
            assert!(Instant::now() < until, "not {more} turns within {CALM:?}:\n{}", self.log_ends());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until everything is handled: updates fetched, queues empty, no calls.
    pub async fn calm(&self) {
        let until = Instant::now() + CALM;
        loop {
            let calls = self.fitter.telegram.quiet(Duration::from_millis(300), Duration::from_secs(10)).await;
            let left = self.fitter.count("SELECT count(*) FROM queue_items WHERE status = 0").await;
            if calls.is_ok() && left == 0 {
                break;
            }
            if Instant::now() > until {
                let rows = self.fitter.rows("SELECT queue, lane, attempts, error FROM queue_items WHERE status = 0 LIMIT 9").await;
                panic!("it does not become quiet: {calls:?}, {left} items left {rows:#?}\n{}", self.log_ends());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        // Lanes are given back a moment after their last item.
        let leased =
            async || (self.fitter.count("SELECT count(*) FROM queue_lanes WHERE lease_token IS NOT NULL").await == 0).then_some(());
        fitter_testkit::app::eventually("all lanes are free", leased).await;
    }

    /// Holds the promises against what happened.
    pub async fn audit(&self) -> Report {
        crate::audit::audit(self).await
    }

    /// Adds the figures to the report of the long form, if there is one.
    pub fn publish(&self, scenario: &str, report: &Report) {
        self.publish_with(scenario, report, &Value::Null);
    }

    /// The same with figures of the scenario's own.
    pub fn publish_with(&self, scenario: &str, report: &Report, more: &Value) {
        let mut line = report.figures();
        for (name, figure) in more.as_object().into_iter().flatten() {
            line[name] = figure.clone();
        }
        self.note(scenario, line);
    }

    /// Adds figures to the report where there is no audit.
    pub fn note(&self, scenario: &str, mut line: Value) {
        line["scenario"] = Value::from(scenario);
        line["rounds"] = Value::from(self.size.rounds);
        line["people"] = Value::from(self.size.people);
        line["seconds"] = Value::from(self.began.elapsed().as_secs());
        eprintln!("{line}");
        if let Ok(path) = std::env::var("FITTER_FAULTS_REPORT") {
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).expect("the report");
            writeln!(file, "{line}").expect("the report");
        }
    }

    /// Everything that all processes wrote.
    pub fn logs(&self) -> String {
        let logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        logs.iter().map(|path| std::fs::read_to_string(path).unwrap_or_default()).collect()
    }

    /// The last complaints in it, for messages.
    pub fn log_ends(&self) -> String {
        let logs = self.logs();
        let complaints: Vec<&str> = logs.lines().filter(|line| line.contains(" ERROR ") || line.contains(" WARN ")).collect();
        complaints[complaints.len().saturating_sub(30)..].join("\n")
    }

    /// No process panicked, and no log has a secret in it.
    pub fn check_logs(&self) {
        let logs = self.logs();
        assert!(!logs.contains("panicked at"), "a panic:\n{logs}");
        for token in self.fitter.telegram.tokens().split(',') {
            let secret = token.split_once(':').map_or(token, |(_, secret)| secret);
            assert!(!logs.contains(secret), "the token is in a log");
        }
    }
}
