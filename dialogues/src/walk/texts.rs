//! Pieces of a walk's texts: answers, readings, warnings.

use fitter_domain::msg;
use fitter_domain::procedure::{CheckKind, Severity, Warning};
use fitter_domain::rich::{Node, Rich};
use fitter_domain::run::Answer;

pub(super) fn answer_text(answer: &Answer, kind: &CheckKind) -> Rich {
    match answer {
        Answer::Confirmed => Rich::from(msg::answer_confirmed()),
        Answer::Text { text } | Answer::Choice { label: text } => Rich::text(text.as_str()),
        Answer::Number { value, reason } => {
            let unit = if let CheckKind::Number { unit, .. } = kind { unit.as_str() } else { "" };
            let text = Rich::text(reading(*value, unit));
            match reason {
                Some(reason) => text.push(format!(" ({reason})")),
                None => text,
            }
        }
        Answer::Photos { files } => Rich::from(msg::answer_photos(files.len())),
    }
}

pub(super) fn warning_text(warning: &Warning) -> Rich {
    let mark = match warning.severity {
        Severity::Warning => "⚠️ ",
        Severity::Danger => "⛔ ",
    };
    let mut quote = Rich::text(mark);
    if !warning.title.is_empty() {
        quote = quote.bold(warning.title.as_str());
        if !warning.body.is_empty() {
            quote = quote.line();
        }
    }
    Rich::new().push(Node::Quote { expandable: false, body: quote.append(warning.body.clone()) })
}

/// A question before its answer: `Напряжение: `, but `Место сухое? `.
pub(super) fn asked(question: &str) -> String {
    let mark = if question.trim_end().ends_with('?') { "" } else { ":" };
    format!("{}{mark} ", question.trim_end())
}

/// Warnings before the start.
pub(crate) fn warnings(warnings: &[Warning]) -> Rich {
    warnings.iter().fold(Rich::new(), |text, warning| text.gap().append(warning_text(warning)))
}

pub(super) fn reading(value: f64, unit: &str) -> String {
    if unit.is_empty() { decimal(value) } else { format!("{}\u{a0}{unit}", decimal(value)) }
}

/// `12.4` as it is written here: `12,4`.
fn decimal(value: f64) -> String {
    format!("{value}").replace('.', ",")
}

pub(super) fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most { text.to_owned() } else { text.chars().take(most - 1).chain(['…']).collect() }
}

/// The readings that a checkpoint wants, in brackets.
pub(super) fn range(unit: &str, min: Option<f64>, max: Option<f64>) -> Rich {
    let unit = if unit.is_empty() { String::new() } else { format!("\u{a0}{unit}") };
    match (min, max) {
        (Some(min), Some(max)) => Rich::text(format!(" ({}\u{a0}–\u{a0}{}{unit})", decimal(min), decimal(max))),
        (Some(min), None) => Rich::text(format!(" (≥ {}{unit})", decimal(min))),
        (None, Some(max)) => Rich::text(format!(" (≤ {}{unit})", decimal(max))),
        (None, None) => Rich::text(unit.replacen('\u{a0}', ", ", 1)),
    }
}
