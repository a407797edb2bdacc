//! Questions: to the notes first, to a human when they do not help.

use fitter_domain::ids::{ProcedureId, QueryId, QuestionId};
use fitter_domain::msg;
use fitter_domain::passage::Passage;
use fitter_domain::person::{Object, Verb, may};
use fitter_domain::rich::{Node, Rich, flatten};
use fitter_domain::screen::{Media, Screen, Slot};
use fitter_domain::ticket::Question;
use fitter_domain::written::Written;

use crate::action::Action;
use crate::effect::{Addressee, Command, Effect};
use crate::state::State;
use crate::turn::Turn;

mod written;

/// Quotes longer than this, in characters, are collapsed at first.
const COLLAPSED_FROM: usize = 900;
/// Hits beside the shown one that are offered as chips.
const CHIPS: usize = 2;
/// Questions shown in the manager's list.
const LISTED: usize = 5;

/// Invites a question.
pub(crate) fn prompt(turn: &mut Turn<'_>) {
    turn.go(State::Home).show(Screen { ask: Some(msg::placeholder_question().into()), ..Screen::say(msg::ask_prompt()) });
}

/// Searches the notes. The state stays: a question in the middle of a walk does not end it.
pub(crate) fn search(turn: &mut Turn<'_>, text: &str) {
    if matches!(turn.state, State::Vehicle { .. } | State::Procedures { .. }) {
        turn.go(State::Home);
    }
    turn.run(Command::Search { text: text.to_owned() });
}

pub(crate) fn answer_slot(query: QueryId) -> Slot {
    Slot::new(format!("answer:{query}"))
}

/// Nothing answers the question: what comes nearest, and a human.
pub(crate) fn not_found(turn: &mut Turn<'_>, query: QueryId, text: &str, nearest: &[Passage]) {
    let screen = Screen::say(msg::not_found(text.chars().take(200).collect::<String>())).primary(msg::button_human(), Action::Human(query));
    let screen = chips_of(None, nearest)
        .take(CHIPS)
        .fold(screen, |screen, (place, label)| screen.button(msg::chip(label), Action::Hit(query, place)));
    let screen = turn.with_way_on(screen);
    turn.say_as(answer_slot(query), screen);
}

/// What the search found.
pub(crate) fn found(
    turn: &mut Turn<'_>,
    query: QueryId,
    hits: &[Passage],
    procedure: Option<&(ProcedureId, String)>,
    written: Option<&Written>,
) {
    let Some(best) = hits.first() else { return };
    let walking = matches!(turn.state, State::Running { .. });
    let answer = written::answer(hits, written);
    let is_written = answer.is_some();
    let mut screen = answer.as_ref().map_or_else(|| written::noted(passage(best), written), |answer| answer.screen.clone());
    let under_way = |title: &str| walking && turn.ctx.run.is_some_and(|run| run.procedure.title == title);
    let steps = procedure.filter(|(_, title)| may(turn.ctx.person.role, Verb::Create, Object::Run { own: true }) && !under_way(title));
    if let Some((id, title)) = steps {
        screen = screen.primary(msg::button_start_steps(shorten(title)), Action::Procedure { id: *id, job: None });
    }
    // At most three big buttons: in a walk, the way back to its step is one of them.
    let chips = if walking && steps.is_some() { CHIPS - 1 } else { CHIPS };
    let offered: Vec<(u32, String)> = match answer {
        Some(answer) => answer.cited.into_iter().take(chips).collect(),
        None => chips_of(Some(best), hits).take(chips).collect(),
    };
    for (place, label) in offered {
        screen = screen.button(msg::chip(label), Action::Hit(query, place));
    }
    // From what a model wrote "Not it" leads to the best passage, word for word.
    let screen = if is_written { with_next(turn, screen, query, 0) } else { with_not_it(turn, screen, query, 0) };
    turn.say_as(answer_slot(query), screen);
}

/// Places and labels of hits beside the one that is shown. Within the same note the heading is enough, and no label stands twice: "Not it" leads
/// to the hits that are left out.
fn chips_of<'h>(shown: Option<&'h Passage>, hits: &'h [Passage]) -> impl Iterator<Item = (u32, String)> + 'h {
    let mut seen: Vec<String> = shown.map(|shown| shorten(&shown.source())).into_iter().collect();
    (0..).zip(hits).skip(usize::from(shown.is_some())).filter_map(move |(place, hit)| {
        let label = shorten(&match hit.headings.last() {
            Some(heading) if shown.is_some_and(|shown| shown.note == hit.note) => heading.clone(),
            _ => hit.source(),
        });
        let new = !seen.contains(&label);
        seen.push(label.clone());
        new.then_some((place, label))
    })
}

/// "Not it" leads to the next hit and, after the last one, to a human: never straight to a human, who is asked on purpose only.
fn with_not_it(turn: &Turn<'_>, screen: Screen, query: QueryId, index: u32) -> Screen {
    with_next(turn, screen, query, index.saturating_add(1))
}

fn with_next(turn: &Turn<'_>, screen: Screen, query: QueryId, next: u32) -> Screen {
    let next = Action::Hit(query, next);
    let screen = screen.row([(msg::button_not_it().into(), next.into()), (msg::button_human().into(), Action::Human(query).into())]);
    if matches!(turn.state, State::Running { .. }) { turn.with_way_on(screen) } else { screen }
}

/// The passage, quoted, with its source.
fn passage(hit: &Passage) -> Screen {
    let body = Rich::text("📄 ").bold(hit.source()).line().append(quoted(hit));
    Screen { media: hit.images.first().cloned().map(Media::Blob).into_iter().collect(), ..Screen::of(body) }
}

