//! One step under way: the state so far and the effects collected.

use chrono::{DateTime, Utc};
use fitter_domain::msg::{self, Msg};
use fitter_domain::person::Person;
use fitter_domain::run::Run;
use fitter_domain::screen::{Screen, Slot};

use crate::action::Action;
use crate::effect::{Addressee, Command, Effect};
use crate::state::State;

/// What a step may look at beside the state and the event.
#[derive(Debug, Clone, Copy)]
pub struct Ctx<'a> {
    /// The time.
    pub now: DateTime<Utc>,
    /// Who the dialogue is with.
    pub person: &'a Person,
    /// The walk that [`crate::focus`] asked for, if it exists and is the person's own.
    pub run: Option<&'a Run>,
}

/// What a step gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// Where the dialogue stands now.
    pub state: State,
    /// What is to be done, in this order.
    pub effects: Vec<Effect>,
}

/// Collects the effects of one step.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    pub ctx: Ctx<'a>,
    pub state: State,
    pub effects: Vec<Effect>,
}

impl<'a> Turn<'a> {
    pub fn new(state: State, ctx: Ctx<'a>) -> Self {
        Self { ctx, state, effects: Vec::new() }
    }

    pub fn finish(self) -> Transition {
        Transition { state: self.state, effects: self.effects }
    }

    pub fn go(&mut self, state: State) -> &mut Self {
        self.state = state;
        self
    }

    pub fn show(&mut self, screen: Screen) -> &mut Self {
        self.push(Effect::Show(screen))
    }

    pub fn say(&mut self, msg: Msg) -> &mut Self {
        self.push(Effect::Say { slot: None, screen: Screen::say(msg) })
    }

    pub fn say_as(&mut self, slot: Slot, screen: Screen) -> &mut Self {
        self.push(Effect::Say { slot: Some(slot), screen })
    }

    pub fn toast(&mut self, msg: Msg) -> &mut Self {
        self.push(Effect::Toast(msg))
    }

    pub fn tell(&mut self, to: Addressee, slot: Option<Slot>, screen: Screen) -> &mut Self {
        self.push(Effect::Tell { to, slot, screen })
    }

    pub fn run(&mut self, command: Command) -> &mut Self {
        self.push(Effect::Do(command))
    }

    pub fn push(&mut self, effect: Effect) -> &mut Self {
        self.effects.push(effect);
        self
    }

    /// Says that it cannot be had, with a way on.
    pub fn refuse(&mut self) -> &mut Self {
        // Photos that wait for a card go on waiting.
        if !matches!(self.state, State::Photos { .. }) {
            self.leave_typing();
        }
        let screen = self.with_way_on(Screen::say(msg::not_available()));
        self.show(screen)
    }

    /// A new message with a way on.
    pub fn say_on(&mut self, msg: Msg) -> &mut Self {
        let screen = self.with_way_on(Screen::say(msg));
        self.push(Effect::Say { slot: None, screen })
    }

    /// Adds the button that leads on from here: to the step of the walk in focus, or to the menu.
    pub fn with_way_on(&self, screen: Screen) -> Screen {
        match self.state {
            State::Running { run } => screen.button(msg::button_back_to_step(), Action::Run(run)),
            _ => screen.button(msg::button_menu(), Action::Menu),
        }
    }

    /// Nothing is awaited any more but the walk in focus.
    pub fn leave_typing(&mut self) -> &mut Self {
        if !matches!(self.state, State::Running { .. }) {
            self.state = State::Home;
        }
        self
    }

    /// Home, with its screen.
    pub fn home(&mut self) -> &mut Self {
        self.go(State::Home).run(Command::Home)
    }
}
