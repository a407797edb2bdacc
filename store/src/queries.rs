//! Searches that were made, so that their hits can be opened later.

use chrono::{DateTime, Utc};
use fitter_domain::ids::{PersonId, QueryId};
use fitter_domain::passage::Passage;
use sqlx::types::Json;
use sqlx::{Error, PgConnection, Row};

use crate::sql::{int, sql};

sql! {
    CREATE = "
        INSERT INTO queries (person, text, context, hits, at, revision)
        VALUES ($1, $2, $3, $4, $5, (SELECT revision FROM vault_revision)) RETURNING id
    ";
    GET = "SELECT id, person, text, context, hits, at, revision FROM queries WHERE id = $1";
    RECENT = "SELECT text FROM queries WHERE person = $1 AND at > $2 ORDER BY id DESC LIMIT $3";
    JUDGE = "
        INSERT INTO feedback (query, person, place, good, at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (query, person) DO UPDATE SET place = excluded.place, good = excluded.good, at = excluded.at
    ";
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
    /// The earlier question that it goes on from.
    pub context: Option<String>,
    /// What was found, best first.
    pub hits: Vec<Passage>,
    /// When.
    pub at: DateTime<Utc>,
    /// The version of the notes that were searched.
    pub revision: i64,
}

impl Query {
    /// The words with what they go on from, for somebody who did not see the conversation.
    #[must_use]
    pub fn whole(&self) -> String {
        whole(self.context.as_deref(), &self.text)
    }
}

/// The words of a question with what they go on from.
#[must_use]
pub fn whole(context: Option<&str>, text: &str) -> String {
    context.map_or_else(|| text.to_owned(), |context| format!("{context} → {text}"))
}

/// A search to be stored.
#[derive(Debug, Clone, Copy)]
pub struct NewQuery<'a> {
    /// Who asked.
    pub person: PersonId,
    /// Their words.
    pub text: &'a str,
    /// The earlier question that it goes on from.
    pub context: Option<&'a str>,
    /// What was found, best first.
    pub hits: &'a [Passage],
}

/// Stores a search with the version of the notes.
///
/// # Errors
/// If the database refuses.
pub async fn create(conn: &mut PgConnection, new: &NewQuery<'_>, now: DateTime<Utc>) -> Result<QueryId, Error> {
    let created = sqlx::query_scalar(CREATE).bind(new.person.0).bind(new.text).bind(new.context).bind(Json(new.hits)).bind(now);
    Ok(QueryId(created.fetch_one(conn).await?))
}

/// What a person asked since a time, the newest first.
///
/// # Errors
/// If the database refuses.
pub async fn recent(conn: &mut PgConnection, person: PersonId, since: DateTime<Utc>, limit: u32) -> Result<Vec<String>, Error> {
    sqlx::query_scalar(RECENT).bind(person.0).bind(since).bind(i64::from(limit)).fetch_all(conn).await
}

/// Keeps what a person thinks of the hit at this place: once per search and person, it can be changed.
///
/// # Errors
/// If the database refuses.
pub async fn judge(
    conn: &mut PgConnection,
    query: QueryId,
    person: PersonId,
    place: u32,
    good: bool,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query(JUDGE).bind(query.0).bind(person.0).bind(int(place)).bind(good).bind(now).execute(conn).await.map(drop)
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
            context: row.try_get("context")?,
            hits,
            at: row.try_get("at")?,
            revision: row.try_get("revision")?,
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
