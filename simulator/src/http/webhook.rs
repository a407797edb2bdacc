//! Deliveries to webhooks: one lane per chat and kind, each in order, with retries.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use serde_json::Value;
use tokio::sync::mpsc;

use super::bot::run_from_webhook;
use crate::world::bot::{Bot, Webhook};
use crate::world::updates::Update;
use crate::world::{World, lock};

/// How long a delivery may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The longest pause between two attempts, in seconds.
const LONGEST_PAUSE: u64 = 90;
/// The longest pause that an endpoint may ask for, in seconds.
const LONGEST_ASKED: u64 = 3600;

/// Starts the delivery for every bot, once per simulator.
pub(crate) fn spawn(world: &Arc<World>) {
    if world.delivering.swap(true, Ordering::SeqCst) {
        return;
    }
    for bot in &world.bots {
        let (world, bot) = (Arc::clone(world), Arc::clone(bot));
        tokio::spawn(async move {
            let stop = world.stop.clone();
            tokio::select! {
                () = stop.cancelled() => {}
                () = deliver(world, bot) => {}
            }
        });
    }
}

/// What a delivery came to.
struct Done {
    update: Update,
    taken: bool,
}

/// Updates of one key that wait, and how often the first of them failed.
#[derive(Default)]
struct Lane {
    waiting: VecDeque<Update>,
    busy: bool,
    failures: u32,
}

/// All lanes, and those that can go on.
#[derive(Default)]
struct Lanes {
    by_key: HashMap<i64, Lane>,
    ready: VecDeque<i64>,
    running: usize,
}

impl Lanes {
    fn push(&mut self, update: Update) {
        let lane = self.by_key.entry(update.key).or_default();
        if !lane.busy && lane.waiting.is_empty() {
            self.ready.push_back(update.key);
        }
        lane.waiting.push_back(update);
    }

    /// The next update that may be delivered, with the failures of its lane so far.
    fn take(&mut self) -> Option<(Update, u32)> {
        let key = self.ready.pop_front()?;
        let lane = self.by_key.get_mut(&key)?;
        let update = lane.waiting.pop_front()?;
        lane.busy = true;
        self.running += 1;
        Some((update, lane.failures))
    }

    /// Books a finished delivery; `again` is the update if it has to be repeated.
    fn settle(&mut self, key: i64, again: Option<Update>) {
        self.running = self.running.saturating_sub(1);
        let Some(lane) = self.by_key.get_mut(&key) else {
            return;
        };
        lane.busy = false;
        match again {
            Some(update) => {
                lane.failures += 1;
                lane.waiting.push_front(update);
            }
            None => lane.failures = 0,
        }
        if lane.waiting.is_empty() {
            self.by_key.remove(&key);
        } else {
            self.ready.push_back(key);
        }
    }

    /// Forgets what waits; deliveries under way end by themselves.
    fn forget(&mut self) {
        self.by_key.retain(|_, lane| lane.busy);
        for lane in self.by_key.values_mut() {
            lane.waiting.clear();
            lane.failures = 0;
        }
        self.ready.clear();
    }
}

async fn deliver(world: Arc<World>, bot: Arc<Bot>) {
    let (report, mut reports) = mpsc::unbounded_channel::<Done>();
    let mut current: Option<Webhook> = None;
    let mut lanes = Lanes::default();
    let mut seen = 0;
    loop {
        let wake = bot.updates.wake.notified();
        tokio::pin!(wake);
        wake.as_mut().enable();
        let webhook = lock(&bot.profile).webhook.clone();
        if webhook != current {
            // A new webhook starts over with everything that is pending.
            current = webhook;
            lanes.forget();
            seen = 0;
            *lock(&bot.webhook_error) = None;
        }
        if let Some(webhook) = &current {
            for update in bot.updates.newer(seen) {
                seen = update.id;
                lanes.push(update);
            }
            let most = usize::try_from(webhook.max_connections).unwrap_or(1);
            while lanes.running < most {
                let Some((update, failures)) = lanes.take() else {
                    break;
                };
                let attempt = Attempt {
                    world: Arc::clone(&world),
                    bot: Arc::clone(&bot),
                    webhook: webhook.clone(),
                    update,
                    pause: pause(failures, None),
                };
                let report = report.clone();
                tokio::spawn(async move {
                    // The loop ends only with the simulator, then nobody needs the report.
                    report.send(attempt.run().await).ok();
                });
            }
        }
        tokio::select! {
            () = &mut wake => {}
            Some(done) = reports.recv() => {
                let late = done.update.expires <= world.clock.now();
                let key = done.update.key;
                if done.taken || late {
                    bot.updates.delivered(&world.journal, done.update.id);
                    lanes.settle(key, None);
                } else {
                    lanes.settle(key, Some(done.update));
                }
            }
        }
    }
}

