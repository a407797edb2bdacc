//! Faults: described by a technician, seen and closed by a manager.

use fitter_domain::ids::JobId;
use fitter_domain::msg;
use fitter_domain::rich::{Node, Rich};
use fitter_domain::screen::{Media, Screen, Slot};
use fitter_domain::ticket::Fault;

use crate::action::Action;
use crate::ask::shorten;
use crate::effect::{Addressee, Command, Effect};
use crate::event::Photo;
use crate::state::State;
use crate::turn::Turn;

/// Faults shown in the manager's list.
const LISTED: usize = 5;
/// Photos shown with a fault; Telegram's albums hold ten.
const PHOTOS: usize = 10;

/// A fault on a job, outside of any walk.
pub(crate) fn begin(turn: &mut Turn<'_>, job: JobId) {
    turn.go(State::Problem { job, note: String::new(), photos: Vec::new() });
    show(turn);
}

fn show(turn: &mut Turn<'_>) {
    let State::Problem { job, note, photos } = turn.state.clone() else { return };
    let mut body = Rich::new().bold(Rich::new().push(msg::problem_title())).line().push(msg::problem_how());
    if !note.is_empty() {
        body = body.gap().push(Node::Quote { expandable: false, body: Rich::text(note.as_str()) });
    }
    if !photos.is_empty() {
        body = body.gap().push(msg::problem_photos(photos.len()));
    }
    let mut screen = Screen::of(body);
    if !(note.is_empty() && photos.is_empty()) {
        screen = screen.primary(msg::button_send_problem(), Action::SendProblem);
    }
    turn.show(screen.button(msg::button_cancel(), Action::Job(job)));
}

/// Words that describe the fault.
pub(crate) fn text(turn: &mut Turn<'_>, text: &str) {
    if let State::Problem { note, .. } = &mut turn.state {
        if !note.is_empty() {
            note.push('\n');
        }
        note.push_str(text);
    }
    show(turn);
}

/// Photos that show the fault.
pub(crate) fn photos(turn: &mut Turn<'_>, new: &[Photo], caption: Option<&str>) {
    let State::Problem { job, photos, .. } = &mut turn.state else { return };
    let job = *job;
    photos.extend(new.iter().map(|photo| photo.file_id.clone()));
    turn.run(Command::AddJobPhotos { job, files: new.to_vec(), caption: caption.map(str::to_owned) });
    match caption {
        Some(caption) => text(turn, caption),
        None => show(turn),
    }
}

/// Sends the fault that is being described.
pub(crate) fn send(turn: &mut Turn<'_>) {
    let State::Problem { job, note, photos } = turn.state.clone() else {
        turn.toast(msg::button_stale()).home();
        return;
    };
    if note.is_empty() && photos.is_empty() {
        turn.toast(msg::problem_empty());
        return;
    }
    turn.go(State::Home).run(Command::ReportFault { job: Some(job), run: None, step: None, note, photos });
}

/// A fault was reported: the managers are told, the technician goes on.
pub(crate) fn made(turn: &mut Turn<'_>, fault: &Fault) {
    turn.tell(Addressee::Managers, Some(slot(fault)), screen(fault));
    turn.say(msg::problem_sent(fault.id.0.to_string()));
    match (fault.run, fault.job) {
        (Some(run), _) => {
            turn.run(Command::OpenRun(run));
        }
        (None, Some(job)) => {
            turn.run(Command::OpenJob(job));
        }
        (None, None) => {
            turn.home();
        }
    }
}

fn slot(fault: &Fault) -> Slot {
    Slot::new(format!("fault:{}", fault.id))
}

/// How a manager sees a fault.
fn screen(fault: &Fault) -> Screen {
    let mut body = Rich::text("⚠️ ").bold(Rich::new().push(msg::fault_title(fault.id.0.to_string(), fault.by_name.as_str())));
    if let Some(step) = &fault.step {
        body = body.line().push(step.as_str());
    }
    if !fault.note.is_empty() {
        body = body.line().push(Node::Quote { expandable: false, body: Rich::text(fault.note.as_str()) });
    }
    let mut screen = Screen::of(if fault.closed { body.line().push(msg::fault_closed()) } else { body });
    screen.media = fault.photos.iter().take(PHOTOS).cloned().map(Media::File).collect();
    if !fault.closed {
        screen = screen.primary(msg::button_close_fault(), Action::CloseFault(fault.id));
    }
    match fault.job {
        Some(job) => screen.button(msg::button_open_job(job), Action::Job(job)),
        None => screen,
    }
}

/// What the author of a fault reads when it is closed.
#[must_use]
pub fn closed_screen(fault: &Fault, by: &str) -> Screen {
    Screen::say(msg::fault_closed_for(fault.id, by))
}

/// Open faults.
pub(crate) fn listed(turn: &mut Turn<'_>, faults: &[Fault]) {
    let text = if faults.is_empty() { msg::faults_none() } else { msg::faults_list(faults.len()) };
    let list = faults.iter().take(LISTED).fold(Screen::say(text), |list, fault| {
        let label = format!("№ {} · {}: {}", fault.id, fault.by_name, fault.note);
        list.button(Node::Text(shorten(&label)), Action::Fault(fault.id))
    });
    turn.show(list.row([(msg::button_menu().into(), Action::Menu.into())]));
}

/// A fault was opened or closed.
pub(crate) fn opened(turn: &mut Turn<'_>, fault: &Fault) {
    let screen = screen(fault).button(msg::button_menu(), Action::Menu);
    if fault.closed {
        // What the manager was told says so from now on.
        turn.push(Effect::Edit { slot: slot(fault), screen });
    } else {
        turn.show(screen);
    }
}
