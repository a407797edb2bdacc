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
        INSERT INTO notes (path, hash, title, aliases, tags, lang, visibility, kind, modified, links, needle, terms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        ON CONFLICT (path) DO UPDATE SET hash = excluded.hash, title = excluded.title, aliases = excluded.aliases, tags = excluded.tags,
            lang = excluded.lang, visibility = excluded.visibility, kind = excluded.kind, modified = excluded.modified, links = excluded.links,
            needle = excluded.needle, terms = excluded.terms
    ";
    CLEAR = "DELETE FROM chunks WHERE note = $1";
    ADD = "
        INSERT INTO chunks (note, headings, start_line, end_line, body, text, images)
        SELECT $1, ARRAY(SELECT jsonb_array_elements_text(n.headings)), n.start_line, n.end_line, n.body, n.text,
            ARRAY(SELECT jsonb_array_elements_text(n.images))
        FROM unnest($2::jsonb[], $3::int[], $4::int[], $5::jsonb[], $6::text[], $7::jsonb[])
            WITH ORDINALITY AS n(headings, start_line, end_line, body, text, images, ord) ORDER BY n.ord
    ";
    DELETE = "DELETE FROM notes WHERE path = $1";
    GET = "SELECT path, hash, title, aliases, tags, lang, visibility, kind, modified, links, terms FROM notes WHERE path = $1";
    ALL = "SELECT path, hash, title, aliases, tags, lang, visibility, kind, modified, links, terms FROM notes ORDER BY path";
    ALL_CHUNKS = "SELECT id, note, headings, start_line, end_line, body, text, images FROM chunks ORDER BY note, id";
    CHUNKS_OF = "
        SELECT id, note, headings, start_line, end_line, body, text, images FROM chunks WHERE note = ANY ($1::text[]) ORDER BY note, id
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
    let needle = std::iter::once(&note.title).chain(&note.aliases).map(|name| name.to_lowercase()).collect::<Vec<_>>().join("\n");
    sqlx::query(PUT)
        .bind(&note.path)
        .bind(&note.hash)
        .bind(&note.title)
        .bind(&note.aliases)
        .bind(&note.tags)
        .bind(&note.lang)
        .bind(note.visibility.code())
        .bind(&note.kind)
        .bind(note.modified)
        .bind(&note.links)
        .bind(needle)
        .bind(Json(&note.terms))
        .execute(&mut *conn)
        .await?;
    sqlx::query(CLEAR).bind(&note.path).execute(&mut *conn).await?;
    // Arrays of arrays have to be rectangular in PostgreSQL, so lists travel as JSON.
    sqlx::query(ADD)
        .bind(&note.path)
        .bind(chunks.iter().map(|chunk| Json(&chunk.headings)).collect::<Vec<_>>())
        .bind(chunks.iter().map(|chunk| int(chunk.start_line)).collect::<Vec<_>>())
        .bind(chunks.iter().map(|chunk| int(chunk.end_line)).collect::<Vec<_>>())
        .bind(chunks.iter().map(|chunk| Json(&chunk.body)).collect::<Vec<_>>())
        .bind(chunks.iter().map(|chunk| chunk.text.as_str()).collect::<Vec<_>>())
        .bind(chunks.iter().map(|chunk| Json(&chunk.images)).collect::<Vec<_>>())
        .execute(&mut *conn)
        .await?;
    sqlx::query(BUMP).execute(conn).await.map(drop)
}

/// Removes a note and its passages. `false` if there was none. Run it in a transaction.
///
/// # Errors
/// If the database refuses.
pub async fn delete_note(conn: &mut PgConnection, path: &str) -> Result<bool, Error> {
    if sqlx::query(DELETE).bind(path).execute(&mut *conn).await?.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query(BUMP).execute(conn).await?;
    Ok(true)
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
        },
    })
}
