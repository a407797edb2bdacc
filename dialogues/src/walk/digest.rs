//! The message that sums up what came in one go, and what the technician is asked about it: one thing at a time, with buttons.
//!
//! The step in focus is shown in the same message below the summary, until it moves on; then the summary stays as a record.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use fitter_domain::msg;
use fitter_domain::procedure::{CheckKind, Step};
use fitter_domain::rich::{Node, Rich};
use fitter_domain::run::{Answer, Aside, Came, Digest, Doubt, Note, Pending, Run, RunState, RunStatus, Visit};
use fitter_domain::screen::{Screen, Slot};

use super::burst::Got;
use super::texts::{answer_text, range, reading, shorten};
use super::{Walking, evidence, messages, moves, report, screens};
use crate::action::Walk;
use crate::ask;
use crate::effect::Effect;

/// Steps that are offered for what is in doubt: big buttons are few.
const OFFERED: usize = 2;
/// Longest title in a line and on a button, longest piece of words, in characters.
const TITLE: usize = 40;
const WORDS: usize = 60;

fn slot(run: &Run, number: u32) -> Slot {
    Slot::new(format!("walk:{}:got:{number}", run.id))
}

fn quoted(words: &str) -> String {
    format!("«{}»", shorten(&words.split_whitespace().collect::<Vec<_>>().join(" "), WORDS))
}

/// The summary in view, if it was told just now.
pub(super) fn told_since(state: &RunState, since: DateTime<Utc>) -> Option<&Digest> {
    state.digest.as_ref().filter(|digest| digest.at == state.at && digest.told.is_some_and(|told| told >= since))
}

/// Place of a step among the shown ones, from 1, and the step.
fn shown(run: &Run, step: u32) -> Option<(usize, &Step)> {
    let place = run.path().iter().position(|&index| index == step as usize)?;
    Some((place + 1, run.procedure.steps.get(step as usize)?))
}

fn named(run: &Run, step: u32) -> Option<String> {
    shown(run, step).map(|(place, step)| format!("{place}. {}", shorten(&step.title, TITLE)))
}

/// Steps that are offered for what is in doubt: those it may belong to, else the one in focus.
fn offered(run: &Run, doubt: &Doubt) -> Vec<u32> {
    let fitting: Vec<u32> = doubt.steps.iter().copied().filter(|step| shown(run, *step).is_some()).take(OFFERED).collect();
    if fitting.is_empty() { vec![run.state.at.step] } else { fitting }
}

/// Asks which step something belongs to.
pub(super) fn doubt_screen(run: &Run, doubt: &Doubt) -> Screen {
    let question = if doubt.files.is_empty() { msg::doubt_note() } else { msg::doubt_photos(doubt.files.len(), doubt.number) };
    let mut body = Rich::text("❓ ").bold(Rich::new().push(question));
    if let Some(words) = &doubt.text {
        body = body.line().push(quoted(words));
    }
    let more = run.state.doubts.len().saturating_sub(1);
    if more > 0 {
        body = body.line().push(msg::doubts_more(more));
    }
    let mut screen = Screen::of(body);
    for (place, step) in (0..).zip(offered(run, doubt)) {
        screen = screen.button(named(run, step).unwrap_or_default(), screens::press(run, Walk::Choose(place)));
    }
    if doubt.files.is_empty() {
        let question = (msg::button_it_was_a_question().into(), screens::press(run, Walk::Question));
        screen.row([question, (msg::button_no_step().into(), screens::press(run, Walk::Skip))])
    } else {
        screen.button(msg::button_no_step(), screens::press(run, Walk::Skip))
    }
}

/// How much came.
fn head(got: &Got) -> Rich {
    let mut head = Rich::text("📥 ").push(msg::burst_title());
    let counts = [(got.came.photos, msg::answer_photos(got.came.photos)), (got.came.notes, msg::burst_notes(got.came.notes))];
    for (place, (_, count)) in counts.into_iter().filter(|(count, _)| *count > 0).enumerate() {
        head = head.push(if place == 0 { " " } else { ", " }).push(count);
    }
    let head = Rich::new().bold(head);
    if got.came.others > 0 { head.line().push(msg::burst_others(got.came.others)) } else { head }
}

