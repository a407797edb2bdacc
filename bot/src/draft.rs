//! Answers while they are written: a draft at the bottom of a private chat, which the next real message takes away (Bot API:
//! `sendMessageDraft`). Nothing is stored, nothing waits for it, and nothing fails with it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use fitter_domain::ids::BotId;
use fitter_services::delivery::Address;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use crate::api::{Api, Call};
use crate::fault::{ApiError, Fault};

const METHOD: &str = "sendMessageDraft";
/// A draft changes so often at most.
const EVERY: Duration = Duration::from_secs(1);
/// A draft disappears after 30 s by itself.
const KEEP: Duration = Duration::from_secs(20);
/// Later than this the answer is there.
const PATIENCE: Duration = Duration::from_secs(5);
/// Drafts at a time over all bots. Who comes beyond sees the answer only.
const AT_ONCE: usize = 64;

/// Shows drafts.
#[derive(Clone)]
pub struct Drafts {
    apis: Arc<HashMap<BotId, Arc<Api>>>,
    tasks: TaskTracker,
    next: Arc<AtomicU32>,
    known: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    under_way: usize,
    /// Telegram wants none before this, by bot.
    silent: HashMap<BotId, Instant>,
}

impl Drafts {
    /// Drafts of these bots.
    #[must_use]
    pub fn new(apis: HashMap<BotId, Arc<Api>>, tasks: TaskTracker) -> Self {
        Self { apis: Arc::new(apis), tasks, next: Arc::default(), known: Arc::default() }
    }

    /// Begins a draft, empty at first: the client says that the bot thinks. The newest text that is sent is shown, and dropping the sender ends it
    /// at once, whatever is under way.
    #[must_use]
    pub fn begin(&self, to: Address) -> watch::Sender<String> {
        let (sender, texts) = watch::channel(String::new());
        let free = {
            let mut known = self.known();
            let free = known.under_way < AT_ONCE;
            known.under_way += usize::from(free);
            free
        };
        let Some(api) = self.apis.get(&to.bot).filter(|_| free).cloned() else { return sender };
        // 0 is none.
        let draft = i64::from(self.next.fetch_add(1, Ordering::Relaxed)) + 1;
        let drafts = self.clone();
        self.tasks.spawn(async move {
            let mut end = texts.clone();
            tokio::select! {
                () = drafts.show(&api, to, draft, texts) => {}
                // Not a moment longer than the answer takes: the request under way is given up.
                () = async { while end.changed().await.is_ok() {} } => {}
            }
            drafts.known().under_way -= 1;
        });
        sender
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn show(&self, api: &Api, to: Address, draft: i64, mut texts: watch::Receiver<String>) {
        loop {
            let silent = self.known().silent.get(&to.bot).copied();
            if let Some(until) = silent {
                tokio::time::sleep_until(until.into()).await;
            }
            let text = texts.borrow_and_update().clone();
            let call = Call::new(METHOD).with("chat_id", to.chat.0).with("draft_id", draft).with("text", text);
            let call = call.with_some("message_thread_id", to.thread);
            let shown = tokio::time::timeout(PATIENCE, api.call::<bool>(call)).await;
            let shown = shown.unwrap_or_else(|_| Err(ApiError::NoAnswer("it took too long".to_owned())));
            let result = shown.as_ref().map_or_else(|error| error.fault().name(), |_| "ok");
            metrics::counter!("fitter_tg_sends_total", "method" => METHOD, "result" => result).increment(1);
            match shown.map_err(|error| error.fault()) {
                Ok(_) | Err(Fault::Retry | Fault::Uncertain) => {}
                Err(Fault::Wait(time)) => {
                    self.known().silent.insert(to.bot, Instant::now() + time);
                    continue;
                }
                // A server or a chat that knows no drafts.
                Err(fault) => {
                    tracing::debug!(fault = fault.name(), "no drafts here; the answer comes all the same");
                    return;
                }
            }
            tokio::time::sleep(EVERY).await;
            // What is shown already is shown again before it disappears.
            if let Ok(Err(_)) = tokio::time::timeout(KEEP, texts.changed()).await {
                return;
            }
        }
    }
}
