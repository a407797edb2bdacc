//! Answers that a language model writes from passages, and what has to be true of them before a person sees them.
//!
//! Nothing here speaks to a network: a model is whatever implements [`LanguageModel`].
//!
//! | module | what |
//! | --- | --- |
//! | [`spotlight`] | data that cannot be mistaken for orders |
//! | [`orders`] | text that wants to be obeyed |
//! | [`request`] | what a model is asked |
//! | [`reply`] | what it says, read strictly |
//! | [`facts`] | numbers, codes, names and menu paths of a text |
//! | [`check`] | whether the passages bear an answer out |
//! | [`language`] | the language of a text |
//! | [`answer`] | all of it in order |
//!
//! What is passed to a model and why: docs/llm.md.

use std::pin::Pin;

pub mod answer;
pub mod check;
pub mod facts;
pub mod language;
pub mod orders;
pub mod reply;
pub mod request;
pub mod spotlight;

/// Who says a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The product: rules.
    System,
    /// The data to work on.
    User,
}

/// A message to a model.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Who says it.
    pub by: Speaker,
    /// What.
    pub text: String,
}

impl std::fmt::Debug for Message {
    /// Without the words: they are of people and of notes.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message").field("by", &self.by).field("bytes", &self.text.len()).finish()
    }
}

/// The JSON that a reply should be; a model that knows schemas is held to it, the others are told in words.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    /// Its name, letters and `_` only.
    pub name: &'static str,
    /// JSON Schema.
    pub schema: serde_json::Value,
}

/// One call of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// Rules first, data last.
    pub messages: Vec<Message>,
    /// The form of the reply.
    pub wish: Wish,
    /// The longest reply.
    pub max_tokens: u32,
}

/// Why a model gave no reply. No variant holds words of people or of notes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// It does not do this for us: a wrong key, an unknown model, a request that it does not like.
    #[error("the language model refused: {0}")]
    Refused(String),
    /// It took too long.
    #[error("the language model took too long")]
    Timeout,
    /// It cannot be reached or has too much to do.
    #[error("the language model is away or busy: {0}")]
    Overloaded(String),
    /// What it sent cannot be read.
    #[error("the language model's reply cannot be read: {0}")]
    Unreadable(&'static str),
}

impl ModelError {
    /// For the metric's label.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::Timeout => "timeout",
            Self::Overloaded(_) => "overloaded",
            Self::Unreadable(_) => "unreadable",
        }
    }
}

/// Told the whole reply so far, each time there is more of it.
pub type Heard<'a> = &'a mut (dyn FnMut(&str) + Send);

/// A reply on its way.
pub type Completing<'a> = Pin<Box<dyn Future<Output = Result<String, ModelError>> + Send + 'a>>;

/// A language model.
pub trait LanguageModel: Send + Sync {
    /// The model's name, for logs.
    fn name(&self) -> &str;

    /// Completes messages to a reply. Dropped, it is given up.
    ///
    /// Errors: [`ModelError`].
    fn complete<'a>(&'a self, ask: &'a Ask, heard: Heard<'a>) -> Completing<'a>;
}
