//! Measures of a search against questions whose answers are known.
//!
//! Questions are JSON, one per line, with `id` and `text`, and as far as they are known `category`, `lang`, `answerable`, `must_contain` and where
//! the answer stands, in one of these forms:
//!
//! | form | an answer is |
//! | --- | --- |
//! | `gold: [{doc, start_line, end_line}]` | a passage of the document that has one of the lines |
//! | `gold: [{note, heading}]`, or both beside `text` | a passage of the note, under the heading if one is named |
//! | `notes: [path]` | any passage of one of the notes |
//! | a file of judgements (`query-id`, `corpus-id`, `score`, with tabs) | the passage of that name |
//!
//! A document is the same if one of the two paths ends with the other: questions may be written from a folder above the vault.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::time::Duration;

use fitter_domain::Locale;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub mod answers;

/// Ranks that count for [`Figures::mrr`] and [`Figures::ndcg`].
pub const DEPTH: usize = 10;

/// A line that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct ReadError {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

/// A question with its answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Its name.
    pub id: String,
    /// Its words.
    pub text: String,
    /// What kind of question it is; figures are told by it.
    pub category: Option<String>,
    /// The language of its asker.
    pub lang: Option<Locale>,
    /// Whether the notes answer it.
    pub answerable: bool,
    /// What a right answer says, each of them.
    pub must_contain: Vec<String>,
    /// Where the answers stand.
    pub gold: Vec<Gold>,
}

/// Where an answer stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Gold {
    /// Lines of a document, from 1, the last one inclusive.
    Lines {
        /// Path of the document.
        doc: String,
        /// The first line.
        start: u32,
        /// The last line.
        end: u32,
    },
    /// A section of a note, or all of it.
    Section {
        /// Path of the note.
        note: String,
        /// One of the passage's headings; empty for any.
        heading: String,
    },
    /// A passage by name.
    Passage {
        /// Its name.
        id: String,
        /// How good an answer it is, more than 0.
        grade: f32,
    },
}

/// A passage that was found, as far as it takes to judge it.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Path of its note, or the name of a passage that is no note's.
    pub note: &'a str,
    /// Its headings.
    pub headings: &'a [String],
    /// Its first and last line, from 1.
    pub lines: (u32, u32),
}

impl Gold {
    /// Whether a passage is this answer.
    #[must_use]
    pub fn is(&self, found: &Candidate<'_>) -> bool {
        match self {
            Self::Lines { doc, start, end } => same(doc, found.note) && found.lines.0 <= *end && found.lines.1 >= *start,
            Self::Section { note, heading } => {
                same(note, found.note) && (heading.is_empty() || found.headings.iter().any(|known| known == heading))
            }
            Self::Passage { id, .. } => id == found.note,
        }
    }

    const fn grade(&self) -> f32 {
        match self {
            Self::Passage { grade, .. } => *grade,
            Self::Lines { .. } | Self::Section { .. } => 1.0,
        }
    }
}

fn same(one: &str, other: &str) -> bool {
    let ends = |long: &str, short: &str| long.strip_suffix(short).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'));
    ends(one, other) || ends(other, one)
}

/// Reads questions; empty lines are none.
///
/// # Errors
/// [`ReadError`].
pub fn queries(text: &str) -> Result<Vec<Query>, ReadError> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(at, line)| query(line).map_err(|what| ReadError { line: at + 1, what })).collect()
}

