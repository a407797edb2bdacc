//! Groups. A walk, a card or an answer belongs to one person, and a group may have guests: whoever calls the bot there is told where it works,
//! and it leaves, so that it does not read what it need not know.

use fitter_dialogues::event::Incoming;
use fitter_domain::outbound::OutboundKind;
use fitter_domain::screen::{Button, Press, Screen, Style};
use fitter_domain::{Locale, msg};
use fitter_queue::NewItem;
use fitter_store::{PgConnection, people};

use crate::app::App;
use crate::delivery::{self, Address};
use crate::error::ServiceError;

impl App {
    /// Says in a group that the bot works in private, and how, and leaves. Nothing is kept of whoever called it.
    pub(crate) async fn leave_group(&self, conn: &mut PgConnection, incoming: &Incoming) -> Result<Vec<NewItem>, ServiceError> {
        let known = people::by_user(conn, incoming.user).await?.map(|person| person.locale);
        let locale = known.or_else(|| Locale::from_tag(incoming.language.as_deref()?)).unwrap_or_default();
        let at = Address { bot: incoming.bot, chat: incoming.chat, thread: incoming.thread };
        let mut screen = Screen::say(msg::group_private());
        if let Some(link) = self.username(incoming.bot).map(|username| format!("https://t.me/{username}?start")) {
            let label = msg::button_write_in_private().into();
            screen.buttons.push(vec![Button { label, press: Press::Url(link), style: Style::Plain }]);
        }
        let screen = delivery::localised(&self.messages, locale, screen);
        let mut out = Vec::new();
        if let Some(callback) = &incoming.callback {
            let text = Some(self.messages.say(locale, &msg::group_private()));
            out.push(delivery::item(at, OutboundKind::Answer { callback: callback.clone(), text, alert: true })?);
        }
        out.push(delivery::item(at, OutboundKind::Leave { screen })?);
        Ok(out)
    }
}
