//! What the home screen counts, in one statement: it is the screen that is shown most.

use fitter_domain::ids::PersonId;
use sqlx::{Error, PgConnection};

use crate::sql::{count, sql};

sql! {
    COUNTS = "
        SELECT
            (SELECT count(*) FROM (
                SELECT FROM runs WHERE person = $1 AND status IN ('active', 'paused') LIMIT $3
            ) r)::int AS runs,
            (SELECT count(*) FROM (
                SELECT FROM jobs WHERE status <> 'complete' AND ($2 OR technician = $1) LIMIT $3
            ) j)::int AS jobs,
            CASE WHEN $2 THEN (SELECT count(*) FROM (SELECT FROM questions WHERE answer IS NULL LIMIT $3) q) ELSE 0 END::int AS questions,
            CASE WHEN $2 THEN (SELECT count(*) FROM (SELECT FROM faults WHERE closed_at IS NULL LIMIT $3) f) ELSE 0 END::int AS faults
    ";
}

/// What is open; no number is larger than the limit of [`counts`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// The person's walks.
    pub runs: u32,
    /// The person's cards, or everybody's.
    pub jobs: u32,
    /// Questions that nobody has answered.
    pub questions: u32,
    /// Faults that nobody has closed.
    pub faults: u32,
}

/// Counts what is open for a person: everybody's cards, questions and faults if they manage `all`, else only their own cards.
///
/// # Errors
/// If the database refuses.
pub async fn counts(conn: &mut PgConnection, person: PersonId, all: bool, limit: u32) -> Result<Counts, Error> {
    let row = sqlx::query(COUNTS).bind(person.0).bind(all).bind(i64::from(limit)).fetch_one(conn).await?;
    Ok(Counts {
        runs: count(&row, "runs")?,
        jobs: count(&row, "jobs")?,
        questions: count(&row, "questions")?,
        faults: count(&row, "faults")?,
    })
}
