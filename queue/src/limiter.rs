//! Token buckets in the database, shared by all processes.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

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
            SELECT n.key, n.rate, n.burst, clock.now,
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
    // Buckets that do not depend on each other. One that is more than half full gives some more ahead.
    TAKE_EACH = concat!(level!(), ", verdict AS MATERIALIZED (
            SELECT key, now, tokens, coalesce(greatest(blocked, CASE WHEN tokens >= 1 THEN 0 ELSE (1 - tokens) / rate END), 0)::float8 AS wait,
                greatest(0, least(a.ahead, floor(tokens - burst / 2 - 1)))::int AS ahead
            FROM level JOIN unnest($1::text[], $4::int[]) AS a(key, ahead) USING (key)
        ), taken AS (
            UPDATE rate_limits r SET tokens = verdict.tokens - 1 - verdict.ahead, updated_at = verdict.now
            FROM verdict WHERE r.key = verdict.key AND verdict.wait <= 0
        )
        SELECT key, wait, ahead FROM verdict
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
    /// So many tokens may be taken ahead of their use while the bucket is more than half full: [`Purse`]. They come on top of `burst`.
    pub ahead: u32,
}

/// No token now: try again after this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait(pub Duration);

/// Tokens ahead of their use are worth nothing after this time.
const KEEP_AHEAD: Duration = Duration::from_secs(10);

/// Fewer buckets of which tokens are kept are not looked through for expired ones.
const FEW_KEPT: usize = 4096;

/// Tokens that were taken ahead: whoever finds one here need not ask the database.
#[derive(Debug, Default)]
pub struct Purse(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    tokens: HashMap<String, (u32, Instant)>,
    /// With so many, expired ones are thrown out. It grows with what is left then, so that not every token costs a look at all.
    full: usize,
}

impl Purse {
    /// Takes a token of this bucket, if there is one.
    pub fn spend(&self, key: &str) -> bool {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.tokens.get_mut(key) {
            Some((tokens, until)) if *tokens > 0 && *until > Instant::now() => {
                *tokens -= 1;
                true
            }
            _ => false,
        }
    }

    /// Keeps tokens of this bucket that were taken just now.
    pub fn keep(&self, key: String, tokens: u32) {
        let now = Instant::now();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.tokens.len() >= kept.full.max(FEW_KEPT) {
            kept.tokens.retain(|_, (tokens, until)| *tokens > 0 && *until > now);
            kept.full = 2 * kept.tokens.len();
        }
        kept.tokens.insert(key, (tokens, now + KEEP_AHEAD));
    }
}

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

/// Takes a token of each of these buckets that has one, and tells how many more were taken ahead; for the others, how long to wait. The
/// answers are in the order of the needs.
///
/// A transaction of its own.
///
/// # Errors
/// [`QueueError::Database`].
pub async fn take_each(conn: &mut PgConnection, needs: &[Need]) -> Result<Vec<Result<u32, Wait>>, QueueError> {
    let mut tx = conn.begin().await?;
    sqlx::query(LIGHT).execute(&mut *tx).await?;
    let mut waits: HashMap<String, (f64, i32)> = HashMap::with_capacity(needs.len());
    loop {
        let missing: BTreeMap<&str, &Need> =
            needs.iter().filter(|need| !waits.contains_key(&need.key)).map(|need| (need.key.as_str(), need)).collect();
        if missing.is_empty() {
            break;
        }
        let keys: Vec<&str> = missing.keys().copied().collect();
        let rates: Vec<f64> = missing.values().map(|need| need.rate.max(1e-9)).collect();
        let bursts: Vec<f64> = missing.values().map(|need| need.burst.max(1.0)).collect();
        let ahead: Vec<i32> = missing.values().map(|need| i32::try_from(need.ahead).unwrap_or(i32::MAX)).collect();
        let rows = sqlx::query(TAKE_EACH).bind(&keys).bind(&rates).bind(&bursts).bind(&ahead).fetch_all(&mut *tx).await?;
        let all = rows.len() == keys.len();
        for row in rows {
            waits.insert(row.try_get("key")?, (row.try_get("wait")?, row.try_get("ahead")?));
        }
        if !all {
            // Only the first use of a bucket comes here.
            sqlx::query(MAKE).bind(&keys).bind(&bursts).execute(&mut *tx).await?;
        }
    }
    tx.commit().await?;
    let verdict = |need: &Need| match waits.get(&need.key) {
        Some((wait, _)) if *wait > 0.0 => Err(Wait(Duration::try_from_secs_f64(*wait).unwrap_or(Duration::MAX))),
        taken => Ok(taken.and_then(|(_, ahead)| u32::try_from(*ahead).ok()).unwrap_or_default()),
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