/// The first retry comes at once, then after 2, 4, 8… seconds.
fn pause(failures: u32, asked: Option<u64>) -> Duration {
    let own = match failures {
        0 | 1 => 0,
        more => 2_u64.saturating_pow(more - 1).min(LONGEST_PAUSE),
    };
    Duration::from_secs(own.max(asked.unwrap_or(0).min(LONGEST_ASKED)))
}

/// One attempt to deliver one update.
struct Attempt {
    world: Arc<World>,
    bot: Arc<Bot>,
    webhook: Webhook,
    update: Update,
    pause: Duration,
}

impl Attempt {
    async fn run(self) -> Done {
        tokio::time::sleep(self.pause).await;
        // What expired while it waited is dropped, as if it had been taken.
        let expired = self.update.expires <= self.world.clock.now();
        let taken = expired
            || match self.post().await {
                Ok(()) => true,
                Err((why, asked)) => {
                    *lock(&self.bot.webhook_error) = Some((self.world.clock.now(), why));
                    if let Some(asked) = asked {
                        tokio::time::sleep(pause(0, Some(asked))).await;
                    }
                    false
                }
            };
        Done { update: self.update, taken }
    }

    async fn post(&self) -> Result<(), (String, Option<u64>)> {
        let mut request = self
            .world
            .http
            .post(&self.webhook.url)
            .timeout(TIMEOUT)
            .header(CONTENT_TYPE, "application/json")
            .body(self.update.body.to_string());
        if let Some(secret) = &self.webhook.secret_token {
            request = request.header("X-Telegram-Bot-Api-Secret-Token", secret);
        }
        let response = request.send().await.map_err(|error| {
            let why = if error.is_timeout() { "Read timeout expired" } else { "Connection refused" };
            (why.to_owned(), None)
        })?;
        let status = response.status();
        if !status.is_success() {
            let asked = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            let why = format!("Wrong response from the webhook: {} {}", status.as_u16(), status.canonical_reason().unwrap_or_default());
            return Err((why.trim_end().to_owned(), asked));
        }
        // An endpoint may answer with one method call.
        if let Ok(Value::Object(values)) = response.json::<Value>().await {
            run_from_webhook(&self.world, &self.bot, values);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit() {
        let seconds: Vec<u64> = (0..9).map(|failures| pause(failures, None).as_secs()).collect();
        assert_eq!(seconds, [0, 0, 2, 4, 8, 16, 32, 64, 90]);
        assert_eq!(pause(1, Some(7)).as_secs(), 7);
        assert_eq!(pause(1, Some(90_000)).as_secs(), 3600);
    }

    fn update(id: i64, key: i64) -> Update {
        Update { id, expires: i64::MAX, key, body: "{}".into() }
    }

    fn take(lanes: &mut Lanes) -> Option<(i64, u32)> {
        lanes.take().map(|(update, failures)| (update.id, failures))
    }

    #[test]
    fn a_lane_delivers_one_update_at_a_time_and_lanes_pass_each_other() {
        let mut lanes = Lanes::default();
        for (id, key) in [(1, 7), (2, 7), (3, 8)] {
            lanes.push(update(id, key));
        }
        assert_eq!(take(&mut lanes), Some((1, 0)));
        assert_eq!(take(&mut lanes), Some((3, 0)), "2 waits for 1");
        assert_eq!(take(&mut lanes), None);
        lanes.settle(7, Some(update(1, 7)));
        assert_eq!(take(&mut lanes), Some((1, 1)), "1 comes again before 2");
        lanes.settle(7, None);
        assert_eq!(take(&mut lanes), Some((2, 0)));
        lanes.settle(7, None);
        lanes.settle(8, None);
        assert_eq!((lanes.running, lanes.by_key.len()), (0, 0));
    }
}
