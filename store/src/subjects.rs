//! What notes are about: devices and vehicles.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use fitter_domain::ids::PersonId;
use sqlx::types::Json;
use sqlx::{Error, PgConnection, Row};

use crate::sql::sql;

sql! {
    CLEAR = "DELETE FROM note_subjects WHERE note = ANY ($1::text[])";
    PUT = "
        INSERT INTO note_subjects (note, devices, vehicles)
        SELECT n.note, ARRAY(SELECT jsonb_array_elements_text(n.devices)), ARRAY(SELECT jsonb_array_elements_text(n.vehicles))
        FROM unnest($1::text[], $2::jsonb[], $3::jsonb[]) AS n(note, devices, vehicles)
    ";
    OF = "SELECT note, devices, vehicles FROM note_subjects WHERE note = ANY ($1::text[])";
    // The walk that a person began last is what they work on.
    AT_HAND = "
        SELECT s.note, s.devices, s.vehicles FROM runs r JOIN procedures q ON q.id = r.procedure JOIN note_subjects s ON s.note = q.note
        WHERE r.id = (SELECT max(id) FROM runs WHERE person = $1 AND status = 'active' AND updated_at > $2)
    ";
}

/// What a note is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// Path of the note.
    pub note: String,
    /// Devices.
    pub devices: Vec<String>,
    /// Vehicles: make, model, years.
    pub vehicles: Vec<String>,
}

/// Stores what notes are about, in place of what was stored of them. The notes have to be there. Run it in a transaction.
///
/// # Errors
/// If the database refuses.
pub async fn replace(conn: &mut PgConnection, subjects: &[Subject]) -> Result<(), Error> {
    let notes: Vec<&str> = subjects.iter().map(|subject| subject.note.as_str()).collect();
    sqlx::query(CLEAR).bind(notes).execute(&mut *conn).await?;
    let told = || subjects.iter().filter(|subject| !subject.devices.is_empty() || !subject.vehicles.is_empty());
    if told().next().is_none() {
        return Ok(());
    }
    sqlx::query(PUT)
        .bind(told().map(|subject| subject.note.as_str()).collect::<Vec<_>>())
        .bind(told().map(|subject| Json(&subject.devices)).collect::<Vec<_>>())
        .bind(told().map(|subject| Json(&subject.vehicles)).collect::<Vec<_>>())
        .execute(conn)
        .await
        .map(drop)
}

/// What some notes are about, by path; those that say nothing are left out.
///
/// # Errors
/// If the database refuses.
pub async fn of(conn: &mut PgConnection, notes: &[String]) -> Result<HashMap<String, Subject>, Error> {
    let rows = sqlx::query(OF).bind(notes).fetch_all(conn).await?;
    rows.iter().map(|row| read(row).map(|subject| (subject.note.clone(), subject))).collect()
}

/// What the procedure is about that a person has walked through since then; `None` if there is none, or it says nothing.
///
/// # Errors
/// If the database refuses.
pub async fn at_hand(conn: &mut PgConnection, person: PersonId, since: DateTime<Utc>) -> Result<Option<Subject>, Error> {
    sqlx::query(AT_HAND).bind(person.0).bind(since).fetch_optional(conn).await?.as_ref().map(read).transpose()
}

fn read(row: &sqlx::postgres::PgRow) -> Result<Subject, Error> {
    Ok(Subject { note: row.try_get("note")?, devices: row.try_get("devices")?, vehicles: row.try_get("vehicles")? })
}
