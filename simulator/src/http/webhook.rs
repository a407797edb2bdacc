//! Deliveries to webhooks.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use serde_json::Value;
use tokio::sync::mpsc;

use super::bot::run_from_webhook;
use super::lanes::Lanes;
use crate::world::bot::{Bot, Webhook};
use crate::world::journal::Record;
use crate::world::update::Update;
use crate::world::{World, lock};

/// How long a delivery may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// An endpoint that answers 410 for so long loses the webhook (`WEBHOOK_DROP_TIMEOUT` of telegram-bot-api, `WebhookActor.h`).
const GONE_MS: i64 = 23 * 3_600_000;

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
    /// The setting of the webhook that it belongs to.
    setting: u64,
    update: Update,
    result: Result<(), Refused>,
}

/// Why an endpoint did not take an update.
struct Refused {
    why: String,
    /// The status, if there was an answer.
    status: Option<u16>,
    /// The pause that it asked for, in seconds.
    retry_after: u64,
}

async fn deliver(world: Arc<World>, bot: Arc<Bot>) {
    let (report, mut reports) = mpsc::unbounded_channel::<Done>();
    let mut current: Option<Webhook> = None;
    let mut lanes = Lanes::new(0);
    let mut gone = Gone::default();
    let (mut seen, mut setting) = (0, 0);
    loop {
        let wake = bot.updates.wake.notified();
        tokio::pin!(wake);
        wake.as_mut().enable();
        let webhook = lock(&bot.profile).webhook.clone();
        if webhook != current {
            // A new webhook starts over with everything that is pending.
            current = webhook;
            setting += 1;
            lanes = Lanes::new(setting);
            gone = Gone::default();
            seen = 0;
            *lock(&bot.webhook_error) = None;
        }
        let mut next = None;
        *lock(&bot.webhook_due) = None;
        if let Some(webhook) = &current {
            next = bot.updates.release(&world.journal, world.clock.now_ms());
            for update in bot.updates.newer(seen) {
                seen = update.id;
                lanes.push(update);
            }
            let most = usize::try_from(webhook.max_connections).unwrap_or(1);
            while lanes.running() < most {
                let Some(update) = lanes.take(world.clock.now_ms()) else {
                    break;
                };
                let attempt = Attempt { world: Arc::clone(&world), bot: Arc::clone(&bot), webhook: webhook.clone(), setting, update };
                let report = report.clone();
                tokio::spawn(async move {
                    // The loop ends only with the simulator, then nobody needs the report.
                    report.send(attempt.run().await).ok();
                });
            }
            *lock(&bot.webhook_due) = lanes.next_due();
            next = next.into_iter().chain(lanes.next_due()).min();
        }
        tokio::select! {
            () = &mut wake => {}
            () = world.clock.reaches(next.unwrap_or(i64::MAX)), if next.is_some() => {}
            // What belongs to an earlier webhook is delivered anew by the present one.
            Some(done) = reports.recv() => if done.setting == setting {
                if gone.is_gone_for_good(&done.result, world.clock.now_ms()) {
                    tracing::warn!(bot = bot.seed.username, "the webhook is removed: it answered 410 for 23 hours");
                    remove(&world, &bot);
                }
                settle(&world, &bot, &mut lanes, done);
            }
        }
    }
}

/// Books what came of a delivery.
fn settle(world: &World, bot: &Bot, lanes: &mut Lanes, Done { update, result, .. }: Done) {
    match result {
        Ok(()) => {
            if bot.updates.delivered(&world.journal, update.id) {
                lanes.again(update);
            } else {
                lanes.done(update.key);
            }
        }
        Err(refused) => {
            let id = update.id;
            if !lanes.failed(update, refused.retry_after, world.clock.now_ms()) {
                bot.updates.delivered(&world.journal, id);
            }
        }
    }
}

fn remove(world: &World, bot: &Bot) {
    let mut profile = lock(&bot.profile);
    profile.webhook = None;
    world.journal.write(|| vec![Record::Profile { bot: bot.seed.id, profile: Box::new(profile.clone()) }]);
}

/// Since when an endpoint says that it is gone, in clock milliseconds.
#[derive(Default)]
struct Gone(Option<i64>);

impl Gone {
    /// Notes a result; whether the endpoint has been gone for so long that Telegram gives the webhook up.
    fn is_gone_for_good(&mut self, result: &Result<(), Refused>, now_ms: i64) -> bool {
        match result {
            Err(Refused { status: Some(410), .. }) => now_ms > *self.0.get_or_insert(now_ms) + GONE_MS,
            // No answer says nothing about it.
            Err(Refused { status: None, .. }) => false,
            _ => {
                self.0 = None;
                false
            }
        }
    }
}

/// One attempt to deliver one update.
struct Attempt {
    world: Arc<World>,
    bot: Arc<Bot>,
    webhook: Webhook,
    setting: u64,
    update: Update,
}

impl Attempt {
    async fn run(self) -> Done {
        // What expired while it waited is dropped, as if it had been taken.
        let expired = self.update.expires <= self.world.clock.now();
        let result = if expired { Ok(()) } else { self.post().await };
        if let Err(refused) = &result {
            *lock(&self.bot.webhook_error) = Some((self.world.clock.now(), refused.why.clone()));
        }
        Done { setting: self.setting, update: self.update, result }
    }

    async fn post(&self) -> Result<(), Refused> {
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
            Refused { why: why.to_owned(), status: None, retry_after: 0 }
        })?;
        let status = response.status();
        if !status.is_success() {
            let asked = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            let why = format!("Wrong response from the webhook: {} {}", status.as_u16(), status.canonical_reason().unwrap_or_default());
            return Err(Refused { why: why.trim_end().to_owned(), status: Some(status.as_u16()), retry_after: asked.unwrap_or(0) });
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

    fn refused(status: Option<u16>) -> Result<(), Refused> {
        Err(Refused { why: String::new(), status, retry_after: 0 })
    }

    #[test]
    fn an_endpoint_is_given_up_after_23_hours_of_410() {
        let mut gone = Gone::default();
        assert!(!gone.is_gone_for_good(&refused(Some(410)), 0));
        assert!(!gone.is_gone_for_good(&refused(None), GONE_MS), "a broken connection ends nothing");
        assert!(!gone.is_gone_for_good(&refused(Some(410)), GONE_MS));
        assert!(gone.is_gone_for_good(&refused(Some(410)), GONE_MS + 1));
        assert!(!gone.is_gone_for_good(&refused(Some(500)), GONE_MS + 2), "any other answer starts over");
        assert!(!gone.is_gone_for_good(&refused(Some(410)), GONE_MS + 3));
        assert!(!gone.is_gone_for_good(&Ok(()), GONE_MS + 4));
        assert!(!gone.is_gone_for_good(&refused(Some(410)), 3 * GONE_MS));
    }
}
