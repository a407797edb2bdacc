//! One turn of a dialogue, in ONE transaction: read where it stands, step, carry out what the step wants, write what goes out, and finish the
//! inbox items that caused it. A crash anywhere leaves all of it or nothing.

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use fitter_dialogues::effect::{Addressee, Effect};
use fitter_dialogues::event::{Event, Incoming, Input, Outcome, Piece};
use fitter_dialogues::state::{self, State};
use fitter_dialogues::{Ctx, focus, step};
use fitter_domain::ids::PersonId;
use fitter_domain::msg;
use fitter_domain::outbound::{Outbound, OutboundKind};
use fitter_domain::person::{Person, Role};
use fitter_domain::run::Run;
use fitter_domain::screen::{Screen, Slot};
use fitter_queue::{Finished, Item, NewItem, Queue, Task, failpoint};
use fitter_store::PgConnection;
use fitter_store::dialogues::{self, DialogueKey};
use fitter_store::runs::Save;
use fitter_store::{audit, people, runs};
use serde::{Deserialize, Serialize};
use tracing::Instrument as _;

use crate::app::App;
use crate::delivery::{self, Address};
use crate::error::ServiceError;
use crate::turns::{self, Trouble};

/// Steps that one event may cause; more is a machine that answers itself for ever.
const MOST_STEPS: usize = 16;

/// The message that navigation happens in.
const MENU: &str = "menu";

/// Messages that stay what they are: steps of a walk, answers, and what managers are told.
const RECORDS: [&str; 4] = ["walk:", "answer:", "fault:", "question:"];

/// The outcome of slow work, coming back through the inbox: it survives a crash exactly as a person's message does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Late {
    /// Where it is told.
    pub bot: fitter_domain::ids::BotId,
    /// In which chat.
    pub chat: fitter_domain::ids::ChatId,
    /// In which topic.
    pub thread: Option<i64>,
    /// Whose it is.
    pub person: PersonId,
    /// What came out.
    pub outcome: Outcome,
}

impl Late {
    /// Its inbox item; `key` makes sure that it is told once.
    ///
    /// # Errors
    /// If it has no JSON form.
    pub fn item(&self, key: String) -> Result<NewItem, ServiceError> {
        #[derive(Serialize)]
        struct Wrapped<'a> {
            fitter: &'a Late,
        }
        let lane = delivery::inbox_lane(self.bot, self.chat, self.thread);
        Ok(NewItem::json(Queue::Inbox, lane, &Wrapped { fitter: self })?.dedupe(key))
    }

    /// Reads it back; `None` for an update of Telegram's.
    #[must_use]
    pub fn from_item(item: &Item) -> Option<Self> {
        #[derive(Deserialize)]
        struct Wrapped {
            fitter: Late,
        }
        // A cheap look first: almost every item is an update.
        item.payload.starts_with("{\"fitter\"").then(|| item.decode::<Wrapped>().ok()).flatten().map(|wrapped| wrapped.fitter)
    }
}

/// What begins a turn.
#[derive(Debug, Clone, PartialEq)]
pub enum Stimulus {
    /// A person did something.
    Incoming(Box<Incoming>),
    /// Slow work is done.
    Late(Box<Late>),
}

/// One turn under way.
pub(crate) struct Turn<'a> {
    pub app: &'a App,
    pub person: Person,
    pub at: Address,
    /// The slot of the tapped message, if it may be changed in place.
    tapped: Option<Slot>,
    callback: Option<String>,
    toast: Option<String>,
    /// A message was sent in this turn: a menu that is shown now belongs below it.
    said: bool,
    /// Everything for the queues, put at the end in one go.
    pub out: Vec<NewItem>,
    /// Answers to the tap, for [`App::answer_tap`] after the commit.
    answers: Vec<Outbound>,
    /// What is stored at the end in one go.
    pub kept: Kept,
    /// The walk in focus as this turn has read and changed it.
    pub run: Option<Run>,
}

/// What turns store beside their dialogues. It can wait until the end: no turn reads it before.
#[derive(Default)]
pub(crate) struct Kept {
    pub saves: Vec<Save>,
    pub audits: Vec<audit::Entry>,
}

