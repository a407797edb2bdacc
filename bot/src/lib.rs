//! Telegram in and out: accept, route, work, render, send.
//!
//! | module | what |
//! | --- | --- |
//! | [`ports`] | what the bot needs of the rest of the product |
//! | [`live`] | the ports over the product's own services |
//! | [`bots`] | starts and stops everything below for several bots |
//! | [`setup`] | who the bot is, its commands and descriptions |
//! | [`poll`], [`webhook`] | raw updates in, by either way |
//! | [`accept`] | … into the inbox, by lane |
//! | [`receipt`] | … and people see it |
//! | [`mod@mend`] | … readable by everybody |
//! | [`incoming`] | a lenient view of an update |
//! | [`rich`] | the words of rich messages |
//! | [`mod@route`] | the handler tree: from updates to what a person did |
//! | [`inbox`] | the inbox worker's handler |
//! | [`outbox`] | the outbox worker's handler: limits and failures |
//! | [`draft`] | an answer while it is written |
//! | [`send`] | one letter out, in parts |
//! | [`render`], [`media`] | a screen as messages, pictures by id or as bytes |
//! | [`mod@fetch`] | photos that people sent |
//! | [`api`], [`fault`] | the wire, and what its errors mean |

pub mod accept;
pub mod api;
pub mod bots;
pub mod draft;
pub mod fault;
pub mod fetch;
pub mod inbox;
pub mod incoming;
pub mod live;
pub mod media;
pub mod mend;
pub mod outbox;
pub mod poll;
pub mod ports;
pub mod receipt;
pub mod render;
pub mod rich;
pub mod route;
pub mod send;
pub mod setup;
pub mod webhook;

pub use bots::{BotConfig, Bots, StartError, Updates};
