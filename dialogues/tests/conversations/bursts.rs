//! What comes in one go: nothing of it is lost, and in order it is the same as one after the other.

use std::sync::Arc;

use fitter_dialogues::action::{Action, Walk};
use fitter_dialogues::event::{Input, Piece};
use fitter_dialogues::state::State;
use fitter_domain::ids::{PersonId, RunId};
use fitter_domain::procedure::{CheckKind, Procedure};
use fitter_domain::run::{Answer, Pending, Run};
use proptest::prelude::*;

use crate::happenings::{a_procedure, live, tap};
use crate::random::cancel;
use crate::world::World;

/// Sends them in one go; every photo of somebody who works here is stored, or waits for its card.
pub fn act(world: &mut World, who: PersonId, pieces: Vec<Piece>) {
    let chat = &world.chats[&who];
    let works = chat.person.role.is_staff() && chat.person.onboarded && !chat.person.removed;
    // A manager's photo is no answer to a question, one alone or several.
    let kept = works && !matches!(chat.state(), State::Answering { .. });
    let files: Vec<String> = pieces
        .iter()
        .flat_map(|piece| match piece {
            Piece::Photos { photos, .. } => photos.iter().map(|photo| photo.file_id.clone()).collect(),
            _ => Vec::new(),
        })
        .collect();
    world.act(who, Input::Burst { pieces }, None);
    let state = world.chats[&who].state.to_string();
    for file in files.iter().filter(|_| kept) {
        assert!(world.kept.contains_key(file) || state.contains(&format!("\"{file}\"")), "{file} is lost: {state}");
    }
}

/// Something that comes with others.
#[derive(Debug, Clone)]
enum Part {
    Photos(usize, Words),
    Text(Words),
    Voice,
}

#[derive(Debug, Clone)]
enum Words {
    None,
    /// Words that nobody else writes.
    Own,
    /// A step's number.
    Number(u32),
    /// A step's number and words that nobody else writes.
    Numbered(u32),
    /// A reading that nobody else has, good or not.
    Value(u32),
    NumberedValue(u32, u32),
}

fn some_words(without: bool) -> impl Strategy<Value = Words> {
    let words = prop_oneof![
        Just(Words::Own),
        (1..7_u32).prop_map(Words::Number),
        (1..7_u32).prop_map(Words::Numbered),
        (5..40_u32).prop_map(Words::Value),
        (1..7_u32, 5..40_u32).prop_map(|(step, value)| Words::NumberedValue(step, value)),
    ];
    if without { prop_oneof![2 => Just(Words::None), 3 => words].boxed() } else { words.boxed() }
}

fn a_part() -> impl Strategy<Value = Part> {
    prop_oneof![
        5 => (1..4_usize, some_words(true)).prop_map(|(count, words)| Part::Photos(count, words)),
        5 => some_words(false).prop_map(Part::Text),
        1 => Just(Part::Voice),
    ]
}

/// A world with a walk of Ivan's through this procedure, for a card.
fn walking(procedure: &Procedure) -> (World, PersonId, RunId) {
    let mut world = World::new();
    world.procedures.push(Arc::new(procedure.clone()));
    let ivan = world.who("Иван");
    for data in ["jn:plate:123ABC02".to_owned(), format!("go:{}:1", world.procedures.len())] {
        world.act(ivan, Input::Tap { data }, None);
    }
    (world, ivan, RunId(1))
}

/// All that is known of the walk and its photos, as text.
fn known(world: &World, run: RunId) -> String {
    let state = serde_json::to_string(&world.runs[&run].state).unwrap();
    format!("{state} {:?}", world.kept)
}

/// Answers everything that is asked about, each time another way.
fn ask_no_more(world: &mut World, who: PersonId, run: RunId, choices: &[usize]) {
    for choice in choices.iter().cycle() {
        let now = &world.runs[&run].state;
        let rests = matches!(now.pending, Pending::Check | Pending::MorePhotos | Pending::Repeat);
        if now.doubts.is_empty() || !rests {
            return;
        }
        let (rev, doubts) = (now.rev, now.doubts.len());
        let buttons: Vec<(usize, String)> = live(world, who)
            .into_iter()
            .filter(|(_, data)| {
                matches!(Action::decode(data), Some(Action::Walk(of, at, Walk::Choose(_) | Walk::Skip)) if of == run && at == rev)
            })
            .collect();
        assert!((2..=3).contains(&buttons.len()), "{buttons:?}");
        tap(world, who, buttons[choice % buttons.len()].clone());
        assert_eq!(world.runs[&run].state.doubts.len(), doubts - 1, "one at a time");
    }
}

