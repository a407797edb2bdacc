//! The rules that a language model is given: `llm/<purpose>/v<number>.md`. A version is never changed once it was released; the newest one counts.

use include_dir::{Dir, include_dir};

use crate::PromptsError;

static LLM: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/llm");

/// What a model is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Whether passages are enough to answer a question.
    Sufficiency,
    /// The answer.
    Answer,
}

impl Purpose {
    const fn folder(self) -> &'static str {
        match self {
            Self::Sufficiency => "sufficiency",
            Self::Answer => "answer",
        }
    }
}

/// Rules for a purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Their version.
    pub version: u32,
    /// Their text, with places for what is filled in.
    pub text: &'static str,
}

/// The newest rules for a purpose.
///
/// # Errors
/// [`PromptsError`] if there are none; a test reads all of them.
pub fn rules(purpose: Purpose) -> Result<Rules, PromptsError> {
    let folder = purpose.folder();
    let files = LLM.get_dir(folder).into_iter().flat_map(Dir::files);
    let versions = files.filter_map(|file| {
        let version = file.path().file_stem()?.to_str()?.strip_prefix('v')?.parse().ok()?;
        Some(Rules { version, text: file.contents_utf8()? })
    });
    versions.max_by_key(|rules| rules.version).ok_or(PromptsError::Rules(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_purpose_has_rules_with_their_places() {
        for (purpose, places) in [(Purpose::Sufficiency, &["{marker}"][..]), (Purpose::Answer, &["{marker}", "{language}", "{characters}"])]
        {
            let rules = rules(purpose).unwrap();
            assert!(rules.version >= 1);
            for place in places {
                assert!(rules.text.contains(place), "{purpose:?} {place}");
            }
        }
    }
}
