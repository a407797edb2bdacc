//! The walk through a procedure, the heart of the product: one step at a time, nothing passed without its evidence, nothing lost.
//!
//! | file | what |
//! | --- | --- |
//! | `walk.rs` | how a walk comes into focus, and what its buttons do |
//! | `walk/answers.rs` | words, choices and photos that come in for a step |
//! | `walk/evidence.rs` | from words to answers |
//! | `walk/burst.rs` | what comes in one go, of somebody who was out of reach |
//! | `walk/asides.rs` | evidence that does not come in the order of the steps |
//! | `walk/heard.rs` | words that were searched for right before their photos came |
//! | `walk/hints.rs` | which step words speak of |
//! | `walk/digest.rs` | the message that sums it up, and what the technician is asked about it |
//! | `walk/moves.rs` | on, back, over |
//! | `walk/messages.rs` | the messages of a walk: sent, changed in place, closed |
//! | `walk/screens.rs` | what a step looks like |
//! | `walk/texts.rs` | pieces of their texts |
//! | `walk/report.rs` | what a walk looks like afterwards |

mod answers;
mod asides;
mod burst;
mod digest;
mod evidence;
mod heard;
mod hints;
mod messages;
mod moves;
mod report;
mod screens;
mod texts;

pub(crate) use evidence::looks_like_a_question;
pub(crate) use heard::searched;
pub(crate) use texts::warnings;

use chrono::TimeDelta;
use fitter_domain::ids::{JobId, ProcedureId, RunId};
use fitter_domain::msg;
use fitter_domain::procedure::{CheckKind, Step};
use fitter_domain::rich::Rich;
use fitter_domain::run::{Answer, Pending, Run, RunStatus, StepRecord};
use fitter_domain::screen::Screen;

use crate::action::{Action, Walk};
use crate::effect::{Addressee, Command};
use crate::state::State;
use crate::turn::Turn;
use crate::{ask, home};

/// How much earlier than planned a timer may ring: clocks and their resolutions differ.
const TIMER_SLACK: TimeDelta = TimeDelta::seconds(2);

/// A walk that is being changed by one event.
struct Walking<'t, 'a> {
    turn: &'t mut Turn<'a>,
    run: Run,
    /// The person tapped, so the step's message is in view and is changed in place; else it is moved below their message.
    tapped: bool,
    /// One of several changes: nothing is shown or saved until the last one.
    quiet: bool,
    /// The last of several changes went beyond the last step.
    ended: bool,
}

/// Whether a walk can still be walked.
fn alive(run: &Run) -> bool {
    matches!(run.state.status, RunStatus::Active | RunStatus::Paused)
}

/// A walk was begun or taken up again: it is in focus, and its step is shown at the end of the chat.
pub(crate) fn opened(turn: &mut Turn<'_>, run: &Run, begun: bool) {
    if run.by != turn.ctx.person.id {
        // A walk has one writer; others may look at what there is so far.
        let screen = report::progress(run).button(msg::button_menu(), Action::Menu);
        turn.go(State::Home).show(screen);
        return;
    }
    let returned = !begun && turn.state != State::Running { run: run.id };
    turn.go(State::Running { run: run.id });
    if begun {
        // The introduction loses its buttons: a second press must not begin a second walk.
        let size = msg::procedure_size(run.procedure.size());
        turn.show(Screen::of(Rich::new().bold(Rich::new().push(msg::walk_begun(run.procedure.title.as_str()))).push(" · ").push(size)));
    }
    let mut walk = Walking { turn, run: run.clone(), tapped: false, quiet: false, ended: false };
    if !alive(run) {
        walk.show_summary();
        return;
    }
    if run.newer && returned && !run.state.newer_told {
        walk.turn.say(msg::walk_newer_version());
        walk.run.state.newer_told = true;
    }
    walk.run.state.status = RunStatus::Active;
    if begun {
        walk.run.state.at = moves::visits(&walk.run).first().copied().unwrap_or_default();
    } else {
        walk.forget_message(walk.run.state.at);
    }
    walk.arrive();
    walk.save();
    walk.show_new();
}

