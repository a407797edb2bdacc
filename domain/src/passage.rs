//! What search returns.

use serde::{Deserialize, Serialize};

use crate::rich::Rich;

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

impl Passage {
    /// `note › heading`, the innermost heading only.
    #[must_use]
    pub fn source(&self) -> String {
        match self.headings.last() {
            Some(heading) if *heading != self.title => format!("{} › {heading}", self.title),
            _ => self.title.clone(),
        }
    }
}
