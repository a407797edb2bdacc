//! One letter out: the calls that it takes, in order, resumed where they stopped.

use std::sync::Arc;
use std::time::Instant;

use fitter_domain::outbound::{Outbound, OutboundKind};
use fitter_domain::rich::Formatted;
use fitter_domain::screen::{Media, Screen, Slot};
use fitter_queue::ItemId;
use serde_json::{Value, json};
use teloxide::payloads::{AnswerCallbackQuery, AnswerCallbackQuerySetters, SendChatAction};
use teloxide::types::{CallbackQueryId, ChatAction};
use tracing::Instrument;

use crate::api::{Api, Call};
use crate::fault::{ApiError, Fault};
use crate::incoming::Message;
use crate::media::Attached;
use crate::ports::{Blobs, MessageKind, Placed, PortError, Storage};
use crate::render::{self, Part, To};

/// Characters of an answer to a tap (Bot API: `answerCallbackQuery`).
const ANSWER_LIMIT: usize = 200;

/// Why a letter is not out.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Telegram.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The rest of the product.
    #[error(transparent)]
    Port(#[from] PortError),
}

/// A claimed outbox item.
#[derive(Debug, Clone, PartialEq)]
pub struct Letter {
    /// Number of the item.
    pub item: ItemId,
    /// What to do.
    pub out: Outbound,
    /// How far it got.
    pub progress: Progress,
}

/// How far a letter got: what is sent is not sent again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// For each part that is done, its (last) message; `None` for a part that was left out.
    pub sent: Vec<Option<Placed>>,
    /// Formatting was refused: the rest goes as plain text.
    pub plain: bool,
    /// An edit turned into a new message.
    pub anew: bool,
}

/// Sends the letters of one bot.
pub struct Sender {
    api: Arc<Api>,
    storage: Arc<dyn Storage>,
    blobs: Arc<dyn Blobs>,
}

impl Sender {
    /// A sender.
    #[must_use]
    pub fn new(api: Arc<Api>, storage: Arc<dyn Storage>, blobs: Arc<dyn Blobs>) -> Self {
        Self { api, storage, blobs }
    }

    /// Sends a letter and tells which message takes its slot. `letter.progress` follows what is done, and parts are stored while there are more to send.
    ///
    /// # Errors
    /// [`Failure`]; what `letter.progress` holds by then is done.
    pub async fn send(&self, letter: &mut Letter) -> Result<Option<Placed>, Failure> {
        let (chat, thread) = (letter.out.chat, letter.out.thread);
        match letter.out.what.clone() {
            OutboundKind::Answer { callback, text, alert } => self.answer(callback, text, alert).await.map(|()| None),
            OutboundKind::Busy => {
                let busy = SendChatAction::new(teloxide::types::ChatId(chat.0), ChatAction::Typing);
                let busy = SendChatAction { message_thread_id: topic(thread), ..busy };
                // The next message says more than a missing "typing…".
                let _ignored: Result<bool, _> = self.timed("sendChatAction", self.api.ask(&busy)).await;
                Ok(None)
            }
            OutboundKind::Retire { slot } => {
                if let Some(old) = self.storage.placed(letter.out.bot, chat, &slot).await? {
                    self.retire(letter, old).await?;
                }
                Ok(None)
            }
            OutboundKind::Delete { slot } => {
                if self.delete(letter, &slot).await? {
                    self.storage.displace(letter.out.bot, chat, &slot).await?;
                }
                Ok(None)
            }
            OutboundKind::Move { slot, screen } => {
                match self.delete(letter, &slot).await {
                    // Whether the chat wants to hear from the bot says the message that follows.
                    Err(Failure::Api(error)) if error.fault() == Fault::Blocked => {}
                    // Once more after a failure: what is gone already is no matter.
                    deleted => drop(deleted?),
                }
                self.anew(letter, &screen).await
            }
            OutboundKind::Send { screen, .. } => self.anew(letter, &screen).await,
            OutboundKind::Commands { commands } => self.commands(chat.0, &commands).await.map(|()| None),
            OutboundKind::Leave { screen } => self.leave(letter, &screen).await.map(|()| None),
            OutboundKind::Edit { slot, screen } => self.edit(letter, &slot, &screen).await,
        }
    }

