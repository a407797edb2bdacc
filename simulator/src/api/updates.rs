//! `getUpdates`: the only method that waits.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::Call;
use crate::error::{ApiError, ApiResult};
use crate::world::lock;
use crate::world::updates::PollEnd;

/// The longest poll, in seconds.
const LONGEST: i64 = 50;

/// Serves one poll; the result is a JSON array that was never taken apart.
pub(crate) async fn get_updates(call: &Call<'_>) -> ApiResult<String> {
    let queue = &call.bot.updates;
    let journal = &call.world.journal;
    let webhook_is_set = || lock(&call.bot.profile).webhook.is_some();
    if webhook_is_set() {
        return Err(ApiError::conflict(
            "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
        ));
    }
    if let Some(kinds) = allowed_updates(call) {
        queue.allow(journal, kinds);
    }
    let poll = queue.begin_poll();
    let offset = call.args.int("offset").unwrap_or(0);
    if offset != 0 {
        queue.confirm(journal, offset);
    }
    let limit = call.args.int("limit").unwrap_or(100).clamp(1, 100);
    let wait = call.args.int("timeout").unwrap_or(0).clamp(0, LONGEST);
    let deadline = Instant::now() + Duration::from_secs(wait.unsigned_abs());
    loop {
        // The wake-up must be armed before the look, or an update between the two is missed.
        let wake = queue.wake.notified();
        tokio::pin!(wake);
        wake.as_mut().enable();
        let held_until = queue.release(journal, call.world.clock.now_ms());
        match queue.fetch(poll, offset, usize::try_from(limit).unwrap_or(100), call.world.clock.now()) {
            Ok(updates) => return Ok(updates),
            Err(PollEnd::Replaced) if webhook_is_set() => {
                return Err(ApiError::conflict("terminated by setWebhook request"));
            }
            Err(PollEnd::Replaced) => {
                return Err(ApiError::conflict("terminated by other getUpdates request; make sure that only one bot instance is running"));
            }
            Err(PollEnd::Empty) => {}
        }
        tokio::select! {
            () = call.world.stop.cancelled() => return Ok("[]".into()),
            () = call.world.clock.reaches(held_until.unwrap_or(i64::MAX)), if held_until.is_some() => {}
            woken = timeout_at(deadline, wake) => {
                if woken.is_err() {
                    return Ok("[]".into());
                }
            }
        }
    }
}

/// The kinds a bot asks for. What cannot be parsed is ignored, as Telegram does.
pub(crate) fn allowed_updates(call: &Call<'_>) -> Option<Vec<String>> {
    let kinds = call.args.array("allowed_updates")?;
    Some(kinds.iter().filter_map(|kind| kind.as_str().map(str::to_owned)).collect())
}
