//! How much of a question a passage has.

use std::collections::{HashMap, HashSet};

use tantivy::postings::Postings;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocAddress, DocSet, Searcher, TERMINATED, Term};

use super::plan::{Plan, Word};
use crate::analyse;
use crate::index::IndexError;
use crate::index::schema::Fields;

/// A word counts as met by its grams from this share on: `прошивкой` in `перепрошивка`.
const GRAMS_LEAST: f32 = 0.5;
/// A word met in the text only, against one that the title, an alias or a heading names: what a passage mentions is not what it is about.
const MENTIONED: f32 = 0.7;

/// The same for the only informative word of a question, unless the glossary knows it: one word that some passage happens to have is no
/// question about that passage.
const MENTIONED_ALONE: f32 = 0.35;

/// A passage begins with what stands among its first words, its note's title and its headings being the first of all.
const LEAD: u32 = 5;

/// Compares passages with a question.
pub(super) struct Coverage<'a> {
    plan: &'a Plan,
    searcher: &'a Searcher,
    fields: &'a Fields,
    /// The passages that are compared, in order.
    passages: Vec<DocAddress>,
    /// Which of them have a term.
    known: HashMap<(Field, String), HashSet<DocAddress>>,
}

impl<'a> Coverage<'a> {
    pub(super) fn new(plan: &'a Plan, searcher: &'a Searcher, fields: &'a Fields, mut passages: Vec<DocAddress>) -> Self {
        passages.sort_unstable();
        Self { plan, searcher, fields, passages, known: HashMap::new() }
    }

    /// Share of the question's informative words that the passage has, and share of its heading's informative words that the question has,
    /// both weighted by rarity, 0 to 1; and how many words of the question those are.
    pub(super) fn of(&mut self, passage: DocAddress, heading: &str) -> Result<(f32, f32, u8), IndexError> {
        let (mut met, mut all, mut words) = (0.0, 0.0, 0_u8);
        let (plan, fields) = (self.plan, self.fields);
        let alone = plan.words.len() == 1 && plan.words.iter().all(|word| word.meanings.is_empty());
        let mention = if alone { MENTIONED_ALONE } else { MENTIONED };
        for word in &plan.words {
            all += word.weight;
            let named = self.meets(passage, word, fields.head, fields.head_grams)?;
            let mentioned = if named < 1.0 { mention * self.meets(passage, word, fields.body, fields.body_grams)? } else { 0.0 };
            met += word.weight * named.max(mentioned);
            words = words.saturating_add(u8::from(named.max(mentioned / mention) >= GRAMS_LEAST));
        }
        if met <= 0.0 {
            return Ok((0.0, 0.0, 0));
        }
        Ok((met / all, self.asked(heading)?, words))
    }

    fn meets(&mut self, passage: DocAddress, word: &Word, stems: Field, grams: Field) -> Result<f32, IndexError> {
        if self.share(passage, stems, &word.stems)? > 0.0 || self.share(passage, self.fields.codes, &word.codes)? > 0.0 {
            return Ok(1.0);
        }
        let mut best = 0.0_f32;
        for meaning in &word.meanings {
            best = best.max(self.share(passage, stems, meaning)?);
        }
        let grams = self.share(passage, grams, &word.grams)?;
        Ok(best.max(if grams >= GRAMS_LEAST && word.grams.len() > 1 { grams } else { 0.0 }))
    }

