//! The company's jargon: notes with `type: glossary`.

use std::collections::HashMap;

use crate::analyse;
use crate::markdown::{self, Block, BlockKind, Inline, plain};

/// Jargon and what it means.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Glossary {
    /// By the stem of the jargon's first word: all its stems, its own words, and the meaning's words.
    entries: HashMap<String, Vec<Entry>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    stems: Vec<String>,
    meaning: Vec<String>,
}

impl Glossary {
    /// A glossary of pairs jargon and meaning ([`crate::note::Parsed::terms`]).
    #[must_use]
    pub fn new<'a>(pairs: impl IntoIterator<Item = &'a (String, String)>) -> Self {
        let mut glossary = Self::default();
        for (jargon, meaning) in pairs {
            let stems: Vec<String> = analyse::words(jargon).iter().map(|word| analyse::stem(word)).collect();
            let meaning: Vec<String> = analyse::words(meaning).into_iter().filter(|word| !analyse::is_stop_word(word)).collect();
            if let (Some(first), false) = (stems.first(), meaning.is_empty()) {
                let entry = Entry { stems: stems.clone(), meaning };
                let known = glossary.entries.entry(first.clone()).or_default();
                if !known.contains(&entry) {
                    known.push(entry);
                }
            }
        }
        glossary
    }

    /// Meanings of the jargon among these folded words, each with the word that it begins at.
    #[must_use]
    pub fn expand(&self, words: &[String]) -> Vec<(String, Vec<String>)> {
        if self.entries.is_empty() {
            return Vec::new();
        }
        let stems: Vec<String> = words.iter().map(|word| analyse::stem(word)).collect();
        let mut out = Vec::new();
        for (at, (word, stem)) in words.iter().zip(&stems).enumerate() {
            for entry in self.entries.get(stem).map(Vec::as_slice).unwrap_or_default() {
                if stems.get(at..).is_some_and(|rest| rest.starts_with(&entry.stems)) {
                    out.push((word.clone(), entry.meaning.clone()));
                }
            }
        }
        out
    }
}

/// Jargon and meaning from a glossary note: rows of two columns, lines and items `jargon — meaning` or `**word** (other name): definition`.
/// Several words of jargon for one meaning are separated by commas.
pub(crate) fn terms(blocks: &[Block]) -> Vec<(String, String)> {
    let mut out = Vec::new();
    markdown::visit(blocks, &mut |block| match &block.kind {
        BlockKind::Table(rows) => {
            for row in rows.iter().skip(1) {
                if let [jargon, meaning, ..] = row.cells.as_slice() {
                    add(&plain(jargon), &plain(meaning), &mut out);
                }
            }
        }
        BlockKind::Paragraph(body) => {
            if named(body, &mut out) {
                return;
            }
            for line in body.split(|inline| *inline == Inline::Break) {
                let line = plain(line);
                let pair = [" — ", " – ", " - ", " = "].iter().find_map(|mark| line.split_once(mark));
                if let Some((jargon, meaning)) = pair {
                    add(jargon, meaning, &mut out);
                }
            }
        }
        _ => {}
    });
    out
}

/// Most words of a definition that stand for a word without other names.
const DEFINITION: usize = 6;

/// `**Word** (other name, another): definition`, also several words in one line. Every name means every other one; a word without other names
/// means its definition.
fn named(body: &[Inline], out: &mut Vec<(String, String)>) -> bool {
    if !matches!(body.first(), Some(Inline::Strong(_))) {
        return false;
    }
    let mut found = false;
    for (index, inline) in body.iter().enumerate() {
        let (Inline::Strong(word), Some(Inline::Text(after))) = (inline, body.get(index + 1)) else { continue };
        let (word, after) = (plain(word), after.trim_start());
        if let Some((names, _)) = after.strip_prefix('(').and_then(|after| after.split_once(')')) {
            let names: Vec<&str> = std::iter::once(word.as_str()).chain(names.split(',')).map(str::trim).collect();
            for name in names.iter().filter(|name| !name.is_empty()) {
                out.extend(names.iter().filter(|other| *other != name && !other.is_empty()).map(|other| ((*name).into(), (*other).into())));
            }
            found = true;
        } else if let Some(definition) = after.strip_prefix(':') {
            let definition = definition.split([',', ';', '.']).next().unwrap_or_default();
            out.push((word, definition.split_whitespace().take(DEFINITION).collect::<Vec<_>>().join(" ")));
            found = true;
        }
    }
    found
}

fn add(jargon: &str, meaning: &str, out: &mut Vec<(String, String)>) {
    let meaning = meaning.trim().trim_end_matches(['.', ';']);
    for word in jargon.split([',', '/']).map(str::trim).filter(|word| !word.is_empty() && !meaning.is_empty()) {
        out.push((word.to_owned(), meaning.to_owned()));
    }
}
