//! Things that can happen, notes that can be written, and how they happen in the world.

use fitter_dialogues::action::{Action, Walk};
use fitter_dialogues::event::{Input, Outcome, Piece};
use fitter_domain::ids::{PersonId, RunId};
use fitter_domain::procedure::{Check, CheckKind, ChoiceOption, Condition, Procedure, Step};
use fitter_domain::rich::Rich;
use fitter_domain::screen::Press;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::random::{cancel, forget};
use crate::world::World;

/// Words that somewhere mean something.
const WORDS: [&str; 33] = [
    "привет",
    "как подключить питание?",
    "12,4",
    "8,1 В",
    "700",
    "0",
    "-5",
    "12 13",
    "1 200 мм",
    "2 аккумулятора разряжены",
    "да",
    "готово",
    "can",
    "Замок",
    "Провод перебит",
    "356307042441013",
    "356 307 042 441 013",
    "123ABC02",
    "1m8gdm9a xkp042788",
    "4TIBI1HKIKU240494",
    "?",
    "   ",
    "🙂",
    "зажигание",
    "потому что так вышло у нас сегодня",
    "\u{200b}",
    "99999999999999999999999",
    "1",
    "шаг 2",
    "3. видно",
    "акб 12.6 В",
    "датчик под сиденьем",
    "шаг 99",
];
const COMMANDS: [(&str, &str); 13] = [
    ("start", ""),
    ("start", "inv_tech"),
    ("start", "inv_late"),
    ("start", "inv_zzz"),
    ("menu", ""),
    ("help", ""),
    ("language", ""),
    ("jobs", ""),
    ("new", ""),
    ("procedures", ""),
    ("ask", ""),
    ("ask", "где питание"),
    ("foo", "bar"),
];

/// Something that happens.
#[derive(Debug, Clone)]
pub enum Happens {
    Words(usize),
    LongWords,
    Photos(usize, Option<usize>),
    /// Several in one go: how many photos, and which words.
    Burst(Vec<(usize, Option<usize>)>),
    /// A button that is in the chat: which, of all.
    Press(Index),
    /// A button of the newest message with buttons.
    PressNewest(Index),
    /// Any button that ever was in the chat.
    PressStale(Index),
    Forged(String),
    ForgedWalk(i64, u32, Walk),
    /// A button of a walk that nobody was shown, for the present state of a walk.
    ForgedNow(Index, Walk),
    Command(usize),
    Cancel,
    Sticker(bool),
    Edit(usize),
    Reply(usize),
    Wait(i64),
    Ring(i64, u32),
    Refused,
    TooBig,
    Newer,
    /// The chat's stored state is lost.
    Forget,
    Remove(bool),
}

fn a_walk() -> impl Strategy<Value = Walk> {
    prop_oneof![
        Just(Walk::Ok),
        (0..4_u32).prop_map(Walk::Choose),
        Just(Walk::Skip),
        Just(Walk::Back),
        Just(Walk::Pause),
        Just(Walk::Problem),
        Just(Walk::Hint),
        Just(Walk::Again),
        Just(Walk::Remeasure),
        Just(Walk::Reason),
        Just(Walk::Timer),
        (0..4_u32).prop_map(Walk::Change),
        Just(Walk::Send),
        Just(Walk::Cancel),
        Just(Walk::Abandon),
        Just(Walk::Forward),
        Just(Walk::Changes),
        Just(Walk::AbandonYes),
        Just(Walk::Question),
    ]
}