/// "Start" was pressed. Pressed twice, it opens the walk that was begun by the first press.
pub(crate) fn start(turn: &mut Turn<'_>, id: ProcedureId, job: Option<JobId>) {
    let untouched = |run: &Run| run.state.records.values().all(|record| record.answers.is_empty() && record.finished.is_none());
    let twice = turn.ctx.run.filter(|run| {
        turn.state == State::Running { run: run.id }
            && (run.procedure_id, run.job.as_ref().map(|(job, _)| *job)) == (id, job)
            && alive(run)
            && untouched(run)
    });
    match twice.map(|run| run.id) {
        Some(run) => turn.run(Command::OpenRun(run)),
        None => turn.run(Command::StartRun { procedure: id, job }),
    };
}

/// Shows the step in focus once more, at the end of the chat.
pub(crate) fn show_again(turn: &mut Turn<'_>) {
    if let Some(mut walk) = Walking::of(turn, false).filter(|walk| alive(&walk.run)) {
        walk.show();
    }
}

/// A walk that cannot go on, because it ended elsewhere or is gone, does not stay in focus.
pub(crate) fn lose_dead_focus(turn: &mut Turn<'_>) {
    if let State::Running { run } = turn.state
        && !turn.ctx.run.is_some_and(|focused| focused.id == run && alive(focused))
    {
        turn.go(State::Home);
    }
}

/// A tap on a button of a walk, made for revision `rev` of it.
pub(crate) fn tap(turn: &mut Turn<'_>, run: RunId, rev: u32, what: Walk) {
    let focused = turn.state == State::Running { run };
    let Some(mut walk) = Walking::of(turn, true).filter(|walk| walk.run.id == run) else {
        turn.run(Command::OpenRun(run));
        return;
    };
    if walk.run.state.rev != rev || !alive(&walk.run) {
        walk.turn.toast(msg::button_stale());
        match (walk.run.state.status, focused) {
            // Most often a double tap: the first one has done it already.
            (RunStatus::Paused, false) => walk.show_paused(),
            (RunStatus::Active, true) => walk.show(),
            _ => {
                walk.turn.run(Command::OpenRun(run));
            }
        }
        return;
    }
    match what {
        Walk::Abandon => return walk.ask_to_abandon(),
        Walk::AbandonYes => return walk.abandon(),
        _ => {}
    }
    walk.turn.go(State::Running { run });
    walk.run.state.status = RunStatus::Active;
    walk.pressed(what);
}

/// A step's timer is over.
pub(crate) fn timer_over(turn: &mut Turn<'_>, run: RunId, step: u32) {
    let now = turn.ctx.now;
    let Some(mut walk) = Walking::of(turn, false).filter(|walk| walk.run.id == run) else { return };
    // Whoever has gone on, or has set it anew, is not disturbed.
    let waiting = alive(&walk.run) && walk.run.state.at.step == step && !walk.finished();
    let ended = walk.run.record().and_then(|record| record.timer_ends).is_some_and(|ends| ends <= now + TIMER_SLACK);
    if !(waiting && ended) {
        return;
    }
    let text = msg::walk_timer_over(walk.run.step().map(|step| step.title.clone()).unwrap_or_default());
    if walk.turn.state == (State::Running { run }) && walk.run.state.status == RunStatus::Active {
        walk.turn.say(text);
        // The clock that rang may be a little ahead of this one: what has rung is over.
        if walk.record().timer_ends.is_some_and(|ends| ends > now) {
            walk.record().timer_ends = Some(now);
            walk.save();
        }
        walk.show();
    } else {
        let screen = Screen::say(text).primary(msg::button_back_to_step(), Action::Run(run));
        turn.push(crate::effect::Effect::Say { slot: None, screen });
    }
}

/// Words while a walk is in focus.
pub(crate) fn text(turn: &mut Turn<'_>, text: &str) {
    match Walking::of(turn, false) {
        Some(mut walk) => {
            walk.run.state.status = RunStatus::Active;
            walk.words(text);
        }
        None => ask::search(turn, text),
    }
}

/// Photos while a walk is in focus.
pub(crate) fn photos(turn: &mut Turn<'_>, photos: &[crate::event::Photo], caption: Option<&str>) {
    if let Some(mut walk) = Walking::of(turn, false) {
        walk.run.state.status = RunStatus::Active;
        if walk.follows_a_burst() {
            // A slow link brings photos one by one.
            let caption = caption.map(str::to_owned);
            return walk.burst(&[crate::event::Piece::Photos { photos: photos.to_vec(), caption }]);
        }
        walk.photos(photos, caption);
    }
}

