//! The inbox worker's handler: reads the updates of an item or album, routes them, and hands what comes out to the product.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use fitter_dialogues::event::Incoming;
use fitter_domain::ids::BotId;
use fitter_queue::{Failure, Finished, Task};
use futures::FutureExt;
use serde_json::Value;
use tracing::Instrument;

use crate::accept::Accepted;
use crate::incoming::Update;
use crate::ports::{Conversation, Storage};
use crate::route::{Me, route};

/// Works on the inbox for several bots.
pub struct Desk {
    bots: HashMap<BotId, Me>,
    conversation: Arc<dyn Conversation>,
    storage: Arc<dyn Storage>,
}

/// What an inbox item is.
#[derive(Debug, PartialEq)]
enum Content {
    Updates(BotId, Vec<Update>),
    /// Somebody else's: the outcome of slow work.
    Other,
    /// Valid JSON that is no readable value.
    Unreadable,
}

fn read<'a>(payloads: impl IntoIterator<Item = &'a str>) -> Content {
    let mut updates = Vec::new();
    let mut bot = None;
    for payload in payloads {
        let Ok(accepted) = serde_json::from_str::<Accepted<'_>>(payload) else { return Content::Other };
        let Ok(update) = serde_json::from_str::<Value>(accepted.update.get()) else { return Content::Unreadable };
        bot = Some(accepted.bot);
        updates.push(Update::from_value(update));
    }
    bot.map_or(Content::Other, |bot| Content::Updates(bot, updates))
}

impl Desk {
    /// A worker for these bots.
    #[must_use]
    pub fn new(bots: HashMap<BotId, Me>, conversation: Arc<dyn Conversation>, storage: Arc<dyn Storage>) -> Self {
        Self { bots, conversation, storage }
    }

    /// Works on one inbox item or album; the handler for [`fitter_queue::run_lanes`].
    ///
    /// # Errors
    /// [`Failure`]: what the queue has to do about it.
    pub async fn handle(&self, task: Task) -> Result<Finished, Failure> {
        match read(task.items().iter().map(|item| item.payload.as_str())) {
            Content::Updates(bot, updates) => {
                let kind = updates.first().map(|update| update.kind().to_owned()).unwrap_or_default();
                self.updates(&task, bot, updates).instrument(tracing::info_span!("tg.update", kind)).await
            }
            Content::Other => caught(self.conversation.resume(&task)).await,
            Content::Unreadable => Err(Failure::Bury { reason: "the update cannot be read".to_owned() }),
        }
    }

    async fn updates(&self, task: &Task, bot: BotId, updates: Vec<Update>) -> Result<Finished, Failure> {
        let Some(me) = self.bots.get(&bot) else {
            tracing::error!("the inbox has updates of a bot that is not configured here");
            return Err(Failure::Hold { time: std::time::Duration::from_secs(60) });
        };
        let Some(incoming) = route(me, updates).await else { return self.storage.finish(task, None).await };
        let taken = caught(self.conversation.take(task, incoming.clone())).await;
        if let Err(failure) = &taken
            && is_final(task, failure)
        {
            self.apologise(task, &incoming).await;
        }
        taken
    }

    async fn apologise(&self, task: &Task, incoming: &Incoming) {
        let key = task.items().first().map(|item| format!("sorry:{}", item.id)).unwrap_or_default();
        if let Err(error) = self.conversation.apologise(incoming, &key).await {
            tracing::error!(%error, "a person was not told that it did not work");
        }
    }
}

/// Whether the queue gives up after this.
fn is_final(task: &Task, failure: &Failure) -> bool {
    match failure {
        Failure::Retry { .. } => task.items().iter().any(|item| item.attempts.saturating_add(1) >= item.max_attempts),
        Failure::Bury { .. } => true,
        Failure::Hold { .. } | Failure::Lost => false,
    }
}

/// A panic as a failure, here and not in the queue's loop, so that the person hears of the last one.
async fn caught(work: impl Future<Output = Result<Finished, Failure>>) -> Result<Finished, Failure> {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Err(Failure::retry(format_args!("panic: {}", text.unwrap_or("no text"))))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn updates_outcomes_and_the_unreadable() {
        let update = r#"{"bot":9,"update":{"update_id":1}}"#;
        assert_eq!(read([update, update]), Content::Updates(BotId(9), vec![Update::read(&json!({"update_id": 1})); 2]));
        assert_eq!(read([r#"{"outcome":"found","bot":9}"#]), Content::Other);
        assert_eq!(read([r#"{"bot":9,"update":{"text":"\ud800"}}"#]), Content::Unreadable);
        assert_eq!(read([]), Content::Other);
    }

    #[tokio::test]
    async fn a_panic_is_a_failure() {
        let failed = caught(async { panic!("ой") }).await;
        assert_eq!(failed, Err(Failure::retry("panic: ой")));
    }
}
