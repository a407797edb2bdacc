//! Checkpoints: `> [!check] kind: question`.

use fitter_domain::procedure::{Check, CheckKind, ChoiceOption};
use regex::Regex;

use super::fields::range;
use crate::markdown::{Callout, plain};
use crate::problem::Problems;

/// Most answers of a choice.
const OPTION_LIMIT: usize = 8;
/// Most photos of one checkpoint: an album of Telegram holds ten.
const PHOTO_LIMIT: u32 = 10;
const KINDS: &str = "confirm, text, number, choice or photo";

/// What the body of a checkpoint says.
#[derive(Default)]
struct Body {
    values: Vec<(String, String, u32)>,
    options: Vec<(ChoiceOption, u32)>,
}

impl Body {
    fn read(callout: &Callout, first_line: u32, problems: &mut Problems) -> Self {
        let mut body = Self::default();
        for (line, text) in (first_line + 1..).zip(&callout.raw) {
            let text = text.trim().trim_start_matches('>').trim();
            let option = ["- ", "* ", "+ "].iter().find_map(|bullet| text.strip_prefix(bullet));
            if let Some(label) = option {
                body.options.push((answer(label), line));
            } else if let Some((key, value)) = text.split_once(':').filter(|(key, _)| key.chars().all(char::is_alphabetic)) {
                body.values.push((key.trim().to_lowercase(), value.trim().to_owned(), line));
            } else if !text.is_empty() {
                problems.error(line, format!("`{text}` is neither `key: value` nor an answer `- …`"));
            }
        }
        body
    }

    fn take(&mut self, key: &str) -> Option<(String, u32)> {
        let at = self.values.iter().position(|(known, ..)| known == key)?;
        let (_, value, line) = self.values.remove(at);
        (!value.is_empty()).then_some((value, line))
    }

    fn number(&mut self, key: &str, problems: &mut Problems) -> Option<f64> {
        let (value, line) = self.take(key)?;
        let number = value.replace(',', ".").replace('−', "-").parse::<f64>().ok().filter(|number| number.is_finite());
        if number.is_none() {
            problems.error(line, format!("`{key}: {value}` is not a number"));
        }
        number
    }
}

/// `label (fault)` or `[ ] label`, without emphasis.
fn answer(text: &str) -> ChoiceOption {
    let text = text.trim();
    let text = text.strip_prefix("[ ]").unwrap_or(text).trim();
    let lower = text.to_lowercase();
    let fault = lower.ends_with("(fault)");
    let label = if fault { text.get(..text.len().saturating_sub("(fault)".len())).unwrap_or(text).trim() } else { text };
    ChoiceOption { label: label.replace("**", "").replace('`', ""), fault }
}

/// Reads a checkpoint; `None` after an error.
pub(super) fn read(callout: &Callout, line: u32, problems: &mut Problems) -> Option<Check> {
    let title = plain(&callout.title);
    let (kind, question) = title.split_once(':').map_or((title.as_str(), ""), |(kind, question)| (kind, question.trim()));
    let mut body = Body::read(callout, line, problems);
    let hint = body.take("hint").map(|(hint, _)| hint).unwrap_or_default();
    let kind = match kind.trim().to_lowercase().as_str() {
        "confirm" => CheckKind::Confirm,
        "text" => text(&mut body, problems),
        "number" => number(&mut body, line, problems),
        "choice" => choice(&mut body, line, problems),
        "photo" => photo(&mut body, problems),
        other => {
            problems.error(line, format!("checkpoint kind `{other}` is not known: write `[!check] kind: question` with {KINDS}"));
            return None;
        }
    };
    if question.is_empty() {
        problems.error(line, "the checkpoint asks nothing: write `[!check] kind: question`");
    }
    for (key, _, line) in &body.values {
        problems.error(*line, format!("`{key}:` is not known in a checkpoint of this kind"));
    }
    if let Some((_, line)) = body.options.first() {
        problems.error(*line, "answers `- …` belong to a checkpoint of kind choice only");
    }
    Some(Check { question: question.to_owned(), hint, kind })
}

