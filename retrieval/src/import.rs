//! What changed in a vault since the last import.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde::Serialize;

use crate::CHUNKER_VERSION;
use crate::links::{LinkIndex, Reference};
use crate::meta::Visibility;
use crate::note::{self, Parsed};
use crate::problem::{Problem, Severity};
use crate::vault::Vault;

/// What is stored of a note from the last import: enough to know, without reading its file, whether it reads as before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// [`Parsed::hash`].
    pub hash: String,
    /// Stamp of its file.
    pub stamp: String,
    /// [`Parsed::content`].
    pub content: String,
    /// [`CHUNKER_VERSION`] of the program that read it.
    pub parser: u32,
    /// Its other names.
    pub aliases: Vec<String>,
    /// Who may see it.
    pub visibility: Visibility,
    /// [`Parsed::references`].
    pub references: Vec<Reference>,
    /// [`Parsed::depends`].
    pub depends: Vec<String>,
    /// Stamps of its pictures, by path.
    pub pictures: BTreeMap<String, String>,
}

/// The difference between what is known and what lies in the vault.
#[derive(Debug)]
pub struct Import {
    /// Notes that are new or read differently than before; a note counts when a note it embeds or a picture of it changed.
    pub changed: Vec<Parsed>,
    /// Notes that were read again and are as they were, but for their problems and what they depend on.
    pub checked: Vec<Parsed>,
    /// Paths that are gone.
    pub removed: Vec<String>,
    /// Of [`Import::removed`] and [`Import::changed`]: old and new path of notes that were only renamed.
    pub renamed: Vec<(String, String)>,
    /// Problems of the vault itself and of the notes that were read, by path and line.
    pub problems: Vec<Problem>,
    /// Sums of what was read.
    pub counts: Counts,
}

/// Sums for the editors' report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Notes in the vault.
    pub notes: usize,
    /// Passages of those that were read.
    pub chunks: usize,
    /// Those of them that can be walked through.
    pub procedures: usize,
    /// Files that are no notes.
    pub attachments: usize,
    /// Notes that were not read, because nothing that they depend on has changed.
    pub unread: usize,
    /// Links of those that were read, to notes and files of the vault.
    pub links: usize,
    /// Of these, links that lead nowhere.
    pub unresolved: usize,
    /// Problems that keep a note from being what it says it is.
    pub errors: usize,
    /// Problems that leave something out.
    pub warnings: usize,
}

impl Import {
    /// Stamps of a note's pictures, by path.
    #[must_use]
    pub fn pictures(note: &Parsed, vault: &Vault) -> BTreeMap<String, String> {
        let stamp = |path: &String| Some((path.clone(), vault.attachments.get(path)?.stamp.clone()));
        note.images.iter().filter_map(stamp).collect()
    }
}

/// Compares a vault with what is known of it. Only notes that something has changed for are read: their file, what they embed, where their
/// links lead, their pictures, or this program. `told` hears now and then how many of how many are read.
#[must_use]
pub fn plan(known: &HashMap<String, Known>, vault: &Vault, told: &(dyn Fn(usize, usize) + Sync)) -> Import {
    // The file changed, or the program. Whether its words did is known when it is read.
    let moved = |path: &str, stamp: &str| known.get(path).is_none_or(|old| old.stamp != stamp || old.parser != CHUNKER_VERSION);
    let mut due: HashSet<&str> =
        vault.notes.iter().filter(|(path, entry)| moved(path, &entry.stamp)).map(|(path, _)| path.as_str()).collect();
    let aliases: HashMap<&str, Vec<String>> =
        known.iter().filter(|(path, _)| !due.contains(path.as_str())).map(|(path, old)| (path.as_str(), old.aliases.clone())).collect();
    let links = LinkIndex::with_aliases(vault, &aliases);
    let gone = known.keys().filter(|path| !vault.notes.contains_key(*path)).map(String::as_str);
    let stirred: HashSet<&str> = due.iter().copied().chain(gone).collect();
    for path in vault.notes.keys().filter(|path| !stirred.contains(path.as_str())) {
        let Some(old) = known.get(path) else { continue };
        let picture = |(path, stamp): (&String, &String)| vault.attachments.get(path).is_none_or(|now| now.stamp != *stamp);
        if old.depends.iter().any(|note| stirred.contains(note.as_str()))
            || old.pictures.iter().any(picture)
            || !old.references.iter().all(|reference| links.still(path, reference))
        {
            due.insert(path);
        }
    }
    let mut due: Vec<&str> = due.into_iter().collect();
    due.sort_unstable();
    let notes = parse(&due, &links, told);
    let mut import = Import {
        changed: Vec::new(),
        checked: Vec::new(),
        removed: known.keys().filter(|path| !vault.notes.contains_key(*path)).cloned().collect(),
        renamed: Vec::new(),
        problems: vault.problems.clone(),
        counts: Counts {
            notes: vault.notes.len(),
            attachments: vault.attachments.len(),
            unread: vault.notes.len() - notes.len(),
            ..Counts::default()
        },
    };
    let mut visibility: HashMap<String, Visibility> = known.iter().map(|(path, old)| (path.clone(), old.visibility)).collect();
    visibility.extend(notes.iter().map(|note| (note.path.clone(), note.meta.visibility)));
    for mut parsed in notes {
        hide_with_embeds(&mut parsed, &visibility);
        import.count(&parsed);
        if known.get(&parsed.path).is_some_and(|old| old.hash == parsed.hash) {
            import.checked.push(parsed);
        } else {
            import.changed.push(parsed);
        }
    }
    import.removed.sort();
    import.find_renamed(known);
    import.problems.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    import.counts.errors = import.problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    import.counts.warnings = import.problems.iter().filter(|problem| problem.severity == Severity::Warning).count();
    import
}

