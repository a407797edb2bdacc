//! Telegram's sending limits, off unless a test switches them on.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::lock;

/// Messages that may come to one chat at once, before one per second.
const CHAT_BURST: i64 = 5;
/// Messages per second over all chats of a bot.
const BULK_PER_SECOND: usize = 30;

/// When each chat and each bot may send again.
#[derive(Default)]
pub(crate) struct RateLimits {
    on: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Per bot and chat: the time up to which its allowance is used, in milliseconds.
    chats: HashMap<(i64, i64), i64>,
    /// Per bot: the times of the last second's messages.
    bots: HashMap<i64, VecDeque<i64>>,
}

impl RateLimits {
    pub(crate) fn set(&self, on: bool) {
        self.on.store(on, Ordering::SeqCst);
        *lock(&self.state) = State::default();
    }

    /// Counts one message, or says how many seconds to wait.
    pub(crate) fn check(&self, bot: i64, chat: i64, now_ms: i64) -> Result<(), u64> {
        if !self.on.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut state = lock(&self.state);
        let used = state.chats.get(&(bot, chat)).copied().unwrap_or(0).max(now_ms);
        let ahead = used + 1000 - now_ms;
        if ahead > CHAT_BURST * 1000 {
            let wait = (ahead - CHAT_BURST * 1000 + 999) / 1000;
            return Err(u64::try_from(wait).unwrap_or(1));
        }
        let recent = state.bots.entry(bot).or_default();
        while recent.front().is_some_and(|at| *at <= now_ms - 1000) {
            recent.pop_front();
        }
        if recent.len() >= BULK_PER_SECOND {
            return Err(1);
        }
        recent.push_back(now_ms);
        state.chats.insert((bot, chat), used + 1000);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chat_takes_a_burst_and_then_one_message_a_second() {
        let limits = RateLimits::default();
        assert!((0..100).all(|_| limits.check(1, 1, 0).is_ok()), "off");
        limits.set(true);
        assert!((0..5).all(|_| limits.check(1, 1, 0).is_ok()), "burst");
        assert_eq!(limits.check(1, 1, 0), Err(1));
        assert_eq!(limits.check(1, 2, 0), Ok(()), "another chat");
        assert_eq!(limits.check(1, 1, 1000), Ok(()));
    }

    #[test]
    fn a_bot_sends_thirty_messages_a_second() {
        let limits = RateLimits::default();
        limits.set(true);
        assert!((0..30).all(|chat| limits.check(1, chat, 0).is_ok()));
        assert_eq!(limits.check(1, 31, 0), Err(1));
        assert_eq!(limits.check(2, 31, 0), Ok(()), "another bot");
        assert_eq!(limits.check(1, 31, 1001), Ok(()));
    }
}
