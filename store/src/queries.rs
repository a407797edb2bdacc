//! Searches that were made, so that their hits can be opened later.

use chrono::{DateTime, Utc};
use fitter_domain::ids::{PersonId, QueryId};
use fitter_domain::passage::Passage;
use sqlx::types::Json;
use sqlx::{Error, PgConnection, Row};

use crate::sql::sql;

sql! {
    CREATE = "INSERT INTO queries (person, text, hits, at) VALUES ($1, $2, $3, $4) RETURNING id";
    GET = "SELECT id, person, text, hits, at FROM queries WHERE id = $1";
    FORGET = "DELETE FROM queries WHERE at < $1";
}

/// A search.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Its number.
    pub id: QueryId,
    /// Who asked.
    pub person: PersonId,
    /// Their words.
    pub text: String,
    /// What was found, best first.
    pub hits: Vec<Passage>,
    /// When.
    pub at: DateTime<Utc>,
}

/// Stores a search.
///
/// # Errors
/// If the database refuses.
pub async fn create(conn: &mut PgConnection, person: PersonId, text: &str, hits: &[Passage], now: DateTime<Utc>) -> Result<QueryId, Error> {
    Ok(QueryId(sqlx::query_scalar(CREATE).bind(person.0).bind(text).bind(Json(hits)).bind(now).fetch_one(conn).await?))
}

/// One search; `None` also if it was forgotten.
///
/// # Errors
/// If the database refuses.
pub async fn get(conn: &mut PgConnection, id: QueryId) -> Result<Option<Query>, Error> {
    let row = sqlx::query(GET).bind(id.0).fetch_optional(conn).await?;
    row.map(|row| {
        let Json(hits) = row.try_get("hits")?;
        Ok(Query {
            id: QueryId(row.try_get("id")?),
            person: PersonId(row.try_get("person")?),
            text: row.try_get("text")?,
            hits,
            at: row.try_get("at")?,
        })
    })
    .transpose()
}

/// Forgets searches older than `before`. Returns how many.
///
/// # Errors
/// If the database refuses.
pub async fn forget(conn: &mut PgConnection, before: DateTime<Utc>) -> Result<u64, Error> {
    Ok(sqlx::query(FORGET).bind(before).execute(conn).await?.rows_affected())
}
