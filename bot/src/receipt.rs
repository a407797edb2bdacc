//! The first sign of life for a photo or file: it gathers before its turn, and meanwhile the person must see that it was taken.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use fitter_domain::ids::{BotId, ChatId};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::api::{Api, Call};
use crate::fault::{ApiError, Fault};

/// Bots may use this one in every private chat (Bot API: `ReactionTypeEmoji`).
const SEEN: &str = "👀";
/// So many at once. What comes beyond, such as the backlog of an outage, has its answer soon.
const AT_ONCE: usize = 32;
/// Later than this the answer is there.
const PATIENCE: Duration = Duration::from_secs(5);
/// Albums whose parts may still be on their way, over all chats of a bot.
const ALBUMS: usize = 1000;

/// A photo or file that a person has sent, and that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// In which private chat.
    pub chat: ChatId,
    /// Its message.
    pub message: i64,
    /// The album that it belongs to.
    pub album: Option<String>,
}

/// Tells people that a photo or file of theirs was taken: a reaction on it, one per album. Nothing waits for it, and nothing fails with it.
pub struct Receipts {
    api: Arc<Api>,
    places: Arc<Semaphore>,
    known: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    /// The newest last.
    albums: VecDeque<(ChatId, String)>,
    /// Telegram wants none before this.
    silent: Option<Instant>,
}

impl Known {
    /// Whether this one gets a reaction.
    fn is_due(&mut self, arrival: &Arrival, now: Instant) -> bool {
        if let Some(album) = &arrival.album {
            let album = (arrival.chat, album.clone());
            if self.albums.contains(&album) {
                return false;
            }
            if self.albums.len() >= ALBUMS {
                self.albums.pop_front();
            }
            self.albums.push_back(album);
        }
        self.silent.is_none_or(|until| until <= now)
    }
}

impl Receipts {
    /// Receipts of one bot.
    #[must_use]
    pub fn new(api: Arc<Api>) -> Self {
        Self { api, places: Arc::new(Semaphore::new(AT_ONCE)), known: Arc::default() }
    }

    /// Whose they are.
    #[must_use]
    pub fn bot(&self) -> BotId {
        self.api.bot()
    }

    /// Begins to tell of these, and does not wait.
    pub fn give(&self, arrivals: Vec<Arrival>) {
        for arrival in arrivals {
            if !lock(&self.known).is_due(&arrival, Instant::now()) {
                continue;
            }
            let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else { continue };
            let (api, known) = (Arc::clone(&self.api), Arc::clone(&self.known));
            tokio::spawn(async move {
                tell(&api, &known, &arrival).await;
                drop(place);
            });
        }
    }
}

fn lock(known: &Mutex<Known>) -> std::sync::MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn tell(api: &Api, known: &Mutex<Known>, arrival: &Arrival) {
    const METHOD: &str = "setMessageReaction";
    let reaction = json!([{"type": "emoji", "emoji": SEEN}]);
    let call = Call::new(METHOD).with("chat_id", arrival.chat.0).with("message_id", arrival.message).with("reaction", reaction);
    let told = tokio::time::timeout(PATIENCE, api.call::<bool>(call)).await;
    let told = told.unwrap_or_else(|_| Err(ApiError::NoAnswer("it took too long".to_owned())));
    if let Err(error) = &told {
        if let Fault::Wait(time) = error.fault() {
            lock(known).silent = Some(Instant::now() + time);
        }
        tracing::debug!(%error, "a photo has no reaction; its answer comes all the same");
    }
    let result = told.as_ref().map_or_else(|error| error.fault().name(), |_| "ok");
    metrics::counter!("fitter_tg_sends_total", "method" => METHOD, "result" => result).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_per_album_and_none_while_telegram_wants_none() {
        let mut known = Known::default();
        let now = Instant::now();
        let due = |known: &mut Known, chat: i64, album: Option<&str>| {
            known.is_due(&Arrival { chat: ChatId(chat), message: 1, album: album.map(str::to_owned) }, now)
        };
        assert_eq!([due(&mut known, 3, None), due(&mut known, 3, None)], [true, true]);
        assert_eq!([due(&mut known, 3, Some("g")), due(&mut known, 3, Some("g")), due(&mut known, 4, Some("g"))], [true, false, true]);
        known.silent = Some(now + Duration::from_secs(1));
        assert!(!due(&mut known, 3, None));
        known.silent = Some(now);
        assert!(due(&mut known, 3, None));
        for album in 0..2 * ALBUMS {
            assert!(due(&mut known, 3, Some(&album.to_string())));
        }
        assert_eq!(known.albums.len(), ALBUMS, "the memory has an end");
    }
}
