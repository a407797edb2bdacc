//! Questions: to the notes first, to a human when they do not help.

use chrono::{DateTime, Utc};
use fitter_domain::ids::{PersonId, ProcedureId, QueryId, QuestionId};
use fitter_domain::msg;
use fitter_domain::passage::{Passage, first_message, tie};
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
    let within = turn.ctx.run.filter(|_| matches!(turn.state, State::Running { .. })).map(|run| run.procedure.title.clone());
    turn.run(Command::Search { text: text.to_owned(), within });
}

pub(crate) fn answer_slot(query: QueryId) -> Slot {
    Slot::new(format!("answer:{query}"))
}

/// Nothing answers the question: what comes nearest, and a human.
pub(crate) fn not_found(turn: &mut Turn<'_>, query: QueryId, text: &str, nearest: &[Passage]) {
    let screen = Screen::say(msg::not_found(text.chars().take(200).collect::<String>())).primary(msg::button_human(), Action::Human(query));
    let screen = chips_of(&[], nearest)
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
    if let Some(answer) = written::answer(hits, written) {
        return wrote(turn, query, answer, procedure);
    }
    if tie(hits) {
        return which(turn, query, hits);
    }
    let walking = matches!(turn.state, State::Running { .. });
    let shown: Vec<&Passage> = first_message(hits).collect();
    let (screen, steps) = with_steps(turn, written::noted(passages(&shown), written), procedure);
    let screen = screen.button(msg::button_whole_section(), Action::Section(query, 0, None));
    // At most three big buttons: the section, the steps, and in a walk the way back to its step are among them.
    let chips = CHIPS.saturating_sub(usize::from(steps) + usize::from(walking));
    let screen = chips_of(&shown, hits)
        .take(chips)
        .fold(screen, |screen, (place, label)| screen.button(msg::chip(label), Action::Hit(query, place)));
    // What is shown beside the first one need not be shown again.
    let last = u32::try_from(shown.len()).unwrap_or(1).saturating_sub(1);
    let screen = with_opinion(turn, screen, query, Some(0), last);
    turn.say_as(answer_slot(query), screen);
}

/// What a language model wrote. From there "Not it" leads to the best passage, word for word.
fn wrote(turn: &mut Turn<'_>, query: QueryId, answer: written::Answer, procedure: Option<&(ProcedureId, String)>) {
    let walking = matches!(turn.state, State::Running { .. });
    let (screen, steps) = with_steps(turn, answer.screen, procedure);
    let chips = if walking && steps { CHIPS - 1 } else { CHIPS };
    let cited = answer.cited.into_iter().take(chips);
    let screen = cited.fold(screen, |screen, (place, label)| screen.button(msg::chip(label), Action::Hit(query, place)));
    let screen = screen
        .row([(msg::button_not_it().into(), Action::Hit(query, 0).into()), (msg::button_human().into(), Action::Human(query).into())]);
    let screen = if walking { turn.with_way_on(screen) } else { screen };
    turn.say_as(answer_slot(query), screen);
}

/// Two procedures fit equally well: the person says which one is meant.
fn which(turn: &mut Turn<'_>, query: QueryId, hits: &[Passage]) {
    let screen = (0..).zip(hits.iter().take(2)).fold(Screen::say(msg::which_procedure()), |screen, (place, hit)| {
        screen.button(msg::chip(shorten(&hit.title)), Action::Hit(query, place))
    });
    let screen = with_opinion(turn, screen, query, None, 1);
    turn.say_as(answer_slot(query), screen);
}

/// Adds the way into the procedure that answers, unless its walk is under way; whether there is one.
fn with_steps(turn: &Turn<'_>, screen: Screen, procedure: Option<&(ProcedureId, String)>) -> (Screen, bool) {
    let walking = matches!(turn.state, State::Running { .. });
    let under_way = |title: &str| walking && turn.ctx.run.is_some_and(|run| run.procedure.title == title);
    let steps = procedure.filter(|(_, title)| may(turn.ctx.person.role, Verb::Create, Object::Run { own: true }) && !under_way(title));
    match steps {
        Some((id, title)) => (screen.primary(msg::button_start_steps(shorten(title)), Action::Procedure { id: *id, job: None }), true),
        None => (screen, false),
    }
}