fn query(line: &str) -> Result<Query, String> {
    #[derive(Deserialize)]
    struct Row {
        id: Value,
        text: String,
        category: Option<String>,
        lang: Option<String>,
        answerable: Option<bool>,
        #[serde(default)]
        must_contain: Vec<String>,
        gold: Option<Vec<Place>>,
        notes: Option<Vec<String>>,
        #[serde(flatten)]
        place: Place,
    }
    #[derive(Deserialize)]
    struct Place {
        doc: Option<String>,
        start_line: Option<u32>,
        end_line: Option<u32>,
        note: Option<String>,
        heading: Option<String>,
    }
    fn gold(place: Place) -> Option<Gold> {
        match (place.note, place.doc) {
            (Some(note), _) => Some(Gold::Section { note, heading: place.heading.unwrap_or_default() }),
            (None, Some(doc)) => Some(Gold::Lines { doc, start: place.start_line.unwrap_or(1), end: place.end_line.unwrap_or(u32::MAX) }),
            (None, None) => None,
        }
    }
    let row: Row = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let told = row.gold.is_some() || row.notes.is_some();
    let sections = row.notes.unwrap_or_default().into_iter().map(|note| Gold::Section { note, heading: String::new() });
    let gold: Vec<Gold> = row.gold.unwrap_or_default().into_iter().filter_map(gold).chain(gold(row.place)).chain(sections).collect();
    Ok(Query {
        id: row.id.as_str().map_or_else(|| row.id.to_string(), str::to_owned),
        text: row.text,
        category: row.category,
        lang: row.lang.as_deref().and_then(Locale::from_tag),
        answerable: row.answerable.unwrap_or(!told || !gold.is_empty()),
        must_contain: row.must_contain,
        gold,
    })
}

/// Gives questions judgements of passages in place of what they say themselves about their answers. Lines whose score is no number are headers;
/// those of 0 or less are no answers.
///
/// # Errors
/// [`ReadError`].
pub fn judge(queries: &mut [Query], judgements: &str) -> Result<(), ReadError> {
    let mut by_query: HashMap<&str, Vec<Gold>> = HashMap::new();
    for (at, line) in judgements.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let [query, id, score] = line.split('\t').collect::<Vec<_>>()[..] else {
            return Err(ReadError { line: at + 1, what: "not three values with tabs between them".to_owned() });
        };
        if let Some(grade) = score.trim().parse::<f32>().ok().filter(|grade| *grade > 0.0) {
            by_query.entry(query).or_default().push(Gold::Passage { id: id.to_owned(), grade });
        }
    }
    for query in queries {
        query.gold = by_query.remove(query.id.as_str()).unwrap_or_default();
    }
    Ok(())
}

/// How well questions of a kind were answered; shares are 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Questions with an answer.
    pub questions: u32,
    /// Share of them whose first passage is an answer.
    pub hit1: f32,
    /// One of the first three.
    pub hit3: f32,
    /// One of the first five.
    pub hit5: f32,
    /// Mean of 1 / rank of the first answer among the first ten, else 0.
    pub mrr: f32,
    /// Mean of the normalised discounted cumulative gain of the first ten (Järvelin, Kekäläinen, TOIS 2002). An answer counts where it is found
    /// first.
    pub ndcg: f32,
}

/// What one question brought.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Outcome {
    /// Place of the first answer, from 0.
    pub rank: Option<usize>,
    /// Its normalised discounted cumulative gain.
    pub ndcg: f32,
}

impl Outcome {
    /// Judges what was found for a question, best first.
    #[must_use]
    pub fn of(query: &Query, found: &[Candidate<'_>]) -> Self {
        let rank = found.iter().position(|one| query.gold.iter().any(|gold| gold.is(one)));
        let mut left: Vec<&Gold> = query.gold.iter().collect();
        let mut gained = 0.0;
        for (place, one) in found.iter().take(DEPTH).enumerate() {
            let before: f32 = left.iter().map(|gold| gold.grade()).sum();
            left.retain(|gold| !gold.is(one));
            gained += (before - left.iter().map(|gold| gold.grade()).sum::<f32>()) / discount(place);
        }
        let mut grades: Vec<f32> = query.gold.iter().map(Gold::grade).collect();
        grades.sort_by(|a, b| b.total_cmp(a));
        let best: f32 = grades.iter().take(DEPTH).enumerate().map(|(place, grade)| grade / discount(place)).sum();
        // One passage may be several answers at once, which is better than the best order of single ones.
        Self { rank, ndcg: if best > 0.0 { (gained / best).min(1.0) } else { 0.0 } }
    }
}

fn discount(place: usize) -> f32 {
    (place as f32 + 2.0).log2()
}

/// Sums over questions.
#[derive(Debug, Clone, Default)]
struct Sums {
    figures: Figures,
}

impl Sums {
    fn add(&mut self, outcome: Outcome) {
        let sums = &mut self.figures;
        sums.questions += 1;
        sums.ndcg += outcome.ndcg;
        let Some(rank) = outcome.rank else { return };
        for (within, sum) in [(1, &mut sums.hit1), (3, &mut sums.hit3), (5, &mut sums.hit5)] {
            *sum += f32::from(u8::from(rank < within));
        }
        sums.mrr += if rank < DEPTH { 1.0 / (rank as f32 + 1.0) } else { 0.0 };
    }

