//! Who changed what.

use chrono::{DateTime, Utc};
use fitter_domain::ids::PersonId;
use serde_json::Value;
use sqlx::{Error, PgConnection, Row};

use crate::sql::sql;

sql! {
    RECORD = "
        INSERT INTO audit (actor, verb, object, old, new, at)
        SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::jsonb[], $5::jsonb[], $6::timestamptz[])
    ";
    OF = "SELECT actor, verb, object, old, new, at FROM audit WHERE object = $1 ORDER BY id DESC LIMIT $2";
}

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Who; none for the command line.
    pub actor: Option<PersonId>,
    /// What they did: `create`, `change`, `resolve`, …
    pub verb: String,
    /// To what: `job:17`, `person:3`, …
    pub object: String,
    /// What it was.
    pub old: Option<Value>,
    /// What it is.
    pub new: Option<Value>,
    /// When.
    pub at: DateTime<Utc>,
}

/// Records changes, in the transaction of the changes.
///
/// # Errors
/// If the database refuses.
pub async fn record(conn: &mut PgConnection, entries: &[Entry]) -> Result<(), Error> {
    sqlx::query(RECORD)
        .bind(entries.iter().map(|entry| entry.actor.map(|actor| actor.0)).collect::<Vec<_>>())
        .bind(entries.iter().map(|entry| entry.verb.as_str()).collect::<Vec<_>>())
        .bind(entries.iter().map(|entry| entry.object.as_str()).collect::<Vec<_>>())
        .bind(entries.iter().map(|entry| entry.old.as_ref()).collect::<Vec<_>>())
        .bind(entries.iter().map(|entry| entry.new.as_ref()).collect::<Vec<_>>())
        .bind(entries.iter().map(|entry| entry.at).collect::<Vec<_>>())
        .execute(conn)
        .await
        .map(drop)
}

/// Changes of an object, newest first.
///
/// # Errors
/// If the database refuses.
pub async fn of(conn: &mut PgConnection, object: &str, limit: u32) -> Result<Vec<Entry>, Error> {
    let rows = sqlx::query(OF).bind(object).bind(i64::from(limit)).fetch_all(conn).await?;
    rows.iter()
        .map(|row| {
            Ok(Entry {
                actor: row.try_get::<Option<i64>, _>("actor")?.map(PersonId),
                verb: row.try_get("verb")?,
                object: row.try_get("object")?,
                old: row.try_get("old")?,
                new: row.try_get("new")?,
                at: row.try_get("at")?,
            })
        })
        .collect()
}
