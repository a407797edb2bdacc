//! What became of each update.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Times of one update that got its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// From when it was made, or due, to the reply.
    pub made_to_reply: Duration,
    /// From when it was handed to the bot (the answer of `getUpdates` is made, the webhook's request is sent) to the reply: the first message or edit
    /// in that chat.
    pub handed_to_reply: Duration,
}

/// What happened in a stretch of time.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Updates that were made.
    pub made: u64,
    /// Of those, taps.
    pub taps: u64,
    /// Updates that were handed to a bot for the first time.
    pub handed: u64,
    /// Updates that got a reply.
    pub replies: Vec<Sample>,
    /// From the handing of a tap to `answerCallbackQuery`.
    pub answers: Vec<Duration>,
    /// Somebody waited for a usable reply in vain and started over.
    pub stuck: u64,
    /// Messages to chats that nobody sits in.
    pub announcements: u64,
    /// Calls by method, `getUpdates` among them.
    pub calls: BTreeMap<&'static str, u64>,
}

/// An update on its way.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) update: i64,
    pub(super) made: Instant,
    pub(super) handed: Option<Instant>,
    pub(super) replied: bool,
    pub(super) answered: bool,
}

impl Entry {
    pub(super) fn new(update: i64, tap: bool, made: Instant) -> Self {
        Self { update, made, handed: None, replied: false, answered: !tap }
    }

    /// Nothing more is expected.
    pub(super) const fn is_over(&self) -> bool {
        self.replied && self.answered
    }
}

impl Tally {
    pub(super) fn hand(&mut self, entry: &mut Entry, now: Instant) {
        if entry.handed.is_none() {
            entry.handed = Some(now);
            self.handed += 1;
        }
    }

    /// The bot wrote to the chat: this is the reply to the first update that it has and that got none.
    pub(super) fn reply(&mut self, entry: &mut Entry, now: Instant) {
        let Some(handed) = entry.handed else { return };
        entry.replied = true;
        self.replies.push(Sample { made_to_reply: now.duration_since(entry.made), handed_to_reply: now.duration_since(handed) });
    }

    pub(super) fn answer(&mut self, entry: &mut Entry, now: Instant) {
        let Some(handed) = entry.handed else { return };
        if !entry.answered {
            entry.answered = true;
            self.answers.push(now.duration_since(handed));
        }
    }

    pub(super) fn call(&mut self, method: &'static str) {
        *self.calls.entry(method).or_default() += 1;
    }
}
