//! The turns of several dialogues in one transaction.
//!
//! Turns that come while others are under way go together: their people, messages and dialogues are read at once, each steps for itself, and
//! all that comes of them is written and committed at once. If anything goes wrong in it, nothing has happened and each turn is done alone: a
//! turn that cannot be done costs itself and nobody else.

use std::any::Any;
use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use fitter_dialogues::event::{Event, Input};
use fitter_dialogues::{focus, state};
use fitter_domain::ids::{BotId, ChatId, PersonId, RunId};
use fitter_domain::outbound::Outbound;
use fitter_queue::together::BEGIN;
use fitter_queue::{Batcher, Finished, Handover, NewItem, Request, Task, failpoint};
use fitter_store::dialogues::{self, Stand};
use fitter_store::{PgConnection, Postgres, Transaction, people, runs, slots};
use futures::FutureExt as _;
use tokio::sync::Semaphore;
use tracing::Instrument as _;

use crate::app::App;
use crate::conversation::{Kept, Opening, Stimulus, seen, storable};
use crate::delivery::Address;
use crate::error::ServiceError;

/// Turns in a transaction at most: their chats wait for each other.
const MOST: usize = 64;

/// Transactions that step at a time. A chat is in one of them, for its lane has one holder; where two want the same row all the same, the one
/// that waits longer than [`BEGIN`] allows is done turn by turn.
const PENS: usize = 2;

/// Transactions at a time, those that wait for the disk among them.
const COMMITS: usize = 5;

/// Does turns, several at a time. Cheap to clone.
#[derive(Clone)]
pub struct Turns(Batcher<Ask, Done>);

type Done = Result<Finished, Trouble>;

/// Why a turn that was alone in its transaction is not done; of several it is not known which one it was.
pub(crate) enum Trouble {
    Error(ServiceError),
    Panic(Box<dyn Any + Send>),
}

struct Ask {
    app: App,
    task: Task,
    stimulus: Arc<Stimulus>,
}

/// What belongs to a transaction that is ready to be committed.
struct Ready {
    tx: Transaction<'static, Postgres>,
    handover: Handover,
    answers: Vec<Outbound>,
    /// By the places of their requests; the others have to be done alone.
    finished: Vec<(usize, Finished)>,
}

impl Default for Turns {
    fn default() -> Self {
        let commits = Arc::new(Semaphore::new(COMMITS));
        Self(Batcher::new(MOST, PENS, move |requests| together(requests, Arc::clone(&commits))))
    }
}

impl Turns {
    /// Does a turn with others; `None` if it has to be done alone.
    pub(crate) async fn ask(&self, app: &App, task: &Task, stimulus: &Arc<Stimulus>) -> Option<Done> {
        self.0.ask(Ask { app: app.clone(), task: task.clone(), stimulus: Arc::clone(stimulus) }).await
    }
}

/// Steps the turns of a batch; the next one begins while this one is committed.
async fn together(requests: Vec<Request<Ask, Done>>, commits: Arc<Semaphore>) {
    let Some(app) = requests.first().map(|request| request.what.app.clone()) else { return };
    let Ok(turn) = commits.acquire_owned().await else { return };
    let span = tracing::info_span!("dialogue.steps", turns = requests.len());
    let stepped = AssertUnwindSafe(step_all(&app, &requests)).catch_unwind().instrument(span).await;
    match stepped {
        Ok(Ok(ready)) => drop(tokio::spawn(async move {
            match AssertUnwindSafe(failpoint::hit("step")).catch_unwind().await {
                Ok(Ok(())) => {
                    if let Err(error) = commit(&app, ready, requests).await {
                        tracing::debug!(%error, "turns are not committed together");
                    }
                }
                Ok(Err(error)) => blame(requests, Trouble::Error(error.into())),
                Err(panic) => blame(requests, Trouble::Panic(panic)),
            }
            drop(turn);
        })),
        Ok(Err(error)) => {
            tracing::debug!(%error, "turns are not done together");
            blame(requests, Trouble::Error(error));
        }
        Err(panic) => blame(requests, Trouble::Panic(panic)),
    }
}

