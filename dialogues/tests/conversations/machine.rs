//! Steps that the world cannot bring about, given to the machine by hand.

use fitter_dialogues::action::{Action, Walk};
use fitter_dialogues::effect::{Command, Effect};
use fitter_dialogues::event::{Event, Input, Outcome};
use fitter_dialogues::state::State;
use fitter_dialogues::{Ctx, Transition, focus, step};
use fitter_domain::clock::Clock as _;
use fitter_domain::ids::{JobId, RunId};
use fitter_domain::run::{Run, RunStatus, StepRecord, Visit};
use fitter_domain::screen::{Press, Screen};

use crate::world::World;

/// A world with a walk of Ivan's, 1, on his card, 1.
fn world() -> World {
    let mut world = World::new();
    let ivan = world.who("Иван");
    for data in ["jn:plate:123ABC02", "go:1:1"] {
        world.act(ivan, Input::Tap { data: data.into() }, None);
    }
    world
}

fn run(world: &World) -> Run {
    world.runs[&RunId(1)].clone()
}

fn at(world: &World, name: &str, state: &State, event: &Event, run: Option<&Run>) -> Transition {
    let person = &world.chats[&world.who(name)].person;
    step(state, event, &Ctx { now: world.clock.now(), person, run })
}

fn text(text: &str) -> Event {
    Event::Person { input: Input::Text { text: text.into() }, slot: None }
}

fn tap(action: Action) -> Event {
    Event::Person { input: Input::Tap { data: action.encode() }, slot: None }
}

fn shown(transition: &Transition) -> &Screen {
    let mut screens = transition.effects.iter().filter_map(|effect| match effect {
        Effect::Show(screen) | Effect::Say { screen, .. } => Some(screen),
        _ => None,
    });
    screens.next_back().expect("something is shown")
}

fn actions(screen: &Screen) -> Vec<Action> {
    let data = screen.buttons.iter().flatten().filter_map(|button| match &button.press {
        Press::Callback(data) => Action::decode(data),
        _ => None,
    });
    data.collect()
}

#[test]
fn a_walk_of_somebody_else_is_looked_at_and_not_walked() {
    let world = world();
    let event = Event::Outcome(Outcome::Run { run: Box::new(run(&world)), begun: false });
    let came = at(&world, "Марат", &State::Home, &event, None);
    assert_eq!(came.state, State::Home);
    assert_eq!(actions(shown(&came)), [Action::Job(JobId(1)), Action::Menu]);
    assert!(!came.effects.iter().any(|effect| matches!(effect, Effect::Do(Command::SaveRun { .. }))));
}

#[test]
fn a_card_of_somebody_else_does_not_offer_their_walk() {
    let mut world = world();
    let (ivan, marat) = (world.who("Иван"), world.who("Марат"));
    for (who, offered) in [(ivan, true), (marat, false)] {
        world.act(who, Input::Tap { data: "j:1".into() }, None);
        let card = &world.chats[&who].messages.last().unwrap().screen;
        assert_eq!(actions(card).contains(&Action::Run(RunId(1))), offered, "{card:?}");
    }
}

#[test]
fn words_after_a_walk_ended_elsewhere_are_a_question() {
    let world = world();
    let mut over = run(&world);
    for status in [RunStatus::Done, RunStatus::Abandoned] {
        over.state.status = status;
        let came = at(&world, "Иван", &State::Running { run: RunId(1) }, &text("привет"), Some(&over));
        assert_eq!(
            came,
            Transition { state: State::Home, effects: vec![Effect::Do(Command::Search { text: "привет".into(), within: None })] }
        );
    }
    let gone = at(&world, "Иван", &State::Running { run: RunId(1) }, &text("привет"), None);
    assert_eq!(gone.state, State::Home);
}

#[test]
fn a_walk_paused_by_another_chat_goes_on_with_the_next_words() {
    let world = world();
    let mut paused = run(&world);
    paused.state.status = RunStatus::Paused;
    let came = at(&world, "Иван", &State::Running { run: RunId(1) }, &text("да"), Some(&paused));
    let saved = came.effects.iter().find_map(|effect| match effect {
        Effect::Do(Command::SaveRun { state, .. }) => Some(state),
        _ => None,
    });
    assert_eq!(saved.unwrap().status, RunStatus::Active);
}

#[test]
fn nothing_comes_to_somebody_whose_access_was_taken_away() {
    let mut world = world();
    let ivan = world.who("Иван");
    world.chats.get_mut(&ivan).unwrap().person.removed = true;
    let state = State::Running { run: RunId(1) };
    let late = [
        Outcome::TimerOver { run: RunId(1), step: 0 },
        Outcome::TooBig,
        Outcome::Refused,
        Outcome::Run { run: Box::new(run(&world)), begun: false },
    ];
    for outcome in late {
        let came = at(&world, "Иван", &state, &Event::Outcome(outcome), Some(&run(&world)));
        assert_eq!(came, Transition { state: state.clone(), effects: Vec::new() });
    }
    let cancelled = Event::Person { input: Input::Command { name: "cancel".into(), payload: String::new() }, slot: None };
    assert_eq!(at(&world, "Иван", &state, &cancelled, None).state, State::Home);
}

