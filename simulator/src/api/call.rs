//! One call, and what most methods need from it.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::args::Args;
use crate::error::{ApiError, ApiResult};
use crate::text::{self, Formatted};
use crate::world::bot::Bot;
use crate::world::chat::{Chat, quoted, text_of};
use crate::world::groups::{Group, GroupKind, Status};
use crate::world::peer::Peer;
use crate::world::post::Content;
use crate::world::rates::Load;
use crate::world::{World, lock};

/// A call whose arguments passed the table's checks.
pub(crate) struct Call<'a> {
    pub(crate) world: &'a Arc<World>,
    pub(crate) bot: &'a Arc<Bot>,
    pub(crate) args: &'a Args,
}

/// The chat that a call is about.
pub(crate) struct Target {
    pub(crate) peer: Peer,
    pub(crate) chat: Arc<Chat>,
}

impl Target {
    /// Whether the bot may do what only administrators of a supergroup may. In private chats it may do everything.
    pub(crate) fn is_ruled_by(&self, bot: &Bot) -> bool {
        self.peer.group().is_none_or(|group| {
            let info = lock(&group.info);
            info.kind == GroupKind::Group || info.status(bot.seed.id).is_some_and(Status::is_admin)
        })
    }
}

impl Call<'_> {
    /// Reads a text with its markup or entities. People who are mentioned by id must exist.
    pub(crate) fn text(&self, name: &str, entities: &str) -> ApiResult<Formatted> {
        let mut text = text::from_args(self.args, name, entities)?;
        let mut unknown = false;
        text.entities.retain_mut(|entity| {
            if entity.kind != "text_mention" {
                return true;
            }
            let id = entity.extra.get("user").and_then(|user| user.get("id"));
            let user = id.and_then(Value::as_i64).and_then(|id| self.world.user(id));
            unknown |= user.is_none();
            user.is_some_and(|user| entity.extra.insert("user".into(), user).is_some())
        });
        // Markup with a wrong mention loses it, an entity is refused.
        if unknown && self.args.text("parse_mode").is_none() {
            return Err(ApiError::bad("user not found"));
        }
        Ok(text)
    }

    /// The chat of `chat_id`.
    pub(crate) fn target(&self) -> ApiResult<Target> {
        self.target_of("chat_id")
    }

    /// The chat of a parameter: that of a person, or of a group the bot is in.
    pub(crate) fn target_of(&self, name: &str) -> ApiResult<Target> {
        if self.args.text(name).is_none() {
            return Err(ApiError::bad("chat_id is empty"));
        }
        let not_found = || ApiError::bad("chat not found");
        let id = self.args.int(name).ok_or_else(not_found)?;
        if self.world.bots.iter().any(|bot| bot.seed.id == id) {
            return Err(ApiError::forbidden("bot can't send messages to bots"));
        }
        if let Some(group) = self.world.groups.get(id) {
            self.is_member(&group)?;
            let chat = Arc::clone(&group.chat);
            return Ok(Target { peer: Peer::Group(group), chat });
        }
        let person = self.world.people.get(id).ok_or_else(not_found)?;
        Ok(Target { peer: Peer::Person(person), chat: self.bot.chat(id) })
    }

    /// Refuses a group that the bot is not in. The words are those of `check_chat_access` in telegram-bot-api, `Client.cpp`.
    fn is_member(&self, group: &Group) -> ApiResult<()> {
        let info = lock(&group.info);
        let kind = info.kind.name();
        match info.status(self.bot.seed.id) {
            None => Err(ApiError::bad("chat not found")),
            // A group that became a supergroup can still be read.
            Some(_) if info.migrated_to.is_some() => Ok(()),
            Some(Status::Kicked) => Err(ApiError::forbidden(format!("bot was kicked from the {kind} chat"))),
            Some(Status::Left) => Err(ApiError::forbidden(format!("bot is not a member of the {kind} chat"))),
            Some(_) => Ok(()),
        }
    }

    /// The chat of `chat_id` if the bot may write there now.
    pub(crate) fn open_target(&self) -> ApiResult<Target> {
        let target = self.target()?;
        self.may_write(&target)?;
        Ok(target)
    }

    /// Refuses to write to someone who blocked the bot or never pressed Start, and to a group that is a supergroup now.
    pub(crate) fn may_write(&self, target: &Target) -> ApiResult<()> {
        if let Some(group) = target.peer.group() {
            return lock(&group.info).migrated_to.map_or(Ok(()), |to| Err(ApiError::migrated(to)));
        }
        let state = lock(&target.chat.state);
        if state.meta.blocked {
            return Err(ApiError::forbidden("bot was blocked by the user"));
        }
        if !state.meta.started {
            return Err(ApiError::forbidden("bot can't initiate conversation with a user"));
        }
        Ok(())
    }

    /// Counts new messages against the sending limits.
    pub(crate) fn pace(&self, chat: &Chat, messages: usize) -> ApiResult<()> {
        self.count(Load { bot: self.bot.seed.id, chat: chat.id, messages, edit: false })
    }

    /// Counts an edit against the sending limits.
    pub(crate) fn pace_edit(&self, chat: &Chat) -> ApiResult<()> {
        self.count(Load { bot: self.bot.seed.id, chat: chat.id, messages: 1, edit: true })
    }

    fn count(&self, load: Load) -> ApiResult<()> {
        self.world.rates.check(load, self.world.clock.now_ms()).map_err(ApiError::too_many)
    }

    /// Adds what every sent message may have: reply, thread, protection, markup.
    pub(crate) fn dress(&self, chat: &Chat, content: &mut Content) -> ApiResult<()> {
        if self.args.text("business_connection_id").is_some() {
            return Err(ApiError::bad("business connection not found"));
        }
        self.add_thread(chat, content)?;
        self.add_reply(chat, content)?;
        if self.args.flag("protect_content") {
            content.insert("has_protected_content".into(), true.into());
        }
        if let Some(effect) = self.args.text("message_effect_id") {
            content.insert("effect_id".into(), effect.into());
        }
        if let Some(markup) = crate::keyboard::from_args(self.args)? {
            if chat.id < 0 {
                crate::keyboard::check_for_group(&markup)?;
            }
            content.insert("reply_markup".into(), markup);
        }
        Ok(())
    }

    fn add_thread(&self, chat: &Chat, content: &mut Content) -> ApiResult<()> {
        let Some(thread) = self.args.int("message_thread_id").filter(|id| *id != 0) else {
            return Ok(());
        };
        if !lock(&chat.state).meta.topics.contains_key(&thread) {
            return Err(ApiError::bad("message thread not found"));
        }
        content.insert("message_thread_id".into(), thread.into());
        content.insert("is_topic_message".into(), true.into());
        Ok(())
    }

    /// Reads `reply_parameters`, or the older `reply_to_message_id`.
    fn add_reply(&self, chat: &Chat, content: &mut Content) -> ApiResult<()> {
        let parameters = match self.args.json("reply_parameters") {
            Some(parameters) => parameters,
            None => match self.args.int("reply_to_message_id").filter(|id| *id != 0) {
                Some(id) => json!({
                    "message_id": id,
                    "allow_sending_without_reply": self.args.flag("allow_sending_without_reply"),
                }),
                None => return Ok(()),
            },
        };
        let id = parameters.get("message_id").and_then(Value::as_i64).ok_or_else(|| ApiError::bad("can't find field \"message_id\""))?;
        let elsewhere = parameters.get("chat_id").is_some_and(|other| other.as_i64() != Some(chat.id));
        let state = lock(&chat.state);
        let Some(message) = state.get(id).filter(|_| !elsewhere) else {
            let alone = parameters.get("allow_sending_without_reply");
            if alone.and_then(Value::as_bool) == Some(true) {
                return Ok(());
            }
            return Err(ApiError::bad("message to be replied not found"));
        };
        if let Some(quote) = parameters.get("quote").and_then(Value::as_str) {
            let place = text_of(&message.body).and_then(|text| {
                let at = text.find(quote)?;
                text.get(..at).map(text::units)
            });
            let Some(position) = place else {
                return Err(ApiError::bad("QUOTE_TEXT_INVALID"));
            };
            content.insert("quote".into(), json!({ "text": quote, "position": position, "is_manual": true }));
        }
        content.insert("reply_to_message".into(), quoted(&message.body));
        if let Some(thread) = chat.thread_of(&message.body) {
            content.insert("message_thread_id".into(), thread.into());
        }
        Ok(())
    }
}
