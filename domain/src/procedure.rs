//! A note that can be walked through: steps with checkpoints. The grammar of the note is docs/vault.md.

use serde::{Deserialize, Serialize};

use crate::locale::Locale;
use crate::rich::Rich;

/// A procedure, one version of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Procedure {
    /// Path of the note inside the vault.
    pub note: String,
    /// Its title.
    pub title: String,
    /// Its language.
    pub locale: Locale,
    /// Planned minutes.
    pub duration: Option<u32>,
    /// What to know before the start.
    pub intro: Rich,
    /// Warnings before the start.
    pub warnings: Vec<Warning>,
    /// The steps in order; never empty.
    pub steps: Vec<Step>,
}

impl Procedure {
    /// How many steps are shown before anything is answered.
    #[must_use]
    pub fn size(&self) -> usize {
        self.steps.iter().filter(|step| step.when.as_ref().is_none_or(|when| when.negated)).count()
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something may break.
    Warning,
    /// Somebody may get hurt.
    Danger,
}

/// A warning that travels with its step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Warning {
    /// How bad it is.
    pub severity: Severity,
    /// Its title; may be empty.
    pub title: String,
    /// Its text; may be empty.
    pub body: Rich,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Its name, unique in the procedure: `^name` of the note, else `s1`, `s2`, …
    pub id: String,
    /// Heading that it stands under.
    pub section: Option<String>,
    /// What to do, short.
    pub title: String,
    /// How to do it.
    pub body: Rich,
    /// Warnings that belong to it.
    pub warnings: Vec<Warning>,
    /// Figures.
    pub figures: Vec<Figure>,
    /// Checkpoints, asked in order; none means "press done".
    pub checks: Vec<Check>,
    /// It can be skipped.
    pub optional: bool,
    /// It can be done again: at least `.0`, at most `.1` times.
    pub repeat: Option<(u32, u32)>,
    /// Seconds to wait.
    pub timer: Option<u32>,
    /// Shown only if this holds.
    pub when: Option<Condition>,
    /// Line of the note's file, from 1.
    pub line: u32,
}

/// A picture of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    /// SHA-256 (hex) of the picture's bytes in the file store.
    pub blob: String,
    /// What it shows; may be empty.
    pub caption: String,
}

/// An answer given before that decides whether a step is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// The step with the choice.
    pub step: String,
    /// One of these answers.
    pub answers: Vec<String>,
    /// Or rather none of them.
    pub negated: bool,
}

/// A checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// What is asked.
    pub question: String,
    /// Help, shown on demand; may be empty.
    pub hint: String,
    /// What kind of answer.
    #[serde(flatten)]
    pub kind: CheckKind,
}

/// What kind of evidence a checkpoint wants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum CheckKind {
    /// A press of a button.
    Confirm,
    /// Words.
    Text {
        /// Regular expression that the whole answer must match.
        pattern: Option<String>,
        /// An example of a right answer.
        example: Option<String>,
    },
    /// A reading.
    Number {
        /// Unit, may be empty.
        unit: String,
        /// Smallest good value.
        min: Option<f64>,
        /// Largest good value.
        max: Option<f64>,
    },
    /// One of several answers.
    Choice {
        /// The answers; 1 to 8.
        options: Vec<ChoiceOption>,
    },
    /// Photos.
    Photo {
        /// At least so many, 1 or more.
        min: u32,
        /// At most so many.
        max: u32,
    },
}

/// An answer to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChoiceOption {
    /// Its label.
    pub label: String,
    /// Choosing it offers to report a problem.
    pub fault: bool,
}

/// A procedure in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcedureSummary {
    /// The newest version.
    pub id: crate::ids::ProcedureId,
    /// Its title.
    pub title: String,
    /// Its language.
    pub locale: Locale,
    /// How many steps it has.
    pub steps: u32,
    /// Planned minutes.
    pub duration: Option<u32>,
}