/// Words that wait for their step, as its checkpoint will read them; whether they are a reading out of range.
fn read_back(step: &Step, words: &str) -> (Rich, bool) {
    let read = step.checks.iter().map(|check| (&check.kind, evidence::read(&check.kind, words)));
    for (kind, reading) in read {
        match reading {
            evidence::Reading::Good(answer @ Answer::Number { .. }) => return (answer_text(&answer, kind), false),
            evidence::Reading::OutOfRange(value) => return (out_of_range(value, kind), true),
            _ => {}
        }
    }
    (Rich::text(quoted(words)), false)
}

fn out_of_range(value: f64, kind: &CheckKind) -> Rich {
    let CheckKind::Number { unit, min, max } = kind else { return Rich::text(reading(value, "")) };
    Rich::text(reading(value, unit)).push(", ").push(msg::burst_out_of_range()).append(range(unit, *min, *max))
}

impl Walking<'_, '_> {
    /// The message and the screen in which the step in focus is shown.
    pub(super) fn in_digest(&self, mut screen: Screen) -> (Slot, Screen) {
        match self.run.state.digest.as_ref().filter(|digest| digest.at == self.run.state.at) {
            Some(digest) => {
                screen.body = digest.body.clone().gap().append(screen.body);
                (slot(&self.run, digest.number), screen)
            }
            None => (messages::slot(&self.run, self.run.state.at), screen),
        }
    }

    /// The step of a visit is not shown below the summary any more: its message and what stays of it, if it was.
    pub(super) fn detach(&mut self, visit: Visit) -> Option<(Slot, Rich)> {
        let digest = self.run.state.digest.take_if(|digest| digest.at == visit)?;
        Some((slot(&self.run, digest.number), digest.body))
    }

    /// A step that is shown below the person's words leaves the summary above them.
    pub(super) fn detach_if_moved(&mut self) {
        let at = self.run.state.at;
        if !self.tapped && !self.quiet && self.run.state.digest.as_ref().is_some_and(|digest| digest.at == at) {
            self.forget_message(at);
            self.save();
        }
    }

    /// One message about what came in one go, and how the walk stands now.
    pub(super) fn tell_of_burst(&mut self, before: &RunState, got: &Got, since: DateTime<Utc>) {
        let over = self.ended && self.run.state.doubts.is_empty();
        let just_done = visits_since(before, |record| record.finished, since);
        let just_begun = visits_since(before, |record| record.started, since);
        let changed = |visit: &Visit| {
            let of = |state: &RunState| state.records.get(visit).map(|it| (it.answers.clone(), it.finished));
            of(&self.run.state) != of(before)
        };
        let told: BTreeSet<Visit> = moves::visits(&self.run)
            .into_iter()
            .filter(|visit| changed(visit) || just_done.contains(visit) || just_begun.contains(visit))
            .collect();
        let earlier = told_since(before, since);
        let beside =
            !got.came.extra.is_empty() || got.came.others > 0 || self.run.state.notes.len() > before.notes.len() || earlier.is_some();
        let elsewhere = told.iter().any(|visit| *visit != before.at && changed(visit))
            || self.run.state.asides.iter().any(|aside| aside.step != before.at.step);
        let stays = self.run.state.at == before.at && !elsewhere && !over;
        if stays && !beside && self.run.state.doubts.is_empty() {
            // All of it went to the step in view, which shows it.
            self.save();
            return self.show();
        }
        if let Some(earlier) = earlier {
            // What followed at once is summed up together with it.
            self.turn.push(Effect::Delete { slot: slot(&self.run, earlier.number) });
            self.run.state.digest = None;
        }
        self.forget_message(before.at);
        for visit in just_done.union(&just_begun).filter(|visit| **visit != before.at) {
            self.turn.push(Effect::Delete { slot: messages::slot(&self.run, *visit) });
        }
        for visit in just_begun {
            let figures = self.run.procedure.steps.get(visit.step as usize).map_or(0, |step| step.figures.len());
            for place in 0..figures {
                self.turn.push(Effect::Delete { slot: messages::figure_slot(&self.run, visit, place) });
            }
        }
        if over {
            self.note_what_is_left(None);
            (self.run.state.status, self.run.state.digest) = (RunStatus::Done, None);
            self.save();
            // The walk's own summary has every step.
            self.show_summary_with(head(got));
            return self.report_finished();
        }
        let body = self.summed_up(got, &told);
        let number = self.run.state.rev + 1;
        self.run.state.digest = Some(Digest { at: self.run.state.at, number, body, told: Some(self.turn.ctx.now), came: got.came.clone() });
        self.save();
        let (slot, screen) = self.in_digest(screens::step_screen(&self.run, self.turn.ctx.now));
        self.turn.say_as(slot, screen);
    }

