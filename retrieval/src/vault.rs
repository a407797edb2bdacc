//! Reads a folder of notes as Obsidian sees it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use regex::Regex;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use unicode_normalization::UnicodeNormalization;

use crate::problem::{Problem, Severity};

/// Largest note that is read, bytes.
pub const NOTE_LIMIT: u64 = 8 << 20;
/// Deepest folder that is entered.
const DEPTH_LIMIT: usize = 32;

/// What lies in a vault: names and stamps; bytes are read when they are asked for. Paths are relative to the root, with `/`, in Unicode NFC.
#[derive(Debug, Default)]
pub struct Vault {
    /// Notes and canvases.
    pub notes: BTreeMap<String, Entry>,
    /// Every other file.
    pub attachments: BTreeMap<String, Entry>,
    /// What Obsidian is told about this vault.
    pub settings: Settings,
    /// What could not be read; never fatal.
    pub problems: Vec<Problem>,
}

/// A file of a vault.
#[derive(Debug, Clone)]
pub struct Entry {
    /// A file with the stamp that it had before was not changed since: size and time of a file on disk, the hash of a blob of git.
    pub stamp: String,
    /// When the file was changed, if the source tells that by itself.
    pub modified: Option<SystemTime>,
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    Memory(Arc<[u8]>),
    Disk(PathBuf),
    Blob(Arc<dyn Blobs>),
}

/// Where files lie that are not on disk. Reading blocks.
pub trait Blobs: Send + Sync + std::fmt::Debug {
    /// The bytes of the file with this stamp.
    ///
    /// # Errors
    /// If there is none, or it cannot be read.
    fn read(&self, stamp: &str) -> io::Result<Vec<u8>>;
}

impl Entry {
    /// The bytes. Blocks.
    ///
    /// # Errors
    /// If it is gone or cannot be read.
    pub fn read(&self) -> io::Result<Arc<[u8]>> {
        match &self.place {
            Place::Memory(bytes) => Ok(Arc::clone(bytes)),
            Place::Disk(path) => fs::read(path).map(Arc::from),
            Place::Blob(blobs) => blobs.read(&self.stamp).map(Arc::from),
        }
    }
}

/// A file of another source than a folder: its path inside the vault, its size in bytes and its stamp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Path as it is there.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// What names its content.
    pub stamp: String,
}

/// Whether a file of this name is a note: Markdown, or a canvas.
#[must_use]
pub fn is_note(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("md") || extension.eq_ignore_ascii_case("canvas"))
}

/// The part of `.obsidian/` that changes what a note means.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Folder of attachments (`attachmentFolderPath`); empty or `/` is the root, `./x` is beside the note.
    pub attachment_folder: String,
    /// A single line break inside a paragraph is a space (`strictLineBreaks`).
    pub strict_line_breaks: bool,
    /// Folders whose notes are templates, not notes.
    pub template_folders: Vec<String>,
    /// Excluded files: prefixes of paths (`userIgnoreFilters`).
    ignored_prefixes: Vec<String>,
    /// Excluded files: regular expressions, written there as `/…/`.
    ignored_patterns: Vec<Regex>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct AppJson {
    attachment_folder_path: String,
    user_ignore_filters: Option<Vec<String>>,
    strict_line_breaks: bool,
}

/// Path in Unicode NFC with `/` between its parts: macOS stores names in NFD.
#[must_use]
pub fn normal_path(path: &str) -> String {
    path.replace('\\', "/").nfc().collect()
}

/// Lists the folder. What cannot be read is reported in [`Vault::problems`]; a missing folder is an empty vault with a problem.
#[must_use]
pub fn read(root: &Path) -> Vault {
    let mut vault = Vault::default();
    vault.settings = Settings::read(|name| fs::read(root.join(name)).ok(), &mut vault.problems);
    walk(root, "", 0, &mut vault);
    vault
}

/// The vault that a list of files makes, hidden ones among them for the settings.
#[must_use]
pub fn of_blobs(files: Vec<Listed>, blobs: &Arc<dyn Blobs>) -> Vault {
    let mut vault = Vault::default();
    let settings = |name: &str| {
        let file = files.iter().find(|file| file.path == name)?;
        blobs.read(&file.stamp).ok()
    };
    vault.settings = Settings::read(settings, &mut vault.problems);
    for file in files {
        if file.path.split('/').any(|part| part.starts_with('.')) {
            continue;
        }
        if file.path.split('/').count() > DEPTH_LIMIT + 1 {
            vault.problems.push(problem(&normal_path(&file.path), Severity::Warning, "the file lies too deep, skipped"));
            continue;
        }
        vault.add(&file.path, file.size, Entry { stamp: file.stamp, modified: None, place: Place::Blob(Arc::clone(blobs)) });
    }
    vault
}

impl Vault {
    /// Puts a file into the vault that exists nowhere else.
    pub fn put(&mut self, path: &str, bytes: &[u8]) {
        let entry = Entry { stamp: hex::encode(Sha256::digest(bytes)), modified: None, place: Place::Memory(bytes.into()) };
        self.add(path, u64::try_from(bytes.len()).unwrap_or(u64::MAX), entry);
    }

    fn add(&mut self, path: &str, size: u64, entry: Entry) {
        let path = normal_path(path);
        if !is_note(&path) {
            self.attachments.insert(path, entry);
            return;
        }
        if self.settings.skips(&path) {
            return;
        }
        if size > NOTE_LIMIT {
            self.problems.push(problem(&path, Severity::Warning, format!("larger than {} MiB, skipped", NOTE_LIMIT >> 20)));
            return;
        }
        if self.notes.insert(path.clone(), entry).is_some() {
            let what = "two files have this name in different Unicode forms; one is ignored";
            self.problems.push(problem(&path, Severity::Warning, what));
        }
    }

