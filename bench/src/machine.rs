//! What processes use, as Linux tells it under /proc. Elsewhere there is nothing to tell.

use std::fs;
use std::time::Duration;

/// Ticks a second in /proc (sysconf(_SC_CLK_TCK), 100 on every Linux that Rust has a standard library for).
const TICKS: f64 = 100.0;

/// Processor time that a process and its living children have used.
#[must_use]
pub fn cpu(pid: u32) -> Duration {
    let mut time = Duration::ZERO;
    let Ok(processes) = fs::read_dir("/proc") else { return time };
    for process in processes.filter_map(Result::ok) {
        let Some(id) = process.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Ok(stat) = fs::read_to_string(process.path().join("stat")) else { continue };
        // The name stands in brackets and may hold anything; what follows are numbers: state, parent, …
        let Some((_, rest)) = stat.rsplit_once(") ") else { continue };
        let fields: Vec<&str> = rest.split(' ').collect();
        let number = |place: usize| fields.get(place).and_then(|field| field.parse::<u64>().ok()).unwrap_or_default();
        if id == pid || number(1) == u64::from(pid) {
            // utime, stime, and those of children that ended.
            let ticks = (11..=14).map(number).sum::<u64>();
            time += Duration::from_secs_f64(ticks as f64 / TICKS);
        }
    }
    time
}

/// Memory of a process, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Resident, pages of files and shared ones among them.
    pub resident: u64,
    /// Resident, shared pages divided by those who share them.
    pub proportional: u64,
    /// Its own data: what does not come from a file.
    pub anonymous: u64,
}

/// Memory of a process; zero if it is gone.
#[must_use]
pub fn memory(pid: u32) -> Memory {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.trim_start_matches(':').split_whitespace().next()?.parse::<u64>().ok()).unwrap_or_default() * 1024
    };
    Memory { resident: field("Rss"), proportional: field("Pss"), anonymous: field("Anonymous") }
}

/// Processes that wanted a core on average over the last minute: more than there are cores means that others worked too.
#[must_use]
pub fn busy() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or_default()
}

/// Ticks in which the cores of this machine did something.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cores(u64);

impl Cores {
    /// A reading.
    #[must_use]
    pub fn now() -> Self {
        let text = fs::read_to_string("/proc/stat").unwrap_or_default();
        let line = text.lines().next().unwrap_or_default();
        let fields: Vec<u64> = line.split_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
        // User, nice, system; idle and waiting for a disk are left out; then interrupts, and what another guest of the host took.
        Self(fields.iter().enumerate().filter(|(place, _)| *place < 8 && !matches!(place, 3 | 4)).map(|(_, ticks)| ticks).sum())
    }

    /// Busy ticks since an earlier reading, as processor time.
    #[must_use]
    pub fn busy_since(&self, before: &Self) -> Duration {
        Duration::from_secs_f64(self.0.saturating_sub(before.0) as f64 / TICKS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_memory_and_time() {
        if !cfg!(target_os = "linux") {
            return;
        }
        let me = std::process::id();
        let memory = memory(me);
        assert!(memory.resident >= memory.proportional && memory.anonymous > 0, "{memory:?}");
        let begun = cpu(me);
        let mut sum = 0_u64;
        while cpu(me) == begun {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(cpu(me) > begun);
    }
}
