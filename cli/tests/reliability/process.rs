//! Processes of one installation: each with listeners and a log of its own, all on one database and one Telegram.

use std::fs::File;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use fitter_testkit::Fitter;
use fitter_testkit::app::PATIENCE;

/// One run of `fitter serve`; killed when dropped.
pub struct Process {
    /// Its name in messages.
    pub name: String,
    child: Child,
    log: PathBuf,
    metrics: String,
}

fn free() -> String {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").to_string()
}

impl Process {
    /// Starts `fitter serve` with these arguments and variables, and does not wait.
    pub fn spawn(fitter: &Fitter, name: &str, args: &[&str], env: &[(&str, &str)]) -> Self {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        let run = RUNS.fetch_add(1, Ordering::Relaxed);
        let log = fitter.data_dir().with_file_name(format!("{name}-{run}.log"));
        let metrics = free();
        let out = File::create(&log).expect("the log");
        let child = fitter
            .command()
            .env("FITTER_HTTP_ADDR", free())
            .env("FITTER_METRICS_ADDR", &metrics)
            .envs(env.iter().copied())
            .arg("serve")
            .args(args)
            .stdout(Stdio::from(out.try_clone().expect("the log")))
            .stderr(Stdio::from(out))
            .spawn()
            .expect("fitter starts");
        Self { name: name.to_owned(), child, log, metrics }
    }

    /// Waits until everything of it runs.
    pub async fn ready(&mut self) {
        let until = Instant::now() + PATIENCE * 2;
        while !self.log().lines().any(|line| line.ends_with(" INFO ready")) {
            let ended = self.ended();
            assert!(ended.is_none(), "{} ended ({ended:?}):\n{}", self.name, self.log());
            assert!(Instant::now() < until, "{} does not get ready:\n{}", self.name, self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("it can be watched")
    }

    /// Kills it as a power cut would.
    pub fn kill9(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// Asks it to end, and does not wait.
    pub fn ask_to_end(&self) {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(asked.is_ok_and(|status| status.success()), "{} cannot be asked to end", self.name);
    }

    /// Waits until it has ended, well and within this time.
    pub async fn ends(&mut self, within: Duration) {
        let until = Instant::now() + within;
        let status = loop {
            if let Some(status) = self.ended() {
                break status;
            }
            assert!(Instant::now() < until, "{} does not end within {within:?}:\n{}", self.name, self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        assert_eq!(status.code(), Some(0), "{}:\n{}", self.name, self.log());
    }

    /// Asks it to end, and waits until it has, well.
    pub async fn terminate(mut self) {
        self.ask_to_end();
        self.ends(PATIENCE).await;
    }

    /// Everything that it wrote.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Where its log lies, also after its end.
    pub fn log_path(&self) -> PathBuf {
        self.log.clone()
    }

    /// Sum of a counter over those of its labels that have this text; zero if it has not counted yet.
    pub async fn counter(&self, name: &str, labels: &str) -> f64 {
        let text = match fitter_testkit::telegram::client().get(format!("http://{}/metrics", self.metrics)).send().await {
            Ok(answer) => answer.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        };
        let own = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']) && rest.contains(labels));
        text.lines().filter(own).filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
