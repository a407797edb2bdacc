//! Which step words speak of: they give its number, or use words of its title and questions.

use fitter_domain::run::Run;

/// How sure a number means a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// `шаг 5`, `5. пломба`, `№5`, `5-қадам`.
    Named,
    /// `5`.
    Bare,
    /// `5 пломба`: only if the words are the step's.
    Loose,
}

/// A step's number at the beginning of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Numbered<'t> {
    /// Place of the step, from 1, as people see it.
    pub place: usize,
    /// What follows the number.
    pub rest: &'t str,
    pub naming: Naming,
}

/// Words for "step" before or after its number.
const STEP: [&str; 6] = ["шаг", "пункт", "қадам", "step", "№", "#"];
/// Words that say nothing about the step.
const EMPTY: [&str; 24] = [
    "фото",
    "фотка",
    "снимок",
    "шаг",
    "для",
    "это",
    "при",
    "вот",
    "как",
    "там",
    "тут",
    "или",
    "уже",
    "все",
    "есть",
    "сурет",
    "қадам",
    "үшін",
    "photo",
    "picture",
    "step",
    "the",
    "and",
    "for",
];
/// Letters that two forms of a word share at least, and letters by which their ends may differ.
const STEM: usize = 4;
const ENDING: usize = 3;

/// The step's number that words begin with. `12,4`, `12 13` and `12 В` are readings and no numbers of steps.
pub(super) fn numbered(text: &str) -> Option<Numbered<'_>> {
    let text = text.trim();
    let (named, after) = match without_step(text) {
        Some(after) => (true, after),
        None => (false, text),
    };
    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = after.split_at_checked(digits).filter(|_| (1..=2).contains(&digits))?;
    let place = number.parse().ok()?;
    let begins = |rest: &str, is: fn(char) -> bool| rest.trim_start().chars().next().is_some_and(is);
    let naming = match rest.chars().next() {
        None if named => Naming::Named,
        None => Naming::Bare,
        Some('.' | ',' | ':' | '-' | '–') if rest.chars().nth(1).is_some_and(|c| c.is_ascii_digit()) => return None,
        Some('.' | ')' | ':') if rest.chars().nth(1).is_none() && !named => Naming::Bare,
        Some('.' | ')' | ':' | '-' | '–' | '—') => Naming::Named,
        _ if named => Naming::Named,
        Some(c) if c.is_whitespace() && (begins(rest, |c| matches!(c, '-' | '–' | '—')) || without_step(rest.trim_start()).is_some()) => {
            Naming::Named
        }
        Some(c) if c.is_whitespace() && begins(rest, char::is_alphabetic) && rest.trim().chars().count() > 3 => Naming::Loose,
        Some(_) => return None,
    };
    let rest = rest.trim_start_matches([' ', '.', ')', ':', '–', '—']);
    let rest =
        rest.strip_prefix("- ").or_else(|| rest.strip_prefix('-').filter(|rest| !begins(rest, |c| c.is_ascii_digit()))).unwrap_or(rest);
    Some(Numbered { place, rest: without_step(rest).unwrap_or(rest).trim(), naming })
}

fn without_step(text: &str) -> Option<&str> {
    let lower = text.to_lowercase();
    let word = STEP.into_iter().find(|word| lower.starts_with(word))?;
    let after = text.char_indices().nth(word.chars().count()).map_or("", |(at, _)| text.get(at..).unwrap_or_default());
    // "шагомер" is no step.
    (!after.chars().next().is_some_and(char::is_alphabetic)).then(|| after.trim_start_matches([' ', '№', '#']))
}

