//! What is known of the files of the vault, of its source, and of what is wrong in it.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{Error, PgConnection, Row};

use crate::notes::Visibility;
use crate::sql::{count, int, sql, unknown};

sql! {
    FILES = "
        SELECT n.path, n.hash, n.aliases, n.visibility, f.stamp, f.content, f.parser, f.refs, f.depends, f.pictures
        FROM notes n LEFT JOIN vault_files f ON f.path = n.path AND f.hash = n.hash
    ";
    PUT_FILES = "
        INSERT INTO vault_files (path, hash, stamp, content, parser, refs, depends, pictures)
        SELECT n.path, n.hash, n.stamp, n.content, n.parser, n.refs, ARRAY(SELECT jsonb_array_elements_text(n.depends)), n.pictures
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::jsonb[], $7::jsonb[], $8::jsonb[])
            AS n(path, hash, stamp, content, parser, refs, depends, pictures)
        ON CONFLICT (path) DO UPDATE SET hash = excluded.hash, stamp = excluded.stamp, content = excluded.content, parser = excluded.parser,
            refs = excluded.refs, depends = excluded.depends, pictures = excluded.pictures
    ";
    CLEAR_PROBLEMS = "DELETE FROM vault_problems WHERE path = ANY ($1::text[]) AND of_note = $2";
    CLEAR_VAULT_PROBLEMS = "DELETE FROM vault_problems WHERE NOT of_note";
    ADD_PROBLEMS = "
        INSERT INTO vault_problems (path, line, severity, what, of_note)
        SELECT n.path, n.line, n.severity, n.what, $5 FROM unnest($1::text[], $2::int[], $3::smallint[], $4::text[])
            WITH ORDINALITY AS n(path, line, severity, what, ord) ORDER BY n.ord
    ";
    PROBLEMS = "
        SELECT path, line, severity, what FROM vault_problems WHERE severity >= $1 ORDER BY severity DESC, path, line, id LIMIT $2
    ";
    COUNT_PROBLEMS = "
        SELECT count(*) FILTER (WHERE severity = 2) AS errors, count(*) FILTER (WHERE severity = 1) AS warnings,
            count(*) FILTER (WHERE severity = 0) AS infos FROM vault_problems
    ";
    STATE = "
        SELECT s.wanted, s.source, s.version, s.settings, s.at, s.error, r.revision FROM vault_sync s, vault_revision r
    ";
    DONE = "UPDATE vault_sync SET source = $1, version = $2, settings = $3, at = $4, error = NULL";
    FOUND = "UPDATE vault_sync SET at = $1, error = NULL";
    FAILED = "UPDATE vault_sync SET error = $1";
    WANT = "UPDATE vault_sync SET wanted = wanted + 1";
    PUSHED = "INSERT INTO vault_pushes (delivery, at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    FORGET_PUSHES = "DELETE FROM vault_pushes WHERE at < $1";
}

/// Repeated deliveries come within hours.
const PUSHES_KEPT: TimeDelta = TimeDelta::days(7);

/// What is known of the file of a note.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileRecord {
    /// Path inside the vault.
    pub path: String,
    /// Hash of the note as it is stored.
    pub hash: String,
    /// What told the file from another state of it, without reading it.
    pub stamp: String,
    /// SHA-256 (hex) of its bytes.
    pub content: String,
    /// Version of the program that read it.
    pub parser: u32,
    /// What its links were asked for, and the answers: from, target, whether a file was meant, found.
    pub references: Vec<(String, String, bool, Option<String>)>,
    /// Notes whose text was looked at.
    pub depends: Vec<String>,
    /// Stamps of its pictures by path.
    pub pictures: BTreeMap<String, String>,
}

/// A stored note with what is known of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFile {
    /// The file; only path and hash if nothing else is known.
    pub file: FileRecord,
    /// Other names of the note.
    pub aliases: Vec<String>,
    /// Who may see the note.
    pub visibility: Visibility,
}

/// How much a problem matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Legal, but perhaps not meant.
    Info,
    /// Something is left out.
    Warning,
    /// The note cannot be used as what it says it is.
    Error,
}

