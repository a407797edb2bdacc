//! How much the load server can do by itself: what it measures must be far below that.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use fitter_simulator::load::{Act, Crowd, Load, Pace, Seen, Turn};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::arena::{self, SEATS};
use crate::stats::median;
use crate::wire::{Wire, request};

/// Connections of the bot that does nothing.
const LINES: usize = 4;
/// Requests sent together.
const TOGETHER: usize = 32;

/// People who say the same for ever.
struct Parrots;

impl Crowd for Parrots {
    fn next(&mut self, seat: usize, _seen: Option<&Seen>) -> Turn {
        Turn { bot: 0, person: i64::try_from(seat).unwrap_or_default() + 1, act: Act::Say("12,4".to_owned()) }
    }
}

/// Measures both for a third and two thirds of the time.
///
/// # Errors
/// If the load server fails.
pub async fn run(seconds: u64) -> anyhow::Result<Value> {
    let length = Duration::from_secs((seconds / 2).max(3));
    let (absorbs, absorbing) = absorb(length).await?;
    let (serves, serving) = serve(length).await?;
    Ok(json!({
        "absorbed_calls_per_second": absorbs.round(),
        "cpu_us_per_call": absorbing,
        "updates_per_second_with_a_bot_that_does_nothing": serves.round(),
        "cpu_us_per_update_and_its_reply": serving,
        "updates_per_second_of_one_core": (1e6 / serving).round(),
        "load_average": crate::machine::busy(),
    }))
}

/// Calls a second that it takes and its processor time for one, in microseconds: requests that were made before, on kept connections.
async fn absorb(length: Duration) -> anyhow::Result<(f64, f64)> {
    let bots = arena::bots(1);
    let load = arena::load(&bots, 0, false, Parrots)?;
    let body = r#"{"chat_id":7,"text":"Шаг 2 из 7. Измерьте напряжение.","reply_markup":{"inline_keyboard":[[{"text":"Готово","callback_data":"w:1:2:ok"}]]}}"#;
    let together = request("1:load", "sendMessage", body).repeat(TOGETHER);
    let until = Instant::now() + length;
    let mut lines = JoinSet::new();
    for _ in 0..LINES {
        let (mut wire, together) = (Wire::connect(load.addr()).await?, together.clone());
        lines.spawn(async move {
            while Instant::now() < until {
                wire.send(&together).await?;
                for _ in 0..TOGETHER {
                    wire.answer().await?;
                }
            }
            anyhow::Ok(())
        });
    }
    let (begun, cpu) = (Instant::now(), load.cpu().unwrap_or_default());
    while let Some(line) = lines.join_next().await {
        line??;
    }
    let calls = load.take().calls.values().sum::<u64>() as f64;
    let cpu = load.cpu().unwrap_or_default().saturating_sub(cpu);
    Ok((calls / begun.elapsed().as_secs_f64(), micros(cpu, calls)))
}

fn micros(cpu: Duration, each: f64) -> f64 {
    (cpu.as_secs_f64() * 1e7 / each.max(1.0)).round() / 10.0
}

/// Updates a second with a bot that fetches a hundred at a time and answers each with one message, and the server's processor time for one.
async fn serve(length: Duration) -> anyhow::Result<(f64, f64)> {
    const WINDOWS: u32 = 3;
    let bots = arena::bots(1);
    let load = arena::load(&bots, SEATS, false, Parrots)?;
    let bot = tokio::spawn(nothing(load.addr()));
    load.pace(Pace::Closed);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let _before = load.take();
    let (cpu, mut rates, mut replies) = (load.cpu().unwrap_or_default(), Vec::new(), 0);
    for _ in 0..WINDOWS {
        let begun = Instant::now();
        tokio::time::sleep(length / WINDOWS).await;
        let replied = load.take().replies.len();
        replies += replied;
        rates.push(replied as f64 / begun.elapsed().as_secs_f64());
    }
    let cpu = load.cpu().unwrap_or_default().saturating_sub(cpu);
    finish(bot, &load).await?;
    Ok((median(&rates), micros(cpu, replies as f64)))
}

/// The bot goes on until the server is told to be still; then nothing may be left.
async fn finish(bot: tokio::task::JoinHandle<anyhow::Result<()>>, load: &Load) -> anyhow::Result<()> {
    load.pace(Pace::Still);
    while load.outstanding() > 0 && !bot.is_finished() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    if bot.is_finished() {
        return bot.await?;
    }
    bot.abort();
    Ok(())
}

/// A bot that fetches a hundred updates at a time and answers each with one message, over several connections, as cheaply as can be.
async fn nothing(addr: std::net::SocketAddr) -> anyhow::Result<()> {
    #[derive(Deserialize)]
    struct Fetched {
        result: Vec<Update>,
    }
    #[derive(Deserialize)]
    struct Update {
        update_id: i64,
        message: Message,
    }
    #[derive(Deserialize)]
    struct Message {
        chat: Chat,
    }
    #[derive(Deserialize)]
    struct Chat {
        id: i64,
    }
    let mut polling = Wire::connect(addr).await?;
    let mut lines = Vec::new();
    for _ in 0..LINES {
        lines.push(Wire::connect(addr).await?);
    }
    let mut offset = 0;
    loop {
        polling.send(&request("1:load", "getUpdates", &format!(r#"{{"offset":{offset},"timeout":30,"limit":100}}"#))).await?;
        let fetched: Fetched = serde_json::from_slice(&polling.answer().await?).context("getUpdates")?;
        offset = fetched.result.last().map_or(offset, |update| update.update_id + 1);
        let share = fetched.result.len().div_ceil(LINES).max(1);
        let shares = || fetched.result.chunks(share);
        for (line, share) in lines.iter_mut().zip(shares()) {
            let call =
                |update: &Update| request("1:load", "sendMessage", &format!(r#"{{"chat_id":{},"text":"ok"}}"#, update.message.chat.id));
            line.send(&share.iter().flat_map(call).collect::<Vec<u8>>()).await?;
        }
        for (line, share) in lines.iter_mut().zip(shares()) {
            for _ in share {
                line.answer().await?;
            }
        }
    }
}
