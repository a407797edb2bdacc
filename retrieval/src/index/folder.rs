//! A folder that holds the index that is in use and, for a while, the one being built beside it.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Names the subfolder in use.
const CURRENT: &str = "current";

/// The subfolder in use, if there is one.
pub(super) fn current(dir: &Path) -> Option<PathBuf> {
    let name = fs::read_to_string(dir.join(CURRENT)).ok()?;
    let name = name.trim();
    // Only our own names: the file must not lead elsewhere.
    (!name.is_empty() && name.chars().all(|c| c.is_ascii_digit())).then(|| dir.join(name)).filter(|path| path.is_dir())
}

/// A new, empty subfolder.
pub(super) fn fresh(dir: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(dir)?;
    let last = numbers(dir)?.into_iter().max().unwrap_or(0);
    for number in last + 1..=last + 100 {
        let path = dir.join(number.to_string());
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(ErrorKind::AlreadyExists, "another process builds indexes in this folder"))
}

/// Makes `path` the one in use, and removes older ones as far as the system allows.
pub(super) fn adopt(dir: &Path, path: &Path) -> io::Result<()> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let draft = dir.join(format!("{CURRENT}.new"));
    fs::write(&draft, &name)?;
    fs::rename(&draft, dir.join(CURRENT))?;
    let own: u64 = name.parse().unwrap_or(0);
    for number in numbers(dir)?.into_iter().filter(|number| *number < own) {
        // Still open elsewhere: the next rebuild tries again.
        let _ = fs::remove_dir_all(dir.join(number.to_string()));
    }
    Ok(())
}

fn numbers(dir: &Path) -> io::Result<Vec<u64>> {
    Ok(fs::read_dir(dir)?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
}