/// What a patient technician gives next without pressing anything; none if something is to be pressed.
fn next_in_order(world: &mut World, run: &Run, own: usize) -> Option<Piece> {
    let record = run.record().cloned().unwrap_or_default();
    if record.finished.is_some() || run.state.pending == Pending::Repeat {
        return None;
    }
    if run.state.pending == Pending::MorePhotos {
        return Some(Piece::Photos { photos: vec![world.photo()], caption: None });
    }
    let kind = |place: usize| run.step()?.checks.get(place).map(|check| check.kind.clone());
    let partial = record.answers.len().checked_sub(1).and_then(|last| match (kind(last)?, record.answers.last()?) {
        (CheckKind::Photo { min, .. }, Answer::Photos { files }) if files.len() < min as usize => Some(()),
        _ => None,
    });
    let text = |text: String| Some(Piece::Text { text });
    match kind(record.answers.len()) {
        _ if partial.is_some() => Some(Piece::Photos { photos: vec![world.photo()], caption: None }),
        None | Some(CheckKind::Confirm) => text("готово".into()),
        Some(CheckKind::Photo { .. }) => Some(Piece::Photos { photos: vec![world.photo()], caption: None }),
        Some(CheckKind::Number { .. }) => text(format!("{},5", 9 + own % 20)),
        Some(CheckKind::Choice { options }) => options.iter().find(|it| !it.fault).and_then(|it| text(it.label.clone())),
        Some(CheckKind::Text { pattern: Some(_), .. }) => text(format!("{:015}", 1000 + own)),
        Some(CheckKind::Text { .. }) => text(format!("ответ-{own}")),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_of_a_burst_is_lost(
        procedure in a_procedure(),
        bursts in prop::collection::vec(prop::collection::vec(a_part(), 2..10), 1..3),
        choices in prop::collection::vec(0..3_usize, 1..6),
    ) {
        let (mut world, ivan, run) = walking(&procedure);
        let mut own = 0;
        let mut words = Vec::new();
        for parts in bursts {
            if world.chats[&ivan].state() != (State::Running { run }) {
                break;
            }
            let mut write = |of: &Words| -> Option<String> {
                own += 1;
                let unique = format!("слово{own}сказано");
                Some(match of {
                    Words::None => return None,
                    Words::Own => { words.push(unique.clone()); unique }
                    Words::Number(step) => format!("шаг {step}"),
                    Words::Numbered(step) => { words.push(unique.clone()); format!("{step}. {unique}") }
                    Words::Value(value) => format!("{value},{own:03}7"),
                    Words::NumberedValue(step, value) => format!("шаг {step}: {value},{own:03}7"),
                })
            };
            let before = world.chats[&ivan].messages.len();
            let pieces: Vec<Piece> = parts.iter().map(|part| match part {
                Part::Photos(count, of) => {
                    let caption = write(of);
                    Piece::Photos { photos: (0..*count).map(|_| world.photo()).collect(), caption }
                }
                Part::Text(of) => Piece::Text { text: write(of).unwrap() },
                Part::Voice => Piece::Other { what: "voice".into(), text: None },
            }).collect();
            act(&mut world, ivan, pieces);
            let new = world.chats[&ivan].messages.iter().skip(before).filter(|message| !message.deleted).count();
            prop_assert_eq!(new, 1, "one reply");
            prop_assert!(world.searches.is_empty(), "nothing of it is a question");
            for word in &words {
                prop_assert!(known(&world, run).contains(word.as_str()), "{} is lost: {:?}", word, world.runs[&run].state);
            }
            ask_no_more(&mut world, ivan, run, &choices);
            for word in &words {
                prop_assert!(known(&world, run).contains(word.as_str()), "{} is lost after the doubts: {:?}", word, world.runs[&run].state);
            }
        }
        cancel(&mut world, ivan);
    }

    #[test]
    fn in_order_it_is_the_same_as_one_after_the_other(procedure in a_procedure(), most in 2..14_usize) {
        let (mut singles, ivan, run) = walking(&procedure);
        let mut pieces = Vec::new();
        while pieces.len() < most && singles.chats[&ivan].state() == (State::Running { run }) {
            let now = singles.runs[&run].clone();
            let Some(piece) = next_in_order(&mut singles, &now, pieces.len()) else { break };
            let input = match piece.clone() {
                Piece::Photos { photos, caption } => Input::Photos { photos, caption },
                Piece::Text { text } => Input::Text { text },
                Piece::Other { what, text } => Input::Other { what, text },
            };
            singles.act(ivan, input, None);
            prop_assert!(singles.searches.is_empty(), "{:?} at {:?}", piece, now.state);
            pieces.push(piece);
        }
        let (mut burst, ivan, run) = walking(&procedure);
        act(&mut burst, ivan, pieces);
        let (one, other) = (&singles.runs[&run].state, &burst.runs[&run].state);
        prop_assert_eq!(&one.records, &other.records);
        prop_assert_eq!((one.at, &one.pending, one.status), (other.at, &other.pending, other.status));
        prop_assert!(other.asides.is_empty() && other.doubts.is_empty() && other.notes.is_empty(), "{:?}", other);
        prop_assert_eq!(&singles.kept, &burst.kept);
    }
}
