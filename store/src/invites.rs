//! Invitations to the company: made with a role inside, redeemed once.

use chrono::{DateTime, Utc};
use fitter_domain::ids::PersonId;
use fitter_domain::person::Role;
use sqlx::{Error, PgConnection, Row};

use crate::sql::{named, sql};

sql! {
    CREATE = "INSERT INTO invites (hash, role, expires_at, created_by, created_at) VALUES ($1, $2, $3, $4, $5)";
    // The row's lock decides between two who redeem it at the same time.
    REDEEM = "
        UPDATE invites SET used_by = $2, used_at = $3 WHERE hash = $1 AND used_at IS NULL AND expires_at > $3
        RETURNING role
    ";
    WHY_NOT = "SELECT used_by FROM invites WHERE hash = $1";
}

/// Why an invitation was not redeemed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No such invitation.
    Unknown,
    /// Too late.
    Expired,
    /// Somebody used it.
    Used {
        /// Who.
        by: PersonId,
    },
}

/// Stores an invitation under the SHA-256 of its token; `by` is none for one made on the command line.
///
/// # Errors
/// If the database refuses, also when there is one with this hash.
pub async fn create(
    conn: &mut PgConnection,
    hash: &[u8; 32],
    role: Role,
    expires_at: DateTime<Utc>,
    by: Option<PersonId>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let by = by.map(|by| by.0);
    sqlx::query(CREATE).bind(hash.as_slice()).bind(role.name()).bind(expires_at).bind(by).bind(now).execute(conn).await.map(drop)
}

/// Uses an invitation up and returns its role, which the caller gives to the person.
///
/// # Errors
/// If the database refuses.
pub async fn redeem(
    conn: &mut PgConnection,
    hash: &[u8; 32],
    person: PersonId,
    now: DateTime<Utc>,
) -> Result<Result<Role, Refusal>, Error> {
    let redeemed = sqlx::query(REDEEM).bind(hash.as_slice()).bind(person.0).bind(now).fetch_optional(&mut *conn).await?;
    if let Some(row) = redeemed {
        return Ok(Ok(named(&row, "role", |name| name.parse().ok())?));
    }
    Ok(Err(match sqlx::query(WHY_NOT).bind(hash.as_slice()).fetch_optional(conn).await? {
        None => Refusal::Unknown,
        Some(row) => match row.try_get("used_by")? {
            Some(by) => Refusal::Used { by: PersonId(by) },
            None => Refusal::Expired,
        },
    }))
}
