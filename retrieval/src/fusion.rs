//! Two lists of passages become one: what the words find, and what the vectors find.

use std::collections::HashMap;

use fitter_domain::Locale;
use serde::{Deserialize, Serialize};

use crate::analyse;
use crate::dense::Near;
use crate::index::Hit;

mod fit;

pub use fit::{Asked, Fit, fit};

/// Passages that each list gives.
pub const CANDIDATES: usize = 100;

/// How the lists are weighed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fusion {
    /// Convex combination of normalised scores (Bruch, Gai, Ingber, TOIS 2023, arXiv 2210.11934); the share of the words, 0 to 1.
    Weight(f32),
    /// Reciprocal ranks (Cormack, Clarke, Büttcher, SIGIR 2009), for those who have no questions to fit a weight with.
    Rrf,
}

impl Default for Fusion {
    fn default() -> Self {
        Self::Weight(0.4)
    }
}

/// The constant of reciprocal ranks that its authors found to be good.
const RRF: f32 = 60.0;

/// Added to the normalised similarity of a note in the asker's language, as the index adds to its own score.
const PREFER: f32 = 0.1;

/// A passage with what each list says of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Fused {
    /// The passage; its score is the fused one.
    pub hit: Hit,
    /// Its score by words, if they found it.
    pub lexical: Option<f32>,
    /// Its similarity, if the vectors found it.
    pub dense: Option<f32>,
}

impl From<Hit> for Fused {
    /// What the words found, when there is nothing to fuse it with.
    fn from(hit: Hit) -> Self {
        Self { lexical: Some(hit.score), dense: None, hit }
    }
}

/// One list of two, best first. A passage that a list lacks has 0 there.
#[must_use]
pub fn fuse(lexical: Vec<Hit>, near: &[Near], fusion: Fusion, prefer: Option<Locale>) -> Vec<Fused> {
    if near.is_empty() {
        return lexical.into_iter().map(Fused::from).collect();
    }
    let share = match fusion {
        Fusion::Weight(share) => share.clamp(0.0, 1.0),
        Fusion::Rrf => 0.5,
    };
    let mut out: Vec<Fused> = Vec::with_capacity(lexical.len() + near.len());
    let mut places: HashMap<(String, u32), usize> = HashMap::new();
    // The least score by words that there can be is 0; the least of the list would make the last of two good passages worthless.
    let most = lexical.iter().map(|hit| hit.score).fold(f32::MIN_POSITIVE, f32::max);
    for (rank, mut hit) in lexical.into_iter().enumerate() {
        let own = hit.score;
        hit.score = share * if fusion == Fusion::Rrf { reciprocal(rank) } else { own / most };
        places.insert((hit.note.clone(), hit.chunk), out.len());
        out.push(Fused { hit, lexical: Some(own), dense: None });
    }
    for (one, score) in near.iter().zip(scores(near, fusion, prefer)) {
        let key = (one.note.clone(), one.chunk);
        let at = *places.entry(key).or_insert_with(|| {
            out.push(Fused {
                hit: Hit { note: one.note.clone(), chunk: one.chunk, score: 0.0, coverage: 0.0, words: 0 },
                lexical: None,
                dense: None,
            });
            out.len() - 1
        });
        if let Some(fused) = out.get_mut(at) {
            fused.dense = Some(one.similarity);
            fused.hit.score += (1.0 - share) * score;
        }
    }
    sort(&mut out);
    out
}

/// Similarities from 0 to 1: models put everything between two narrow bounds of their own.
fn scores(near: &[Near], fusion: Fusion, prefer: Option<Locale>) -> Vec<f32> {
    if fusion == Fusion::Rrf {
        return (0..near.len()).map(reciprocal).collect();
    }
    let most = near.iter().map(|one| one.similarity).fold(f32::MIN, f32::max);
    let least = near.iter().map(|one| one.similarity).fold(f32::MAX, f32::min);
    let normal = |similarity: f32| if most > least { (similarity - least) / (most - least) } else { 1.0 };
    let own = |one: &Near| if prefer == Some(one.locale) { PREFER } else { 0.0 };
    near.iter().map(|one| (normal(one.similarity) + own(one)) / (1.0 + PREFER)).collect()
}

