//! Photos of cards and walks.

use chrono::{DateTime, Utc};
use fitter_domain::ids::{BotId, JobId, PersonId, RunId};
use sqlx::postgres::PgRow;
use sqlx::{Error, PgConnection, Row};

use crate::sql::sql;

sql! {
    ADD = "
        INSERT INTO photos (job, run, step, caption, bot, file_id, unique_id, size, by, at)
        SELECT $1, $2, $3, $10, $4, n.file_id, n.unique_id, n.size, $5, $6
        FROM unnest($7::text[], $8::text[], $9::bigint[]) WITH ORDINALITY AS n(file_id, unique_id, size, ord) ORDER BY n.ord
    ";
    PLACE = "UPDATE photos SET step = $2 WHERE run = $1 AND step IS NULL AND file_id = ANY ($3)";
    OF_JOB = "SELECT job, run, step, caption, bot, file_id, unique_id, size, by, at FROM photos WHERE job = $1 ORDER BY id";
    OF_RUN = "SELECT job, run, step, caption, bot, file_id, unique_id, size, by, at FROM photos WHERE run = $1 ORDER BY id";
}

/// A photo as Telegram describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPhoto {
    /// To send or fetch it by the bot that got it.
    pub file_id: String,
    /// The same for the same file everywhere.
    pub unique_id: String,
    /// Bytes, 0 if unknown.
    pub size: u64,
}

/// What photos belong to: a card, a walk, or a walk of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The card.
    pub job: Option<JobId>,
    /// The walk.
    pub run: Option<RunId>,
    /// Title of the step.
    pub step: Option<&'a str>,
    /// What was written under them.
    pub caption: Option<&'a str>,
    /// The bot that got them.
    pub bot: BotId,
    /// Who sent them.
    pub by: PersonId,
}

/// A photo as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Photo {
    /// The card it stands on.
    pub job: Option<JobId>,
    /// The walk it is evidence of.
    pub run: Option<RunId>,
    /// Title of the step.
    pub step: Option<String>,
    /// What was written under it.
    pub caption: Option<String>,
    /// The bot whose `file_id` it is.
    pub bot: BotId,
    /// What Telegram says of it.
    pub file: NewPhoto,
    /// Who sent it.
    pub by: PersonId,
    /// When.
    pub at: DateTime<Utc>,
}

/// Stores photos in the order given.
///
/// # Errors
/// If the database refuses, also when they belong neither to a card nor to a walk.
pub async fn add_photos(conn: &mut PgConnection, origin: &Origin<'_>, photos: &[NewPhoto], at: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query(ADD)
        .bind(origin.job.map(|job| job.0))
        .bind(origin.run.map(|run| run.0))
        .bind(origin.step)
        .bind(origin.bot.0)
        .bind(origin.by.0)
        .bind(at)
        .bind(photos.iter().map(|photo| photo.file_id.as_str()).collect::<Vec<_>>())
        .bind(photos.iter().map(|photo| photo.unique_id.as_str()).collect::<Vec<_>>())
        .bind(photos.iter().map(|photo| i64::try_from(photo.size).unwrap_or(i64::MAX)).collect::<Vec<_>>())
        .bind(origin.caption)
        .execute(conn)
        .await
        .map(drop)
}

/// Tells the step of photos of a walk that have none yet.
///
/// # Errors
/// If the database refuses.
pub async fn place(conn: &mut PgConnection, run: RunId, step: &str, files: &[String]) -> Result<(), Error> {
    sqlx::query(PLACE).bind(run.0).bind(step).bind(files).execute(conn).await.map(drop)
}

/// Photos of a card, in the order in which they came.
///
/// # Errors
/// If the database refuses.
pub async fn of_job(conn: &mut PgConnection, job: JobId) -> Result<Vec<Photo>, Error> {
    sqlx::query(OF_JOB).bind(job.0).fetch_all(conn).await?.iter().map(photo).collect()
}

/// Photos of a walk, in the order in which they came.
///
/// # Errors
/// If the database refuses.
pub async fn of_run(conn: &mut PgConnection, run: RunId) -> Result<Vec<Photo>, Error> {
    sqlx::query(OF_RUN).bind(run.0).fetch_all(conn).await?.iter().map(photo).collect()
}

fn photo(row: &PgRow) -> Result<Photo, Error> {
    Ok(Photo {
        job: row.try_get::<Option<i64>, _>("job")?.map(JobId),
        run: row.try_get::<Option<i64>, _>("run")?.map(RunId),
        step: row.try_get("step")?,
        caption: row.try_get("caption")?,
        bot: BotId(row.try_get("bot")?),
        file: NewPhoto {
            file_id: row.try_get("file_id")?,
            unique_id: row.try_get("unique_id")?,
            size: u64::try_from(row.try_get::<i64, _>("size")?).unwrap_or_default(),
        },
        by: PersonId(row.try_get("by")?),
        at: row.try_get("at")?,
    })
}
