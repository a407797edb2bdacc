//! The outbox worker's handler: limits, sends, and decides what a failure means for the letter.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use fitter_domain::ids::{BotId, ChatId};
use fitter_domain::outbound::{Outbound, OutboundKind};
use fitter_queue::limiter::{Need, Wait};
use fitter_queue::{Failure, Finished, ItemId, Task, failpoint};
use fitter_services::delivery::{self, Address};

use crate::fault::Fault;
use crate::ports::{Place, Placed, PortError, Storage};
use crate::send::{self, Letter, Progress, Sender};

/// Lanes of announcements begin with this.
pub const BULK_LANES: &str = "bulk:";

/// Telegram says "about one a second" per chat and tolerates bursts (Bots FAQ): 40 here, counting those taken ahead.
const CHAT: Limit = Limit { rate: 1.0, burst: 32.0, ahead: 8 };
/// "20 a minute" per group (Bots FAQ): a burst and what flows in during the same minute are 20 together.
const GROUP: Limit = Limit { rate: 0.25, burst: 5.0, ahead: 0 };
/// Announcements to different people, "about 30 a second" per bot (Bots FAQ). Answers have no such limit (tdlib/td#1834).
const BULK: Limit = Limit { rate: 30.0, burst: 30.0, ahead: 0 };

/// Tokens per second, in a full bucket, and those that may be taken ahead of their use.
#[derive(Clone, Copy)]
struct Limit {
    rate: f64,
    burst: f64,
    ahead: u32,
}

/// So many chats refused with 429 within [`FLOOD_WINDOW`], and fewer letters that went out, mean that the whole bot is over a limit, which
/// Telegram does not say.
const FLOOD_CHATS: usize = 3;
const FLOOD_WINDOW: Duration = Duration::from_secs(10);
/// An announcement waits so long for its turn without giving its lane back.
const LITTLE: Duration = Duration::from_secs(1);
/// With a wrong token nothing works until a person does something, or Telegram does.
const UNAUTHORIZED_PAUSE: Duration = Duration::from_secs(15);

/// Works on the outbox for several bots.
pub struct Postman {
    senders: HashMap<BotId, Sender>,
    storage: Arc<dyn Storage>,
    floods: Mutex<HashMap<BotId, Flood>>,
    /// Announcements of a bot wait for their turn here, one behind the other, so that they do not all ask the limiter again and again.
    lines: HashMap<BotId, tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Flood {
    /// When this window began.
    since: Option<Instant>,
    /// Chats that were refused in it.
    refused: HashSet<ChatId>,
    /// Letters that went out in it.
    sent: usize,
    /// The bot waits until then.
    until: Option<Instant>,
}

impl Flood {
    /// The present window.
    fn now(&mut self) -> &mut Self {
        let now = Instant::now();
        if self.since.is_none_or(|since| now.duration_since(since) > FLOOD_WINDOW) {
            *self = Self { since: Some(now), until: self.until, ..Self::default() };
        }
        self
    }
}

impl Postman {
    /// A worker for these bots.
    #[must_use]
    pub fn new(senders: HashMap<BotId, Sender>, storage: Arc<dyn Storage>) -> Self {
        let lines = senders.keys().map(|bot| (*bot, tokio::sync::Mutex::default())).collect();
        Self { senders, storage, floods: Mutex::default(), lines }
    }

    /// Works on one outbox item; the handler for [`fitter_queue::run_lanes`].
    ///
    /// # Errors
    /// [`Failure`]: what the queue has to do about it.
    pub async fn handle(&self, task: Task) -> Result<Finished, Failure> {
        let Some(item) = task.items().first() else { return self.storage.finish(&task, None).await };
        let out: Outbound = item.decode()?;
        let mut progress = Progress::default();
        if task.is_repeated() {
            let sent = self.storage.parts(out.bot, out.chat, item.id).await?;
            progress.anew = !sent.is_empty();
            progress.sent = sent;
        }
        let bulk = task.lease().lane.starts_with(BULK_LANES);
        failpoint::hit("send").await?;
        let place = self.deliver(Letter { item: item.id, out, progress }, bulk).await?;
        failpoint::hit("mark").await?;
        loop {
            match self.storage.finish(&task, place.clone()).await {
                // Sent is sent. Given back without a record it would be sent again and again while the database has no room.
                Err(Failure::Hold { time }) => tokio::time::sleep(time).await,
                finished => return finished,
            }
        }
    }