/// So many notes are read between two words about it.
const TOLD: usize = 100;

/// Reads notes on all cores.
fn parse(due: &[&str], links: &LinkIndex<'_>, told: &(dyn Fn(usize, usize) + Sync)) -> Vec<Parsed> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut read = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(path) = due.get(at) else { return read };
            // Gone since it was listed; the next import finds out.
            let Some(bytes) = links.source(path) else { continue };
            read.push(note::parse(path, &bytes, links));
            if (at + 1).is_multiple_of(TOLD) {
                told(at + 1, due.len());
            }
        }
    };
    let hands = thread::available_parallelism().map_or(1, NonZero::get).min(due.len().div_ceil(TOLD)).max(1);
    let mut notes = thread::scope(|scope| {
        let others: Vec<_> = (1..hands).map(|_| scope.spawn(work)).collect();
        let mut notes = work();
        for other in others {
            // A note that makes the parser panic is caught there; what is lost here is read the next time.
            notes.extend(other.join().unwrap_or_default());
        }
        notes
    });
    notes.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    notes
}

impl Import {
    fn count(&mut self, parsed: &Parsed) {
        self.problems.extend(parsed.problems.iter().cloned());
        self.counts.chunks += parsed.chunks.len();
        self.counts.procedures += usize::from(parsed.procedure.is_some());
        self.counts.links += parsed.targets;
        self.counts.unresolved += parsed.unresolved.len();
    }

    fn find_renamed(&mut self, known: &HashMap<String, Known>) {
        let mut fresh: HashMap<&str, Vec<&str>> = HashMap::new();
        for note in self.changed.iter().rev().filter(|note| !known.contains_key(&note.path)) {
            fresh.entry(&note.content).or_default().push(&note.path);
        }
        let mut renamed = Vec::new();
        for old in &self.removed {
            let same = known.get(old).and_then(|known| fresh.get_mut(known.content.as_str()));
            if let Some(new) = same.and_then(Vec::pop) {
                renamed.push((old.clone(), new.to_owned()));
            }
        }
        self.renamed = renamed;
    }
}

/// A note is seen by nobody who may not see what it embeds: the embedded text stands in its passages.
fn hide_with_embeds(note: &mut Parsed, visibility: &HashMap<String, Visibility>) {
    let strictest = note.embeds.iter().filter_map(|path| Some((*visibility.get(path)?, path))).max();
    if let Some((strictest, path)) = strictest.filter(|(strictest, _)| *strictest > note.meta.visibility) {
        let what = format!("embeds `{path}`, which is {}; so this note is too, not {}", strictest.code(), note.meta.visibility.code());
        note.problems.push(Problem { path: note.path.clone(), line: 1, severity: Severity::Warning, what });
        note.meta.visibility = strictest;
    }
}
