//! Fixed answers: words and phrases that a note answers before anything is searched.

use sqlx::{Error, PgConnection, Row};

use crate::notes::Visibility;
use crate::sql::sql;

sql! {
    CLEAR = "DELETE FROM fixed_answers WHERE note = $1";
    ADD = "INSERT INTO fixed_answers (note, phrase) SELECT $1, phrase FROM unnest($2::text[]) AS n(phrase) ON CONFLICT DO NOTHING";
    VISIBLE = "
        SELECT f.phrase, f.note FROM fixed_answers f JOIN notes n ON n.path = f.note WHERE n.visibility <= $1 ORDER BY f.note, f.phrase
    ";
}

/// Stores the phrases of a note in place of those it had. Run it in the transaction that stores the note.
///
/// # Errors
/// If the database refuses.
pub async fn replace(conn: &mut PgConnection, note: &str, phrases: &[String]) -> Result<(), Error> {
    sqlx::query(CLEAR).bind(note).execute(&mut *conn).await?;
    if !phrases.is_empty() {
        sqlx::query(ADD).bind(note).bind(phrases).execute(conn).await?;
    }
    Ok(())
}

/// Phrases and their notes, as far as somebody may read them.
///
/// # Errors
/// If the database refuses.
pub async fn visible(conn: &mut PgConnection, up_to: Visibility) -> Result<Vec<(String, String)>, Error> {
    let rows = sqlx::query(VISIBLE).bind(up_to.code()).fetch_all(conn).await?;
    rows.iter().map(|row| Ok((row.try_get("phrase")?, row.try_get("note")?))).collect()
}
