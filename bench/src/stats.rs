//! Percentiles, medians, and how they are written.

use std::time::Duration;

/// The value below which `percent` of the sorted values lie, by nearest rank (Hyndman and Fan 1996, definition 1); zero if there are none.
#[must_use]
pub fn percentile(sorted: &[Duration], percent: f64) -> Duration {
    let rank = (percent / 100.0 * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted.get(rank.min(sorted.len()).saturating_sub(1)).copied().unwrap_or_default()
}

/// The middle value, the mean of the two middle ones if their number is even; zero if there are none.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |place: usize| sorted.get(place).copied().unwrap_or_default();
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { at(half) } else { f64::midpoint(at(half.saturating_sub(1)), at(half)) }
}

/// Percentiles of a set of times.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    /// How many there are.
    pub count: usize,
    /// Half are below.
    pub p50: Duration,
    /// 95 of a hundred are below.
    pub p95: Duration,
    /// 99 of a hundred are below.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
}

impl Spread {
    /// Of these times.
    #[must_use]
    pub fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |percent| percentile(&times, percent);
        Self { count: times.len(), p50: at(50.0), p95: at(95.0), p99: at(99.0), max: times.last().copied().unwrap_or_default() }
    }

    /// In milliseconds, for the report.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({"count": self.count, "p50_ms": ms(self.p50), "p95_ms": ms(self.p95), "p99_ms": ms(self.p99), "max_ms": ms(self.max)})
    }
}

/// Milliseconds with one decimal.
#[must_use]
pub fn ms(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_by_nearest_rank() {
        let times: Vec<Duration> = (1..=200).rev().map(Duration::from_millis).collect();
        let spread = Spread::of(times);
        let seen = [spread.p50, spread.p95, spread.p99, spread.max].map(|time| time.as_millis());
        assert_eq!((spread.count, seen), (200, [100, 190, 198, 200]));
        assert_eq!(Spread::of(vec![Duration::from_millis(7)]).p99.as_millis(), 7);
        assert_eq!(Spread::of(Vec::new()), Spread::default());
    }

    #[test]
    fn medians() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(&[]), 0.0);
    }

    #[test]
    fn milliseconds() {
        assert_eq!(ms(Duration::from_micros(12_345)), 12.3);
    }
}
