//! Data that cannot be mistaken for orders: hidden characters are taken out, and every space becomes a marker that no data can hold.
//!
//! Datamarking after Hines et al., "Defending Against Indirect Prompt Injection Attacks With Spotlighting" (arXiv 2403.14720). The marker is a
//! private-use character chosen anew for every request; private-use characters of the data itself are removed before.

use unicode_normalization::UnicodeNormalization;

/// Characters that no font shows, or that turn the order of what it shows.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Characters that only markers may be.
fn is_private(c: char) -> bool {
    matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
}

/// The text without hidden and private-use characters, in NFC; line and paragraph separators are line breaks, other controls spaces.
#[must_use]
pub fn clean(text: &str) -> String {
    let visible = text.nfc().filter(|c| !is_hidden(*c) && !is_private(*c));
    visible
        .map(|c| match c {
            '\n' | '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
            c if c.is_control() => ' ',
            c => c,
        })
        .collect()
}

/// What stands between the words of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marker(char);

impl Marker {
    /// One of 6,400, by a random number.
    #[must_use]
    pub fn new(random: u64) -> Self {
        let offset = u32::try_from(random % 6_400).unwrap_or_default();
        Self(char::from_u32(0xe000 + offset).unwrap_or('\u{e000}'))
    }

    /// The character.
    #[must_use]
    pub const fn character(self) -> char {
        self.0
    }

    /// The data, cleaned, with the marker at the beginning of every line and in place of every space.
    #[must_use]
    pub fn mark(self, data: &str) -> String {
        let mut out = String::with_capacity(data.len() * 3 / 2);
        for line in clean(data).lines() {
            if !out.is_empty() {
                out.push('\n');
            }
            line.split_whitespace().for_each(|word| {
                out.push(self.0);
                out.push_str(word);
            });
        }
        out
    }

    /// A reply that repeats data may have kept markers: they are spaces again.
    #[must_use]
    pub fn unmark(self, reply: &str) -> String {
        reply.replace(self.0, " ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_taken_out() {
        assert_eq!(clean("3\u{200b} \u{202e}А\u{2066}\u{feff}\u{e0041}\u{ad}"), "3 А");
        assert_eq!(clean("a\u{e123}b\u{10ffff}\u{7}c\u{2028}d"), "ab c\nd");
        assert_eq!(clean("и\u{306}"), "й");
    }

    #[test]
    fn data_is_marked_and_cannot_forge_the_marker() {
        let marker = Marker::new(0x123);
        assert_eq!(marker.character(), '\u{e123}');
        let marked = marker.mark("3 А,\n\n  плавкий\u{e123} ток");
        assert_eq!(marked, "\u{e123}3\u{e123}А,\n\n\u{e123}плавкий\u{e123}ток");
        assert_eq!(marker.unmark("3\u{e123}А"), "3 А");
        assert_ne!(Marker::new(1), Marker::new(2));
        assert_eq!(Marker::new(u64::MAX).mark(" ").len(), 0);
    }
}
