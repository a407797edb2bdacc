//! The index on tantivy, in memory.

use std::sync::{Mutex, PoisonError};

use tantivy::collector::TopDocs;
use tantivy::query::{BooleanQuery, BoostQuery, ConstScoreQuery, Occur, Query, TermQuery, TermSetQuery};
use tantivy::schema::{Field, IndexRecordOption, TantivyDocument, Value};
use tantivy::{DocAddress, Index, IndexReader, IndexWriter, ReloadPolicy, Searcher, Term};

use super::schema::{Fields, OVERVIEW, locale_code, schema, visibility_code};
use super::{Hit, IndexError, LexicalIndex, NoteEntry, Version, Weights, scoring, tokens};
use crate::search::{Filter, Question};

mod coverage;
mod plan;

/// Memory for a whole vault, bytes.
const REBUILD_BUDGET: usize = 50_000_000;
/// Memory for a few notes, bytes: the engine's least.
const UPDATE_BUDGET: usize = 15_000_000;
/// Passages that count as a few notes.
const FEW: usize = 500;

/// What a heading adds to the coverage if the question has every word of it: `Нет спутников` for `спутники не ловит`. It says that the passage
/// answers, not that it is the best one: added to the score it makes the order worse (hit@1 of technicians' questions 83 to 77).
const HEADING: f32 = 0.25;

/// A lexical index on tantivy.
pub struct TantivyIndex {
    index: Index,
    reader: IndexReader,
    fields: Fields,
    weights: Weights,
    /// One change at a time. The writer itself lives only as long as the change: it holds a lock and threads.
    change: Mutex<()>,
}

impl TantivyIndex {
    /// An empty index in memory.
    ///
    /// # Errors
    /// [`IndexError::Engine`].
    pub fn in_memory() -> Result<Self, IndexError> {
        let (schema, fields) = schema();
        Self::over(Index::create_in_ram(schema), fields)
    }

    fn over(index: Index, fields: Fields) -> Result<Self, IndexError> {
        tokens::register(index.tokenizers());
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        Ok(Self { index, reader, fields, weights: Weights::default(), change: Mutex::new(()) })
    }

    /// The same index with other weights, for measuring.
    #[must_use]
    pub const fn with_weights(mut self, weights: Weights) -> Self {
        self.weights = weights;
        self
    }

    fn filter(&self, filter: &Filter) -> Option<Box<dyn Query>> {
        if crate::meta::Visibility::ALL.iter().all(|visibility| filter.visible.contains(visibility)) {
            return None;
        }
        let terms = filter.visible.iter().map(|visibility| Term::from_field_u64(self.fields.visibility, visibility_code(*visibility)));
        // It must not change the score.
        Some(Box::new(ConstScoreQuery::new(Box::new(TermSetQuery::new(terms)), 0.0)))
    }

    fn top(&self, searcher: &Searcher, clauses: &[(Field, String, f32)], filter: &Filter) -> Result<Vec<(f32, DocAddress)>, IndexError> {
        if clauses.is_empty() {
            return Ok(Vec::new());
        }
        let clause = |(field, text, weight): &(Field, String, f32)| -> (Occur, Box<dyn Query>) {
            let term = TermQuery::new(Term::from_field_text(*field, text), IndexRecordOption::WithFreqs);
            (Occur::Should, Box::new(BoostQuery::new(Box::new(term), *weight)))
        };
        let any: Box<dyn Query> = Box::new(BooleanQuery::new(clauses.iter().map(clause).collect()));
        let query = match self.filter(filter) {
            Some(visible) => Box::new(BooleanQuery::intersection(vec![any, visible])),
            None => any,
        };
        let count = self.weights.candidates.max(filter.limit);
        Ok(searcher.search(&*query, &TopDocs::with_limit(count).order_by_score())?)
    }

    /// The fused score with what is known about the note.
    fn adjust(&self, score: f32, searcher: &Searcher, address: DocAddress, filter: &Filter) -> f32 {
        let own_language = filter.prefer.is_some_and(|locale| number(searcher, address, "locale") == Some(locale_code(locale)));
        let score = if own_language { score + self.weights.prefer } else { score };
        score * self.kind(searcher, address)
    }

