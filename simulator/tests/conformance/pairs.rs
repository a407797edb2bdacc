//! The pairs as they are written down.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[expect(dead_code, reason = "for readers of the file")]
    about: String,
    pairs: Vec<Pair>,
}

/// A request and what the answer must be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// The file's name.
    #[serde(skip)]
    pub topic: String,
    pub name: String,
    #[serde(default)]
    pub before: Vec<Step>,
    pub method: String,
    pub params: Value,
    #[serde(default)]
    pub files: BTreeMap<String, Content>,
    pub expect: Value,
    #[serde(default)]
    pub after: Vec<Step>,
    pub source: String,
    pub checked: Checked,
    /// Why it cannot be replayed against Telegram.
    pub offline: Option<String>,
}

/// A call that has to go well.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub method: Option<String>,
    #[serde(default)]
    pub params: Value,
    #[serde(default)]
    pub files: BTreeMap<String, Content>,
    /// A path of `/sim` instead of a method.
    pub sim: Option<String>,
    #[serde(default)]
    pub body: Value,
    /// The name under which later requests find the result.
    pub save: Option<String>,
}

/// A file to upload.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// So many bytes that mean nothing.
    Bytes(usize),
    /// A picture of this size; the last number makes it another one.
    Png([u32; 3]),
    /// The beginning of a picture of this width and height, and so many bytes in all.
    PngHeader([u32; 3]),
}

/// How the expectation was verified.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Checked {
    /// Read in the source of telegram-bot-api.
    Server,
    /// Read in the source of TDLib, on which the server stands.
    Tdlib,
    /// Documented.
    Docs,
    /// Seen in reports about bots.
    Reports,
    /// Not at all.
    None,
}

impl std::fmt::Display for Checked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Server => "read in the server's source",
            Self::Tdlib => "read in TDLib's source",
            Self::Docs => "documented",
            Self::Reports => "seen in reports",
            Self::None => "never verified",
        })
    }
}

/// All pairs, by topic.
pub fn all() -> Vec<Pair> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance");
    let mut paths: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut pairs = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        let file: File = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let topic = path.file_stem().unwrap().to_string_lossy().into_owned();
        pairs.extend(file.pairs.into_iter().map(|pair| Pair { topic: topic.clone(), ..pair }));
    }
    pairs
}
