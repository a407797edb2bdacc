//! A `fitter serve` under measurement.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

/// How long it may take to be ready on a busy machine; a thousand bots introduce themselves first.
const PATIENCE: Duration = Duration::from_secs(180);

/// What to start.
pub struct Setup<'a> {
    /// The program.
    pub binary: &'a Path,
    /// The load server.
    pub api: String,
    /// Tokens of its bots.
    pub tokens: Vec<String>,
    /// Address of its database; none for the embedded one.
    pub database: Option<String>,
    /// Folder for its data and its log.
    pub home: &'a Path,
    /// The notes.
    pub vault: &'a Path,
    /// Updates are brought to it.
    pub webhook: bool,
    /// More variables.
    pub env: &'a [(String, String)],
}

/// A running one; killed when this is dropped.
pub struct Product {
    child: Child,
    client: reqwest::Client,
    http: SocketAddr,
    log: PathBuf,
}

impl Setup<'_> {
    /// Folder of its data.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.home.join("data")
    }

    fn command(&self, http: SocketAddr) -> anyhow::Result<Command> {
        let mut command = Command::new(self.binary);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("FITTER_")) {
            command.env_remove(name);
        }
        command
            .env("FITTER_TELEGRAM_API_URL", &self.api)
            .env("FITTER_BOT_TOKEN", self.tokens.join(","))
            .env("FITTER_DATA_DIR", self.data_dir())
            .env("FITTER_HTTP_ADDR", http.to_string())
            .env("FITTER_METRICS_ADDR", free()?.to_string())
            .env("FITTER_VAULT", self.vault)
            .env("NO_COLOR", "1")
            .env("NO_PROXY", "127.0.0.1,localhost")
            .current_dir(self.home)
            .stdin(Stdio::null());
        if let Some(url) = &self.database {
            command.env("FITTER_DATABASE_URL", url);
        }
        if self.webhook {
            command.env("FITTER_WEBHOOK_URL", format!("http://{http}"));
        }
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }

    /// Applies the migrations.
    ///
    /// # Errors
    /// If they cannot be applied.
    pub fn migrate(&self) -> anyhow::Result<()> {
        let output = self.command(free()?)?.arg("migrate").output().with_context(|| format!("{} does not start", self.binary.display()))?;
        ensure!(output.status.success(), "fitter migrate: {}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(())
    }

    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    /// If it does not get ready.
    pub async fn start(&self) -> anyhow::Result<Product> {
        let http = free()?;
        let log = self.home.join("log");
        let file = File::create(&log).context("cannot make the log")?;
        let again = file.try_clone().context("cannot make the log")?;
        let child = self.command(http)?.arg("serve").stdout(file).stderr(again).spawn().context("fitter does not start")?;
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
        let mut product = Product { child, client, http, log };
        let until = Instant::now() + PATIENCE;
        while !product.is_ready().await {
            if let Some(status) = product.child.try_wait()? {
                bail!("fitter ended ({status}): {}", product.log_tail());
            }
            ensure!(Instant::now() < until, "fitter does not get ready: {}", product.log_tail());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(product)
    }
}

impl Product {
    async fn is_ready(&self) -> bool {
        self.client.get(format!("http://{}/readyz", self.http)).send().await.is_ok_and(|answer| answer.status() == 200)
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The end of what it wrote.
    #[must_use]
    pub fn log_tail(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n")
    }

    /// Ends it as an operator would.
    ///
    /// # Errors
    /// If it does not end well.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let asked = Command::new("kill").args(["-TERM", &self.pid().to_string()]).status().context("kill does not start")?;
        ensure!(asked.success(), "fitter cannot be asked to end");
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "fitter ended badly ({status}): {}", self.log_tail());
                return Ok(());
            }
            ensure!(Instant::now() < until, "fitter does not end: {}", self.log_tail());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.child.kill().ok();
            self.child.wait().ok();
        }
    }
}

/// A free address of this machine; somebody else may take it before it is used, which then is said.
///
/// # Errors
/// If there is none.
pub fn free() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind(("127.0.0.1", 0)).context("no free port")?.local_addr()?)
}
