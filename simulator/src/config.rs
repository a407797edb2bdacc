//! What a simulator starts with.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Settings of one simulator.
#[derive(Clone, Debug)]
pub struct SimulatorConfig {
    /// Where `Simulator::start` listens; port 0 takes a free one.
    pub addr: SocketAddr,
    /// The bots that exist. A bot is known by its token.
    pub bots: Vec<BotSeed>,
    /// The people who exist from the start.
    pub people: Vec<PersonSeed>,
    /// A directory that keeps the state across restarts; `None` keeps it in memory.
    pub state_file: Option<PathBuf>,
}

impl Default for SimulatorConfig {
    fn default() -> Self {
        Self { addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), bots: Vec::new(), people: Vec::new(), state_file: None }
    }
}

/// One bot, as BotFather would have made it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct BotSeed {
    /// The whole token, `<id>:<secret>`.
    pub token: String,
    /// Username without `@`.
    pub username: String,
    /// Name shown in the chat list until `setMyName`.
    pub first_name: String,
    /// User id of the bot.
    pub id: i64,
}

/// One person with a Telegram account.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PersonSeed {
    /// User id, which is also the id of every private chat with the person.
    pub id: i64,
    /// First name.
    pub first_name: String,
    /// Last name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// Username without `@`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Language of the person's client, an IETF tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language_code: Option<String>,
    /// A line for the chat page that says who this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}
