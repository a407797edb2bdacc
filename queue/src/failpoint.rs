//! Places where tests make a process fail: the boundaries between what is done and what is known to be done.
//!
//! Without the feature `failpoints`, which releases do not have, nothing of it is compiled. With it the variable `FAILPOINTS` says what happens
//! where, in the words of the crate `fail`: `send=1%return(crash)`, `commit=3*off->1*return(error)`, `mark=10%return(5000)`.
//!
//! | place | between |
//! | --- | --- |
//! | `accept` | updates committed to the inbox, and Telegram told so |
//! | `claim` | lanes leased, and a handler at work |
//! | `step` | a turn stepped, and its transaction committed |
//! | `commit` | the transaction committed, and the queue told so |
//! | `send` | an outbox item claimed, and Telegram called |
//! | `mark` | Telegram's answer, and the item marked done |

use crate::error::QueueError;

/// Does what a test wants to happen at this place: `crash` ends the process as `kill -9` would, `error` fails, a number waits so many
/// milliseconds.
///
/// # Errors
/// [`QueueError::Failpoint`], if the test wants one.
#[cfg(feature = "failpoints")]
pub async fn hit(place: &'static str) -> Result<(), QueueError> {
    let what = order(place);
    if let Some(what) = &what {
        tracing::warn!(place, what, "failpoint");
    }
    match what.as_deref() {
        None => Ok(()),
        // No destructors, no buffers written out.
        Some("crash") => std::process::abort(),
        Some("error") => Err(QueueError::Failpoint(place)),
        Some(time) => {
            let time = time.parse().map_err(|_| QueueError::Failpoint(place))?;
            tokio::time::sleep(std::time::Duration::from_millis(time)).await;
            Ok(())
        }
    }
}

/// Nothing happens.
///
/// # Errors
/// Never.
#[cfg(not(feature = "failpoints"))]
pub async fn hit(_place: &'static str) -> Result<(), QueueError> {
    Ok(())
}

/// What a test wants at this place, of the words in `return(…)`.
#[must_use]
pub fn order(place: &str) -> Option<String> {
    #[cfg(feature = "failpoints")]
    fail::fail_point!(place, |words| words);
    let _nothing = place;
    None
}

/// Reads `FAILPOINTS`. It counts until what this returns is dropped.
#[cfg(feature = "failpoints")]
#[must_use]
pub fn arm() -> impl Drop {
    fail::FailScenario::setup()
}