/// 1 for the first.
fn reciprocal(rank: usize) -> f32 {
    (RRF + 1.0) / (RRF + 1.0 + rank as f32)
}

fn sort(hits: &mut [Fused]) {
    hits.sort_by(|a, b| {
        let place = |one: &Fused| (one.hit.note.clone(), one.hit.chunk);
        b.hit.score.total_cmp(&a.hit.score).then_with(|| place(a).cmp(&place(b)))
    });
}

/// What a note is about, by its front matter, or what a person works on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// Devices.
    pub devices: Vec<String>,
    /// Vehicles: make, model, year or years (`Toyota Hilux 2015-2020`), each as far as it is known.
    pub vehicles: Vec<String>,
}

/// What is said of something else ranks by this lower. It is not hidden: the person may well ask about something else.
const FOREIGN: f32 = 0.75;
/// What is said of the thing at hand ranks by this higher.
const OWN: f32 = 1.1;

/// Orders passages anew by what their notes are about, for somebody who has something `at_hand`.
pub fn bend(hits: &mut [Fused], at_hand: &Subject, subjects: &HashMap<String, Subject>) {
    for fused in hits.iter_mut() {
        if let Some(subject) = subjects.get(&fused.hit.note) {
            fused.hit.score *= factor(&subject.devices, &at_hand.devices, device) * factor(&subject.vehicles, &at_hand.vehicles, vehicle);
        }
    }
    sort(hits);
}

fn factor(about: &[String], focus: &[String], same: fn(&str, &str) -> bool) -> f32 {
    if about.is_empty() || focus.is_empty() {
        return 1.0;
    }
    if about.iter().any(|one| focus.iter().any(|other| same(one, other))) { OWN } else { FOREIGN }
}

/// `FMB 920` and `fmb920`; a series covers its devices (`FMB9` no, `FMB` yes): one is the other, or all letters of it.
fn device(about: &str, focus: &str) -> bool {
    let plain = |name: &str| analyse::words(name).concat();
    let (about, focus) = (plain(about), plain(focus));
    let series = about.chars().all(char::is_alphabetic)
        && focus.strip_prefix(&about).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    about == focus || (!about.is_empty() && series)
}

/// Every word of the shorter one is in the longer one, and their years meet.
fn vehicle(about: &str, focus: &str) -> bool {
    let (about, focus) = (Described::new(about), Described::new(focus));
    let (short, long) = if about.words.len() <= focus.words.len() { (&about, &focus) } else { (&focus, &about) };
    let years = match (about.years, focus.years) {
        (Some((from, to)), Some((other_from, other_to))) => from <= other_to && other_from <= to,
        _ => true,
    };
    years && !short.words.is_empty() && short.words.iter().all(|word| long.words.contains(word))
}

struct Described {
    words: Vec<String>,
    years: Option<(u16, u16)>,
}

impl Described {
    fn new(text: &str) -> Self {
        let mut own = Self { words: Vec::new(), years: None };
        let parts = text.split(|c: char| c.is_whitespace() || matches!(c, '-' | '–' | '—' | ',' | '/')).filter(|part| !part.is_empty());
        let open = text.trim_end().ends_with(['-', '–', '—', '+']);
        for part in parts {
            match part.trim_end_matches('+').parse::<u16>() {
                Ok(year @ 1900..=2099) => own.years = Some(own.years.map_or((year, year), |(from, to)| (from.min(year), to.max(year)))),
                _ => own.words.extend(analyse::words(part)),
            }
        }
        own.years = own.years.map(|(from, to)| if open { (from, u16::MAX) } else { (from, to) });
        own
    }
}

#[cfg(test)]
mod tests;
