//! Telegram on one machine: a strict Bot API server and a chat page.
//!
//! A bot talks to `/bot<token>/<method>` as it would to Telegram; people, tests and the chat page
//! talk to `/sim` (see `docs/simulator.md`). [`Simulator::start`] serves both. [`load`] is another server, for figures.

// What a simulator is made of and how it runs.
mod clock;
mod config;
mod error;
mod server;

// The state: bots, people, chats, updates, files, and the journal that keeps them.
mod world;

// Rules of the Bot API: the method table, arguments, texts, keyboards, links.
mod args;
mod keyboard;
mod links;
mod schema;
mod text;

// The Bot API methods, and the person's side of the chat.
mod api;
mod sim;

// Addresses: the Bot API endpoint, webhooks out, the page.
mod http;

pub mod load;

pub use clock::SimClock;
pub use config::{BotSeed, PersonSeed, SimulatorConfig};
pub use error::{Error, Result};
pub use server::{Running, Simulator};
