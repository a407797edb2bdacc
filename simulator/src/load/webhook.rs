//! Updates brought to the bot over several connections at once; those of a chat one after the other, as Telegram does.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::Shared;
use super::params::Params;
use super::world::{Bot, Waiting, World};

/// How long an update that was not taken waits before it is brought again.
const AGAIN: Duration = Duration::from_millis(100);

/// Where a bot's updates go.
pub(super) struct Hook {
    pub(super) url: String,
    secret: String,
    most: usize,
    /// Another webhook has another number; connections of older ones end.
    generation: u64,
    /// Chats of which an update is under way, with what waits behind it.
    busy: HashMap<i64, VecDeque<Waiting>>,
}

impl Hook {
    pub(super) fn set(world: &mut World, bot: usize, params: &Params<'_>) {
        let Some(bot) = world.bots.get_mut(bot) else { return };
        let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
        bot.hooks += 1;
        bot.hook = Some(Self {
            url: text(params.url.as_deref()),
            secret: text(params.secret_token.as_deref()),
            most: params.max_connections(),
            generation: bot.hooks,
            busy: HashMap::new(),
        });
    }

    pub(super) fn delete(world: &mut World, bot: usize) {
        if let Some(bot) = world.bots.get_mut(bot) {
            bot.hook = None;
            bot.news.notify_waiters();
        }
    }
}

/// Starts the connections of a bot whose webhook was set.
pub(super) fn begin(shared: &Arc<Shared>, bot: usize) {
    let (most, generation) = match shared.world().bots.get(bot).and_then(|bot| bot.hook.as_ref()) {
        Some(hook) => (hook.most, hook.generation),
        None => return,
    };
    for _ in 0..most {
        let line = Line { shared: Arc::clone(shared), bot, generation, sender: None };
        let stop = shared.stop.clone();
        tokio::spawn(async move { stop.run_until_cancelled(line.run()).await });
    }
}

/// One connection.
struct Line {
    shared: Arc<Shared>,
    bot: usize,
    generation: u64,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Line {
    async fn run(mut self) {
        let Some(news) = self.shared.world().bots.get(self.bot).map(|bot| Arc::clone(&bot.news)) else { return };
        loop {
            let taken = match self.look(take) {
                None => return,
                Some(taken) => taken,
            };
            let Some(mut waiting) = taken else {
                news.notified().await;
                continue;
            };
            loop {
                let brought = self.bring(&waiting).await;
                if !brought {
                    // A connection that failed may be in the middle of something.
                    self.sender = None;
                    tokio::time::sleep(AGAIN).await;
                }
                match self.look(|bot| if brought { next(bot, waiting.chat) } else { None }) {
                    None => return,
                    Some(Some(after)) => waiting = after,
                    Some(None) if brought => break,
                    Some(None) => {}
                }
            }
        }
    }

    /// Looks at the bot while its webhook is this connection's; none if it is not any more.
    fn look<T>(&self, look: impl FnOnce(&mut Bot) -> Option<T>) -> Option<Option<T>> {
        let mut world = self.shared.world();
        let bot = world.bots.get_mut(self.bot)?;
        (bot.hook.as_ref()?.generation == self.generation).then(|| look(bot))
    }

    /// Whether the bot took the update.
    async fn bring(&mut self, waiting: &Waiting) -> bool {
        let Some((uri, secret)) = self.address() else { return false };
        let host = uri.authority().map(|host| host.as_str().to_owned()).unwrap_or_default();
        let mut sender = match self.sender.take().filter(|sender| !sender.is_closed()) {
            Some(sender) => sender,
            None => match connect(&host).await {
                Some(sender) => sender,
                None => return false,
            },
        };
        let request = Request::post(uri.path())
            .header(HOST, host)
            .header(CONTENT_TYPE, "application/json")
            .header("x-telegram-bot-api-secret-token", secret)
            .body(Full::new(Bytes::copy_from_slice(waiting.json.as_bytes())));
        let (Ok(request), Ok(())) = (request, sender.ready().await) else { return false };
        self.shared.world().hand(self.bot, waiting.chat, waiting.update, Instant::now());
        let Ok(response) = sender.send_request(request).await else { return false };
        let status = response.status();
        let read = response.into_body().collect().await.is_ok();
        if read {
            self.sender = Some(sender);
        }
        status == StatusCode::OK
    }

    fn address(&self) -> Option<(Uri, String)> {
        self.look(|bot| bot.hook.as_ref().and_then(|hook| Some((hook.url.parse().ok()?, hook.secret.clone()))))?
    }
}

/// The next update of a chat of which none is under way.
fn take(bot: &mut Bot) -> Option<Waiting> {
    let hook = bot.hook.as_mut()?;
    while let Some(waiting) = bot.queue.pop_front() {
        match hook.busy.get_mut(&waiting.chat) {
            Some(behind) => behind.push_back(waiting),
            None => {
                hook.busy.insert(waiting.chat, VecDeque::new());
                return Some(waiting);
            }
        }
    }
    None
}

/// An update of the chat was taken: the next one of the same chat, if one waits.
fn next(bot: &mut Bot, chat: i64) -> Option<Waiting> {
    let busy = &mut bot.hook.as_mut()?.busy;
    let after = busy.get_mut(&chat).and_then(VecDeque::pop_front);
    if after.is_none() {
        busy.remove(&chat);
    }
    after
}

async fn connect(host: &str) -> Option<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(host).await.ok()?;
    let _fast = stream.set_nodelay(true);
    let (sender, connection) = handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::trace!(%error, "a webhook's connection ended");
        }
    });
    Some(sender)
}
