//! Vectors of passages, a set for each model.

use fitter_domain::ids::ChunkId;
use pgvector::Vector;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, Connection as _, Error, PgConnection, Row};

use crate::notes::Visibility;
use crate::sql::{sql, unknown};

sql! {
    WANT = "
        INSERT INTO embedding_models (name, dimension, options) VALUES ($1, $2, $3)
        ON CONFLICT (name, dimension) DO UPDATE SET options = excluded.options RETURNING id, name, dimension, options, complete
    ";
    SERVING = "SELECT id, name, dimension, options, complete FROM embedding_models WHERE complete ORDER BY id DESC LIMIT 1";
    MISSING = "
        SELECT c.id, n.title, c.headings, c.text FROM chunks c JOIN notes n ON n.path = c.note
        WHERE c.id > $2 AND NOT EXISTS (SELECT FROM vectors v WHERE v.model = $1 AND v.chunk = c.id) ORDER BY c.id LIMIT $3
    ";
    COUNTS = "SELECT (SELECT count(*) FROM chunks) AS chunks, (SELECT count(*) FROM vectors WHERE model = $1) AS vectors";
    // A passage may be gone since its text was read.
    STORE = "
        INSERT INTO vectors (model, chunk, vector)
        SELECT $1, n.chunk, n.vector FROM unnest($2::bigint[], $3::vector[]) AS n(chunk, vector) JOIN chunks c ON c.id = n.chunk
        FOR KEY SHARE OF c ON CONFLICT DO NOTHING
    ";
    COMPLETE = "UPDATE embedding_models SET complete = true WHERE id = $1";
    OTHERS = "DELETE FROM embedding_models WHERE id <> $1 RETURNING id";
    NEAREST = "
        SELECT c.note, (SELECT count(*) FROM chunks b WHERE b.note = c.note AND b.id < c.id)::int AS number, n.lang, near.distance
        FROM (
            SELECT v.chunk, v.vector <#> $2 AS distance FROM vectors v JOIN chunks c ON c.id = v.chunk JOIN notes n ON n.path = c.note
            WHERE v.model = $1 AND n.visibility <= $3 ORDER BY distance LIMIT $4
        ) near JOIN chunks c ON c.id = near.chunk JOIN notes n ON n.path = c.note ORDER BY near.distance
    ";
    INDEXED = "
        SELECT i.indisvalid FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid
        WHERE c.relname = $1 AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'vectors'::regclass)
    ";
}

/// From so many passages on an index finds the nearest ones; below all are compared, which misses none.
pub const INDEX_FROM: i64 = 50_000;

/// Numbers that an index on `vector` takes, and on `halfvec` (pgvector's manual).
const INDEXED_DIMENSIONS: (i32, i32) = (2_000, 4_000);

/// A model with vectors in the database.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Its number.
    pub id: i32,
    /// Its name.
    pub name: String,
    /// Numbers in a vector.
    pub dimension: i32,
    /// How it is loaded; nothing here reads it.
    pub options: serde_json::Value,
    /// Whether every passage had a vector once.
    pub complete: bool,
}

/// A passage without a vector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The passage.
    pub chunk: ChunkId,
    /// Title of its note.
    pub title: String,
    /// Its headings.
    pub headings: Vec<String>,
    /// Its text for search.
    pub text: String,
}

/// A near passage.
#[derive(Debug, Clone, PartialEq)]
pub struct Near {
    /// Path of the note.
    pub note: String,
    /// Number of the passage in it, from 0.
    pub number: u32,
    /// ISO 639-1 code of the note's language.
    pub lang: Option<String>,
    /// Cosine of the angle between the vectors.
    pub similarity: f32,
}

/// The model of this name and dimension, made if it is new.
///
/// # Errors
/// If the database refuses.
pub async fn want(conn: &mut PgConnection, name: &str, dimension: i32, options: &serde_json::Value) -> Result<Model, Error> {
    model(&sqlx::query(WANT).bind(name).bind(dimension).bind(Json(options)).fetch_one(conn).await?)
}

/// The newest model with vectors of every passage.
///
/// # Errors
/// If the database refuses.
pub async fn serving(conn: &mut PgConnection) -> Result<Option<Model>, Error> {
    sqlx::query(SERVING).fetch_optional(conn).await?.as_ref().map(model).transpose()
}

/// Passages behind `after` that have no vector of a model, at most `limit`, by number.
///
/// # Errors
/// If the database refuses.
pub async fn missing(conn: &mut PgConnection, id: i32, after: ChunkId, limit: i64) -> Result<Vec<Missing>, Error> {
    let rows = sqlx::query(MISSING).bind(id).bind(after.0).bind(limit).fetch_all(conn).await?;
    let read = |row: &PgRow| {
        Ok(Missing {
            chunk: ChunkId(row.try_get("id")?),
            title: row.try_get("title")?,
            headings: row.try_get("headings")?,
            text: row.try_get("text")?,
        })
    };
    rows.iter().map(read).collect()
}

/// Number of passages, and of vectors of a model.
///
/// # Errors
/// If the database refuses.
pub async fn counts(conn: &mut PgConnection, id: i32) -> Result<(i64, i64), Error> {
    let row = sqlx::query(COUNTS).bind(id).fetch_one(conn).await?;
    Ok((row.try_get("chunks")?, row.try_get("vectors")?))
}

