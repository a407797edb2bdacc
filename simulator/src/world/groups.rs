//! Groups: who is in them, what each bot sees of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, RwLock};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::bot::Bot;
use super::chat::{Chat, text_of};
use super::journal::Record;
use super::{lock, read, write};

/// The last id of a group before the first one here.
const GROUPS: i64 = -4_000_000_000;
/// The last id of a supergroup before the first one here.
const SUPERGROUPS: i64 = -1_002_000_000_000;

/// The two kinds of groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GroupKind {
    Group,
    #[default]
    Supergroup,
}

impl GroupKind {
    /// As the Bot API and its error texts name it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::Supergroup => "supergroup",
        }
    }
}

/// What somebody is in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Creator,
    Administrator,
    Member,
    Left,
    Kicked,
}

impl Status {
    /// Whether they are in the group.
    pub(crate) const fn is_in(self) -> bool {
        matches!(self, Self::Creator | Self::Administrator | Self::Member)
    }

    pub(crate) const fn is_admin(self) -> bool {
        matches!(self, Self::Creator | Self::Administrator)
    }

    /// The Bot API `ChatMember`.
    pub(crate) fn member(self, user: Value) -> Value {
        let mut member = json!({ "user": user, "status": self });
        let Some(map) = member.as_object_mut() else { return member };
        match self {
            Self::Creator => {
                map.insert("is_anonymous".into(), false.into());
            }
            Self::Administrator => {
                for right in
                    ["can_be_edited", "is_anonymous", "can_promote_members", "can_post_stories", "can_edit_stories", "can_delete_stories"]
                {
                    map.insert(right.into(), false.into());
                }
                for right in [
                    "can_manage_chat",
                    "can_delete_messages",
                    "can_manage_video_chats",
                    "can_restrict_members",
                    "can_change_info",
                    "can_invite_users",
                    "can_pin_messages",
                ] {
                    map.insert(right.into(), true.into());
                }
            }
            Self::Kicked => {
                map.insert("until_date".into(), 0.into());
            }
            Self::Member | Self::Left => {}
        }
        member
    }
}

/// What is known of a group besides its messages.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct GroupInfo {
    pub(crate) id: i64,
    pub(crate) title: String,
    pub(crate) kind: GroupKind,
    /// People and bots who are or were in it.
    #[serde(with = "super::pairs")]
    pub(crate) members: BTreeMap<i64, Status>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) migrated_to: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) migrated_from: Option<i64>,
    /// The bot that wrote last: it gets commands without a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last_bot: Option<i64>,
}

impl GroupInfo {
    pub(crate) fn status(&self, id: i64) -> Option<Status> {
        self.members.get(&id).copied()
    }

    pub(crate) fn has(&self, id: i64) -> bool {
        self.status(id).is_some_and(Status::is_in)
    }

    /// Ids of those who are in it.
    pub(crate) fn present(&self) -> impl Iterator<Item = i64> {
        self.members.iter().filter(|(_, status)| status.is_in()).map(|(id, _)| *id)
    }

    /// Whether a bot gets a message of somebody else. Service messages come to every bot; with privacy mode on, of the others only
    /// commands, replies to the bot and mentions of it do. An administrator gets everything.
    /// (core.telegram.org/bots/features, "Privacy mode".)
    pub(crate) fn shows(&self, bot: &Bot, body: &Value) -> bool {
        let Some(status) = self.status(bot.seed.id).filter(|status| status.is_in()) else { return false };
        status.is_admin()
            || !lock(&bot.profile).privacy()
            || is_service(body)
            || body.pointer("/reply_to_message/from/id").and_then(Value::as_i64) == Some(bot.seed.id)
            || text_of(body).is_some_and(|text| self.addresses(bot, text, body))
    }

    fn addresses(&self, bot: &Bot, text: &str, body: &Value) -> bool {
        let name = bot.seed.username.to_lowercase();
        if let Some(command) = text.strip_prefix('/') {
            let word = command.split_whitespace().next().unwrap_or_default().to_lowercase();
            return match word.split_once('@') {
                Some((_, addressed)) => addressed == name,
                None => self.last_bot.is_none_or(|last| last == bot.seed.id),
            };
        }
        let entities = body.get("entities").or_else(|| body.get("caption_entities")).and_then(Value::as_array);
        let units: Vec<u16> = text.encode_utf16().collect();
        entities.into_iter().flatten().any(|entity| {
            let number = |field: &str| entity.get(field).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok());
            let word = number("offset").zip(number("length")).and_then(|(offset, length)| units.get(offset..offset.saturating_add(length)));
            entity.get("type").and_then(Value::as_str) == Some("mention")
                && word.is_some_and(|word| String::from_utf16_lossy(word).to_lowercase() == format!("@{name}"))
        })
    }
}

/// Whether a message only tells what happened to the group.
fn is_service(body: &Value) -> bool {
    const SERVICE: [&str; 7] = [
        "new_chat_members",
        "left_chat_member",
        "group_chat_created",
        "supergroup_chat_created",
        "migrate_to_chat_id",
        "migrate_from_chat_id",
        "pinned_message",
    ];
    SERVICE.iter().any(|field| body.get(field).is_some())
}

/// A group with its messages, which all members share.
pub(crate) struct Group {
    pub(crate) id: i64,
    pub(crate) chat: Arc<Chat>,
    pub(crate) info: Mutex<GroupInfo>,
}

impl Group {
    fn new(info: GroupInfo) -> Arc<Self> {
        Arc::new(Self { id: info.id, chat: Arc::new(Chat::new(info.id)), info: Mutex::new(info) })
    }

