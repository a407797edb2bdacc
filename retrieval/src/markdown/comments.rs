//! `%%comments%%`, `<!-- comments -->` and `<% templates %>` are taken out before parsing, so that nothing of them is ever indexed or shown.

use std::collections::HashMap;

use crate::problem::Problems;

/// Blanks comments and Templater commands outside code; line breaks stay, so line numbers do too.
///
/// A comment that begins a line may span paragraphs, any other ends in its own paragraph (`5 %% 10 %%` stays text otherwise). A comment
/// that begins a line and never ends hides the rest, as in Obsidian, and is reported. Takes time in proportion to the text, whatever is in it.
pub(super) fn strip(source: &str, problems: &mut Problems) -> String {
    if !source.contains("%%") && !source.contains("<%") && !source.contains("<!--") {
        return source.to_owned();
    }
    let mut out = String::with_capacity(source.len());
    let (spans, last_close, last_html) = (code_spans(source), source.rfind("%>"), source.rfind("-->"));
    let (mut rest, mut line_start, mut line) = (source, true, 1_u32);
    let mut fence: Option<(char, usize)> = None;
    while let Some(c) = rest.chars().next() {
        let at = source.len() - rest.len();
        // Not again behind each blank that the line begins with.
        let line_begins = source.get(..at).is_some_and(|before| before.is_empty() || before.ends_with('\n'));
        if line_begins && let Some((mark, count)) = fence_of(rest) {
            match fence {
                None => fence = Some((mark, count)),
                Some((open, at_least)) if open == mark && count >= at_least => fence = None,
                Some(_) => {}
            }
            let end = rest.find('\n').map_or(rest.len(), |at| at + 1);
            out.push_str(rest.get(..end).unwrap_or_default());
            rest = rest.get(end..).unwrap_or_default();
            line += 1;
            continue;
        }
        let closes =
            Closes { template: last_close.is_some_and(|close| close >= at + 2), html: last_html.is_some_and(|close| close >= at + 4) };
        let taken = if fence.is_some() { 0 } else { hidden(rest, line_start, closes, line, problems) };
        if taken > 0 {
            let skipped = rest.get(..taken).unwrap_or_default();
            let breaks = skipped.matches('\n').count();
            out.extend(std::iter::repeat_n('\n', breaks));
            line += u32::try_from(breaks).unwrap_or(0);
            rest = rest.get(taken..).unwrap_or_default();
            line_start = false;
            continue;
        }
        let taken = if c == '`' && fence.is_none() { spans.get(&at).map_or_else(|| ticks(rest), |end| end - at) } else { c.len_utf8() };
        let copied = rest.get(..taken).unwrap_or(rest);
        out.push_str(copied);
        line += u32::try_from(copied.matches('\n').count()).unwrap_or(0);
        line_start = if c == '\n' { true } else { line_start && matches!(c, ' ' | '\t' | '>') };
        rest = rest.get(taken..).unwrap_or_default();
    }
    out
}

/// Whether any `%>` and any `-->` follows: without one nobody has to look for it.
#[derive(Clone, Copy)]
struct Closes {
    template: bool,
    html: bool,
}

/// Bytes of the comment or command that begins here; 0 when there is none.
fn hidden(rest: &str, line_start: bool, closes: Closes, line: u32, problems: &mut Problems) -> usize {
    if let Some(inner) = rest.strip_prefix("<!--") {
        // One that is never closed is dropped with the rest of its block by the parser.
        return if closes.html { inner.find("-->").map_or(0, |at| at + 7) } else { 0 };
    }
    if let Some(inner) = rest.strip_prefix("<%") {
        return if closes.template { inner.find("%>").map_or(0, |at| at + 4) } else { 0 };
    }
    let Some(inner) = rest.strip_prefix("%%") else { return 0 };
    match inner.find("%%") {
        Some(at) if line_start || !inner.get(..at).is_some_and(|text| text.contains("\n\n")) => at + 4,
        None if line_start => {
            problems.warning(line, "the comment `%%` is not closed: everything after it is hidden");
            rest.len()
        }
        _ => 0,
    }
}

/// The mark and length of the fence that this line opens or closes.
fn fence_of(line: &str) -> Option<(char, usize)> {
    let line = line.trim_start_matches([' ', '\t', '>']);
    let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let count = line.chars().take_while(|c| *c == mark).count();
    let first = line.lines().next().unwrap_or_default();
    // A line such as ```code``` is a code span, not a fence.
    (count >= 3 && !(mark == '`' && first.trim_start_matches('`').contains('`'))).then_some((mark, count))
}

/// Where the code spans end, by where they could begin: a run of backticks ends at the next one as long as it in the same paragraph.
fn code_spans(source: &str) -> HashMap<usize, usize> {
    let mut spans = HashMap::new();
    let mut from = 0;
    for paragraph in source.split("\n\n") {
        let mut open: HashMap<usize, usize> = HashMap::new();
        let mut at = 0;
        while let Some(tail) = paragraph.get(at..)
            && let Some(found) = tail.find('`')
        {
            let start = at + found;
            let count = ticks(tail.get(found..).unwrap_or_default());
            at = start + count;
            if let Some(before) = open.insert(count, from + start) {
                spans.insert(before, from + at);
            }
        }
        from += paragraph.len() + 2;
    }
    spans
}

/// How many backticks stand here.
fn ticks(text: &str) -> usize {
    text.bytes().take_while(|byte| *byte == b'`').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A megabyte each. A look at the rest of it from each of its signs would take hours.
    #[test]
    fn no_text_takes_longer_than_its_length() {
        for (piece, left) in [
            (" ", " "),
            ("\t", "\t"),
            ("> ", "> "),
            ("<%", "<%"),
            ("<!--", "<!--"),
            ("`a``", "`a``"),
            ("x %%\n\n", "x %%\n\n"),
            ("x %% y %% ", "x  "),
        ] {
            let count = (1 << 20) / piece.len();
            let mut problems = Problems::new("note.md");
            let stripped = strip(&(piece.repeat(count) + "\n5 %% 10"), &mut problems);
            assert!(stripped == left.repeat(count) + "\n5 %% 10", "{piece:?}");
        }
    }
}
