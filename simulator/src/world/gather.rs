//! What happens in groups: messages of people, who comes and goes, and the change into a supergroup.

use std::sync::Arc;

use serde_json::{Value, json};

use super::bot::Bot;
use super::chat::{bot_view, message_id};
use super::groups::{Group, GroupInfo, GroupKind, Status};
use super::journal::Record;
use super::post::{Content, insert, message_records};
use super::update::NewUpdate;
use super::{World, lock};

impl World {
    /// Puts messages of a person, or of Telegram in somebody's name, into a group and queues the updates of the bots that see them.
    /// `leaver` is a bot that sees them although it is out already.
    pub(crate) fn post_in_group(&self, group: &Group, from: &Value, contents: Vec<Content>, leaver: Option<i64>) -> Vec<Arc<Value>> {
        let (now, place) = (self.clock.now(), group.view());
        let Some(home) = self.home(group) else { return Vec::new() };
        let by_bot = from.get("is_bot") == Some(&Value::Bool(true));
        let mut state = lock(&group.chat.state);
        let bodies: Vec<_> = contents.into_iter().map(|content| insert(&mut state, content, from, &place, now, by_bot)).collect();
        if let (Some(last), false) = (bodies.last(), by_bot) {
            state.meta.read_to = message_id(last);
        }
        let updates = self.shown(group, "message", &bodies, leaver);
        self.spread(updates, message_records(&home, &group.chat, &state, &bodies));
        drop(state);
        self.announce(&home, &group.chat, "message", &bodies);
        bodies
    }

    /// The bot whose name a group's messages carry on the pages: one that is or was in it, else any.
    pub(crate) fn home(&self, group: &Group) -> Option<Arc<Bot>> {
        let info = lock(&group.info);
        self.bots.iter().find(|bot| info.status(bot.seed.id).is_some()).or(self.bots.first()).cloned()
    }

    /// The updates of a group's messages, for each bot that gets any.
    pub(super) fn shown(
        &self,
        group: &Group,
        kind: &'static str,
        bodies: &[Arc<Value>],
        leaver: Option<i64>,
    ) -> Vec<(Arc<Bot>, Vec<NewUpdate>)> {
        let info = lock(&group.info);
        let updates = |bot: &Arc<Bot>| {
            let sees = |body: &&Arc<Value>| leaver == Some(bot.seed.id) || info.shows(bot, body);
            bodies.iter().filter(sees).map(|body| NewUpdate { kind, of: group.id, payload: bot_view(body) }).collect::<Vec<_>>()
        };
        self.bots.iter().map(|bot| (Arc::clone(bot), updates(bot))).filter(|(_, updates)| !updates.is_empty()).collect()
    }

    /// Queues updates of several bots, with the records of what they tell of.
    pub(super) fn spread(&self, updates: Vec<(Arc<Bot>, Vec<NewUpdate>)>, records: Vec<Record>) {
        let mut records = Some(records);
        for (bot, updates) in updates {
            for update in updates.iter().filter(|update| update.kind == "message") {
                self.rates.heard(bot.seed.id, update.of, self.clock.now_ms());
            }
            bot.updates.commit(&self.journal, &self.clock, updates, || records.take().unwrap_or_default());
        }
        if let Some(records) = records {
            self.journal.write(|| records);
        }
    }

    /// Makes a group of people; bots are added afterwards.
    pub(crate) fn found(&self, title: String, kind: GroupKind, by: i64, people: &[i64]) -> Arc<Group> {
        let mut members: std::collections::BTreeMap<_, _> = people.iter().map(|id| (*id, Status::Member)).collect();
        members.insert(by, Status::Creator);
        let group = self.groups.add(GroupInfo { id: 0, title, kind, members, migrated_to: None, migrated_from: None, last_bot: None });
        self.journal.write(|| vec![self.groups.given(), group.record()]);
        let notice = match kind {
            GroupKind::Group => "group_chat_created",
            GroupKind::Supergroup => "supergroup_chat_created",
        };
        let from = self.user(by).unwrap_or_default();
        self.post_in_group(&group, &from, vec![Content::from_iter([(notice.to_owned(), Value::Bool(true))])], None);
        group
    }

    /// Makes somebody something else in a group; whether that changed anything.
    pub(crate) fn set_member(&self, group: &Group, by: i64, who: i64, status: Status) -> bool {
        let old = {
            let mut info = lock(&group.info);
            let old = info.members.insert(who, status);
            if old == Some(status) {
                return false;
            }
            old.unwrap_or(Status::Left)
        };
        let (actor, user) = (self.user(by).unwrap_or_default(), self.user(who).unwrap_or_default());
        let change = json!({
            "chat": group.view(),
            "from": actor,
            "date": self.clock.now(),
            "old_chat_member": old.member(user.clone()),
            "new_chat_member": status.member(user.clone()),
        });
        let update = |kind, of| vec![NewUpdate { kind, of, payload: change.clone() }];
        let updates = match self.bots.iter().find(|bot| bot.seed.id == who) {
            Some(bot) => vec![(Arc::clone(bot), update("my_chat_member", group.id))],
            // Of others only administrators hear, and only if they asked for it.
            None => {
                let info = lock(&group.info);
                let admins = self.bots.iter().filter(|bot| info.status(bot.seed.id).is_some_and(Status::is_admin));
                admins.map(|bot| (Arc::clone(bot), update("chat_member", who))).collect()
            }
        };
        self.spread(updates, vec![group.record()]);
        let notice = match (old.is_in(), status.is_in()) {
            (false, true) => Some(("new_chat_members", Value::Array(vec![user]))),
            (true, false) => Some(("left_chat_member", user)),
            _ => None,
        };
        if let Some((field, value)) = notice {
            let content = Content::from_iter([(field.to_owned(), value)]);
            self.post_in_group(group, &actor, vec![content], (!status.is_in()).then_some(who));
        }
        true
    }

    /// Turns a group into a supergroup, which has another id and no messages yet.
    pub(crate) fn upgrade(&self, group: &Group, by: i64) -> Arc<Group> {
        let old = lock(&group.info).clone();
        let new = self.groups.add(GroupInfo { kind: GroupKind::Supergroup, migrated_from: Some(old.id), ..old });
        self.journal.write(|| vec![self.groups.given(), new.record()]);
        let actor = self.user(by).unwrap_or_default();
        let notice = |field: &str, id: i64| vec![Content::from_iter([(field.to_owned(), Value::from(id))])];
        self.post_in_group(group, &actor, notice("migrate_to_chat_id", new.id), None);
        lock(&group.info).migrated_to = Some(new.id);
        self.journal.write(|| vec![group.record()]);
        self.post_in_group(&new, &actor, notice("migrate_from_chat_id", group.id), None);
        new
    }
}
