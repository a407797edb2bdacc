//! Whether an answer may be shown: the passages that it cites bear it out. Pure; each refusal has a name.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use regex::Regex;

use super::facts::{self, Fact, Ground};
use super::language::{self, Told};
use super::reply::Draft;
use super::request::Excerpt;
use crate::analyse;

/// The longest answer, in characters: about ten lines of a phone.
pub const CHARACTERS: usize = 1_200;
/// A sentence with at least so many words that say something …
const TELLING: usize = 3;
/// … has this part of them from the passages, in percent.
const BORNE_OUT: usize = 50;

/// Why an answer is not shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// It has no text.
    Empty,
    /// It is too long.
    Long,
    /// It cites nothing.
    Uncited,
    /// It cites something that it was not given.
    Stranger,
    /// It holds something to press: an address, a user's name, a command.
    Pressable,
    /// A number, code, name, quotation or menu path that the cited passages do not state.
    Foreign(Fact),
    /// A sentence that is not about what the cited passages are about.
    Unfounded,
    /// It advises what the passages warn of, or the other way round.
    Reversed,
    /// It is in another language than the question.
    Language,
}

impl Flaw {
    /// For the metric's label.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Long => "long",
            Self::Uncited => "uncited",
            Self::Stranger => "stranger",
            Self::Pressable => "pressable",
            Self::Foreign(_) => "foreign",
            Self::Unfounded => "unfounded",
            Self::Reversed => "reversed",
            Self::Language => "language",
        }
    }
}

/// An answer that may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Its text, without ids of passages.
    pub text: String,
    /// Places of the passages that it cites, in its order, each once.
    pub cited: Vec<usize>,
}

/// Whether a text holds something that a client makes pressable: addresses with and without a scheme, mail, user names, commands of bots.
///
/// Links are made by the product, from citations. An address in a note is seen where it stands: in the quoted passage.
#[must_use]
pub fn pressable(text: &str) -> bool {
    static PRESSABLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(?ix)
            \b[a-z][a-z0-9+.-]{1,20}:// | \b(tg|tel|mailto|javascript|data|sms|geo):\S | \bwww\. | \bt\.me\b
            | (^|[^\w/])@\w{3,} | \S@\S+\.\w{2,} | (^|[\s(«])/[a-z][a-z0-9_]{0,31}($|[^\w/])
            | [\w-]\.(com|net|org|info|biz|io|me|dev|app|xyz|link|site|online|top|shop|club|pro|store|tech|website|click|live|space|fun|icu
                |ru|su|рф|kz|қаз|by|ua|uz|kg|tj|az|am|ge|de|uk|fr|pl|cn|us|eu|co|ai|gg|cc|ly|tv|to|in|sh|gd|onion)(/|\b)
            | \b\d{1,3}(\.\d{1,3}){3}(:\d+)?/",
        )
        .ok()
    });
    PRESSABLE.as_ref().is_none_or(|pressable| pressable.is_match(text))
}

/// Takes ids of passages out of a text that repeats them: `… на 3 А [k1234].`
fn without_ids(text: &str, excerpts: &[Excerpt]) -> String {
    excerpts.iter().fold(text.to_owned(), |text, Excerpt { id, .. }| {
        [format!(" [{id}]"), format!("[{id}]"), format!(" ({id})"), format!("({id})")]
            .iter()
            .fold(text, |text, mark| text.replace(mark, ""))
    })
}

/// Checks an answer to a question.
///
/// # Errors
/// The first [`Flaw`].
pub fn check(question: &str, draft: &Draft, excerpts: &[Excerpt]) -> Result<Checked, Flaw> {
    let text = without_ids(&draft.text, excerpts).trim().to_owned();
    if !text.contains(char::is_alphanumeric) {
        return Err(Flaw::Empty);
    }
    if text.chars().count() > CHARACTERS {
        return Err(Flaw::Long);
    }
    let mut cited: Vec<&Excerpt> = Vec::new();
    for id in &draft.citations {
        let excerpt = excerpts.iter().find(|excerpt| excerpt.id == *id).ok_or(Flaw::Stranger)?;
        if !cited.contains(&excerpt) {
            cited.push(excerpt);
        }
    }
    if cited.is_empty() {
        return Err(Flaw::Uncited);
    }
    if !language::told(&text).fits(language::told(question)) {
        return Err(Flaw::Language);
    }
    grounded(question, &text, &cited)?;
    Ok(Checked { text, cited: cited.into_iter().map(|excerpt| excerpt.place).collect() })
}

/// What may be seen of an answer while it grows: nobody knows yet what it will cite, so any of the passages counts.
#[derive(Debug)]
pub struct Window<'a> {
    excerpts: &'a [Excerpt],
    ground: Ground,
}

impl<'a> Window<'a> {
    /// A window on an answer to a question.
    #[must_use]
    pub fn new(question: &str, excerpts: &'a [Excerpt]) -> Self {
        Self { excerpts, ground: ground(question, excerpts) }
    }

