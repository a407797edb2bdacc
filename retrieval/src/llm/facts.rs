//! What a text claims that can be looked up: numbers with their units, part codes, names of parameters and files, quoted words, menu paths.
//!
//! Both sides are normalised: compatibility forms, `ё`, kinds of spaces and hyphens, decimal commas, separators of thousands, look-alike letters of
//! codes. What cannot be told apart is refused rather than let through: whoever is refused wrongly reads the passage itself.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use unicode_normalization::UnicodeNormalization as _;

use super::spotlight;
use crate::analyse;

mod numbers;
mod spelled;
mod units;

use numbers::Number;

/// One claim.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Fact {
    /// A number, its decimal point a dot, with the name of its unit.
    Number(String, Option<&'static str>),
    /// A part code, normalised.
    Code(String),
    /// A name as a whole: of a parameter, a file, a switch; folded.
    Name(String),
    /// A word in Latin letters, folded.
    Word(String),
    /// Words in quotation marks or between two arrows, folded.
    Quote(String),
    /// The words on both sides of an arrow, folded.
    Path(String, String),
}

/// A pattern that is known to be one; the tests use each.
fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

/// Replaces in a text, all or nothing.
fn replaced(text: String, pattern: Option<&Regex>, with: impl Fn(&Captures<'_>) -> String) -> String {
    match pattern {
        Some(pattern) if pattern.is_match(&text) => pattern.replace_all(&text, |found: &Captures<'_>| with(found)).into_owned(),
        _ => text,
    }
}

/// One form for what means the same.
fn normal(text: &str) -> String {
    static TIMES: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"(\d)\s*[xх×]\s*(\d)"));
    static HEX: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"\b0x[0-9A-Fa-f]"));
    static GLUED: LazyLock<Option<Regex>> =
        LazyLock::new(|| pattern(r"(^|[^\p{L}\d_.,-])(\d+(?:[.,]\d+)?)([\p{L}°%Ω][\p{L}·⋅/]*2?)(-|[^\p{L}\d_-]|$)"));
    let text: String = spotlight::clean(text).replace(['º', '˚'], "°").nfkc().collect();
    let text = text.replace(['−', '‐', '‑', '‒'], "-").replace('⁄', "/").replace('µ', "μ");
    let text = if HEX.as_ref().is_some_and(|hex| hex.is_match(&text)) {
        text
    } else {
        replaced(text, TIMES.as_ref(), |found| format!("{} × {}", &found[1], &found[2]))
    };
    // `24В` is a number of volts, `24B7` is a code.
    replaced(text, GLUED.as_ref(), |found| {
        let space = if units::glued(&found[3]).is_some() { " " } else { "" };
        format!("{}{}{space}{}{}", &found[1], &found[2], &found[3], &found[4])
    })
}

/// Folded, with single spaces and one kind of quotation marks.
fn squeezed(normal: &str) -> String {
    let text = analyse::fold(normal);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.replace(['«', '»', '“', '”', '„', '`', '\''], "\"")
}

/// Words on the left and on the right of every arrow, and what stands between two arrows of a line.
fn paths(normal: &str) -> (Vec<(String, String)>, Vec<String>) {
    static ARROW: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"-{1,2}>|=>|[→⇒➔➜➡▸▶►›>]"));
    let Some(arrow) = ARROW.as_ref() else { return (Vec::new(), Vec::new()) };
    let (mut pairs, mut middles) = (Vec::new(), Vec::new());
    for line in normal.lines() {
        let parts: Vec<Vec<String>> = arrow.split(line).map(analyse::words).collect();
        for pair in parts.windows(2) {
            if let [left, right] = pair
                && let (Some(left), Some(right)) = (left.last(), right.first())
            {
                pairs.push((left.clone(), right.clone()));
            }
        }
        for middle in parts.iter().skip(1).take(parts.len().saturating_sub(2)).filter(|middle| middle.len() > 1) {
            middles.push(middle.join(" "));
        }
    }
    (pairs, middles)
}

/// Runs that may be codes, with what is declined in Kazakh and Russian taken off: `FMB920-ны`.
fn runs(normal: &str) -> impl Iterator<Item = &str> {
    normal.split(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':'))).map(|run| {
        let run = run.trim_matches(|c: char| !c.is_alphanumeric());
        match run.rsplit_once('-') {
            Some((code, end)) if is_declined(code, end) => code,
            _ => run,
        }
    })
}

/// Whether what follows the last hyphen only declines what stands before it: `FMB920-ны`, `5-ти`, `4-wire`, `3-А`.
fn is_declined(code: &str, end: &str) -> bool {
    let number = code.chars().all(|c| c.is_ascii_digit());
    let word = end.chars().all(|c| c.is_lowercase() && c.is_alphabetic());
    code.contains(|c: char| c.is_ascii_digit()) && (word && (number || !end.is_ascii()) || number && units::glued(end).is_some())
}

