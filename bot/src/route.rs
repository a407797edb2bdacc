//! From raw updates to one [`Incoming`]: a dptree handler tree over the lenient view.
//!
//! Private chats: everything. Groups: that the bot was called there. Channels and other bots: nothing.

mod burst;
mod content;
mod group;

use std::ops::ControlFlow;
use std::sync::{Arc, LazyLock};

use dptree::di::DependencyMap;
use dptree::prelude::*;
use fitter_dialogues::event::{Incoming, Input, Photo};
use fitter_domain::ids::{BotId, ChatId};
use fitter_domain::words;

use crate::incoming::{Callback, Chat, FileRef, MemberChange, Message, Stopped, Update, User};

/// Who the bot is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// Its number.
    pub id: BotId,
    /// Its username, without `@`.
    pub username: String,
}

/// Bytes of Telegram's ids of files and taps, several times over: they are keys of tables.
const LONGEST_ID: usize = 1024;

type Tree = Endpoint<'static, Option<Incoming>>;

/// The messages of one item: a single one, an album, or what came in one go, in the order of the chat; never empty.
#[derive(Clone)]
struct Messages(Arc<Vec<Message>>);

/// Person, chat and topic, common to all kinds.
#[derive(Clone)]
struct Place {
    chat: ChatId,
    thread: Option<i64>,
    user: User,
}

/// What the person did; `None` if it is not for the bot.
///
/// Several updates are the parts of one album, or came in one go. The tree has no handler that waits, so this never blocks.
pub async fn route(me: &Me, updates: Vec<Update>) -> Option<Incoming> {
    static TREE: LazyLock<Tree> = LazyLock::new(tree);
    match TREE.dispatch(deps_of(me, updates)).await {
        ControlFlow::Break(incoming) => incoming,
        ControlFlow::Continue(_) => None,
    }
}

fn deps_of(me: &Me, updates: Vec<Update>) -> DependencyMap {
    dptree::deps![Arc::new(me.clone()), Arc::new(updates)]
}

fn tree() -> Tree {
    dptree::entry()
        .branch(dptree::filter_map(group::called).endpoint(call))
        .branch(dptree::filter_map(callback).endpoint(tap))
        .branch(dptree::filter_map(stopped).endpoint(stop))
        .branch(dptree::filter_map(member).endpoint(reachable))
        .branch(dptree::filter_map(edited).filter_map(place).filter(from_person).filter(in_private).endpoint(edit))
        .branch(
            dptree::filter_map(messages)
                .filter_map(place)
                .filter(from_person)
                .filter(in_private)
                .branch(dptree::filter_map(burst::burst).endpoint(say))
                .branch(dptree::filter_map(command).endpoint(say))
                .branch(dptree::filter_map(photos).endpoint(say))
                .branch(dptree::filter_map(words).endpoint(say))
                .branch(dptree::filter_map(content::other).endpoint(say)),
        )
}

// Which kind of update.

fn callback(updates: Arc<Vec<Update>>) -> Option<Callback> {
    updates.iter().find_map(|update| update.callback_query.clone())
}

fn stopped(updates: Arc<Vec<Update>>) -> Option<Stopped> {
    updates.iter().find_map(|update| update.stopped_message_generation.clone())
}

fn member(updates: Arc<Vec<Update>>) -> Option<MemberChange> {
    updates.iter().find_map(|update| update.my_chat_member.clone())
}

fn edited(updates: Arc<Vec<Update>>) -> Option<Messages> {
    let message = updates.iter().find_map(|update| update.edited_message.clone())?;
    Some(Messages(Arc::new(vec![message])))
}

fn messages(updates: Arc<Vec<Update>>) -> Option<Messages> {
    let mut messages: Vec<Message> = updates.iter().filter_map(|update| update.message.clone()).collect();
    messages.sort_by_key(|message| message.message_id);
    (!messages.is_empty()).then(|| Messages(Arc::new(messages)))
}

// Who, where, and whether it is for the bot.

fn place(messages: Messages) -> Option<Place> {
    let message = messages.0.first()?;
    let chat = message.chat.as_ref()?;
    // A private chat has the number of its person.
    let user = message.from.clone().or_else(|| chat.is_private().then(|| User { id: chat.id, ..User::default() }))?;
    Some(Place { chat: chat.chat_id()?, thread: message.topic(), user })
}

fn from_person(place: Place) -> bool {
    place.user.is_bot != Some(true) && place.user.id.is_some()
}

fn in_private(messages: Messages) -> bool {
    messages.0.iter().filter_map(|message| message.chat.as_ref()).all(Chat::is_private)
}

// What the person did.

/// `/name@bot payload` as its three parts.
fn parse_command(text: &str) -> Option<(&str, Option<&str>, &str)> {
    let rest = words::trimmed(text).strip_prefix('/')?;
    let (head, payload) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let (name, at) = head.split_once('@').map_or((head, None), |(name, at)| (name, Some(at)));
    let is_name = (1..=32).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    is_name.then_some((name, at, payload.trim()))
}

