//! What search returns.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::rich::{Node, Rich};

/// A passage of a note that may answer a question.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Passage {
    /// Path of the note inside the vault, with `/` and extension.
    pub note: String,
    /// Title of the note.
    pub title: String,
    /// Headings from the outermost to the passage's own; empty before the first heading.
    pub headings: Vec<String>,
    /// First line in the note's file, from 1.
    pub start_line: u32,
    /// Last line, inclusive.
    pub end_line: u32,
    /// Fused score, 0 to 1 within one result list; not comparable between lists.
    pub score: f32,
    /// The passage as text for people.
    pub body: Rich,
    /// SHA-256 (hex) of the pictures in the passage.
    pub images: Vec<String>,
    /// Path of the note again if it is a procedure that can be walked through.
    pub procedure: Option<String>,
    /// The part of the body that answers the question, without warnings; none if that is all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Rich>,
    /// The note answers by its keywords, so this comes before what was searched.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fixed: bool,
    /// When the note was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<DateTime<Utc>>,
    /// Who changed it, as they call themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
}

/// A second passage is shown with the first one if its score is at least this share of the first one's.
const NEARLY_AS_GOOD: f32 = 0.9;

/// Two procedures whose scores differ by at most this share fit equally well.
const TIE: f32 = 0.02;

/// Whether the two best passages are from different procedures that fit equally well, so that only the asker knows which is meant.
#[must_use]
pub fn tie(hits: &[Passage]) -> bool {
    let [first, second, ..] = hits else { return false };
    let procedures = first.procedure.is_some() && second.procedure.is_some() && first.note != second.note;
    procedures && !first.fixed && second.score >= (1.0 - TIE) * first.score
}

/// The passages of an answer's first message: the best one, and the second one if it is nearly as good.
pub fn first_message(hits: &[Passage]) -> impl Iterator<Item = &Passage> {
    let first = hits.first();
    let second = first.zip(hits.get(1)).filter(|(first, second)| {
        let other = first.note != second.note || first.headings != second.headings;
        other && !first.fixed && second.score >= NEARLY_AS_GOOD * first.score
    });
    first.into_iter().chain(second.map(|(_, second)| second))
}

/// Signs that a warning's quotation begins with: a warning, a danger.
pub const WARNING_SIGNS: [&str; 2] = ["⚠️", "⛔"];

impl Passage {
    /// The body without its warnings, and the warnings by themselves: they must be seen even where the rest is collapsed.
    #[must_use]
    pub fn parts(&self) -> (Rich, Vec<Rich>) {
        let (mut rest, mut warnings): (Vec<Node>, Vec<Rich>) = (Vec::new(), Vec::new());
        for node in &self.body.0 {
            match node {
                Node::Quote { body, .. } if WARNING_SIGNS.iter().any(|sign| body.plain().starts_with(sign)) => {
                    warnings.push(body.clone());
                    if let Some(Node::Text(before)) = rest.last_mut() {
                        before.truncate(before.trim_end().len());
                    }
                }
                Node::Text(text) if rest.is_empty() => rest.push(Node::Text(text.trim_start().to_owned())),
                node => rest.push(node.clone()),
            }
        }
        rest.retain(|node| !matches!(node, Node::Text(text) if text.is_empty()));
        (Rich(rest), warnings)
    }

    /// What is shown of it at first: the part that answers, and its warnings.
    #[must_use]
    pub fn shown(&self) -> (Rich, Vec<Rich>) {
        let (text, warnings) = self.parts();
        (self.span.clone().unwrap_or(text), warnings)
    }

    /// `note › heading`, the innermost heading only.
    #[must_use]
    pub fn source(&self) -> String {
        match self.headings.last() {
            Some(heading) if *heading != self.title => format!("{} › {heading}", self.title),
            _ => self.title.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_stand_by_themselves() {
        let quote = |text: &str| Node::Quote { expandable: false, body: Rich::new().bold(text).push("\nтекст") };
        let body = Rich::text("До.\n\n")
            .push(quote("⛔ Пожар"))
            .push("\n\nПосле.\n\n")
            .push(quote("ℹ️ К слову"))
            .push("\n\n")
            .push(quote("⚠️ Ток"));
        let passage = Passage { body, ..Passage::default() };
        let (rest, warnings) = passage.parts();
        assert_eq!(rest.plain(), "До.\n\nПосле.\n\nℹ️ К слову\nтекст");
        assert_eq!(warnings.iter().map(Rich::plain).collect::<Vec<_>>(), ["⛔ Пожар\nтекст", "⚠️ Ток\nтекст"]);
    }
    #[test]
    fn a_second_passage_is_shown_only_if_it_is_nearly_as_good() {
        let hit = |heading: &str, score| Passage { headings: vec![heading.into()], score, ..Passage::default() };
        let shown = |hits: &[Passage]| first_message(hits).count();
        assert_eq!(shown(&[]), 0);
        assert_eq!(shown(&[hit("А", 1.0)]), 1);
        assert_eq!(shown(&[hit("А", 1.0), hit("Б", 0.95), hit("В", 0.95)]), 2);
        assert_eq!(shown(&[hit("А", 1.0), hit("Б", 0.5)]), 1);
        assert_eq!(shown(&[hit("А", 1.0), hit("А", 1.0)]), 1, "a piece of the same section");
        assert_eq!(shown(&[Passage { fixed: true, ..hit("А", 1.0) }, hit("Б", 1.0)]), 1);
    }

    #[test]
    fn two_procedures_that_fit_equally_well_are_a_tie() {
        let hit = |note: &str, score| Passage { note: note.into(), procedure: Some(note.into()), score, ..Passage::default() };
        assert!(tie(&[hit("А", 0.9), hit("Б", 0.89)]));
        assert!(!tie(&[hit("А", 0.9), hit("Б", 0.8)]), "one is better");
        assert!(!tie(&[hit("А", 0.9), hit("А", 0.9)]), "one procedure");
        assert!(!tie(&[hit("А", 0.9), Passage { procedure: None, ..hit("Б", 0.9) }]), "a note explains");
        assert!(!tie(&[hit("А", 0.9)]));
    }

    #[test]
    fn what_is_shown_is_the_part_that_answers_with_the_warnings() {
        let warning = Node::Quote { expandable: false, body: Rich::text("⚠️ Ток") };
        let passage =
            Passage { body: Rich::text("Много слов.").push(warning), span: Some(Rich::text("слов")), ..Passage::default() };
        let (text, warnings) = passage.shown();
        assert_eq!((text.plain().as_str(), warnings.len()), ("слов", 1));
        let whole = Passage { span: None, ..passage };
        assert_eq!(whole.shown().0.plain(), "Много слов.");
    }
}
