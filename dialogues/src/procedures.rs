//! Finding a procedure and looking at it before the start.

use fitter_domain::ids::{JobId, ProcedureId};
use fitter_domain::job::Job;
use fitter_domain::msg;
use fitter_domain::person::{Object, Verb, may};
use fitter_domain::procedure::{Procedure, ProcedureSummary};
use fitter_domain::rich::{Node, Rich};
use fitter_domain::run::RunSummary;
use fitter_domain::screen::Screen;

use crate::action::Action;
use crate::effect::Command;
use crate::state::State;
use crate::turn::Turn;
use crate::walk;

/// Open jobs offered to begin a walk for.
const JOBS: usize = 2;
/// Open walks shown as buttons at once.
const RUNS: usize = 8;
/// Longest words that choose procedures, in characters.
const LONGEST_WORDS: usize = 200;

/// Asks for procedures.
pub(crate) fn list(turn: &mut Turn<'_>, job: Option<JobId>, skip: u32) {
    if !may(turn.ctx.person.role, Verb::Create, Object::Run { own: true }) {
        turn.refuse();
        return;
    }
    // Further pages of a choice by words keep the words.
    let like = match &turn.state {
        State::Procedures { job: before, like } if skip > 0 && *before == job => like.clone(),
        _ => None,
    };
    turn.go(State::Procedures { job, like: like.clone() }).run(Command::ListProcedures { job, skip, like });
}

/// Words that choose procedures.
pub(crate) fn like(turn: &mut Turn<'_>, job: Option<JobId>, text: &str) {
    let like = Some(text.chars().take(LONGEST_WORDS).collect::<String>());
    turn.go(State::Procedures { job, like: like.clone() }).run(Command::ListProcedures { job, skip: 0, like });
}

/// Procedures to choose from.
pub(crate) fn listed(turn: &mut Turn<'_>, procedures: &[ProcedureSummary], job: Option<JobId>, skip: u32, more: bool) {
    let text = if procedures.is_empty() { msg::procedures_none() } else { msg::procedures_title() };
    let screen = procedures.iter().fold(Screen::say(text), |screen, procedure| {
        screen.button(Node::Text(procedure.title.clone()), Action::Procedure { id: procedure.id, job })
    });
    let mut row: Vec<(Node, String)> = Vec::new();
    if skip > 0 {
        row.push((msg::button_first_page().into(), Action::Procedures { job, skip: 0 }.into()));
    }
    if more {
        let skip = skip.saturating_add(u32::try_from(procedures.len()).unwrap_or(0));
        row.push((msg::button_next_page().into(), Action::Procedures { job, skip }.into()));
    }
    row.push(match job {
        Some(job) => (msg::button_back().into(), Action::Job(job).into()),
        None => (msg::button_menu().into(), Action::Menu.into()),
    });
    turn.show(screen.row(row));
}

/// A procedure before the start: what it is, what to beware of, and for which job.
pub(crate) fn intro(turn: &mut Turn<'_>, id: ProcedureId, procedure: &Procedure, job: Option<JobId>, jobs: &[Job]) {
    let mut body = Rich::new().bold(procedure.title.as_str()).line();
    body = match procedure.duration {
        Some(minutes) => body.push(msg::procedure_size_time(procedure.size(), minutes)),
        None => body.push(msg::procedure_size(procedure.size())),
    };
    if !procedure.intro.is_empty() {
        body = body.gap().append(procedure.intro.clone());
    }
    if !procedure.warnings.is_empty() {
        body = body.gap().append(walk::warnings(&procedure.warnings));
    }
    let screen = Screen::of(body);
    let screen = match job {
        Some(_) => screen.primary(msg::button_start(), Action::Start { id, job }),
        None if jobs.is_empty() => screen.primary(msg::button_start(), Action::Start { id, job: None }),
        None => {
            let screen = jobs.iter().take(JOBS).fold(screen, |screen, job| {
                screen.primary(msg::button_start_for(job.number.to_string()), Action::Start { id, job: Some(job.id) })
            });
            screen.button(msg::button_start_without_job(), Action::Start { id, job: None })
        }
    };
    turn.go(State::Home).show(screen.row([(msg::button_back().into(), Action::Procedures { job, skip: 0 }.into())]));
}

/// Open walks.
pub(crate) fn runs(turn: &mut Turn<'_>, runs: &[RunSummary]) {
    let text = if runs.is_empty() { msg::runs_none() } else { msg::runs_title() };
    let screen = runs.iter().take(RUNS).fold(Screen::say(text), |screen, run| {
        let label = match &run.number {
            Some(number) => msg::run_line_for(number.to_string(), run.of, run.step, run.title.as_str()),
            None => msg::run_line(run.of, run.step, run.title.as_str()),
        };
        screen.button(label, Action::Run(run.id))
    });
    turn.show(screen.row([(msg::button_menu().into(), Action::Menu.into())]));
}
