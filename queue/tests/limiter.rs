//! Token buckets, on a server and on the embedded one.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::time::Duration;

use fitter_queue::limiter::{self, Need, Purse};
use fitter_testkit::TestDb;
use sqlx::{PgConnection, PgPool};

async fn all(pool: &PgPool) {
    a_burst_and_then_a_rate(pool).await;
    all_or_nothing(pool).await;
    a_blocked_bucket_gives_nothing(pool).await;
    a_full_bucket_gives_some_ahead(pool).await;
}

#[tokio::test]
async fn on_a_server() {
    all(TestDb::server().await.pool()).await;
}

#[tokio::test]
async fn on_the_embedded_server() {
    all(TestDb::embedded().await.pool()).await;
}

/// Moves the database's clock: every bucket becomes so much older.
async fn later(conn: &mut PgConnection, seconds: f64) {
    sqlx::query(
        "UPDATE rate_limits
         SET updated_at = updated_at - make_interval(secs => $1), blocked_until = blocked_until - make_interval(secs => $1)",
    )
    .bind(seconds)
    .execute(conn)
    .await
    .unwrap();
}

fn need(key: &str, rate: f64, burst: f64) -> Need {
    Need { key: key.to_owned(), rate, burst, ahead: 0 }
}

async fn a_burst_and_then_a_rate(pool: &PgPool) {
    let conn = &mut *pool.acquire().await.unwrap();
    let needs = [need("burst:1", 0.5, 3.0)];
    for _ in 0..3 {
        assert_eq!(limiter::take(conn, &needs).await.unwrap(), Ok(()));
    }
    let wait = limiter::take(conn, &needs).await.unwrap().unwrap_err().0;
    assert!(wait > Duration::from_secs(1) && wait <= Duration::from_secs(2), "{wait:?}");
    later(conn, 2.0).await;
    assert_eq!(limiter::take(conn, &needs).await.unwrap(), Ok(()));
    assert!(limiter::take(conn, &needs).await.unwrap().is_err());
    later(conn, 3600.0).await;
    for _ in 0..3 {
        assert_eq!(limiter::take(conn, &needs).await.unwrap(), Ok(()), "it does not hold more than the burst");
    }
    assert!(limiter::take(conn, &needs).await.unwrap().is_err());
}

async fn all_or_nothing(pool: &PgPool) {
    let conn = &mut *pool.acquire().await.unwrap();
    let (bot, chat) = (need("bot", 0.001, 10.0), need("chat", 0.001, 1.0));
    assert_eq!(limiter::take(conn, &[chat.clone(), bot.clone(), bot.clone()]).await.unwrap(), Ok(()));
    for _ in 0..5 {
        assert!(limiter::take(conn, &[bot.clone(), chat.clone()]).await.unwrap().is_err());
    }
    for _ in 0..9 {
        assert_eq!(limiter::take(conn, std::slice::from_ref(&bot)).await.unwrap(), Ok(()), "the refusals took nothing");
    }
    assert!(limiter::take(conn, std::slice::from_ref(&bot)).await.unwrap().is_err());
    assert_eq!(limiter::take(conn, &[]).await.unwrap(), Ok(()));
}

async fn a_blocked_bucket_gives_nothing(pool: &PgPool) {
    let conn = &mut *pool.acquire().await.unwrap();
    let needs = [need("chat:1", 1.0, 5.0), need("bot:1", 30.0, 30.0)];
    assert_eq!(limiter::take(conn, &needs).await.unwrap(), Ok(()));
    limiter::block(conn, "chat:1", Duration::from_secs(20)).await.unwrap();
    limiter::block(conn, "chat:1", Duration::from_secs(10)).await.unwrap();
    let wait = limiter::take(conn, &needs).await.unwrap().unwrap_err().0;
    assert!(wait > Duration::from_secs(19) && wait <= Duration::from_secs(20), "the longer one counts: {wait:?}");
    assert_eq!(limiter::take(conn, &needs[1..]).await.unwrap(), Ok(()), "others go on");
    limiter::block(conn, "new", Duration::from_secs(5)).await.unwrap();
    assert!(limiter::take(conn, &[need("new", 1.0, 1.0)]).await.unwrap().is_err());
    later(conn, 21.0).await;
    assert_eq!(limiter::take(conn, &needs).await.unwrap(), Ok(()));
}

async fn a_full_bucket_gives_some_ahead(pool: &PgPool) {
    let conn = &mut *pool.acquire().await.unwrap();
    let ahead = |key: &str| Need { ahead: 8, ..need(key, 1e-6, 32.0) };
    let needs = [ahead("ahead:1"), need("ahead:2", 1e-6, 32.0), ahead("ahead:3")];
    assert_eq!(limiter::take_each(conn, &needs).await.unwrap(), [Ok(8), Ok(0), Ok(8)]);
    // 23 are left, then 16: it gives no more than what is above its half, and then one at a time.
    assert_eq!(limiter::take_each(conn, &needs[..1]).await.unwrap(), [Ok(6)]);
    for _ in 0..16 {
        assert_eq!(limiter::take_each(conn, &needs[..1]).await.unwrap(), [Ok(0)]);
    }
    assert!(limiter::take_each(conn, &needs[..1]).await.unwrap().remove(0).is_err());
}

#[test]
fn tokens_taken_ahead_are_spent_once() {
    let purse = Purse::default();
    assert!(!purse.spend("a"));
    purse.keep("a".to_owned(), 2);
    assert!(purse.spend("a") && purse.spend("a"));
    assert!(!purse.spend("a") && !purse.spend("b"));
}
