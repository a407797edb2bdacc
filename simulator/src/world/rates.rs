//! Telegram's sending limits, off unless a test switches them on.
//!
//! Telegram publishes three figures (Bots FAQ, "My bot is hitting limits"): about one message a second in a chat, with short bursts; 20 a
//! minute in a group; about 30 a second in bulk notifications. Answers have no limit over all chats (tdlib/td#1834), edits count like messages
//! (telegram-bot-api#648). How large a burst is and what counts as bulk is not published: both are settings here.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use super::lock;

/// The figures of the limits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Figures {
    /// Messages a second in a private chat, in the long run.
    chat_per_second: f64,
    /// Messages that may come to a private chat at once.
    chat_burst: u32,
    /// Messages in any 60 s in a group.
    group_per_minute: u32,
    /// Messages in any second, over all chats of a bot, that are no answers.
    bulk_per_second: u32,
    /// For so many seconds after somebody wrote or tapped in a chat, messages there are answers.
    answer_s: u32,
}

impl Default for Figures {
    fn default() -> Self {
        Self { chat_per_second: 1.0, chat_burst: 45, group_per_minute: 20, bulk_per_second: 30, answer_s: 60 }
    }
}

impl Figures {
    /// What is wrong with them.
    pub(crate) fn complaint(&self) -> Option<&'static str> {
        let counts = [self.chat_burst, self.group_per_minute, self.bulk_per_second];
        if !(self.chat_per_second > 0.0 && self.chat_per_second.is_finite()) || counts.contains(&0) {
            return Some("a limit must be above 0");
        }
        None
    }
}

/// What a call adds to a chat.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) bot: i64,
    pub(crate) chat: i64,
    pub(crate) messages: usize,
    /// An edit makes no new message and notifies nobody.
    pub(crate) edit: bool,
}

/// Who has sent how much, and who was written to.
#[derive(Default)]
pub(crate) struct RateLimits {
    on: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    figures: Figures,
    /// Per bot and private chat: what is left of the burst, and when that was, in clock milliseconds.
    chats: HashMap<(i64, i64), (f64, i64)>,
    /// Per bot and group: the times of the last minute's messages.
    groups: HashMap<(i64, i64), VecDeque<i64>>,
    /// Per bot: the times of the last second's bulk messages.
    bulk: HashMap<i64, VecDeque<i64>>,
    /// When somebody last wrote or tapped in a chat.
    heard: HashMap<(i64, i64), i64>,
}

impl RateLimits {
    /// Switches the limits; what was counted is forgotten.
    pub(crate) fn set(&self, on: bool, figures: Option<Figures>) {
        let mut state = lock(&self.state);
        let figures = figures.unwrap_or(state.figures);
        *state = State { figures, ..State::default() };
        self.on.store(on, Ordering::SeqCst);
    }

    /// Whether they are on, and their figures.
    pub(crate) fn figures(&self) -> (bool, Figures) {
        (self.on.load(Ordering::SeqCst), lock(&self.state).figures)
    }

    /// Notes that somebody wrote or tapped: what the bot sends there next is an answer.
    pub(crate) fn heard(&self, bot: i64, chat: i64, now_ms: i64) {
        if self.on.load(Ordering::Relaxed) {
            lock(&self.state).heard.insert((bot, chat), now_ms);
        }
    }

    /// Counts messages, or says how many seconds to wait. A refused call counts nothing.
    pub(crate) fn check(&self, load: Load, now_ms: i64) -> Result<(), u64> {
        if !self.on.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut state = lock(&self.state);
        let wait_ms = state.chat_wait(load, now_ms).max(state.bulk_wait(load, now_ms));
        if wait_ms > 0 {
            return Err(u64::try_from((wait_ms + 999) / 1000).unwrap_or(1));
        }
        state.count(load, now_ms);
        Ok(())
    }
}

impl State {
    /// What is left of a private chat's burst.
    fn left(&self, load: Load, now_ms: i64) -> f64 {
        let burst = f64::from(self.figures.chat_burst);
        let Some((left, at)) = self.chats.get(&(load.bot, load.chat)) else { return burst };
        #[expect(clippy::cast_precision_loss, reason = "times between messages are short")]
        let seconds = (now_ms - at) as f64 / 1000.0;
        (left + seconds * self.figures.chat_per_second).min(burst)
    }

    /// Milliseconds until the chat takes the messages. What is more than fits at once waits until all is free.
    fn chat_wait(&mut self, load: Load, now_ms: i64) -> i64 {
        if load.chat < 0 {
            let most = self.figures.group_per_minute as usize;
            return window_wait(self.groups.entry((load.bot, load.chat)).or_default(), load.messages, most, 60_000, now_ms);
        }
        let needed = u32::try_from(load.messages).unwrap_or(u32::MAX).min(self.figures.chat_burst);
        let missing = f64::from(needed) - self.left(load, now_ms);
        // A message that is a hair too early is not.
        if missing < 1e-6 {
            return 0;
        }
        #[expect(clippy::cast_possible_truncation, reason = "a wait is some minutes at most")]
        let ms = (missing / self.figures.chat_per_second * 1000.0).ceil() as i64;
        ms.max(1)
    }

    /// Milliseconds until the bot may send them to people who did not ask.
    fn bulk_wait(&mut self, load: Load, now_ms: i64) -> i64 {
        if !self.is_bulk(load, now_ms) {
            return 0;
        }
        let most = self.figures.bulk_per_second as usize;
        window_wait(self.bulk.entry(load.bot).or_default(), load.messages, most, 1000, now_ms)
    }

