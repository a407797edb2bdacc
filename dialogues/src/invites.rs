//! Inviting colleagues.

use fitter_domain::msg;
use fitter_domain::person::{Object, Role, Verb, may};
use fitter_domain::rich::{Node, Rich};
use fitter_domain::screen::{Button, Press, Screen, Style};

use crate::action::Action;
use crate::turn::Turn;

/// Asks for the role.
pub(crate) fn choose(turn: &mut Turn<'_>) {
    if !may(turn.ctx.person.role, Verb::Create, Object::Invite) {
        turn.refuse();
        return;
    }
    let screen = Screen::say(msg::invite_choose())
        .button(msg::role_technician(), Action::InviteAs(Role::Technician))
        .button(msg::role_manager(), Action::InviteAs(Role::Manager))
        .button(msg::role_admin(), Action::InviteAs(Role::Admin));
    turn.show(screen.row([(msg::button_menu().into(), Action::Menu.into())]));
}

/// The link to send.
pub(crate) fn made(turn: &mut Turn<'_>, link: &str, role: Role, days: u32) {
    let role = match role {
        Role::Client => msg::role_client(),
        Role::Technician => msg::role_technician(),
        Role::Manager => msg::role_manager(),
        Role::Admin => msg::role_admin(),
    };
    let body = Rich::new().bold(Rich::new().push(role)).line().push(msg::invite_made(days)).gap().push(Node::Code(link.to_owned()));
    let mut screen = Screen::of(body);
    screen.buttons.push(vec![Button { label: msg::button_copy().into(), press: Press::Copy(link.to_owned()), style: Style::Primary }]);
    turn.show(screen.button(msg::button_menu(), Action::Menu));
}
