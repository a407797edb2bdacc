//! What a language model made of the hits of a search.

use serde::{Deserialize, Serialize};

/// What a language model made of the hits of a search. There is none if no model was asked, or if it had nothing to say in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "written", rename_all = "snake_case")]
pub enum Written {
    /// An answer in words that passed every check.
    Answer {
        /// Its text; nothing in it is markup.
        text: String,
        /// Places of the hits that it was taken from, from 0, the most important first.
        cited: Vec<u32>,
        /// It answers a part of the question only.
        partly: bool,
    },
    /// An answer that did not pass the checks; nobody sees it.
    Unproven,
    /// The hits do not answer the question, the model says.
    NotEnough,
}
