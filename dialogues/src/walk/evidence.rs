//! From words to answers.

use fitter_domain::msg::{self, Msg};
use fitter_domain::procedure::CheckKind;
use fitter_domain::run::Answer;

/// What words are to a checkpoint.
pub(super) enum Reading {
    /// Its answer.
    Good(Answer),
    /// A reading outside of its range.
    OutOfRange(f64),
    /// Meant as its answer, but not acceptable, and why.
    Bad(Msg),
    /// Not an answer at all: a question to the knowledge base.
    Question,
}

/// Reads words as the answer to a checkpoint of this kind.
pub(super) fn read(kind: &CheckKind, text: &str) -> Reading {
    match kind {
        CheckKind::Text { pattern, example } => {
            match pattern.as_deref().map(|pattern| regex::Regex::new(&format!("^(?:{pattern})$"))) {
                Some(Ok(pattern)) if !pattern.is_match(text) => {
                    // Digits are often typed in groups: "356 307 042 441 013".
                    let joined: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
                    if pattern.is_match(&joined) {
                        return Reading::Good(Answer::Text { text: joined });
                    }
                    if looks_like_a_question(text) {
                        return Reading::Question;
                    }
                    Reading::Bad(match example {
                        Some(example) => msg::walk_text_bad_example(example),
                        None => msg::walk_text_bad(),
                    })
                }
                None if text.trim_end().ends_with('?') => Reading::Question,
                _ => Reading::Good(Answer::Text { text: text.to_owned() }),
            }
        }
        CheckKind::Number { unit, .. } => match number(text, unit) {
            Some(value) if in_range(kind, value) => Reading::Good(Answer::Number { value, reason: None }),
            Some(value) => Reading::OutOfRange(value),
            None if looks_like_a_question(text) => Reading::Question,
            None => Reading::Bad(msg::walk_number_bad()),
        },
        CheckKind::Choice { options } => {
            let typed = text.trim().to_lowercase();
            match options.iter().find(|option| option.label.to_lowercase() == typed) {
                // An answer that reports a fault is pressed, so that nobody reports one by a typing slip.
                Some(option) if !option.fault => Reading::Good(Answer::Choice { label: option.label.clone() }),
                Some(_) => Reading::Bad(msg::walk_choose_by_button()),
                None if looks_like_a_question(text) => Reading::Question,
                None => Reading::Bad(msg::walk_choose_by_button()),
            }
        }
        CheckKind::Confirm if is_yes(text) => Reading::Good(Answer::Confirmed),
        CheckKind::Confirm | CheckKind::Photo { .. } => Reading::Question,
    }
}

/// Whether words are an answer to a checkpoint of this kind.
pub(super) fn answers(kind: &CheckKind, text: &str) -> bool {
    matches!(read(kind, text), Reading::Good(_) | Reading::OutOfRange(_))
}

/// Whether a reading is one that the checkpoint wants.
pub(super) fn in_range(kind: &CheckKind, value: f64) -> bool {
    match kind {
        CheckKind::Number { min, max, .. } => min.is_none_or(|min| value >= min) && max.is_none_or(|max| value <= max),
        _ => true,
    }
}

/// "Yes" or "done", as it is typed instead of pressing the button.
pub(super) fn is_yes(text: &str) -> bool {
    const YES: [&str; 17] =
        ["да", "ага", "ок", "окей", "готово", "сделано", "сделал", "есть", "иә", "дайын", "болды", "yes", "ok", "okay", "done", "+", "👍"];
    YES.contains(&text.trim().trim_end_matches(['.', '!']).to_lowercase().as_str())
}

/// A number and nothing else, or with the unit of the checkpoint: a reading and not a sentence that begins with one.
pub(super) fn is_bare_number(kind: &CheckKind, text: &str) -> bool {
    let CheckKind::Number { unit, .. } = kind else { return false };
    number(text, unit).is_some() && without_unit(text, unit).chars().all(|c| !c.is_alphabetic())
}

/// Several words, or a question mark.
pub(crate) fn looks_like_a_question(text: &str) -> bool {
    text.contains('?') || text.split_whitespace().filter(|word| word.chars().any(char::is_alphabetic)).count() >= 3
}

