//! Taking people's access away, and giving it back. What they did stays.

use fitter_domain::ids::PersonId;
use fitter_domain::msg;
use fitter_domain::outbound::OutboundKind;
use fitter_domain::screen::Screen;
use fitter_store::people;

use crate::app::App;
use crate::delivery::{self, Address};
use crate::error::ServiceError;
use crate::menu;

impl App {
    /// Takes somebody's access away or gives it back, and tells them; `false` if there is no such person.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn set_removed(&self, id: PersonId, removed: bool) -> Result<bool, ServiceError> {
        let mut tx = self.db.pool().begin().await?;
        people::set_removed(&mut tx, id, removed).await?;
        let Some(person) = people::get(&mut tx, id).await? else { return Ok(false) };
        let mut out = Vec::new();
        for (bot, chat) in people::chats(&mut tx, id).await? {
            out.push(menu::item(&self.messages, Address { bot, chat, thread: None }, &person)?);
        }
        if let Some((bot, chat)) = people::address(&mut tx, id).await? {
            let screen = Screen::say(if removed { msg::access_removed() } else { msg::access_restored() });
            let screen = delivery::localised(&self.messages, person.locale, screen);
            out.push(delivery::item(Address { bot, chat, thread: None }, OutboundKind::Send { slot: None, screen })?);
        }
        let handover = fitter_queue::hand(&mut tx, &self.wake, out).await?;
        tx.commit().await?;
        handover.committed(&self.wake);
        Ok(true)
    }
}
