//! Groups. The product works with one person at a time: whoever calls it in a group hears where it is to be found, and it leaves.

use std::sync::Arc;

use fitter_dialogues::event::{Incoming, Input};

use super::{Me, Place, incoming, parse_command, tap_id};
use crate::incoming::{Callback, Chat, MemberChange, Message, Update, User};

/// The bot came into a group, or somebody speaks to it there.
pub(super) fn called(me: Arc<Me>, updates: Arc<Vec<Update>>) -> Option<Incoming> {
    updates.iter().find_map(|update| {
        let arrived = || arrival(&me, update.my_chat_member.as_ref()?);
        let tapped = || tap(&me, update.callback_query.as_ref()?);
        let spoken = || word(&me, update.message.as_ref()?);
        arrived().or_else(tapped).or_else(spoken)
    })
}

fn call(me: &Me, chat: Option<&Chat>, thread: Option<i64>, user: Option<&User>) -> Option<Incoming> {
    let chat = chat.filter(|chat| chat.is_group())?.chat_id()?;
    incoming(me, &Place { chat, thread, user: user?.clone() }, Input::Group)
}

fn arrival(me: &Me, change: &MemberChange) -> Option<Incoming> {
    call(me, change.chat.as_ref().filter(|_| change.is_arrival()), None, change.from.as_ref())
}

fn tap(me: &Me, callback: &Callback) -> Option<Incoming> {
    let message = callback.message.as_ref()?;
    Some(Incoming { callback: tap_id(callback), ..call(me, message.chat.as_ref(), message.topic(), callback.from.as_ref())? })
}

fn word(me: &Me, message: &Message) -> Option<Incoming> {
    // An administrator who stays anonymous speaks through a bot of Telegram's, on behalf of the group itself.
    let for_group = message.sender_chat.as_ref().is_some_and(Chat::is_group);
    let person = message.from.as_ref().filter(|from| from.is_bot != Some(true) || for_group)?;
    let answered = message.reply_to_message.as_ref().and_then(|answered| answered.from.as_ref()?.id) == Some(me.id.0);
    let named = message.text.as_deref().and_then(parse_command).and_then(|(_, at, _)| at);
    let addressed = answered || named.is_some_and(|at| at.eq_ignore_ascii_case(&me.username));
    call(me, message.chat.as_ref().filter(|_| addressed), message.topic(), Some(person))
}