/// Names that are no codes: `bootDelay`, `network.conf`, `--force`, `/etc/hosts`.
fn is_name(token: &str) -> bool {
    let chars: Vec<char> = token.chars().collect();
    let camel = chars.windows(2).any(|pair| matches!(pair, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase()));
    let dotted = chars.windows(3).any(|three| matches!(three, [a, '.', b] if a.is_alphabetic() && b.is_alphabetic()));
    let switch = token.strip_prefix("--").is_some_and(|rest| rest.starts_with(char::is_alphabetic));
    let latin = token.chars().any(|c| c.is_ascii_alphabetic());
    camel || dotted || switch || (latin && token.matches('/').count() >= 2)
}

/// What an answer claims, each once, in order.
#[must_use]
pub fn claims(answer: &str) -> Vec<Fact> {
    static LISTED: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"(?m)^\s*\d{1,2}[.)]\s+"));
    static QUOTED: LazyLock<Option<Regex>> =
        LazyLock::new(|| pattern("«([^»\n]+)»|“([^”\n]+)”|„([^“”\n]+)[“”]|\"([^\"\n]+)\"|`+([^`\n]+)`+"));
    // The numbers of a list are not of the notes.
    let text = replaced(normal(answer), LISTED.as_ref(), |_| String::new());
    let mut facts: Vec<Fact> = numbers::written(&text).into_iter().map(|number| Fact::Number(number.value, number.unit)).collect();
    for run in runs(&text).filter(|run| analyse::is_code(run) && run.chars().any(char::is_alphabetic)) {
        facts.push(Fact::Code(analyse::normal_code(run)));
    }
    let cyrillic =
        text.chars().filter(|c| c.is_alphabetic() && !c.is_ascii()).count() > text.chars().filter(char::is_ascii_alphabetic).count();
    for token in text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')' | '"' | '«' | '»' | '`')) {
        let token = token
            .trim_end_matches(|c: char| !c.is_alphanumeric())
            .trim_start_matches(|c: char| !(c.is_alphanumeric() || c == '-' || c == '/'));
        if is_name(token) {
            facts.push(Fact::Name(squeezed(token)));
        }
    }
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 1 && word.chars().all(|c| c.is_ascii_alphabetic())) {
        if (cyrillic || word.chars().all(|c| c.is_ascii_uppercase())) && units::unit(word).is_none() {
            facts.push(Fact::Word(word.to_ascii_lowercase()));
        }
    }
    for found in QUOTED.iter().flat_map(|quoted| quoted.captures_iter(&text)) {
        let inner = found.iter().skip(1).flatten().next().map(|inner| squeezed(inner.as_str())).unwrap_or_default();
        let inner = inner.trim_matches(|c: char| !c.is_alphanumeric());
        if !inner.is_empty() {
            facts.push(Fact::Quote(inner.to_owned()));
        }
    }
    let (pairs, middles) = paths(&text);
    facts.extend(pairs.into_iter().map(|(left, right)| Fact::Path(left, right)));
    facts.extend(middles.into_iter().map(Fact::Quote));
    let mut seen = HashSet::new();
    facts.retain(|fact| seen.insert(fact.clone()));
    facts
}

/// What passages state.
#[derive(Debug, Default)]
pub struct Ground {
    numbers: HashSet<Number>,
    codes: HashSet<String>,
    words: HashSet<String>,
    /// Texts one behind the other, each squeezed.
    text: String,
    /// The same as words with single spaces.
    plain: String,
    paths: HashSet<(String, String)>,
}

impl Ground {
    /// What these texts state.
    #[must_use]
    pub fn new<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut ground = Self::default();
        for text in texts {
            let text = normal(text);
            ground.numbers.extend(numbers::stated(&text));
            ground.codes.extend(analyse::codes(&text));
            ground.codes.extend(runs(&text).filter(|run| analyse::is_code(run)).map(analyse::normal_code));
            let words = analyse::words(&text);
            ground.text.push_str(&squeezed(&text));
            ground.text.push('\n');
            ground.plain.push_str(&format!(" {} \n", words.join(" ")));
            ground.words.extend(words);
            ground.paths.extend(paths(&text).0);
        }
        ground
    }

    /// Lets words that a question uses stand in an answer to it. Figures, codes and paths have to come from notes: what is true of one device is not
    /// of the one that was asked about.
    pub fn allow_words(&mut self, question: &str) {
        self.words.extend(analyse::words(&normal(question)));
    }

    /// Whether the texts state it.
    #[must_use]
    pub fn bears(&self, fact: &Fact) -> bool {
        match fact {
            Fact::Number(value, None) => self.numbers.iter().any(|number| number.value == *value),
            Fact::Number(value, unit) => self.numbers.contains(&Number { value: value.clone(), unit: *unit }),
            Fact::Code(code) => self.codes.contains(code),
            Fact::Name(name) => self.text.contains(name.as_str()),
            Fact::Word(word) => self.words.contains(word),
            Fact::Quote(words) => {
                let words = analyse::words(words).join(" ");
                self.plain.contains(&format!(" {words} "))
            }
            Fact::Path(left, right) => self.paths.contains(&(left.clone(), right.clone())),
        }
    }
}

#[cfg(test)]
mod tests;
