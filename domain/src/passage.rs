//! What search returns.

use serde::{Deserialize, Serialize};

use crate::rich::{Node, Rich};

/// A passage of a note that may answer a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
        let passage = Passage {
            note: String::new(),
            title: String::new(),
            headings: Vec::new(),
            start_line: 1,
            end_line: 1,
            score: 1.0,
            body,
            images: Vec::new(),
            procedure: None,
        };
        let (rest, warnings) = passage.parts();
        assert_eq!(rest.plain(), "До.\n\nПосле.\n\nℹ️ К слову\nтекст");
        assert_eq!(warnings.iter().map(Rich::plain).collect::<Vec<_>>(), ["⛔ Пожар\nтекст", "⚠️ Ток\nтекст"]);
    }
}