/// Places and labels of hits beside those that are shown. Within the same note the heading is enough, and no label stands twice: "Not it" leads
/// to the hits that are left out.
fn chips_of<'h>(shown: &[&'h Passage], hits: &'h [Passage]) -> impl Iterator<Item = (u32, String)> + 'h {
    let first = shown.first().copied();
    let label = move |hit: &Passage| {
        shorten(&match hit.headings.last() {
            Some(heading) if first.is_some_and(|first| first.note == hit.note) => heading.clone(),
            _ => hit.source(),
        })
    };
    let mut seen: Vec<String> = shown.iter().flat_map(|shown| [shorten(&shown.source()), label(shown)]).collect();
    (0..).zip(hits).skip(shown.len()).filter_map(move |(place, hit)| {
        let label = label(hit);
        let new = !seen.contains(&label);
        seen.push(label.clone());
        new.then_some((place, label))
    })
}

/// "Not it" leads to the next hit and, after the last one, to a human: never straight to a human, who is asked on purpose only.
fn with_opinion(turn: &Turn<'_>, screen: Screen, query: QueryId, good: Option<u32>, last: u32) -> Screen {
    let good = good.map(|place| (msg::button_good().into(), Action::Good(query, place).into()));
    let not_it = (msg::button_not_it().into(), Action::NotIt(query, last).into());
    let human = (msg::button_human().into(), Action::Human(query).into());
    let screen = screen.row(good.into_iter().chain([not_it, human]));
    if matches!(turn.state, State::Running { .. }) { turn.with_way_on(screen) } else { screen }
}

/// Passages, quoted, each with its source and its age.
fn passages(shown: &[&Passage]) -> Screen {
    let body = shown.iter().fold(Rich::new(), |body, hit| {
        let body = body.gap().push("📄 ").bold(hit.source()).line().append(quoted(hit));
        match (hit.changed, &hit.author) {
            (Some(at), Some(author)) => body.line().push(Node::Italic(msg::answer_changed_by(author.as_str(), date(at)).into())),
            (Some(at), None) => body.line().push(Node::Italic(msg::answer_changed(date(at)).into())),
            (None, _) => body,
        }
    });
    let picture = shown.first().and_then(|hit| hit.images.first());
    Screen { media: picture.cloned().map(Media::Blob).into_iter().collect(), ..Screen::of(body) }
}

fn date(at: DateTime<Utc>) -> String {
    at.format("%d.%m.%Y").to_string()
}

/// The passage as quotations: a long text is collapsed at first, its warnings never are.
fn quoted(hit: &Passage) -> Rich {
    let (text, warnings) = hit.shown();
    let long = flatten(&text).text.chars().count() > COLLAPSED_FROM;
    let quotes = [(long, text)].into_iter().chain(warnings.into_iter().map(|warning| (false, warning)));
    quotes.filter(|(_, body)| !body.is_empty()).fold(Rich::new(), |all, (expandable, body)| {
        let all = if all.is_empty() { all } else { all.line() };
        all.push(Node::Quote { expandable, body })
    })
}

/// Another hit of the same search.
pub(crate) fn hit(
    turn: &mut Turn<'_>,
    query: QueryId,
    index: u32,
    of: u32,
    hit: Option<&Passage>,
    procedure: Option<&(ProcedureId, String)>,
) {
    let first = |screen: Screen| if index > 0 { screen.button(msg::button_first_answer(), Action::Hit(query, 0)) } else { screen };
    let screen = match hit {
        Some(hit) => {
            let (screen, _) = with_steps(turn, passages(&[hit]), procedure);
            let whole = (msg::button_whole_section().into(), Action::Section(query, index, None).into());
            let back = (msg::button_first_answer().into(), Action::Hit(query, 0).into());
            let screen = screen.row(std::iter::once(whole).chain((index > 0).then_some(back)));
            with_opinion(turn, screen, query, Some(index), index)
        }
        // All of them were shown.
        None if of > 0 => {
            let screen = Screen::say(msg::not_found_more()).primary(msg::button_human(), Action::Human(query));
            turn.with_way_on(first(screen))
        }
        None => return forgotten(turn),
    };
    turn.push(Effect::Edit { slot: answer_slot(query), screen });
}

/// The search is forgotten: what was pressed is too old.
fn forgotten(turn: &mut Turn<'_>) {
    turn.toast(msg::button_stale());
    if matches!(turn.state, State::Running { .. }) {
        crate::walk::show_again(turn)
    } else {
        turn.home();
    }
}

