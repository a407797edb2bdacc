//! The built `fitter` as a process, with a Telegram and a database of its own.

#![expect(clippy::expect_used, clippy::panic, reason = "a helper that cannot do its work fails the test that asked for it")]

use std::fs::{File, OpenOptions};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use fitter_domain::Locale;
use fitter_domain::clock::{Clock as _, SystemClock};
use fitter_domain::ids::{BotId, ChatId, UserId};
use fitter_domain::person::Role;
use fitter_store::people;
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool};
use tokio::runtime::Runtime;

use crate::command::{Said, ended, said};
use crate::db::TestDb;
use crate::options::{Options, Storage};
use crate::player::Player;
use crate::proxy::Proxy;
use crate::telegram::{Telegram, client};

/// How long anything may take on a slow machine that others use too.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A Fitter of one test, or of several with different people.
pub struct Fitter {
    /// Its Telegram.
    pub telegram: Telegram,
    options: Options,
    child: Mutex<Option<Child>>,
    db: Option<TestDb>,
    way: Option<Proxy>,
    home: tempfile::TempDir,
    http: SocketAddr,
    metrics: SocketAddr,
    client: reqwest::Client,
    next: AtomicI64,
    dead: AtomicI64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The runtime that every test of a program runs in: what one test starts can be used by another.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime"))
}

/// Runs a test.
pub fn run<T>(test: impl Future<Output = T>) -> T {
    runtime().block_on(test)
}

/// Waits until `look` gives something.
///
/// # Panics
/// If it does not within [`PATIENCE`].
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < until, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A Fitter that tests of one program share; whichever ends last finishes it.
#[derive(Default)]
pub struct Shared(tokio::sync::Mutex<Weak<Fitter>>);

impl Shared {
    /// Nothing is started yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(tokio::sync::Mutex::const_new(Weak::new()))
    }

    /// Runs a test with it.
    pub fn with<T>(&self, options: impl FnOnce() -> Options, test: impl AsyncFnOnce(&Fitter) -> T) -> T {
        run(async {
            let fitter = {
                let mut shared = self.0.lock().await;
                match shared.upgrade() {
                    Some(fitter) => fitter,
                    None => {
                        let fitter = Arc::new(Fitter::start(options()).await);
                        *shared = Arc::downgrade(&fitter);
                        fitter
                    }
                }
            };
            let result = test(&fitter).await;
            if let Some(fitter) = Arc::into_inner(fitter) {
                fitter.finish().await;
            }
            result
        })
    }
}

impl Fitter {
    /// Makes everything that the process needs, but does not start it.
    ///
    /// # Panics
    /// If a part cannot be had.
    pub async fn prepare(options: Options) -> Self {
        let telegram = Telegram::start(options.bots).await;
        let db = match options.storage {
            Storage::Server | Storage::Cuttable => Some(match &options.server {
                Some(url) => TestDb::at(url).await,
                None => TestDb::server().await,
            }),
            Storage::Embedded => None,
        };
        let way = match (&db, options.storage) {
            (Some(db), Storage::Cuttable) => {
                let url = reqwest::Url::parse(&db.url().unwrap_or_default()).expect("the database's address");
                let addr = format!("{}:{}", url.host_str().unwrap_or("127.0.0.1"), url.port().unwrap_or(5432));
                let addr = tokio::net::lookup_host(addr).await.expect("the server's address").next().expect("the server's address");
                Some(Proxy::start(addr).await)
            }
            _ => None,
        };
        let home = tempfile::tempdir().expect("a temporary folder");
        if let Some(vault) = &options.vault {
            copy(vault, &home.path().join("vault"));
        }
        Self {
            telegram,
            child: Mutex::new(None),
            db,
            way,
            home,
            http: free(),
            metrics: free(),
            client: client(),
            // People of different programs do not meet; a readable number is enough.
            next: AtomicI64::new(500),
            dead: AtomicI64::new(0),
            options,
        }
    }

    /// Starts `fitter serve` and waits until it is ready.
    ///
    /// # Panics
    /// If it does not get ready.
    pub async fn start(options: Options) -> Self {
        let fitter = Self::prepare(options).await;
        fitter.launch().await;
        fitter
    }