/// Tells a turn that was alone; several have to be done one by one.
fn blame(mut requests: Vec<Request<Ask, Done>>, trouble: Trouble) {
    if let (Some(request), true) = (requests.pop(), requests.is_empty()) {
        request.answer(Err(trouble));
    }
}

async fn commit(app: &App, ready: Ready, requests: Vec<Request<Ask, Done>>) -> Result<(), ServiceError> {
    ready.tx.commit().await?;
    let told = failpoint::hit("commit").await;
    ready.handover.committed(&app.wake);
    ready.answers.into_iter().for_each(|answer| app.answer_tap(answer));
    told?;
    let mut requests: Vec<Option<Request<Ask, Done>>> = requests.into_iter().map(Some).collect();
    for (place, finished) in ready.finished {
        if let Some(request) = requests.get_mut(place).and_then(Option::take) {
            request.answer(Ok(finished));
        }
    }
    Ok(())
}

async fn step_all(app: &App, requests: &[Request<Ask, Done>]) -> Result<Ready, ServiceError> {
    let mut tx = app.db.pool().begin_with(BEGIN).await?;
    let tasks: Vec<&Task> = requests.iter().map(|request| &request.what.task).collect();
    let kept = fitter_queue::keep(&mut tx, &tasks).await?;
    // A person or a chat that is there twice: the second one reads what the first one has written, and so comes after it.
    let mut once = Once::default();
    let mine: Vec<usize> = (0..requests.len())
        .filter(|&place| kept.get(place) == Some(&true))
        .filter(|&place| requests.get(place).is_some_and(|request| once.is_new(&request.what.stimulus)))
        .collect();
    let stimuli: Vec<&Stimulus> = mine.iter().filter_map(|&place| requests.get(place)).map(|request| &*request.what.stimulus).collect();
    let openings = open(app, &mut tx, &stimuli).await?;
    let mut people = HashSet::new();
    let mut turns = Vec::with_capacity(mine.len());
    let mut done = Vec::with_capacity(mine.len());
    for (place, opening) in mine.into_iter().zip(openings) {
        match opening {
            Some(opening) if !people.insert(opening.person.id) => continue,
            Some(opening) => turns.push(opening),
            None => {}
        }
        done.push(place);
    }
    let (out, answers) = step(app, &mut tx, turns).await?;
    let handover = fitter_queue::hand(&mut tx, &app.wake, out).await?;
    let tasks: Vec<&Task> = done.iter().filter_map(|&place| requests.get(place)).map(|request| &request.what.task).collect();
    let finished = fitter_queue::finish_all(&mut tx, &tasks).await?;
    Ok(Ready { tx, handover, answers, finished: done.into_iter().zip(finished).collect() })
}

/// Who is in a transaction already.
#[derive(Default)]
struct Once {
    chats: HashSet<(BotId, ChatId)>,
    people: HashSet<PersonId>,
}

impl Once {
    fn is_new(&mut self, stimulus: &Stimulus) -> bool {
        match stimulus {
            // Nobody's turn: it is done for itself.
            Stimulus::Incoming(incoming) if incoming.input == Input::Group => false,
            Stimulus::Incoming(incoming) => self.chats.insert((incoming.bot, incoming.chat)),
            Stimulus::Late(late) => self.people.insert(late.person) && self.chats.insert((late.bot, late.chat)),
        }
    }
}

