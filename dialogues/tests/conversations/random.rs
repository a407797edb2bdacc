//! Random events: whatever people do, nothing panics, nothing is lost, and there is always a way on.

use fitter_dialogues::action::{Action, Walk};
use fitter_dialogues::event::Input;
use fitter_dialogues::state::{self, State};
use fitter_domain::clock::Clock as _;
use fitter_domain::ids::{PersonId, RunId};
use fitter_domain::procedure::{CheckKind, Procedure};
use fitter_domain::run::{Answer, Pending, RunStatus};
use proptest::prelude::*;

use crate::happenings::{Happens, a_procedure, happen, live, something, tap};
use crate::world::{self, World};

pub fn forget(world: &mut World, who: PersonId) {
    let chat = world.chats.get_mut(&who).unwrap();
    let state = if chat.person.onboarded { State::Home } else { State::default() };
    (chat.state, chat.version) = (state::encode(&state).unwrap(), state::VERSION);
}

pub fn cancel(world: &mut World, who: PersonId) {
    world.act(who, Input::Command { name: "cancel".into(), payload: String::new() }, None);
    assert_eq!(world.chats[&who].state(), State::Home);
}

/// Something can be pressed, or words are asked for.
fn there_is_a_way_on(world: &World, who: PersonId) {
    let chat = &world.chats[&who];
    if chat.messages.is_empty() || chat.person.removed {
        return;
    }
    let asked = chat.messages.iter().any(|message| !message.deleted && message.screen.ask.is_some());
    assert!(asked || !live(world, who).is_empty(), "nothing to press for {} in {:?}", chat.person.name, chat.state());
    if let State::Running { run } = chat.state()
        && matches!(world.runs[&run].state.status, RunStatus::Active)
    {
        let back = live(world, who).into_iter().any(|(_, data)| match Action::decode(&data) {
            Some(Action::Walk(id, rev, _)) => id == run && rev == world.runs[&run].state.rev,
            Some(Action::Run(id)) => id == run,
            _ => false,
        });
        assert!(back, "the step in focus is out of reach of {}", chat.person.name);
    }
}

/// A walk that is opened after everything else was forgotten stands where it stood.
fn resumes_where_it_was(world: &mut World, run: RunId) {
    let before = world.runs[&run].clone();
    let mut shown = Vec::new();
    for _ in 0..2 {
        forget(world, before.by);
        world.act(before.by, Input::Tap { data: Action::Run(run).encode() }, None);
        let after = &world.runs[&run];
        assert_eq!((after.state.at, &after.state.pending), (before.state.at, &before.state.pending));
        assert_eq!(world.chats[&before.by].state(), State::Running { run });
        for (visit, record) in &before.state.records {
            assert_eq!(after.state.records[visit].answers, record.answers);
        }
        let message = world.chats[&before.by].messages.iter().rev().find(|message| !message.deleted).unwrap();
        let slot = format!("walk:{run}:{}:{}", before.state.at.step, before.state.at.round);
        assert_eq!(message.slot.as_ref().map(|slot| slot.0.as_str()), Some(slot.as_str()));
        let labels: Vec<String> = message.screen.buttons.iter().flatten().map(world::label).collect();
        shown.push((message.screen.body.plain(), labels));
    }
    assert_eq!(shown[0], shown[1]);
}

