//! A small world around the dialogues: people, chats, cards, walks and questions in memory. It carries out commands as the services do, and
//! checks on the way what must hold after every single step.

mod carry;
mod check;
pub mod content;
mod gaps;
mod script;

use std::collections::{BTreeMap, VecDeque};

use chrono::{TimeDelta, TimeZone as _, Utc};
use fitter_dialogues::effect::{Addressee, Effect};
use fitter_dialogues::event::{Event, Input, Outcome};
use fitter_dialogues::state::{self, State};
use fitter_dialogues::{Ctx, focus, step};
use fitter_domain::Locale;
use fitter_domain::clock::{Clock, ManualClock};
use fitter_domain::ids::{JobId, PersonId, QueryId, RunId, UserId};
use fitter_domain::job::Job;
use fitter_domain::passage::Passage;
use fitter_domain::person::{Person, Role};
use fitter_domain::run::Run;
use fitter_domain::screen::{Button, Press, Screen, Slot};
use fitter_domain::ticket::{Fault, Question};
use fitter_domain::written::Written;
use fitter_prompts::Messages;

pub use script::play;

/// Steps that one event may cause, as in the services.
const MOST_STEPS: usize = 16;

fn words() -> &'static Messages {
    static WORDS: std::sync::OnceLock<Messages> = std::sync::OnceLock::new();
    WORDS.get_or_init(|| Messages::load().unwrap())
}

/// A message in a chat.
#[derive(Debug, Clone)]
pub struct Message {
    pub slot: Option<Slot>,
    pub screen: Screen,
    pub deleted: bool,
}

/// A button that was shown some time.
#[derive(Debug, Clone)]
pub struct Shown {
    pub message: usize,
    pub label: String,
    pub data: String,
}

/// A person and their chat with the bot.
#[derive(Debug)]
pub struct Chat {
    pub person: Person,
    pub version: i32,
    pub state: serde_json::Value,
    pub messages: Vec<Message>,
    pub shown: Vec<Shown>,
}

impl Chat {
    pub fn state(&self) -> State {
        state::decode(self.version, &self.state).expect("a state of this release")
    }

    fn newest(&self, slot: &Slot) -> Option<usize> {
        self.messages.iter().rposition(|message| message.slot.as_ref() == Some(slot) && !message.deleted)
    }

    /// The slot of a message, if the message still has it.
    fn slot_of(&self, message: usize) -> Option<Slot> {
        let slot = self.messages.get(message)?.slot.clone()?;
        (self.newest(&slot) == Some(message)).then_some(slot)
    }
}

#[derive(Debug, Clone)]
pub struct Invite {
    pub role: Role,
    pub expired: bool,
    pub used: bool,
}

#[derive(Debug)]
pub struct Found {
    pub by: PersonId,
    pub text: String,
    pub hits: Vec<Passage>,
}

pub struct World {
    pub clock: ManualClock,
    pub messages: &'static Messages,
    pub chats: BTreeMap<PersonId, Chat>,
    pub invites: BTreeMap<String, Invite>,
    pub jobs: BTreeMap<JobId, Job>,
    pub job_photos: BTreeMap<JobId, Vec<String>>,
    /// Photos that were stored, with their step and caption.
    pub kept: BTreeMap<String, (Option<String>, Option<String>)>,
    pub procedures: Vec<std::sync::Arc<fitter_domain::procedure::Procedure>>,
    pub runs: BTreeMap<RunId, Run>,
    pub found: BTreeMap<QueryId, Found>,
    pub questions: Vec<Question>,
    pub asked: BTreeMap<QueryId, usize>,
    /// Searches that were no help, with who made them and their words.
    pub gaps: Vec<(QueryId, PersonId, String)>,
    pub faults: Vec<Fault>,
    pub searches: VecDeque<(PersonId, String)>,
    /// What a language model makes of every search.
    pub writes: Option<Written>,
    pub timers: Vec<(chrono::DateTime<Utc>, PersonId, RunId, u32)>,
    photos: usize,
    /// What was seen, line by line.
    pub log: Vec<String>,
}

/// One turn under way.
struct Turn {
    who: PersonId,
    tapped: Option<Slot>,
    was_tap: bool,
    /// A message was sent in this turn: a menu that is shown now belongs below it.
    said: bool,
    toast: Option<String>,
}

