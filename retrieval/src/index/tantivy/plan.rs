//! A question as clauses over the fields, built from terms: nothing the asker writes is syntax.

use tantivy::query::FuzzyTermQuery;
use tantivy::schema::Field;
use tantivy::{Searcher, Term as IndexTerm};

use crate::analyse;
use crate::index::schema::Fields;
use crate::index::{IndexError, Weights};
use crate::search::{Question, Term};

/// Shorter words have too many neighbours one letter away.
const FUZZY_LEAST: usize = 5;
/// Most neighbours of a misspelt word.
const FUZZY_MOST: usize = 4;

/// A word that no passage has, against the rarest of those that some have: people name what the notes do not (`не дал ключи`), so it says
/// less than its rarity, but a question of such words alone is about something else.
const UNKNOWN: f32 = 0.6;

/// Clauses (field, term, weight) and what must be covered.
pub(super) struct Plan {
    pub(super) stems: Vec<(Field, String, f32)>,
    pub(super) grams: Vec<(Field, String, f32)>,
    pub(super) words: Vec<Word>,
}

/// An informative word of the question.
pub(super) struct Word {
    /// How much it says about the question: its rarity (inverse document frequency); see [`UNKNOWN`].
    pub(super) weight: f32,
    /// Its stem and the guesses for it.
    pub(super) stems: Vec<String>,
    /// Its grams.
    pub(super) grams: Vec<String>,
    /// Its code, if it is one.
    pub(super) codes: Vec<String>,
    /// Stems of each of its meanings.
    pub(super) meanings: Vec<Vec<String>>,
}

impl Plan {
    pub(super) fn new(question: &Question, searcher: &Searcher, fields: &Fields, weights: &Weights) -> Result<Self, IndexError> {
        let mut plan = Self { stems: Vec::new(), grams: Vec::new(), words: Vec::new() };
        for term in &question.terms {
            plan.term(term, searcher, fields, weights)?;
        }
        for code in &question.codes {
            for code in spellings(code) {
                plan.stems.push((fields.codes, code.clone(), weights.code));
                plan.grams.push((fields.codes, code, weights.code));
            }
        }
        Ok(plan)
    }

    fn term(&mut self, term: &Term, searcher: &Searcher, fields: &Fields, weights: &Weights) -> Result<(), IndexError> {
        let weight = if term.stop { weights.stop } else { 1.0 };
        let stem = analyse::stem(&term.word);
        let known = frequency(searcher, fields, &stem)?;
        let mut stems = vec![stem.clone()];
        let mut grams = analyse::grams(&term.word);
        self.push_stem(&stem, weight, fields, weights);
        if known == 0 && !term.stop {
            let guesses = guesses(&term.word, &stem, searcher, fields)?;
            for guess in &guesses {
                self.push_stem(guess, weights.guess, fields, weights);
            }
            // Letters of the wrong layout are no letters of any word.
            if let Some(meant) = analyse::other_layout(&term.word).filter(|meant| guesses.contains(&analyse::stem(meant))) {
                grams = analyse::grams(&meant);
            }
            stems.extend(guesses);
        }
        for gram in &grams {
            self.grams.push((fields.body_grams, gram.clone(), weight));
            self.grams.push((fields.head_grams, gram.clone(), weight * weights.head_grams));
        }
        // Many names for one thing are one thing.
        let meaning_weight = weights.meaning / term.meanings.len().max(1) as f32;
        let mut meanings = Vec::new();
        for meaning in &term.meanings {
            let mut meant = Vec::new();
            for word in meaning {
                let stem = analyse::stem(word);
                self.push_stem(&stem, meaning_weight, fields, weights);
                for gram in analyse::grams(word) {
                    self.grams.push((fields.body_grams, gram.clone(), meaning_weight));
                    self.grams.push((fields.head_grams, gram, meaning_weight * weights.head_grams));
                }
                meant.push(stem);
            }
            meanings.push(meant);
        }
        if !term.stop {
            let found = stems.iter().map(|stem| frequency(searcher, fields, stem)).collect::<Result<Vec<_>, _>>()?;
            let count = found.into_iter().max().unwrap_or(0);
            let idf = rarity(searcher, count);
            let codes = analyse::codes(&term.word).iter().flat_map(|code| spellings(code)).collect();
            let weight = if count > 0 { idf } else { idf * UNKNOWN };
            self.words.push(Word { weight, stems, grams, codes, meanings });
        }
        Ok(())
    }

    fn push_stem(&mut self, stem: &str, weight: f32, fields: &Fields, weights: &Weights) {
        self.stems.push((fields.body, stem.to_owned(), weight));
        self.stems.push((fields.head, stem.to_owned(), weight * weights.head));
    }
}

/// How many passages have this stem. The text's field has the names' words too.
pub(super) fn frequency(searcher: &Searcher, fields: &Fields, stem: &str) -> Result<u64, IndexError> {
    Ok(searcher.doc_freq(&IndexTerm::from_field_text(fields.body, stem))?)
}

/// Inverse document frequency of a word that `count` passages have.
pub(super) fn rarity(searcher: &Searcher, count: u64) -> f32 {
    let (all, count) = (searcher.num_docs() as f32, count as f32);
    (1.0 + (all - count + 0.5).max(0.0) / (count + 0.5)).ln()
}

/// A code as typed, and as it sounds in Latin letters (`фмб920`).
fn spellings(code: &str) -> Vec<String> {
    let mut out = vec![code.to_owned()];
    out.extend(analyse::transliterated(code));
    out.extend(analyse::other_layout(code));
    out
}

/// Stems that an unknown word may stand for: typed in the other layout, else transliterated, else one letter away.
fn guesses(word: &str, stem: &str, searcher: &Searcher, fields: &Fields) -> Result<Vec<String>, IndexError> {
    for meant in [analyse::other_layout(word), analyse::transliterated(word)].into_iter().flatten() {
        let stem = analyse::stem(&analyse::fold(&meant));
        if frequency(searcher, fields, &stem)? > 0 {
            return Ok(vec![stem]);
        }
    }
    if stem.chars().count() < FUZZY_LEAST || stem.chars().any(|c| c.is_ascii_digit()) {
        return Ok(Vec::new());
    }
    let automaton = FuzzyTermQuery::new(IndexTerm::from_field_text(fields.body, stem), 1, true).automaton()?;
    let mut near: Vec<(u64, String)> = Vec::new();
    for segment in searcher.segment_readers() {
        let inverted = segment.inverted_index(fields.body)?;
        let mut stream = inverted.terms().search(&automaton).into_stream()?;
        while stream.advance() {
            let count = u64::from(stream.value().doc_freq);
            let Ok(text) = std::str::from_utf8(stream.key()) else { continue };
            match near.iter_mut().find(|(_, known)| known == text) {
                Some((known, _)) => *known += count,
                None => near.push((count, text.to_owned())),
            }
        }
    }
    near.sort_by(|a, b| b.cmp(a));
    Ok(near.into_iter().take(FUZZY_MOST).map(|(_, stem)| stem).collect())
}
