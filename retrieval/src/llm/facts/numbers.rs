//! Numbers of a text with their units, in digits and in words.

use super::{spelled, units};
use crate::analyse;

/// A number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Number {
    /// Sign if negative, digits, a dot for decimals; a time of day and a version as they are written.
    pub(super) value: String,
    /// Its unit.
    pub(super) unit: Option<&'static str>,
}

/// A number and where it stands, in characters.
struct Found {
    number: Number,
    /// The same with spaces as separators of a list, not of thousands.
    apart: Vec<String>,
    start: usize,
    end: usize,
}

/// What joins two numbers that share a unit.
const JOINS: [&str; 16] = ["-", "–", "—", "...", "…", "÷", "/", ",", "до", "или", "и", "to", "or", "and", "немесе", "×"];

/// Numbers as an answer claims them.
pub(super) fn written(text: &str) -> Vec<Number> {
    let chars: Vec<char> = text.chars().collect();
    let digits = scan(&chars).into_iter().map(|found| found.number);
    digits.chain(in_words(text)).collect()
}

/// Numbers as a passage states them: in every reading that a careful reader may have.
pub(super) fn stated(text: &str) -> Vec<Number> {
    let chars: Vec<char> = text.chars().collect();
    let found = scan(&chars);
    let mut out: Vec<Number> = in_words(text);
    let mut follows: Option<(usize, &'static str)> = None;
    for Found { number, apart, start, end } in found.iter().rev() {
        let between = |to: usize| chars.get(*end..to).map(|between| between.iter().collect::<String>()).unwrap_or_default();
        // `10–15 В`: both are volts.
        let shared = follows.filter(|(to, _)| JOINS.contains(&analyse::fold(between(*to).trim()).as_str())).map(|(_, unit)| unit);
        let unit = number.unit.or(shared);
        follows = unit.map(|unit| (*start, unit));
        out.push(Number { value: number.value.clone(), unit });
        out.extend(apart.iter().map(|value| Number { value: value.clone(), unit }));
        // `Ток, А: 3`
        if number.unit.is_none()
            && let Some(unit) = unit_before(&chars, *start)
        {
            out.push(Number { value: number.value.clone(), unit: Some(unit) });
        }
    }
    out
}

fn at(chars: &[char], place: usize) -> char {
    chars.get(place).copied().unwrap_or('\n')
}

/// The end of the digits from `place`.
fn digits_end(chars: &[char], place: usize) -> usize {
    (place..).find(|place| !at(chars, *place).is_numeric()).unwrap_or(place)
}

fn text_of(chars: &[char], start: usize, end: usize) -> String {
    chars.get(start..end).map(|chars| chars.iter().collect()).unwrap_or_default()
}

fn scan(chars: &[char]) -> Vec<Found> {
    let latin = !chars.iter().any(|c| matches!(c, 'а'..='я' | 'А'..='Я'));
    let mut found = Vec::new();
    let mut place = 0;
    while place < chars.len() {
        if !at(chars, place).is_numeric() {
            place += 1;
            continue;
        }
        let before = place.checked_sub(1).map_or('\n', |before| at(chars, before));
        let earlier = place.checked_sub(2).map_or('\n', |earlier| at(chars, earlier));
        if before.is_alphabetic() || before == '_' || (before == '-' && earlier.is_alphabetic()) {
            place = code_end(chars, place);
            continue;
        }
        let signed = matches!(before, '-' | '+' | '±') && !earlier.is_alphanumeric();
        let start = place - usize::from(signed);
        let (mut one, end) = number(chars, place, latin);
        if signed && before == '-' {
            one.value.insert(0, '-');
        }
        one.number_unit(chars, end);
        // Letters right behind it that are no unit: a code, looked up as one.
        if at(chars, end).is_alphabetic() || at(chars, end) == '_' {
            place = code_end(chars, end);
            continue;
        }
        found.push(Found { number: Number { value: one.value, unit: one.unit }, apart: one.apart, start, end });
        place = end.max(place + 1);
    }
    found
}

/// The end of a code from inside of it.
fn code_end(chars: &[char], mut place: usize) -> usize {
    loop {
        let c = at(chars, place);
        let joined = matches!(c, '-' | '.' | ':') && at(chars, place + 1).is_alphanumeric();
        if !(c.is_alphanumeric() || c == '_' || joined) {
            return place;
        }
        place += 1;
    }
}

struct One {
    value: String,
    apart: Vec<String>,
    unit: Option<&'static str>,
}

impl One {
    /// Reads the unit behind the number that ends at `end`.
    fn number_unit(&mut self, chars: &[char], end: usize) {
        let hyphen = at(chars, end) == '-' && at(chars, end + 1).is_alphabetic();
        let mut start = end + usize::from(hyphen);
        while start < end + 3 && at(chars, start) == ' ' {
            start += 1;
        }
        let of_unit = |c: char| c.is_alphabetic() || matches!(c, '°' | '%' | 'Ω' | '·' | '⋅' | '*' | '/');
        let mut stop = start;
        while of_unit(at(chars, stop)) || (stop > start && matches!(at(chars, stop), '2' | '3') && at(chars, stop - 1).is_alphabetic()) {
            stop += 1;
        }
        let written = text_of(chars, start, stop);
        self.unit = units::unit(&written).or_else(|| units::unit(written.split(['/', '·', '*']).next()?));
    }
}

/// The number that begins at `place`, without sign and unit, and its end.
fn number(chars: &[char], place: usize, latin: bool) -> (One, usize) {
    let mut end = digits_end(chars, place);
    let mut value = text_of(chars, place, end);
    let mut apart = vec![value.clone()];
    // Thousands: groups of exactly three digits behind one to three.
    while (1..=3).contains(&apart.first().map_or(0, |first| first.chars().count()))
        && matches!(at(chars, end), ' ' | '\'')
        && digits_end(chars, end + 1) == end + 4
    {
        let group = text_of(chars, end + 1, end + 4);
        value.push_str(&group);
        apart.push(group);
        end += 4;
    }
    if apart.len() == 1 {
        apart.clear();
    }
    let mut parts = Vec::new();
    while matches!(at(chars, end), '.' | ',' | ':') && at(chars, end + 1).is_numeric() {
        let next = digits_end(chars, end + 1);
        parts.push((at(chars, end), text_of(chars, end + 1, next)));
        end = next;
    }
    match parts.as_slice() {
        [] => {}
        // A comma before three digits separates thousands in English, decimals elsewhere.
        [(',', group)] if latin && group.len() == 3 => value.push_str(group),
        [('.' | ',', decimals)] => value = format!("{value}.{decimals}"),
        groups if groups.iter().all(|(separator, group)| *separator == ',' && group.len() == 3) => {
            groups.iter().for_each(|(_, group)| value.push_str(group));
        }
        parts => parts.iter().for_each(|(separator, part)| {
            value.push(*separator);
            value.push_str(part);
        }),
    }
    (One { value, apart, unit: None }, end)
}

/// The unit of a heading before a number: `Ток, А: 3`, `Ток (А) = 3`.
fn unit_before(chars: &[char], start: usize) -> Option<&'static str> {
    let before = text_of(chars, start.saturating_sub(16), start);
    let heading = before.trim_end().strip_suffix([':', '=', '|'])?.trim_end().trim_end_matches(')');
    let written = heading.rsplit(|c: char| c.is_whitespace() || matches!(c, ',' | '(')).next()?;
    units::glued(written)
}

/// Numbers in words. A single one is a word like others.
fn in_words(text: &str) -> Vec<Number> {
    let kazakh = spelled::is_kazakh(text);
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let mut out = Vec::new();
    let mut place = 0;
    let value = |place: usize| words.get(place).and_then(|word| spelled::value(&analyse::fold(word), kazakh));
    while place < words.len() {
        let Some(mut number) = value(place) else {
            place += 1;
            continue;
        };
        place += 1;
        while let Some(joined) = value(place).and_then(|next| spelled::joined(number, next)) {
            number = joined;
            place += 1;
        }
        let unit = words.get(place).and_then(|word| units::unit(word));
        out.push(Number { value: number.to_string(), unit });
    }
    out
}