    fn means(&self) -> Figures {
        let Figures { questions, hit1, hit3, hit5, mrr, ndcg } = self.figures;
        let mean = |sum: f32| if questions == 0 { 0.0 } else { sum / questions as f32 };
        Figures { questions, hit1: mean(hit1), hit3: mean(hit3), hit5: mean(hit5), mrr: mean(mrr), ndcg: mean(ndcg) }
    }
}

/// Whether what cannot be answered is refused, and only that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Refusals {
    /// Questions without an answer.
    pub unanswerable: u32,
    /// Those of them that were refused.
    pub refused_right: u32,
    /// Questions with an answer that were refused.
    pub refused_wrong: u32,
}

/// How long questions took, in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Latency {
    /// Half of them took no longer.
    pub p50_us: u64,
    /// 95 of 100 took no longer.
    pub p95_us: u64,
}

/// What an evaluation tells.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Of all questions with an answer.
    pub all: Figures,
    /// The same by category.
    pub categories: BTreeMap<String, Figures>,
    /// Refusals.
    pub refusals: Refusals,
    /// Times.
    pub latency: Latency,
}

/// Collects what questions bring.
#[derive(Debug, Clone, Default)]
pub struct Evaluation {
    all: Sums,
    categories: BTreeMap<String, Sums>,
    refusals: Refusals,
    took: Vec<Duration>,
}

impl Evaluation {
    /// Adds a question: what was found for it, whether it was taken for answered, and how long that took.
    pub fn add(&mut self, query: &Query, found: &[Candidate<'_>], answered: bool, took: Duration) {
        self.took.push(took);
        if !query.answerable {
            self.refusals.unanswerable += 1;
            self.refusals.refused_right += u32::from(!answered);
            return;
        }
        // A question that should have an answer, and nobody said which, tells only of time.
        if query.gold.is_empty() {
            return;
        }
        self.refusals.refused_wrong += u32::from(!answered);
        let outcome = Outcome::of(query, found);
        self.all.add(outcome);
        if let Some(category) = &query.category {
            self.categories.entry(category.clone()).or_default().add(outcome);
        }
    }

    /// What came out.
    #[must_use]
    pub fn report(mut self) -> Report {
        self.took.sort_unstable();
        let at = |part: usize| {
            let took = self.took.get(self.took.len() * part / 100).copied().unwrap_or_default();
            u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
        };
        Report {
            all: self.all.means(),
            categories: self.categories.iter().map(|(name, sums)| (name.clone(), sums.means())).collect(),
            refusals: self.refusals,
            latency: Latency { p50_us: at(50), p95_us: at(95) },
        }
    }
}

impl fmt::Display for Report {
    /// A table for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:16} {:>5} {:>7} {:>7} {:>7} {:>7} {:>8}", "", "n", "hit@1", "hit@3", "hit@5", "MRR@10", "nDCG@10")?;
        let categories = self.categories.iter().map(|(name, figures)| (name.as_str(), figures));
        for (name, figures) in std::iter::once(("all", &self.all)).chain(categories) {
            let Figures { questions, hit1, hit3, hit5, mrr, ndcg } = figures;
            writeln!(f, "{name:16} {questions:5} {hit1:7.3} {hit3:7.3} {hit5:7.3} {mrr:7.3} {ndcg:8.3}")?;
        }
        let Refusals { unanswerable, refused_right, refused_wrong } = self.refusals;
        writeln!(
            f,
            "refused: {refused_right} of {unanswerable} that have no answer, {refused_wrong} of {} that have one",
            self.all.questions
        )?;
        write!(f, "time: p50 {} us, p95 {} us", self.latency.p50_us, self.latency.p95_us)
    }
}

#[cfg(test)]
mod tests;