    fn summed_up(&self, got: &Got, told: &BTreeSet<Visit>) -> Rich {
        let mut body = head(got);
        for step in self.run.path().into_iter().filter_map(|step| u32::try_from(step).ok()) {
            for line in self.lines_of(step, &got.came, told) {
                body = body.line().append(line);
            }
        }
        let loose = |note: &&Note| note.step.is_none();
        for note in self.run.state.notes.iter().skip(got.came.notes_before).filter(loose) {
            body = body.line().push("📝 ").push(quoted(&note.text));
        }
        if self.run.state.asides.iter().any(|aside| self.waits(aside)) {
            body = body.line().push(Node::Italic(Rich::text("📎 ").push(msg::burst_aside())));
        }
        body
    }

    /// It waits for a step that the walk has not come to.
    fn waits(&self, aside: &Aside) -> bool {
        aside.step != self.run.state.at.step || self.run.state.pending != Pending::Check || !aside.files.is_empty()
    }

    /// What a step got, a line for each time it was done.
    fn lines_of(&self, step: u32, came: &Came, told: &BTreeSet<Visit>) -> Vec<Rich> {
        let Some((place, of)) = shown(&self.run, step) else { return Vec::new() };
        let of = &Step { title: shorten(&of.title, TITLE), ..of.clone() };
        let mut lines: Vec<Rich> = Vec::new();
        for (visit, record) in self.run.state.records.iter().filter(|(visit, _)| visit.step == step && told.contains(visit)) {
            if !record.answers.is_empty() || record.finished.is_some() {
                lines.push(report::step_line(place, visit.round, of, record));
            }
        }
        let mut more: Vec<Rich> = Vec::new();
        let mut mark = "· ";
        let extra: usize = came.extra.iter().filter(|(of, _)| *of == step).map(|(_, count)| count).sum();
        if extra > 0 {
            more.push(Rich::from(msg::burst_extra(extra)));
            mark = "📷 ";
        }
        for note in self.run.state.notes.iter().skip(came.notes_before).filter(|note| note.step == Some(step)) {
            more.push(Rich::text(quoted(&note.text)));
            mark = "📝 ";
        }
        let files: usize = self.run.state.asides.iter().filter(|aside| aside.step == step).map(|aside| aside.files.len()).sum();
        let words = self.run.state.asides.iter().filter(|aside| aside.step == step).filter_map(|aside| aside.text.as_deref());
        let words: Vec<(Rich, bool)> = words.map(|words| read_back(of, words)).collect();
        if files > 0 || !words.is_empty() {
            mark = if words.iter().any(|(_, amiss)| *amiss) { "⚠ " } else { "📎 " };
            more.extend((files > 0).then(|| Rich::from(msg::answer_photos(files))));
            more.extend(words.into_iter().map(|(words, _)| words));
        }
        if let (Pending::OutOfRange { value, .. }, Some((_, kind)), true) =
            (&self.run.state.pending, self.open_kind(), step == self.run.state.at.step)
        {
            more.push(out_of_range(*value, &kind));
            mark = "⚠ ";
        }
        let Some(first) = more.first().cloned() else { return lines };
        let mut line = match lines.pop() {
            Some(line) => line.push("; ").append(first),
            None => Rich::text(format!("{mark}{place}. {} — ", of.title)).append(first),
        };
        for other in more.into_iter().skip(1) {
            line = line.push(", ").append(other);
        }
        lines.push(line);
        lines
    }

