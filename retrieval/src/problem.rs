//! What is wrong in a vault, by file and line.

use serde::Serialize;

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Legal, but perhaps not meant: a link to a note that does not exist yet.
    Info,
    /// Something is left out or read otherwise than meant.
    Warning,
    /// The note cannot be used as what it says it is.
    Error,
}

/// A problem of a note, for its editors. Shown as `path:line: what`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Path of the file inside the vault, with `/`.
    pub path: String,
    /// Line of the file, from 1; 1 when it is about the whole file.
    pub line: u32,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong and what to do, in English.
    pub what: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// Collects the problems of one note.
#[derive(Debug)]
pub(crate) struct Problems {
    path: String,
    pub(crate) list: Vec<Problem>,
}

impl Problems {
    pub(crate) fn new(path: &str) -> Self {
        Self { path: path.to_owned(), list: Vec::new() }
    }

    pub(crate) fn add(&mut self, severity: Severity, line: u32, what: impl Into<String>) {
        self.list.push(Problem { path: self.path.clone(), line: line.max(1), severity, what: what.into() });
    }

    pub(crate) fn info(&mut self, line: u32, what: impl Into<String>) {
        self.add(Severity::Info, line, what);
    }

    pub(crate) fn warning(&mut self, line: u32, what: impl Into<String>) {
        self.add(Severity::Warning, line, what);
    }

    pub(crate) fn error(&mut self, line: u32, what: impl Into<String>) {
        self.add(Severity::Error, line, what);
    }

    /// By line, each once.
    pub(crate) fn finish(mut self) -> Vec<Problem> {
        self.list.sort_by_key(|problem| problem.line);
        self.list.dedup();
        self.list
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.list.iter().any(|problem| problem.severity == Severity::Error)
    }
}