/// A patient technician who does what is asked gets to the end, with buttons that are in view.
fn can_be_finished(world: &mut World, run: RunId) {
    let by = world.runs[&run].by;
    world.act(by, Input::Tap { data: Action::Run(run).encode() }, None);
    for _ in 0..300 {
        let now = world.runs[&run].clone();
        if now.state.status == RunStatus::Done {
            return;
        }
        let step = now.step().unwrap();
        let record = now.record().cloned().unwrap_or_default();
        let press = |walk| Some(Action::Walk(run, now.state.rev, walk).encode());
        let kind = |place: usize| step.checks.get(place).map(|check| check.kind.clone());
        let mut photos = 0;
        let mut text = None;
        let rests = matches!(now.state.pending, Pending::Check | Pending::MorePhotos | Pending::Repeat);
        let pressed = match &now.state.pending {
            _ if rests && !now.state.doubts.is_empty() => press(Walk::Skip),
            Pending::Problem { .. } => press(Walk::Cancel),
            Pending::Change { .. } => press(Walk::Cancel),
            Pending::Repeat | Pending::MorePhotos => press(Walk::Ok),
            Pending::OutOfRange { typed: Some(_), .. } => press(Walk::Reason),
            Pending::OutOfRange { .. } => {
                text = Some("так надо");
                None
            }
            Pending::Check if record.finished.is_some() && !record.skipped => press(Walk::Ok),
            Pending::Check => {
                let partial = record.answers.len().checked_sub(1).and_then(|last| match (kind(last), record.answers.last()) {
                    (Some(CheckKind::Photo { min, .. }), Some(Answer::Photos { files })) => {
                        (min as usize).checked_sub(files.len()).filter(|it| *it > 0)
                    }
                    _ => None,
                });
                match (partial, kind(record.answers.len())) {
                    (Some(missing), _) => {
                        photos = missing;
                        None
                    }
                    (None, None | Some(CheckKind::Confirm)) => press(Walk::Ok),
                    (None, Some(CheckKind::Choice { .. })) => press(Walk::Choose(0)),
                    (None, Some(CheckKind::Photo { min, .. })) => {
                        photos = min as usize;
                        None
                    }
                    (None, Some(CheckKind::Number { max, .. })) => {
                        text = Some(if max.is_some_and(|max| max < 12.0) {
                            "5"
                        } else if max.is_some() {
                            "12"
                        } else {
                            "300"
                        });
                        None
                    }
                    (None, Some(CheckKind::Text { .. })) => {
                        text = Some("356307042441013");
                        None
                    }
                }
            }
        };
        if let Some(data) = pressed {
            let button = live(world, by).into_iter().find(|(_, live)| *live == data);
            tap(world, by, button.unwrap_or_else(|| panic!("no button {data} in view at {:?} {:?}", now.state.at, now.state.pending)));
        } else if photos > 0 {
            let photos = (0..photos).map(|_| world.photo()).collect();
            world.act(by, Input::Photos { photos, caption: None }, None);
        } else {
            world.act(by, Input::Text { text: text.unwrap_or_default().to_owned() }, None);
        }
        assert!(world.runs[&run].state.rev > now.state.rev, "nothing came of it at {:?} {:?}", now.state.at, now.state.pending);
    }
    panic!("walk {run} has no end: {:?}", world.runs[&run].state);
}

fn play(events: &[(usize, Happens)], procedures: &[Procedure]) {
    let mut world = World::new();
    world.procedures.extend(procedures.iter().cloned().map(std::sync::Arc::new));
    world.meet(5, "Новый", fitter_domain::person::Role::Client, false);
    let people: Vec<PersonId> = world.chats.keys().copied().collect();
    // The technician acts most of the time.
    let who = |index: usize| people[if index < people.len() { index } else { 2 }];
    // Something to begin with: a card and a walk, so that few cases are spent at home.
    for words in ["123ABC02", "1M8GDM9AXKP042788"] {
        world.act(people[2], Input::Text { text: words.into() }, None);
        world.act(people[2], Input::Tap { data: live(&world, people[2])[0].1.clone() }, Some(0));
    }
    world.act(people[2], Input::Tap { data: "go:1:1".into() }, None);
    for added in 0..procedures.len() {
        // The last one begun is in focus.
        world.act(people[2], Input::Tap { data: format!("go:{}:2", world.procedures.len() - added) }, None);
    }
    for (index, what) in events {
        happen(&mut world, who(*index), what);
        there_is_a_way_on(&world, who(*index));
    }
    for person in &people {
        world.chats.get_mut(person).unwrap().person.removed = false;
    }
    let open: Vec<RunId> =
        world.runs.values().filter(|run| matches!(run.state.status, RunStatus::Active | RunStatus::Paused)).map(|run| run.id).collect();
    for run in open {
        resumes_where_it_was(&mut world, run);
        can_be_finished(&mut world, run);
        world.search();
    }
    for person in &people {
        cancel(&mut world, *person);
    }
    assert!(world.clock.now().timestamp() > 0);
}

proptest! {
    // 256 cases each, or PROPTEST_CASES.
    #![proptest_config(ProptestConfig { max_shrink_iters: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_people_do(events in prop::collection::vec((0..12_usize, something()), 1..120)) {
        play(&events, &[]);
    }

    #[test]
    fn whatever_a_note_says(events in prop::collection::vec((2..12_usize, something()), 1..80), procedure in a_procedure()) {
        play(&events, &[procedure]);
    }
}
