//! The first minute: language, name, and the invitation that makes a stranger a colleague.

use fitter_domain::Locale;
use fitter_domain::msg;
use fitter_domain::person::Role;
use fitter_domain::rich::{Node, Rich};
use fitter_domain::screen::Screen;
use fitter_domain::words;

use crate::action::Action;
use crate::effect::Command;
use crate::event::{Input, InviteRefusal, Piece};
use crate::state::State;
use crate::turn::Turn;

/// Anything from somebody who has not finished onboarding.
pub(crate) fn input(turn: &mut Turn<'_>, input: &Input) {
    let asked = match &turn.state {
        State::Language { question } | State::Name { question } => question.clone(),
        _ => None,
    };
    let suggested = turn.ctx.person.name.clone();
    match input {
        // The invitation is redeemed at once, so that the person hears of an expired link before anything else.
        Input::Command { name, payload } if name == "start" && !payload.is_empty() => {
            turn.go(State::Language { question: asked }).run(Command::RedeemInvite { token: payload.clone() });
        }
        Input::Command { name, .. } if name == "cancel" => {
            // Nothing to keep: name and language can be changed any time.
            turn.run(Command::Onboard { name: suggested }).home();
        }
        Input::Tap { data } => match Action::decode(data) {
            Some(Action::Language(locale)) => {
                turn.run(Command::SetLocale(locale)).go(State::Name { question: asked }).show(ask_name(&suggested));
            }
            Some(Action::KeepName) => named(turn, &suggested, asked),
            _ => again(turn),
        },
        Input::Text { text } if matches!(turn.state, State::Name { .. }) => named(turn, text, asked),
        // Somebody who begins with a question gets the answer as soon as they are known.
        Input::Text { text } | Input::Photos { caption: Some(text), .. } | Input::Other { text: Some(text), .. }
            if !matches!(turn.state, State::Name { .. }) =>
        {
            turn.go(State::Language { question: Some(text.clone()) });
            languages(turn);
        }
        Input::Burst { pieces } if !matches!(turn.state, State::Name { .. }) => {
            let words: Vec<&str> = pieces.iter().filter_map(Piece::words).collect();
            let words = words.join("\n");
            turn.go(State::Language { question: Some(words).filter(|words| !words.is_empty()).or(asked) });
            languages(turn);
        }
        Input::Command { .. } | Input::Text { .. } | Input::Photos { .. } | Input::Burst { .. } | Input::Other { .. } => again(turn),
        Input::Edited { .. } | Input::Reachable { .. } | Input::Group => {}
    }
}

/// Asks what is awaited once more.
fn again(turn: &mut Turn<'_>) {
    if matches!(turn.state, State::Name { .. }) {
        let suggested = turn.ctx.person.name.clone();
        turn.show(ask_name(&suggested));
    } else {
        languages(turn);
    }
}

fn named(turn: &mut Turn<'_>, name: &str, asked: Option<String>) {
    let name = words::name(name);
    if name.is_empty() {
        return again(turn);
    }
    turn.run(Command::Onboard { name: name.clone() });
    turn.say(match turn.ctx.person.role {
        Role::Client => msg::welcome_client(name),
        Role::Technician => msg::welcome_technician(name),
        Role::Manager | Role::Admin => msg::welcome_manager(name),
    });
    turn.home();
    if let Some(question) = asked {
        crate::ask::search(turn, &question);
    }
}

/// Asks for the language.
pub(crate) fn languages(turn: &mut Turn<'_>) {
    if !turn.ctx.person.onboarded && !matches!(turn.state, State::Language { .. }) {
        turn.go(State::default());
    }
    let screen = Locale::ALL.into_iter().fold(Screen::say(msg::choose_language()), |screen, locale| {
        screen.button(Node::Text(locale.endonym().to_owned()), Action::Language(locale))
    });
    turn.show(screen);
}

/// A person who is already known changes the language.
pub(crate) fn set_language(turn: &mut Turn<'_>, locale: Locale) {
    turn.run(Command::SetLocale(locale)).toast(msg::language_set()).home();
}

fn ask_name(suggested: &str) -> Screen {
    let screen = Screen { ask: None, ..Screen::say(msg::ask_name()) };
    if suggested.is_empty() { screen } else { screen.primary(Node::Text(suggested.to_owned()), Action::KeepName) }
}

/// An invitation was redeemed.
pub(crate) fn invited(turn: &mut Turn<'_>, role: Role) {
    let screen = Screen::of(Rich::from(match role {
        Role::Client => msg::invited_client(),
        Role::Technician => msg::invited_technician(),
        Role::Manager => msg::invited_manager(),
        Role::Admin => msg::invited_admin(),
    }));
    turn.push(crate::effect::Effect::Say { slot: None, screen });
    proceed(turn);
}

/// An invitation was not redeemed.
pub(crate) fn not_invited(turn: &mut Turn<'_>, why: InviteRefusal) {
    turn.say(match why {
        InviteRefusal::Unknown => msg::invite_unknown(),
        InviteRefusal::Expired => msg::invite_expired(),
        InviteRefusal::Used => msg::invite_used(),
        InviteRefusal::Own => msg::invite_own(),
    });
    proceed(turn);
}

fn proceed(turn: &mut Turn<'_>) {
    if turn.ctx.person.onboarded {
        turn.home();
    } else {
        languages(turn);
    }
}
