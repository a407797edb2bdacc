//! Questions to passages: what the words find and what the vectors find, ordered by what the asker works on, with a second look where the order
//! is doubtful.

use std::collections::HashMap;
use std::time::Instant;

use chrono::TimeDelta;
use fitter_domain::Locale;
use fitter_domain::ids::PersonId;
use fitter_domain::person::Role;
use fitter_retrieval::analyse;
use fitter_retrieval::fusion::{self, CANDIDATES, Fused, Subject};
use fitter_retrieval::index::Hit;
use fitter_retrieval::rerank::{self, RERANKED};
use fitter_retrieval::search::{self, Answer};
use fitter_store::{notes, plain, subjects};

use crate::app::App;
use crate::error::ServiceError;
use crate::search::{Asked, visible_to};

/// Hits that a person can leaf through.
const HITS: usize = 5;
/// Characters of a question that are searched for.
const SEARCHED: usize = 1000;
/// A walk in which nothing happened for so long is not at hand any more.
const FORGOTTEN: TimeDelta = TimeDelta::hours(12);
/// Passages that are ordered anew by what is at hand.
const BENT: usize = 30;

/// What was found for a question, and how.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Looked {
    /// The best passages, best first, with what words and vectors say of each.
    pub hits: Vec<Fused>,
    /// Whether they answer the question.
    pub answered: bool,
    /// Whether the order was looked at a second time.
    pub reranked: bool,
    /// Whether the index was out of order, and the database alone answered.
    pub degraded: bool,
}

