//! Faults met at work.

use chrono::{DateTime, Utc};
use fitter_domain::ids::{FaultId, JobId, PersonId, RunId};
use fitter_domain::ticket::Fault;
use sqlx::postgres::PgRow;
use sqlx::{Error, PgConnection, Row};

use crate::sql::sql;

sql! {
    CREATE = "
        INSERT INTO faults (by, by_name, job, run, step, note, photos, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        RETURNING id, by, by_name, job, run, step, note, photos, at, closed_at
    ";
    GET = "SELECT id, by, by_name, job, run, step, note, photos, at, closed_at FROM faults WHERE id = $1";
    OPEN = "
        SELECT id, by, by_name, job, run, step, note, photos, at, closed_at FROM faults WHERE closed_at IS NULL ORDER BY id DESC LIMIT $1
    ";
    CLOSE = "UPDATE faults SET closed_by = $2, closed_at = $3 WHERE id = $1 AND closed_at IS NULL";
}

/// What is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewFault<'a> {
    /// Who reports it.
    pub by: PersonId,
    /// Their name now.
    pub by_name: &'a str,
    /// The job it was met on.
    pub job: Option<JobId>,
    /// The walk it was met in.
    pub run: Option<RunId>,
    /// Title of the step.
    pub step: Option<&'a str>,
    /// Their words.
    pub note: &'a str,
    /// Telegram file ids.
    pub photos: &'a [String],
}

/// Stores a report.
///
/// # Errors
/// If the database refuses.
pub async fn create(conn: &mut PgConnection, new: &NewFault<'_>, now: DateTime<Utc>) -> Result<Fault, Error> {
    let row = sqlx::query(CREATE)
        .bind(new.by.0)
        .bind(new.by_name)
        .bind(new.job.map(|job| job.0))
        .bind(new.run.map(|run| run.0))
        .bind(new.step)
        .bind(new.note)
        .bind(new.photos)
        .bind(now)
        .fetch_one(conn)
        .await?;
    fault(&row)
}

/// One fault.
///
/// # Errors
/// If the database refuses.
pub async fn get(conn: &mut PgConnection, id: FaultId) -> Result<Option<Fault>, Error> {
    sqlx::query(GET).bind(id.0).fetch_optional(conn).await?.as_ref().map(fault).transpose()
}

/// Faults that are not closed, newest first.
///
/// # Errors
/// If the database refuses.
pub async fn open(conn: &mut PgConnection, limit: u32) -> Result<Vec<Fault>, Error> {
    sqlx::query(OPEN).bind(i64::from(limit)).fetch_all(conn).await?.iter().map(fault).collect()
}

/// Closes a fault. `false` if it was closed before or does not exist.
///
/// # Errors
/// If the database refuses.
pub async fn close(conn: &mut PgConnection, id: FaultId, by: PersonId, now: DateTime<Utc>) -> Result<bool, Error> {
    Ok(sqlx::query(CLOSE).bind(id.0).bind(by.0).bind(now).execute(conn).await?.rows_affected() == 1)
}

fn fault(row: &PgRow) -> Result<Fault, Error> {
    Ok(Fault {
        id: FaultId(row.try_get("id")?),
        by: PersonId(row.try_get("by")?),
        by_name: row.try_get("by_name")?,
        job: row.try_get::<Option<i64>, _>("job")?.map(JobId),
        run: row.try_get::<Option<i64>, _>("run")?.map(RunId),
        step: row.try_get("step")?,
        note: row.try_get("note")?,
        photos: row.try_get("photos")?,
        at: row.try_get("at")?,
        closed: row.try_get::<Option<DateTime<Utc>>, _>("closed_at")?.is_some(),
    })
}
