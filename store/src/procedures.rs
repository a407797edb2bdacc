//! Versions of procedures. Every version is kept, as walks are pinned to the one they began with.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use fitter_domain::Locale;
use fitter_domain::ids::ProcedureId;
use fitter_domain::procedure::{Procedure, ProcedureSummary};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{Error, PgConnection, Row};

use crate::notes::Visibility;
use crate::sql::{count, int, named, patterns, sql};

sql! {
    RETIRE = "UPDATE procedures SET current = false WHERE note = ANY ($1::text[]) AND current";
    RETIRE_OTHERS = "UPDATE procedures SET current = false WHERE note = $1 AND current AND hash <> $2";
    PUT = "
        INSERT INTO procedures (note, hash, title, needle, locale, visibility, steps, duration, body, current)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, true)
        ON CONFLICT (note, hash) DO UPDATE SET title = excluded.title, needle = excluded.needle, locale = excluded.locale,
            visibility = excluded.visibility, steps = excluded.steps, duration = excluded.duration, body = excluded.body, current = true
        RETURNING id
    ";
    GET = "SELECT id, xmin::text::bigint AS form, current, visibility FROM procedures WHERE id = $1";
    BODIES = "SELECT id, xmin::text::bigint AS form, body FROM procedures WHERE id = ANY ($1::bigint[])";
    WALKED = "
        SELECT v.note, sum(r.walks)::bigint AS walks FROM (SELECT procedure, count(*) AS walks FROM runs GROUP BY procedure) r
        JOIN procedures v ON v.id = r.procedure GROUP BY v.note
    ";
    LIST = "
        SELECT p.id, p.title, p.locale, p.steps, p.duration FROM procedures p LEFT JOIN notes n ON n.path = p.note
        LEFT JOIN unnest($6::text[], $7::bigint[]) AS w(note, walks) ON w.note = p.note
        WHERE p.current AND p.visibility <= $1 AND (p.needle LIKE ALL ($2::text[]) OR n.needle LIKE ALL ($2::text[]))
        ORDER BY p.locale <> $3, coalesce('pinned' = ANY (n.tags), false) DESC,
            coalesce(w.walks, 0) DESC, p.title, p.id OFFSET $4 LIMIT $5
    ";
    CURRENT_OF_NOTE = "SELECT id, title, visibility FROM procedures WHERE note = $1 AND current";
}

/// A version and whether it is the newest.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// The procedure.
    pub procedure: Arc<Procedure>,
    /// Whether it is offered: the newest version of a note that still exists.
    pub current: bool,
    /// Who may see it.
    pub visibility: Visibility,
}

/// Stores a version and makes it the one that is offered. The same note with the same hash is the same version. Run it in a transaction.
///
/// # Errors
/// If the database refuses.
pub async fn put_version(conn: &mut PgConnection, procedure: &Procedure, hash: &str, visibility: Visibility) -> Result<ProcedureId, Error> {
    sqlx::query(RETIRE_OTHERS).bind(&procedure.note).bind(hash).execute(&mut *conn).await?;
    let id = sqlx::query_scalar(PUT)
        .bind(&procedure.note)
        .bind(hash)
        .bind(&procedure.title)
        .bind(procedure.title.to_lowercase())
        .bind(procedure.locale.code())
        .bind(visibility.code())
        .bind(int(u32::try_from(procedure.steps.len()).unwrap_or(u32::MAX)))
        .bind(procedure.duration.map(int))
        .bind(Json(procedure))
        .fetch_one(conn)
        .await?;
    Ok(ProcedureId(id))
}

/// The notes are gone or no procedures any more: none of their versions is offered.
///
/// # Errors
/// If the database refuses.
pub async fn retire(conn: &mut PgConnection, notes: &[String]) -> Result<(), Error> {
    sqlx::query(RETIRE).bind(notes).execute(conn).await.map(drop)
}

/// One version.
///
/// # Errors
/// If the database refuses.
pub async fn get(conn: &mut PgConnection, bodies: &Bodies, id: ProcedureId) -> Result<Option<Version>, Error> {
    let Some(row) = sqlx::query(GET).bind(id.0).fetch_optional(&mut *conn).await? else { return Ok(None) };
    let form = (id, row.try_get("form")?);
    let Some(procedure) = bodies.of(conn, &[form]).await?.remove(&id) else { return Ok(None) };
    Ok(Some(Version { procedure, current: row.try_get("current")?, visibility: Visibility::read(&row)? }))
}

