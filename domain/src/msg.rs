//! Typed messages for people. The words are in `prompts/messages/<locale>/*.ftl`; `build.rs` makes one function per message from the Russian
//! files, its parameters in alphabetical order, and fails the build when another language lacks a message or takes other arguments.

use serde::{Deserialize, Serialize};

include!(concat!(env!("OUT_DIR"), "/messages.rs"));

/// An argument of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Arg {
    /// A number, for plural forms.
    Number(f64),
    /// Text, inserted as it is.
    Text(String),
}

macro_rules! counts {
    ($($t:ty),+) => {$(
        impl From<$t> for Arg {
            #[expect(clippy::cast_precision_loss, reason = "counts shown to people are far below 2^53")]
            fn from(n: $t) -> Self {
                Self::Number(n as f64)
            }
        }
    )+};
}
counts!(i64, u64, usize);
impl From<i32> for Arg {
    fn from(n: i32) -> Self {
        Self::Number(f64::from(n))
    }
}
impl From<u32> for Arg {
    fn from(n: u32) -> Self {
        Self::Number(f64::from(n))
    }
}
impl From<f64> for Arg {
    fn from(n: f64) -> Self {
        Self::Number(n)
    }
}
impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<String> for Arg {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl From<&String> for Arg {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

/// A message with its arguments, not yet in any language.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Msg {
    /// Its key in the Fluent files.
    pub key: std::borrow::Cow<'static, str>,
    /// Its arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<(std::borrow::Cow<'static, str>, Arg)>,
}

impl Eq for Msg {}