    /// Starts `fitter serve` and waits until it is ready.
    ///
    /// # Panics
    /// If it does not get ready.
    pub async fn launch(&self) {
        self.spawn();
        let url = format!("http://{}/readyz", self.http);
        let until = Instant::now() + PATIENCE * 2;
        loop {
            let answer = self.client.get(&url).timeout(Duration::from_secs(5)).send().await;
            if answer.is_ok_and(|answer| answer.status() == 200) {
                return;
            }
            if let Some(status) = self.ended() {
                panic!("fitter ended ({status}):\n{}", self.log());
            }
            assert!(Instant::now() < until, "fitter does not get ready:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Starts `fitter serve` and does not wait.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn spawn(&self) {
        let log = || Stdio::from(self.log_file());
        let mut command = self.command();
        let child = command.arg("serve").args(&self.options.args).stdout(log()).stderr(log()).spawn().expect("fitter starts");
        assert!(lock(&self.child).replace(child).is_none(), "it runs already");
    }

    fn log_file(&self) -> File {
        OpenOptions::new().create(true).append(true).open(self.home.path().join("log")).expect("the log")
    }

    /// A command of the program, with the configuration of this Fitter.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.options.binary);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("FITTER_")) {
            command.env_remove(name);
        }
        command
            .env("FITTER_TELEGRAM_API_URL", self.telegram.url())
            .env("FITTER_BOT_TOKEN", self.telegram.tokens())
            .env("FITTER_DATA_DIR", self.data_dir())
            .env("FITTER_HTTP_ADDR", self.http.to_string())
            .env("FITTER_METRICS_ADDR", self.metrics.to_string())
            .env("RUST_BACKTRACE", "1")
            .env("NO_COLOR", "1")
            .env("NO_PROXY", "127.0.0.1,localhost")
            .current_dir(self.home.path())
            .stdin(Stdio::null());
        if self.options.vault.is_some() {
            command.env("FITTER_VAULT", self.vault());
        }
        if let Some(url) = self.database_url() {
            command.env("FITTER_DATABASE_URL", url);
        }
        for (name, value) in &self.options.env {
            if value.is_empty() {
                command.env_remove(name)
            } else {
                command.env(name, value.replace("{http}", &self.http.to_string()))
            };
        }
        command
    }

    /// Runs a command of the program to its end.
    ///
    /// # Panics
    /// If it cannot be started, or does not end.
    pub async fn cli<const N: usize>(&self, args: [&str; N]) -> Said {
        let mut command = self.command();
        command.args(args);
        said(command).await
    }

    /// Address of the database for the process; none if it is embedded.
    #[must_use]
    pub fn database_url(&self) -> Option<String> {
        let url = self.db.as_ref()?.url()?;
        let Some(way) = &self.way else { return Some(url) };
        let mut url = reqwest::Url::parse(&url).ok()?;
        url.set_host(Some("127.0.0.1")).ok()?;
        url.set_port(Some(way.addr().port())).ok()?;
        Some(url.into())
    }

    /// The way to the database, with [`Storage::Cuttable`].
    ///
    /// # Panics
    /// With another storage.
    #[must_use]
    pub fn way(&self) -> &Proxy {
        self.way.as_ref().expect("Storage::Cuttable")
    }

