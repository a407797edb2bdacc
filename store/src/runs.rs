//! Walks through procedures.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use fitter_domain::ids::{JobId, PersonId, ProcedureId, RunId};
use fitter_domain::procedure::Procedure;
use fitter_domain::run::{Run, RunState, RunStatus, RunSummary};
use fitter_domain::vehicle::VehicleNumber;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{Error, PgConnection, Row};

use crate::procedures::Bodies;
use crate::sql::{count, int, named, sql};

sql! {
    CREATE = "
        INSERT INTO runs (person, job, procedure, status, state, step, of, started_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) RETURNING id
    ";
    GET = "
        SELECT r.id, r.person, p.name, r.job, v.kind, v.number, r.procedure, q.xmin::text::bigint AS form, NOT q.current AS newer, r.state, r.started_at
        FROM runs r JOIN people p ON p.id = r.person JOIN procedures q ON q.id = r.procedure
        LEFT JOIN jobs j ON j.id = r.job LEFT JOIN vehicles v ON v.id = j.vehicle
        WHERE r.id = ANY ($1::bigint[])
    ";
    SAVE = "
        UPDATE runs r SET status = n.status, state = n.state::jsonb, step = n.step, of = n.of, updated_at = $6
        FROM unnest($1::bigint[], $2::text[], $3::text[], $4::int[], $5::int[]) AS n(id, status, state, step, of) WHERE r.id = n.id
    ";
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
pub async fn get(conn: &mut PgConnection, bodies: &Bodies, id: RunId) -> Result<Option<Run>, Error> {
    Ok(get_many(conn, bodies, &[id]).await?.remove(&id))
}

/// Several walks with their procedures; those that do not exist are not among them.
///
/// # Errors
/// If the database refuses.
pub async fn get_many(conn: &mut PgConnection, bodies: &Bodies, ids: &[RunId]) -> Result<HashMap<RunId, Run>, Error> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query(GET).bind(ids).fetch_all(&mut *conn).await?;
    let form = |row: &PgRow| Ok((ProcedureId(row.try_get("procedure")?), row.try_get("form")?));
    let forms = rows.iter().map(form).collect::<Result<Vec<_>, Error>>()?;
    let procedures = bodies.of(conn, &forms).await?;
    let mut runs = HashMap::with_capacity(rows.len());
    for (row, (procedure, _)) in rows.iter().zip(forms) {
        if let Some(procedure) = procedures.get(&procedure) {
            let run = run(row, Arc::clone(procedure))?;
            runs.insert(run.id, run);
        }
    }
    Ok(runs)
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
    save_many(conn, &[Save { run: id, state: state.clone(), progress }], now).await.map(|saved| saved == 1)
}

/// Where a walk stands, to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Save {
    /// Which walk.
    pub run: RunId,
    /// Where it stands.
    pub state: RunState,
    /// The same for lists.
    pub progress: Progress,
}

/// [`save_state`] for several walks, none twice. Returns how many there are of these numbers.
///
/// # Errors
/// If the database refuses.
pub async fn save_many(conn: &mut PgConnection, saves: &[Save], now: DateTime<Utc>) -> Result<u64, Error> {
    let json = |save: &Save| serde_json::to_string(&save.state).map_err(|error| Error::Encode(Box::new(error)));
    let states = saves.iter().map(json).collect::<Result<Vec<_>, _>>()?;
    let saved = sqlx::query(SAVE)
        .bind(saves.iter().map(|save| save.run.0).collect::<Vec<_>>())
        .bind(saves.iter().map(|save| save.state.status.name()).collect::<Vec<_>>())
        .bind(states)
        .bind(saves.iter().map(|save| int(save.progress.step)).collect::<Vec<_>>())
        .bind(saves.iter().map(|save| int(save.progress.of)).collect::<Vec<_>>())
        .bind(now)
        .execute(conn)
        .await?;
    Ok(saved.rows_affected())
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

fn run(row: &PgRow, procedure: Arc<Procedure>) -> Result<Run, Error> {
    let Json(state): Json<RunState> = row.try_get("state")?;
    Ok(Run {
        id: RunId(row.try_get("id")?),
        by: PersonId(row.try_get("person")?),
        by_name: row.try_get("name")?,
        job: row.try_get::<Option<i64>, _>("job")?.map(JobId).zip(number(row)?),
        procedure_id: ProcedureId(row.try_get("procedure")?),
        procedure,
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
