//! Long polling: raw updates into the inbox, the next offset only after the commit.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::accept::{ALLOWED_UPDATES, accept};
use crate::api::Api;
use crate::fault::{ApiError, Fault, Refusal};
use crate::ports::Storage;
use crate::receipt::Receipts;

/// How long Telegram keeps a request open when there is nothing (it allows 50 s).
const WAIT: Duration = Duration::from_secs(30);
/// How often a process that stands by looks whether the one that fetches is gone. All bots of a process look by one statement.
const STANDBY: Duration = Duration::from_secs(1);
/// Longest pause between failed attempts: work goes on soon after Telegram does.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The database is near and ours: it is looked for again at once, and its absence is told now and then.
const DATABASE_PAUSE: Duration = Duration::from_millis(500);
/// So many failed attempts between two words about it.
const TOLD_EVERY: u32 = 20;

/// Why updates cannot be fetched. A person has to do something.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    /// A webhook takes the updates.
    #[error(
        "this bot has a webhook, so its updates go there and cannot be fetched: remove it (deleteWebhook), or run Fitter in webhook mode"
    )]
    WebhookActive,
    /// Another program fetches them.
    #[error("another program fetches the updates of this bot: stop it, or give Fitter a bot of its own from @BotFather")]
    OtherPoller,
    /// The token is wrong.
    #[error("Telegram refuses the token: copy it again from @BotFather, or make a new one there with /revoke")]
    Unauthorized,
}

impl PollError {
    /// The error that only a person can mend, if it is one.
    #[must_use]
    pub fn of(error: &ApiError) -> Option<Self> {
        match error {
            ApiError::Refused(Refusal { code: 409, description, .. }) if description.contains("webhook") => Some(Self::WebhookActive),
            ApiError::Refused(Refusal { code: 409, .. }) => Some(Self::OtherPoller),
            error if error.fault() == Fault::Unauthorized => Some(Self::Unauthorized),
            _ => None,
        }
    }
}

/// Fetches updates of one bot until `stop`. Trouble is logged and tried again, ever more slowly: other bots go on meanwhile.
///
/// A stop loses nothing: what was fetched and not committed is not confirmed, and what was committed and not confirmed is known by its number.
pub async fn poll(api: Arc<Api>, storage: Arc<dyn Storage>, stop: CancellationToken) {
    let receipts = Receipts::new(Arc::clone(&api));
    let mut offset = None;
    let mut failures = 0;
    while !stop.is_cancelled() {
        let round = async { round(&api, storage.as_ref(), &receipts, offset).await };
        let pause = match stop.run_until_cancelled(round).await {
            None => break,
            Some(Ok(Round::Fetched(last))) => {
                offset = last.map(|last| last.saturating_add(1)).or(offset);
                failures = 0;
                continue;
            }
            // The other process fetches; this one stands by.
            Some(Ok(Round::NotLeading)) => {
                offset = None;
                STANDBY
            }
            Some(Err(error)) => {
                failures += 1;
                let pause = error.pause(failures);
                error.log(failures, pause);
                pause
            }
        };
        let _stopped = stop.run_until_cancelled(tokio::time::sleep(pause)).await;
    }
    if let Err(error) = storage.resign(api.bot()).await {
        tracing::warn!(%error, "the right to fetch updates was not given back and will expire");
    }
}

enum Round {
    /// The highest update that was committed.
    Fetched(Option<i64>),
    NotLeading,
}

#[derive(Debug, thiserror::Error)]
enum RoundError {
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Port(#[from] crate::ports::PortError),
}

impl RoundError {
    fn pause(&self, failures: u32) -> Duration {
        let backoff = Duration::from_secs(1).saturating_mul(1 << failures.saturating_sub(1).min(6)).min(LONGEST_PAUSE);
        match self {
            Self::Api(error) => match error.fault() {
                Fault::Wait(time) => time.max(Duration::from_secs(1)),
                _ => backoff,
            },
            Self::Port(_) => DATABASE_PAUSE,
        }
    }

    fn log(&self, failures: u32, pause: Duration) {
        match self {
            Self::Api(error) => match PollError::of(error) {
                Some(remedy) => tracing::error!(error = %remedy, ?pause, "updates cannot be fetched"),
                None => tracing::warn!(%error, ?pause, "updates were not fetched, trying again"),
            },
            Self::Port(error) if failures % TOLD_EVERY == 1 => {
                tracing::error!(%error, "updates cannot be kept, Telegram keeps them meanwhile");
            }
            Self::Port(_) => {}
        }
    }
}

async fn round(api: &Api, storage: &dyn Storage, receipts: &Receipts, offset: Option<i64>) -> Result<Round, RoundError> {
    if !storage.lead(api.bot()).await? {
        return Ok(Round::NotLeading);
    }
    let raws = api.updates(offset, WAIT, &ALLOWED_UPDATES).await?;
    let last = accept(storage, receipts, &raws).await?;
    if last.is_none() && !raws.is_empty() {
        // They cannot be confirmed, so they would come again at once.
        return Err(ApiError::Odd { status: 200, what: "updates without numbers".to_owned() }.into());
    }
    Ok(Round::Fetched(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_has_to_do() {
        let refused =
            |code, text: &str| ApiError::Refused(Refusal { code, description: text.to_owned(), retry_after: None, migrate_to: None });
        let other = refused(409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running");
        let webhook =
            refused(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first");
        assert!(matches!(PollError::of(&other), Some(PollError::OtherPoller)));
        assert!(matches!(PollError::of(&webhook), Some(PollError::WebhookActive)));
        assert!(matches!(PollError::of(&refused(401, "Unauthorized")), Some(PollError::Unauthorized)));
        assert!(PollError::of(&refused(502, "Bad Gateway")).is_none());
    }

    #[test]
    fn pauses_grow_and_heed_telegram() {
        let down = RoundError::Api(ApiError::Unreachable(String::new()));
        assert_eq!([1, 2, 3, 99].map(|n| down.pause(n).as_secs()), [1, 2, 4, 30]);
        let wait = Refusal { code: 429, description: String::new(), retry_after: Some(Duration::from_secs(7)), migrate_to: None };
        assert_eq!(RoundError::Api(ApiError::Refused(wait)).pause(1).as_secs(), 7);
    }
}