/// The passage as quotations: a long text is collapsed at first, its warnings never are.
fn quoted(hit: &Passage) -> Rich {
    let (text, warnings) = hit.parts();
    let long = flatten(&text).text.chars().count() > COLLAPSED_FROM;
    let quotes = [(long, text)].into_iter().chain(warnings.into_iter().map(|warning| (false, warning)));
    quotes.filter(|(_, body)| !body.is_empty()).fold(Rich::new(), |all, (expandable, body)| {
        let all = if all.is_empty() { all } else { all.line() };
        all.push(Node::Quote { expandable, body })
    })
}

/// Another hit of the same search.
pub(crate) fn hit(turn: &mut Turn<'_>, query: QueryId, index: u32, of: u32, hit: Option<&Passage>) {
    let slot = answer_slot(query);
    let walking = matches!(turn.state, State::Running { .. });
    let first = |screen: Screen| if index > 0 { screen.button(msg::button_first_answer(), Action::Hit(query, 0)) } else { screen };
    let screen = match hit {
        Some(hit) => with_not_it(turn, first(passage(hit)), query, index),
        // All of them were shown.
        None if of > 0 => {
            let screen = Screen::say(msg::not_found_more()).primary(msg::button_human(), Action::Human(query));
            turn.with_way_on(first(screen))
        }
        None => {
            turn.toast(msg::button_stale());
            if walking {
                crate::walk::show_again(turn)
            } else {
                turn.home();
            }
            return;
        }
    };
    turn.push(Effect::Edit { slot, screen });
}

/// The question went to the managers.
pub(crate) fn asked(turn: &mut Turn<'_>, question: QuestionId) {
    turn.say_on(msg::asked_human(question.0.to_string()));
}

fn question_slot(question: QuestionId) -> Slot {
    Slot::new(format!("question:{question}"))
}

/// The question whose message this slot is.
pub(crate) fn question_of(slot: &Slot) -> Option<QuestionId> {
    slot.0.strip_prefix("question:")?.parse().ok()
}

/// How a manager sees a question. The managers are told by the service that stores it, with this screen.
#[must_use]
pub fn question_screen(question: &Question) -> (Slot, Screen) {
    let mut body = Rich::new().bold(Rich::new().push(msg::question_title(question.id.0.to_string(), question.by_name.as_str())));
    body = body.line().push(Node::Quote { expandable: false, body: Rich::text(question.text.as_str()) });
    if !question.tried.is_empty() {
        body = body.line().push(msg::question_tried(question.tried.join("; ")));
    }
    body = body.line().push(msg::question_how());
    (question_slot(question.id), Screen::of(body).primary(msg::button_answer(), Action::Question(question.id)))
}

/// A manager is about to answer.
pub(crate) fn opened(turn: &mut Turn<'_>, question: &Question) {
    if let Some(answer) = &question.answer {
        let body = Rich::from(msg::already_answered()).line().push(Node::Quote { expandable: false, body: Rich::text(answer.as_str()) });
        turn.show(Screen::of(body).button(msg::button_menu(), Action::Menu));
        return;
    }
    let body = Rich::from(msg::answer_now(question.by_name.as_str()))
        .line()
        .push(Node::Quote { expandable: false, body: Rich::text(question.text.as_str()) });
    turn.go(State::Answering { question: question.id }).show(Screen::of(body).button(msg::button_cancel(), Action::Cancel));
}

/// A manager's answer.
pub(crate) fn answer(turn: &mut Turn<'_>, question: QuestionId, text: &str) {
    turn.run(Command::Answer { question, text: text.to_owned() });
}

/// A photo instead of an answer: its caption is one, a photo alone cannot be passed on.
pub(crate) fn answer_photo(turn: &mut Turn<'_>, question: QuestionId, caption: Option<&str>) {
    match caption {
        Some(caption) => answer(turn, question, caption),
        None => {
            turn.say_on(msg::answer_words_only());
        }
    }
}

/// A question was answered: the asker is told, the manager thanked.
pub(crate) fn answered(turn: &mut Turn<'_>, question: &Question, already: bool) {
    let quote = |text: &str| Node::Quote { expandable: false, body: Rich::text(text) };
    if matches!(turn.state, State::Answering { .. }) {
        turn.go(State::Home);
    }
    let answer = question.answer.as_deref().unwrap_or_default();
    if already {
        let screen = turn.with_way_on(Screen::of(Rich::from(msg::already_answered()).line().push(quote(answer))));
        turn.push(Effect::Say { slot: None, screen });
        return;
    }
    let body = Rich::new().bold(Rich::new().push(msg::human_answered(turn.ctx.person.name.as_str())));
    let body = body.line().push(quote(&question.text)).line().push(answer);
    turn.tell(Addressee::Person(question.by), None, Screen::of(body));
    turn.push(Effect::Retire { slot: question_slot(question.id) });
    turn.say_on(msg::answer_sent(question.by_name.as_str()));
}

/// Unanswered questions.
pub(crate) fn listed(turn: &mut Turn<'_>, questions: &[Question]) {
    let text = if questions.is_empty() { msg::questions_none() } else { msg::questions_list(questions.len()) };
    let screen = questions.iter().take(LISTED).fold(Screen::say(text), |screen, question| {
        screen.button(Node::Text(shorten(&format!("{}: {}", question.by_name, question.text))), Action::Question(question.id))
    });
    turn.show(screen.row([(msg::button_menu().into(), Action::Menu.into())]));
}

/// A label that fits a button on a phone.
pub(crate) fn shorten(text: &str) -> String {
    const MOST: usize = 40;
    let text = &text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= MOST { text.to_owned() } else { text.chars().take(MOST - 1).chain(['…']).collect() }
}