impl World {
    /// Nobody is known but the roles' first people, who are onboarded.
    pub fn new() -> Self {
        let chats = [(1, "Алия", Role::Admin), (2, "Марат", Role::Manager), (3, "Иван", Role::Technician), (4, "Клара", Role::Client)];
        let mut world = Self {
            clock: ManualClock::at(Utc.with_ymd_and_hms(2026, 11, 20, 9, 0, 0).unwrap()),
            messages: words(),
            chats: BTreeMap::new(),
            invites: BTreeMap::new(),
            jobs: BTreeMap::new(),
            job_photos: BTreeMap::new(),
            kept: BTreeMap::new(),
            procedures: content::procedures().into_iter().map(std::sync::Arc::new).collect(),
            runs: BTreeMap::new(),
            found: BTreeMap::new(),
            questions: Vec::new(),
            asked: BTreeMap::new(),
            gaps: Vec::new(),
            faults: Vec::new(),
            searches: VecDeque::new(),
            writes: None,
            timers: Vec::new(),
            photos: 0,
            log: Vec::new(),
        };
        for (id, name, role) in chats {
            world.meet(id, name, role, true);
        }
        for (token, role, expired) in [("tech", Role::Technician, false), ("boss", Role::Manager, false), ("late", Role::Technician, true)]
        {
            world.invites.insert(format!("inv_{token}"), Invite { role, expired, used: false });
        }
        world
    }

    pub fn meet(&mut self, id: i64, name: &str, role: Role, onboarded: bool) {
        let person =
            Person { id: PersonId(id), user: UserId(id), name: name.to_owned(), role, locale: Locale::Ru, onboarded, removed: false };
        let state = if onboarded { State::Home } else { State::default() };
        let state = state::encode(&state).unwrap();
        self.chats.insert(person.id, Chat { person, version: state::VERSION, state, messages: Vec::new(), shown: Vec::new() });
    }

    pub fn who(&self, name: &str) -> PersonId {
        self.chats.values().find(|chat| chat.person.name == name).unwrap_or_else(|| panic!("nobody is called {name}")).person.id
    }

    /// A photo that nobody sent before.
    pub fn photo(&mut self) -> fitter_dialogues::event::Photo {
        self.photos += 1;
        fitter_dialogues::event::Photo { file_id: format!("file{}", self.photos), unique_id: format!("unique{}", self.photos), size: 1000 }
    }

    /// A person does something; `message` is the one they tapped on or replied to.
    pub fn act(&mut self, who: PersonId, input: Input, message: Option<usize>) {
        let was_tap = matches!(input, Input::Tap { .. });
        let slot = message.and_then(|message| self.chats[&who].slot_of(message));
        let tapped = slot.clone().filter(|_| was_tap);
        self.turn(Turn { who, tapped, was_tap, said: false, toast: None }, Event::Person { input, slot });
    }

    /// A late outcome arrives.
    pub fn late(&mut self, who: PersonId, outcome: Outcome) {
        self.turn(Turn { who, tapped: None, was_tap: false, said: false, toast: None }, Event::Outcome(outcome));
    }

    /// Everything that was searched is found.
    pub fn search(&mut self) {
        while let Some((who, text)) = self.searches.pop_front() {
            let (hits, procedure) = content::find(&text);
            let query = QueryId(i64::try_from(self.found.len()).unwrap() + 1);
            self.found.insert(query, Found { by: who, text: text.clone(), hits: hits.clone() });
            if hits.is_empty() {
                self.gaps.push((query, who, text.clone()));
            }
            let written = self.writes.clone().filter(|_| !hits.is_empty());
            self.late(who, Outcome::Found { query, text, hits, nearest: Vec::new(), procedure, written });
        }
    }

    /// Time passes; timers ring.
    pub fn wait(&mut self, time: TimeDelta) {
        self.clock.advance(time);
        let now = self.clock.now();
        let (due, later) = std::mem::take(&mut self.timers).into_iter().partition(|(at, ..)| *at <= now);
        self.timers = later;
        for (_, who, run, step) in due {
            self.late(who, Outcome::TimerOver { run, step });
        }
    }

    fn turn(&mut self, mut turn: Turn, first: Event) {
        let mut events = VecDeque::from([first]);
        let mut steps = 0;
        while let Some(event) = events.pop_front() {
            steps += 1;
            assert!(steps <= MOST_STEPS, "the machine answers itself: {event:?}");
            let chat = &self.chats[&turn.who];
            let (person, state) = (chat.person.clone(), chat.state());
            let run = focus(&state, &event).and_then(|run| self.runs.get(&run)).filter(|run| run.by == person.id).cloned();
            let transition = step(&state, &event, &Ctx { now: self.clock.now(), person: &person, run: run.as_ref() });
            let stored = state::encode(&transition.state).unwrap();
            assert_eq!(state::decode(state::VERSION, &stored), Some(transition.state.clone()), "a state that does not come back");
            let chat = self.chats.get_mut(&turn.who).unwrap();
            (chat.state, chat.version) = (stored, state::VERSION);
            for effect in transition.effects {
                if let Some(outcome) = self.apply(&mut turn, effect) {
                    events.push_back(Event::Outcome(outcome));
                }
            }
        }
        if let Some(toast) = turn.toast.filter(|_| turn.was_tap) {
            self.log.push(format!("  ({toast})"));
        }
    }

