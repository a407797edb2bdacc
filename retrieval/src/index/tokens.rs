//! The analysis of [`crate::analyse`] as tantivy's tokenizers.

use tantivy::tokenizer::{TextAnalyzer, Token, TokenStream, Tokenizer, TokenizerManager};

use crate::analyse;

pub(super) const STEMS: &str = "fitter_stems";
pub(super) const GRAMS: &str = "fitter_grams";
pub(super) const CODES: &str = "fitter_codes";

/// What is made of a text.
#[derive(Clone, Copy)]
enum Analysis {
    Stems,
    Grams,
    Codes,
}

/// Makes the tokenizers known to an index.
pub(super) fn register(manager: &TokenizerManager) {
    for (name, analysis) in [(STEMS, Analysis::Stems), (GRAMS, Analysis::Grams), (CODES, Analysis::Codes)] {
        manager.register(name, TextAnalyzer::from(analysis));
    }
}

impl Tokenizer for Analysis {
    type TokenStream<'a> = Tokens;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Tokens {
        let words = match self {
            Self::Codes => analyse::codes(text),
            Self::Stems | Self::Grams => analyse::words(text),
        };
        Tokens { analysis: *self, words: words.into_iter(), grams: Vec::new(), token: Token::default(), count: 0 }
    }
}

/// Tokens of a text, one after another; offsets are not kept.
pub(super) struct Tokens {
    analysis: Analysis,
    words: std::vec::IntoIter<String>,
    /// Grams of the word that are still to come, last first.
    grams: Vec<String>,
    token: Token,
    count: usize,
}

impl TokenStream for Tokens {
    fn advance(&mut self) -> bool {
        if self.grams.is_empty() {
            let Some(word) = self.words.next() else { return false };
            self.grams = match self.analysis {
                Analysis::Stems => vec![analyse::stem(&word)],
                Analysis::Grams => analyse::grams(&word),
                Analysis::Codes => vec![word],
            };
            self.grams.reverse();
        }
        self.token.text = self.grams.pop().unwrap_or_default();
        self.token.position = self.count;
        self.count += 1;
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}