impl App {
    /// What a person works on: what the walk is about that they began last, if it went on lately. Nothing if there is none.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn at_hand(&self, person: PersonId) -> Result<Subject, ServiceError> {
        let since = self.clock.now() - FORGOTTEN;
        let subject = subjects::at_hand(&mut *self.db.pool().acquire().await?, person, since).await?;
        Ok(subject.map(|subject| Subject { devices: subject.devices, vehicles: subject.vehicles }).unwrap_or_default())
    }

    /// The best passages for a question that its asker may see.
    ///
    /// # Errors
    /// If the database refuses while the index is out of order.
    pub async fn ask(&self, text: &str, role: Role, prefer: Locale, at_hand: &Subject) -> Result<Asked, ServiceError> {
        let looked = self.look(text, role, prefer, at_hand, HITS).await?;
        let hits = looked.hits.into_iter().map(|fused| fused.hit).collect();
        Ok(if looked.answered { Asked { hits, nearest: Vec::new() } } else { Asked { hits: Vec::new(), nearest: hits } })
    }

    /// The best passages for a question that its asker may see, whether they answer it or not; at most `limit`.
    ///
    /// # Errors
    /// As [`App::ask`].
    pub async fn look(&self, text: &str, role: Role, prefer: Locale, at_hand: &Subject, limit: usize) -> Result<Looked, ServiceError> {
        // A longer question is kept whole and searched for by its beginning.
        let text: String = text.chars().take(SEARCHED).collect();
        let dense = self.dense.model().is_some();
        let is_bent = *at_hand != Subject::default();
        let wanted = [(dense, CANDIDATES), (is_bent, BENT), (self.dense.settings().reranker.is_some(), RERANKED)];
        let wide = wanted.into_iter().filter(|(wanted, _)| *wanted).map(|(_, count)| count).fold(limit, usize::max);
        let ((answer, degraded), near) = tokio::join!(self.words(&text, role, prefer, wide), self.near(&text, role));
        let Answer { hits, answered } = answer?;
        let mut hits = fusion::fuse(hits, &near, self.dense.settings().fusion, Some(prefer));
        if is_bent {
            self.bend(&mut hits, at_hand).await?;
        }
        let (mut hits, reranked) = self.second_look(&text, hits).await;
        hits.truncate(limit);
        // What the vectors put first answers as well if it has the words.
        let answered = answered || search::answered(hits.iter().map(|fused| &fused.hit));
        Ok(Looked { hits, answered, reranked, degraded })
    }

    /// What the words find. If the index fails the database answers, and a new index is built.
    async fn words(&self, text: &str, role: Role, prefer: Locale, limit: usize) -> (Result<Answer, ServiceError>, bool) {
        if !self.search.is_degraded() {
            match self.search.by_words(text, role, prefer, limit).await {
                Ok(answer) => return (Ok(answer), false),
                Err(error) => {
                    tracing::error!(%error, "the search index fails; the database answers while a new one is built");
                    if let Err(error) = self.search.discard() {
                        return (Err(error), true);
                    }
                    let app = self.clone();
                    tokio::spawn(async move {
                        // The next chore tries again.
                        if let Err(error) = app.refresh_search().await {
                            tracing::error!(%error, "the search index was not built");
                        }
                    });
                }
            }
        }
        metrics::counter!("fitter_search_degraded_total", "part" => "words").increment(1);
        (self.plainly(text, role, limit).await, true)
    }

    async fn plainly(&self, text: &str, role: Role, limit: usize) -> Result<Answer, ServiceError> {
        let mut stems: Vec<String> =
            analyse::words(text).iter().filter(|word| !analyse::is_stop_word(word)).map(|word| analyse::stem(word)).collect();
        stems.sort_unstable();
        stems.dedup();
        if stems.is_empty() {
            return Ok(Answer::default());
        }
        let most = stems.len() as f32;
        let mut conn = self.db.pool().acquire().await?;
        let met = plain::find(&mut conn, &stems, visible_to(role), i64::try_from(limit).unwrap_or(i64::MAX)).await?;
        let hits: Vec<Hit> = met
            .into_iter()
            .map(|one| Hit {
                note: one.note,
                chunk: one.number,
                score: (one.met + one.named) as f32 / (2.0 * most),
                coverage: one.met as f32 / most,
                words: u8::try_from(one.met).unwrap_or(u8::MAX),
            })
            .collect();
        let answered = search::answered(&hits);
        Ok(Answer { hits, answered })
    }

    async fn bend(&self, hits: &mut [Fused], at_hand: &Subject) -> Result<(), ServiceError> {
        let mut paths: Vec<String> = hits.iter().map(|fused| fused.hit.note.clone()).collect();
        paths.sort_unstable();
        paths.dedup();
        let known = subjects::of(&mut *self.db.pool().acquire().await?, &paths).await?;
        let known: HashMap<String, Subject> =
            known.into_iter().map(|(note, subject)| (note, Subject { devices: subject.devices, vehicles: subject.vehicles })).collect();
        fusion::bend(hits, at_hand, &known);
        Ok(())
    }

    /// The order after a second look, if there is somebody to look and the order is doubtful; as it was if that fails or takes too long.
    async fn second_look(&self, text: &str, hits: Vec<Fused>) -> (Vec<Fused>, bool) {
        let settings = self.dense.settings();
        let Some(reranker) = settings.reranker.clone().filter(|_| rerank::is_doubtful(&hits, settings.margin)) else {
            return (hits, false);
        };
        let until = Instant::now() + settings.time;
        let scores = tokio::time::timeout(settings.time, async {
            let passages = self.texts(hits.iter().take(RERANKED).map(|fused| &fused.hit)).await?;
            let text = text.to_owned();
            tokio::task::spawn_blocking(move || reranker.scores(&text, &passages, until))
                .await
                .map_err(|_| ServiceError::Interrupted("second look"))?
                .map_err(ServiceError::from)
        });
        let outcome = match scores.await {
            Ok(Ok(scores)) => {
                metrics::counter!("fitter_reranks_total", "outcome" => "done").increment(1);
                return (rerank::reorder(hits, &scores), true);
            }
            Ok(Err(error)) => {
                tracing::debug!(%error, "no second look");
                "failed"
            }
            Err(_) => "late",
        };
        metrics::counter!("fitter_reranks_total", "outcome" => outcome).increment(1);
        (hits, false)
    }

    /// The texts of passages; empty for one that is gone.
    async fn texts(&self, hits: impl Iterator<Item = &Hit>) -> Result<Vec<String>, ServiceError> {
        let hits: Vec<&Hit> = hits.collect();
        let mut paths: Vec<String> = hits.iter().map(|hit| hit.note.clone()).collect();
        paths.sort_unstable();
        paths.dedup();
        let chunks = notes::chunks_of(&mut *self.db.pool().acquire().await?, &paths).await?;
        let mut by_note: HashMap<&str, Vec<&notes::ChunkRecord>> = HashMap::new();
        for stored in &chunks {
            by_note.entry(&stored.note).or_default().push(&stored.chunk);
        }
        let text = |hit: &&Hit| {
            let chunk = by_note.get(hit.note.as_str()).and_then(|chunks| chunks.get(hit.chunk as usize));
            chunk.map(|chunk| format!("{}\n{}", chunk.headings.join(" > "), chunk.text)).unwrap_or_default()
        };
        Ok(hits.iter().map(text).collect())
    }

    /// Says in the metrics whether the index is in order.
    pub fn tell_search(&self) {
        metrics::gauge!("fitter_search_degraded").set(if self.search.is_degraded() { 1.0 } else { 0.0 });
        metrics::gauge!("fitter_search_vectors").set(if self.dense.model().is_some() { 1.0 } else { 0.0 });
    }
}
