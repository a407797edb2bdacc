//! One step: an event finds its machine.

use fitter_domain::ids::RunId;
use fitter_domain::msg::{self, Msg};
use fitter_domain::screen::Slot;
use fitter_domain::vehicle::{self, VehicleNumber};

use crate::action::Action;
use crate::effect::Command;
use crate::event::{Event, Input, Outcome, Photo};
use crate::state::State;
use crate::turn::{Ctx, Transition, Turn};
use crate::{ask, burst, faults, gaps, home, invites, jobs, onboarding, procedures, vaults, walk};

/// The walk that a step on this event needs in [`Ctx::run`].
#[must_use]
pub fn focus(state: &State, event: &Event) -> Option<RunId> {
    let tapped = match event {
        Event::Person { input: Input::Tap { data }, .. } => match Action::decode(data) {
            Some(Action::Walk(run, ..)) => Some(run),
            _ => None,
        },
        Event::Outcome(Outcome::TimerOver { run, .. }) => Some(*run),
        _ => None,
    };
    tapped.or(match state {
        State::Running { run } => Some(*run),
        _ => None,
    })
}

/// One step. Pure and total: any event in any state gives a transition, and `/cancel` gives [`State::Home`].
#[must_use]
pub fn step(state: &State, event: &Event, ctx: &Ctx<'_>) -> Transition {
    let mut turn = Turn::new(state.clone(), *ctx);
    match event {
        Event::Outcome(_) if ctx.person.removed => {}
        Event::Outcome(outcome) => came_of(&mut turn, outcome),
        Event::Person { input: Input::Reachable { .. } | Input::Group, .. } => {}
        Event::Person { .. } if ctx.person.removed => {
            // Should they come back, they begin at home.
            turn.go(State::Home).say(msg::access_removed());
        }
        Event::Person { input, .. } if !ctx.person.onboarded => onboarding::input(&mut turn, input),
        Event::Person { input, slot } => person(&mut turn, input, slot.as_ref()),
    }
    turn.finish()
}

fn person(turn: &mut Turn<'_>, input: &Input, slot: Option<&Slot>) {
    if !matches!(input, Input::Tap { .. }) {
        walk::lose_dead_focus(turn);
    }
    let replied = slot.filter(|_| !matches!(input, Input::Tap { .. })).and_then(ask::question_of);
    match input {
        Input::Command { name, payload } => command(turn, name, payload),
        Input::Tap { data } => match Action::decode(data) {
            Some(action) => tap(turn, action),
            None => {
                turn.toast(msg::button_stale()).home();
            }
        },
        Input::Text { text } => match replied {
            Some(question) => ask::answer(turn, question, text),
            None => words(turn, text),
        },
        Input::Edited { text } => edited(turn, text.as_deref()),
        Input::Photos { photos, caption } if turn.ctx.person.role.is_staff() && photos.iter().any(Photo::is_too_big) => {
            too_big(turn, photos, caption.as_deref(), slot);
        }
        Input::Photos { photos, caption } => match turn.state.clone() {
            _ if replied.is_some() => replied.into_iter().for_each(|question| ask::answer_photo(turn, question, caption.as_deref())),
            State::Answering { question } => ask::answer_photo(turn, question, caption.as_deref()),
            State::Running { .. } => walk::photos(turn, photos, caption.as_deref()),
            State::JobPhotos { job } => jobs::photos(turn, job, photos, caption.as_deref()),
            State::Problem { .. } => faults::photos(turn, photos, caption.as_deref()),
            _ => jobs::stray_photos(turn, photos, caption.as_deref()),
        },
        Input::Burst { pieces } => match turn.state {
            State::Running { .. } => walk::burst(turn, pieces),
            _ => burst::burst(turn, pieces),
        },
        Input::Other { text: Some(text), .. } => words(turn, text),
        Input::Other { .. } => {
            let staff = turn.ctx.person.role.is_staff();
            not_taken(turn, if staff { msg::only_text_and_photos() } else { msg::only_text() });
        }
        Input::Reachable { .. } | Input::Group => {}
    }
}

/// Says that something cannot be taken, and shows where the person is.
fn not_taken(turn: &mut Turn<'_>, why: Msg) {
    if matches!(turn.state, State::Running { .. }) {
        turn.say(why);
        walk::show_again(turn);
    } else {
        turn.say_on(why);
    }
}

/// Pictures that Telegram does not hand out are no evidence: nobody could ever look at them. What came with them is taken.
fn too_big(turn: &mut Turn<'_>, photos: &[Photo], caption: Option<&str>, slot: Option<&Slot>) {
    let rest: Vec<Photo> = photos.iter().filter(|photo| !photo.is_too_big()).cloned().collect();
    let text = caption.map(str::to_owned);
    match (rest.is_empty(), text) {
        (true, None) => not_taken(turn, msg::file_too_big()),
        (true, Some(text)) => {
            turn.say(msg::file_too_big());
            person(turn, &Input::Text { text }, slot);
        }
        (false, caption) => {
            turn.say(msg::file_too_big());
            person(turn, &Input::Photos { photos: rest, caption }, slot);
        }
    }
}

