//! Parsed notes as rows, and rows as what an import has to know.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use fitter_retrieval::CHUNKER_VERSION;
use fitter_retrieval::import::{Import, Known};
use fitter_retrieval::links::Reference;
use fitter_retrieval::note::Parsed;
use fitter_retrieval::problem::{self, Problem};
use fitter_retrieval::vault::Vault;
use fitter_store::notes::{ChunkRecord, NoteRecord};
use fitter_store::vault::{self as stored, FileRecord, KnownFile, ProblemRecord};
use fitter_store::{Error, PgConnection};

use super::git::Changed;

/// What is known of the stored notes.
pub(super) fn known(files: HashMap<String, KnownFile>) -> HashMap<String, Known> {
    let known = |KnownFile { file, aliases, visibility }| Known {
        hash: file.hash,
        stamp: file.stamp,
        content: file.content,
        parser: file.parser,
        aliases,
        visibility: crate::search::read(visibility),
        references: file.references.into_iter().map(|(from, target, file, found)| Reference(from, target, file, found)).collect(),
        depends: file.depends,
        pictures: file.pictures,
    };
    files.into_iter().map(|(path, file)| (path, known(file))).collect()
}

/// Stores what is known of the files of notes, and what is wrong in these notes.
pub(super) async fn put_files(conn: &mut PgConnection, notes: &[Parsed], vault: &Vault) -> Result<(), Error> {
    let files: Vec<FileRecord> = notes.iter().map(|note| file(note, vault)).collect();
    stored::put_files(conn, &files).await?;
    let paths: Vec<String> = notes.iter().map(|note| note.path.clone()).collect();
    let wrong: Vec<ProblemRecord> = notes.iter().flat_map(|note| problems(&note.problems)).collect();
    stored::replace_problems(conn, &paths, &wrong).await
}

fn file(note: &Parsed, vault: &Vault) -> FileRecord {
    FileRecord {
        path: note.path.clone(),
        hash: note.hash.clone(),
        stamp: vault.notes.get(&note.path).map(|entry| entry.stamp.clone()).unwrap_or_default(),
        content: note.content.clone(),
        parser: CHUNKER_VERSION,
        references: note.references.iter().cloned().map(|Reference(from, target, file, found)| (from, target, file, found)).collect(),
        depends: note.depends.clone(),
        pictures: Import::pictures(note, vault),
    }
}

/// Problems as they are stored.
pub(super) fn problems(problems: &[Problem]) -> Vec<ProblemRecord> {
    let severity = |severity| match severity {
        problem::Severity::Info => stored::Severity::Info,
        problem::Severity::Warning => stored::Severity::Warning,
        problem::Severity::Error => stored::Severity::Error,
    };
    let record = |problem: &Problem| ProblemRecord {
        path: problem.path.clone(),
        line: problem.line,
        severity: severity(problem.severity),
        what: problem.what.clone(),
    };
    problems.iter().map(record).collect()
}

/// Who changed a note last, and when: as git tells, else the note itself, else its file.
pub(super) fn written(
    note: &Parsed,
    vault: &Vault,
    changed: &HashMap<String, Changed>,
    now: DateTime<Utc>,
) -> (Option<String>, DateTime<Utc>) {
    if let Some((author, at)) = changed.get(&note.path) {
        return (Some(author.clone()), *at);
    }
    let says = note.meta.updated.as_deref().and_then(date);
    let file = || vault.notes.get(&note.path).and_then(|entry| entry.modified).map(DateTime::from);
    (note.meta.author.clone(), says.or_else(file).unwrap_or(now))
}

/// `2026-11-20`, or that with a time.
fn date(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.to_utc());
    }
    let day = text.get(..10).and_then(|day| NaiveDate::parse_from_str(day, "%Y-%m-%d").ok())?;
    Some(day.and_hms_opt(0, 0, 0)?.and_utc())
}

/// A note and its passages as they are stored.
pub(super) fn record(
    note: &Parsed,
    blobs: &HashMap<String, String>,
    (author, modified): (Option<String>, DateTime<Utc>),
) -> (NoteRecord, Vec<ChunkRecord>) {
    let meta = &note.meta;
    let record = NoteRecord {
        path: note.path.clone(),
        hash: note.hash.clone(),
        title: meta.title.clone(),
        aliases: meta.aliases.clone(),
        tags: meta.tags.iter().chain(&meta.devices).cloned().collect(),
        lang: Some(meta.locale.code().to_owned()),
        visibility: crate::search::stored(meta.visibility),
        kind: crate::search::kind(meta.kind).to_owned(),
        modified,
        links: note.links.clone(),
        terms: note.terms.clone(),
        author,
    };
    let chunks = note
        .chunks
        .iter()
        .map(|chunk| ChunkRecord {
            headings: chunk.headings.clone(),
            start_line: chunk.start_line,
            end_line: chunk.end_line,
            body: chunk.body.clone(),
            text: chunk.text.clone(),
            images: chunk.images.iter().filter_map(|path| blobs.get(path)).cloned().collect(),
            links: chunk.links.clone(),
        })
        .collect();
    (record, chunks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_as_people_write_them() {
        for (text, at) in [
            ("2026-11-20", Some("2026-11-20T00:00:00+00:00")),
            ("2026-11-20T10:00", Some("2026-11-20T00:00:00+00:00")),
            ("2026-11-20T10:00:00+05:00", Some("2026-11-20T05:00:00+00:00")),
            ("вчера, до обеда", None),
            ("20.11.2026", None),
        ] {
            assert_eq!(date(text).map(|at| at.to_rfc3339()).as_deref(), at, "{text}");
        }
    }
}