/// A version and the transaction that wrote its row last: with another one it may read differently.
pub(crate) type Form = (ProcedureId, i64);

/// Versions that were read before: their text is long, and almost never changes. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Bodies(Arc<Mutex<HashMap<Form, Arc<Procedure>>>>);

/// More versions than anybody walks through at a time.
const MOST_BODIES: usize = 1000;

impl Bodies {
    /// The procedures of these versions; one that is gone is not among them.
    pub(crate) async fn of(&self, conn: &mut PgConnection, forms: &[Form]) -> Result<HashMap<ProcedureId, Arc<Procedure>>, Error> {
        let mut found: HashMap<ProcedureId, Arc<Procedure>> = {
            let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            forms.iter().filter_map(|form| Some((form.0, Arc::clone(known.get(form)?)))).collect()
        };
        let missing: Vec<i64> = forms.iter().map(|(id, _)| *id).filter(|id| !found.contains_key(id)).map(|id| id.0).collect();
        if !missing.is_empty() {
            for row in sqlx::query(BODIES).bind(missing).fetch_all(conn).await? {
                let Json(procedure) = row.try_get::<Json<Procedure>, _>("body")?;
                let (form, procedure) = ((ProcedureId(row.try_get("id")?), row.try_get("form")?), Arc::new(procedure));
                let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                if known.len() >= MOST_BODIES {
                    known.clear();
                }
                known.insert(form, Arc::clone(&procedure));
                found.insert(form.0, procedure);
            }
        }
        Ok(found)
    }
}

/// How often the procedures were walked, by their notes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Walked {
    notes: Vec<String>,
    walks: Vec<i64>,
}

/// How often each procedure was walked. It counts all walks: not for every request.
///
/// # Errors
/// If the database refuses.
pub async fn walked(conn: &mut PgConnection) -> Result<Walked, Error> {
    let mut walked = Walked::default();
    for row in sqlx::query(WALKED).fetch_all(conn).await? {
        walked.notes.push(row.try_get("note")?);
        walked.walks.push(row.try_get("walks")?);
    }
    Ok(walked)
}

/// What to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listing<'a> {
    /// Only what these readers may see.
    pub up_to: Visibility,
    /// This language first.
    pub prefer: Locale,
    /// Leave out so many.
    pub skip: u32,
    /// At most so many.
    pub limit: u32,
    /// Only those whose title or aliases have all these words in them, in any case.
    pub like: Option<&'a str>,
}

/// Procedures that are offered, and whether there are more after these: the reader's language first, then those tagged `pinned`, then those
/// walked most often, then by title.
///
/// # Errors
/// If the database refuses.
pub async fn list(conn: &mut PgConnection, listing: &Listing<'_>, walked: &Walked) -> Result<(Vec<ProcedureSummary>, bool), Error> {
    let rows = sqlx::query(LIST)
        .bind(listing.up_to.code())
        .bind(patterns(listing.like))
        .bind(listing.prefer.code())
        .bind(i64::from(listing.skip))
        .bind(i64::from(listing.limit) + 1)
        .bind(&walked.notes)
        .bind(&walked.walks)
        .fetch_all(conn)
        .await?;
    let limit = usize::try_from(listing.limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    Ok((rows.iter().take(limit).map(summary).collect::<Result<_, _>>()?, more))
}

/// The version of a note that is offered: its number, title and who may see it.
///
/// # Errors
/// If the database refuses.
pub async fn current_of_note(conn: &mut PgConnection, note: &str) -> Result<Option<(ProcedureId, String, Visibility)>, Error> {
    let row = sqlx::query(CURRENT_OF_NOTE).bind(note).fetch_optional(conn).await?;
    row.map(|row| Ok((ProcedureId(row.try_get("id")?), row.try_get("title")?, Visibility::read(&row)?))).transpose()
}

fn summary(row: &PgRow) -> Result<ProcedureSummary, Error> {
    Ok(ProcedureSummary {
        id: ProcedureId(row.try_get("id")?),
        title: row.try_get("title")?,
        locale: named(row, "locale", Locale::from_tag)?,
        steps: count(row, "steps")?,
        duration: row.try_get::<Option<i32>, _>("duration")?.and_then(|minutes| u32::try_from(minutes).ok()),
    })
}