fn without_unit<'t>(text: &'t str, unit: &str) -> &'t str {
    let text = text.trim();
    let Some(at) = text.char_indices().rev().nth(unit.chars().count().saturating_sub(1)).map(|(at, _)| at) else { return text };
    match text.split_at(at) {
        (bare, end) if !unit.is_empty() && end.to_lowercase() == unit.to_lowercase() => bare.trim(),
        _ => text,
    }
}

/// Reads `12,4`, `12.4 В`, `−5`, `1 200 мм`.
fn number(text: &str, unit: &str) -> Option<f64> {
    let bare = without_unit(text, unit);
    let end = bare.char_indices().find(|(_, c)| !(c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '−' | '+' | ' ' | '\u{a0}')));
    let (digits, rest) = bare.split_at(end.map_or(bare.len(), |(at, _)| at));
    // A short word after the number is its unit ("В", "volt", "литров"); more than that is not a reading.
    if rest.split_whitespace().count() > 1 || rest.chars().any(|c| c.is_ascii_digit()) {
        return None;
    }
    // Spaces group thousands and nothing else: "12 13" are two readings.
    let groups: Vec<&str> = digits.trim_end_matches(['.', ',', ' ', '\u{a0}']).split([' ', '\u{a0}']).collect();
    let is_group =
        |group: &str| group.split(['.', ',']).next().is_some_and(|whole| whole.len() == 3 && whole.chars().all(|c| c.is_ascii_digit()));
    let sign = groups.first().is_some_and(|first| matches!(*first, "-" | "−" | "+"));
    if !groups.iter().skip(if sign { 2 } else { 1 }).all(|group| is_group(group)) {
        return None;
    }
    let digits: String = groups
        .concat()
        .chars()
        .map(|c| {
            if c == ',' {
                '.'
            } else if c == '−' {
                '-'
            } else {
                c
            }
        })
        .collect();
    digits.parse::<f64>().ok().filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_as_they_are_typed() {
        for (typed, value) in [("12,4", 12.4), ("12.4 В", 12.4), ("12.4в", 12.4), (" −5 ", -5.0), ("1 200 мм", 1200.0), ("24 вольта", 24.0)]
        {
            assert_eq!(number(typed, "В"), Some(value), "{typed}");
        }
        for (typed, value) in [("12,4.", 12.4), ("- 5", -5.0), ("12 345 678,9", 12_345_678.9), ("0", 0.0)] {
            assert_eq!(number(typed, ""), Some(value), "{typed}");
        }
        for typed in ["", "много", "12 или 13", "1.2.3", "около 12", "NaN", "12 В на клемме", "12 13", "1 20", "-", "."]
        {
            assert_eq!(number(typed, "В"), None, "{typed}");
        }
    }

    #[test]
    fn a_reason_is_not_a_reading() {
        let kind = CheckKind::Number { unit: "В".into(), min: Some(9.0), max: Some(32.0) };
        for reading in ["8,1", "8,1 В", "8.1в", "-3"] {
            assert!(is_bare_number(&kind, reading), "{reading}");
        }
        for reason in ["2 аккумулятора", "разряжен", "8,1 вольт было"] {
            assert!(!is_bare_number(&kind, reason), "{reason}");
        }
    }

    #[test]
    fn a_choice_is_read_by_its_label() {
        let option = |label: &str, fault| fitter_domain::procedure::ChoiceOption { label: label.into(), fault };
        let kind = CheckKind::Choice { options: vec![option("2", false), option("1", false), option("Нет", true)] };
        assert!(matches!(read(&kind, "1"), Reading::Good(Answer::Choice { label }) if label == "1"));
        assert!(matches!(read(&kind, "нет"), Reading::Bad(_)));
        assert!(matches!(read(&kind, "а где это?"), Reading::Question));
        assert!(matches!(read(&CheckKind::Confirm, "Готово!"), Reading::Good(Answer::Confirmed)));
    }

    #[test]
    fn grouped_digits_fit_a_pattern() {
        let kind = CheckKind::Text { pattern: Some(r"\d{15}".into()), example: None };
        assert!(matches!(read(&kind, "356 307 042 441 013"), Reading::Good(Answer::Text { text }) if text == "356307042441013"));
        assert!(matches!(read(&kind, "12345"), Reading::Bad(_)));
        assert!(matches!(read(&kind, "где найти imei на корпусе"), Reading::Question));
    }
}