    /// Sends a letter within the limits; which message takes its slot.
    ///
    /// # Errors
    /// [`Failure`]: what the queue has to do about it.
    pub async fn deliver(&self, mut letter: Letter, bulk: bool) -> Result<Option<Place>, Failure> {
        let bot = letter.out.bot;
        let Some(sender) = self.senders.get(&bot) else {
            tracing::error!("the outbox has letters of a bot that is not configured here");
            return Err(Failure::Hold { time: UNAUTHORIZED_PAUSE });
        };
        if limited(&letter.out.what) {
            self.admit(&letter, bulk).await?;
        }
        let mut sent = sender.send(&mut letter).await;
        if let Err(send::Failure::Api(error)) = &sent
            && let Fault::Migrated(to) = error.fault()
        {
            self.storage.migrated(bot, letter.out.chat, to).await?;
            letter.out.chat = to;
            sent = sender.send(&mut letter).await;
        }
        match sent {
            Ok(placed) => {
                if limited(&letter.out.what) {
                    self.sent(bot);
                }
                Ok(place(&letter, placed))
            }
            Err(send::Failure::Port(error)) => Err(error.into()),
            Err(send::Failure::Api(error)) => self.judge(&letter, bulk, error.fault(), error.to_string()).await.map(|()| None),
        }
    }

    /// Lets a letter through, or says how long its lane has to wait.
    async fn admit(&self, letter: &Letter, bulk: bool) -> Result<(), Failure> {
        if let Some(time) = self.flooded(letter.out.bot) {
            return Err(Failure::Hold { time });
        }
        let _turn = match self.lines.get(&letter.out.bot) {
            Some(line) if bulk => Some(line.lock().await),
            _ => None,
        };
        loop {
            match self.storage.take(needs(letter.out.bot, letter.out.chat, bulk)).await? {
                Ok(()) => return Ok(()),
                // To hold its lane for so little would cost more than to wait.
                Err(Wait(time)) if bulk && time < LITTLE => tokio::time::sleep(time).await,
                Err(Wait(time)) => return Err(Failure::Hold { time }),
            }
        }
    }

    /// What a failed call means for its letter: `Ok` if there is nothing left to do.
    async fn judge(&self, letter: &Letter, bulk: bool, fault: Fault, error: String) -> Result<(), Failure> {
        let (bot, chat) = (letter.out.bot, letter.out.chat);
        match fault {
            Fault::NotModified | Fault::TooOld | Fault::Gone => Ok(()),
            Fault::Blocked => {
                tracing::info!("a chat does not want to hear from the bot any more");
                Ok(self.storage.unreachable(bot, chat).await?)
            }
            Fault::Wait(time) => {
                if self.refused(bot, chat) {
                    self.pause(bot, time);
                }
                Err(Failure::Hold { time })
            }
            Fault::Unauthorized => {
                tracing::error!("Telegram refuses the bot's token: was it revoked in @BotFather? Sending waits");
                self.pause(bot, UNAUTHORIZED_PAUSE);
                Err(Failure::Hold { time: UNAUTHORIZED_PAUSE })
            }
            // Telegram has no idempotency key: a message that is repeated may come twice. Nobody waits for an announcement. Whoever waits for a
            // step or an answer and sees nothing cannot go on, which is worse than to see it twice.
            Fault::Uncertain if bulk && makes_message(letter) => {
                Err(Failure::Bury { reason: format!("uncertain, it may have been delivered: {error}") })
            }
            Fault::Uncertain if makes_message(letter) => {
                metrics::counter!("fitter_tg_repeats_total").increment(1);
                Err(Failure::retry(error))
            }
            Fault::Uncertain | Fault::Retry => Err(Failure::retry(error)),
            Fault::Migrated(_) | Fault::OtherKind | Fault::Formatting | Fault::StaleFile | Fault::NoTopic | Fault::Rejected => {
                Err(Failure::Bury { reason: error })
            }
        }
    }