fn command(turn: &mut Turn<'_>, name: &str, payload: &str) {
    match name {
        "start" if !payload.is_empty() => {
            turn.go(State::Home).run(Command::RedeemInvite { token: payload.to_owned() });
        }
        "start" | "menu" => {
            turn.home();
        }
        "cancel" => home::cancel(turn),
        "help" => home::help(turn),
        "language" => onboarding::languages(turn),
        "jobs" => {
            turn.go(State::Home).run(Command::ListJobs);
        }
        "new" => jobs::ask_number(turn),
        "procedures" => procedures::list(turn, None, 0),
        "gaps" => {
            turn.go(State::Home).run(Command::ListGaps);
        }
        "vault" => {
            turn.go(State::Home).run(Command::ShowVault);
        }
        "ask" if payload.is_empty() => ask::prompt(turn),
        "ask" => ask::search(turn, payload),
        _ => {
            turn.say_on(msg::command_unknown());
        }
    }
}

fn tap(turn: &mut Turn<'_>, action: Action) {
    match action {
        Action::Menu => {
            turn.home();
        }
        Action::Cancel => home::cancel(turn),
        Action::Help => home::help(turn),
        Action::Languages => onboarding::languages(turn),
        Action::Language(locale) => onboarding::set_language(turn, locale),
        Action::KeepName => {
            turn.home();
        }
        Action::Jobs => {
            turn.go(State::Home).run(Command::ListJobs);
        }
        Action::NewJob => jobs::ask_number(turn),
        Action::JobFor(number) => {
            turn.go(State::Home).run(Command::MakeJob { number });
        }
        Action::NotAVehicle => match turn.state.clone() {
            State::Vehicle { text } => ask::search(turn, &text),
            _ => ask::prompt(turn),
        },
        Action::Job(job) => {
            // Photos that wait for a card have found it.
            if !matches!(turn.state, State::Photos { .. }) {
                turn.go(State::Home);
            }
            turn.run(Command::OpenJob(job));
        }
        Action::JobMore(job) => jobs::more(turn, job),
        Action::JobStatus(job, to) => {
            turn.leave_typing().run(Command::SetJobStatus { job, to });
        }
        Action::FinishJob(job) => {
            turn.run(Command::FinishJob(job));
        }
        Action::JobPhotos(job) => jobs::ask_photos(turn, job),
        Action::JobGallery(job) => {
            turn.leave_typing().run(Command::ListJobPhotos(job));
        }
        Action::JobHistory(job) => {
            turn.leave_typing().run(Command::VehicleHistory(job));
        }
        Action::JobProblem(job) => faults::begin(turn, job),
        Action::Procedures { job, skip } => procedures::list(turn, job, skip),
        Action::Procedure { id, job } => {
            turn.run(Command::OpenProcedure { id, job });
        }
        Action::Start { id, job } => walk::start(turn, id, job),
        Action::Runs => {
            turn.run(Command::ListRuns);
        }
        Action::Run(run) => {
            turn.run(Command::OpenRun(run));
        }
        Action::Walk(run, rev, what) => walk::tap(turn, run, rev, what),
        Action::Ask => ask::prompt(turn),
        Action::Hit(query, index) => {
            turn.run(Command::OpenHit { query, index });
        }
        Action::Good(query, index) => ask::good(turn, query, index),
        Action::NotIt(query, index) => ask::not_it(turn, query, index),
        Action::Section(query, index, section) => {
            turn.run(Command::OpenSection { query, index, section });
        }
        Action::Human(query) => {
            turn.run(Command::AskHuman(query));
        }
        Action::Gaps => {
            turn.run(Command::ListGaps);
        }
        Action::Gap(query) => {
            turn.run(Command::OpenGap(query));
        }
        Action::AnswerGap(query) => {
            turn.run(Command::AnswerGap(query));
        }
        Action::CloseGap(query) => gaps::close(turn, query),
        Action::SaveNote(question) => {
            turn.run(Command::SaveNote(question));
        }
        Action::Questions => {
            turn.run(Command::ListQuestions);
        }
        Action::Question(question) => {
            turn.run(Command::OpenQuestion(question));
        }
        Action::Faults => {
            turn.run(Command::ListFaults);
        }
        Action::Fault(fault) => {
            turn.run(Command::OpenFault(fault));
        }
        Action::CloseFault(fault) => {
            turn.run(Command::CloseFault(fault));
        }
        Action::Invite => invites::choose(turn),
        Action::InviteAs(role) => {
            turn.run(Command::MakeInvite { role });
        }
        Action::SendProblem => faults::send(turn),
        Action::Vault => {
            turn.run(Command::ShowVault);
        }
        Action::SyncVault => {
            turn.run(Command::SyncVault);
        }
    }
}

