//! Search without an index: slow and simple, for while the index is out of order.

use sqlx::{Error, PgConnection, Row};

use crate::notes::Visibility;
use crate::sql::{sql, unknown};

sql! {
    // Letters are compared as they are: what upper and lower case are depends on the database's locale, and «ё» is written or not.
    FIND = "
        WITH passages AS (
            SELECT c.note, (row_number() OVER (PARTITION BY c.note ORDER BY c.id) - 1)::int AS number,
                translate(concat_ws(' ', n.title, n.needle, array_to_string(c.headings, ' ')), 'ёЁ', 'еЕ') AS head,
                translate(c.text, 'ёЁ', 'еЕ') AS body
            FROM chunks c JOIN notes n ON n.path = c.note WHERE n.visibility <= $4
        ), met AS (
            SELECT note, number, (
                SELECT count(*) FROM unnest($1::text[], $2::text[], $3::text[]) AS w(small, first, large)
                WHERE head || ' ' || body LIKE ANY (ARRAY[w.small, w.first, w.large])
            )::int AS met, (
                SELECT count(*) FROM unnest($1::text[], $2::text[], $3::text[]) AS w(small, first, large)
                WHERE head LIKE ANY (ARRAY[w.small, w.first, w.large])
            )::int AS named
            FROM passages
        )
        SELECT note, number, met, named FROM met WHERE met > 0 ORDER BY met + named DESC, note, number LIMIT $5
    ";
}

/// A passage that has some of the words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Met {
    /// Path of the note.
    pub note: String,
    /// Number of the passage in it, from 0.
    pub number: u32,
    /// How many of the words it has.
    pub met: u32,
    /// How many of them stand in its headings or in the note's names.
    pub named: u32,
}

/// Passages with any of the words' beginnings (`stems`, in lower case), those with most of them first, as far as a reader of this visibility may
/// see them.
///
/// # Errors
/// If the database refuses.
pub async fn find(conn: &mut PgConnection, stems: &[String], visible: Visibility, limit: i64) -> Result<Vec<Met>, Error> {
    let escaped: Vec<String> = stems.iter().map(|stem| stem.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")).collect();
    let patterns = |form: fn(&str) -> String| escaped.iter().map(|stem| format!("%{}%", form(stem))).collect::<Vec<_>>();
    let rows = sqlx::query(FIND)
        .bind(patterns(str::to_owned))
        .bind(patterns(capital))
        .bind(patterns(str::to_uppercase))
        .bind(visible.code())
        .bind(limit)
        .fetch_all(conn)
        .await?;
    let count = |row: &sqlx::postgres::PgRow, column: &'static str| {
        let value: i32 = row.try_get(column)?;
        u32::try_from(value).map_err(|_| unknown(column, value))
    };
    rows.iter()
        .map(|row| {
            Ok(Met { note: row.try_get("note")?, number: count(row, "number")?, met: count(row, "met")?, named: count(row, "named")? })
        })
        .collect()
}

fn capital(stem: &str) -> String {
    let mut letters = stem.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
