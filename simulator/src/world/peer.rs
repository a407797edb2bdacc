//! The other side of a chat: a person or a group.

use std::sync::Arc;

use serde_json::Value;

use super::groups::Group;
use crate::config::PersonSeed;

/// Whom a bot writes to.
#[derive(Clone)]
pub(crate) enum Peer {
    Person(Arc<PersonSeed>),
    Group(Arc<Group>),
}

impl Peer {
    /// The Bot API `Chat`.
    pub(crate) fn view(&self) -> Value {
        match self {
            Self::Person(person) => person.chat(),
            Self::Group(group) => group.view(),
        }
    }

    pub(crate) fn person(&self) -> Option<&Arc<PersonSeed>> {
        match self {
            Self::Person(person) => Some(person),
            Self::Group(_) => None,
        }
    }

    pub(crate) fn group(&self) -> Option<&Arc<Group>> {
        match self {
            Self::Person(_) => None,
            Self::Group(group) => Some(group),
        }
    }
}
