//! Questions to passages.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use fitter_domain::Locale;

use crate::analyse;
use crate::glossary::Glossary;
use crate::index::{Hit, IndexError, LexicalIndex};
use crate::meta::Visibility;

/// What may be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Visibilities that the asker may see.
    pub visible: Vec<Visibility>,
    /// Among equals, notes in this language come first.
    pub prefer: Option<Locale>,
    /// Most hits.
    pub limit: usize,
}

impl Filter {
    /// What people of the company see: public and staff notes.
    #[must_use]
    pub fn staff(limit: usize) -> Self {
        Self { visible: vec![Visibility::Public, Visibility::Staff], prefer: None, limit }
    }

    /// What clients see.
    #[must_use]
    pub fn public(limit: usize) -> Self {
        Self { visible: vec![Visibility::Public], prefer: None, limit }
    }
}

/// The language that the letters of a question tell, whatever language its asker reads. Latin words among Cyrillic ones are names, and
/// Cyrillic ones without a letter of Kazakh may be Russian or Kazakh.
fn language(question: &Question) -> Option<Locale> {
    let words = || question.terms.iter().map(|term| term.word.as_str());
    if words().any(|word| word.contains(['ә', 'ғ', 'қ', 'ң', 'ө', 'ұ', 'ү', 'һ', 'і'])) {
        return Some(Locale::Kk);
    }
    let prose = |word: &str| word.len() > 1 && word.chars().all(|c| c.is_ascii_lowercase());
    (question.terms.len() > 1 && question.terms.iter().any(|term| term.stop && prose(&term.word)) && words().all(|word| word.is_ascii()))
        .then_some(Locale::En)
}

/// What was found for a question.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// The best passages, best first; when they do not answer, the nearest ones.
    pub hits: Vec<Hit>,
    /// Whether one of the first of them answers the question.
    pub answered: bool,
}

/// One of this many first passages must cover the question.
pub const ANSWERING: usize = 3;

/// What one more word that question and passage share is worth in coverage, up to [`WORDS`] of them: three words that meet are no accident even
/// if the question has many more, and one word often is.
const WORD: f32 = 0.14;
/// More words than this say no more.
const WORDS: u8 = 4;

/// Passages with less coverage ([`Hit::coverage`]) and words ([`WORD`]) than this do not answer.
///
/// The weights are those of a logistic regression over 129 answerable questions and 906 that the vault does not answer (technicians' questions
/// over three vaults, their other messages, each vault's questions asked of the others). In percent:
///
/// | vault | refused wrong | refused right |
/// | --- | --- | --- |
/// | documentation of cameras, 30 questions and 4 others | 3 | 75 |
/// | documentation of printers, 25 and 10 | 8 | 60 |
/// | the example vault, half of it held out, 74 and 82 | 7 | 94 |
///
/// Coverage alone refuses 17, 20 and 1 percent wrongly for 50, 60 and 80 percent right. What stays answered uses the vault's words for something
/// else: `какое давление в шинах`, `сколько стоит установка`.
pub const ENOUGH: f32 = 0.64;

/// Whether one of the first passages answers the question.
#[must_use]
pub fn answered<'h>(hits: impl IntoIterator<Item = &'h Hit>) -> bool {
    hits.into_iter().take(ANSWERING).any(|hit| hit.evidence() >= ENOUGH)
}

impl Hit {
    /// How much speaks for it that the passage answers the question; comparable between questions, see [`ENOUGH`].
    #[must_use]
    pub fn evidence(&self) -> f32 {
        f32::from(self.words.min(WORDS)).mul_add(WORD, self.coverage)
    }
}

/// Most words of a question that are heeded.
const TERM_LIMIT: usize = 64;

/// A question, taken apart.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Question {
    /// Its words in order, each once.
    pub terms: Vec<Term>,
    /// Part codes in it, see [`analyse::codes`].
    pub codes: Vec<String>,
}

/// A word of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The folded word.
    pub word: String,
    /// It says nothing about what the question is about.
    pub stop: bool,
    /// Meanings from the glossary, each as folded words.
    pub meanings: Vec<Vec<String>>,
}

impl Question {
    /// Takes a question apart. Nothing in it is syntax.
    #[must_use]
    pub fn new(text: &str, glossary: &Glossary) -> Self {
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut terms: Vec<Term> = Vec::new();
        for word in analyse::words(text).into_iter().take(TERM_LIMIT) {
            if !places.contains_key(&word) {
                places.insert(word.clone(), terms.len());
                terms.push(Term { stop: analyse::is_stop_word(&word), meanings: Vec::new(), word });
            }
        }
        for (word, meaning) in glossary.expand(&analyse::words(text)) {
            if let Some(term) = places.get(&word).and_then(|at| terms.get_mut(*at)) {
                term.meanings.push(meaning);
            }
        }
        Self { terms, codes: analyse::codes(text) }
    }
}

/// Search over an index with the company's jargon.
pub struct Searcher {
    index: RwLock<Arc<dyn LexicalIndex>>,
    glossary: RwLock<Arc<Glossary>>,
}

impl Searcher {
    /// Search over `index`.
    #[must_use]
    pub fn new(index: Arc<dyn LexicalIndex>, glossary: Glossary) -> Self {
        Self { index: RwLock::new(index), glossary: RwLock::new(Arc::new(glossary)) }
    }

    /// Replaces the jargon after an import.
    pub fn set_glossary(&self, glossary: Glossary) {
        *self.glossary.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(glossary);
    }

    /// Replaces the index after it was rebuilt.
    pub fn set_index(&self, index: Arc<dyn LexicalIndex>) {
        *self.index.write().unwrap_or_else(PoisonError::into_inner) = index;
    }

    /// The index.
    #[must_use]
    pub fn index(&self) -> Arc<dyn LexicalIndex> {
        Arc::clone(&self.index.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A question, taken apart with the company's jargon.
    #[must_use]
    pub fn question(&self, text: &str) -> Question {
        Question::new(text, &self.glossary.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The best passages for a question, and whether they answer it.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn ask(&self, question: &str, filter: &Filter) -> Result<Answer, IndexError> {
        let hits = self.search(question, filter)?;
        let answered = answered(&hits);
        Ok(Answer { hits, answered })
    }

    /// The best passages for a question, best first. An empty question finds nothing.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn search(&self, question: &str, filter: &Filter) -> Result<Vec<Hit>, IndexError> {
        let glossary = Arc::clone(&self.glossary.read().unwrap_or_else(PoisonError::into_inner));
        let question = Question::new(question, &glossary);
        if question.terms.is_empty() || filter.limit == 0 {
            return Ok(Vec::new());
        }
        let prefer = language(&question).or(filter.prefer);
        self.index().search(&question, &Filter { prefer, ..filter.clone() })
    }
}
