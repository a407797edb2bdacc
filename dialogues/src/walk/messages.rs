//! The messages of a walk. Each visit of a step has one: it is changed in place while its evidence comes in, and becomes one line when it is
//! done.

use fitter_domain::msg;
use fitter_domain::rich::{Node, Rich};
use fitter_domain::run::{Run, Visit};
use fitter_domain::screen::{Button, Press, Screen, Slot, Style};

use super::screens::{changeable, figures, header, press, step_screen};
use super::texts::shorten;
use super::{Walking, report};
use crate::action::{Action, Walk};
use crate::effect::Effect;

pub(super) fn slot(run: &Run, visit: Visit) -> Slot {
    Slot::new(format!("walk:{}:{}:{}", run.id, visit.step, visit.round))
}

/// A figure's message.
pub(super) fn figure_slot(run: &Run, visit: Visit, place: usize) -> Slot {
    Slot::new(format!("walk:{}:{}:{}:f{place}", run.id, visit.step, visit.round))
}

impl Walking<'_, '_> {
    /// The step in focus, in its message: changed in place after a tap, moved below the person's message otherwise.
    pub(super) fn show(&mut self) {
        self.detach_if_moved();
        let screen = step_screen(&self.run, self.turn.ctx.now);
        if self.tapped { self.edit(screen) } else { self.send_below(screen) }
    }

    /// The step in focus with a remark above it: one message, not two.
    pub(super) fn show_with(&mut self, remark: Rich) {
        self.detach_if_moved();
        let mut screen = step_screen(&self.run, self.turn.ctx.now);
        screen.body = remark.gap().append(screen.body);
        if self.tapped { self.edit(screen) } else { self.send_below(screen) }
    }

    pub(super) fn edit(&mut self, screen: Screen) {
        if self.quiet {
            return;
        }
        let (slot, screen) = self.in_digest(screen);
        self.turn.push(Effect::Edit { slot, screen });
    }

    fn send_below(&mut self, screen: Screen) {
        if self.quiet {
            return;
        }
        self.forget_message(self.run.state.at);
        let slot = slot(&self.run, self.run.state.at);
        self.turn.say_as(slot, screen);
    }

    /// The step in focus as a new message, its figures above it.
    ///
    /// Figures are messages of their own and never change: the step's message stays a text, which can be edited and moved cheaply while
    /// its evidence comes in.
    pub(super) fn show_new(&mut self) {
        if self.quiet {
            return;
        }
        for (place, screen) in self.run.step().into_iter().flat_map(figures).enumerate() {
            self.turn.push(Effect::Say { slot: Some(figure_slot(&self.run, self.run.state.at, place)), screen });
        }
        let (slot, screen) = (slot(&self.run, self.run.state.at), step_screen(&self.run, self.turn.ctx.now));
        self.turn.say_as(slot, screen);
    }

    /// The hint of the open checkpoint, inside of the step's message.
    pub(super) fn show_hint(&mut self) {
        let hint = self.open_check().and_then(|place| Some(self.run.step()?.checks.get(place)?.hint.clone()));
        let mut screen = step_screen(&self.run, self.turn.ctx.now);
        if let Some(hint) = hint.filter(|hint| !hint.is_empty()) {
            let pressed = press(&self.run, Walk::Hint);
            screen.body = screen.body.gap().push("💡 ").push(Node::Italic(Rich::text(hint)));
            screen.buttons.iter_mut().for_each(|row| row.retain(|button| button.press != Press::Callback(pressed.clone())));
            screen.buttons.retain(|row| !row.is_empty());
        }
        self.edit(screen);
    }

    /// Asks which of several answers is to be changed.
    pub(super) fn show_changes(&mut self) {
        let Some(step) = self.run.step() else { return };
        let mut screen = Screen::of(header(&self.run, step).gap().append(msg::walk_choose_change()));
        for (place, check) in changeable(&self.run).filter_map(|place| Some((place, step.checks.get(place)?))) {
            let walk = Walk::Change(u32::try_from(place).unwrap_or(0));
            screen = screen.button(shorten(&check.question, 40), press(&self.run, walk));
        }
        let screen = screen.row([(msg::button_back_to_step().into(), press(&self.run, Walk::Cancel))]);
        self.edit(screen);
    }

    /// A walk that was put aside: one tap to go on.
    pub(super) fn show_paused(&mut self) {
        let Some(step) = self.run.step() else { return };
        let body = Rich::text("⏸ ").append(header(&self.run, step)).gap().append(msg::walk_paused());
        let screen = Screen::of(body).primary(msg::button_resume(), Action::Run(self.run.id));
        let row = [(msg::button_menu().into(), Action::Menu.into()), (msg::button_abandon().into(), press(&self.run, Walk::Abandon))];
        self.edit(screen.row(row));
    }

    /// Giving up cannot be taken back.
    pub(super) fn ask_to_abandon(&mut self) {
        let mut screen = Screen::say(msg::walk_abandon_question(self.run.procedure.title.as_str()));
        screen = screen.primary(msg::button_resume(), Action::Run(self.run.id));
        let yes = Press::Callback(press(&self.run, Walk::AbandonYes));
        screen.buttons.push(vec![Button { label: msg::button_abandon_yes().into(), press: yes, style: Style::Danger }]);
        self.edit(screen);
    }

    /// The step's message goes, because it is sent anew below or was of no use.
    pub(super) fn forget_message(&mut self, visit: Visit) {
        if self.quiet {
            return;
        }
        match self.detach(visit) {
            // What sums up a burst stays, without the step below it.
            Some((slot, body)) => self.turn.push(Effect::Edit { slot, screen: Screen::of(body) }),
            None => self.turn.push(Effect::Delete { slot: slot(&self.run, visit) }),
        };
    }

    /// The step's message becomes one line of the walk's record in the chat.
    pub(super) fn close_message(&mut self) {
        if self.quiet {
            return;
        }
        let line = report::done_line(&self.run);
        match self.detach(self.run.state.at) {
            Some((slot, body)) => {
                self.turn.push(Effect::Edit { slot, screen: Screen::of(body.line().append(line.body)) });
            }
            None => self.edit(line),
        }
    }

    /// The line of a step that never had a message.
    pub(super) fn say_done_line(&mut self) {
        let slot = slot(&self.run, self.run.state.at);
        self.turn.say_as(slot, report::done_line(&self.run));
    }
}