    /// As much of the answer as may be seen: whole words that the passages bear out. None if there is nothing yet, or something in it may not be
    /// shown.
    #[must_use]
    pub fn glimpse(&self, growing: &str) -> Option<String> {
        let text: String = without_ids(growing, self.excerpts).chars().take(CHARACTERS).collect();
        let end = text.char_indices().rev().find(|(_, c)| c.is_whitespace()).map(|(at, _)| at)?;
        // A number whose unit or whose next digits have not come is not whole.
        let whole = text.get(..end)?.trim_end();
        let whole = whole.trim_end_matches(|c: char| !c.is_whitespace() && !c.is_alphabetic()).trim_end();
        let even = |mark: char| whole.matches(mark).count().is_multiple_of(2);
        let closed = whole.matches('«').count() == whole.matches('»').count() && even('"') && even('`');
        let fine = whole.contains(char::is_alphabetic) && closed && !pressable(&text) && foreign(whole, &self.ground).is_none();
        fine.then(|| whole.to_owned())
    }
}

/// What the passages state; a question lends its names.
fn ground<'e>(question: &str, excerpts: impl IntoIterator<Item = &'e Excerpt>) -> Ground {
    let mut ground = Ground::new(excerpts.into_iter().flat_map(|excerpt| [excerpt.source.as_str(), excerpt.text.as_str()]));
    ground.allow_words(question);
    ground
}

/// The first claim that is not stated.
fn foreign(text: &str, ground: &Ground) -> Option<Fact> {
    facts::claims(text).into_iter().find(|fact| !ground.bears(fact))
}

fn grounded(question: &str, text: &str, cited: &[&Excerpt]) -> Result<(), Flaw> {
    if pressable(text) {
        return Err(Flaw::Pressable);
    }
    if let Some(fact) = foreign(text, &ground(question, cited.iter().copied())) {
        return Err(Flaw::Foreign(fact));
    }
    // Over notes in another language only what can be looked up is.
    let same: Vec<&&Excerpt> = cited.iter().filter(|excerpt| same_language(text, &excerpt.text)).collect();
    if same.is_empty() {
        return Ok(());
    }
    let known: HashSet<String> = same
        .iter()
        .flat_map(|excerpt| [excerpt.source.as_str(), excerpt.text.as_str()])
        .chain([question])
        .flat_map(analyse::words)
        .flat_map(|word| [analyse::stem(&word), beginning(&word)])
        .collect();
    if sentences(text).any(|sentence| is_unfounded(sentence, &known)) {
        return Err(Flaw::Unfounded);
    }
    if is_reversed(text, same.iter().map(|excerpt| excerpt.text.as_str())) { Err(Flaw::Reversed) } else { Ok(()) }
}

fn same_language(one: &str, other: &str) -> bool {
    match (language::told(one), language::told(other)) {
        (Told::Nothing, _) | (_, Told::Nothing) => false,
        (one, other) => one.fits(other),
    }
}

/// The first letters of a word, which its forms share: what a stemmer does not know, such as Kazakh.
fn beginning(word: &str) -> String {
    word.chars().take(5).collect()
}

fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\n', '!', '?', ';']).flat_map(|line| line.split(". ")).filter(|sentence| !sentence.trim().is_empty())
}

fn is_unfounded(sentence: &str, known: &HashSet<String>) -> bool {
    let words: Vec<String> = analyse::words(sentence)
        .into_iter()
        .filter(|word| word.chars().count() > 2 && word.chars().all(char::is_alphabetic) && !analyse::is_stop_word(word))
        .collect();
    let borne_out = words.iter().filter(|word| known.contains(&analyse::stem(word)) || known.contains(&beginning(word))).count();
    words.len() >= TELLING && borne_out * 100 < words.len() * BORNE_OUT
}

/// Words behind which a prohibition stands, folded.
const NEVER: [&str; 7] = ["не", "нельзя", "никогда", "запрещено", "never", "not", "dont"];
/// So many words behind it are forbidden.
const REACH: usize = 2;

/// Stems of a text, with how often each stands there as a prohibition and as such.
fn uses(text: &str) -> HashMap<String, (u32, u32)> {
    let mut uses: HashMap<String, (u32, u32)> = HashMap::new();
    for sentence in sentences(&text.replace('\'', "")) {
        let mut forbidden = 0;
        for word in analyse::words(sentence) {
            if NEVER.contains(&word.as_str()) {
                forbidden = REACH;
                continue;
            }
            if !analyse::is_stop_word(&word) && word.chars().count() > 3 {
                let (never, plain) = uses.entry(analyse::stem(&word)).or_default();
                if forbidden > 0 { *never += 1 } else { *plain += 1 }
            }
            forbidden = forbidden.saturating_sub(1);
        }
    }
    uses
}

/// Whether something that the passages only forbid is advised, or something that they only advise is forbidden.
fn is_reversed<'t>(answer: &str, passages: impl Iterator<Item = &'t str>) -> bool {
    let stated = uses(&passages.collect::<Vec<_>>().join("\n"));
    uses(answer).iter().any(|(stem, (never, plain))| match stated.get(stem) {
        Some((stated_never, 0)) if *stated_never > 0 => *plain > 0,
        Some((0, _)) => *never > 0,
        _ => false,
    })
}

#[cfg(test)]
mod tests;
