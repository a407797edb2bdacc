//! Fields of a step: `[timer:: 5m]` and its kin.

use std::sync::LazyLock;

use fitter_domain::procedure::Condition;
use regex::Regex;

use crate::markdown::{self, Inline};
use crate::problem::Problems;

/// Longest wait, seconds.
const TIMER_LIMIT: u32 = 24 * 3600;
/// Most repetitions.
const REPEAT_LIMIT: u32 = 99;

static FIELD: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r" ?\[([\p{L}\p{N}_ -]{1,40})::\s*([^\]\n]*)\]").ok());

/// What the fields of a step say.
#[derive(Default)]
pub(super) struct Fields {
    pub(super) name: Option<String>,
    pub(super) optional: bool,
    pub(super) repeat: Option<(u32, u32)>,
    pub(super) timer: Option<u32>,
    pub(super) when: Option<Condition>,
}

/// Takes the fields out of a step's first paragraph.
pub(super) fn take(body: &mut Vec<Inline>, line: u32, problems: &mut Problems) -> Fields {
    let mut fields = Fields::default();
    let mut found = false;
    strip(body, &mut |key, value| {
        found = true;
        fields.set(key, value, line, problems);
    });
    *body = markdown::trim(std::mem::take(body));
    // `^name` before the fields.
    if found
        && let Some(Inline::Text(text)) = body.last_mut()
        && let Some((head, name)) = text.rsplit_once('^')
        && (head.is_empty() || head.ends_with(' '))
        && !name.is_empty()
        && name.chars().all(|c| c.is_alphanumeric() || c == '-')
    {
        fields.name = Some(name.to_owned());
        *text = head.trim_end().to_owned();
    }
    fields
}

fn strip(body: &mut [Inline], see: &mut dyn FnMut(&str, &str)) {
    for inline in body {
        match inline {
            Inline::Text(text) if text.contains("::") => {
                let Some(field) = &*FIELD else { return };
                let part = |found: &regex::Captures<'_>, index: usize| {
                    found.get(index).map_or(String::new(), |part| part.as_str().trim().to_owned())
                };
                for found in field.captures_iter(text) {
                    see(&part(&found, 1), &part(&found, 2));
                }
                *text = field.replace_all(text, "").into_owned();
            }
            Inline::Strong(body) | Inline::Emph(body) => strip(body, see),
            _ => {}
        }
    }
}

impl Fields {
    fn set(&mut self, key: &str, value: &str, line: u32, problems: &mut Problems) {
        match key.to_lowercase().as_str() {
            "optional" => match value.to_lowercase().as_str() {
                "true" | "yes" | "" => self.optional = true,
                "false" | "no" => self.optional = false,
                _ => problems.error(line, format!("`[optional:: {value}]`: write true or false")),
            },
            "repeat" => match range(value, REPEAT_LIMIT) {
                Some(repeat) => self.repeat = Some(repeat),
                None => problems.error(line, format!("`[repeat:: {value}]`: write `least..most`, such as `1..4`, at most {REPEAT_LIMIT}")),
            },
            "timer" => match seconds(value) {
                Some(seconds) => self.timer = Some(seconds),
                None => problems.error(line, format!("`[timer:: {value}]`: write `90s`, `5m` or `1h`, at most 24 hours")),
            },
            "when" => match condition(value) {
                Some(condition) => self.when = Some(condition),
                None => {
                    problems.error(line, format!("`[when:: {value}]`: write `step = answer`, `step = one | other` or `step != answer`"))
                }
            },
            _ => problems.warning(line, format!("field `{key}` is not known: optional, repeat, timer or when; ignored")),
        }
    }
}

/// `2..4`, or `4` for `4..4`; from 1, the first not above the second.
pub(super) fn range(text: &str, limit: u32) -> Option<(u32, u32)> {
    let (least, most) = text.split_once("..").unwrap_or((text, text));
    let (least, most) = (least.trim().parse().ok()?, most.trim().parse().ok()?);
    (1 <= least && least <= most && most <= limit).then_some((least, most))
}

/// `90s`, `5m`, `1h`, `1h30m` in seconds.
fn seconds(text: &str) -> Option<u32> {
    let text = text.trim().to_lowercase();
    let mut total: u32 = 0;
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let count: u32 = rest.get(..digits)?.parse().ok()?;
        let unit = rest.get(digits..)?.trim_start();
        let size = match unit.chars().next()? {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            _ => return None,
        };
        total = total.checked_add(count.checked_mul(size)?)?;
        rest = unit.get(1..)?.trim_start();
    }
    (1..=TIMER_LIMIT).contains(&total).then_some(total)
}

/// `step = A | B` or `step != A`.
fn condition(text: &str) -> Option<Condition> {
    let (step, answers, negated) = match text.split_once("!=") {
        Some((step, answers)) => (step, answers, true),
        None => text.split_once('=').map(|(step, answers)| (step, answers, false))?,
    };
    let step = step.trim().trim_start_matches('^');
    let answers: Vec<String> = answers.split('|').map(|answer| answer.trim().to_owned()).collect();
    let good = !step.is_empty() && answers.iter().all(|answer| !answer.is_empty());
    good.then(|| Condition { step: step.to_owned(), answers, negated })
}
