//! The people who have an account.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

use serde_json::{Map, Value};

use super::journal::Record;
use super::{read, write};
use crate::config::PersonSeed;

/// First id that is given to a person who came without one.
const FIRST_FREE_ID: i64 = 700_001;

/// All people by id.
#[derive(Default)]
pub(crate) struct People {
    by_id: RwLock<BTreeMap<i64, Arc<PersonSeed>>>,
}

impl People {
    pub(crate) fn get(&self, id: i64) -> Option<Arc<PersonSeed>> {
        read(&self.by_id).get(&id).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Arc<PersonSeed>> {
        read(&self.by_id).values().cloned().collect()
    }

    pub(crate) fn put(&self, person: PersonSeed) {
        write(&self.by_id).insert(person.id, Arc::new(person));
    }

    pub(crate) fn insert_if_new(&self, person: PersonSeed) {
        write(&self.by_id).entry(person.id).or_insert_with(|| Arc::new(person));
    }

    /// Adds or changes a person; id 0 asks for the next free one.
    pub(crate) fn register(&self, mut person: PersonSeed) -> Arc<PersonSeed> {
        let mut by_id = write(&self.by_id);
        if person.id == 0 {
            let last = by_id.keys().next_back().copied().unwrap_or(0);
            person.id = FIRST_FREE_ID.max(last + 1);
        }
        let person = Arc::new(person);
        by_id.insert(person.id, Arc::clone(&person));
        person
    }

    pub(crate) fn snapshot(&self) -> Vec<Record> {
        self.all().iter().map(|person| Record::Person { person: PersonSeed::clone(person) }).collect()
    }
}

impl PersonSeed {
    /// The Bot API `User`.
    pub(crate) fn user(&self) -> Value {
        let mut user = self.names();
        user.insert("is_bot".into(), Value::Bool(false));
        if let Some(language) = &self.language_code {
            user.insert("language_code".into(), Value::from(language.as_str()));
        }
        Value::Object(user)
    }

    /// The Bot API `Chat` of a private chat with this person.
    pub(crate) fn chat(&self) -> Value {
        let mut chat = self.names();
        chat.insert("type".into(), Value::from("private"));
        Value::Object(chat)
    }

    fn names(&self) -> Map<String, Value> {
        let mut map = Map::new();
        map.insert("id".into(), Value::from(self.id));
        map.insert("first_name".into(), Value::from(self.first_name.as_str()));
        if let Some(last) = &self.last_name {
            map.insert("last_name".into(), Value::from(last.as_str()));
        }
        if let Some(username) = &self.username {
            map.insert("username".into(), Value::from(username.as_str()));
        }
        map
    }
}
