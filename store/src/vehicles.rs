//! Vehicles by number.

use chrono::{DateTime, Utc};
use fitter_domain::ids::VehicleId;
use fitter_domain::vehicle::VehicleNumber;
use sqlx::{Error, PgConnection};

use crate::sql::sql;

sql! {
    BY_NUMBER = "SELECT id FROM vehicles WHERE kind = $1 AND number = $2";
    CREATE = "INSERT INTO vehicles (kind, number, created_at) VALUES ($1, $2, $3) ON CONFLICT (kind, number) DO NOTHING";
}

/// The vehicle of this number.
///
/// # Errors
/// If the database refuses.
pub async fn by_number(conn: &mut PgConnection, number: &VehicleNumber) -> Result<Option<VehicleId>, Error> {
    let id: Option<i64> = sqlx::query_scalar(BY_NUMBER).bind(number.kind()).bind(number.number()).fetch_optional(conn).await?;
    Ok(id.map(VehicleId))
}

/// The vehicle of this number, made if there is none.
///
/// # Errors
/// If the database refuses.
pub async fn find_or_create(conn: &mut PgConnection, number: &VehicleNumber, now: DateTime<Utc>) -> Result<VehicleId, Error> {
    if let Some(id) = by_number(conn, number).await? {
        return Ok(id);
    }
    sqlx::query(CREATE).bind(number.kind()).bind(number.number()).bind(now).execute(&mut *conn).await?;
    by_number(conn, number).await?.ok_or(Error::RowNotFound)
}