    /// Deletes the message of a slot; whether there was one.
    async fn delete(&self, letter: &Letter, slot: &Slot) -> Result<bool, Failure> {
        let Some(old) = self.storage.placed(letter.out.bot, letter.out.chat, slot).await? else { return Ok(false) };
        let call = Call::new("deleteMessage").with("chat_id", letter.out.chat.0).with("message_id", old.message);
        match done_if(self.call::<bool>(call).await, &[Fault::Gone]) {
            // Older than 48 hours: it stays, without buttons.
            Err(Failure::Api(error)) if error.fault() == Fault::Rejected => {
                tracing::debug!(%error, "a message is not deleted");
                self.retire(letter, old).await?;
            }
            deleted => deleted?,
        }
        Ok(true)
    }

    async fn answer(&self, callback: String, text: Option<String>, alert: bool) -> Result<(), Failure> {
        let mut answer = AnswerCallbackQuery::new(CallbackQueryId(callback)).show_alert(alert);
        answer.text = text.map(|text| text.chars().take(ANSWER_LIMIT).collect());
        let answered: Result<bool, ApiError> = self.timed("answerCallbackQuery", self.api.ask(&answer)).await;
        done_if(answered, &[Fault::TooOld])
    }

    /// The commands of one chat. They are a convenience: what Telegram does not take is not tried for ever.
    async fn commands(&self, chat: i64, commands: &[(String, String)]) -> Result<(), Failure> {
        let list: Vec<Value> = commands.iter().map(|(name, text)| json!({"command": name, "description": text})).collect();
        let call = if list.is_empty() { Call::new("deleteMyCommands") } else { Call::new("setMyCommands").with("commands", list) };
        let call = call.with("scope", json!({"type": "chat", "chat_id": chat}));
        done_if(self.call::<bool>(call).await, &[Fault::Rejected, Fault::Blocked])
    }

    /// Says why and leaves. Not every group lets a bot write; that is no reason to stay.
    async fn leave(&self, letter: &mut Letter, screen: &Screen) -> Result<(), Failure> {
        const NO_MATTER: [Fault; 3] = [Fault::Rejected, Fault::Blocked, Fault::Gone];
        match self.anew(letter, screen).await {
            Err(Failure::Api(error)) if NO_MATTER.contains(&error.fault()) => tracing::debug!(%error, "a group does not let the bot write"),
            said => drop(said?),
        }
        let call = Call::new("leaveChat").with("chat_id", letter.out.chat.0);
        done_if(self.call::<bool>(call).await, &NO_MATTER)
    }

    /// Takes the buttons off a message.
    async fn retire(&self, letter: &Letter, old: Placed) -> Result<(), Failure> {
        let call = Call::new("editMessageReplyMarkup").with("chat_id", letter.out.chat.0).with("message_id", old.message);
        done_if(self.call::<Value>(call).await, &[Fault::NotModified, Fault::Gone])
    }

    async fn edit(&self, letter: &mut Letter, slot: &Slot, screen: &Screen) -> Result<Option<Placed>, Failure> {
        let Some(old) = self.storage.placed(letter.out.bot, letter.out.chat, slot).await? else {
            letter.progress.anew = true;
            return self.anew(letter, screen).await;
        };
        if !letter.progress.anew {
            match self.in_place(letter, old, screen).await? {
                Some(placed) => return Ok(Some(placed)),
                None => letter.progress.anew = true,
            }
        }
        // Before the new message, which would be sent twice if this had to be waited for. Buttons left on the old one are a blemish, no reason
        // to fail.
        match self.retire(letter, old).await {
            Err(Failure::Api(error)) if !matches!(error.fault(), Fault::Wait(_)) => tracing::debug!(%error, "old buttons stay"),
            retired => retired?,
        }
        self.anew(letter, screen).await
    }

