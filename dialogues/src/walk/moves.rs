//! On, back and over.

use fitter_domain::msg;
use fitter_domain::rich::Rich;
use fitter_domain::run::{Pending, Run, RunStatus, Visit};

use super::{Walking, report};
use crate::effect::Addressee;
use crate::home;

/// Whether a repeatable step is done another time after the visit in focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnceMore {
    /// It is not repeatable, was done often enough, or has been done again already.
    No,
    /// If the technician wants to.
    Possible,
    /// It has to be.
    Needed,
}

/// Whether a repeatable step is done another time after the visit in focus.
pub(super) fn once_more(run: &Run) -> OnceMore {
    let Visit { step, round } = run.state.at;
    let done = round.saturating_add(1);
    match run.step().and_then(|step| step.repeat) {
        _ if run.state.records.contains_key(&Visit { step, round: done }) => OnceMore::No,
        Some((min, _)) if done < min => OnceMore::Needed,
        Some((_, max)) if done < max => OnceMore::Possible,
        _ => OnceMore::No,
    }
}

/// A visit beyond what is required, which can be left without doing anything.
pub(super) fn is_extra(run: &Run) -> bool {
    run.state.at.round > 0 && run.step().and_then(|step| step.repeat).is_none_or(|(min, _)| run.state.at.round >= min)
}

/// Every visit of the way, in order: steps that the answers let be shown, each as often as it was begun.
pub(super) fn visits(run: &Run) -> Vec<Visit> {
    let mut visits = Vec::new();
    for index in run.path() {
        let step = u32::try_from(index).unwrap_or(u32::MAX);
        visits.push(Visit { step, round: 0 });
        visits.extend(run.state.records.keys().filter(|visit| visit.step == step && visit.round > 0));
    }
    visits
}

/// The visit after the one in focus on which the walk stands still: not done, or the last one that there is.
pub(super) fn front(run: &Run) -> Option<Visit> {
    let ahead: Vec<Visit> = visits(run).into_iter().filter(|visit| *visit > run.state.at).collect();
    ahead.iter().find(|visit| !left(run, **visit)).or(ahead.last()).copied()
}

/// Done or skipped.
pub(super) fn left(run: &Run, visit: Visit) -> bool {
    run.state.records.get(&visit).is_some_and(|record| record.finished.is_some())
}

impl Walking<'_, '_> {
    /// Marks the visit in focus as begun.
    pub(super) fn arrive(&mut self) {
        let now = self.turn.ctx.now;
        self.record().started.get_or_insert(now);
    }

    pub(super) fn mark_finished(&mut self) {
        let now = self.turn.ctx.now;
        let record = self.record();
        if record.skipped || record.finished.is_none() {
            record.finished = Some(now);
        }
        record.skipped = false;
    }

    /// All evidence of the step is there.
    pub(super) fn complete(&mut self) {
        self.mark_finished();
        match once_more(&self.run) {
            OnceMore::Needed => self.again(),
            OnceMore::Possible => self.await_(Pending::Repeat),
            OnceMore::No => self.leave(),
        }
    }

    /// On from a step that was done before.
    pub(super) fn onward(&mut self) {
        if once_more(&self.run) == OnceMore::Needed { self.again() } else { self.leave() }
    }

    /// A repeatable step once more.
    pub(super) fn again(&mut self) {
        self.close_message();
        self.run.state.at.round += 1;
        self.enter();
    }

    /// Leaves an optional step, or a repetition that is not needed, as it is; what was given stays.
    pub(super) fn skip(&mut self) {
        let optional = self.run.step().is_some_and(|step| step.optional);
        if self.finished() || !(optional || is_extra(&self.run)) {
            return self.show();
        }
        if self.drop_empty_round() {
            let at = self.run.state.at;
            self.forget_message(at);
            return self.go_on();
        }
        let now = self.turn.ctx.now;
        let record = self.record();
        record.finished = Some(now);
        record.skipped = true;
        self.leave();
    }

    /// Forgets a repetition that was begun but in which nothing was given.
    fn drop_empty_round(&mut self) -> bool {
        let at = self.run.state.at;
        let empty = self.run.record().is_some_and(|record| record.answers.is_empty() && record.finished.is_none());
        let drop = at.round > 0 && empty;
        if drop {
            self.run.state.records.remove(&at);
        }
        drop
    }

