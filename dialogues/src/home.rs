//! The home screen of each role.

use fitter_domain::ids::JobId;
use fitter_domain::msg;
use fitter_domain::person::{Object, Role, Verb, may};
use fitter_domain::rich::{Node, Rich};
use fitter_domain::run::RunSummary;
use fitter_domain::screen::{Screen, Slot};

use crate::action::Action;
use crate::effect::{Command, Effect};
use crate::state::State;
use crate::turn::Turn;

/// Small buttons in a row that a phone shows unshortened.
const SMALL: usize = 3;

/// The home screen: at most three big buttons and one row of small ones.
pub(crate) fn screen(turn: &mut Turn<'_>, run: Option<&RunSummary>, runs: u32, jobs: u32, questions: u32, faults: u32) {
    let person = turn.ctx.person;
    let mut screen = Screen::of(Rich::new().bold(Rich::new().push(msg::home_hello(person.name.as_str()))).line().append(msg::home_hint()));
    if let Some(run) = run {
        screen = screen.primary(msg::button_continue(run.of, run.step, run.title.as_str()), Action::Run(run.id));
    }
    screen = match person.role {
        Role::Client => screen.primary(msg::button_ask(), Action::Ask),
        Role::Technician => {
            let screen = if jobs > 0 {
                screen.button(msg::button_jobs_count(jobs), Action::Jobs)
            } else {
                screen.button(msg::button_new_job(), Action::NewJob)
            };
            if run.is_none() { screen.button(msg::button_procedures(), Action::Procedures { job: None, skip: 0 }) } else { screen }
        }
        Role::Manager | Role::Admin => {
            let screen =
                screen.button(msg::button_questions(questions), Action::Questions).button(msg::button_faults(faults), Action::Faults);
            if run.is_none() { screen.button(msg::button_jobs_count(jobs), Action::Jobs) } else { screen }
        }
    };
    let mut small: Vec<(Node, String)> = Vec::new();
    if person.role >= Role::Manager && run.is_some() {
        small.push((msg::button_jobs_count(jobs).into(), Action::Jobs.into()));
    }
    if runs > 1 {
        small.push((msg::button_runs(runs).into(), Action::Runs.into()));
    }
    if may(person.role, Verb::Create, Object::Invite) {
        small.push((msg::button_invite().into(), Action::Invite.into()));
    }
    if person.role >= Role::Manager || (person.role == Role::Technician && run.is_some()) {
        small.push((msg::button_procedures().into(), Action::Procedures { job: None, skip: 0 }.into()));
    }
    small.push((msg::button_help().into(), Action::Help.into()));
    // Rows of equal length: four are two and two.
    let rows = small.len().div_ceil(SMALL).max(1);
    for row in small.chunks(small.len().div_ceil(rows).max(1)) {
        screen = screen.row(row.to_vec());
    }
    turn.show(screen);
}

/// Drops what is being typed; a walk is kept.
pub(crate) fn cancel(turn: &mut Turn<'_>) {
    match turn.state {
        State::Running { .. } => turn.say(msg::cancelled_walk_kept()),
        State::Home => turn,
        _ => turn.toast(msg::cancelled()),
    };
    turn.home();
}

/// What the bot can do, for the role.
pub(crate) fn help(turn: &mut Turn<'_>) {
    let text = match turn.ctx.person.role {
        Role::Client => msg::help_client(),
        Role::Technician => msg::help_technician(),
        Role::Manager | Role::Admin => msg::help_manager(),
    };
    let screen = turn.with_way_on(Screen::say(text));
    turn.show(screen.button(msg::button_language(), Action::Languages));
}

/// After a walk was given up: its card, or home.
pub(crate) fn after_walk(turn: &mut Turn<'_>, job: Option<JobId>) {
    match job {
        Some(job) => {
            turn.go(State::Home).run(Command::OpenJob(job));
        }
        None => {
            turn.home();
        }
    }
}

/// The end of a walk with what comes next. It is a record of the chat: the menu does not overwrite it.
pub(crate) fn after_summary(turn: &mut Turn<'_>, slot: Slot, screen: Screen, job: Option<JobId>) {
    let screen = match job {
        Some(job) => screen.primary(msg::button_open_job(job), Action::Job(job)),
        None => screen,
    };
    turn.go(State::Home).push(Effect::Delete { slot: slot.clone() });
    turn.say_as(slot, screen.button(msg::button_menu(), Action::Menu));
}
