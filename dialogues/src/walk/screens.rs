//! What a step of a walk looks like while it waits for something.

use chrono::{DateTime, Utc};
use fitter_domain::msg;
use fitter_domain::procedure::{Check, CheckKind, Step};
use fitter_domain::rich::{Node, Rich};
use fitter_domain::run::{Answer, Doubt, Pending, Run};
use fitter_domain::screen::{Media, Screen};

use super::texts::{answer_text, asked, range, reading, warning_text};
use super::{digest, evidence, moves, report};
use crate::action::{Action, Walk};

/// Small buttons in a row that a phone shows unshortened.
const SMALL: usize = 2;

/// Done, and not merely skipped.
pub(super) fn finished(run: &Run) -> bool {
    run.record().is_some_and(|record| record.finished.is_some() && !record.skipped)
}

fn given(run: &Run) -> &[Answer] {
    run.record().map_or(&[], |record| record.answers.as_slice())
}

/// The first checkpoint of the step in focus that has no answer or too few photos, with its place.
pub(super) fn open_check(run: &Run) -> Option<usize> {
    let step = run.step()?;
    let given = given(run);
    if let (Some(last), Some(answer)) = (given.len().checked_sub(1), given.last())
        && let Some(check) = step.checks.get(last)
        && photos_missing(&check.kind, answer).is_some()
    {
        return Some(last);
    }
    (given.len() < step.checks.len()).then_some(given.len())
}

/// How many photos there are and how many more are needed, for an answer that has too few.
pub(super) fn photos_missing(kind: &CheckKind, answer: &Answer) -> Option<(usize, usize)> {
    match (kind, answer) {
        (CheckKind::Photo { min, .. }, Answer::Photos { files }) => {
            (*min as usize).checked_sub(files.len()).filter(|missing| *missing > 0).map(|missing| (files.len(), missing))
        }
        _ => None,
    }
}

/// Places of the answers that can be changed: those that say something.
pub(super) fn changeable(run: &Run) -> impl Iterator<Item = usize> + '_ {
    let checks = run.step().map_or(&[][..], |step| step.checks.as_slice());
    checks.iter().zip(given(run)).enumerate().filter(|(_, (check, _))| check.kind != CheckKind::Confirm).map(|(place, _)| place)
}

pub(super) fn press(run: &Run, walk: Walk) -> String {
    // The button works for the state that is being saved now.
    Action::Walk(run.id, run.state.rev, walk).encode()
}

/// The figures of a step, each a message of its own: an album would crop them, and their labels with them.
pub(super) fn figures(step: &Step) -> impl Iterator<Item = Screen> + '_ {
    step.figures.iter().map(|figure| Screen {
        media: vec![Media::Blob(figure.blob.clone())],
        silent: true,
        ..Screen::of(Rich::text(figure.caption.as_str()))
    })
}

/// What the technician is asked about before the step goes on.
pub(super) fn doubt(run: &Run) -> Option<&Doubt> {
    let rests = matches!(run.state.pending, Pending::Check | Pending::MorePhotos | Pending::Repeat);
    run.state.doubts.first().filter(|_| rests)
}

/// The message of the step in focus.
pub(super) fn step_screen(run: &Run, now: DateTime<Utc>) -> Screen {
    let Some(step) = run.step() else { return report::summary(run) };
    if let Some(doubt) = doubt(run) {
        return digest::doubt_screen(run, doubt).row(pause_and_problem(run));
    }
    match &run.state.pending {
        Pending::Problem { note, photos } => problem_screen(run, step, note, photos),
        Pending::OutOfRange { value, reason, typed } => out_of_range(run, step, *value, *reason, typed.as_deref()),
        Pending::Change { check, new } => change_screen(run, step, *check, new.as_ref()),
        Pending::Repeat => {
            let screen = Screen::of(header(run, step).gap().append(msg::walk_repeat_question(run.state.at.round + 1)));
            screen
                .primary(msg::button_enough(), press(run, Walk::Ok))
                .button(msg::button_again(), press(run, Walk::Again))
                .row(tools(run, true))
        }
        Pending::Check | Pending::MorePhotos => check_screen(run, step, now),
    }
}

pub(super) fn header(run: &Run, step: &Step) -> Rich {
    let (place, of) = run.progress();
    let mut head = Rich::new().push(Node::Bold(Rich::new().push(msg::walk_progress(place, of))));
    if let Some(section) = &step.section {
        head = head.push(format!(" · {section}"));
    }
    if run.state.at.round > 0 {
        head = head.push(" · ").push(msg::walk_round(run.state.at.round + 1));
    }
    head.line().bold(step.title.as_str())
}