impl Severity {
    const fn code(self) -> i16 {
        match self {
            Self::Info => 0,
            Self::Warning => 1,
            Self::Error => 2,
        }
    }
}

/// A problem in the vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProblemRecord {
    /// Path of the file.
    pub path: String,
    /// Line, from 1.
    pub line: u32,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong, in English.
    pub what: String,
}

/// How many problems there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProblemSums {
    /// Errors.
    pub errors: u32,
    /// Warnings.
    pub warnings: u32,
    /// Remarks, dead links above all.
    pub infos: u32,
}

/// The source of the notes and what was taken from it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// How often somebody wanted the source to be looked at.
    pub wanted: i64,
    /// The source.
    pub source: Option<String>,
    /// Its commit.
    pub version: Option<String>,
    /// Which settings of the vault the notes were read with.
    pub settings: Option<String>,
    /// When the notes were last found to be those of the source.
    pub at: Option<DateTime<Utc>>,
    /// Why the last look failed.
    pub error: Option<String>,
    /// Counts the changes of the notes.
    pub revision: i64,
}

/// All notes with what is known of their files.
///
/// # Errors
/// If the database refuses.
pub async fn files(conn: &mut PgConnection) -> Result<HashMap<String, KnownFile>, Error> {
    sqlx::query(FILES).fetch_all(conn).await?.iter().map(|row| known(row).map(|known| (known.file.path.clone(), known))).collect()
}

fn known(row: &PgRow) -> Result<KnownFile, Error> {
    let mut file = FileRecord { path: row.try_get("path")?, hash: row.try_get("hash")?, ..FileRecord::default() };
    if let Some(stamp) = row.try_get::<Option<String>, _>("stamp")? {
        file.stamp = stamp;
        file.content = row.try_get("content")?;
        file.parser = count(row, "parser")?;
        file.references = row.try_get::<Json<_>, _>("refs")?.0;
        file.depends = row.try_get("depends")?;
        file.pictures = row.try_get::<Json<_>, _>("pictures")?.0;
    }
    Ok(KnownFile { file, aliases: row.try_get("aliases")?, visibility: Visibility::read(row)? })
}

/// Stores what is known of the files of notes that are stored already.
///
/// # Errors
/// If the database refuses.
pub async fn put_files(conn: &mut PgConnection, files: &[FileRecord]) -> Result<(), Error> {
    sqlx::query(PUT_FILES)
        .bind(files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>())
        .bind(files.iter().map(|file| file.hash.as_str()).collect::<Vec<_>>())
        .bind(files.iter().map(|file| file.stamp.as_str()).collect::<Vec<_>>())
        .bind(files.iter().map(|file| file.content.as_str()).collect::<Vec<_>>())
        .bind(files.iter().map(|file| int(file.parser)).collect::<Vec<_>>())
        .bind(files.iter().map(|file| Json(&file.references)).collect::<Vec<_>>())
        .bind(files.iter().map(|file| Json(&file.depends)).collect::<Vec<_>>())
        .bind(files.iter().map(|file| Json(&file.pictures)).collect::<Vec<_>>())
        .execute(conn)
        .await
        .map(drop)
}

/// Puts the problems of notes in place of those that these notes had. Run it in a transaction.
///
/// # Errors
/// If the database refuses.
pub async fn replace_problems(conn: &mut PgConnection, notes: &[String], problems: &[ProblemRecord]) -> Result<(), Error> {
    sqlx::query(CLEAR_PROBLEMS).bind(notes).bind(true).execute(&mut *conn).await?;
    add_problems(conn, problems, true).await
}

/// Puts the problems of the vault itself in place of the former ones. Run it in a transaction.
///
/// # Errors
/// If the database refuses.
pub async fn replace_vault_problems(conn: &mut PgConnection, problems: &[ProblemRecord]) -> Result<(), Error> {
    sqlx::query(CLEAR_VAULT_PROBLEMS).execute(&mut *conn).await?;
    add_problems(conn, problems, false).await
}

