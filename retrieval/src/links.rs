//! Finds what a link means, as Obsidian does.

use std::collections::HashMap;
use std::sync::Mutex;

use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

use crate::meta::Meta;
use crate::vault::{Settings, Vault, normal_path};

/// Where links lead. Borrows the vault, because embeds need the text of other notes.
#[derive(Debug)]
pub struct LinkIndex<'v> {
    vault: &'v Vault,
    paths: HashMap<String, &'v str>,
    names: HashMap<String, Vec<&'v str>>,
    aliases: HashMap<String, Vec<&'v str>>,
    files: HashMap<String, &'v str>,
    file_names: HashMap<String, Vec<&'v str>>,
    hashes: Mutex<HashMap<String, [u8; 32]>>,
}

/// A target without its extension, folded for comparison.
fn key(path: &str) -> String {
    let folded: String = path.trim().nfc().collect::<String>().to_lowercase();
    folded.strip_suffix(".md").map(str::to_owned).unwrap_or(folded)
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

impl<'v> LinkIndex<'v> {
    /// Indexes the names and aliases of a vault.
    #[must_use]
    pub fn new(vault: &'v Vault) -> Self {
        let mut index = Self {
            vault,
            paths: HashMap::new(),
            names: HashMap::new(),
            aliases: HashMap::new(),
            files: HashMap::new(),
            file_names: HashMap::new(),
            hashes: Mutex::default(),
        };
        for (path, bytes) in &vault.notes {
            index.paths.insert(key(path), path);
            index.names.entry(key(base(path))).or_default().push(path);
            for alias in Meta::aliases_of(bytes) {
                index.aliases.entry(key(&alias)).or_default().push(path);
            }
        }
        for path in vault.attachments.keys() {
            index.files.insert(path.to_lowercase(), path);
            index.file_names.entry(base(path).to_lowercase()).or_default().push(path);
        }
        index
    }

    /// The vault's settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.vault.settings
    }

    /// The bytes of a note.
    #[must_use]
    pub fn source(&self, path: &str) -> Option<&'v [u8]> {
        self.vault.notes.get(path).map(Vec::as_slice)
    }

    /// Where an attachment lies on disk.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&'v std::path::Path> {
        self.vault.attachments.get(path).map(std::path::PathBuf::as_path)
    }

    /// SHA-256 of an attachment's bytes; of nothing when it cannot be read. Each file is read once.
    pub(crate) fn file_hash(&self, path: &str) -> [u8; 32] {
        let mut known = self.hashes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *known.entry(path.to_owned()).or_insert_with(|| {
            let bytes = self.file(path).and_then(|file| std::fs::read(file).ok()).unwrap_or_default();
            Sha256::digest(bytes).into()
        })
    }

    /// The note that `target` (no `#…`, no alias) means in the note `from`; an empty target is `from` itself.
    ///
    /// Exact path, then path relative to `from`, then name regardless of case, then alias; of several the one in the same folder, then
    /// the one with the shortest path.
    #[must_use]
    pub fn note(&self, from: &str, target: &str) -> Option<&'v str> {
        let wanted = key(target.trim_start_matches('/'));
        if wanted.is_empty() {
            return self.vault.notes.get_key_value(from).map(|(path, _)| path.as_str());
        }
        if let Some(path) = self.paths.get(&wanted) {
            return Some(path);
        }
        if let Some(path) = relative(from, target).and_then(|path| self.paths.get(&key(&path)).copied()) {
            return Some(path);
        }
        let named = self.names.get(&key(base(target))).map(Vec::as_slice).unwrap_or_default();
        nearest(from, &wanted, named).or_else(|| nearest(from, "", self.aliases.get(&wanted).map(Vec::as_slice).unwrap_or_default()))
    }

    /// The attachment that `target` means in the note `from`.
    #[must_use]
    pub fn attachment(&self, from: &str, target: &str) -> Option<&'v str> {
        let target = normal_path(target.trim().trim_start_matches('/'));
        let exact = |path: &str| self.files.get(&path.to_lowercase()).copied();
        if let Some(path) = exact(&target).or_else(|| relative(from, &target).and_then(|path| exact(&path))) {
            return Some(path);
        }
        let setting = &self.vault.settings.attachment_folder;
        let inside = match setting.strip_prefix("./") {
            Some(beside) => format!("{}/{beside}/{target}", folder(from)),
            None => format!("{setting}/{target}"),
        };
        if let Some(path) = exact(inside.trim_start_matches('/')) {
            return Some(path);
        }
        let named = self.file_names.get(&base(&target).to_lowercase()).map(Vec::as_slice).unwrap_or_default();
        nearest(from, &target.to_lowercase(), named)
    }
}

/// `target` seen from the folder of `from`; `None` when it leads out of the vault.
fn relative(from: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder(from).split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Of several candidates: those whose path ends as the target does, then the same folder, then the shortest path.
fn nearest<'v>(from: &str, wanted: &str, candidates: &[&'v str]) -> Option<&'v str> {
    let suffix = wanted.trim_start_matches("../").trim_start_matches("./");
    candidates
        .iter()
        .filter(|path| !suffix.contains('/') || key(path).ends_with(suffix) || path.to_lowercase().ends_with(suffix))
        .min_by_key(|path| (folder(path) != folder(from), path.len(), **path))
        .copied()
}

/// A link's address without percent signs (`Note%20name.md`).
pub(crate) fn decode(url: &str) -> String {
    if !url.contains('%') {
        return url.to_owned();
    }
    let mut bytes = Vec::with_capacity(url.len());
    let mut rest = url.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let code = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (byte, code) {
            (b'%', Some(code)) => {
                bytes.push(code);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).map_or_else(|_| url.to_owned(), |text| text.nfc().collect())
}