    fn is_bulk(&self, load: Load, now_ms: i64) -> bool {
        let answer_ms = i64::from(self.figures.answer_s) * 1000;
        let heard = self.heard.get(&(load.bot, load.chat));
        !load.edit && heard.is_none_or(|at| now_ms - at >= answer_ms)
    }

    fn count(&mut self, load: Load, now_ms: i64) {
        let times = || std::iter::repeat_n(now_ms, load.messages);
        if self.is_bulk(load, now_ms) {
            self.bulk.entry(load.bot).or_default().extend(times());
        }
        let key = (load.bot, load.chat);
        if load.chat < 0 {
            self.groups.entry(key).or_default().extend(times());
        } else {
            let used = f64::from(u32::try_from(load.messages).unwrap_or(u32::MAX));
            self.chats.insert(key, (self.left(load, now_ms) - used, now_ms));
        }
    }
}

/// Milliseconds until `more` fit into the last `window_ms` with at most `most`.
fn window_wait(times: &mut VecDeque<i64>, more: usize, most: usize, window_ms: i64, now_ms: i64) -> i64 {
    while times.front().is_some_and(|at| *at <= now_ms - window_ms) {
        times.pop_front();
    }
    let more = more.min(most);
    let Some(over) = (times.len() + more).checked_sub(most).filter(|over| *over > 0) else { return 0 };
    times.get(over - 1).map_or(0, |at| at + window_ms - now_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> RateLimits {
        let limits = RateLimits::default();
        limits.set(true, None);
        limits
    }

    fn load(chat: i64, messages: usize) -> Load {
        Load { bot: 1, chat, messages, edit: false }
    }

    #[test]
    fn off_means_off() {
        let limits = RateLimits::default();
        assert!((0..1000).all(|_| limits.check(load(5, 1), 0).is_ok()));
    }

    #[test]
    fn a_chat_takes_a_burst_and_then_one_message_a_second() {
        let limits = limits();
        limits.heard(1, 5, 0);
        assert!((0..45).all(|_| limits.check(load(5, 1), 0).is_ok()), "burst");
        assert_eq!(limits.check(load(5, 1), 0), Err(1));
        assert_eq!(limits.check(load(5, 10), 0), Err(10), "an album counts as its parts");
        assert_eq!(limits.check(load(6, 1), 0), Ok(()), "another chat");
        assert_eq!(limits.check(load(5, 1), 999), Err(1));
        assert_eq!(limits.check(load(5, 1), 1000), Ok(()));
        assert_eq!(limits.check(load(5, 1), 1000), Err(1));
        let edit = Load { edit: true, ..load(5, 1) };
        assert_eq!(limits.check(edit, 1500), Err(1), "an edit counts too");
        limits.heard(1, 5, 3_600_000);
        assert!((0..45).all(|_| limits.check(load(5, 1), 3_600_000).is_ok()), "the burst is there again");
    }

    #[test]
    fn a_group_takes_twenty_in_any_minute() {
        let limits = limits();
        assert!((0..20).all(|second| limits.check(load(-5, 1), second * 1000).is_ok()));
        assert_eq!(limits.check(load(-5, 1), 20_000), Err(40));
        assert_eq!(limits.check(load(-5, 3), 20_000), Err(42));
        assert_eq!(limits.check(load(-6, 1), 20_000), Ok(()));
        assert_eq!(limits.check(load(-5, 1), 60_000), Ok(()));
        assert_eq!(limits.check(load(-5, 1), 60_000), Err(1));
    }

    #[test]
    fn bulk_is_what_nobody_asked_for() {
        let limits = limits();
        assert!((0..30).all(|chat| limits.check(load(100 + chat, 1), 0).is_ok()));
        assert_eq!(limits.check(load(200, 1), 0), Err(1));
        assert_eq!(limits.check(Load { bot: 2, ..load(200, 1) }, 0), Ok(()), "another bot");
        let edit = Load { edit: true, ..load(200, 1) };
        assert_eq!(limits.check(edit, 0), Ok(()), "an edit notifies nobody");
        // Answers pass, however many chats they go to.
        for chat in 1000..2000 {
            limits.heard(1, chat, 0);
        }
        assert!((1000..2000).all(|chat| limits.check(load(chat, 1), 59_999).is_ok()));
        assert!((1000..1030).all(|chat| limits.check(load(chat, 1), 60_000).is_ok()));
        assert_eq!(limits.check(load(1031, 1), 60_000), Err(1), "a minute later it is no answer any more");
        assert_eq!(limits.check(load(1031, 1), 61_000), Ok(()));
    }

    #[test]
    fn figures_can_be_set() {
        let limits = RateLimits::default();
        let figures: Figures = serde_json::from_str(r#"{"chat_burst": 2, "chat_per_second": 0.5}"#).unwrap();
        limits.set(true, Some(figures));
        limits.heard(1, 5, 0);
        assert!(limits.check(load(5, 2), 0).is_ok());
        assert_eq!(limits.check(load(5, 1), 0), Err(2));
        assert!(limits.check(load(5, 100), 4000).is_ok(), "more than the burst waits until all of it is free");
        limits.set(true, None);
        assert_eq!(limits.figures(), (true, figures));
        assert!(Figures { chat_burst: 0, ..figures }.complaint().is_some());
        assert!(Figures { chat_per_second: 0.0, ..figures }.complaint().is_some());
    }
}
