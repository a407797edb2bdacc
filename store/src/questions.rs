//! Questions to a human, answered once.

use chrono::{DateTime, Utc};
use fitter_domain::ids::{PersonId, QueryId, QuestionId};
use fitter_domain::ticket::Question;
use sqlx::postgres::PgRow;
use sqlx::{Error, PgConnection, Row};

use crate::sql::sql;

sql! {
    CREATE = "
        INSERT INTO questions (by, by_name, text, tried, at, query) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (query) DO NOTHING
        RETURNING id, by, by_name, text, tried, answer
    ";
    OF_QUERY = "SELECT id, by, by_name, text, tried, answer FROM questions WHERE query = $1";
    GET = "SELECT id, by, by_name, text, tried, answer FROM questions WHERE id = $1";
    OPEN = "SELECT id, by, by_name, text, tried, answer FROM questions WHERE answer IS NULL ORDER BY id LIMIT $1";
    SEARCH = "SELECT query FROM questions WHERE id = $1";
    OPEN_OF = "
        SELECT id, by, by_name, text, tried, answer FROM questions WHERE query = ANY ($1::bigint[]) AND answer IS NULL ORDER BY id
    ";
    ANSWER = "
        UPDATE questions SET answer = $3, answered_by = $2, answered_at = $4 WHERE id = $1 AND answer IS NULL
        RETURNING id, by, by_name, text, tried, answer
    ";
}

/// What came of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// It is the answer.
    Now(Question),
    /// Somebody had answered before; the question has their answer.
    Already(Question),
}

/// Stores a question with the search whose sources did not help; `false` if this search was asked about before, with that question.
///
/// # Errors
/// If the database refuses.
pub async fn create(
    conn: &mut PgConnection,
    query: QueryId,
    by: PersonId,
    by_name: &str,
    text: &str,
    tried: &[String],
    now: DateTime<Utc>,
) -> Result<(Question, bool), Error> {
    let made = sqlx::query(CREATE).bind(by.0).bind(by_name).bind(text).bind(tried).bind(now).bind(query.0);
    match made.fetch_optional(&mut *conn).await? {
        Some(row) => Ok((question(&row)?, true)),
        None => Ok((question(&sqlx::query(OF_QUERY).bind(query.0).fetch_one(conn).await?)?, false)),
    }
}

/// One question.
///
/// # Errors
/// If the database refuses.
pub async fn get(conn: &mut PgConnection, id: QuestionId) -> Result<Option<Question>, Error> {
    sqlx::query(GET).bind(id.0).fetch_optional(conn).await?.as_ref().map(question).transpose()
}

/// Questions without an answer, oldest first.
///
/// # Errors
/// If the database refuses.
pub async fn open(conn: &mut PgConnection, limit: u32) -> Result<Vec<Question>, Error> {
    sqlx::query(OPEN).bind(i64::from(limit)).fetch_all(conn).await?.iter().map(question).collect()
}

/// The search that a question came from.
///
/// # Errors
/// If the database refuses.
pub async fn search_of(conn: &mut PgConnection, id: QuestionId) -> Result<Option<QueryId>, Error> {
    let query: Option<Option<i64>> = sqlx::query_scalar(SEARCH).bind(id.0).fetch_optional(conn).await?;
    Ok(query.flatten().map(QueryId))
}

/// Questions without an answer that came from these searches, oldest first.
///
/// # Errors
/// If the database refuses.
pub async fn open_of(conn: &mut PgConnection, queries: &[QueryId]) -> Result<Vec<Question>, Error> {
    let queries: Vec<i64> = queries.iter().map(|query| query.0).collect();
    sqlx::query(OPEN_OF).bind(queries).fetch_all(conn).await?.iter().map(question).collect()
}

/// Answers a question if nobody has; `None` if it does not exist.
///
/// # Errors
/// If the database refuses.
pub async fn answer(
    conn: &mut PgConnection,
    id: QuestionId,
    by: PersonId,
    text: &str,
    now: DateTime<Utc>,
) -> Result<Option<Answered>, Error> {
    let answered = sqlx::query(ANSWER).bind(id.0).bind(by.0).bind(text).bind(now).fetch_optional(&mut *conn).await?;
    match answered {
        Some(row) => Ok(Some(Answered::Now(question(&row)?))),
        None => Ok(get(conn, id).await?.map(Answered::Already)),
    }
}

fn question(row: &PgRow) -> Result<Question, Error> {
    Ok(Question {
        id: QuestionId(row.try_get("id")?),
        by: PersonId(row.try_get("by")?),
        by_name: row.try_get("by_name")?,
        text: row.try_get("text")?,
        tried: row.try_get("tried")?,
        answer: row.try_get("answer")?,
    })
}
