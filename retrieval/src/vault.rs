//! Reads a folder of notes as Obsidian sees it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;

use crate::problem::{Problem, Severity};

/// Largest note that is read, bytes.
pub const NOTE_LIMIT: u64 = 8 << 20;
/// Deepest folder that is entered.
const DEPTH_LIMIT: usize = 32;

/// A folder of notes in memory. Paths are relative to the root, with `/`, in Unicode NFC.
#[derive(Debug, Default)]
pub struct Vault {
    /// Notes: path to bytes.
    pub notes: BTreeMap<String, Vec<u8>>,
    /// Every other file: path to its place on disk.
    pub attachments: BTreeMap<String, PathBuf>,
    /// What Obsidian is told about this vault.
    pub settings: Settings,
    /// What could not be read; never fatal.
    pub problems: Vec<Problem>,
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

/// Reads the folder. What cannot be read is reported in [`Vault::problems`]; a missing folder is an empty vault with a problem.
#[must_use]
pub fn read(root: &Path) -> Vault {
    let mut vault = Vault::default();
    vault.settings = Settings::read(root, &mut vault.problems);
    walk(root, "", 0, &mut vault);
    vault
}

impl Settings {
    fn read(root: &Path, problems: &mut Vec<Problem>) -> Self {
        let mut settings = Self::default();
        let dir = root.join(".obsidian");
        if let Some(app) = json::<AppJson>(&dir.join("app.json"), ".obsidian/app.json", problems) {
            settings.attachment_folder = normal_path(&app.attachment_folder_path);
            settings.strict_line_breaks = app.strict_line_breaks;
            for filter in app.user_ignore_filters.unwrap_or_default() {
                settings.ignore(&filter, problems);
            }
        }
        for (file, key) in [("templates.json", "folder"), ("plugins/templater-obsidian/data.json", "templates_folder")] {
            let name = format!(".obsidian/{file}");
            let Some(value) = json::<serde_json::Value>(&dir.join(file), &name, problems) else { continue };
            if let Some(folder) = value.get(key).and_then(serde_json::Value::as_str) {
                let folder = normal_path(folder.trim_matches('/'));
                if !folder.is_empty() {
                    settings.template_folders.push(folder);
                }
            }
        }
        settings
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

fn json<T: for<'de> Deserialize<'de>>(file: &Path, name: &str, problems: &mut Vec<Problem>) -> Option<T> {
    let bytes = fs::read(file).ok()?;
    match serde_json::from_slice(&bytes) {
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
    let path = normal_path(path);
    let is_note = Path::new(&path).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("md"));
    if !is_note {
        vault.attachments.insert(path, entry.path());
        return;
    }
    if vault.settings.skips(&path) {
        return;
    }
    if entry.metadata().is_ok_and(|meta| meta.len() > NOTE_LIMIT) {
        vault.problems.push(problem(&path, Severity::Warning, format!("larger than {} MiB, skipped", NOTE_LIMIT >> 20)));
        return;
    }
    match fs::read(entry.path()) {
        Ok(bytes) => {
            if vault.notes.insert(path.clone(), bytes).is_some() {
                vault.problems.push(problem(
                    &path,
                    Severity::Warning,
                    "two files have this name in different Unicode forms; one is ignored",
                ));
            }
        }
        Err(error) => vault.problems.push(problem(&path, Severity::Warning, format!("cannot be read: {error}"))),
    }
}