/// Stores vectors of passages that are still there.
///
/// # Errors
/// If the database refuses.
pub async fn store(conn: &mut PgConnection, id: i32, vectors: Vec<(ChunkId, Vec<f32>)>) -> Result<(), Error> {
    let (chunks, vectors): (Vec<i64>, Vec<Vector>) = vectors.into_iter().map(|(chunk, vector)| (chunk.0, Vector::from(vector))).unzip();
    sqlx::query(STORE).bind(id).bind(chunks).bind(vectors).execute(conn).await.map(drop)
}

/// Every passage has a vector of this model: from now on it serves, and the vectors of other models are deleted. Returns their numbers. Run it in
/// a transaction.
///
/// # Errors
/// If the database refuses.
pub async fn complete(conn: &mut PgConnection, id: i32) -> Result<Vec<i32>, Error> {
    sqlx::query(COMPLETE).bind(id).execute(&mut *conn).await?;
    sqlx::query_scalar(OTHERS).bind(id).fetch_all(conn).await
}

/// The nearest passages that a reader of this visibility may see, nearest first. `indexed` says whether the model has an index
/// ([`is_indexed`]).
///
/// # Errors
/// If the database refuses.
pub async fn nearest(
    conn: &mut PgConnection,
    of: &Model,
    vector: Vec<f32>,
    visible: Visibility,
    limit: i64,
    indexed: bool,
) -> Result<Vec<Near>, Error> {
    let vector = Vector::from(vector);
    let mut tx = conn.begin().await?;
    let rows = if indexed {
        sqlx::raw_sql(BY_INDEX).execute(&mut *tx).await?;
        let statement = sqlx::query(AssertSqlSafe(by_index(of)));
        statement.bind(vector).bind(visible.code()).bind(limit).fetch_all(&mut *tx).await?
    } else {
        sqlx::raw_sql(COMPARE_ALL).execute(&mut *tx).await?;
        sqlx::query(NEAREST).bind(of.id).bind(vector).bind(visible.code()).bind(limit).fetch_all(&mut *tx).await?
    };
    tx.commit().await?;
    rows.iter().map(near).collect()
}

/// All are compared: that is a matter of whole tables, which the sessions avoid otherwise.
const COMPARE_ALL: &str = "SET LOCAL enable_seqscan = on; SET LOCAL enable_hashjoin = on";
/// An index gives so many at first; where a filter leaves too few, it goes on (pgvector 0.8).
const BY_INDEX: &str = "SET LOCAL hnsw.ef_search = 200; SET LOCAL hnsw.iterative_scan = strict_order";

/// The statement that the index of a model serves: number and dimension have to stand in it as they stand in the index. Both are numbers of ours.
fn by_index(of: &Model) -> String {
    let Model { id, dimension, .. } = of;
    let kind = kind(*dimension);
    format!(
        "SELECT c.note, (SELECT count(*) FROM chunks b WHERE b.note = c.note AND b.id < c.id)::int AS number, n.lang,
            v.vector::{kind}({dimension}) <#> $1::vector::{kind}({dimension}) AS distance
        FROM vectors v JOIN chunks c ON c.id = v.chunk JOIN notes n ON n.path = c.note
        WHERE v.model = {id} AND n.visibility <= $2 ORDER BY distance LIMIT $3"
    )
}

const fn kind(dimension: i32) -> &'static str {
    if dimension <= INDEXED_DIMENSIONS.0 { "vector" } else { "halfvec" }
}

fn index_name(id: i32) -> String {
    format!("vectors_near_{id}")
}

/// Whether a model has a usable index.
///
/// # Errors
/// If the database refuses.
pub async fn is_indexed(conn: &mut PgConnection, id: i32) -> Result<bool, Error> {
    Ok(sqlx::query_scalar(INDEXED).bind(index_name(id)).fetch_optional(conn).await?.unwrap_or(false))
}

/// Makes the index of a model, while others go on. It takes minutes; outside of any transaction. `false` if there can be none for this dimension.
///
/// # Errors
/// If the database refuses; what was begun is removed by the next try.
pub async fn index(conn: &mut PgConnection, of: &Model) -> Result<bool, Error> {
    let Model { id, dimension, .. } = of;
    if *dimension > INDEXED_DIMENSIONS.1 {
        return Ok(false);
    }
    drop_index(conn, *id).await?;
    let (name, kind) = (index_name(*id), kind(*dimension));
    let statement =
        format!("CREATE INDEX CONCURRENTLY {name} ON vectors USING hnsw ((vector::{kind}({dimension})) {kind}_ip_ops) WHERE model = {id}");
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(conn).await?;
    Ok(true)
}

/// Removes the index of a model, if it has one. Outside of any transaction.
///
/// # Errors
/// If the database refuses.
pub async fn drop_index(conn: &mut PgConnection, id: i32) -> Result<(), Error> {
    let statement = format!("DROP INDEX CONCURRENTLY IF EXISTS {}", index_name(id));
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(conn).await.map(drop)
}

fn model(row: &PgRow) -> Result<Model, Error> {
    let Json(options) = row.try_get("options")?;
    Ok(Model {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        dimension: row.try_get("dimension")?,
        options,
        complete: row.try_get("complete")?,
    })
}

fn near(row: &PgRow) -> Result<Near, Error> {
    let number: i32 = row.try_get("number")?;
    // The operator gives the negative inner product.
    let distance: f64 = row.try_get("distance")?;
    #[expect(clippy::cast_possible_truncation, reason = "a cosine")]
    let similarity = -distance as f32;
    Ok(Near {
        note: row.try_get("note")?,
        number: u32::try_from(number).map_err(|_| unknown("number", number))?,
        lang: row.try_get("lang")?,
        similarity,
    })
}
