//! What people type, and the names they go by: signs that nobody sees are no words, and a name stays a name whatever it is made of.

use unicode_segmentation::UnicodeSegmentation as _;

/// Longest name kept, in characters (Telegram's own first names hold 64).
const LONGEST_NAME: usize = 64;
/// Characters of what the eye takes for one. The longest emoji has ten; stacks of accents that reach into other lines have dozens.
const LONGEST_SIGN: usize = 10;

/// Signs that steer a text and are no part of it: byte order marks, directions, soft hyphens, joiners of nothing.
const fn steers(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// Nothing is seen of it (Unicode: `Default_Ignorable_Code_Point`, and the blank of braille).
fn is_unseen(c: char) -> bool {
    steers(c)
        || c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200c}' | '\u{200d}'
            | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether nothing of a text can be seen.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(is_unseen)
}

/// A text without white space and steering signs around it. What is inside stays as it was typed.
#[must_use]
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c.is_control() || steers(c))
}

/// A name that fits a line: at most 64 characters, single spaces, no signs that turn or overwrite what stands around it. Empty if nothing is seen.
#[must_use]
pub fn name(text: &str) -> String {
    let plain: String = text.chars().filter(|c| c.is_whitespace() || !(c.is_control() || steers(*c))).collect();
    let mut name = String::new();
    let mut left = LONGEST_NAME;
    for sign in plain.split_whitespace().collect::<Vec<_>>().join(" ").graphemes(true) {
        let length = sign.chars().count().min(LONGEST_SIGN);
        let Some(rest) = left.checked_sub(length) else { break };
        left = rest;
        name.extend(sign.chars().take(LONGEST_SIGN));
    }
    if is_blank(&name) { String::new() } else { name.trim_end().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_their_line() {
        assert_eq!(name("  Ольга \n  Петровна "), "Ольга Петровна");
        assert_eq!(name("<b>Ян</b> & *co*"), "<b>Ян</b> & *co*");
        assert_eq!(name("\u{202e}авонавИ\u{0}\u{feff}"), "авонавИ");
        assert_eq!(name("👨‍👩‍👧‍👦 🏴󠁧󠁢󠁥󠁮󠁧󠁿"), "👨‍👩‍👧‍👦 🏴󠁧󠁢󠁥󠁮󠁧󠁿");
        assert_eq!(name(&"Ы".repeat(10_000)).chars().count(), 64);
        assert_eq!(name(&"👨‍👩‍👧‍👦".repeat(20)).chars().count(), 63);
        let stacked: String = "Zalgo".chars().flat_map(|c| [c].into_iter().chain(['\u{301}'; 50])).collect();
        assert_eq!(name(&stacked).chars().count(), 50);
        for nothing in ["", " \t\n", "\u{200b}\u{2060}", "\u{3164}", "\u{2800} \u{115f}", "\u{200d}\u{fe0f}"] {
            assert_eq!(name(nothing), "", "{nothing:?}");
        }
    }

    #[test]
    fn nothing_to_see() {
        assert!(is_blank("\u{200b} \u{3164}\n") && !is_blank("\u{200b}а") && !is_blank("👍"));
        assert_eq!(trimmed("\u{feff} \u{200f}12,4\u{200f}\n"), "12,4");
        assert_eq!(trimmed("❤\u{fe0f}"), "❤\u{fe0f}");
        assert_eq!(trimmed("می\u{200c}خواهم"), "می\u{200c}خواهم");
    }
}
