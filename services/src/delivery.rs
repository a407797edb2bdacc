//! Screens in the reader's language on their way to the outbox.

use fitter_domain::ids::{BotId, ChatId};
use fitter_domain::outbound::{Outbound, OutboundKind};
use fitter_domain::person::Person;
use fitter_domain::screen::{Media, Screen};
use fitter_domain::{Locale, Msg};
use fitter_prompts::Messages;
use fitter_queue::{NewItem, Priority, Queue};

use crate::error::ServiceError;

/// Where a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// By which bot.
    pub bot: BotId,
    /// To which chat.
    pub chat: ChatId,
    /// In which topic.
    pub thread: Option<i64>,
}

/// The outbox lane of a chat.
#[must_use]
pub fn chat_lane(bot: BotId, chat: ChatId) -> String {
    format!("{bot}:{chat}")
}

/// The inbox lane of a chat: people and the outcomes of slow work are handled in the order in which they come. The same
/// as the lane of Telegram's updates.
#[must_use]
pub fn inbox_lane(bot: BotId, chat: ChatId, thread: Option<i64>) -> String {
    format!("{bot}:{chat}:{}", thread.unwrap_or(0))
}

/// A screen in a language.
#[must_use]
pub fn localised(messages: &Messages, locale: Locale, screen: Screen) -> Screen {
    screen.resolve(&|msg: &Msg| messages.say(locale, msg))
}

/// A screen for somebody else: pictures that only the sender's bot can show are left out.
#[must_use]
pub fn for_reader(messages: &Messages, reader: &Person, same_bot: bool, mut screen: Screen) -> Screen {
    if !same_bot {
        screen.media.retain(|media| !matches!(media, Media::File(_)));
    }
    localised(messages, reader.locale, screen)
}

/// The outbox item of something to do in a chat.
///
/// # Errors
/// If it has no JSON form.
pub fn item(to: Address, what: OutboundKind) -> Result<NewItem, ServiceError> {
    let lane = match &what {
        // A lane of its own: the button stops spinning whatever else waits for the chat.
        OutboundKind::Answer { callback, .. } => format!("answer:{callback}"),
        // Nobody waits for a list of commands, and nothing has to wait behind it.
        OutboundKind::Commands { .. } => format!("commands:{}", chat_lane(to.bot, to.chat)),
        _ => chat_lane(to.bot, to.chat),
    };
    let (priority, group) = match &what {
        OutboundKind::Answer { .. } => (Priority::Urgent, None),
        // Only the newest waiting edit of a message is worth sending.
        OutboundKind::Edit { slot, .. } => (Priority::Normal, Some(format!("edit:{}", slot.0))),
        OutboundKind::Commands { .. } => (Priority::Bulk, None),
        // However many people call it at once, it leaves once.
        OutboundKind::Leave { .. } => (Priority::Normal, Some("leave".to_owned())),
        _ => (Priority::Normal, None),
    };
    let item = NewItem::json(Queue::Outbox, lane, &Outbound { bot: to.bot, chat: to.chat, thread: to.thread, what })?.priority(priority);
    Ok(match group {
        Some(group) => item.replacing(group),
        None => item,
    })
}