/// Words, in the state that awaits them; everywhere else they are a question.
pub(crate) fn words(turn: &mut Turn<'_>, text: &str) {
    let text = text.trim();
    if text.is_empty() {
        return;
    }
    match turn.state.clone() {
        State::Running { .. } => walk::text(turn, text),
        State::NewJob | State::Photos { .. } => jobs::number(turn, text),
        State::JobPhotos { .. } | State::Language { .. } | State::Name { .. } => ask::search(turn, text),
        State::Problem { .. } => faults::text(turn, text),
        State::Procedures { job, .. } => procedures::like(turn, job, text),
        State::Answering { question } => ask::answer(turn, question, text),
        State::Home | State::Vehicle { .. } => match VehicleNumber::parse(text) {
            Ok(number) if turn.ctx.person.role.is_staff() && is_surely_a_vehicle(&number) => jobs::offer(turn, text, number),
            _ => ask::search(turn, text),
        },
    }
}

/// A VIN, or a plate of a shape that the neighbouring countries issue: not just any word with a digit in it.
fn is_surely_a_vehicle(number: &VehicleNumber) -> bool {
    match number {
        VehicleNumber::Vin(_) => true,
        VehicleNumber::Plate(plate) => vehicle::country(plate).is_some(),
    }
}

fn edited(turn: &mut Turn<'_>, text: Option<&str>) {
    match (&turn.state, text) {
        (State::Running { .. }, _) => {
            turn.say(msg::edit_in_walk());
            walk::show_again(turn);
        }
        (State::Home | State::NewJob | State::Vehicle { .. } | State::Procedures { .. } | State::Photos { .. }, Some(text)) => {
            words(turn, text)
        }
        (State::Problem { .. }, Some(text)) => faults::text(turn, text),
        _ => {}
    }
}

fn came_of(turn: &mut Turn<'_>, outcome: &Outcome) {
    match outcome {
        Outcome::Invited { role } => onboarding::invited(turn, *role),
        Outcome::NotInvited { why } => onboarding::not_invited(turn, *why),
        Outcome::InviteMade { link, role, days } => invites::made(turn, link, *role, *days),
        Outcome::Vault { vault, wanted } => vaults::shown(turn, vault, *wanted),
        Outcome::Home { run, runs, jobs, questions, faults } => home::screen(turn, run.as_ref(), *runs, *jobs, *questions, *faults),
        Outcome::Job { job, made } => jobs::card(turn, job, *made),
        Outcome::Unfinished { job } => jobs::unfinished(turn, job),
        Outcome::Jobs { jobs } => jobs::list(turn, jobs),
        Outcome::History { job, jobs } => jobs::history(turn, *job, jobs),
        Outcome::JobPhotos { job, files } => jobs::gallery(turn, *job, files),
        Outcome::Procedures { procedures, job, skip, more } => procedures::listed(turn, procedures, *job, *skip, *more),
        Outcome::Procedure { id, procedure, job, jobs } => procedures::intro(turn, *id, procedure, *job, jobs),
        Outcome::Run { run, begun } => walk::opened(turn, run, *begun),
        Outcome::Runs { runs } => procedures::runs(turn, runs),
        Outcome::Found { query, text, .. } if walk::searched(turn, *query, text) => {}
        Outcome::Found { query, text, hits, nearest, .. } if hits.is_empty() => ask::not_found(turn, *query, text, nearest),
        Outcome::Found { query, hits, procedure, written, .. } => ask::found(turn, *query, hits, procedure.as_ref(), written.as_ref()),
        Outcome::Hit { query, index, of, hit, procedure } => ask::hit(turn, *query, *index, *of, hit.as_deref(), procedure.as_ref()),
        Outcome::Section { query, index, section, passage, before, after } => {
            ask::section(
                turn,
                &ask::Opened { query: *query, index: *index, section: *section },
                passage,
                before.as_deref(),
                after.as_deref(),
            );
        }
        Outcome::Asked { question } => ask::asked(turn, *question),
        Outcome::Question { question } => ask::opened(turn, question),
        Outcome::Questions { questions } => ask::listed(turn, questions),
        Outcome::Answered { question, already: true, .. } => ask::already_answered(turn, question),
        Outcome::Answered { question, others, savable, .. } => ask::answered(turn, question, others, *savable),
        Outcome::Gaps { gaps, of } => gaps::listed(turn, gaps, *of),
        Outcome::Gap { gap } => gaps::opened(turn, gap),
        Outcome::Drafted { path } => ask::drafted(turn, path.as_deref()),
        Outcome::FaultMade { fault } => faults::made(turn, fault),
        Outcome::Faults { faults } => faults::listed(turn, faults),
        Outcome::Fault { fault } => faults::opened(turn, fault),
        Outcome::TimerOver { run, step } => walk::timer_over(turn, *run, *step),
        Outcome::TooBig => not_taken(turn, msg::file_too_big()),
        Outcome::Refused => {
            walk::lose_dead_focus(turn);
            turn.refuse();
        }
    }
}
