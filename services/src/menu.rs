//! The commands that a client lists: those for everybody are set at the start, those for colleagues in each of their chats.

use fitter_domain::msg::{self, Msg};
use fitter_domain::outbound::OutboundKind;
use fitter_domain::person::{Person, Role};
use fitter_prompts::Messages;
use fitter_queue::NewItem;
use fitter_store::{PgConnection, people};
use sha2::{Digest as _, Sha256};

use crate::conversation::Turn;
use crate::delivery::{self, Address};
use crate::error::ServiceError;

/// The commands of a role, without the slash, and what they do.
#[must_use]
pub fn commands(role: Role) -> Vec<(&'static str, Msg)> {
    let staff = [("jobs", msg::command_jobs()), ("new", msg::command_new()), ("procedures", msg::command_procedures())];
    let rest = [("language", msg::command_language()), ("help", msg::command_help()), ("cancel", msg::command_cancel())];
    let own = staff.into_iter().filter(|_| role.is_staff());
    let editors = [("gaps", msg::command_gaps())].into_iter().filter(|_| role >= Role::Manager);
    let admin = (role == Role::Admin).then(|| ("vault", msg::command_vault()));
    [("menu", msg::command_menu())].into_iter().chain(own).chain(editors).chain(admin).chain(rest).collect()
}

/// The outbox item that makes a chat list what its person may use; clients and people without access have no list of their own.
///
/// # Errors
/// If it has no JSON form.
pub fn item(messages: &Messages, at: Address, person: &Person) -> Result<NewItem, ServiceError> {
    let own = person.role.is_staff() && !person.removed;
    let list = if own { commands(person.role) } else { Vec::new() };
    let commands = list.into_iter().map(|(name, text)| (name.to_owned(), messages.say(person.locale, &text))).collect();
    delivery::item(at, OutboundKind::Commands { commands })
}

impl Turn<'_> {
    /// The role or the language has changed: so has the list, wherever the person writes.
    pub(crate) async fn list_commands(&mut self, conn: &mut PgConnection) -> Result<(), ServiceError> {
        for (bot, chat) in people::chats(conn, self.person.id).await? {
            self.out.push(item(&self.app.messages, Address { bot, chat, thread: None }, &self.person)?);
        }
        Ok(())
    }

    /// A colleague's list is set when they are first seen at home after a start of the process, unless it was set in the last two days: whatever
    /// else changes it, a new release or another bot, needs no memory of its own.
    pub(crate) fn list_commands_once(&mut self) -> Result<(), ServiceError> {
        if !(self.person.role.is_staff() && self.app.hardly_greeted(self.at.bot, self.at.chat)) {
            return Ok(());
        }
        let item = item(&self.app.messages, Address { thread: None, ..self.at }, &self.person)?;
        let key = format!("{}:{}", item.lane, hex::encode(Sha256::digest(&item.payload)));
        self.out.push(item.dedupe(key));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_do_not_see_what_is_not_theirs() {
        let names = |role| commands(role).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names(Role::Client), ["menu", "language", "help", "cancel"]);
        assert_eq!(names(Role::Technician), ["menu", "jobs", "new", "procedures", "language", "help", "cancel"]);
        assert_eq!(names(Role::Manager), ["menu", "jobs", "new", "procedures", "gaps", "language", "help", "cancel"]);
        assert_eq!(names(Role::Admin), ["menu", "jobs", "new", "procedures", "gaps", "vault", "language", "help", "cancel"]);
    }
}