    fn apply(&mut self, turn: &mut Turn, effect: Effect) -> Option<Outcome> {
        match effect {
            Effect::Show(screen) => {
                let record = |slot: &Slot| ["walk:", "answer:", "fault:", "question:"].iter().any(|record| slot.0.starts_with(record));
                match turn.tapped.clone().filter(|slot| !record(slot) && !turn.said) {
                    Some(slot) => self.edit(turn.who, slot, screen),
                    None => {
                        let slot = Slot::new("menu");
                        self.delete(turn.who, &slot);
                        turn.said = false;
                        turn.tapped = Some(slot.clone());
                        self.send(turn.who, turn.who, Some(slot), screen, "");
                    }
                }
            }
            Effect::Say { slot, screen } => {
                turn.said = true;
                self.send(turn.who, turn.who, slot, screen, "");
            }
            Effect::Edit { slot, screen } => self.edit(turn.who, slot, screen),
            Effect::Delete { slot } => self.delete(turn.who, &slot),
            Effect::Retire { slot } => self.retire(turn.who, &slot),
            Effect::Toast(msg) => turn.toast = Some(self.say(turn.who, &msg)),
            Effect::Tell { to, slot, screen } => self.tell(turn.who, to, slot, &screen),
            Effect::Do(command) => return self.carry_out(turn.who, command),
        }
        None
    }

    fn delete(&mut self, who: PersonId, slot: &Slot) {
        let chat = self.chats.get_mut(&who).unwrap();
        if let Some(at) = chat.newest(slot) {
            chat.messages[at].deleted = true;
        }
    }

    fn tell(&mut self, from: PersonId, to: Addressee, slot: Option<Slot>, screen: &Screen) {
        let readers: Vec<PersonId> = match to {
            Addressee::Person(person) => vec![person],
            Addressee::Managers => self
                .chats
                .values()
                .map(|chat| &chat.person)
                .filter(|it| it.role >= Role::Manager && it.id != from)
                .map(|it| it.id)
                .collect(),
        };
        for reader in readers {
            self.send(from, reader, slot.clone(), screen.clone(), "");
        }
    }

    fn say(&self, reader: PersonId, msg: &fitter_domain::Msg) -> String {
        check::renders(self.messages, msg);
        self.messages.say(self.chats[&reader].person.locale, msg)
    }

    fn resolve(&self, reader: PersonId, screen: Screen) -> Screen {
        check::screen(self.messages, &screen);
        screen.resolve(&|msg| self.say(reader, msg))
    }

    fn send(&mut self, from: PersonId, to: PersonId, slot: Option<Slot>, screen: Screen, mark: &str) {
        let screen = self.resolve(to, screen);
        let whom = if from == to { String::new() } else { format!("→ {}: ", self.chats[&to].person.name) };
        self.log_screen(&format!("{mark}{whom}"), &screen);
        let chat = self.chats.get_mut(&to).unwrap();
        chat.messages.push(Message { slot, screen, deleted: false });
        remember(chat, chat.messages.len() - 1);
    }

    fn edit(&mut self, who: PersonId, slot: Slot, screen: Screen) {
        let Some(at) = self.chats[&who].newest(&slot) else { return self.send(who, who, Some(slot), screen, "") };
        let screen = self.resolve(who, screen);
        self.log_screen("✎ ", &screen);
        let chat = self.chats.get_mut(&who).unwrap();
        chat.messages[at].screen = screen;
        remember(chat, at);
    }

    fn retire(&mut self, who: PersonId, slot: &Slot) {
        let chat = self.chats.get_mut(&who).unwrap();
        if let Some(at) = chat.newest(slot) {
            chat.messages[at].screen.buttons.clear();
        }
    }

    fn log_screen(&mut self, mark: &str, screen: &Screen) {
        let text = screen.body.plain();
        let pictures = if screen.media.is_empty() { String::new() } else { format!("🖼×{} ", screen.media.len()) };
        if text.is_empty() && !pictures.is_empty() {
            self.log.push(format!("  {mark}{pictures}").trim_end().to_owned());
        }
        for (index, line) in text.lines().enumerate() {
            self.log.push(if index == 0 { format!("  {mark}{pictures}{line}") } else { format!("  {line}").trim_end().to_owned() });
        }
        for row in &screen.buttons {
            self.log.push(format!("      {}", row.iter().map(|button| format!("[{}]", label(button))).collect::<Vec<_>>().join(" ")));
        }
        if let Some(ask) = &screen.ask {
            self.log.push(format!("      <{}>", fitter_domain::rich::Rich(vec![ask.clone()]).plain()));
        }
    }
}

/// The label of a button that is in a language already.
pub fn label(button: &Button) -> String {
    fitter_domain::rich::Rich(vec![button.label.clone()]).plain()
}

fn remember(chat: &mut Chat, message: usize) {
    for button in chat.messages[message].screen.buttons.iter().flatten() {
        if let Press::Callback(data) = &button.press {
            chat.shown.push(Shown { message, label: label(button), data: data.clone() });
        }
    }
}