#[test]
fn a_timer_that_rang_is_over_also_for_a_clock_that_is_a_little_behind() {
    let world = world();
    let mut walk = run(&world);
    let place = walk.procedure.steps.iter().position(|step| step.timer.is_some()).unwrap();
    walk.state.at = Visit { step: u32::try_from(place).unwrap(), round: 0 };
    let (rang, state) = (Outcome::TimerOver { run: walk.id, step: walk.state.at.step }, State::Running { run: walk.id });
    let ends = Some(world.clock.now() + chrono::TimeDelta::milliseconds(700));
    walk.state.records.insert(walk.state.at, StepRecord { started: Some(world.clock.now()), timer_ends: ends, ..StepRecord::default() });
    let came = at(&world, "Иван", &state, &Event::Outcome(rang), Some(&walk));
    let again = |action: &Action| matches!(action, Action::Walk(_, _, Walk::Timer));
    assert!(actions(shown(&came)).iter().any(again), "it can be set again: {came:?}");
}

#[test]
fn start_pressed_twice_begins_one_walk() {
    let world = world();
    let walk = run(&world);
    let start = tap(Action::Start { id: walk.procedure_id, job: Some(JobId(1)) });
    let state = State::Running { run: walk.id };
    let twice = at(&world, "Иван", &state, &start, Some(&walk));
    assert_eq!(twice.effects, [Effect::Do(Command::OpenRun(walk.id))]);
    // Another card, or a walk that is under way: a new one is meant.
    let other = tap(Action::Start { id: walk.procedure_id, job: None });
    assert!(matches!(at(&world, "Иван", &state, &other, Some(&walk)).effects[..], [Effect::Do(Command::StartRun { .. })]));
}

#[test]
fn the_walk_that_a_step_needs() {
    let running = State::Running { run: RunId(1) };
    assert_eq!(focus(&running, &text("да")), Some(RunId(1)));
    assert_eq!(focus(&running, &tap(Action::Walk(RunId(2), 3, Walk::Ok))), Some(RunId(2)));
    assert_eq!(focus(&State::Home, &Event::Outcome(Outcome::TimerOver { run: RunId(4), step: 1 })), Some(RunId(4)));
    assert_eq!(focus(&State::Home, &text("да")), None);
}

#[test]
fn a_client_is_not_offered_to_walk() {
    let (hits, procedure) = crate::world::content::find("питание");
    let found = Event::Outcome(Outcome::Found {
        query: fitter_domain::ids::QueryId(1),
        text: "питание".into(),
        hits,
        nearest: Vec::new(),
        procedure,
        written: None,
    });
    let world = world();
    for (name, offered) in [("Клара", false), ("Иван", true)] {
        let came = at(&world, name, &State::Home, &found, None);
        let offers = actions(shown(&came)).iter().any(|action| matches!(action, Action::Procedure { .. }));
        assert_eq!(offers, offered, "{name}");
    }
}

#[test]
fn an_answer_of_a_hidden_step_does_not_count() {
    use fitter_domain::procedure::{Check, CheckKind, ChoiceOption, Condition, Procedure, Step};
    use fitter_domain::run::{Answer, StepRecord, Visit};
    let world = world();
    let mut walk = run(&world);
    let option = |label: &str| ChoiceOption { label: label.into(), fault: false };
    let choice = |id: &str, when: Option<(&str, &str)>| Step {
        id: id.into(),
        optional: false,
        warnings: Vec::new(),
        figures: Vec::new(),
        checks: vec![Check {
            question: "?".into(),
            hint: String::new(),
            kind: CheckKind::Choice { options: vec![option("A"), option("B")] },
        }],
        when: when.map(|(step, answer)| Condition { step: step.into(), answers: vec![answer.into()], negated: false }),
        ..walk.procedure.steps[0].clone()
    };
    let steps = vec![choice("one", None), choice("two", Some(("one", "A"))), choice("three", Some(("two", "A")))];
    walk.procedure = std::sync::Arc::new(Procedure { steps, ..(*walk.procedure).clone() });
    let chose = |label: &str| StepRecord { answers: vec![Answer::Choice { label: label.into() }], ..StepRecord::default() };
    walk.state.records = [(Visit { step: 0, round: 0 }, chose("A")), (Visit { step: 1, round: 0 }, chose("A"))].into();
    assert_eq!(walk.path(), [0, 1, 2]);
    walk.state.records.insert(Visit { step: 0, round: 0 }, chose("B"));
    assert_eq!(walk.path(), [0]);
}