    /// Changes a message; `None` if it must be sent anew.
    async fn in_place(&self, letter: &mut Letter, old: Placed, screen: &Screen) -> Result<Option<Placed>, Failure> {
        let mut parts = render::parts(screen);
        let (Some(part), true) = (parts.pop(), parts.is_empty()) else { return Ok(None) };
        loop {
            let call = Call::new("").with("chat_id", letter.out.chat.0).with("message_id", old.message);
            let call = call.with_some("reply_markup", render::keyboard(&screen.buttons));
            let (call, kind, attached) = match (&part, old.kind) {
                (Part::Text { text, .. }, MessageKind::Text) => {
                    let call = Call { method: "editMessageText", ..call }.with("link_preview_options", json!({"is_disabled": true}));
                    (with_text(call, "text", text, letter.progress.plain), MessageKind::Text, None)
                }
                (Part::Photo { media, caption, .. }, _) => {
                    let Some(attached) = self.find(letter, std::slice::from_ref(media)).await? else {
                        return Ok(None);
                    };
                    let mut input = attached.inputs().into_iter().next().unwrap_or_default();
                    input.insert("caption".to_owned(), caption.text.clone().into());
                    if !letter.progress.plain {
                        input.insert("caption_entities".to_owned(), json!(caption.entities));
                    }
                    let call = Call { method: "editMessageMedia", files: attached.uploads(), ..call }.with("media", input);
                    (call, MessageKind::Media, Some(attached))
                }
                // Telegram cannot take the picture out of a message, nor make an album of it.
                (Part::Text { .. }, MessageKind::Media) | (Part::Album { .. }, _) => return Ok(None),
            };
            let error = match self.call::<Message>(call).await {
                Ok(message) => {
                    self.remember(letter, attached.as_ref(), &[message]).await;
                    return Ok(Some(Placed { message: old.message, kind }));
                }
                Err(error) => error,
            };
            match error.fault() {
                Fault::NotModified => return Ok(Some(Placed { message: old.message, kind })),
                Fault::Gone | Fault::OtherKind => return Ok(None),
                Fault::Formatting if !letter.progress.plain => letter.progress.plain = true,
                // Sending anew knows how to do without the picture.
                Fault::StaleFile | Fault::Rejected if attached.is_some() => return Ok(None),
                _ => return Err(error.into()),
            }
        }
    }

    /// Sends the parts of a screen that are not sent yet.
    async fn anew(&self, letter: &mut Letter, screen: &Screen) -> Result<Option<Placed>, Failure> {
        let to = To { chat: letter.out.chat, thread: letter.out.thread, silent: screen.silent };
        let parts = render::parts(screen);
        if parts.is_empty() {
            tracing::error!("nothing to send: the screen has neither words nor pictures");
        }
        if parts.len() > 1 && letter.progress.sent.is_empty() {
            // An attempt may have begun it that is not counted: it had to wait, or the database went away meanwhile.
            let sent = self.storage.parts(letter.out.bot, letter.out.chat, letter.item).await?;
            letter.progress.sent.extend(sent);
        }
        for (at, part) in parts.iter().enumerate().skip(letter.progress.sent.len()) {
            let placed = match self.part(letter, to, part).await {
                // They may be there already and cannot be asked for; a slow upload must not keep the words and the buttons back.
                Err(Failure::Api(error)) if error.fault() == Fault::Uncertain && at + 1 < parts.len() && !has_words(part) => {
                    tracing::warn!(%error, "pictures of a message may not have been delivered, its words go on");
                    None
                }
                placed => placed?,
            };
            letter.progress.sent.push(placed);
            if at + 1 < parts.len() {
                self.storage.part_done(letter.out.bot, letter.out.chat, letter.item, at, placed).await?;
            }
        }
        Ok(letter.progress.sent.last().copied().flatten())
    }

