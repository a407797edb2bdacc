//! Token buckets in the database, shared by all processes.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use sqlx::{Connection, PgConnection, Row};

use crate::error::QueueError;
use crate::sql::sql;

/// What the buckets hold now. Rows are locked in the order of keys, then read; the clock is read after the locks.
macro_rules! level {
    () => {
        "
        WITH need AS MATERIALIZED (
            SELECT * FROM unnest($1::text[], $2::float8[], $3::float8[]) AS n(key, rate, burst)
        ), held AS MATERIALIZED (
            SELECT r.key, r.tokens, r.updated_at, r.blocked_until FROM rate_limits r WHERE r.key = ANY ($1::text[]) ORDER BY r.key FOR UPDATE
        ), clock AS MATERIALIZED (
            SELECT clock_timestamp() AS now, count(*) AS rows FROM held
        ), level AS MATERIALIZED (
            SELECT n.key, n.rate, clock.now,
                least(n.burst, held.tokens + n.rate * greatest(0, extract(epoch FROM clock.now - held.updated_at)::float8)) AS tokens,
                greatest(0, extract(epoch FROM held.blocked_until - clock.now)::float8) AS blocked
            FROM need n JOIN held USING (key) CROSS JOIN clock
        )
        "
    };
}

sql! {
    // Either every bucket gives a token or none does.
    TAKE = concat!(level!(), ", verdict AS MATERIALIZED (
            SELECT coalesce(max(greatest(blocked, CASE WHEN tokens >= 1 THEN 0 ELSE (1 - tokens) / rate END)), 0)::float8 AS wait FROM level
        ), taken AS (
            UPDATE rate_limits r SET tokens = level.tokens - 1, updated_at = level.now
            FROM level, verdict, clock WHERE r.key = level.key AND verdict.wait <= 0 AND clock.rows = (SELECT count(*) FROM need)
        )
        SELECT verdict.wait, clock.rows FROM verdict, clock
    ");
    // Buckets that do not depend on each other.
    TAKE_EACH = concat!(level!(), ", verdict AS MATERIALIZED (
            SELECT key, now, tokens, coalesce(greatest(blocked, CASE WHEN tokens >= 1 THEN 0 ELSE (1 - tokens) / rate END), 0)::float8 AS wait
            FROM level
        ), taken AS (
            UPDATE rate_limits r SET tokens = verdict.tokens - 1, updated_at = verdict.now FROM verdict WHERE r.key = verdict.key AND verdict.wait <= 0
        )
        SELECT key, wait FROM verdict
    ");
    // Tokens that a crash of the server gives back are no reason to wait for the disk.
    LIGHT = "SET LOCAL synchronous_commit = off";
    MAKE = r#"
        INSERT INTO rate_limits (key, tokens, updated_at)
        SELECT key, burst, clock_timestamp() FROM unnest($1::text[], $2::float8[]) AS n(key, burst) ORDER BY key COLLATE "C"
        ON CONFLICT (key) DO NOTHING
    "#;
    BLOCK = "
        INSERT INTO rate_limits AS r (key, tokens, updated_at, blocked_until)
        VALUES ($1, 0, clock_timestamp(), clock_timestamp() + make_interval(secs => $2))
        ON CONFLICT (key) DO UPDATE SET blocked_until = greatest(r.blocked_until, excluded.blocked_until)
    ";
}

/// One token of a bucket.
#[derive(Debug, Clone, PartialEq)]
pub struct Need {
    /// The bucket.
    pub key: String,
    /// Tokens that flow in per second; more than zero.
    pub rate: f64,
    /// What it holds when full, at least one. A bucket never used is full.
    pub burst: f64,
}

/// No token now: try again after this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait(pub Duration);

/// Takes one token of every bucket, or none at all and says how long to wait. A bucket named twice gives one token.
///
/// Locks the buckets until the transaction ends, so call it outside of any.
///
/// # Errors
/// [`QueueError::Database`].
pub async fn take(conn: &mut PgConnection, needs: &[Need]) -> Result<Result<(), Wait>, QueueError> {
    let needs: BTreeMap<&str, &Need> = needs.iter().map(|need| (need.key.as_str(), need)).collect();
    let keys: Vec<&str> = needs.keys().copied().collect();
    let rates: Vec<f64> = needs.values().map(|need| need.rate.max(1e-9)).collect();
    let bursts: Vec<f64> = needs.values().map(|need| need.burst.max(1.0)).collect();
    if keys.is_empty() {
        return Ok(Ok(()));
    }
    loop {
        let row = sqlx::query(TAKE).bind(&keys).bind(&rates).bind(&bursts).fetch_one(&mut *conn).await?;
        let (wait, rows): (f64, i64) = (row.try_get(0)?, row.try_get(1)?);
        if usize::try_from(rows).is_ok_and(|rows| rows == keys.len()) {
            return Ok(if wait > 0.0 { Err(Wait(Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX))) } else { Ok(()) });
        }
        // Only the first use of a bucket comes here.
        sqlx::query(MAKE).bind(&keys).bind(&bursts).execute(&mut *conn).await?;
    }
}

/// Takes a token of each of these buckets that has one; for the others, how long to wait. The answers are in the order of the needs.
///
/// A transaction of its own.
///
/// # Errors
/// [`QueueError::Database`].
pub async fn take_each(conn: &mut PgConnection, needs: &[Need]) -> Result<Vec<Result<(), Wait>>, QueueError> {
    let mut tx = conn.begin().await?;
    sqlx::query(LIGHT).execute(&mut *tx).await?;
    let mut waits: HashMap<String, f64> = HashMap::with_capacity(needs.len());
    loop {
        let missing: BTreeMap<&str, &Need> =
            needs.iter().filter(|need| !waits.contains_key(&need.key)).map(|need| (need.key.as_str(), need)).collect();
        if missing.is_empty() {
            break;
        }
        let keys: Vec<&str> = missing.keys().copied().collect();
        let rates: Vec<f64> = missing.values().map(|need| need.rate.max(1e-9)).collect();
        let bursts: Vec<f64> = missing.values().map(|need| need.burst.max(1.0)).collect();
        let rows = sqlx::query(TAKE_EACH).bind(&keys).bind(&rates).bind(&bursts).fetch_all(&mut *tx).await?;
        let all = rows.len() == keys.len();
        for row in rows {
            waits.insert(row.try_get("key")?, row.try_get("wait")?);
        }
        if !all {
            // Only the first use of a bucket comes here.
            sqlx::query(MAKE).bind(&keys).bind(&bursts).execute(&mut *tx).await?;
        }
    }
    tx.commit().await?;
    let verdict = |need: &Need| match waits.get(&need.key) {
        Some(wait) if *wait > 0.0 => Err(Wait(Duration::try_from_secs_f64(*wait).unwrap_or(Duration::MAX))),
        _ => Ok(()),
    };
    Ok(needs.iter().map(verdict).collect())
}

/// No token of this bucket for so long, counted from now: Telegram answered 429 with this `retry_after`.
///
/// # Errors
/// [`QueueError::Database`].
pub async fn block(conn: &mut PgConnection, key: &str, time: Duration) -> Result<(), QueueError> {
    sqlx::query(BLOCK).bind(key).bind(time.as_secs_f64()).execute(conn).await?;
    Ok(())
}
