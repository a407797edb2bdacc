//! Walks through procedures.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use fitter_domain::ids::{JobId, PersonId, ProcedureId, RunId};
use fitter_domain::procedure::Procedure;
use fitter_domain::run::{Run, RunState, RunStatus, RunSummary};
use fitter_domain::vehicle::VehicleNumber;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{Error, PgConnection, Row};

use crate::sql::{count, int, named, sql};

sql! {
    CREATE = "
        INSERT INTO runs (person, job, procedure, status, state, step, of, started_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) RETURNING id
    ";
    GET = "
        SELECT r.id, r.person, p.name, r.job, v.kind, v.number, r.procedure, q.body, NOT q.current AS newer, r.state, r.started_at
        FROM runs r JOIN people p ON p.id = r.person JOIN procedures q ON q.id = r.procedure
        LEFT JOIN jobs j ON j.id = r.job LEFT JOIN vehicles v ON v.id = j.vehicle
        WHERE r.id = $1
    ";
    SAVE = "UPDATE runs SET status = $2, state = $3, step = $4, of = $5, updated_at = $6 WHERE id = $1";
    GIVE_UP = "
        UPDATE runs SET status = 'abandoned', state = jsonb_set(state, '{status}', '\"abandoned\"'), updated_at = $2
        WHERE job = $1 AND status IN ('active', 'paused') RETURNING id
    ";
    OPEN_FOR = "
        SELECT id FROM runs WHERE person = $1 AND job = $2 AND procedure = $3 AND status IN ('active', 'paused') ORDER BY id DESC LIMIT 1
    ";
    OPEN_OF = "
        SELECT r.id, q.title, v.kind, v.number, r.step, r.of, r.status
        FROM runs r JOIN procedures q ON q.id = r.procedure LEFT JOIN jobs j ON j.id = r.job LEFT JOIN vehicles v ON v.id = j.vehicle
        WHERE r.person = $1 AND r.status IN ('active', 'paused') ORDER BY r.id DESC LIMIT $2
    ";
}

/// Where a walk stands in lists: place among the shown steps, from 1, and their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The place.
    pub step: u32,
    /// How many are shown.
    pub of: u32,
}

/// Begins a walk. Returns its number; read it by [`get`].
///
/// # Errors
/// If the database refuses.
pub async fn create(
    conn: &mut PgConnection,
    person: PersonId,
    job: Option<JobId>,
    procedure: ProcedureId,
    state: &RunState,
    progress: Progress,
    now: DateTime<Utc>,
) -> Result<RunId, Error> {
    let id = sqlx::query_scalar(CREATE)
        .bind(person.0)
        .bind(job.map(|job| job.0))
        .bind(procedure.0)
        .bind(state.status.name())
        .bind(Json(state))
        .bind(int(progress.step))
        .bind(int(progress.of))
        .bind(now)
        .fetch_one(conn)
        .await?;
    Ok(RunId(id))
}

/// One walk with its procedure.
///
/// # Errors
/// If the database refuses.
pub async fn get(conn: &mut PgConnection, id: RunId) -> Result<Option<Run>, Error> {
    sqlx::query(GET).bind(id.0).fetch_optional(conn).await?.as_ref().map(run).transpose()
}

/// Stores where a walk stands. `false` if there is none of this number.
///
/// # Errors
/// If the database refuses.
pub async fn save_state(
    conn: &mut PgConnection,
    id: RunId,
    state: &RunState,
    progress: Progress,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let saved = sqlx::query(SAVE)
        .bind(id.0)
        .bind(state.status.name())
        .bind(Json(state))
        .bind(int(progress.step))
        .bind(int(progress.of))
        .bind(now)
        .execute(conn)
        .await?;
    Ok(saved.rows_affected() == 1)
}

/// Gives up every open walk of a card; gives their numbers.
///
/// # Errors
/// If the database refuses.
pub async fn give_up_of_job(conn: &mut PgConnection, job: JobId, now: DateTime<Utc>) -> Result<Vec<RunId>, Error> {
    let ids: Vec<i64> = sqlx::query_scalar(GIVE_UP).bind(job.0).bind(now).fetch_all(conn).await?;
    Ok(ids.into_iter().map(RunId).collect())
}

/// The walk of a person through this version for this card that goes on or is put aside, if there is one.
///
/// # Errors
/// If the database refuses.
pub async fn open_for(conn: &mut PgConnection, person: PersonId, job: JobId, procedure: ProcedureId) -> Result<Option<RunId>, Error> {
    let id: Option<i64> = sqlx::query_scalar(OPEN_FOR).bind(person.0).bind(job.0).bind(procedure.0).fetch_optional(conn).await?;
    Ok(id.map(RunId))
}

/// Walks of a person that go on or are put aside, newest first.
///
/// # Errors
/// If the database refuses.
pub async fn open_of(conn: &mut PgConnection, person: PersonId, limit: u32) -> Result<Vec<RunSummary>, Error> {
    sqlx::query(OPEN_OF).bind(person.0).bind(i64::from(limit)).fetch_all(conn).await?.iter().map(summary).collect()
}

fn number(row: &PgRow) -> Result<Option<VehicleNumber>, Error> {
    let (kind, number): (Option<&str>, Option<String>) = (row.try_get("kind")?, row.try_get("number")?);
    Ok(kind.zip(number).map(|(kind, number)| VehicleNumber::from_parts(kind, number)))
}

fn run(row: &PgRow) -> Result<Run, Error> {
    let Json(procedure): Json<Procedure> = row.try_get("body")?;
    let Json(state): Json<RunState> = row.try_get("state")?;
    Ok(Run {
        id: RunId(row.try_get("id")?),
        by: PersonId(row.try_get("person")?),
        by_name: row.try_get("name")?,
        job: row.try_get::<Option<i64>, _>("job")?.map(JobId).zip(number(row)?),
        procedure_id: ProcedureId(row.try_get("procedure")?),
        procedure: Arc::new(procedure),
        newer: row.try_get("newer")?,
        state,
        started: row.try_get("started_at")?,
    })
}

fn summary(row: &PgRow) -> Result<RunSummary, Error> {
    const ALL: [RunStatus; 4] = [RunStatus::Active, RunStatus::Paused, RunStatus::Done, RunStatus::Abandoned];
    Ok(RunSummary {
        id: RunId(row.try_get("id")?),
        title: row.try_get("title")?,
        number: number(row)?,
        step: count(row, "step")?,
        of: count(row, "of")?,
        status: named(row, "status", |name| ALL.into_iter().find(|status| status.name() == name))?,
    })
}