    /// To the next step that the answers let be shown, or over.
    pub(super) fn leave(&mut self) {
        self.note_what_is_left(Some(self.run.state.at.step));
        self.close_message();
        self.go_on();
    }

    fn go_on(&mut self) {
        let at = self.run.state.at;
        let visits = visits(&self.run);
        let ahead = visits.iter().find(|visit| **visit > at).copied();
        // A changed answer can bring a step behind into view: nothing is passed without its evidence.
        let next = ahead.or_else(|| visits.into_iter().find(|visit| !left(&self.run, *visit)));
        self.run.state.pending = Pending::Check;
        match next {
            Some(next) => {
                self.run.state.at = next;
                self.enter();
            }
            // What came last may be asked about before it is over.
            None if self.quiet => self.ended = true,
            None if self.run.state.doubts.is_empty() => self.finish(),
            None => {
                self.save();
                self.show_new();
            }
        }
    }

    /// Every visit of the way is done, none is behind the one in focus, and nothing more is asked.
    pub(super) fn is_at_the_end(&self) -> bool {
        let visits = visits(&self.run);
        let done = visits.last().is_none_or(|last| *last <= self.run.state.at) && visits.iter().all(|visit| left(&self.run, *visit));
        done && self.run.state.doubts.is_empty() && self.run.state.pending == Pending::Check
    }

    /// To the first step that is not done.
    pub(super) fn forward(&mut self) {
        let Some(front) = front(&self.run) else { return self.onward() };
        self.close_message();
        self.run.state.at = front;
        self.enter();
    }

    /// To the question before, or the step before; what was given stays given.
    pub(super) fn back(&mut self) {
        if matches!(self.run.state.pending, Pending::Repeat | Pending::OutOfRange { .. } | Pending::Change { .. }) {
            return self.await_(Pending::Check);
        }
        let at = self.run.state.at;
        let Some(before) = visits(&self.run).into_iter().rev().find(|visit| *visit < at) else {
            self.turn.toast(msg::walk_first_step());
            return self.show();
        };
        if self.drop_empty_round() || self.given() == 0 && !self.finished() {
            self.forget_message(at);
        } else {
            self.close_message();
        }
        self.run.state.at = before;
        self.enter();
    }

    /// Shows the visit that has just come into focus.
    fn enter(&mut self) {
        let at = self.run.state.at;
        if self.run.state.records.contains_key(&at) {
            self.forget_message(at);
        }
        self.arrive();
        self.run.state.pending = if self.finished() { Pending::Check } else { self.rest() };
        if self.quiet {
            return;
        }
        self.take_what_waited();
        self.save();
        self.show_new();
    }

    /// Evidence that came ahead of the visit that has just come into focus. Steps that are done by it leave their lines in the chat.
    fn take_what_waited(&mut self) {
        let from = self.run.state.at;
        self.quiet = true;
        if self.take_aside() {
            self.go_as_far_as_it_gets();
        }
        self.quiet = false;
        let passed: Vec<Visit> = visits(&self.run).into_iter().filter(|visit| (from..self.run.state.at).contains(visit)).collect();
        let at = self.run.state.at;
        for visit in passed {
            self.run.state.at = visit;
            self.say_done_line();
        }
        self.run.state.at = at;
    }

    pub(super) fn finish(&mut self) {
        self.note_what_is_left(None);
        self.run.state.status = RunStatus::Done;
        self.save();
        self.show_summary();
        self.report_finished();
    }

    /// The walk's summary, and what to do next.
    pub(super) fn show_summary(&mut self) {
        self.show_summary_with(Rich::new());
    }

    /// The same below what came before it.
    pub(super) fn show_summary_with(&mut self, before: Rich) {
        let (slot, mut screen, job) = (report::slot(&self.run), report::summary(&self.run), self.job());
        screen.body = before.gap().append(screen.body);
        home::after_summary(self.turn, slot, screen, job);
    }

    /// The managers hear of the end.
    pub(super) fn report_finished(&mut self) {
        self.turn.tell(Addressee::Managers, None, report::finished(&self.run));
    }
}