pub fn something() -> impl Strategy<Value = Happens> {
    prop_oneof![
        20 => (0..WORDS.len()).prop_map(Happens::Words),
        1 => Just(Happens::LongWords),
        8 => (1..4_usize, prop::option::of(0..WORDS.len())).prop_map(|(count, words)| Happens::Photos(count, words)),
        6 => prop::collection::vec((0..3_usize, prop::option::of(0..WORDS.len())), 2..9).prop_map(Happens::Burst),
        25 => any::<Index>().prop_map(Happens::PressNewest),
        15 => any::<Index>().prop_map(Happens::Press),
        8 => any::<Index>().prop_map(Happens::PressStale),
        2 => "[a-z]{0,3}(:[a-z0-9-]{0,4}){0,3}".prop_map(Happens::Forged),
        2 => (0..4_i64, 0..30_u32, a_walk()).prop_map(|(run, rev, walk)| Happens::ForgedWalk(run, rev, walk)),
        6 => (any::<Index>(), a_walk()).prop_map(|(run, walk)| Happens::ForgedNow(run, walk)),
        5 => (0..COMMANDS.len()).prop_map(Happens::Command),
        2 => Just(Happens::Cancel),
        2 => any::<bool>().prop_map(Happens::Sticker),
        2 => (0..WORDS.len()).prop_map(Happens::Edit),
        2 => (0..WORDS.len()).prop_map(Happens::Reply),
        3 => (1..300_i64).prop_map(Happens::Wait),
        2 => (1..4_i64, 0..12_u32).prop_map(|(run, step)| Happens::Ring(run, step)),
        1 => Just(Happens::Refused),
        1 => Just(Happens::TooBig),
        1 => Just(Happens::Newer),
        2 => Just(Happens::Forget),
        1 => any::<bool>().prop_map(Happens::Remove),
    ]
}

fn a_check() -> impl Strategy<Value = Check> {
    let option = |(label, fault): (&str, bool)| ChoiceOption { label: label.to_owned(), fault };
    let kind = prop_oneof![
        Just(CheckKind::Confirm),
        Just(CheckKind::Text { pattern: None, example: None }),
        Just(CheckKind::Text { pattern: Some(r"\d{15}".into()), example: None }),
        Just(CheckKind::Number { unit: "В".into(), min: Some(9.0), max: Some(32.0) }),
        Just(CheckKind::Number { unit: String::new(), min: None, max: None }),
        Just(CheckKind::Choice { options: [("A", false), ("B", false), ("C", true)].map(option).to_vec() }),
        (1..3_u32, 0..3_u32).prop_map(|(min, more)| CheckKind::Photo { min, max: min + more }),
    ];
    (kind, prop_oneof![Just(String::new()), Just("Подсказка".to_owned())]).prop_map(|(kind, hint)| Check {
        question: "Что видно?".into(),
        hint,
        kind,
    })
}

/// A note with steps of any kind, and conditions on any step: before, after, itself, or none.
pub fn a_procedure() -> impl Strategy<Value = Procedure> {
    let condition = (0..7_usize, any::<bool>(), prop_oneof![Just("A"), Just("B")]).prop_map(|(step, negated, answer)| Condition {
        step: format!("s{step}"),
        answers: vec![answer.to_owned()],
        negated,
    });
    let step = (
        prop::collection::vec(a_check(), 0..4),
        any::<bool>(),
        prop::option::of((1..3_u32, 0..3_u32)),
        prop::option::of(1..200_u32),
        prop::option::weighted(0.3, condition),
    );
    prop::collection::vec(step, 1..6).prop_map(|steps| Procedure {
        note: "Заметка.md".into(),
        title: "Случайная".into(),
        locale: fitter_domain::Locale::Ru,
        duration: None,
        intro: Rich::new(),
        warnings: Vec::new(),
        steps: steps
            .into_iter()
            .enumerate()
            .map(|(index, (checks, optional, repeat, timer, when))| Step {
                id: format!("s{index}"),
                section: None,
                title: format!("Шаг {index}"),
                body: Rich::new(),
                warnings: Vec::new(),
                figures: Vec::new(),
                checks,
                optional,
                repeat: repeat.map(|(min, more)| (min, min + more)),
                timer,
                // A note whose first step may be hidden begins with it all the same.
                when,
                line: 1,
            })
            .collect(),
    })
}

pub fn live(world: &World, who: PersonId) -> Vec<(usize, String)> {
    let messages = world.chats[&who].messages.iter().enumerate().filter(|(_, message)| !message.deleted);
    messages
        .flat_map(|(at, message)| message.screen.buttons.iter().flatten().map(move |button| (at, button)))
        .filter_map(|(at, button)| if let Press::Callback(data) = &button.press { Some((at, data.clone())) } else { None })
        .collect()
}