fn check_screen(run: &Run, step: &Step, now: DateTime<Utc>) -> Screen {
    let finished = finished(run);
    let more_photos = run.state.pending == Pending::MorePhotos && !finished;
    let open = open_check(run).filter(|_| !(finished || more_photos));
    let mut body = header(run, step);
    if !step.body.is_empty() {
        body = body.gap().append(step.body.clone());
    }
    for warning in &step.warnings {
        body = body.gap().append(warning_text(warning));
    }
    for (index, (place, (check, answer))) in
        step.checks.iter().zip(given(run)).enumerate().filter(|(place, _)| Some(*place) != open).enumerate()
    {
        if more_photos && place + 1 == given(run).len() {
            // Said below, with how many there may be.
            continue;
        }
        body = if index == 0 { body.gap() } else { body.line() };
        body = body.push("✓ ").push(asked(&check.question)).append(answer_text(answer, &check.kind));
    }
    let mut screen = Screen::of(body);
    if finished {
        screen = finished_buttons(run, screen);
    } else if more_photos {
        if let (Some(Answer::Photos { files }), Some(CheckKind::Photo { max, .. })) =
            (given(run).last(), given(run).len().checked_sub(1).and_then(|last| step.checks.get(last)).map(|check| &check.kind))
        {
            screen.body = screen.body.gap().push(msg::walk_photos_so_far(files.len(), *max));
        }
        screen = screen.primary(msg::button_next(), press(run, Walk::Ok));
    } else if let Some(place) = open {
        if let Some(check) = step.checks.get(place) {
            screen = ask(run, check, given(run).get(place), screen);
        }
    } else {
        screen = screen.primary(msg::button_done(), press(run, Walk::Ok));
    }
    let waiting: usize = run.state.asides.iter().filter(|aside| aside.step == run.state.at.step).map(|aside| aside.files.len()).sum();
    if waiting > 0 && !finished {
        screen.body = screen.body.gap().push("📎 ").push(msg::walk_photos_waiting(waiting));
    }
    let mut more: Vec<(Node, String)> = Vec::new();
    if run.state.digest.is_some() && !step.figures.is_empty() && !finished {
        // The figures of a step that was come to in one go were not sent: there is one message, and it is a text.
        more.push((msg::button_figures().into(), Action::Run(run.id).into()));
    }
    if let Some(check) = open.and_then(|place| step.checks.get(place)).filter(|check| !check.hint.is_empty()) {
        more.extend(hint_button(run, check));
    }
    if let Some(seconds) = step.timer.filter(|_| !finished) {
        match run.record().and_then(|record| record.timer_ends) {
            Some(ends) if ends > now => screen.body = screen.body.gap().push(msg::walk_timer_runs()),
            ended => {
                if ended.is_some() {
                    screen.body = screen.body.gap().push(msg::walk_timer_done());
                }
                more.push((msg::button_timer(seconds / 60, seconds % 60).into(), press(run, Walk::Timer)));
            }
        }
    }
    if !finished && moves::is_extra(run) {
        more.push((msg::button_not_needed().into(), press(run, Walk::Skip)));
    } else if !finished && step.optional {
        more.push((msg::button_skip().into(), press(run, Walk::Skip)));
    }
    for row in more.chunks(SMALL) {
        screen = screen.row(row.to_vec());
    }
    screen.row(tools(run, false))
}

fn hint_button(run: &Run, check: &Check) -> Option<(Node, String)> {
    (!check.hint.is_empty()).then(|| (msg::button_hint().into(), press(run, Walk::Hint)))
}

/// A step that was done before: on, to where the walk stands, or change something.
fn finished_buttons(run: &Run, screen: Screen) -> Screen {
    let mut screen = screen.primary(msg::button_next(), press(run, Walk::Ok));
    let visits = moves::visits(run);
    let next = visits.iter().find(|visit| **visit > run.state.at);
    if let Some(front) = moves::front(run).filter(|front| Some(front) != next) {
        let place = run.path().iter().position(|&index| index == front.step as usize).map_or(0, |place| place + 1);
        screen = screen.button(msg::button_forward(place), press(run, Walk::Forward));
    }
    let mut row: Vec<(Node, String)> = Vec::new();
    let mut places = changeable(run);
    match (places.next(), places.next()) {
        (Some(only), None) => row.push((msg::button_change().into(), press(run, Walk::Change(u32::try_from(only).unwrap_or(0))))),
        (Some(_), Some(_)) => row.push((msg::button_change().into(), press(run, Walk::Changes))),
        (None, _) => {}
    }
    if moves::once_more(run) == moves::OnceMore::Possible {
        row.push((msg::button_again().into(), press(run, Walk::Again)));
    }
    screen.row(row)
}

fn tools(run: &Run, back: bool) -> Vec<(Node, String)> {
    let first = moves::visits(run).first().is_none_or(|first| *first == run.state.at);
    let mut row = Vec::new();
    if back || !first {
        row.push((msg::button_back().into(), press(run, Walk::Back)));
    }
    row.extend(pause_and_problem(run));
    row
}

fn pause_and_problem(run: &Run) -> [(Node, String); 2] {
    [(msg::button_pause().into(), press(run, Walk::Pause)), (msg::button_problem().into(), press(run, Walk::Problem))]
}

