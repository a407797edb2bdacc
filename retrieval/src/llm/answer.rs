//! From a question and passages to an answer that may be shown: orders are kept from the model, it says whether the passages are enough, it
//! answers, and what it says is checked.

use fitter_domain::Locale;
use fitter_domain::passage::Passage;

use super::check::{self, Checked, Flaw};
use super::reply::{self, Enough};
use super::request::{self, Excerpt, Templates};
use super::spotlight::Marker;
use super::{Heard, LanguageModel, ModelError, language, orders};

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// An answer that passed every check.
    Written {
        /// The answer.
        checked: Checked,
        /// The passages answer a part of the question only.
        partly: bool,
    },
    /// The passages do not answer the question, says the model.
    NotEnough,
    /// The answer did not pass.
    Flawed(Flaw),
    /// There is no answer.
    Failed(ModelError),
    /// The model was not asked: the question, or the best passage, wants to be obeyed.
    NotAsked,
}

impl Outcome {
    /// For the metric's label.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Written { partly: false, .. } => "written",
            Self::Written { partly: true, .. } => "partly",
            Self::NotEnough => "not_enough",
            Self::Flawed(_) => "flawed",
            Self::Failed(error) => error.name(),
            Self::NotAsked => "not_asked",
        }
    }
}

/// What is asked, and how.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// The rules.
    pub templates: &'a Templates,
    /// The question.
    pub question: &'a str,
    /// The passages, best first; all of them may be seen by the asker.
    pub passages: &'a [Passage],
    /// The language to answer in if the question does not tell.
    pub locale: Locale,
    /// Random, new for every question: marker and ids are made of it.
    pub seed: u64,
    /// Tokens of the answer, the JSON around it included.
    pub max_tokens: u32,
}

/// Asks the model. `seen` is told what may be seen of an answer that grows, each time it is more.
pub async fn answer(model: &dyn LanguageModel, task: Task<'_>, seen: Heard<'_>) -> Outcome {
    let Task { templates, question, passages, .. } = task;
    let keep = |passage: &Passage| !orders::suspicious(&format!("{}\n{}", passage.source(), passage.body.plain()));
    if orders::suspicious(question) || !passages.first().is_some_and(keep) {
        return Outcome::NotAsked;
    }
    let excerpts = request::excerpts(passages, task.seed, keep);
    let marker = Marker::new(task.seed);
    let partly = match model.complete(&request::sufficiency(&templates.sufficiency, question, &excerpts, marker), &mut |_| {}).await {
        Err(error) => return Outcome::Failed(error),
        Ok(said) => match reply::enough(&said) {
            None => return Outcome::Failed(ModelError::Unreadable("no verdict")),
            Some(Enough::No) => return Outcome::NotEnough,
            Some(Enough::Partly) => true,
            Some(Enough::Yes) => false,
        },
    };
    let locale = language::to_answer(question, task.locale);
    let ask = request::answer(&templates.answer, question, &excerpts, marker, locale, check::CHARACTERS, task.max_tokens);
    let window = check::Window::new(question, &excerpts);
    let mut shown = String::new();
    let mut heard = |reply: &str| {
        let glimpse = reply::growing(reply).and_then(|text| window.glimpse(&marker.unmark(&text)));
        if let Some(glimpse) = glimpse
            && glimpse.len() > shown.len()
        {
            seen(&glimpse);
            shown = glimpse;
        }
    };
    match model.complete(&ask, &mut heard).await {
        Err(error) => Outcome::Failed(error),
        Ok(said) => judge(question, &marker.unmark(&said), &excerpts, partly),
    }
}

/// What a whole reply is worth.
fn judge(question: &str, said: &str, excerpts: &[Excerpt], partly: bool) -> Outcome {
    let Some(draft) = reply::draft(said) else { return Outcome::Failed(ModelError::Unreadable("no answer")) };
    match check::check(question, &draft, excerpts) {
        Ok(checked) => Outcome::Written { checked, partly },
        Err(flaw) => Outcome::Flawed(flaw),
    }
}