async fn add_problems(conn: &mut PgConnection, problems: &[ProblemRecord], of_note: bool) -> Result<(), Error> {
    if problems.is_empty() {
        return Ok(());
    }
    sqlx::query(ADD_PROBLEMS)
        .bind(problems.iter().map(|problem| problem.path.as_str()).collect::<Vec<_>>())
        .bind(problems.iter().map(|problem| int(problem.line)).collect::<Vec<_>>())
        .bind(problems.iter().map(|problem| problem.severity.code()).collect::<Vec<_>>())
        .bind(problems.iter().map(|problem| problem.what.as_str()).collect::<Vec<_>>())
        .bind(of_note)
        .execute(conn)
        .await
        .map(drop)
}

/// Problems that matter at least so much: the worst first, then by path and line; at most `limit`.
///
/// # Errors
/// If the database refuses.
pub async fn problems(conn: &mut PgConnection, least: Severity, limit: u32) -> Result<Vec<ProblemRecord>, Error> {
    sqlx::query(PROBLEMS).bind(least.code()).bind(i64::from(limit)).fetch_all(conn).await?.iter().map(problem).collect()
}

fn problem(row: &PgRow) -> Result<ProblemRecord, Error> {
    let code: i16 = row.try_get("severity")?;
    let severity = [Severity::Info, Severity::Warning, Severity::Error].into_iter().find(|severity| severity.code() == code);
    Ok(ProblemRecord {
        path: row.try_get("path")?,
        line: count(row, "line")?,
        severity: severity.ok_or_else(|| unknown("severity", code))?,
        what: row.try_get("what")?,
    })
}

/// How many problems there are.
///
/// # Errors
/// If the database refuses.
pub async fn count_problems(conn: &mut PgConnection) -> Result<ProblemSums, Error> {
    let row = sqlx::query(COUNT_PROBLEMS).fetch_one(conn).await?;
    let sum = |column: &str| row.try_get::<i64, _>(column).map(|sum| u32::try_from(sum).unwrap_or(u32::MAX));
    Ok(ProblemSums { errors: sum("errors")?, warnings: sum("warnings")?, infos: sum("infos")? })
}

/// The source of the notes and what was taken from it.
///
/// # Errors
/// If the database refuses.
pub async fn state(conn: &mut PgConnection) -> Result<State, Error> {
    let row = sqlx::query(STATE).fetch_one(conn).await?;
    Ok(State {
        wanted: row.try_get("wanted")?,
        source: row.try_get("source")?,
        version: row.try_get("version")?,
        settings: row.try_get("settings")?,
        at: row.try_get("at")?,
        error: row.try_get("error")?,
        revision: row.try_get("revision")?,
    })
}

/// The notes are those of the source now.
///
/// # Errors
/// If the database refuses.
pub async fn done(conn: &mut PgConnection, source: &str, version: Option<&str>, settings: &str, at: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query(DONE).bind(source).bind(version).bind(settings).bind(at).execute(conn).await.map(drop)
}

/// The source was looked at, and the notes are still those of it.
///
/// # Errors
/// If the database refuses.
pub async fn found(conn: &mut PgConnection, at: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query(FOUND).bind(at).execute(conn).await.map(drop)
}

/// The source could not be looked at, or the notes could not be read.
///
/// # Errors
/// If the database refuses.
pub async fn failed(conn: &mut PgConnection, error: &str) -> Result<(), Error> {
    sqlx::query(FAILED).bind(error).execute(conn).await.map(drop)
}

/// Asks whoever keeps the notes in line with their source to look at it soon.
///
/// # Errors
/// If the database refuses.
pub async fn want(conn: &mut PgConnection) -> Result<(), Error> {
    sqlx::query(WANT).execute(conn).await.map(drop)
}

/// Notes down that a push was told of; `false` if it was told of before. Run it in a transaction.
///
/// # Errors
/// If the database refuses.
pub async fn pushed(conn: &mut PgConnection, delivery: &str, at: DateTime<Utc>) -> Result<bool, Error> {
    sqlx::query(FORGET_PUSHES).bind(at - PUSHES_KEPT).execute(&mut *conn).await?;
    Ok(sqlx::query(PUSHED).bind(delivery).bind(at).execute(conn).await?.rows_affected() > 0)
}