fn text(body: &mut Body, problems: &mut Problems) -> CheckKind {
    let bare = |text: String| text.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')).map(str::to_owned).unwrap_or(text);
    let pattern = body.take("pattern").map(|(pattern, line)| (bare(pattern), line));
    let example = body.take("example").map(|(example, line)| (bare(example), line));
    if let Some((pattern, line)) = &pattern {
        match Regex::new(&format!("^(?:{pattern})$")) {
            Err(error) => {
                let why = error.to_string();
                let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
                problems.error(*line, format!("`pattern: {pattern}` is not a regular expression: {why}"));
            }
            Ok(compiled) => {
                if let Some((example, line)) = example.as_ref().filter(|(example, _)| !compiled.is_match(example)) {
                    problems.error(*line, format!("`example: {example}` does not match the pattern `{pattern}`"));
                }
            }
        }
    }
    CheckKind::Text { pattern: pattern.map(|(pattern, _)| pattern), example: example.map(|(example, _)| example) }
}

fn number(body: &mut Body, line: u32, problems: &mut Problems) -> CheckKind {
    let unit = body.take("unit").map(|(unit, _)| unit).unwrap_or_default();
    let (min, max) = (body.number("min", problems), body.number("max", problems));
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        problems.error(line, format!("`min: {min}` is greater than `max: {max}`"));
    }
    CheckKind::Number { unit, min, max }
}

fn choice(body: &mut Body, line: u32, problems: &mut Problems) -> CheckKind {
    let options = std::mem::take(&mut body.options);
    if options.is_empty() {
        problems.error(line, "a choice needs answers: a bullet list under its title");
    }
    if options.len() > OPTION_LIMIT {
        problems.error(line, format!("a choice has at most {OPTION_LIMIT} answers, this one has {}", options.len()));
    }
    for (index, (option, at)) in options.iter().enumerate() {
        if option.label.is_empty() {
            problems.error(*at, "an answer has no text");
        } else if options.iter().take(index).any(|(before, _)| before.label.to_lowercase() == option.label.to_lowercase()) {
            problems.error(*at, format!("answer `{}` is there twice", option.label));
        }
    }
    CheckKind::Choice { options: options.into_iter().map(|(option, _)| option).collect() }
}

fn photo(body: &mut Body, problems: &mut Problems) -> CheckKind {
    let (min, max) = match body.take("count") {
        None => (1, 1),
        Some((count, line)) => range(&count, PHOTO_LIMIT).unwrap_or_else(|| {
            problems.error(line, format!("`count: {count}`: write a number or `least..most`, from 1 to {PHOTO_LIMIT}"));
            (1, 1)
        }),
    };
    CheckKind::Photo { min, max }
}

/// Question and range of a number that has one: what a reader of the note wants to know of its checkpoints.
pub(crate) fn norm(callout: &Callout) -> Option<(String, String)> {
    let check = read(callout, 1, &mut Problems::new(""))?;
    let CheckKind::Number { unit, min, max } = check.kind else { return None };
    let range = match (min, max) {
        (Some(min), Some(max)) => format!("{min}–{max}"),
        (Some(min), None) => format!("≥ {min}"),
        (None, Some(max)) => format!("≤ {max}"),
        (None, None) => return None,
    };
    Some((check.question, format!("{range} {unit}").trim().to_owned()))
}

/// Question, answers and hint of a checkpoint, to be found by them. An example is no knowledge.
pub(crate) fn words(callout: &Callout) -> String {
    let Some(check) = read(callout, 1, &mut Problems::new("")) else {
        return format!("{}\n{}", plain(&callout.title), callout.raw.join("\n"));
    };
    let answers = match check.kind {
        CheckKind::Choice { options } => options.into_iter().map(|option| option.label).collect(),
        _ => Vec::new(),
    };
    std::iter::once(check.question).chain(answers).chain(std::iter::once(check.hint)).collect::<Vec<_>>().join("\n")
}