    /// What the kind of note does to the score.
    fn kind(&self, searcher: &Searcher, address: DocAddress) -> f32 {
        let glossary = number(searcher, address, "glossary") == Some(1);
        let overview = number(searcher, address, "opening") == Some(OVERVIEW);
        if glossary {
            self.weights.glossary
        } else if overview {
            self.weights.overview
        } else {
            1.0
        }
    }
}

/// A number kept with a passage.
fn number(searcher: &Searcher, address: DocAddress, name: &str) -> Option<u64> {
    let columns = searcher.segment_reader(address.segment_ord).fast_fields();
    columns.u64(name).ok().and_then(|column| column.first(address.doc_id))
}

impl LexicalIndex for TantivyIndex {
    fn update(&self, revision: &str, removed: &[String], put: &[NoteEntry]) -> Result<(), IndexError> {
        let _one = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let few = put.iter().map(|note| note.chunks.len()).sum::<usize>() <= FEW;
        let budget = if few { UPDATE_BUDGET } else { REBUILD_BUDGET };
        let mut writer: IndexWriter = self.index.writer_with_num_threads(1, budget)?;
        for path in removed.iter().chain(put.iter().map(|note| &note.path)) {
            writer.delete_term(self.fields.key(path));
        }
        for note in put {
            for (number, chunk) in (0_u64..).zip(&note.chunks) {
                writer.add_document(self.fields.document(note, number, chunk))?;
            }
        }
        let mut commit = writer.prepare_commit()?;
        commit.set_payload(&serde_json::to_string(&Version::current(revision))?);
        commit.commit()?;
        writer.wait_merging_threads()?;
        self.reader.reload()?;
        Ok(())
    }

    fn search(&self, question: &Question, filter: &Filter) -> Result<Vec<Hit>, IndexError> {
        let searcher = self.reader.searcher();
        let plan = plan::Plan::new(question, &searcher, &self.fields, &self.weights)?;
        let stems = self.top(&searcher, &plan.stems, filter)?;
        let grams = self.top(&searcher, &plan.grams, filter)?;
        let fused = scoring::fuse(&stems, &grams, self.weights.grams);
        let mut best: Vec<(f32, DocAddress)> =
            fused.into_iter().map(|(address, score)| (self.adjust(score, &searcher, address, filter), address)).collect();
        best.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        best.truncate(filter.limit.max(self.weights.reranked));
        let mut hits = Vec::with_capacity(best.len());
        let passages = best.iter().map(|(_, address)| *address).collect();
        let mut coverage = coverage::Coverage::new(&plan, &searcher, &self.fields, passages);
        for (score, address) in best {
            let document: TantivyDocument = searcher.doc(address)?;
            let note = document.get_first(self.fields.note).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default();
            let chunk = document.get_first(self.fields.chunk).and_then(|value| value.as_u64()).unwrap_or(0);
            let heading = document.get_first(self.fields.heading).and_then(|value| value.as_str()).unwrap_or_default();
            let (share, asked, words) = coverage.of(address, heading)?;
            let score = (1.0 - self.weights.coverage) * score + self.weights.coverage * share * self.kind(&searcher, address);
            let (near, led) = coverage.places(address)?;
            let Weights { near: nearness, lead, .. } = self.weights;
            let score = (score + nearness * near + lead * led) / (1.0 + nearness + lead);
            let coverage = asked.mul_add(HEADING, share).min(1.0);
            let opening = number(&searcher, address, "opening").unwrap_or(0);
            hits.push((opening, Hit { note, chunk: u32::try_from(chunk).unwrap_or(0), score: score.min(1.0), coverage, words }));
        }
        hits.sort_by(|a, b| b.1.score.total_cmp(&a.1.score));
        let mut hits = scoring::within_notes(hits);
        hits.truncate(filter.limit);
        Ok(hits)
    }

    fn version(&self) -> Version {
        let payload = self.index.load_metas().ok().and_then(|meta| meta.payload);
        payload.and_then(|payload| serde_json::from_str(&payload).ok()).unwrap_or_else(|| Version {
            source: String::new(),
            analyser: 0,
            chunker: 0,
        })
    }

    fn len(&self) -> u64 {
        self.reader.searcher().num_docs()
    }
}
