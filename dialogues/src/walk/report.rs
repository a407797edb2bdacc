//! What a walk looks like afterwards: lines in the chat, the technician's summary, the managers' report.

use fitter_domain::msg::{self, Msg};
use fitter_domain::procedure::{Check, CheckKind, Step};
use fitter_domain::rich::Rich;
use fitter_domain::run::{Answer, Run, RunStatus, StepRecord};
use fitter_domain::screen::{Screen, Slot};

use super::texts::{answer_text, asked};
use crate::action::Action;

/// The message of the summary.
pub(super) fn slot(run: &Run) -> Slot {
    Slot::new(format!("walk:{}:end", run.id))
}

/// A step that was left, in one line: `✓ 3. Подключите питание — 12,4 В`.
pub(super) fn done_line(run: &Run) -> Screen {
    let Some(step) = run.step() else { return Screen::default() };
    let (place, _) = run.progress();
    let record = run.record().cloned().unwrap_or_default();
    Screen { silent: true, ..Screen::of(step_line(place, run.state.at.round, step, &record)) }
}

pub(super) fn step_line(place: usize, round: u32, step: &Step, record: &StepRecord) -> Rich {
    let mark = match (record.skipped, record.finished) {
        (true, _) => "– ",
        // Whoever reads the line sees what is not as it should be, reported or not.
        (false, Some(_)) if step.checks.iter().zip(&record.answers).any(|(check, answer)| is_amiss(check, answer)) => "⚠ ",
        (false, Some(_)) => "✓ ",
        (false, None) => "… ",
    };
    let mut line = Rich::text(format!("{mark}{place}. {}", step.title));
    if round > 0 {
        line = line.push(format!(" ({})", round + 1));
    }
    let told = step.checks.iter().zip(&record.answers).filter(|(check, _)| check.kind != CheckKind::Confirm);
    for (index, (check, answer)) in told.enumerate() {
        line = line.push(if index == 0 { " — " } else { ", " }).append(answer_text(answer, &check.kind));
    }
    line
}

/// A reading out of range, or an answer that stands for a fault.
fn is_amiss(check: &Check, answer: &Answer) -> bool {
    match (&check.kind, answer) {
        (CheckKind::Number { .. }, Answer::Number { reason, .. }) => reason.is_some(),
        (CheckKind::Choice { options }, Answer::Choice { label }) => options.iter().any(|option| option.fault && option.label == *label),
        _ => false,
    }
}

/// The end of a walk, for the technician.
pub(super) fn summary(run: &Run) -> Screen {
    let title = run.procedure.title.as_str();
    let title = if run.state.status == RunStatus::Abandoned { msg::walk_given_up(title) } else { msg::walk_finished(title) };
    Screen::of(Rich::new().bold(Rich::new().push(title)).gap().append(record_of(run, false)))
}

/// A walk in the middle, for somebody who does not walk it.
pub(super) fn progress(run: &Run) -> Screen {
    let (place, of) = run.progress();
    let head =
        Rich::new().bold(run.procedure.title.as_str()).line().push(run.by_name.as_str()).push(" · ").push(msg::walk_progress(place, of));
    with_job(run, Screen::of(head.gap().append(record_of(run, true))))
}

/// The end of a walk, for the managers.
pub(super) fn finished(run: &Run) -> Screen {
    let screen = Screen::of(Rich::new().bold(Rich::new().push(for_managers(run, msg::report_finished))).gap().append(record_of(run, true)));
    with_job(run, Screen { silent: true, ..screen })
}

/// A walk that was given up, for the managers.
pub(super) fn abandoned(run: &Run) -> Screen {
    with_job(
        run,
        Screen::of(Rich::new().bold(Rich::new().push(for_managers(run, msg::report_abandoned))).gap().append(record_of(run, true))),
    )
}

fn for_managers(run: &Run, title: impl Fn(String, String) -> Msg) -> Msg {
    title(run.by_name.clone(), run.procedure.title.clone())
}

fn with_job(run: &Run, screen: Screen) -> Screen {
    match &run.job {
        Some((job, _)) => screen.button(msg::button_open_job(*job), Action::Job(*job)),
        None => screen,
    }
}

/// Every step of the way with its evidence, then what was changed, then how long it took.
fn record_of(run: &Run, times: bool) -> Rich {
    let mut text = Rich::new();
    if let Some((job, number)) = &run.job {
        text = text.push(msg::job_title(job.0.to_string(), number.to_string())).line();
    }
    let path = run.path();
    for (visit, record) in &run.state.records {
        let index = visit.step as usize;
        // Steps that a changed answer took out of the way keep their evidence, but are not part of the report.
        let Some((place, step)) = path.iter().position(|&shown| shown == index).zip(run.procedure.steps.get(index)) else { continue };
        text = if text.is_empty() { text } else { text.line() }.append(step_line(place + 1, visit.round, step, record));
        let minutes = record.started.zip(record.finished).map_or(0, |(from, to)| (to - from).num_minutes());
        if times && minutes > 0 {
            text = text.push(" · ").push(msg::walk_step_minutes(minutes));
        }
    }
    for change in &run.state.changes {
        let Some(step) = run.procedure.steps.get(change.visit.step as usize).filter(|_| path.contains(&(change.visit.step as usize)))
        else {
            continue;
        };
        let kind = step.checks.get(change.check as usize).map_or(&CheckKind::Confirm, |check| &check.kind);
        // Photos are counted in words of the reader's language, so the answers are not flattened here.
        text = text.line().push("✎ ").push(asked(&step.title)).append(answer_text(&change.old, kind)).push(" → ");
        let new = match &change.new {
            // Why it is out of range is the reason of the change, which follows.
            Answer::Number { value, .. } => Answer::Number { value: *value, reason: None },
            new => new.clone(),
        };
        text = text.append(answer_text(&new, kind)).push(format!(" ({})", change.reason));
    }
    for note in &run.state.notes {
        let step = note.step.map(|step| step as usize);
        let place =
            step.and_then(|step| path.iter().position(|&shown| shown == step)).zip(step.and_then(|step| run.procedure.steps.get(step)));
        text = text.line().push("📝 ");
        if let Some((place, step)) = place {
            text = text.push(format!("{}. {}", place + 1, asked(&step.title)));
        }
        text = text.push(note.text.as_str());
    }
    let ends = run.state.records.values().filter_map(|record| record.finished).max();
    let minutes = ends.map_or(0, |end| (end - run.started).num_minutes());
    if minutes < 1 {
        return text;
    }
    text.gap().push(if minutes < 120 { msg::walk_took(minutes) } else { msg::walk_took_hours(minutes / 60, minutes % 60) })
}