/// Does the turns of several dialogues, no dialogue and no person twice; what goes out, and what is answered at once.
async fn step(app: &App, conn: &mut PgConnection, turns: Vec<Opening>) -> Result<(Vec<NewItem>, Vec<Outbound>), ServiceError> {
    if turns.is_empty() {
        return Ok(Default::default());
    }
    let keys: Vec<_> = turns.iter().map(Opening::key).collect();
    let rows = dialogues::lock_many(conn, &keys).await?;
    let states: Vec<_> = rows.iter().map(|row| state::decode(row.version, &row.state)).collect();
    let focused: Vec<Option<RunId>> = turns.iter().zip(&states).map(|(turn, state)| focus(state.as_ref()?, &turn.first)).collect();
    let ids: Vec<RunId> = focused.iter().copied().flatten().collect();
    let mut runs = if ids.is_empty() { Default::default() } else { runs::get_many(conn, &app.bodies, &ids).await? };
    let (mut stands, mut kept, mut out, mut answers) = (Vec::with_capacity(turns.len()), Kept::default(), Vec::new(), Vec::new());
    for ((((turn, key), row), state), focused) in turns.into_iter().zip(keys).zip(rows).zip(states).zip(focused) {
        let run = focused.and_then(|id| runs.remove(&id));
        let came = turn.turn(app, conn, state, run).await?;
        stands.push(Stand { key, state: state::encode(&came.state)?, rev: row.rev });
        kept.add(came.kept);
        out.extend(came.out);
        answers.extend(came.answers);
    }
    kept.store(conn, app.clock.now()).await?;
    if !dialogues::save_many(conn, state::VERSION, &stands).await? {
        return Err(ServiceError::Overtaken);
    }
    Ok((out, answers))
}

/// Reads what the turns of these stimuli begin with, no chat twice; `None` where there is nothing to say.
pub(crate) async fn open(app: &App, conn: &mut PgConnection, stimuli: &[&Stimulus]) -> Result<Vec<Option<Opening>>, ServiceError> {
    let (mut incoming, mut late) = (Vec::new(), Vec::new());
    for stimulus in stimuli {
        match stimulus {
            Stimulus::Incoming(from) => match from.input {
                Input::Reachable { reachable } => people::set_blocked(conn, from.bot, from.chat, !reachable).await?,
                _ => incoming.push(&**from),
            },
            Stimulus::Late(outcome) => late.push(outcome.person),
        }
    }
    let mut here = if incoming.is_empty() {
        Vec::new()
    } else {
        people::seen_many(conn, &incoming.iter().map(|incoming| seen(incoming)).collect::<Vec<_>>(), app.clock.now()).await?
    }
    .into_iter();
    let askers = if late.is_empty() { Default::default() } else { people::get_many(conn, &late).await? };
    // The message that was tapped or replied to.
    let named: Vec<_> = incoming
        .iter()
        .filter_map(|from| Some((from.bot, from.chat, from.reply_to.or(from.message.filter(|_| from.callback.is_some()))?)))
        .collect();
    let mut slots = if named.is_empty() { Vec::new() } else { slots::by_messages(conn, &named).await? }.into_iter();
    let mut openings = Vec::with_capacity(stimuli.len());
    for stimulus in stimuli {
        openings.push(match stimulus {
            Stimulus::Incoming(from) if matches!(from.input, Input::Reachable { .. }) => None,
            Stimulus::Incoming(from) => {
                let points = from.reply_to.is_some() || (from.message.is_some() && from.callback.is_some());
                let slot = if points { slots.next().flatten().map(|found| found.slot) } else { None };
                let tapped = slot.clone().filter(|_| from.callback.is_some());
                here.next().map(|person| Opening {
                    person,
                    at: Address { bot: from.bot, chat: from.chat, thread: from.thread },
                    first: Event::Person { input: storable(from.input.clone()), slot },
                    callback: from.callback.clone(),
                    tapped,
                })
            }
            Stimulus::Late(late) => askers.get(&late.person).map(|person| Opening {
                person: person.clone(),
                at: Address { bot: late.bot, chat: late.chat, thread: late.thread },
                first: Event::Outcome(late.outcome.clone()),
                callback: None,
                tapped: None,
            }),
        });
    }
    Ok(openings)
}
