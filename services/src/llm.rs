//! A language model beside the search: what it makes of the hits, within limits of time and number. Off unless one is configured.
//!
//! It changes nothing but the words of an answer: it has no tools, and what it says is checked before anybody sees it as an answer
//! ([`fitter_retrieval::llm`]). Whatever fails leaves the quoted passage, as if there were no model.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use fitter_domain::passage::Passage;
use fitter_domain::written::Written;
use fitter_domain::{Locale, msg};
use fitter_prompts::PromptsError;
use fitter_prompts::llm::{Purpose, rules};
use fitter_retrieval::llm::answer::{self, Outcome, Task};
use fitter_retrieval::llm::request::Templates;
use fitter_retrieval::llm::{Heard, LanguageModel, ModelError};
use tokio::sync::{Semaphore, watch};

use crate::app::App;
use crate::delivery::Address;

/// So many failures in a row, and the model is left alone for a while: nobody should wait for one that is away.
const FAILURES: u32 = 3;
/// For so long.
const PAUSE: Duration = Duration::from_secs(30);

/// Random numbers.
pub type Random = Box<dyn Fn() -> u64 + Send + Sync>;

/// Begins to show a text that is not final in a private chat: the newest one sent is shown, and the draft ends when the sender is dropped.
pub type Drafting = Box<dyn Fn(Address) -> watch::Sender<String> + Send + Sync>;

/// Limits of a model's work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest that one answer may take, all its calls together.
    pub time: Duration,
    /// Tokens of an answer.
    pub max_tokens: u32,
    /// Answers under way at once; who comes beyond reads the passage.
    pub at_once: usize,
    /// Show answers while they grow.
    pub drafts: bool,
}

/// A model that writes answers.
pub struct Writer {
    model: Arc<dyn LanguageModel>,
    templates: Templates,
    /// Versions of the rules, for the log.
    versions: [u32; 2],
    limits: Limits,
    random: Random,
    places: Semaphore,
    health: Mutex<Health>,
}

#[derive(Debug, Default)]
struct Health {
    /// In a row.
    failures: u32,
    /// The model is left alone until then.
    until: Option<Instant>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("model", &self.model.name()).field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Writer {
    /// A writer with the newest rules.
    ///
    /// # Errors
    /// If the program has no rules for a model.
    pub fn new(model: Arc<dyn LanguageModel>, limits: Limits, random: Random) -> Result<Self, PromptsError> {
        let (sufficiency, answer) = (rules(Purpose::Sufficiency)?, rules(Purpose::Answer)?);
        Ok(Self {
            model,
            templates: Templates { sufficiency: sufficiency.text.to_owned(), answer: answer.text.to_owned() },
            versions: [sufficiency.version, answer.version],
            limits,
            random,
            places: Semaphore::new(limits.at_once),
            health: Mutex::default(),
        })
    }

    /// What the model makes of passages for a question; none: the passages speak for themselves. `seen` is told what may be seen of an answer
    /// that grows.
    pub async fn write(&self, question: &str, passages: &[Passage], locale: Locale, seen: Heard<'_>) -> Option<Written> {
        let Ok(_place) = self.places.try_acquire() else {
            count("busy");
            return None;
        };
        if self.rests(Instant::now()) {
            count("resting");
            return None;
        }
        let begun = Instant::now();
        let (templates, seed, max_tokens) = (&self.templates, (self.random)(), self.limits.max_tokens);
        let task = Task { templates, question, passages, locale, seed, max_tokens };
        let asked = tokio::time::timeout(self.limits.time, answer::answer(self.model.as_ref(), task, seen)).await;
        let outcome = asked.unwrap_or(Outcome::Failed(ModelError::Timeout));
        self.remember(&outcome, Instant::now());
        count(outcome.name());
        if outcome != Outcome::NotAsked {
            metrics::histogram!("fitter_llm_seconds").record(begun.elapsed().as_secs_f64());
        }
        let (model, [sufficiency, answer]) = (self.model.name(), self.versions);
        match &outcome {
            Outcome::Failed(error) => tracing::warn!(model, %error, "no answer of the language model; the passage is shown"),
            Outcome::Flawed(flaw) => {
                metrics::counter!("fitter_llm_flaws_total", "flaw" => flaw.name()).increment(1);
                tracing::info!(model, sufficiency, answer, flaw = flaw.name(), "an answer did not pass; the passage is shown");
            }
            outcome => tracing::debug!(model, sufficiency, answer, outcome = outcome.name(), "the language model was asked"),
        }
        match outcome {
            Outcome::Written { checked, partly } => {
                let cited = checked.cited.into_iter().filter_map(|place| u32::try_from(place).ok()).collect();
                Some(Written::Answer { text: checked.text, cited, partly })
            }
            Outcome::Flawed(_) => Some(Written::Unproven),
            Outcome::NotEnough => Some(Written::NotEnough),
            Outcome::Failed(_) | Outcome::NotAsked => None,
        }
    }

    fn health(&self) -> std::sync::MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rests(&self, now: Instant) -> bool {
        self.health().until.is_some_and(|until| now < until)
    }

    fn remember(&self, outcome: &Outcome, now: Instant) {
        let mut health = self.health();
        match outcome {
            // It is there, whatever it says.
            Outcome::Failed(ModelError::Unreadable(_)) | Outcome::NotAsked => {}
            Outcome::Failed(_) => {
                health.failures += 1;
                if health.failures >= FAILURES {
                    health.until = Some(now + PAUSE);
                }
            }
            Outcome::Written { .. } | Outcome::NotEnough | Outcome::Flawed(_) => *health = Health::default(),
        }
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("fitter_llm_calls_total", "outcome" => outcome).increment(1);
}

impl App {
    /// What a language model makes of the hits, if there is one; shown as a draft while it grows.
    pub(crate) async fn written(&self, question: &str, hits: &[Passage], locale: Locale, to: Address) -> Option<Written> {
        let writer = self.writer.as_ref().filter(|_| !hits.is_empty())?;
        // Bots can show drafts in private chats only, whose numbers are positive.
        let shows = writer.limits.drafts && to.chat.0 > 0 && !writer.rests(Instant::now());
        let draft = self.drafting.get().filter(|_| shows).map(|begin| begin(to));
        let mut seen = |text: &str| {
            if let Some(draft) = &draft {
                let text = self.messages.say(locale, &msg::answer_checking(text));
                // Nobody shows it any more when the process stops.
                let _shown = draft.send(text);
            }
        };
        writer.write(question, hits, locale, &mut seen).await
    }
}

#[cfg(test)]
mod tests;