    /// A button under something in doubt.
    pub(super) fn tell_doubt(&mut self, what: Walk) {
        let Some(doubt) = self.run.state.doubts.first().cloned() else { return self.show() };
        match what {
            Walk::Choose(place) => match offered(&self.run, &doubt).get(place as usize) {
                Some(step) => self.place_doubt(*step as usize),
                None => self.show(),
            },
            Walk::Skip => self.resolve(&doubt, None),
            Walk::Question if doubt.files.is_empty() => {
                let text = doubt.text.clone().unwrap_or_default();
                self.resolve(&Doubt { text: None, ..doubt }, None);
                ask::search(self.turn, &text);
            }
            _ => {
                self.turn.toast(msg::button_stale());
                self.show();
            }
        }
    }

    /// The technician has told the step of what is in doubt.
    pub(super) fn place_doubt(&mut self, step: usize) {
        if let Some(doubt) = self.run.state.doubts.first().cloned() {
            self.resolve(&doubt, Some(step));
        }
    }

    fn resolve(&mut self, doubt: &Doubt, step: Option<usize>) {
        let at = self.run.state.at;
        self.run.state.doubts.remove(0);
        self.quiet = true;
        match step {
            Some(step) => {
                self.put_doubt(step, doubt);
                self.go_as_far_as_it_gets();
            }
            // The caption stays with its photo.
            None if doubt.files.is_empty() => {
                self.run.state.notes.extend(doubt.text.clone().map(|text| Note { step: None, text }));
            }
            None => {}
        }
        self.quiet = false;
        self.add_to_digest(doubt, step, at);
        if self.is_at_the_end() {
            match self.detach(self.run.state.at) {
                Some((slot, body)) => {
                    self.turn.push(Effect::Edit { slot, screen: Screen::of(body) });
                }
                None => self.close_message(),
            }
            return self.finish();
        }
        self.save();
        if self.run.state.at == at || self.run.state.digest.is_some() {
            return self.show();
        }
        self.turn.push(Effect::Delete { slot: messages::slot(&self.run, at) });
        self.show_new();
    }

    /// The summary tells what became of the doubt, and goes with the walk.
    fn add_to_digest(&mut self, doubt: &Doubt, step: Option<usize>, at: Visit) {
        let Some(mut digest) = self.run.state.digest.take_if(|digest| digest.at == at) else { return };
        let mut line = Rich::new();
        if !doubt.files.is_empty() {
            line = line.push(msg::answer_photos(doubt.files.len()));
        }
        if let Some(words) = &doubt.text {
            line = if line.0.is_empty() { line } else { line.push(" ") }.push(quoted(words));
        }
        if !line.0.is_empty() {
            line = line.push(" → ");
            line = match step.and_then(|step| named(&self.run, u32::try_from(step).ok()?)) {
                Some(name) => line.push(name),
                None => line.push(msg::burst_no_step()),
            };
            digest.body = digest.body.line().append(line);
        }
        (digest.at, digest.told) = (self.run.state.at, None);
        self.run.state.digest = Some(digest);
    }
}

fn visits_since(
    state: &RunState,
    when: impl Fn(&fitter_domain::run::StepRecord) -> Option<DateTime<Utc>>,
    since: DateTime<Utc>,
) -> BTreeSet<Visit> {
    state.records.iter().filter(|(_, record)| when(record).is_some_and(|at| at >= since)).map(|(visit, _)| *visit).collect()
}
