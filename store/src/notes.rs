//! The vault: notes and their passages.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use fitter_domain::ids::ChunkId;
use fitter_domain::rich::Rich;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{Error, PgConnection, Row};

use crate::sql::{count, int, sql, unknown};

sql! {
    KNOWN = "SELECT path, hash FROM notes";
    PUT = "
        INSERT INTO notes (path, hash, title, aliases, tags, lang, visibility, kind, modified, links, needle, terms, author)
        SELECT n.path, n.hash, n.title, ARRAY(SELECT jsonb_array_elements_text(n.aliases)), ARRAY(SELECT jsonb_array_elements_text(n.tags)),
            n.lang, n.visibility, n.kind, n.modified, ARRAY(SELECT jsonb_array_elements_text(n.links)), n.needle, n.terms, n.author
        FROM unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::jsonb[], $6::text[], $7::smallint[], $8::text[],
            $9::timestamptz[], $10::jsonb[], $11::text[], $12::jsonb[], $13::text[])
            AS n(path, hash, title, aliases, tags, lang, visibility, kind, modified, links, needle, terms, author)
        ON CONFLICT (path) DO UPDATE SET hash = excluded.hash, title = excluded.title, aliases = excluded.aliases, tags = excluded.tags,
            lang = excluded.lang, visibility = excluded.visibility, kind = excluded.kind, modified = excluded.modified, links = excluded.links,
            needle = excluded.needle, terms = excluded.terms, author = excluded.author
    ";
    CLEAR = "DELETE FROM chunks WHERE note = ANY ($1::text[])";
    ADD = "
        INSERT INTO chunks (note, headings, start_line, end_line, body, text, images, links)
        SELECT n.note, ARRAY(SELECT jsonb_array_elements_text(n.headings)), n.start_line, n.end_line, n.body, n.text,
            ARRAY(SELECT jsonb_array_elements_text(n.images)), ARRAY(SELECT jsonb_array_elements_text(n.links))
        FROM unnest($1::text[], $2::jsonb[], $3::int[], $4::int[], $5::jsonb[], $6::text[], $7::jsonb[], $8::jsonb[])
            WITH ORDINALITY AS n(note, headings, start_line, end_line, body, text, images, links, ord) ORDER BY n.ord
    ";
    DELETE = "DELETE FROM notes WHERE path = ANY ($1::text[])";
    GET = "SELECT path, hash, title, aliases, tags, lang, visibility, kind, modified, links, terms, author FROM notes WHERE path = $1";
    ALL = "SELECT path, hash, title, aliases, tags, lang, visibility, kind, modified, links, terms, author FROM notes ORDER BY path";
    SOME = "
        SELECT path, hash, title, aliases, tags, lang, visibility, kind, modified, links, terms, author FROM notes
        WHERE path = ANY ($1::text[]) ORDER BY path
    ";
    ALL_CHUNKS = "SELECT id, note, headings, start_line, end_line, body, text, images, links FROM chunks ORDER BY note, id";
    CHUNKS_OF = "
        SELECT id, note, headings, start_line, end_line, body, text, images, links FROM chunks WHERE note = ANY ($1::text[]) ORDER BY note, id
    ";
    ALL_TEXTS = "SELECT note, headings, text FROM chunks ORDER BY note, id";
    TEXTS_OF = "SELECT note, headings, text FROM chunks WHERE note = ANY ($1::text[]) ORDER BY note, id";
    SUMS = "
        SELECT (SELECT count(*) FROM notes) AS notes, (SELECT count(*) FROM chunks) AS chunks,
            (SELECT count(*) FROM procedures WHERE current) AS procedures
    ";
    BUMP = "UPDATE vault_revision SET revision = revision + 1";
    REVISION = "SELECT revision FROM vault_revision";
}

/// Who may see a note. Ordered: a reader who may see one of these may see those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Visibility {
    /// Clients too.
    Public,
    /// People of the company.
    Staff,
    /// Editors only.
    Draft,
}

impl Visibility {
    pub(crate) const fn code(self) -> i16 {
        match self {
            Self::Public => 0,
            Self::Staff => 1,
            Self::Draft => 2,
        }
    }

    pub(crate) fn read(row: &PgRow) -> Result<Self, Error> {
        let code: i16 = row.try_get("visibility")?;
        [Self::Public, Self::Staff, Self::Draft]
            .into_iter()
            .find(|visibility| visibility.code() == code)
            .ok_or_else(|| unknown("visibility", code))
    }
}

/// A note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteRecord {
    /// Path inside the vault, with `/` and extension.
    pub path: String,
    /// Hash of the file's bytes.
    pub hash: String,
    /// Its title.
    pub title: String,
    /// Its other names.
    pub aliases: Vec<String>,
    /// Its tags without `#`.
    pub tags: Vec<String>,
    /// ISO 639-1 code of its language.
    pub lang: Option<String>,
    /// Who may see it.
    pub visibility: Visibility,
    /// `note`, `procedure`, `glossary`, …
    pub kind: String,
    /// When the file was changed.
    pub modified: DateTime<Utc>,
    /// Paths of the notes it links to.
    pub links: Vec<String>,
    /// Jargon and meaning, if it is a glossary.
    pub terms: Vec<(String, String)>,
    /// Who changed it last, if that is known.
    pub author: Option<String>,
}

