//! People, roles and what each role may do.

use serde::{Deserialize, Serialize};

use crate::ids::{PersonId, UserId};
use crate::locale::Locale;

/// What a person is to the company. Ordered: each staff role may do what the one before it may.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Somebody who was not invited: a customer.
    #[default]
    Client,
    /// Installs and repairs.
    Technician,
    /// Answers, approves, is told about faults.
    Manager,
    /// Runs the system.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Client, Self::Technician, Self::Manager, Self::Admin];

    /// The name used in the database and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Technician => "technician",
            Self::Manager => "manager",
            Self::Admin => "admin",
        }
    }

    /// Whether the person works for the company.
    #[must_use]
    pub const fn is_staff(self) -> bool {
        !matches!(self, Self::Client)
    }
}

impl std::str::FromStr for Role {
    type Err = UnknownRole;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|role| role.name() == s).ok_or_else(|| UnknownRole(s.to_owned()))
    }
}

/// A role name that is none of `client`, `technician`, `manager`, `admin`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown role '{0}': use client, technician, manager or admin")]
pub struct UnknownRole(String);

/// A person as the dialogues need them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Who.
    pub id: PersonId,
    /// Their Telegram account.
    pub user: UserId,
    /// How they want to be called.
    pub name: String,
    /// What they are to the company.
    pub role: Role,
    /// The language they chose.
    pub locale: Locale,
    /// Whether they have finished onboarding.
    pub onboarded: bool,
    /// Whether an admin has taken their access away.
    pub removed: bool,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Look at it.
    See,
    /// Make a new one.
    Create,
    /// Change it.
    Change,
    /// Answer it or decide on it.
    Resolve,
}

/// What it is done to. `own` tells whether the actor is the one it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Object {
    /// A repair card.
    Job {
        /// Assigned to the actor.
        own: bool,
    },
    /// A walk through a procedure.
    Run {
        /// Done by the actor.
        own: bool,
    },
    /// A reported fault.
    Fault,
    /// A question to a human.
    Question {
        /// Asked by the actor.
        own: bool,
    },
    /// A note for the staff.
    StaffNote,
    /// A note for everyone.
    PublicNote,
    /// An unpublished note.
    DraftNote,
    /// An invitation to the company.
    Invite,
    /// The source of the notes.
    Vault,
}

/// Whether somebody of role `actor` may do `verb` to `object`. The only place where permissions are decided.
#[must_use]
pub fn may(actor: Role, verb: Verb, object: Object) -> bool {
    use Object::{DraftNote, Fault, Invite, Job, PublicNote, Question, Run, StaffNote, Vault};
    match (object, verb) {
        (PublicNote, Verb::See) | (Question { own: true }, Verb::See) | (Question { .. }, Verb::Create) => true,
        (StaffNote, Verb::See) => actor.is_staff(),
        (DraftNote, Verb::See) | (Invite, Verb::Create | Verb::See) | (Vault, Verb::See | Verb::Change) => actor == Role::Admin,
        (Job { own: true } | Run { own: true }, Verb::See | Verb::Change) | (Job { .. } | Run { .. } | Fault, Verb::Create) => {
            actor.is_staff()
        }
        (Job { own: false } | Run { own: false }, Verb::See | Verb::Change) => actor >= Role::Manager,
        (Fault | Question { .. }, Verb::See | Verb::Resolve | Verb::Change) => actor >= Role::Manager,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_sees_public_notes_only() {
        assert!(may(Role::Client, Verb::See, Object::PublicNote));
        assert!(!may(Role::Client, Verb::See, Object::StaffNote));
        assert!(!may(Role::Manager, Verb::See, Object::DraftNote));
    }

    #[test]
    fn a_technician_touches_own_jobs_only() {
        assert!(may(Role::Technician, Verb::Change, Object::Job { own: true }));
        assert!(!may(Role::Technician, Verb::Change, Object::Job { own: false }));
        assert!(may(Role::Manager, Verb::Change, Object::Job { own: false }));
        assert!(!may(Role::Client, Verb::Create, Object::Job { own: true }));
    }

    #[test]
    fn every_staff_role_may_at_least_what_the_one_below_may() {
        let objects = [
            Object::Job { own: true },
            Object::Job { own: false },
            Object::Run { own: true },
            Object::Fault,
            Object::Question { own: false },
            Object::StaffNote,
            Object::PublicNote,
            Object::Invite,
            Object::Vault,
        ];
        for object in objects {
            for verb in [Verb::See, Verb::Create, Verb::Change, Verb::Resolve] {
                let allowed = Role::ALL.map(|role| may(role, verb, object));
                assert!(allowed.is_sorted(), "{verb:?} {object:?}: {allowed:?}");
            }
        }
    }
}
