//! Searches that were no help: what the notes lack.

use chrono::{DateTime, Utc};
use fitter_domain::ids::{PersonId, QueryId};
use sqlx::{Error, PgConnection, Row};

use crate::sql::sql;

sql! {
    NOTE = "
        INSERT INTO gaps (query, person, text, why, at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (query) DO UPDATE SET why = excluded.why WHERE gaps.closed_at IS NULL AND gaps.why <> 'asked'
    ";
    FORGIVE = "DELETE FROM gaps WHERE query = $1 AND why = 'disliked' AND closed_at IS NULL";
    OPEN = "
        SELECT g.query, g.person, p.name, g.text FROM gaps g JOIN people p ON p.id = g.person
        WHERE g.closed_at IS NULL ORDER BY g.query DESC LIMIT $1
    ";
    CLOSE = "UPDATE gaps SET closed_by = $2, closed_at = $3 WHERE query = ANY ($1::bigint[]) AND closed_at IS NULL";
}

/// Why a search was no help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Nothing was found.
    Unanswered,
    /// It was not it.
    Disliked,
    /// A human was asked.
    Asked,
}

impl Why {
    const fn code(self) -> &'static str {
        match self {
            Self::Unanswered => "unanswered",
            Self::Disliked => "disliked",
            Self::Asked => "asked",
        }
    }
}

/// A search that was no help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The search.
    pub query: QueryId,
    /// Who asked.
    pub person: PersonId,
    /// Their name now.
    pub name: String,
    /// Their words.
    pub text: String,
}

/// Notes that a search was no help, once.
///
/// # Errors
/// If the database refuses.
pub async fn note(
    conn: &mut PgConnection,
    query: QueryId,
    person: PersonId,
    text: &str,
    why: Why,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query(NOTE).bind(query.0).bind(person.0).bind(text).bind(why.code()).bind(now).execute(conn).await.map(drop)
}

/// It was it after all.
///
/// # Errors
/// If the database refuses.
pub async fn forgive(conn: &mut PgConnection, query: QueryId) -> Result<(), Error> {
    sqlx::query(FORGIVE).bind(query.0).execute(conn).await.map(drop)
}

/// The newest searches that were no help and that nobody has closed; the oldest of them first.
///
/// # Errors
/// If the database refuses.
pub async fn open(conn: &mut PgConnection, limit: u32) -> Result<Vec<Gap>, Error> {
    let rows = sqlx::query(OPEN).bind(i64::from(limit)).fetch_all(conn).await?;
    rows.iter()
        .rev()
        .map(|row| {
            Ok(Gap {
                query: QueryId(row.try_get("query")?),
                person: PersonId(row.try_get("person")?),
                name: row.try_get("name")?,
                text: row.try_get("text")?,
            })
        })
        .collect()
}

/// Closes them: they are answered, or the notes have it.
///
/// # Errors
/// If the database refuses.
pub async fn close(conn: &mut PgConnection, queries: &[QueryId], by: PersonId, now: DateTime<Utc>) -> Result<(), Error> {
    let queries: Vec<i64> = queries.iter().map(|query| query.0).collect();
    sqlx::query(CLOSE).bind(queries).bind(by.0).bind(now).execute(conn).await.map(drop)
}