/// Where a section was opened from, and which one it is.
pub(crate) struct Opened {
    pub query: QueryId,
    pub index: u32,
    pub section: u32,
}

/// A whole section, with the ways to its neighbours and back to the answer.
pub(crate) fn section(turn: &mut Turn<'_>, opened: &Opened, passage: &Passage, before: Option<&str>, after: Option<&str>) {
    let Opened { query, index, section } = *opened;
    let to = |section: u32| Action::Section(query, index, Some(section)).into();
    let before = before.zip(section.checked_sub(1)).map(|(heading, at)| (msg::section_before(shorten(heading)).into(), to(at)));
    let after = after.map(|heading| (msg::section_after(shorten(heading)).into(), to(section.saturating_add(1))));
    let screen = passages(&[passage]).row(before.into_iter().chain(after)).button(msg::button_to_answer(), Action::Hit(query, index));
    let screen = with_opinion(turn, screen, query, Some(index), index);
    turn.push(Effect::Edit { slot: answer_slot(query), screen });
}

/// It was what was asked for. Pressed twice, it is thanked for twice.
pub(crate) fn good(turn: &mut Turn<'_>, query: QueryId, index: u32) {
    turn.run(Command::Judge { query, index, good: true }).toast(msg::thanks_for_opinion());
}

/// It was not: the next one is shown.
pub(crate) fn not_it(turn: &mut Turn<'_>, query: QueryId, index: u32) {
    turn.run(Command::Judge { query, index, good: false }).run(Command::OpenHit { query, index: index.saturating_add(1) });
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

/// Somebody had answered before.
pub(crate) fn already_answered(turn: &mut Turn<'_>, question: &Question) {
    leave_answering(turn);
    let answer = question.answer.as_deref().unwrap_or_default();
    let screen = turn.with_way_on(Screen::of(Rich::from(msg::already_answered()).line().push(quote(answer))));
    turn.push(Effect::Say { slot: None, screen });
}

/// A question was answered: the asker and whoever asked the same are told, the manager thanked.
pub(crate) fn answered(turn: &mut Turn<'_>, question: &Question, others: &[(PersonId, String)], savable: bool) {
    leave_answering(turn);
    let answer = question.answer.as_deref().unwrap_or_default();
    let askers = std::iter::once((question.by, question.text.as_str())).chain(others.iter().map(|(person, text)| (*person, text.as_str())));
    for (person, text) in askers {
        let body = Rich::new().bold(Rich::new().push(msg::human_answered(turn.ctx.person.name.as_str())));
        turn.tell(Addressee::Person(person), None, Screen::of(body.line().push(quote(text)).line().push(answer)));
    }
    turn.push(Effect::Retire { slot: question_slot(question.id) });
    let sent = match others.len() {
        0 => msg::answer_sent(question.by_name.as_str()),
        more => msg::answer_sent_to(more + 1),
    };
    let screen = Screen::say(sent);
    let screen = if savable { screen.button(msg::button_save_note(), Action::SaveNote(question.id)) } else { screen };
    let screen = turn.with_way_on(screen);
    turn.push(Effect::Say { slot: None, screen });
}

/// The answer became a note, or could not.
pub(crate) fn drafted(turn: &mut Turn<'_>, path: Option<&str>) {
    turn.say_on(path.map_or_else(msg::draft_failed, msg::draft_saved));
}

fn quote(text: &str) -> Node {
    Node::Quote { expandable: false, body: Rich::text(text) }
}

fn leave_answering(turn: &mut Turn<'_>) {
    if matches!(turn.state, State::Answering { .. }) {
        turn.go(State::Home);
    }
}

/// Unanswered questions.
pub(crate) fn listed(turn: &mut Turn<'_>, questions: &[Question]) {
    let text = if questions.is_empty() { msg::questions_none() } else { msg::questions_list(questions.len()) };
    let screen = questions.iter().take(LISTED).fold(Screen::say(text), |screen, question| {
        screen.button(Node::Text(shorten(&format!("{}: {}", question.by_name, question.text))), Action::Question(question.id))
    });
    turn.show(screen.row([(msg::button_gaps().into(), Action::Gaps.into()), (msg::button_menu().into(), Action::Menu.into())]));
}

/// A label that fits a button on a phone.
pub(crate) fn shorten(text: &str) -> String {
    const MOST: usize = 40;
    let text = &text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= MOST { text.to_owned() } else { text.chars().take(MOST - 1).chain(['…']).collect() }
}