/// Asks a checkpoint; photos may have come in part.
fn ask(run: &Run, check: &Check, so_far: Option<&Answer>, mut screen: Screen) -> Screen {
    let mut question = Rich::text("❓ ").bold(check.question.as_str());
    if let CheckKind::Number { unit, min, max } = &check.kind {
        question = question.append(range(unit, *min, *max));
    }
    screen.body = screen.body.gap().append(question);
    let how = match &check.kind {
        CheckKind::Confirm => return screen.primary(msg::button_yes(), press(run, Walk::Ok)),
        CheckKind::Choice { options } => {
            return options.iter().enumerate().fold(screen, |screen, (place, option)| {
                screen.button(option.label.as_str(), press(run, Walk::Choose(u32::try_from(place).unwrap_or(0))))
            });
        }
        CheckKind::Text { example: Some(example), .. } => msg::walk_type_text_example(example),
        CheckKind::Text { example: None, .. } => msg::walk_type_text(),
        CheckKind::Number { .. } => msg::walk_type_number(),
        CheckKind::Photo { min, max } => match so_far.and_then(|answer| photos_missing(&check.kind, answer)) {
            Some((count, missing)) => msg::walk_photos_needed(count, missing),
            None if min == max => msg::walk_send_photos(*max),
            None => msg::walk_send_photos_range(*min, *max),
        },
    };
    screen.body = screen.body.line().push(how);
    screen
}

fn out_of_range(run: &Run, step: &Step, value: f64, reason: bool, typed: Option<&str>) -> Screen {
    let mut body = header(run, step);
    if let Some(Check { kind: CheckKind::Number { unit, min, max }, question, .. }) =
        open_check(run).and_then(|place| step.checks.get(place))
    {
        body = body.gap().push("⚠️ ").push(asked(question)).bold(reading(value, unit));
        body = body.append(range(unit, *min, *max));
    }
    if let Some(typed) = typed {
        body = body.gap().push(Node::Quote { expandable: false, body: Rich::text(typed) });
        return Screen::of(body.line().append(msg::walk_is_it_the_reason()))
            .primary(msg::button_it_is_the_reason(), press(run, Walk::Reason))
            .button(msg::button_it_was_a_question(), press(run, Walk::Cancel))
            .button(msg::button_remeasure(), press(run, Walk::Remeasure))
            .row(tools(run, true));
    }
    if reason {
        let screen = Screen::of(body.gap().append(msg::walk_type_reason()));
        return screen.button(msg::button_remeasure(), press(run, Walk::Remeasure)).row(tools(run, true));
    }
    Screen::of(body.gap().append(msg::walk_out_of_range()))
        .primary(msg::button_remeasure(), press(run, Walk::Remeasure))
        .button(msg::button_reason(), press(run, Walk::Reason))
        .row(tools(run, true))
}

fn change_screen(run: &Run, step: &Step, place: u32, new: Option<&Answer>) -> Screen {
    let cancel = [(msg::button_cancel().into(), press(run, Walk::Cancel))];
    let Some(check) = step.checks.get(place as usize) else { return Screen::of(header(run, step)).row(cancel) };
    let mut body = header(run, step).gap();
    if new.is_some() {
        body = body.push(check.question.as_str()).line();
    }
    if let Some(old) = given(run).get(place as usize) {
        body = body.push(msg::walk_change_old()).push(" ").append(answer_text(old, &check.kind));
    }
    let Some(new) = new else { return ask(run, check, None, Screen::of(body)).row(cancel) };
    body = body.line().push(msg::walk_change_new()).push(" ").append(answer_text(new, &check.kind));
    body = match (new, photos_missing(&check.kind, new)) {
        (_, Some((count, missing))) => body.gap().push(msg::walk_photos_needed(count, missing)),
        (Answer::Number { value, .. }, _) if !evidence::in_range(&check.kind, *value) => {
            body.gap().push("⚠️ ").push(msg::walk_out_of_range())
        }
        _ => body.gap().push(msg::walk_type_change_reason()),
    };
    Screen::of(body).row(cancel)
}

fn problem_screen(run: &Run, step: &Step, note: &str, photos: &[String]) -> Screen {
    let mut body = header(run, step).gap().push(Node::Bold(Rich::new().push(msg::problem_title())));
    body = body.line().append(msg::problem_how());
    if !note.is_empty() {
        body = body.gap().push(Node::Quote { expandable: false, body: Rich::text(note) });
    }
    if !photos.is_empty() {
        body = body.gap().push(msg::problem_photos(photos.len()));
    }
    let mut screen = Screen::of(body);
    if !(note.is_empty() && photos.is_empty()) {
        screen = screen.primary(msg::button_send_problem(), press(run, Walk::Send));
    }
    screen.button(msg::button_back_to_step(), press(run, Walk::Cancel))
}