/// Indices of the steps of the way whose words fit best; several if they fit equally well, none if nothing fits. A word that stands in many
/// steps says less than one that stands in one.
pub(super) fn by_words(run: &Run, text: &str) -> Vec<usize> {
    let path = run.path();
    let steps: Vec<(usize, Vec<String>)> = path
        .into_iter()
        .filter_map(|index| {
            let step = run.procedure.steps.get(index)?;
            let texts = std::iter::once(step.title.as_str()).chain(step.checks.iter().map(|check| check.question.as_str()));
            Some((index, texts.flat_map(words).collect()))
        })
        .collect();
    let mut scores: Vec<(usize, usize)> = steps.iter().map(|(index, _)| (*index, 0)).collect();
    for word in words(text) {
        let fits = |of: &[String]| of.iter().any(|other| same(&word, other));
        let count = steps.iter().filter(|(_, of)| fits(of)).count();
        for ((_, of), (_, score)) in steps.iter().zip(&mut scores).filter(|_| count > 0) {
            *score += if fits(of) { 1000 / count } else { 0 };
        }
    }
    let best = scores.iter().map(|(_, score)| *score).max().unwrap_or(0);
    scores.into_iter().filter(|(_, score)| *score == best && best > 0).map(|(index, _)| index).collect()
}

fn words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    words.filter(|word| word.chars().count() >= 3 && word.chars().any(char::is_alphabetic) && !EMPTY.contains(&word.as_str())).collect()
}

/// Forms of one word: `пломба`, `пломбу`.
fn same(one: &str, other: &str) -> bool {
    let shared = one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count();
    let most = one.chars().count().max(other.chars().count());
    shared == most && one.chars().count() == other.chars().count() || shared >= STEM && most - shared <= ENDING
}

/// The only piece of the words that has a digit in it: `12.6` of `акб 12.6 В`.
pub(super) fn value(text: &str) -> Option<&str> {
    let mut with_digits = text.split_whitespace().filter(|word| word.chars().any(|c| c.is_ascii_digit()));
    let value = with_digits.next().filter(|_| with_digits.next().is_none())?;
    Some(value.trim_matches([',', ';', ':', '!', '(', ')', '=']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_steps() {
        let read = |text| numbered(text).map(|it| (it.place, it.rest, it.naming));
        for text in ["шаг 5", "Шаг №5", "step 5", "5-қадам", "№ 5", "#5", "5 шаг"] {
            assert_eq!(read(text), Some((5, "", Naming::Named)), "{text}");
        }
        for text in ["5. пломба", "5) пломба", "5: пломба", "шаг 5 пломба", "5 - пломба", "шаг 5. пломба", "5 — пломба", "5.пломба"]
        {
            assert_eq!(read(text), Some((5, "пломба", Naming::Named)), "{text}");
        }
        assert_eq!(read("шаг 5: -7 мВ"), Some((5, "-7 мВ", Naming::Named)));
        assert_eq!(read("12. 12,4"), Some((12, "12,4", Naming::Named)));
        assert_eq!(read("5"), Some((5, "", Naming::Bare)));
        assert_eq!(read("5."), Some((5, "", Naming::Bare)));
        assert_eq!(read("5 пломба"), Some((5, "пломба", Naming::Loose)));
        for text in ["", "пломба", "12,4", "12.4", "12.4 В", "12 13", "12 В", "12В", "356307042441013", "12:30", "-5", "шагомер 5", "10-12"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn forms_of_a_word() {
        for (one, other) in [("пломба", "пломбу"), ("акб", "акб"), ("датчик", "датчика"), ("установил", "установите"), ("seal", "seals")]
        {
            assert!(same(one, other), "{one} {other}");
        }
        for (one, other) in [("акб", "акт"), ("дата", "датчик"), ("провод", "проверка")] {
            assert!(!same(one, other), "{one} {other}");
        }
    }

    #[test]
    fn a_value_among_words() {
        assert_eq!(value("акб 12.6 В"), Some("12.6"));
        assert_eq!(value("акб: 12,6В,"), Some("12,6В"));
        assert_eq!(value("от 12 до 13"), None);
        assert_eq!(value("акб"), None);
    }
}