    /// The bytes of a note; `None` if there is no such note, or it cannot be read any more.
    #[must_use]
    pub fn bytes(&self, path: &str) -> Option<Arc<[u8]>> {
        self.notes.get(path)?.read().ok()
    }

    /// Tells one state of the vault from another by names and stamps.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut digest = Sha256::new();
        for (path, entry) in self.notes.iter().chain(&self.attachments) {
            digest.update(path.as_bytes());
            digest.update([0]);
            digest.update(entry.stamp.as_bytes());
            digest.update([0]);
        }
        digest.update(self.settings.fingerprint().as_bytes());
        hex::encode(digest.finalize())
    }
}

impl Settings {
    fn read(file: impl Fn(&str) -> Option<Vec<u8>>, problems: &mut Vec<Problem>) -> Self {
        let mut settings = Self::default();
        let app = ".obsidian/app.json";
        if let Some(app) = file(app).and_then(|bytes| json::<AppJson>(&bytes, app, problems)) {
            settings.attachment_folder = normal_path(&app.attachment_folder_path);
            settings.strict_line_breaks = app.strict_line_breaks;
            for filter in app.user_ignore_filters.unwrap_or_default() {
                settings.ignore(&filter, problems);
            }
        }
        for (name, key) in [(".obsidian/templates.json", "folder"), (".obsidian/plugins/templater-obsidian/data.json", "templates_folder")]
        {
            let Some(value) = file(name).and_then(|bytes| json::<serde_json::Value>(&bytes, name, problems)) else { continue };
            if let Some(folder) = value.get(key).and_then(serde_json::Value::as_str) {
                let folder = normal_path(folder.trim_matches('/'));
                if !folder.is_empty() {
                    settings.template_folders.push(folder);
                }
            }
        }
        settings
    }

    /// Tells these settings from others that read notes or links differently.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let patterns: Vec<&str> = self.ignored_patterns.iter().map(Regex::as_str).collect();
        let parts = (&self.attachment_folder, self.strict_line_breaks, &self.template_folders, &self.ignored_prefixes, patterns);
        hex::encode(Sha256::digest(format!("{parts:?}")))
    }

    fn ignore(&mut self, filter: &str, problems: &mut Vec<Problem>) {
        match filter.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).filter(|rest| !rest.is_empty()) {
            Some(pattern) => match Regex::new(pattern) {
                Ok(pattern) => self.ignored_patterns.push(pattern),
                Err(_) => problems.push(problem(
                    ".obsidian/app.json",
                    Severity::Warning,
                    format!("excluded files: `{filter}` is not a regular expression"),
                )),
            },
            None => self.ignored_prefixes.push(normal_path(filter)),
        }
    }

    /// Whether the note at `path` is a template or an excluded file.
    #[must_use]
    pub fn skips(&self, path: &str) -> bool {
        self.template_folders.iter().any(|folder| path.strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/')))
            || self.ignored_prefixes.iter().any(|prefix| path.starts_with(prefix.as_str()))
            || self.ignored_patterns.iter().any(|pattern| pattern.is_match(path))
    }
}

fn json<T: for<'de> Deserialize<'de>>(bytes: &[u8], name: &str, problems: &mut Vec<Problem>) -> Option<T> {
    match serde_json::from_slice(bytes) {
        Ok(value) => Some(value),
        Err(error) => {
            problems.push(problem(name, Severity::Warning, format!("not readable, ignored: {error}")));
            None
        }
    }
}

fn problem(path: &str, severity: Severity, what: impl Into<String>) -> Problem {
    Problem { path: path.to_owned(), line: 1, severity, what: what.into() }
}

fn walk(root: &Path, inside: &str, depth: usize, vault: &mut Vault) {
    let dir = if inside.is_empty() { root.to_owned() } else { root.join(inside) };
    let entries = match fs::read_dir(&dir) {
        Ok(entries) => entries,
        Err(error) => {
            let path = if inside.is_empty() { "." } else { inside };
            vault.problems.push(problem(&normal_path(path), Severity::Error, format!("folder cannot be read: {error}")));
            return;
        }
    };
    let mut entries: Vec<_> = entries.flatten().collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            vault.problems.push(problem(&normal_path(inside), Severity::Warning, format!("file name {name:?} is not Unicode, skipped")));
            continue;
        };
        if name.starts_with('.') {
            continue;
        }
        let path = if inside.is_empty() { name.to_owned() } else { format!("{inside}/{name}") };
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && depth < DEPTH_LIMIT => walk(root, &path, depth + 1, vault),
            Ok(kind) if kind.is_dir() => {
                vault.problems.push(problem(&normal_path(&path), Severity::Warning, "folder lies too deep, skipped"))
            }
            Ok(kind) if kind.is_file() => file(&entry, &path, vault),
            // A link could lead out of the vault, to files that nobody meant to publish.
            Ok(_) => vault.problems.push(problem(&normal_path(&path), Severity::Info, "symbolic links are not followed")),
            Err(error) => vault.problems.push(problem(&normal_path(&path), Severity::Warning, format!("cannot be read: {error}"))),
        }
    }
}

fn file(entry: &fs::DirEntry, path: &str, vault: &mut Vault) {
    match entry.metadata() {
        Ok(meta) => {
            let modified = meta.modified().ok();
            let changed = modified.and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
            let stamp = format!("{}:{}.{:09}", meta.len(), changed.as_secs(), changed.subsec_nanos());
            vault.add(path, meta.len(), Entry { stamp, modified, place: Place::Disk(entry.path()) });
        }
        Err(error) => vault.problems.push(problem(&normal_path(path), Severity::Warning, format!("cannot be read: {error}"))),
    }
}
