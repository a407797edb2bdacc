//! Finds what a link means, as Obsidian does.

use std::collections::{BTreeSet, HashMap};
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

use crate::markdown::Block;
use crate::meta::Meta;
use crate::problem::Problems;
use crate::vault::{Settings, Vault, normal_path};
use crate::{embed, markdown, meta};

/// Where links lead. Borrows the vault, because embeds need the text of other notes.
///
/// It remembers what it was asked: what a note says depends on its bytes and on these answers.
#[derive(Debug)]
pub struct LinkIndex<'v> {
    names: Arc<Names<'v>>,
    asked: Mutex<Asked>,
}

#[derive(Debug, Default)]
struct Asked {
    references: BTreeSet<Reference>,
    depends: BTreeSet<String>,
}

/// What was asked about a link, and the answer: `(from, target, file, found)`.
///
/// `from` is empty for the note itself, else the note that it embeds; `file` tells whether an attachment was looked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Reference(pub String, pub String, pub bool, pub Option<String>);

/// The names in a vault, and what was read of it.
#[derive(Debug)]
struct Names<'v> {
    vault: &'v Vault,
    paths: HashMap<String, &'v str>,
    names: HashMap<String, Vec<&'v str>>,
    aliases: HashMap<String, Vec<&'v str>>,
    files: HashMap<String, &'v str>,
    file_names: HashMap<String, Vec<&'v str>>,
    bytes: Mutex<HashMap<String, Arc<[u8]>>>,
    hashes: Mutex<HashMap<String, [u8; 32]>>,
    blocks: Mutex<HashMap<String, Arc<Vec<Block>>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
    /// Indexes the names and aliases of a vault; reads all its notes.
    #[must_use]
    pub fn new(vault: &'v Vault) -> Self {
        Self::with_aliases(vault, &HashMap::<_, Vec<String>>::new())
    }

    /// Indexes the names of a vault; reads only the notes whose other names are not known.
    #[must_use]
    pub fn with_aliases<S: BuildHasher>(vault: &'v Vault, known: &HashMap<&str, Vec<String>, S>) -> Self {
        let mut index = Names {
            vault,
            paths: HashMap::new(),
            names: HashMap::new(),
            aliases: HashMap::new(),
            files: HashMap::new(),
            file_names: HashMap::new(),
            bytes: Mutex::default(),
            hashes: Mutex::default(),
            blocks: Mutex::default(),
        };
        for path in vault.notes.keys() {
            index.paths.insert(key(path), path);
            index.names.entry(key(base(path))).or_default().push(path);
            let read = || index.source(path).map(|bytes| Meta::aliases_of(&bytes)).unwrap_or_default();
            for alias in known.get(path.as_str()).cloned().unwrap_or_else(read) {
                index.aliases.entry(key(&alias)).or_default().push(path);
            }
        }
        for path in vault.attachments.keys() {
            index.files.insert(path.to_lowercase(), path);
            index.file_names.entry(base(path).to_lowercase()).or_default().push(path);
        }
        Self { names: Arc::new(index), asked: Mutex::default() }
    }

    /// The same names, asked nothing yet.
    #[must_use]
    pub(crate) fn fresh(&self) -> Self {
        Self { names: Arc::clone(&self.names), asked: Mutex::default() }
    }

    /// What was asked so far, and the notes whose text was looked at.
    pub(crate) fn asked(&self) -> (Vec<Reference>, Vec<String>) {
        let mut asked = lock(&self.asked);
        let Asked { references, depends } = std::mem::take(&mut *asked);
        (references.into_iter().collect(), depends.into_iter().collect())
    }

    /// Whether a link of the note `path` still leads where it did.
    #[must_use]
    pub fn still(&self, path: &str, reference: &Reference) -> bool {
        let Reference(from, target, file, found) = reference;
        let from = if from.is_empty() { path } else { from };
        let now = if *file { self.names.attachment(from, target) } else { self.names.note(from, target) };
        now == found.as_deref()
    }

    /// The vault's settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.names.vault.settings
    }

    /// The bytes of a note, read once.
    #[must_use]
    pub fn source(&self, path: &str) -> Option<Arc<[u8]>> {
        self.names.source(path)
    }

    /// The blocks of a note without what it embeds, parsed once. Whoever asks depends on its text.
    pub(crate) fn blocks(&self, path: &str) -> Option<Arc<Vec<Block>>> {
        lock(&self.asked).depends.insert(path.to_owned());
        if let Some(known) = lock(&self.names.blocks).get(path) {
            return Some(Arc::clone(known));
        }
        let source = markdown::source(&self.source(path)?)?;
        let mut quiet = Problems::new(path);
        let blocks = if crate::canvas::is_canvas(path) {
            crate::canvas::blocks(&source, self.settings().strict_line_breaks, &mut quiet)
        } else {
            let text = crate::excalidraw::words(path, &meta::split(&source));
            markdown::parse(&text, self.settings().strict_line_breaks, &mut quiet)
        };
        let blocks = Arc::new(blocks);
        lock(&self.names.blocks).insert(path.to_owned(), Arc::clone(&blocks));
        Some(blocks)
    }

    /// Whether the note at `path` has the heading, the chain of headings or the block behind `#`.
    pub(crate) fn has_part(&self, path: &str, part: &str) -> bool {
        self.blocks(path).is_some_and(|blocks| embed::part_of(blocks.to_vec(), part).is_some())
    }

    /// SHA-256 of an attachment's bytes; of nothing when it cannot be read. Each file is read once.
    pub(crate) fn file_hash(&self, path: &str) -> [u8; 32] {
        *lock(&self.names.hashes).entry(path.to_owned()).or_insert_with(|| {
            let bytes = self.names.vault.attachments.get(path).and_then(|file| file.read().ok());
            Sha256::digest(bytes.as_deref().unwrap_or_default()).into()
        })
    }

    /// The note that `target` (no `#…`, no alias) means in the note `from`; an empty target is `from` itself.
    ///
    /// Exact path, then path relative to `from`, then name regardless of case, then alias; of several the one in the same folder, then
    /// the one with the shortest path.
    #[must_use]
    pub fn note(&self, from: &str, target: &str) -> Option<&'v str> {
        let found = self.names.note(from, target);
        self.remember(from, target, false, found);
        found
    }

    /// The attachment that `target` means in the note `from`.
    #[must_use]
    pub fn attachment(&self, from: &str, target: &str) -> Option<&'v str> {
        let found = self.names.attachment(from, target);
        self.remember(from, target, true, found);
        found
    }

    fn remember(&self, from: &str, target: &str, file: bool, found: Option<&str>) {
        let reference = Reference(from.to_owned(), target.to_owned(), file, found.map(str::to_owned));
        lock(&self.asked).references.insert(reference);
    }
}

impl<'v> Names<'v> {
    fn source(&self, path: &str) -> Option<Arc<[u8]>> {
        if let Some(known) = lock(&self.bytes).get(path) {
            return Some(Arc::clone(known));
        }
        let bytes = self.vault.bytes(path)?;
        lock(&self.bytes).insert(path.to_owned(), Arc::clone(&bytes));
        Some(bytes)
    }

    fn note(&self, from: &str, target: &str) -> Option<&'v str> {
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

    fn attachment(&self, from: &str, target: &str) -> Option<&'v str> {
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
        .filter(|path| !suffix.contains('/') || ends_with(&key(path), suffix) || ends_with(&path.to_lowercase(), suffix))
        .min_by_key(|path| (folder(path) != folder(from), path.len(), **path))
        .copied()
}

/// Whether a path ends with whole parts of `suffix`.
fn ends_with(path: &str, suffix: &str) -> bool {
    path.strip_suffix(suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
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
