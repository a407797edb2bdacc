//! What the chat page is told as it happens.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::broadcast;

/// Events that a slow page may lag behind before it misses some.
const BACKLOG: usize = 1024;

/// One Server-Sent Event.
#[derive(Debug)]
pub(crate) struct Event {
    /// Whose page it is for; `None` is for all.
    pub(crate) person: Option<i64>,
    pub(crate) name: &'static str,
    pub(crate) data: Value,
}

/// The channel to all open pages.
pub(crate) struct Events(broadcast::Sender<Arc<Event>>);

impl Default for Events {
    fn default() -> Self {
        Self(broadcast::channel(BACKLOG).0)
    }
}

impl Events {
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Arc<Event>> {
        self.0.subscribe()
    }

    /// Tells the pages. The data is built only if a page is open.
    pub(crate) fn publish(&self, person: Option<i64>, name: &'static str, data: impl FnOnce() -> Value) {
        if self.0.receiver_count() > 0 {
            let event = Event { person, name, data: data() };
            // An error only says that the last page closed meanwhile.
            self.0.send(Arc::new(event)).ok();
        }
    }
}
