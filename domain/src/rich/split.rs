//! Cutting a long text into messages.

use unicode_segmentation::UnicodeSegmentation;

use super::{Entity, Formatted, utf16_len};

/// Longest text of a message, UTF-16 units (Bot API: `sendMessage`).
pub const TEXT_LIMIT: usize = 4096;
/// Longest caption, UTF-16 units (Bot API: `sendPhoto`).
pub const CAPTION_LIMIT: usize = 1024;
/// Entities of a message that Telegram heeds; it ignores the rest silently.
pub const ENTITY_LIMIT: usize = 100;

/// Cuts `whole` into parts of at most `limit` UTF-16 units and [`ENTITY_LIMIT`] entities each, the first of at most `first` units.
///
/// Cuts stand at the last empty line, else line, else sentence, else space, else between two graphemes; entities that cross a cut go on in
/// the next part. White space at a cut is dropped. An empty text gives no part.
#[must_use]
pub fn split(whole: &Formatted, first: usize, limit: usize) -> Vec<Formatted> {
    let mut parts = Vec::new();
    let (mut byte, mut at) = (0, 0);
    let mut room = first;
    loop {
        let rest = whole.text.get(byte..).unwrap_or_default();
        let skipped = rest.len() - rest.trim_start_matches('\n').len();
        let skipped = if parts.is_empty() { 0 } else { skipped };
        byte += skipped;
        at += skipped;
        let rest = whole.text.get(byte..).unwrap_or_default();
        if rest.trim().is_empty() {
            return parts;
        }
        let room_here = entity_room(whole, at, room);
        let taken = cut(rest, room_here);
        let text = rest.get(..taken).unwrap_or(rest);
        let units = utf16_len(text);
        let kept = text.trim_end();
        parts.push(Formatted { text: kept.to_owned(), entities: entities_within(&whole.entities, at, utf16_len(kept)) });
        byte += taken;
        at += units;
        room = limit;
    }
}

/// How many units from `at` may be taken so that at most [`ENTITY_LIMIT`] entities begin or continue in them.
fn entity_room(whole: &Formatted, at: usize, room: usize) -> usize {
    let mut starts: Vec<usize> =
        whole.entities.iter().filter(|e| e.offset + e.length > at && e.offset < at + room).map(|e| e.offset.max(at)).collect();
    starts.sort_unstable();
    match starts.get(ENTITY_LIMIT) {
        // More than the limit continue at `at` itself: nothing can be done but drop the surplus below.
        Some(&start) if start > at => start - at,
        _ => room,
    }
}

fn entities_within(entities: &[Entity], at: usize, units: usize) -> Vec<Entity> {
    entities
        .iter()
        .filter_map(|entity| {
            let from = entity.offset.max(at);
            let to = (entity.offset + entity.length).min(at + units);
            (from < to).then(|| Entity { kind: entity.kind.clone(), offset: from - at, length: to - from })
        })
        .take(ENTITY_LIMIT)
        .collect()
}

/// Bytes of `text` that go into a part of `room` units; at least one grapheme, so that the cutting ends.
fn cut(text: &str, room: usize) -> usize {
    let mut units = 0;
    let mut fits = 0;
    for (byte, grapheme) in text.grapheme_indices(true) {
        units += utf16_len(grapheme);
        if units > room {
            return best_break(text, fits).unwrap_or_else(|| forced(text, byte, grapheme, room));
        }
        fits = byte + grapheme.len();
    }
    text.len()
}

/// A single grapheme longer than a whole message (stacked combining marks) is cut between code points.
fn forced(text: &str, byte: usize, grapheme: &str, room: usize) -> usize {
    if byte > 0 {
        return byte;
    }
    let mut units = 0;
    for (offset, ch) in grapheme.char_indices() {
        units += ch.len_utf16();
        if units > room.max(2) {
            return offset;
        }
    }
    text.len()
}

fn best_break(text: &str, fits: usize) -> Option<usize> {
    let window = text.get(..fits)?;
    // A break in the first third would leave a stub: prefer a coarser cut further down.
    let least = fits / 3;
    ["\n\n", "\n", ". ", "! ", "? ", "; ", " "]
        .iter()
        .find_map(|mark| window.rfind(mark).map(|at| at + mark.len()).filter(|at| *at > least))
        .or_else(|| (fits > 0).then_some(fits))
}

#[cfg(test)]
mod tests {
    use super::super::{EntityKind, Rich, flatten};
    use super::*;

    fn plain(text: &str) -> Formatted {
        Formatted { text: text.to_owned(), entities: Vec::new() }
    }

    #[test]
    fn a_short_text_is_one_part() {
        assert_eq!(split(&plain("привет"), 10, 10), vec![plain("привет")]);
        assert!(split(&plain(" \n "), 10, 10).is_empty());
    }

    #[test]
    fn cuts_at_the_empty_line_first() {
        let parts = split(&plain("один два\n\nтри четыре"), 14, 14);
        assert_eq!(parts.iter().map(|p| p.text.as_str()).collect::<Vec<_>>(), vec!["один два", "три четыре"]);
    }

    #[test]
    fn an_entity_goes_on_in_the_next_part() {
        let whole = flatten(&Rich::text("ab ").bold("cd ef").push(" gh"));
        let parts = split(&whole, 6, 6);
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[0].text, "ab cd");
        assert_eq!((parts[0].entities[0].offset, parts[0].entities[0].length), (3, 2));
        assert_eq!(parts[1].text, "ef gh");
        assert_eq!((parts[1].entities[0].offset, parts[1].entities[0].length), (0, 2));
    }

    #[test]
    fn never_cuts_a_grapheme_and_always_ends() {
        let family = "👨‍👩‍👧‍👦".repeat(700);
        let parts = split(&plain(&family), CAPTION_LIMIT, TEXT_LIMIT);
        assert_eq!(parts.concat_text(), family);
        assert!(parts.iter().all(|p| p.text.graphemes(true).all(|g| g == "👨‍👩‍👧‍👦")));
        let stacked = format!("a{}", "\u{301}".repeat(9000));
        let parts = split(&plain(&stacked), TEXT_LIMIT, TEXT_LIMIT);
        assert_eq!(parts.concat_text(), stacked);
    }

    #[test]
    fn at_most_a_hundred_entities_each() {
        let mut rich = Rich::new();
        for _ in 0..250 {
            rich = rich.bold("x").push(" ");
        }
        let parts = split(&flatten(&rich), TEXT_LIMIT, TEXT_LIMIT);
        assert!(parts.iter().all(|p| p.entities.len() <= ENTITY_LIMIT));
        let kinds: usize = parts.iter().flat_map(|p| &p.entities).filter(|e| e.kind == EntityKind::Bold).count();
        assert_eq!(kinds, 250);
    }

    trait ConcatText {
        fn concat_text(&self) -> String;
    }
    impl ConcatText for Vec<Formatted> {
        fn concat_text(&self) -> String {
            self.iter().map(|p| p.text.as_str()).collect()
        }
    }
}
