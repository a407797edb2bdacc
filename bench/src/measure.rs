//! Windows of a measurement: what the load server saw, and what the machine spent on it.

use std::time::{Duration, Instant};

use fitter_simulator::load::{Load, Tally};
use serde_json::{Value, json};

use crate::machine::{self, Cores};
use crate::stats::{Spread, median};

/// Processor time spent by each part.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spent {
    /// The load server.
    pub load: Duration,
    /// The bot.
    pub bot: Duration,
    /// The PostgreSQL server, if it is one of the measurement's own.
    pub server: Duration,
    /// Everything on this machine, these three among it.
    pub machine: Duration,
}

/// One window.
#[derive(Clone, Debug)]
pub struct Window {
    /// Its length.
    pub length: Duration,
    /// What the load server saw.
    pub tally: Tally,
    /// Processor time.
    pub spent: Spent,
}

/// Cuts time into windows.
pub struct Meter<'a> {
    load: &'a Load,
    bot: u32,
    server: Option<u32>,
    since: Instant,
    cores: Cores,
    spent: Spent,
}

impl<'a> Meter<'a> {
    /// The first window begins now.
    pub fn start(load: &'a Load, bot: u32, server: Option<u32>) -> Self {
        let _before = load.take();
        let mut meter = Self { load, bot, server, since: Instant::now(), cores: Cores::now(), spent: Spent::default() };
        meter.spent = meter.read();
        meter
    }

    fn read(&self) -> Spent {
        Spent {
            load: self.load.cpu().unwrap_or_default(),
            bot: machine::cpu(self.bot),
            server: self.server.map(machine::cpu).unwrap_or_default(),
            machine: Duration::ZERO,
        }
    }

    /// Ends a window; the next one begins.
    pub fn window(&mut self) -> Window {
        let (tally, length) = (self.load.take(), self.since.elapsed());
        let (now, cores, before) = (self.read(), Cores::now(), self.spent);
        let spent = Spent {
            load: now.load.saturating_sub(before.load),
            bot: now.bot.saturating_sub(before.bot),
            server: now.server.saturating_sub(before.server),
            machine: cores.busy_since(&self.cores),
        };
        (self.since, self.spent, self.cores) = (Instant::now(), now, cores);
        Window { length, tally, spent }
    }
}

/// What several windows say together.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Updates a second that got their reply: the median of the windows.
    pub per_second: f64,
    /// The slowest window.
    pub slowest: f64,
    /// The fastest window.
    pub fastest: f64,
    /// From the handing of an update to the reply, of all windows.
    pub reply: Spread,
    /// From when an update was made, or due, to the reply.
    pub whole: Spread,
    /// From the handing of a tap to its answer.
    pub answer: Spread,
    /// Updates that got a reply.
    pub replied: u64,
    /// People who got nothing usable and started over.
    pub stuck: u64,
    /// Calls of the Bot API per update, without getUpdates.
    pub calls_per_update: f64,
    /// Updates per answer of getUpdates that had any; zero with a webhook.
    pub batch: f64,
    /// Cores used by the load server, the bot, PostgreSQL, and by whatever else ran on this machine.
    pub cores: [f64; 4],
    /// Processor time of an update in microseconds: load server, bot, PostgreSQL.
    pub micros: [f64; 3],
    /// Load average at the end.
    pub busy: f64,
}

