//! What the first message answers: right, wrong, refused rightly, refused wrongly.

use std::collections::BTreeMap;

use fitter_domain::passage::{Passage, first_message, tie};
use fitter_domain::rich::Rich;
use serde::Serialize;

use super::{Candidate, Query};
use crate::index::IndexError;
use crate::local::LocalSearch;
use crate::search::Filter;

/// Hits that a person can leaf through.
const HITS: usize = 5;

/// What came of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The first message says what it has to.
    AnsweredRight,
    /// Something else was answered, or a question that the notes do not answer.
    AnsweredWrong,
    /// The notes do not answer it, and nothing was answered.
    RefusedRight,
    /// The notes answer it, and nothing was answered.
    RefusedWrong,
}

/// Sums.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// See [`Verdict::AnsweredRight`].
    pub answered_right: u32,
    /// See [`Verdict::AnsweredWrong`]; of these, questions that the notes do not answer are in `unanswerable` beside `refused_right`.
    pub answered_wrong: u32,
    /// See [`Verdict::RefusedRight`].
    pub refused_right: u32,
    /// See [`Verdict::RefusedWrong`].
    pub refused_wrong: u32,
    /// Questions that the notes answer.
    pub answerable: u32,
    /// Questions that they do not answer.
    pub unanswerable: u32,
}

impl Counts {
    fn add(&mut self, answerable: bool, verdict: Verdict) {
        *match verdict {
            Verdict::AnsweredRight => &mut self.answered_right,
            Verdict::AnsweredWrong => &mut self.answered_wrong,
            Verdict::RefusedRight => &mut self.refused_right,
            Verdict::RefusedWrong => &mut self.refused_wrong,
        } += 1;
        *if answerable { &mut self.answerable } else { &mut self.unanswerable } += 1;
    }
}

/// What came of all questions.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// Of all.
    pub all: Counts,
    /// By kind of question.
    pub categories: BTreeMap<String, Counts>,
    /// Characters of the first messages, on average.
    pub characters: u32,
}

/// What the passages of a first message come to; none for a refusal.
#[must_use]
pub fn verdict(query: &Query, shown: &[Passage]) -> Verdict {
    match (query.answerable, shown.is_empty()) {
        (true, true) => Verdict::RefusedWrong,
        (false, true) => Verdict::RefusedRight,
        (true, false) if is_right(query, shown) => Verdict::AnsweredRight,
        _ => Verdict::AnsweredWrong,
    }
}

/// The message has to say every fact; where none is known, it has to come from the right place.
fn is_right(query: &Query, shown: &[Passage]) -> bool {
    if query.must_contain.is_empty() {
        let candidate = |it: &Passage| {
            query
                .gold
                .iter()
                .any(|gold| gold.is(&Candidate { note: &it.note, headings: &it.headings, lines: (it.start_line, it.end_line) }))
        };
        return shown.iter().any(candidate);
    }
    let message = normal(&shown.iter().map(text_of).collect::<Vec<_>>().join("\n"));
    query.must_contain.iter().all(|fact| message.contains(&normal(fact)))
}

/// What the first message shows: passages, or only the names of two procedures to choose from.
fn shown(hits: &[Passage]) -> Vec<Passage> {
    if tie(hits) {
        let name = |hit: &Passage| Passage { body: Rich::new(), span: None, ..hit.clone() };
        return hits.iter().take(2).map(name).collect();
    }
    first_message(hits).cloned().collect()
}

/// What a reader sees of a passage.
fn text_of(passage: &Passage) -> String {
    let (text, warnings) = passage.shown();
    std::iter::once(passage.source()).chain([text.plain()]).chain(warnings.iter().map(|it| it.plain())).collect::<Vec<_>>().join("\n")
}

/// Lower case, one space for any white space.
fn normal(text: &str) -> String {
    text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Asks every question as a member of the staff does; `each` hears what came of it.
///
/// # Errors
/// [`IndexError`].
pub fn evaluate(search: &LocalSearch, queries: &[Query], mut each: impl FnMut(&Query, Verdict, &[Passage])) -> Result<Report, IndexError> {
    let mut report = Report::default();
    let (mut messages, mut characters) = (0, 0);
    for query in queries {
        let answered = search.answer(&query.text, &Filter { prefer: query.lang, ..Filter::staff(HITS) })?;
        let shown = shown(&answered);
        let verdict = verdict(query, &shown);
        if !shown.is_empty() {
            messages += 1;
            characters += shown.iter().map(|passage| text_of(passage).chars().count()).sum::<usize>();
        }
        report.all.add(query.answerable, verdict);
        report.categories.entry(query.category.clone().unwrap_or_default()).or_default().add(query.answerable, verdict);
        each(query, verdict, &shown);
    }
    report.characters = u32::try_from(characters / messages.max(1)).unwrap_or(u32::MAX);
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::super::Gold;
    use super::*;

    fn query(must_contain: &[&str], gold: Vec<Gold>, answerable: bool) -> Query {
        let must_contain = must_contain.iter().map(|&fact| fact.to_owned()).collect();
        Query { id: String::new(), text: String::new(), category: None, lang: None, answerable, must_contain, gold }
    }

    fn passage(body: &str) -> Passage {
        Passage { note: "а.md".into(), start_line: 5, end_line: 9, body: Rich::text(body), ..Passage::default() }
    }

    #[test]
    fn verdicts() {
        let asked = query(&["3 А"], Vec::new(), true);
        assert_eq!(verdict(&asked, &[passage("Плавкий,  3\nа.")]), Verdict::AnsweredRight);
        assert_eq!(verdict(&asked, &[passage("Плавкий, 5 А.")]), Verdict::AnsweredWrong);
        assert_eq!(verdict(&asked, &[]), Verdict::RefusedWrong);
        let unanswerable = query(&[], Vec::new(), false);
        assert_eq!(verdict(&unanswerable, &[]), Verdict::RefusedRight);
        assert_eq!(verdict(&unanswerable, &[passage("3 А")]), Verdict::AnsweredWrong);
    }

    #[test]
    fn only_what_is_shown_counts() {
        let part = Passage { span: Some(Rich::text("другое")), ..passage("Плавкий, 3 А.") };
        assert_eq!(verdict(&query(&["3 А"], Vec::new(), true), &[part]), Verdict::AnsweredWrong);
    }

    #[test]
    fn to_ask_back_is_no_answer() {
        let procedure =
            |note: &str| Passage { note: note.into(), procedure: Some(note.into()), score: 1.0, ..passage("Плавкий, 3 А.") };
        let shown = shown(&[procedure("а.md"), procedure("б.md")]);
        assert_eq!(verdict(&query(&["3 А"], Vec::new(), true), &shown), Verdict::AnsweredWrong);
    }

    #[test]
    fn without_a_fact_the_place_counts() {
        let at = |start| query(&[], vec![Gold::Lines { doc: "vault/а.md".into(), start, end: start + 1 }], true);
        assert_eq!(verdict(&at(9), &[passage("")]), Verdict::AnsweredRight);
        assert_eq!(verdict(&at(10), &[passage("")]), Verdict::AnsweredWrong);
    }

    #[test]
    fn sums() {
        let mut counts = Counts::default();
        counts.add(true, Verdict::AnsweredRight);
        counts.add(false, Verdict::AnsweredWrong);
        assert_eq!((counts.answerable, counts.unanswerable, counts.answered_right, counts.answered_wrong), (1, 1, 1, 1));
    }
}
