//! How much of a question a passage has.

use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocAddress, DocSet, Searcher, Term};

use super::plan::{Plan, Word};
use crate::index::IndexError;
use crate::index::schema::Fields;

/// A word counts as met by its grams from this share on: `прошивкой` in `перепрошивка`.
const GRAMS_LEAST: f32 = 0.5;
/// A word met in the text only, against one that the title, an alias or a heading names: what a passage mentions is not what it is about.
const MENTIONED: f32 = 0.7;

/// Share of the question's informative words that the passage has, weighted by rarity, 0 to 1.
pub(super) fn of(plan: &Plan, searcher: &Searcher, address: DocAddress, fields: &Fields) -> Result<f32, IndexError> {
    let passage = Passage { searcher, address };
    let (mut met, mut all) = (0.0, 0.0);
    for word in &plan.words {
        all += word.weight;
        let named = passage.meets(word, fields.head, fields.head_grams, fields)?;
        let mentioned = if named < 1.0 { MENTIONED * passage.meets(word, fields.body, fields.body_grams, fields)? } else { 0.0 };
        if std::env::var_os("DUMP").is_some() {
            eprint!(
                " {}:{:.1}:{}:{:.2}:{:.2}",
                word.stems.first().map_or("", String::as_str),
                word.weight,
                u8::from(word.known),
                named,
                mentioned / MENTIONED
            );
        }
        met += word.weight * named.max(mentioned);
    }
    if std::env::var_os("DUMP").is_some() {
        eprintln!(" | {:.2}", if all > 0.0 { met / all } else { 0.0 });
    }
    Ok(if all > 0.0 { met / all } else { 0.0 })
}

struct Passage<'a> {
    searcher: &'a Searcher,
    address: DocAddress,
}

impl Passage<'_> {
    fn meets(&self, word: &Word, stems: Field, grams: Field, fields: &Fields) -> Result<f32, IndexError> {
        if self.share(stems, &word.stems)? > 0.0 || self.share(fields.codes, &word.codes)? > 0.0 {
            return Ok(1.0);
        }
        let mut best = 0.0_f32;
        for meaning in &word.meanings {
            best = best.max(self.share(stems, meaning)?);
        }
        let grams = self.share(grams, &word.grams)?;
        Ok(best.max(if grams >= GRAMS_LEAST && word.grams.len() > 1 { grams } else { 0.0 }))
    }

    /// Share of the terms that the passage has.
    fn share(&self, field: Field, terms: &[String]) -> Result<f32, IndexError> {
        let mut found = 0_u16;
        for term in terms {
            found += u16::from(self.has(field, term)?);
        }
        Ok(if terms.is_empty() { 0.0 } else { f32::from(found) / terms.len() as f32 })
    }

    fn has(&self, field: Field, text: &str) -> Result<bool, IndexError> {
        let inverted = self.searcher.segment_reader(self.address.segment_ord).inverted_index(field)?;
        let postings = inverted.read_postings(&Term::from_field_text(field, text), IndexRecordOption::Basic);
        Ok(match postings? {
            Some(mut postings) => {
                let doc = self.address.doc_id;
                postings.doc() <= doc && (postings.doc() == doc || postings.seek(doc) == doc)
            }
            None => false,
        })
    }
}