impl Kept {
    /// Adds what another turn stores.
    pub fn add(&mut self, other: Self) {
        self.saves.extend(other.saves);
        self.audits.extend(other.audits);
    }

    /// Stores where walks stand.
    pub async fn store_runs(&mut self, conn: &mut PgConnection, now: DateTime<Utc>) -> Result<(), ServiceError> {
        if !self.saves.is_empty() {
            runs::save_many(conn, &std::mem::take(&mut self.saves), now).await?;
        }
        Ok(())
    }

    /// Stores everything.
    pub async fn store(mut self, conn: &mut PgConnection, now: DateTime<Utc>) -> Result<(), ServiceError> {
        self.store_runs(conn, now).await?;
        if !self.audits.is_empty() {
            audit::record(conn, &self.audits).await?;
        }
        Ok(())
    }
}

/// What a turn comes to.
pub(crate) struct Came {
    /// Where the dialogue stands then.
    pub state: State,
    /// What is to be stored.
    pub kept: Kept,
    /// What goes out.
    pub out: Vec<NewItem>,
    /// What is answered at once.
    pub answers: Vec<Outbound>,
}

impl App {
    /// Handles a stimulus and finishes the items that brought it, together with others if they come at the same time.
    ///
    /// # Errors
    /// Any fault; nothing has happened then, and the items can be tried again.
    pub async fn converse(&self, task: &Task, stimulus: Stimulus) -> Result<Finished, ServiceError> {
        let stimulus = Arc::new(stimulus);
        // What failed before does not take others with it.
        if !task.is_repeated()
            && let Some(done) = self.turns.ask(self, task, &stimulus).await
        {
            return match done {
                Ok(finished) => Ok(finished),
                Err(Trouble::Error(error)) => Err(error),
                Err(Trouble::Panic(panic)) => std::panic::resume_unwind(panic),
            };
        }
        self.converse_alone(task, &stimulus).await
    }

    async fn converse_alone(&self, task: &Task, stimulus: &Stimulus) -> Result<Finished, ServiceError> {
        let mut tx = self.db.pool().begin().await?;
        let (out, answers) = self.turn(&mut tx, stimulus).instrument(tracing::info_span!("dialogue.step")).await?;
        let finished = task.done(&mut tx).await?;
        let handover = fitter_queue::hand(&mut tx, &self.wake, out).await?;
        failpoint::hit("step").await?;
        tx.commit().await?;
        let told = failpoint::hit("commit").await;
        handover.committed(&self.wake);
        answers.into_iter().for_each(|answer| self.answer_tap(answer));
        told?;
        Ok(finished)
    }

    /// Tells a person that it did not work, before the items become a dead letter; `key` makes sure that they are told once.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn apologise(&self, incoming: &Incoming, key: &str) -> Result<(), ServiceError> {
        let mut tx = self.db.pool().begin().await?;
        let at = Address { bot: incoming.bot, chat: incoming.chat, thread: incoming.thread };
        let person = people::seen(&mut tx, &seen(incoming), self.clock.now()).await?;
        let screen = delivery::localised(&self.messages, person.locale, Screen::say(msg::something_wrong()));
        let mut out = vec![delivery::item(at, OutboundKind::Send { slot: None, screen })?.dedupe(key)];
        if let Some(callback) = &incoming.callback {
            out.push(delivery::item(at, OutboundKind::Answer { callback: callback.clone(), text: None, alert: false })?);
        }
        let handover = fitter_queue::hand(&mut tx, &self.wake, out).await?;
        tx.commit().await?;
        handover.committed(&self.wake);
        Ok(())
    }

    async fn turn(&self, conn: &mut PgConnection, stimulus: &Stimulus) -> Result<(Vec<NewItem>, Vec<Outbound>), ServiceError> {
        if let Stimulus::Incoming(incoming) = stimulus
            && incoming.input == Input::Group
        {
            return Ok((self.leave_group(conn, incoming).await?, Vec::new()));
        }
        let Some(opening) = turns::open(self, conn, &[stimulus]).await?.pop().flatten() else { return Ok(Default::default()) };
        let key = opening.key();
        let row = dialogues::lock(conn, key).await?;
        let came = opening.turn(self, conn, state::decode(row.version, &row.state), None).await?;
        if !dialogues::save(conn, key, state::VERSION, &state::encode(&came.state)?, row.rev).await? {
            return Err(ServiceError::Overtaken);
        }
        came.kept.store(conn, self.clock.now()).await?;
        Ok((came.out, came.answers))
    }
}