/// Several things in one go while a walk is in focus.
pub(crate) fn burst(turn: &mut Turn<'_>, pieces: &[crate::event::Piece]) {
    if let Some(mut walk) = Walking::of(turn, false) {
        walk.run.state.status = RunStatus::Active;
        walk.burst(pieces);
    }
}

impl<'t, 'a> Walking<'t, 'a> {
    fn of(turn: &'t mut Turn<'a>, tapped: bool) -> Option<Self> {
        let run = turn.ctx.run?.clone();
        Some(Self { turn, run, tapped, quiet: false, ended: false })
    }

    fn step(&self) -> Option<Step> {
        self.run.step().cloned()
    }

    fn record(&mut self) -> &mut StepRecord {
        self.run.state.records.entry(self.run.state.at).or_default()
    }

    /// How many answers the visit in focus has.
    fn given(&self) -> usize {
        self.run.record().map_or(0, |record| record.answers.len())
    }

    /// The first checkpoint without a full answer, with its place.
    fn open_check(&self) -> Option<usize> {
        screens::open_check(&self.run)
    }

    fn open_kind(&self) -> Option<(usize, CheckKind)> {
        let place = self.open_check()?;
        self.run.step()?.checks.get(place).map(|check| (place, check.kind.clone()))
    }

    /// Done, and not merely skipped: a skipped step can be done later.
    fn finished(&self) -> bool {
        screens::finished(&self.run)
    }

    fn save(&mut self) {
        if self.quiet {
            return;
        }
        self.run.state.rev += 1;
        self.turn.run(Command::SaveRun { run: self.run.id, state: Box::new(self.run.state.clone()) });
    }

    /// Saves and shows the step in focus.
    fn settle(&mut self) {
        self.save();
        self.show();
    }

    /// Waits for this now.
    fn await_(&mut self, pending: Pending) {
        self.run.state.pending = pending;
        self.settle();
    }

    /// What the visit in focus waits for when nothing else is going on.
    fn rest(&self) -> Pending {
        if self.finished() {
            return if moves::once_more(&self.run) == moves::OnceMore::Possible { Pending::Repeat } else { Pending::Check };
        }
        let last = self.given().checked_sub(1);
        let check = last.and_then(|last| self.run.step()?.checks.get(last));
        match (check.map(|check| &check.kind), self.run.record().and_then(|record| record.answers.last())) {
            (Some(CheckKind::Photo { min, max }), Some(Answer::Photos { files }))
                if (*min as usize..*max as usize).contains(&files.len()) =>
            {
                Pending::MorePhotos
            }
            _ => Pending::Check,
        }
    }

    fn pressed(&mut self, what: Walk) {
        if screens::doubt(&self.run).is_some() && !matches!(what, Walk::Pause | Walk::Problem) {
            return self.tell_doubt(what);
        }
        match (what, self.run.state.pending.clone()) {
            (Walk::Send, Pending::Problem { note, photos }) => self.send_problem(note, photos),
            (Walk::Cancel, Pending::Change { .. } | Pending::Check) => self.await_(Pending::Check),
            (Walk::Cancel, Pending::OutOfRange { value, typed: Some(question), .. }) => self.ask_instead(value, &question),
            (Walk::Cancel, _) => {
                let rest = self.rest();
                self.await_(rest);
            }
            (Walk::Problem, pending) => {
                let note = self.problem_so_far(&pending);
                self.await_(Pending::Problem { note, photos: Vec::new() });
            }
            (Walk::Pause, _) => self.pause(),
            (Walk::Back, _) => self.back(),
            (Walk::Hint, _) => self.show_hint(),
            (Walk::Timer, _) => self.start_timer(),
            (Walk::Again, Pending::Repeat) => self.again(),
            (Walk::Again, Pending::Check) if self.finished() && moves::once_more(&self.run) != moves::OnceMore::No => self.again(),
            (Walk::Ok, Pending::Repeat) => self.leave(),
            (Walk::Remeasure, Pending::OutOfRange { .. }) => self.await_(Pending::Check),
            (Walk::Reason, Pending::OutOfRange { value, typed: Some(reason), .. }) => {
                self.give(Answer::Number { value, reason: Some(reason) })
            }
            (Walk::Reason, Pending::OutOfRange { value, .. }) => self.await_(Pending::OutOfRange { value, reason: true, typed: None }),
            (Walk::Changes, Pending::Check) if self.finished() => self.show_changes(),
            (Walk::Change(check), Pending::Check)
                if self.finished() && screens::changeable(&self.run).any(|place| place == check as usize) =>
            {
                self.await_(Pending::Change { check, new: None });
            }
            (Walk::Choose(place), Pending::Change { check, new: None }) => self.choose_anew(check, place),
            (Walk::Skip, Pending::Check | Pending::MorePhotos) => self.skip(),
            (Walk::Forward, Pending::Check) if self.finished() => self.forward(),
            (Walk::Choose(place), Pending::Check) => self.choose(place),
            (Walk::Ok, Pending::Check | Pending::MorePhotos) => self.ok(),
            _ => {
                self.turn.toast(msg::button_stale());
                self.show();
            }
        }
    }