    /// How near the question's neighbouring words stand to each other in the passage, and how much of the question it begins with, both weighted
    /// by rarity, 0 to 1.
    pub(super) fn places(&self, passage: DocAddress) -> Result<(f32, f32), IndexError> {
        let mut places = Vec::with_capacity(self.plan.words.len());
        for word in &self.plan.words {
            let mut at = Vec::new();
            for stem in &word.stems {
                self.positions(passage, stem, &mut at)?;
            }
            places.push((word.weight, at));
        }
        let (mut near, mut pairs, mut led, mut all) = (0.0, 0.0, 0.0, 0.0);
        for (weight, at) in &places {
            all += weight;
            led += if at.iter().any(|place| *place < LEAD) { *weight } else { 0.0 };
        }
        for ((first, here), (second, there)) in places.iter().zip(places.iter().skip(1)) {
            pairs += first + second;
            let distance = here.iter().flat_map(|here| there.iter().map(|there| here.abs_diff(*there).max(1))).min();
            near += distance.map_or(0.0, |distance| (first + second) / (distance as f32).sqrt());
        }
        let share = |part: f32, whole: f32| if whole > 0.0 { part / whole } else { 0.0 };
        Ok((share(near, pairs), share(led, all)))
    }

    /// Adds the places of a stem in the passage, in words from its beginning.
    fn positions(&self, passage: DocAddress, stem: &str, out: &mut Vec<u32>) -> Result<(), IndexError> {
        let term = Term::from_field_text(self.fields.body, stem);
        let inverted = self.searcher.segment_reader(passage.segment_ord).inverted_index(term.field())?;
        let Some(mut postings) = inverted.read_postings(&term, IndexRecordOption::WithFreqsAndPositions)? else { return Ok(()) };
        let at = if postings.doc() < passage.doc_id { postings.seek(passage.doc_id) } else { postings.doc() };
        if at == passage.doc_id {
            let mut own = Vec::new();
            postings.positions(&mut own);
            out.append(&mut own);
        }
        Ok(())
    }

    /// Share of a heading's informative words that the question has, weighted by rarity.
    fn asked(&self, heading: &str) -> Result<f32, IndexError> {
        let (mut met, mut all) = (0.0, 0.0);
        for word in analyse::words(heading).iter().filter(|word| !analyse::is_stop_word(word)) {
            let stem = analyse::stem(word);
            let weight = super::plan::rarity(self.searcher, super::plan::frequency(self.searcher, self.fields, &stem)?);
            all += weight;
            let has = |word: &Word| word.stems.contains(&stem) || word.meanings.iter().any(|meaning| meaning.contains(&stem));
            met += if self.plan.words.iter().any(has) { weight } else { 0.0 };
        }
        Ok(if all > 0.0 { met / all } else { 0.0 })
    }

    /// Share of the terms that the passage has.
    fn share(&mut self, passage: DocAddress, field: Field, terms: &[String]) -> Result<f32, IndexError> {
        let mut found = 0_u16;
        for term in terms {
            found += u16::from(self.has(passage, field, term)?);
        }
        Ok(if terms.is_empty() { 0.0 } else { f32::from(found) / terms.len() as f32 })
    }

    fn has(&mut self, passage: DocAddress, field: Field, text: &str) -> Result<bool, IndexError> {
        let key = (field, text.to_owned());
        if let Some(found) = self.known.get(&key) {
            return Ok(found.contains(&passage));
        }
        let found = self.having(&Term::from_field_text(field, text))?;
        let has = found.contains(&passage);
        self.known.insert(key, found);
        Ok(has)
    }

    /// The compared passages that have a term.
    fn having(&self, term: &Term) -> Result<HashSet<DocAddress>, IndexError> {
        let mut found = HashSet::new();
        for passages in self.passages.chunk_by(|a, b| a.segment_ord == b.segment_ord) {
            let Some(segment) = passages.first().map(|passage| passage.segment_ord) else { continue };
            let inverted = self.searcher.segment_reader(segment).inverted_index(term.field())?;
            let Some(mut postings) = inverted.read_postings(term, IndexRecordOption::Basic)? else { continue };
            for passage in passages {
                let at = if postings.doc() < passage.doc_id { postings.seek(passage.doc_id) } else { postings.doc() };
                if at == passage.doc_id {
                    found.insert(*passage);
                } else if at == TERMINATED {
                    break;
                }
            }
        }
        Ok(found)
    }
}