/// What a turn begins with.
pub(crate) struct Opening {
    pub person: Person,
    pub at: Address,
    pub first: Event,
    /// The tap to answer.
    pub callback: Option<String>,
    /// The slot of the tapped message.
    pub tapped: Option<Slot>,
}

impl Opening {
    /// Whose turn it is.
    pub fn key(&self) -> DialogueKey {
        DialogueKey { bot: self.at.bot, chat: self.at.chat, thread: self.at.thread }
    }

    /// The turn, from the state of its dialogue (`None` for one that is not known), which is locked, and is not stored here. `run` is the walk in
    /// focus, if it was read already.
    pub async fn turn(self, app: &App, conn: &mut PgConnection, state: Option<State>, run: Option<Run>) -> Result<Came, ServiceError> {
        let Self { person, at, first, callback, tapped } = self;
        let mut turn = Turn {
            app,
            person,
            at,
            tapped,
            callback,
            toast: None,
            said: false,
            out: Vec::new(),
            answers: Vec::new(),
            kept: Kept::default(),
            run,
        };
        let state = turn.steps(conn, first, state).await?;
        if let Some(callback) = turn.callback.take() {
            let what = OutboundKind::Answer { callback, text: turn.toast.take(), alert: false };
            if app.answers_at_once() {
                turn.answers.push(Outbound { bot: at.bot, chat: at.chat, thread: at.thread, what });
            } else {
                turn.out.push(delivery::item(at, what)?);
            }
        }
        Ok(Came { state, kept: turn.kept, out: turn.out, answers: turn.answers })
    }
}

/// PostgreSQL's text has no U+0000. Updates are accepted without it; what a process of an earlier release put into the inbox may hold it.
pub(crate) fn storable(input: Input) -> Input {
    let clean = |text: String| if text.contains('\0') { text.replace('\0', "") } else { text };
    match input {
        Input::Command { name, payload } => Input::Command { name, payload: clean(payload) },
        Input::Text { text } => Input::Text { text: clean(text) },
        Input::Photos { photos, caption } => Input::Photos { photos, caption: caption.map(clean) },
        Input::Other { what, text } => Input::Other { what, text: text.map(clean) },
        Input::Burst { pieces } => {
            let pieces = pieces.into_iter().map(|piece| match piece {
                Piece::Photos { photos, caption } => Piece::Photos { photos, caption: caption.map(clean) },
                Piece::Text { text } => Piece::Text { text: clean(text) },
                Piece::Other { what, text } => Piece::Other { what, text: text.map(clean) },
            });
            Input::Burst { pieces: pieces.collect() }
        }
        Input::Edited { text } => Input::Edited { text: text.map(clean) },
        input @ (Input::Tap { .. } | Input::Reachable { .. } | Input::Group) => input,
    }
}

pub(crate) fn seen(incoming: &Incoming) -> people::Seen<'_> {
    people::Seen {
        bot: incoming.bot,
        chat: incoming.chat,
        user: incoming.user,
        first_name: &incoming.first_name,
        language: incoming.language.as_deref(),
    }
}

