//! `%%comments%%` and `<% templates %>` are taken out before parsing, so that nothing of them is ever indexed or shown.

use crate::problem::Problems;

/// Blanks comments and Templater commands outside code; line breaks stay, so line numbers do too.
///
/// A comment that begins a line may span paragraphs, any other ends in its own paragraph (`5 %% 10 %%` stays text otherwise). A comment
/// that begins a line and never ends hides the rest, as in Obsidian, and is reported.
pub(super) fn strip(source: &str, problems: &mut Problems) -> String {
    if !source.contains("%%") && !source.contains("<%") {
        return source.to_owned();
    }
    let mut out = String::with_capacity(source.len());
    let (mut rest, mut line_start, mut line) = (source, true, 1_u32);
    let mut fence: Option<(char, usize)> = None;
    while let Some(c) = rest.chars().next() {
        if line_start && let Some((mark, count)) = fence_of(rest) {
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
        let taken = if fence.is_some() { 0 } else { hidden(rest, line_start, line, problems) };
        if taken > 0 {
            let skipped = rest.get(..taken).unwrap_or_default();
            let breaks = skipped.matches('\n').count();
            out.extend(std::iter::repeat_n('\n', breaks));
            line += u32::try_from(breaks).unwrap_or(0);
            rest = rest.get(taken..).unwrap_or_default();
            line_start = false;
            continue;
        }
        let taken = if c == '`' && fence.is_none() { code_span(rest) } else { c.len_utf8() };
        let copied = rest.get(..taken).unwrap_or(rest);
        out.push_str(copied);
        line += u32::try_from(copied.matches('\n').count()).unwrap_or(0);
        line_start = if c == '\n' { true } else { line_start && matches!(c, ' ' | '\t' | '>') };
        rest = rest.get(taken..).unwrap_or_default();
    }
    out
}

/// Bytes of the comment or command that begins here; 0 when there is none.
fn hidden(rest: &str, line_start: bool, line: u32, problems: &mut Problems) -> usize {
    if let Some(inner) = rest.strip_prefix("<%") {
        return inner.find("%>").map_or(0, |at| at + 4);
    }
    let Some(inner) = rest.strip_prefix("%%") else { return 0 };
    let reach = if line_start { inner } else { inner.split("\n\n").next().unwrap_or(inner) };
    match reach.find("%%") {
        Some(at) => at + 4,
        None if line_start => {
            problems.warning(line, "the comment `%%` is not closed: everything after it is hidden");
            rest.len()
        }
        None => 0,
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

/// Bytes of the code span that begins here, else of the backticks.
fn code_span(rest: &str) -> usize {
    let ticks = rest.chars().take_while(|c| *c == '`').count();
    let paragraph = rest.split("\n\n").next().unwrap_or(rest);
    let mut at = ticks;
    while let Some(found) = paragraph.get(at..).and_then(|tail| tail.find('`')) {
        let run = paragraph.get(at + found..).map_or(0, |tail| tail.chars().take_while(|c| *c == '`').count());
        if run == ticks {
            return at + found + run;
        }
        at += found + run.max(1);
    }
    ticks
}