    /// The Bot API `Chat`.
    pub(crate) fn view(&self) -> Value {
        let info = lock(&self.info);
        let mut chat = json!({ "id": info.id, "title": info.title, "type": info.kind.name() });
        if let (GroupKind::Group, Some(map)) = (info.kind, chat.as_object_mut()) {
            map.insert("all_members_are_administrators".into(), false.into());
        }
        chat
    }

    /// The record of the group itself.
    pub(crate) fn record(&self) -> Record {
        Record::Group { group: Box::new(lock(&self.info).clone()) }
    }

    /// The record of the chat's state; the chat's lock is held by the caller.
    pub(crate) fn snapshot(&self) -> Vec<Record> {
        let state = lock(&self.chat.state);
        let mut records = vec![self.record(), Record::Chat { bot: 0, chat: self.id, meta: state.meta.clone() }];
        records.extend(state.messages.values().map(|message| Record::Message { bot: 0, chat: self.id, message: message.clone() }));
        records
    }
}

/// All groups by id.
#[derive(Default)]
pub(crate) struct Groups {
    by_id: RwLock<BTreeMap<i64, Arc<Group>>>,
    /// How many there ever were: ids are not given again.
    count: Mutex<i64>,
}

impl Groups {
    pub(crate) fn get(&self, id: i64) -> Option<Arc<Group>> {
        read(&self.by_id).get(&id).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Group>> {
        read(&self.by_id).values().rev().cloned().collect()
    }

    /// Makes a group; `info` gets its id.
    pub(crate) fn add(&self, mut info: GroupInfo) -> Arc<Group> {
        let mut count = lock(&self.count);
        *count += 1;
        info.id = match info.kind {
            GroupKind::Group => GROUPS,
            GroupKind::Supergroup => SUPERGROUPS,
        } - *count;
        drop(count);
        self.restore(info)
    }

    /// Brings a group back, or replaces what is known of it.
    pub(crate) fn restore(&self, info: GroupInfo) -> Arc<Group> {
        let mut by_id = write(&self.by_id);
        if let Some(known) = by_id.get(&info.id) {
            *lock(&known.info) = info;
            return Arc::clone(known);
        }
        let group = Group::new(info);
        by_id.insert(group.id, Arc::clone(&group));
        group
    }

    /// Forgets all of them; ids go on.
    pub(crate) fn forget(&self) {
        write(&self.by_id).clear();
    }

    /// The number of ids given so far, for the journal.
    pub(crate) fn given(&self) -> Record {
        Record::Groups { given: *lock(&self.count) }
    }

    pub(crate) fn set_given(&self, given: i64) {
        let mut count = lock(&self.count);
        *count = (*count).max(given);
    }

    pub(crate) fn snapshot(&self) -> Vec<Record> {
        let mut records = vec![self.given()];
        records.extend(self.all().iter().flat_map(|group| group.snapshot()));
        records
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::BotSeed;

    fn bot(id: i64, username: &str) -> Arc<Bot> {
        Bot::new(BotSeed { token: String::new(), username: username.into(), first_name: String::new(), id })
    }

    fn info(members: &[(i64, Status)]) -> GroupInfo {
        let members = members.iter().copied().collect();
        GroupInfo {
            id: 0,
            title: String::new(),
            kind: GroupKind::Supergroup,
            members,
            migrated_to: None,
            migrated_from: None,
            last_bot: None,
        }
    }

    #[test]
    fn privacy_mode_shows_what_is_meant_for_the_bot() {
        let (fitter, other) = (bot(7, "fitter_bot"), bot(8, "other_bot"));
        let mut group = info(&[(7, Status::Member), (8, Status::Member)]);
        let shows = |group: &GroupInfo, body: Value| (group.shows(&fitter, &body), group.shows(&other, &body));
        assert_eq!(shows(&group, json!({ "text": "hello" })), (false, false));
        assert_eq!(shows(&group, json!({ "text": "/job@Fitter_Bot 4" })), (true, false));
        assert_eq!(shows(&group, json!({ "text": "/job" })), (true, true), "no bot has written yet");
        group.last_bot = Some(8);
        assert_eq!(shows(&group, json!({ "text": "/job" })), (false, true), "the last one that wrote");
        let mention = |text: &str| json!({ "text": text, "entities": [{ "type": "mention", "offset": 2, "length": 11 }] });
        assert_eq!(shows(&group, mention("a @fitter_bot b")), (true, false));
        assert_eq!(shows(&group, mention("a @fitter_xyz b")), (false, false));
        assert_eq!(shows(&group, json!({ "text": "x", "reply_to_message": { "from": { "id": 7 } } })), (true, false));
        assert_eq!(shows(&group, json!({ "left_chat_member": {} })), (true, true));
        group.members.insert(8, Status::Administrator);
        group.members.insert(7, Status::Kicked);
        assert_eq!(shows(&group, json!({ "text": "/job@fitter_bot" })), (false, true));
        lock(&fitter.profile).privacy_off = true;
        group.members.insert(7, Status::Member);
        assert_eq!(shows(&group, json!({ "text": "hello" })), (true, true));
    }

    #[test]
    fn ids_are_given_once() {
        let groups = Groups::default();
        let first = groups.add(info(&[])).id;
        let mut group = info(&[]);
        group.kind = GroupKind::Group;
        assert_eq!((first, groups.add(group).id), (SUPERGROUPS - 1, GROUPS - 2));
        groups.forget();
        assert_eq!(groups.add(info(&[])).id, SUPERGROUPS - 3);
    }
}