impl Summary {
    /// Of these windows.
    #[must_use]
    pub fn of(windows: &[Window]) -> Self {
        let rates: Vec<f64> = windows.iter().map(|window| window.tally.replies.len() as f64 / window.length.as_secs_f64()).collect();
        let replies = || windows.iter().flat_map(|window| &window.tally.replies);
        let answers = windows.iter().flat_map(|window| window.tally.answers.iter().copied()).collect();
        let sum = |what: fn(&Spent) -> Duration| windows.iter().map(|window| what(&window.spent).as_secs_f64()).sum::<f64>();
        let seconds = windows.iter().map(|window| window.length.as_secs_f64()).sum::<f64>().max(f64::MIN_POSITIVE);
        let replied = replies().count() as u64;
        let each = (replied as f64).max(1.0);
        let calls = |of: &dyn Fn(&str) -> bool| {
            windows.iter().flat_map(|window| &window.tally.calls).filter(|(name, _)| of(name)).map(|(_, count)| *count).sum::<u64>() as f64
        };
        let polls = calls(&|name| name == "getUpdates");
        let [load, bot, server] = [sum(|s| s.load), sum(|s| s.bot), sum(|s| s.server)];
        Self {
            per_second: median(&rates),
            slowest: rates.iter().copied().reduce(f64::min).unwrap_or_default(),
            fastest: rates.iter().copied().reduce(f64::max).unwrap_or_default(),
            reply: Spread::of(replies().map(|sample| sample.handed_to_reply).collect()),
            whole: Spread::of(replies().map(|sample| sample.made_to_reply).collect()),
            answer: Spread::of(answers),
            replied,
            stuck: windows.iter().map(|window| window.tally.stuck).sum(),
            calls_per_update: calls(&|name| name != "getUpdates") / each,
            batch: if polls > 0.0 { each / polls } else { 0.0 },
            cores: [load / seconds, bot / seconds, server / seconds, ((sum(|s| s.machine) - load - bot - server) / seconds).max(0.0)],
            micros: [load, bot, server].map(|time| time * 1e6 / each),
            busy: machine::busy(),
        }
    }

    /// For the report.
    #[must_use]
    pub fn json(&self) -> Value {
        let round = |value: f64, places: i32| (value * 10_f64.powi(places)).round() / 10_f64.powi(places);
        let [load, bot, server, others] = self.cores.map(|cores| round(cores, 2));
        let [per_load, per_bot, per_server] = self.micros.map(|micros| round(micros, 0));
        json!({
            "updates_per_second": {"median": round(self.per_second, 1), "slowest": round(self.slowest, 1), "fastest": round(self.fastest, 1)},
            "updates": self.replied, "stuck": self.stuck,
            "handed_to_reply": self.reply.json(), "made_to_reply": self.whole.json(), "tap_to_answer": self.answer.json(),
            "calls_per_update": round(self.calls_per_update, 2), "updates_per_fetch": round(self.batch, 1),
            "cores": {"load": load, "bot": bot, "postgres": server, "others": others},
            "cpu_us_per_update": {"load": per_load, "bot": per_bot, "postgres": per_server},
            "load_average": self.busy
        })
    }
}

#[cfg(test)]
mod tests {
    use fitter_simulator::load::Sample;

    use super::*;

    #[test]
    fn windows_are_summed_up() {
        let window = |replies: u64, millis: u64| Window {
            length: Duration::from_secs(2),
            tally: Tally {
                replies: vec![
                    Sample { made_to_reply: Duration::from_millis(millis * 2), handed_to_reply: Duration::from_millis(millis) };
                    usize::try_from(replies).unwrap()
                ],
                answers: vec![Duration::from_millis(3)],
                calls: [("sendMessage", replies * 2), ("getUpdates", replies / 10)].into(),
                ..Tally::default()
            },
            spent: Spent { bot: Duration::from_secs(1), ..Spent::default() },
        };
        let summary = Summary::of(&[window(100, 10), window(300, 20), window(200, 30)]);
        assert_eq!((summary.slowest, summary.per_second, summary.fastest), (50.0, 100.0, 150.0));
        assert_eq!((summary.reply.p50.as_millis(), summary.whole.max.as_millis(), summary.answer.count), (20, 60, 3));
        assert_eq!((summary.replied, summary.calls_per_update, summary.batch), (600, 2.0, 10.0));
        assert_eq!((summary.cores[1], summary.micros[1]), (0.5, 5000.0));
    }
}