    /// The database.
    ///
    /// # Panics
    /// If it is embedded: the process owns it.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        self.db.as_ref().map(TestDb::pool).expect("a database on the server")
    }

    pub(crate) fn has_pool(&self) -> bool {
        self.db.is_some()
    }

    /// Rows of a query as JSON objects.
    ///
    /// # Panics
    /// If the database refuses.
    pub async fn rows(&self, sql: &str) -> Vec<Value> {
        let sql = format!("SELECT row_to_json(q) FROM ({sql}) AS q");
        sqlx::query_scalar(AssertSqlSafe(sql.clone())).fetch_all(self.pool()).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// A number from the database.
    ///
    /// # Panics
    /// If the database refuses.
    pub async fn count(&self, sql: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(self.pool()).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Does something to the database.
    ///
    /// # Panics
    /// If the database refuses.
    pub async fn execute(&self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(self.pool()).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Does something to the database, if it can; whether it did.
    pub async fn try_to(&self, sql: &str) -> bool {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(self.pool()).await.is_ok()
    }

    /// The copy of the notes.
    #[must_use]
    pub fn vault(&self) -> PathBuf {
        self.home.path().join("vault")
    }

    /// The data folder.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// A page of the public listener: status and text.
    pub async fn http(&self, path: &str) -> (u16, String) {
        self.page(&format!("http://{}{path}", self.http)).await
    }

    /// A page of the metrics listener: status and text.
    pub async fn metrics(&self, path: &str) -> (u16, String) {
        self.page(&format!("http://{}{path}", self.metrics)).await
    }

    /// Address of the public listener.
    #[must_use]
    pub const fn http_addr(&self) -> SocketAddr {
        self.http
    }

    async fn page(&self, url: &str) -> (u16, String) {
        match self.client.get(url).send().await {
            Ok(answer) => (answer.status().as_u16(), answer.text().await.unwrap_or_default()),
            Err(_) => (0, String::new()),
        }
    }

    /// Everything that the process wrote.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }

    /// The end of it, for messages.
    #[must_use]
    pub fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines.get(lines.len().saturating_sub(40)..).unwrap_or_default().join("\n")
    }

    /// How the process ended, if it has.
    #[must_use]
    pub fn ended(&self) -> Option<ExitStatus> {
        lock(&self.child).as_mut().and_then(|child| child.try_wait().ok().flatten())
    }

    /// Kills the process as a power cut would.
    ///
    /// # Panics
    /// If it does not run.
    pub fn kill9(&self) {
        let mut child = lock(&self.child).take().expect("it runs");
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
    }

    /// Leases of a process that was killed are over at once and not after half a minute.
    pub async fn expire_leases(&self) {
        self.execute("UPDATE queue_lanes SET ready_at = now() WHERE lease_token IS NOT NULL").await;
    }

    /// Asks the process to end, and waits until it has.
    ///
    /// # Panics
    /// If it does not end well.
    pub async fn terminate(&self) {
        let mut child = lock(&self.child).take().expect("it runs");
        let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
        assert!(asked.is_ok_and(|status| status.success()), "it cannot be asked to end");
        let status = ended(&mut child, PATIENCE).await;
        let status = status.unwrap_or_else(|| panic!("it does not end within {PATIENCE:?} after SIGTERM:\n{}", self.log_tail()));
        assert_eq!(status.code(), Some(0), "after SIGTERM:\n{}", self.log_tail());
    }

    /// Ends the process well, and starts it again.
    pub async fn restart(&self) {
        self.terminate().await;
        self.launch().await;
    }

    /// What waits in the queues: `[{queue, waiting, ready, leased, dead}]`; empty while the process cannot tell.
    pub async fn queues(&self) -> Vec<Value> {
        let (_, text) = self.metrics("/queues").await;
        serde_json::from_str::<Value>(&text).ok().and_then(|rows| rows.as_array().cloned()).unwrap_or_default()
    }

    /// Whether nothing waits and nothing is worked on; timers count only with `timers`.
    pub(crate) async fn idle(&self, timers: bool) -> bool {
        let queues = self.queues().await;
        let number = |row: &Value, key: &str| row.get(key).and_then(Value::as_i64).unwrap_or(1);
        let job = |row: &Value| row.get("queue").and_then(Value::as_str) == Some("job");
        let empty = |row: &Value| number(row, if job(row) && !timers { "ready" } else { "waiting" }) == 0 && number(row, "leased") == 0;
        !queues.is_empty() && queues.iter().all(empty)
    }

    /// Waits until everything is done: updates fetched, queues empty, timers over, no calls.
    ///
    /// # Panics
    /// If it does not become quiet.
    pub async fn quiet(&self) {
        let until = Instant::now() + PATIENCE * 2;
        loop {
            let calls = self.telegram.quiet(Duration::from_millis(100), Duration::from_secs(10)).await;
            if calls.is_ok() && self.idle(true).await {
                return;
            }
            assert!(Instant::now() < until, "it does not become quiet: {calls:?} {:?}\n{}", self.queues().await, self.log_tail());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// So many dead letters are meant.
    pub fn expect_dead(&self, count: i64) {
        self.dead.store(count, Ordering::Relaxed);
    }

    /// Ends the test: everything is done, nothing died, the process ends well, and the log keeps secrets.
    ///
    /// # Panics
    /// If one of that is not so.
    pub async fn finish(self) {
        self.quiet().await;
        let dead: i64 = self.queues().await.iter().filter_map(|row| row.get("dead")?.as_i64()).sum();
        assert_eq!(dead, self.dead.load(Ordering::Relaxed), "dead letters:\n{}\n{}", self.dead_letters().await, self.log_tail());
        self.terminate().await;
        self.check_log();
    }

    async fn dead_letters(&self) -> String {
        if self.db.is_none() {
            return String::new();
        }
        let rows = self.rows("SELECT queue, lane, error, payload FROM queue_items WHERE status = 2 ORDER BY id LIMIT 5").await;
        rows.iter().map(Value::to_string).collect::<Vec<_>>().join("\n")
    }

    /// The log tells of no panic and has no secret in it.
    ///
    /// # Panics
    /// If it does.
    pub fn check_log(&self) {
        let log = self.log();
        assert!(!log.contains("panicked at"), "a panic:\n{log}");
        for token in self.telegram.tokens().split(',') {
            let secret = token.split_once(':').map_or(token, |(_, secret)| secret);
            assert!(!log.contains(secret), "the token is in the log:\n{log}");
        }
    }

    // People.

    /// Somebody with a Telegram account who has not written to the bot.
    pub async fn stranger(&self, name: &str, language: &str) -> Player<'_> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.telegram.account(id, name, language).await;
        Player::new(self, id, name, 0)
    }

    /// Somebody whom the company knows and who has pressed Start. Needs a database on the server; the way by invitation is tested by itself.
    ///
    /// # Panics
    /// If the database refuses.
    pub async fn person(&self, name: &str, role: Role, locale: Locale) -> Player<'_> {
        let player = self.stranger(name, locale.code()).await;
        let mut tx = self.pool().begin().await.expect("the database");
        let seen = people::Seen {
            bot: BotId(self.telegram.bot_id(0)),
            chat: ChatId(player.id),
            user: UserId(player.id),
            first_name: name,
            language: Some(locale.code()),
        };
        let person = people::seen(&mut tx, &seen, SystemClock.now()).await.expect("a person");
        people::set_role(&mut tx, person.id, role).await.expect("a role");
        people::set_locale(&mut tx, person.id, locale).await.expect("a language");
        people::onboard(&mut tx, person.id, name).await.expect("a name");
        tx.commit().await.expect("the database");
        player.start("").await;
        player
    }

    /// A technician who speaks Russian.
    pub async fn technician(&self, name: &str) -> Player<'_> {
        self.person(name, Role::Technician, Locale::Ru).await
    }

    /// A manager who speaks Russian.
    pub async fn manager(&self, name: &str) -> Player<'_> {
        self.person(name, Role::Manager, Locale::Ru).await
    }

    /// An invitation made on the command line: the payload of its link.
    ///
    /// # Panics
    /// If the command fails.
    pub async fn invite(&self, role: &str) -> String {
        let said = self.cli(["user", "invite", "--role", role]).await;
        assert_eq!(said.code, Some(0), "{said:?}");
        let payload = said.out.trim().rsplit_once("?start=").map(|(_, payload)| payload.to_owned());
        payload.unwrap_or_else(|| panic!("no link: {said:?}"))
    }
}

impl Drop for Fitter {
    fn drop(&mut self) {
        if let Some(mut child) = lock(&self.child).take() {
            child.kill().ok();
            child.wait().ok();
            if !std::thread::panicking() {
                // A test that ends well says so with finish().
                panic!("a Fitter was dropped while it ran");
            }
        }
    }
}

/// Somebody else may take it before the process does, which then says so.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
