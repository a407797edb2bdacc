//! The load mode: a Bot API that produces and absorbs many times what a bot can handle, and measures the bot by it.
//!
//! It checks nothing, keeps no journal and remembers of a chat only the last message with buttons. People come from a [`Crowd`], which says what
//! each of them does after what the bot has shown them. Everything runs in one thread of its own, so its processor time is known
//! ([`Load::cpu`]). The strict simulator is [`crate::Simulator`]; this one is for figures.
//!
//! | file | what |
//! | --- | --- |
//! | `load/crowd.rs` | what people do |
//! | `load/pace.rs` | when they do it |
//! | `load/world.rs` | seats, chats and updates on their way |
//! | `load/calls.rs` | what a bot's calls do and what they are answered |
//! | `load/params.rs` | reading a call's parameters |
//! | `load/http.rs` | the server |
//! | `load/webhook.rs` | updates brought to the bot |
//! | `load/ledger.rs` | what became of each update |

mod calls;
mod crowd;
mod http;
mod ledger;
mod pace;
mod params;
mod webhook;
mod world;

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub use crowd::{Act, Button, Crowd, Seen, Turn};
pub use ledger::{Sample, Tally};
pub use pace::Pace;

use crate::config::BotSeed;
use crate::error::{Error, Result};
use world::World;

/// Settings of a load server.
#[derive(Clone, Debug)]
pub struct LoadConfig {
    /// Where it listens; port 0 takes a free one.
    pub addr: SocketAddr,
    /// The bots that exist.
    pub bots: Vec<BotSeed>,
    /// So many people are in conversation at a time.
    pub seats: usize,
    /// A person goes on only when a message with buttons came; otherwise any message will do.
    pub needs_buttons: bool,
    /// Somebody who got no usable reply for so long starts over; it is counted.
    pub patience: Duration,
}

/// State that the connections share.
struct Shared {
    world: Mutex<World>,
    stop: CancellationToken,
}

impl Shared {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A load server that runs. Dropping it stops it.
pub struct Load {
    shared: Arc<Shared>,
    addr: SocketAddr,
    thread: Option<JoinHandle<()>>,
    schedstat: PathBuf,
}

impl Load {
    /// Starts a server. Nobody does anything before [`Load::pace`] says so.
    ///
    /// # Errors
    /// If the address cannot be bound or no thread be started.
    pub fn start(config: LoadConfig, crowd: impl Crowd) -> Result<Self> {
        let io = |source| Error::Io { what: config.addr.to_string(), source };
        let listener = TcpListener::bind(config.addr).map_err(io)?;
        listener.set_nonblocking(true).map_err(io)?;
        let addr = listener.local_addr().map_err(io)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(io)?;
        let shared = Arc::new(Shared { world: Mutex::new(World::new(&config, Box::new(crowd))), stop: CancellationToken::new() });
        let (tell, told) = std::sync::mpsc::sync_channel(1);
        let thread = {
            let shared = Arc::clone(&shared);
            let run = move || {
                // The file is empty of use elsewhere than on Linux; nobody asks for it there.
                let own = std::fs::read_link("/proc/thread-self").unwrap_or_default();
                let _heard = tell.send(PathBuf::from("/proc").join(own).join("schedstat"));
                runtime.block_on(http::serve(listener, shared));
            };
            std::thread::Builder::new().name("load".to_owned()).spawn(run).map_err(io)?
        };
        let schedstat = told.recv().unwrap_or_default();
        Ok(Self { shared, addr, thread: Some(thread), schedstat })
    }

    /// The address of the API, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Where it listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Says when people do things, from now on.
    pub fn pace(&self, pace: Pace) {
        self.shared.world().set_pace(pace);
    }

    /// Somebody does something beside the crowd: the update's number.
    pub fn act(&self, turn: Turn) -> i64 {
        self.shared.world().act(None, turn, std::time::Instant::now())
    }

    /// What happened since the last time this was asked.
    #[must_use]
    pub fn take(&self) -> Tally {
        self.shared.world().take()
    }

    /// Updates that were made since the start.
    #[must_use]
    pub fn made(&self) -> u64 {
        self.shared.world().made()
    }

    /// Updates that nobody has replied to yet.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.shared.world().outstanding()
    }

    /// Processor time of the server's thread since its start; `None` where the system does not tell.
    #[must_use]
    pub fn cpu(&self) -> Option<Duration> {
        let text = std::fs::read_to_string(&self.schedstat).ok()?;
        text.split_ascii_whitespace().next()?.parse().ok().map(Duration::from_nanos)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.shared.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}