    /// Sends one part and gives its last message; `None` if it is left out.
    async fn part(&self, letter: &mut Letter, mut to: To, part: &Part) -> Result<Option<Placed>, Failure> {
        let mut fresh = false;
        loop {
            let call = Call { params: to.params(), ..Call::new("sendMessage") };
            let (call, attached) = match part {
                Part::Text { text, markup } => {
                    let call = call.with("link_preview_options", json!({"is_disabled": true})).with_some("reply_markup", markup.clone());
                    (with_text(call, "text", text, letter.progress.plain), None)
                }
                Part::Photo { media, caption, markup } => {
                    let found = self.find(letter, std::slice::from_ref(media)).await?;
                    let Some(attached) = found else { return self.without_picture(letter, to, part).await };
                    let call = Call { method: "sendPhoto", files: attached.uploads(), ..call };
                    let call = call.with("photo", attached.first()).with_some("reply_markup", markup.clone());
                    (with_text(call, "caption", caption, letter.progress.plain), Some(attached))
                }
                Part::Album { media } => {
                    let found = self.find(letter, media).await?;
                    let Some(attached) = found else { return self.without_picture(letter, to, part).await };
                    let call = Call { method: "sendMediaGroup", files: attached.uploads(), ..call };
                    (call.with("media", attached.inputs()), Some(attached))
                }
            };
            let sent = if matches!(part, Part::Album { .. }) {
                self.call::<Vec<Message>>(call).await
            } else {
                self.call::<Message>(call).await.map(|message| vec![message])
            };
            let error = match sent {
                Ok(messages) => {
                    self.remember(letter, attached.as_ref(), &messages).await;
                    let odd = || ApiError::Odd { status: 200, what: "no message_id".to_owned() };
                    let message = messages.last().and_then(|message| message.message_id).ok_or_else(odd)?;
                    let kind = if attached.is_some() { MessageKind::Media } else { MessageKind::Text };
                    return Ok(Some(Placed { message, kind }));
                }
                Err(error) => error,
            };
            match (error.fault(), &attached) {
                (Fault::Formatting, _) if !letter.progress.plain => letter.progress.plain = true,
                // Words at the end of the chat are better than none.
                (Fault::NoTopic, _) if to.thread.is_some() => to.thread = None,
                (Fault::StaleFile, Some(attached)) if !fresh => {
                    attached.forget(self.storage.as_ref(), letter.out.bot).await?;
                    fresh = true;
                }
                (Fault::StaleFile | Fault::Rejected, Some(_)) => return self.refused(letter, to, part, &error).await,
                _ => return Err(error.into()),
            }
        }
    }

    /// Pictures that Telegram does not take as they are. The id of one that came as a file is none of a photo, but what we have stored of it can be
    /// sent as one; and one of an album that cannot be shown does not hide the others.
    async fn refused(&self, letter: &mut Letter, to: To, part: &Part, error: &ApiError) -> Result<Option<Placed>, Failure> {
        if let Some(stored) = self.stored(letter, part).await? {
            return Box::pin(self.part(letter, to, &stored)).await;
        }
        let Part::Album { media } = part else {
            tracing::error!(%error, "a picture was refused; its words go without it");
            return self.without_picture(letter, to, part).await;
        };
        let mut last = None;
        for media in media {
            let one = Part::Photo { media: media.clone(), caption: Formatted::default(), markup: None };
            last = Box::pin(self.part(letter, to, &one)).await?.or(last);
        }
        Ok(last)
    }

