//! Repair cards.

use chrono::{DateTime, Utc};
use fitter_domain::ids::{JobId, PersonId, RunId, VehicleId};
use fitter_domain::job::{Job, JobStatus};
use fitter_domain::vehicle::VehicleNumber;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{Error, PgConnection, Row};

use crate::sql::{named, sql, unknown};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT j.id, j.vehicle, v.kind, v.number, j.technician, p.name, j.status, j.created_at,
                (SELECT count(*) FROM photos f WHERE f.job = j.id) AS photos,
                (SELECT coalesce(jsonb_agg(jsonb_build_array(r.id, q.title, r.status = 'done') ORDER BY r.id), '[]')
                    FROM runs r JOIN procedures q ON q.id = r.procedure WHERE r.job = j.id AND r.status <> 'abandoned') AS runs
            FROM jobs j JOIN vehicles v ON v.id = j.vehicle JOIN people p ON p.id = j.technician ",
            $rest
        )
    };
}

sql! {
    CREATE = "INSERT INTO jobs (vehicle, technician, status, created_at, updated_at) VALUES ($1, $2, 'open', $3, $3) RETURNING id";
    GET = select!("WHERE j.id = $1");
    OPEN_OF = select!("WHERE j.technician = $1 AND j.status <> 'complete' ORDER BY j.id DESC LIMIT $2");
    ALL_OPEN = select!("WHERE j.status <> 'complete' ORDER BY j.id DESC LIMIT $1");
    HISTORY = select!("WHERE j.vehicle = $1 ORDER BY j.id DESC LIMIT $2");
    OPEN_FOR = select!("WHERE j.technician = $1 AND j.vehicle = $2 AND j.status <> 'complete' ORDER BY j.id DESC LIMIT 1");
    SET_STATUS = "UPDATE jobs SET status = $2, updated_at = $3 WHERE id = $1";
}

/// Makes an open card. Returns its number; read it by [`get`].
///
/// # Errors
/// If the database refuses.
pub async fn create(conn: &mut PgConnection, vehicle: VehicleId, technician: PersonId, now: DateTime<Utc>) -> Result<JobId, Error> {
    Ok(JobId(sqlx::query_scalar(CREATE).bind(vehicle.0).bind(technician.0).bind(now).fetch_one(conn).await?))
}

/// One card.
///
/// # Errors
/// If the database refuses.
pub async fn get(conn: &mut PgConnection, id: JobId) -> Result<Option<Job>, Error> {
    sqlx::query(GET).bind(id.0).fetch_optional(conn).await?.as_ref().map(job).transpose()
}

/// Cards of a person that are not complete, newest first.
///
/// # Errors
/// If the database refuses.
pub async fn open_of(conn: &mut PgConnection, person: PersonId, limit: u32) -> Result<Vec<Job>, Error> {
    sqlx::query(OPEN_OF).bind(person.0).bind(i64::from(limit)).fetch_all(conn).await?.iter().map(job).collect()
}

/// Everybody's cards that are not complete, newest first.
///
/// # Errors
/// If the database refuses.
pub async fn all_open(conn: &mut PgConnection, limit: u32) -> Result<Vec<Job>, Error> {
    sqlx::query(ALL_OPEN).bind(i64::from(limit)).fetch_all(conn).await?.iter().map(job).collect()
}

/// All cards of a vehicle, newest first.
///
/// # Errors
/// If the database refuses.
pub async fn history(conn: &mut PgConnection, vehicle: VehicleId, limit: u32) -> Result<Vec<Job>, Error> {
    sqlx::query(HISTORY).bind(vehicle.0).bind(i64::from(limit)).fetch_all(conn).await?.iter().map(job).collect()
}

/// The newest card of this person for this vehicle that is not complete.
///
/// # Errors
/// If the database refuses.
pub async fn open_for(conn: &mut PgConnection, person: PersonId, vehicle: VehicleId) -> Result<Option<Job>, Error> {
    sqlx::query(OPEN_FOR).bind(person.0).bind(vehicle.0).fetch_optional(conn).await?.as_ref().map(job).transpose()
}

/// Stores a status that [`JobStatus::go`] allowed.
///
/// # Errors
/// If the database refuses.
pub async fn set_status(conn: &mut PgConnection, id: JobId, status: JobStatus, now: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query(SET_STATUS).bind(id.0).bind(status.name()).bind(now).execute(conn).await.map(drop)
}

fn job(row: &PgRow) -> Result<Job, Error> {
    let photos: i64 = row.try_get("photos")?;
    let Json(runs): Json<Vec<(RunId, String, bool)>> = row.try_get("runs")?;
    Ok(Job {
        id: JobId(row.try_get("id")?),
        vehicle: VehicleId(row.try_get("vehicle")?),
        number: VehicleNumber::from_parts(row.try_get("kind")?, row.try_get("number")?),
        technician: PersonId(row.try_get("technician")?),
        technician_name: row.try_get("name")?,
        status: named(row, "status", JobStatus::from_name)?,
        photos: u32::try_from(photos).map_err(|_| unknown("photos", photos))?,
        created: row.try_get("created_at")?,
        runs,
    })
}