    /// Yes, done, on.
    fn ok(&mut self) {
        if self.finished() {
            self.onward();
            return;
        }
        let enough_photos = std::mem::take(&mut self.run.state.pending) == Pending::MorePhotos;
        match self.open_kind() {
            // "Done" of a step whose checkpoints all have their answers, or that has none.
            None => self.complete(),
            Some(_) if enough_photos => self.settle(),
            Some((_, CheckKind::Confirm)) => self.give(Answer::Confirmed),
            Some(_) => {
                self.turn.toast(msg::walk_evidence_first());
                self.show();
            }
        }
    }

    fn start_timer(&mut self) {
        let now = self.turn.ctx.now;
        let Some(seconds) = self.step().and_then(|step| step.timer).filter(|_| !self.finished()) else { return self.show() };
        if self.record().timer_ends.is_some_and(|ends| ends > now) {
            return self.show();
        }
        let (run, step) = (self.run.id, self.run.state.at.step);
        self.record().timer_ends = Some(now + TimeDelta::seconds(i64::from(seconds)));
        self.turn.toast(msg::walk_timer_started());
        self.turn.run(Command::StartTimer { run, step, seconds });
        self.settle();
    }

    /// A problem met with a reading begins with that reading, so that it does not have to be typed again.
    fn problem_so_far(&self, pending: &Pending) -> String {
        match (pending, self.open_kind()) {
            (Pending::OutOfRange { value, typed, .. }, Some((place, kind))) => {
                let question =
                    self.run.step().and_then(|step| step.checks.get(place)).map(|check| check.question.clone()).unwrap_or_default();
                let typed = typed.iter().map(|typed| format!("\n{typed}")).collect::<String>();
                format!("{question}: {}{typed}", texts::answer_text(&Answer::Number { value: *value, reason: None }, &kind).plain())
            }
            _ => String::new(),
        }
    }

    fn send_problem(&mut self, note: String, photos: Vec<String>) {
        if note.is_empty() && photos.is_empty() {
            self.turn.toast(msg::problem_empty());
            return self.show();
        }
        // Whoever reads the report was not there: the step alone does not say what was being done.
        let step = self.step().map(|step| format!("{} › {}", self.run.procedure.title, step.title));
        self.run.state.pending = self.rest();
        self.save();
        self.turn.run(Command::ReportFault { job: self.job(), run: Some(self.run.id), step, note, photos });
    }

    fn job(&self) -> Option<JobId> {
        self.run.job.as_ref().map(|(job, _)| *job)
    }

    fn pause(&mut self) {
        self.run.state.status = RunStatus::Paused;
        self.save();
        self.turn.go(State::Home);
        self.show_paused();
    }

    fn abandon(&mut self) {
        self.run.state.status = RunStatus::Abandoned;
        self.save();
        self.close_message();
        self.turn.toast(msg::walk_abandoned()).tell(Addressee::Managers, None, report::abandoned(&self.run));
        let job = self.job();
        home::after_walk(self.turn, job);
    }
}