    /// The same part with what is stored in the place of Telegram's ids; `None` if nothing is.
    async fn stored(&self, letter: &Letter, part: &Part) -> Result<Option<Part>, PortError> {
        let find = async |media: &Media| match media {
            Media::File(id) => Ok(self.storage.stored(letter.out.bot, id).await?.map_or_else(|| media.clone(), Media::Blob)),
            Media::Blob(_) => Ok::<_, PortError>(media.clone()),
        };
        let stored = match part {
            Part::Text { .. } => return Ok(None),
            Part::Photo { media, caption, markup } => {
                Part::Photo { media: find(media).await?, caption: caption.clone(), markup: markup.clone() }
            }
            Part::Album { media } => {
                let mut found = Vec::with_capacity(media.len());
                for media in media {
                    found.push(find(media).await?);
                }
                Part::Album { media: found }
            }
        };
        Ok((stored != *part).then_some(stored))
    }

    /// The words and buttons of a part whose picture cannot be sent: a technician must not be stuck because of a picture.
    async fn without_picture(&self, letter: &mut Letter, to: To, part: &Part) -> Result<Option<Placed>, Failure> {
        let Part::Photo { caption, markup, .. } = part else { return Ok(None) };
        if caption.text.is_empty() && markup.is_none() {
            return Ok(None);
        }
        let text = if caption.text.is_empty() { Formatted { text: "▫".to_owned(), entities: Vec::new() } } else { caption.clone() };
        Box::pin(self.part(letter, to, &Part::Text { text, markup: markup.clone() })).await
    }

    async fn find(&self, letter: &Letter, media: &[Media]) -> Result<Option<Attached>, PortError> {
        Attached::find(self.storage.as_ref(), self.blobs.as_ref(), letter.out.bot, media).await
    }

    async fn remember(&self, letter: &Letter, attached: Option<&Attached>, messages: &[Message]) {
        let Some(attached) = attached else { return };
        // What is sent is sent; next time it is uploaded once more at worst.
        if let Err(error) = attached.remember(self.storage.as_ref(), letter.out.bot, messages).await {
            tracing::warn!(%error, "file ids are not remembered");
        }
    }

    async fn call<T: serde::de::DeserializeOwned>(&self, call: Call) -> Result<T, ApiError> {
        let method = call.method;
        self.timed(method, self.api.call(call)).await
    }

    async fn timed<T>(&self, method: &'static str, call: impl Future<Output = Result<T, ApiError>>) -> Result<T, ApiError> {
        let begun = Instant::now();
        let result = call.instrument(tracing::info_span!("tg.send", method)).await;
        let name = result.as_ref().map_or_else(|error| error.fault().name(), |_| "ok");
        metrics::counter!("fitter_tg_sends_total", "method" => method, "result" => name).increment(1);
        metrics::histogram!("fitter_tg_send_seconds", "method" => method).record(begun.elapsed());
        result
    }
}

fn has_words(part: &Part) -> bool {
    match part {
        Part::Text { .. } => true,
        Part::Photo { caption, .. } => !caption.text.is_empty(),
        Part::Album { .. } => false,
    }
}

fn topic(thread: Option<i64>) -> Option<teloxide::types::ThreadId> {
    let id = i32::try_from(thread?).ok()?;
    Some(teloxide::types::ThreadId(teloxide::types::MessageId(id)))
}

fn with_text(call: Call, name: &str, text: &Formatted, plain: bool) -> Call {
    if text.text.is_empty() {
        return call;
    }
    let entities = if name == "text" { "entities" } else { "caption_entities" };
    let entities = (!plain && !text.entities.is_empty()).then(|| (entities, json!(text.entities)));
    let call = call.with(name, text.text.clone());
    match entities {
        Some((name, entities)) => call.with(name, entities),
        None => call,
    }
}

/// Done, also when it failed for one of these reasons.
fn done_if<T>(result: Result<T, ApiError>, also: &[Fault]) -> Result<(), Failure> {
    match result {
        Err(error) if !also.contains(&error.fault()) => Err(error.into()),
        _ => Ok(()),
    }
}