impl Turn<'_> {
    /// Steps until nothing more comes of it; where the dialogue stands then.
    async fn steps(&mut self, conn: &mut PgConnection, first: Event, state: Option<State>) -> Result<State, ServiceError> {
        let mut state = match state {
            Some(state) => state,
            None => {
                tracing::warn!("a stored dialogue state is unknown to this release; the person starts at the menu");
                self.say(Screen::say(msg::state_unknown()))?;
                if self.person.onboarded { State::Home } else { State::default() }
            }
        };
        let mut events = VecDeque::from([first]);
        let mut steps = 0;
        while let Some(event) = events.pop_front() {
            steps += 1;
            if steps > MOST_STEPS {
                return Err(ServiceError::Circles(MOST_STEPS));
            }
            let in_focus = self.focused(conn, &state, &event).await?;
            let run = self.run.as_ref().filter(|_| in_focus);
            let ctx = Ctx { now: self.app.clock.now(), person: &self.person, run };
            let transition = step(&state, &event, &ctx);
            state = transition.state;
            for effect in transition.effects {
                if let Some(outcome) = self.apply(conn, effect).await? {
                    events.push_back(Event::Outcome(outcome));
                }
            }
        }
        metrics::counter!("fitter_dialogue_steps_total").increment(steps as u64);
        Ok(state)
    }

    /// Reads the walk in focus; whether there is one that is the person's own.
    async fn focused(&mut self, conn: &mut PgConnection, state: &State, event: &Event) -> Result<bool, ServiceError> {
        let Some(id) = focus(state, event) else { return Ok(false) };
        if self.run.as_ref().is_none_or(|run| run.id != id) {
            // What was saved in this turn is read back.
            self.kept.store_runs(conn, self.app.clock.now()).await?;
            self.run = runs::get(conn, &self.app.bodies, id).await?;
        }
        Ok(self.run.as_ref().is_some_and(|run| run.by == self.person.id))
    }

    async fn apply(&mut self, conn: &mut PgConnection, effect: Effect) -> Result<Option<Outcome>, ServiceError> {
        match effect {
            Effect::Show(screen) => self.show(screen)?,
            Effect::Say { slot, screen } => {
                self.said = true;
                let screen = self.localised(screen);
                self.send(OutboundKind::Send { slot, screen })?;
            }
            Effect::Edit { slot, screen } => {
                let screen = self.localised(screen);
                self.send(OutboundKind::Edit { slot, screen })?;
            }
            Effect::Delete { slot } => self.send(OutboundKind::Delete { slot })?,
            Effect::Retire { slot } => self.send(OutboundKind::Retire { slot })?,
            Effect::Toast(msg) => self.toast = Some(self.app.messages.say(self.person.locale, &msg)),
            Effect::Tell { to, slot, screen } => self.tell(conn, to, slot, &screen).await?,
            Effect::Do(command) => return self.carry_out(conn, command).await,
        }
        Ok(None)
    }

    fn localised(&self, screen: Screen) -> Screen {
        delivery::localised(&self.app.messages, self.person.locale, screen)
    }

    fn send(&mut self, what: OutboundKind) -> Result<(), ServiceError> {
        self.out.push(delivery::item(self.at, what)?);
        Ok(())
    }

    fn say(&mut self, screen: Screen) -> Result<(), ServiceError> {
        let screen = self.localised(screen);
        self.send(OutboundKind::Send { slot: None, screen })
    }

    /// Navigation: the tapped message is changed in place; after words it moves to the end of the chat, so that there is one menu and no more.
    ///
    /// [`RECORDS`] of the chat are not overwritten.
    fn show(&mut self, screen: Screen) -> Result<(), ServiceError> {
        let screen = self.localised(screen);
        let in_place = self.tapped.clone().filter(|slot| !RECORDS.iter().any(|record| slot.0.starts_with(record)));
        match in_place {
            Some(slot) if !self.said => self.send(OutboundKind::Edit { slot, screen }),
            _ => {
                let slot = Slot::new(MENU);
                // A second screen of the same turn changes the first one.
                self.tapped = Some(slot.clone());
                self.said = false;
                self.send(OutboundKind::Move { slot, screen })
            }
        }
    }

    /// Tells somebody else, in their language and their chat.
    pub(crate) async fn tell(
        &mut self,
        conn: &mut PgConnection,
        to: Addressee,
        slot: Option<Slot>,
        screen: &Screen,
    ) -> Result<(), ServiceError> {
        let readers = match to {
            Addressee::Person(person) => people::get(conn, person).await?.into_iter().collect(),
            Addressee::Managers => {
                let mut managers = people::at_least(conn, Role::Manager).await?;
                managers.retain(|manager| manager.id != self.person.id);
                managers
            }
        };
        for reader in readers {
            let Some((bot, chat)) = people::address(conn, reader.id).await? else {
                tracing::info!(person.id = reader.id.0, "person {} has no chat that can be written to", reader.id);
                continue;
            };
            let screen = delivery::for_reader(&self.app.messages, &reader, bot == self.at.bot, screen.clone());
            self.out.push(delivery::item(Address { bot, chat, thread: None }, OutboundKind::Send { slot: slot.clone(), screen })?);
        }
        Ok(())
    }
}
