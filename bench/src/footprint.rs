//! Memory: idle, under load, and of a bot more.

use std::time::Duration;

use fitter_simulator::load::Pace;
use serde_json::{Value, json};

use crate::arena::{Arena, Bench, Shape};
use crate::machine::{self, Memory};

/// Bots of the large installation.
const BOTS: u32 = 1_000;
/// After so long an idle product has given back what its start needed.
const SETTLES: Duration = Duration::from_secs(10);
/// Technicians: one for each seat will do.
const PEOPLE: usize = 1_000;

/// Measures all of it.
///
/// # Errors
/// If something does not start.
pub async fn run(bench: &Bench, rate: f64) -> anyhow::Result<Value> {
    let one = Shape::poll(PEOPLE);
    let (idle, loaded, after) = of(bench, one, Pace::Closed).await?;
    let (embedded, _, _) = of(bench, Shape { embedded: true, ..one }, Pace::Still).await?;
    let many = Shape { bots: BOTS as usize, ..one };
    let (crowd, crowd_loaded, _) = of(bench, many, Pace::Open { per_second: rate }).await?;
    let (hooked, _, _) = of(bench, Shape { webhook: true, ..many }, Pace::Still).await?;
    let each = |many: &Memory| (many.resident.saturating_sub(idle.resident) / u64::from(BOTS - 1)) as f64 / 1024.0;
    Ok(json!({
        "idle": mib(idle), "most_under_full_load": mib(loaded), "after_the_load": mib(after), "idle_embedded": mib(embedded),
        "idle_1000_bots": mib(crowd), "most_1000_bots_under_load": mib(crowd_loaded),
        "idle_1000_bots_with_webhooks": mib(hooked),
        "kib_per_bot": {"fetching": each(&crowd).round(), "with_a_webhook": each(&hooked).round()},
        "load_average": machine::busy(),
    }))
}

/// Idle, the most under load, and idle again.
async fn of(bench: &Bench, shape: Shape, pace: Pace) -> anyhow::Result<(Memory, Memory, Memory)> {
    let arena = Arena::open(bench, shape).await?;
    let pid = arena.product.pid();
    tokio::time::sleep(SETTLES).await;
    let idle = machine::memory(pid);
    if pace == Pace::Still {
        arena.close(bench).await?;
        return Ok((idle, idle, idle));
    }
    arena.load.pace(pace);
    let mut most = idle;
    for _ in 0..bench.seconds.max(1) {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = machine::memory(pid);
        most = Memory {
            resident: most.resident.max(now.resident),
            proportional: most.proportional.max(now.proportional),
            anonymous: most.anonymous.max(now.anonymous),
        };
    }
    arena.load.pace(Pace::Still);
    arena.settle().await?;
    tokio::time::sleep(SETTLES).await;
    let after = machine::memory(pid);
    arena.close(bench).await?;
    Ok((idle, most, after))
}

fn mib(memory: Memory) -> Value {
    let mib = |bytes: u64| (bytes as f64 / 1_048_576.0 * 10.0).round() / 10.0;
    json!({"resident_mib": mib(memory.resident), "proportional_mib": mib(memory.proportional), "anonymous_mib": mib(memory.anonymous)})
}