pub fn tap(world: &mut World, who: PersonId, (at, data): (usize, String)) {
    world.act(who, Input::Tap { data }, Some(at));
}

pub fn happen(world: &mut World, who: PersonId, what: &Happens) {
    let words = |index: usize| WORDS[index].to_owned();
    match what {
        Happens::Words(index) => world.act(who, Input::Text { text: words(*index) }, None),
        Happens::LongWords => world.act(who, Input::Text { text: "очень длинно ".repeat(320) }, None),
        Happens::Photos(count, caption) => {
            let photos = (0..*count).map(|_| world.photo()).collect();
            world.act(who, Input::Photos { photos, caption: caption.map(words) }, None);
        }
        Happens::Burst(pieces) => {
            let pieces = pieces.iter().map(|(photos, caption)| match (photos, caption) {
                (0, None) => Piece::Other { what: "voice".into(), text: None },
                (0, Some(text)) => Piece::Text { text: words(*text) },
                (count, caption) => Piece::Photos { photos: (0..*count).map(|_| world.photo()).collect(), caption: caption.map(words) },
            });
            let pieces: Vec<Piece> = pieces.collect();
            crate::bursts::act(world, who, pieces);
        }
        Happens::Press(index) => {
            let buttons = live(world, who);
            if !buttons.is_empty() {
                tap(world, who, index.get(&buttons).clone());
            }
        }
        Happens::PressNewest(index) => {
            let buttons = live(world, who);
            let newest: Vec<_> = buttons.iter().filter(|(at, _)| Some(*at) == buttons.last().map(|(at, _)| *at)).cloned().collect();
            if !newest.is_empty() {
                tap(world, who, index.get(&newest).clone());
            }
        }
        Happens::PressStale(index) => {
            let shown = &world.chats[&who].shown;
            if !shown.is_empty() {
                let button = index.get(shown).clone();
                tap(world, who, (button.message, button.data));
            }
        }
        Happens::Forged(data) => world.act(who, Input::Tap { data: data.clone() }, None),
        Happens::ForgedWalk(run, rev, walk) => world.act(who, Input::Tap { data: Action::Walk(RunId(*run), *rev, *walk).encode() }, None),
        Happens::ForgedNow(index, walk) => {
            let runs: Vec<_> = world.runs.values().map(|run| (run.id, run.state.rev)).collect();
            if !runs.is_empty() {
                let (run, rev) = index.get(&runs);
                world.act(who, Input::Tap { data: Action::Walk(*run, *rev, *walk).encode() }, None);
            }
        }
        Happens::Command(index) => {
            let (name, payload) = COMMANDS[*index];
            world.act(who, Input::Command { name: name.into(), payload: payload.into() }, None);
        }
        Happens::Cancel => cancel(world, who),
        Happens::Sticker(text) => world.act(who, Input::Other { what: "sticker".into(), text: text.then(|| "питание".to_owned()) }, None),
        Happens::Edit(index) => world.act(who, Input::Edited { text: Some(words(*index)) }, None),
        Happens::Reply(index) => {
            let last = world.chats[&who].messages.len().checked_sub(1);
            world.act(who, Input::Text { text: words(*index) }, last);
        }
        Happens::Wait(seconds) => world.wait(chrono::TimeDelta::seconds(*seconds)),
        Happens::Ring(run, step) => {
            // A timer that nobody set, for whoever the walk belongs to or not.
            world.late(who, Outcome::TimerOver { run: RunId(*run), step: *step });
        }
        Happens::Refused => world.late(who, Outcome::Refused),
        Happens::TooBig => world.late(who, Outcome::TooBig),
        Happens::Newer => world.runs.values_mut().for_each(|run| run.newer = true),
        Happens::Forget => forget(world, who),
        Happens::Remove(removed) => {
            world.chats.get_mut(&who).unwrap().person.removed = *removed;
            if !removed {
                // Whoever may come back writes first: the bot does not know of it before.
                world.act(who, Input::Command { name: "menu".into(), payload: String::new() }, None);
            }
        }
    }
    world.search();
    world.log.clear();
}