/// A passage of a note, to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkRecord {
    /// Headings from the outermost to its own.
    pub headings: Vec<String>,
    /// First line in the file, from 1.
    pub start_line: u32,
    /// Last line, inclusive.
    pub end_line: u32,
    /// For people.
    pub body: Rich,
    /// For search.
    pub text: String,
    /// SHA-256 (hex) of the pictures.
    pub images: Vec<String>,
    /// Notes and files that it leads to, by path, with the `#part` of the link.
    pub links: Vec<String>,
}

/// A passage as it is searched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkText {
    /// Path of its note.
    pub note: String,
    /// Headings from the outermost to its own.
    pub headings: Vec<String>,
    /// Its text for search.
    pub text: String,
}

/// How much there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// Notes.
    pub notes: u64,
    /// Their passages.
    pub chunks: u64,
    /// Procedures that are offered.
    pub procedures: u64,
}

/// A passage as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredChunk {
    /// Its number; a changed note gets new ones.
    pub id: ChunkId,
    /// Path of its note.
    pub note: String,
    /// The passage.
    pub chunk: ChunkRecord,
}

/// Hashes of all notes by path.
///
/// # Errors
/// If the database refuses.
pub async fn known(conn: &mut PgConnection) -> Result<HashMap<String, String>, Error> {
    sqlx::query(KNOWN).fetch_all(conn).await?.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Stores a note and its passages in place of what was stored of it. Run it in a transaction.
///
/// # Errors
/// If the database refuses.
pub async fn replace_note(conn: &mut PgConnection, note: &NoteRecord, chunks: &[ChunkRecord]) -> Result<(), Error> {
    replace_notes(conn, &[(note.clone(), chunks.to_vec())]).await
}

/// Stores notes, each path once, and their passages in place of what was stored of them. Run it in a transaction.
///
/// # Errors
/// If the database refuses.
pub async fn replace_notes(conn: &mut PgConnection, notes: &[(NoteRecord, Vec<ChunkRecord>)]) -> Result<(), Error> {
    // First, so that those who write at the same time wait for each other here and nowhere else.
    sqlx::query(BUMP).execute(&mut *conn).await?;
    let needle = |note: &NoteRecord| {
        std::iter::once(&note.title).chain(&note.aliases).map(|name| name.to_lowercase()).collect::<Vec<_>>().join("\n")
    };
    let records = || notes.iter().map(|(note, _)| note);
    let paths: Vec<&str> = records().map(|note| note.path.as_str()).collect();
    // Arrays of arrays have to be rectangular in PostgreSQL, so lists travel as JSON.
    sqlx::query(PUT)
        .bind(&paths)
        .bind(records().map(|note| note.hash.as_str()).collect::<Vec<_>>())
        .bind(records().map(|note| note.title.as_str()).collect::<Vec<_>>())
        .bind(records().map(|note| Json(&note.aliases)).collect::<Vec<_>>())
        .bind(records().map(|note| Json(&note.tags)).collect::<Vec<_>>())
        .bind(records().map(|note| note.lang.as_deref()).collect::<Vec<_>>())
        .bind(records().map(|note| note.visibility.code()).collect::<Vec<_>>())
        .bind(records().map(|note| note.kind.as_str()).collect::<Vec<_>>())
        .bind(records().map(|note| note.modified).collect::<Vec<_>>())
        .bind(records().map(|note| Json(&note.links)).collect::<Vec<_>>())
        .bind(records().map(needle).collect::<Vec<_>>())
        .bind(records().map(|note| Json(&note.terms)).collect::<Vec<_>>())
        .bind(records().map(|note| note.author.as_deref()).collect::<Vec<_>>())
        .execute(&mut *conn)
        .await?;
    sqlx::query(CLEAR).bind(&paths).execute(&mut *conn).await?;
    let chunks = || notes.iter().flat_map(|(note, chunks)| chunks.iter().map(move |chunk| (note.path.as_str(), chunk)));
    sqlx::query(ADD)
        .bind(chunks().map(|(note, _)| note).collect::<Vec<_>>())
        .bind(chunks().map(|(_, chunk)| Json(&chunk.headings)).collect::<Vec<_>>())
        .bind(chunks().map(|(_, chunk)| int(chunk.start_line)).collect::<Vec<_>>())
        .bind(chunks().map(|(_, chunk)| int(chunk.end_line)).collect::<Vec<_>>())
        .bind(chunks().map(|(_, chunk)| Json(&chunk.body)).collect::<Vec<_>>())
        .bind(chunks().map(|(_, chunk)| chunk.text.as_str()).collect::<Vec<_>>())
        .bind(chunks().map(|(_, chunk)| Json(&chunk.images)).collect::<Vec<_>>())
        .bind(chunks().map(|(_, chunk)| Json(&chunk.links)).collect::<Vec<_>>())
        .execute(conn)
        .await
        .map(drop)
}

/// Removes notes and their passages; how many there were. Run it in a transaction.
///
/// # Errors
/// If the database refuses.
pub async fn delete_notes(conn: &mut PgConnection, paths: &[String]) -> Result<u64, Error> {
    let removed = sqlx::query(DELETE).bind(paths).execute(&mut *conn).await?.rows_affected();
    if removed > 0 {
        sqlx::query(BUMP).execute(conn).await?;
    }
    Ok(removed)
}

/// How much there is.
///
/// # Errors
/// If the database refuses.
pub async fn sums(conn: &mut PgConnection) -> Result<Sums, Error> {
    let row = sqlx::query(SUMS).fetch_one(conn).await?;
    let sum = |column: &str| row.try_get::<i64, _>(column).map(|sum| u64::try_from(sum).unwrap_or(0));
    Ok(Sums { notes: sum("notes")?, chunks: sum("chunks")?, procedures: sum("procedures")? })
}

/// One note.
///
/// # Errors
/// If the database refuses.
pub async fn get(conn: &mut PgConnection, path: &str) -> Result<Option<NoteRecord>, Error> {
    sqlx::query(GET).bind(path).fetch_optional(conn).await?.as_ref().map(note).transpose()
}

/// All notes by path.
///
/// # Errors
/// If the database refuses.
pub async fn all(conn: &mut PgConnection) -> Result<Vec<NoteRecord>, Error> {
    sqlx::query(ALL).fetch_all(conn).await?.iter().map(note).collect()
}

/// Some notes, by path; those that do not exist are left out.
///
/// # Errors
/// If the database refuses.
pub async fn some(conn: &mut PgConnection, paths: &[String]) -> Result<Vec<NoteRecord>, Error> {
    sqlx::query(SOME).bind(paths).fetch_all(conn).await?.iter().map(note).collect()
}

/// All passages, by note and in the order of the note.
///
/// # Errors
/// If the database refuses.
pub async fn all_chunks(conn: &mut PgConnection) -> Result<Vec<StoredChunk>, Error> {
    sqlx::query(ALL_CHUNKS).fetch_all(conn).await?.iter().map(chunk).collect()
}

/// Passages of some notes.
///
/// # Errors
/// If the database refuses.
pub async fn chunks_of(conn: &mut PgConnection, notes: &[String]) -> Result<Vec<StoredChunk>, Error> {
    sqlx::query(CHUNKS_OF).bind(notes).fetch_all(conn).await?.iter().map(chunk).collect()
}

/// What is searched of all passages, by note and in the order of the note; with `notes`, of these notes.
///
/// # Errors
/// If the database refuses.
pub async fn texts(conn: &mut PgConnection, notes: Option<&[String]>) -> Result<Vec<ChunkText>, Error> {
    let query = match notes {
        Some(notes) => sqlx::query(TEXTS_OF).bind(notes),
        None => sqlx::query(ALL_TEXTS),
    };
    let text = |row: &PgRow| Ok(ChunkText { note: row.try_get("note")?, headings: row.try_get("headings")?, text: row.try_get("text")? });
    query.fetch_all(conn).await?.iter().map(text).collect()
}

/// Counts the changes of the vault: an index made at another number is behind.
///
/// # Errors
/// If the database refuses.
pub async fn revision(conn: &mut PgConnection) -> Result<i64, Error> {
    sqlx::query_scalar(REVISION).fetch_one(conn).await
}

fn note(row: &PgRow) -> Result<NoteRecord, Error> {
    Ok(NoteRecord {
        path: row.try_get("path")?,
        hash: row.try_get("hash")?,
        title: row.try_get("title")?,
        aliases: row.try_get("aliases")?,
        tags: row.try_get("tags")?,
        lang: row.try_get("lang")?,
        visibility: Visibility::read(row)?,
        kind: row.try_get("kind")?,
        modified: row.try_get("modified")?,
        links: row.try_get("links")?,
        terms: row.try_get::<Json<_>, _>("terms")?.0,
        author: row.try_get("author")?,
    })
}

fn chunk(row: &PgRow) -> Result<StoredChunk, Error> {
    let Json(body) = row.try_get("body")?;
    Ok(StoredChunk {
        id: ChunkId(row.try_get("id")?),
        note: row.try_get("note")?,
        chunk: ChunkRecord {
            headings: row.try_get("headings")?,
            start_line: count(row, "start_line")?,
            end_line: count(row, "end_line")?,
            body,
            text: row.try_get("text")?,
            images: row.try_get("images")?,
            links: row.try_get("links")?,
        },
    })
}