    fn flooded(&self, bot: BotId) -> Option<Duration> {
        let floods = self.floods.lock().unwrap_or_else(PoisonError::into_inner);
        floods.get(&bot)?.until?.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }

    fn pause(&self, bot: BotId, time: Duration) {
        let until = Instant::now() + time;
        let mut floods = self.floods.lock().unwrap_or_else(PoisonError::into_inner);
        let flood = floods.entry(bot).or_default();
        flood.until = flood.until.max(Some(until));
    }

    /// Notes a letter that went out.
    fn sent(&self, bot: BotId) {
        self.floods.lock().unwrap_or_else(PoisonError::into_inner).entry(bot).or_default().now().sent += 1;
    }

    /// Notes a 429 of a chat; whether there were so many that it concerns the bot.
    fn refused(&self, bot: BotId, chat: ChatId) -> bool {
        let mut floods = self.floods.lock().unwrap_or_else(PoisonError::into_inner);
        let flood = floods.entry(bot).or_default().now();
        flood.refused.insert(chat);
        flood.refused.len() >= FLOOD_CHATS && flood.refused.len() > flood.sent
    }
}

/// Answers a tap at once, or leaves it to the queue if that does not work now.
pub(crate) async fn answer(postman: &Postman, storage: &dyn Storage, answer: Outbound) {
    let letter = Letter { item: ItemId(0), out: answer.clone(), progress: Progress::default() };
    let delay = match postman.deliver(letter, false).await {
        Err(Failure::Retry { after, .. }) => after.unwrap_or(Duration::from_secs(1)),
        Err(Failure::Hold { time }) => time,
        Err(Failure::Bury { reason }) => return tracing::warn!(reason, "a tap is not answered"),
        Ok(_) | Err(Failure::Lost) => return,
    };
    let later = match delivery::item(Address { bot: answer.bot, chat: answer.chat, thread: answer.thread }, answer.what) {
        Ok(item) => storage.put(vec![item.delay(delay)]).await,
        Err(error) => Err(PortError::new(error)),
    };
    if let Err(error) = later {
        tracing::warn!(%error, "a tap is not answered");
    }
}

/// Answers to taps and "typing…" count under no limit that matters (telegram-bot-api#648).
const fn limited(what: &OutboundKind) -> bool {
    !matches!(what, OutboundKind::Answer { .. } | OutboundKind::Busy)
}

fn makes_message(letter: &Letter) -> bool {
    matches!(letter.out.what, OutboundKind::Send { .. } | OutboundKind::Move { .. }) || letter.progress.anew
}

fn needs(bot: BotId, chat: ChatId, bulk: bool) -> Vec<Need> {
    let need = |key: String, Limit { rate, burst, ahead }: Limit| Need { key, rate, burst, ahead };
    let mut needs = vec![need(format!("tg:{bot}:{chat}"), if chat.0 < 0 { GROUP } else { CHAT })];
    if bulk {
        needs.push(need(format!("tg:{bot}"), BULK));
    }
    needs
}

fn place(letter: &Letter, placed: Option<Placed>) -> Option<Place> {
    let (OutboundKind::Send { slot: Some(slot), .. } | OutboundKind::Move { slot, .. } | OutboundKind::Edit { slot, .. }) =
        &letter.out.what
    else {
        return None;
    };
    Some(Place { bot: letter.out.bot, chat: letter.out.chat, slot: slot.clone(), placed: placed? })
}
