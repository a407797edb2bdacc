//! A hundred thousand announcements at the platform's 30 a second while people go on talking.
//!
//! Nothing in the product sends announcements yet, so they are put into the outbox here, in its own shape: a lane `bulk:<bot>:<chat>` each, of the
//! lowest priority. The limit of 30 a second is the product's own token bucket, whose clock is the database's.
//!
//! First a stretch in real time shows the rate and what the announcements do to answers. The rest is not waited for: whenever the bucket is empty
//! its clock is moved on by a second. The time of the whole in that clock is what is reported; it is longer than needed wherever the product
//! could not use what the bucket gave.

use std::time::{Duration, Instant};

use anyhow::ensure;
use fitter_domain::ids::{BotId, ChatId};
use fitter_domain::outbound::{Outbound, OutboundKind};
use fitter_domain::rich::Rich;
use fitter_domain::screen::Screen;
use fitter_queue::{NewItem, Priority, Queue};
use fitter_simulator::load::Pace;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::arena::{Arena, Bench, Shape};
use crate::measure::{Summary, Window};

/// How many there are.
const LETTERS: i64 = 100_000;
/// Chats that hear it: nobody sits in them.
const FIRST_CHAT: i64 = 10_000_000;
/// Put together.
const BATCH: i64 = 1_000;
/// Windows of each stretch.
const WINDOWS: u32 = 5;
/// Before anything is measured.
const WARM_UP: Duration = Duration::from_secs(3);
/// The rest may take so long in real time.
const PATIENCE: Duration = Duration::from_secs(1_800);

/// Measures people alone, people and announcements, and then sends the rest.
///
/// # Errors
/// If an announcement is lost, comes twice, or does not come at all.
pub async fn run(bench: &Bench, people: usize, rate: f64) -> anyhow::Result<Value> {
    let arena = Arena::open(bench, Shape::poll(people)).await?;
    let Some(pool) = arena.database.as_ref().map(|database| database.pool().clone()) else { return Ok(Value::Null) };
    let (pace, length) = (Pace::Open { per_second: rate }, Duration::from_secs(bench.seconds) / WINDOWS);
    let quiet = arena.measure(pace, WARM_UP, WINDOWS, length).await;
    arena.settle().await?;

    let begun = Instant::now();
    let put = announce(&pool).await?;
    let mut told: u64 = arena.load.take().announcements;
    arena.load.pace(pace);
    tokio::time::sleep(WARM_UP).await;
    told += arena.load.take().announcements;
    let busy = arena.measure(pace, Duration::ZERO, WINDOWS, length).await;
    let of = |windows: &[Window]| windows.iter().map(|window| window.tally.announcements).sum::<u64>();
    told += of(&busy);
    let seconds = busy.iter().map(|window| window.length.as_secs_f64()).sum::<f64>();
    let per_second = of(&busy) as f64 / seconds;
    let waiting = LETTERS.cast_unsigned().saturating_sub(told);

    let (rest, moved) = hurry(&arena, &pool, told).await?;
    let settled = arena.settle().await?;
    told += rest + arena.load.take().announcements;
    ensure!(told == LETTERS.cast_unsigned(), "{told} announcements came, {LETTERS} were put");
    let real = begun.elapsed();
    arena.close(bench).await?;
    let figure = |windows: &[Window]| {
        let summary = Summary::of(windows);
        let whole = summary.json();
        json!({"handed_to_reply": summary.reply.json(), "tap_to_answer": summary.answer.json(), "stuck": summary.stuck,
            "cpu_us_per_update": whole.get("cpu_us_per_update"), "cores": whole.get("cores")})
    };
    Ok(json!({
        "announcements": told, "put_seconds": put.as_secs_f64().round(),
        "per_second_in_real_time": (per_second * 10.0).round() / 10.0, "waiting_after_it": waiting,
        "minutes_of_the_whole_in_the_limiter's_clock": ((real + moved).as_secs_f64() / 6.0).round() / 10.0,
        "minutes_of_the_whole_in_real_time": (real.as_secs_f64() / 6.0).round() / 10.0,
        "without": figure(&quiet), "with": figure(&busy), "without_reply": settled.without_reply,
        "load_average": crate::machine::busy(),
    }))
}

/// Puts all of them; how long that took.
async fn announce(pool: &PgPool) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    let bot = BotId(1);
    let letter = |n: i64| {
        let chat = ChatId(FIRST_CHAT + n);
        let screen = Screen::of(Rich::text("Завтра с 9 до 12 платформа недоступна: обновление. Точки за это время придут позже."));
        let out = Outbound { bot, chat, thread: None, what: OutboundKind::Send { slot: None, screen } };
        Ok(NewItem::json(Queue::Outbox, format!("bulk:{bot}:{chat}"), &out)?.priority(Priority::Bulk))
    };
    let mut conn = pool.acquire().await?;
    for first in (0..LETTERS).step_by(usize::try_from(BATCH)?) {
        let letters: Vec<NewItem> = (first..first + BATCH).map(letter).collect::<Result<_, serde_json::Error>>()?;
        fitter_queue::put(&mut conn, &letters).await?;
    }
    Ok(begun.elapsed())
}

/// Moves the bucket's clock on whenever it is empty, until all have come: how many came, and by how much it was moved.
async fn hurry(arena: &Arena, pool: &PgPool, before: u64) -> anyhow::Result<(u64, Duration)> {
    let sql = "
        UPDATE rate_limits SET updated_at = updated_at - interval '1 second'
        WHERE key = 'tg:1' AND tokens + 30 * extract(epoch FROM clock_timestamp() - updated_at) < 1
    ";
    let (mut told, mut moved, until) = (0, Duration::ZERO, Instant::now() + PATIENCE);
    while before + told < LETTERS.cast_unsigned() {
        ensure!(Instant::now() < until, "{} announcements of {LETTERS} came in {PATIENCE:?}", before + told);
        moved += Duration::from_secs(sqlx::query(sql).execute(pool).await?.rows_affected());
        tokio::time::sleep(Duration::from_millis(5)).await;
        told += arena.load.take().announcements;
    }
    Ok((told, moved))
}