fn command(me: Arc<Me>, messages: Messages) -> Option<Input> {
    let (name, at, payload) = parse_command(messages.0.first()?.text.as_deref()?)?;
    // A command for another bot is still words that somebody typed here.
    at.is_none_or(|at| at.eq_ignore_ascii_case(&me.username))
        .then(|| Input::Command { name: name.to_ascii_lowercase(), payload: payload.to_owned() })
}

fn photos(messages: Messages) -> Option<Input> {
    let photos: Vec<Photo> = messages.0.iter().filter_map(photo_of).collect();
    let caption = messages.0.iter().find_map(Message::words);
    (!photos.is_empty()).then_some(Input::Photos { photos, caption })
}

fn photo_of(message: &Message) -> Option<Photo> {
    let largest = |sizes: &Vec<FileRef>| {
        let area = |size: &FileRef| (size.width.unwrap_or_default().saturating_mul(size.height.unwrap_or_default()), size.file_size);
        sizes.iter().filter(|size| size.file_id.is_some()).max_by_key(|size| area(size)).cloned()
    };
    let is_image = |file: &&FileRef| file.mime_type.as_deref().is_some_and(|mime| mime.starts_with("image/"));
    // A GIF has both `animation` and `document`: it moves, so it is no photo.
    let file = message.document.as_ref().filter(is_image).filter(|_| !message.rest.contains_key("animation"));
    let file = message.photo.as_ref().and_then(largest).or_else(|| file.cloned())?;
    let file_id = file.file_id.filter(|id| id.len() <= LONGEST_ID)?;
    Some(Photo {
        unique_id: file.file_unique_id.filter(|id| id.len() <= LONGEST_ID).unwrap_or_else(|| file_id.clone()),
        file_id,
        size: file.file_size.unwrap_or_default(),
    })
}

fn words(messages: Messages) -> Option<Input> {
    let message = messages.0.first()?;
    // What comes with a file is a caption, and the file is looked at first.
    message.caption.is_none().then(|| message.words()).flatten().map(|text| Input::Text { text })
}

// Endpoints.

fn incoming(me: &Me, place: &Place, input: Input) -> Option<Incoming> {
    Some(Incoming {
        bot: me.id,
        chat: place.chat,
        thread: place.thread,
        user: place.user.user_id()?,
        first_name: place.user.first_name.as_deref().map(words::name).unwrap_or_default(),
        language: place.user.language_code.clone(),
        message: None,
        reply_to: None,
        callback: None,
        input,
    })
}

async fn say(me: Arc<Me>, messages: Messages, place: Place, input: Input) -> Option<Incoming> {
    let reply_to = messages.0.iter().find_map(|message| message.reply_to_message.as_ref()?.message_id);
    // The first message of a topic is what every message in it "answers": no answer to anything the bot said.
    let reply_to = reply_to.filter(|&id| place.thread != Some(id));
    Some(Incoming { message: messages.0.first()?.message_id, reply_to, ..incoming(&me, &place, input)? })
}

async fn edit(me: Arc<Me>, messages: Messages, place: Place) -> Option<Incoming> {
    let message = messages.0.first()?;
    // A location that moves, a poll that is voted in: nobody changed what they had said.
    let said = message.words().is_some() || message.photo.is_some() || message.document.is_some();
    said.then_some(())?;
    Some(Incoming { message: message.message_id, ..incoming(&me, &place, Input::Edited { text: message.words() })? })
}

async fn call(incoming: Incoming) -> Option<Incoming> {
    Some(incoming)
}

/// What answers a tap, if Telegram can have sent it.
fn tap_id(callback: &Callback) -> Option<String> {
    callback.id.clone().filter(|id| id.len() <= LONGEST_ID)
}

async fn tap(me: Arc<Me>, callback: Callback) -> Option<Incoming> {
    let id = tap_id(&callback)?;
    let user = callback.from?;
    // Without the message there is no chat either: the person hears of it in their own.
    let message = callback.message.unwrap_or_else(|| Message { chat: Some(Chat { id: user.id, kind: None }), ..Message::default() });
    let chat = message.chat.as_ref().filter(|chat| chat.is_private())?;
    let place = Place { chat: chat.chat_id()?, thread: message.topic(), user };
    let input = match callback.data {
        Some(data) => Input::Tap { data },
        None => Input::Other { what: "callback_query".to_owned(), text: None },
    };
    Some(Incoming { message: message.message_id, callback: Some(id), ..incoming(&me, &place, input)? })
}

async fn stop(me: Arc<Me>, stopped: Stopped) -> Option<Incoming> {
    let chat = stopped.chat.filter(Chat::is_private)?;
    // Drafts exist in private chats only, and there the chat's number is the person's.
    let place = Place { chat: chat.chat_id()?, thread: stopped.message_thread_id, user: User { id: chat.id, ..User::default() } };
    incoming(&me, &place, Input::Other { what: "stopped_message_generation".to_owned(), text: None })
}

async fn reachable(me: Arc<Me>, change: MemberChange) -> Option<Incoming> {
    let chat = change.chat.filter(Chat::is_private)?;
    let place = Place { chat: chat.chat_id()?, thread: None, user: change.from? };
    let status = change.new_chat_member?.status?;
    incoming(&me, &place, Input::Reachable { reachable: !matches!(status.as_str(), "kicked" | "left") })
}

#[cfg(test)]
mod tests;
