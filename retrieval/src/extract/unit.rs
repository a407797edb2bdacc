//! Cuts a passage into the parts that can be quoted by themselves.

use fitter_domain::rich::{Node, Rich};

/// A paragraph of more characters than this is cut between its sentences.
const LONG_PARAGRAPH: usize = 420;
/// A table of more characters than this is cut into rows.
const LONG_TABLE: usize = 300;
/// Spaces of one level of a list, as notes are rendered.
const INDENT: usize = 3;

/// What a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A paragraph, or a sentence of a long one.
    Text,
    /// An item of a list, or a row of a wide table.
    Item,
    /// A row of a narrow table.
    Row,
    /// A block of code or a short table.
    Code,
    /// A quotation.
    Aside,
}

/// A part of a passage.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    pub kind: Kind,
    pub nodes: Vec<Node>,
    /// Its plain text.
    pub text: String,
    /// Characters of it.
    pub length: usize,
    /// What stands between it and the part before.
    pub joint: &'static str,
    /// The part that introduces it.
    pub lead: Option<usize>,
    /// Something in it is in bold or in code: what the author wants to be seen.
    pub marked: bool,
    /// Levels of lists it is in.
    depth: usize,
}

/// A line: what stands between two line breaks.
struct Line {
    nodes: Vec<Node>,
    /// Line breaks before it.
    breaks: usize,
}

/// The parts of a passage, in order; nothing but white space is left out.
pub(super) fn cut(text: &Rich) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    for line in lines(text) {
        let plain = Rich(line.nodes.clone()).plain();
        let trimmed = plain.trim_start();
        let depth = (plain.chars().count() - trimmed.chars().count()) / INDENT;
        let kind = match line.nodes.first() {
            Some(Node::Pre { .. }) => Kind::Code,
            Some(Node::Quote { .. }) => Kind::Aside,
            _ if is_item(trimmed) => Kind::Item,
            _ => Kind::Text,
        };
        let goes_on =
            kind == Kind::Text && line.breaks < 2 && units.last().is_some_and(|last| matches!(last.kind, Kind::Text | Kind::Item));
        match units.last_mut().filter(|_| goes_on) {
            Some(last) => {
                last.nodes.push(Node::Text("\n".to_owned()));
                last.nodes.extend(line.nodes);
            }
            None => {
                let joint = if line.breaks < 2 { "\n" } else { "\n\n" };
                units.push(Unit { kind, nodes: line.nodes, text: plain, length: 0, joint, lead: None, marked: false, depth });
            }
        }
    }
    let mut units: Vec<Unit> = units.into_iter().flat_map(parts).collect();
    for unit in &mut units {
        unit.text = Rich(unit.nodes.clone()).plain();
        unit.length = unit.text.chars().count();
        unit.marked = unit.nodes.iter().any(|node| matches!(node, Node::Code(_) | Node::Bold(_)));
    }
    for at in 0..units.len() {
        let lead = lead(&units, at);
        if let Some(unit) = units.get_mut(at) {
            unit.lead = unit.lead.map(|header| at.saturating_sub(header)).or(lead);
        }
    }
    units
}

fn lines(text: &Rich) -> Vec<Line> {
    let mut out: Vec<Line> = Vec::new();
    let (mut line, mut breaks, mut before): (Vec<Node>, usize, usize) = (Vec::new(), 0, 0);
    let mut end = |line: &mut Vec<Node>, breaks: usize| {
        let nodes = std::mem::take(line);
        if !Rich(nodes.clone()).plain().trim().is_empty() {
            out.push(Line { nodes, breaks });
            return true;
        }
        false
    };
    for node in &text.0 {
        match node {
            Node::Text(text) => {
                for (index, piece) in text.split('\n').enumerate() {
                    if index > 0 {
                        if end(&mut line, before) {
                            breaks = 0;
                        }
                        breaks += 1;
                    }
                    if !piece.is_empty() {
                        if line.is_empty() {
                            before = breaks;
                        }
                        line.push(Node::Text(piece.to_owned()));
                    }
                }
            }
            Node::Pre { .. } | Node::Quote { .. } => {
                if end(&mut line, before) {
                    breaks = 1;
                }
                line.push(node.clone());
                end(&mut line, breaks.max(1));
                breaks = 0;
            }
            node => {
                if line.is_empty() {
                    before = breaks;
                }
                line.push(node.clone());
            }
        }
    }
    end(&mut line, before);
    out
}

/// Whether a line begins as an item of a rendered list does.
fn is_item(line: &str) -> bool {
    let number = line.trim_start_matches(|c: char| c.is_ascii_digit());
    ["• ", "☐ ", "☑ ", "☒ ", "◪ ", "❗ ", "❓ "].iter().any(|mark| line.starts_with(mark))
        || (number.len() < line.len() && number.starts_with(". "))
}

/// A long paragraph as sentences, a long table as rows; anything else as it is.
fn parts(unit: Unit) -> Vec<Unit> {
    let length = Rich(unit.nodes.clone()).plain().chars().count();
    match (unit.kind, unit.nodes.as_slice()) {
        (Kind::Text | Kind::Item, _) if length > LONG_PARAGRAPH => sentences(unit),
        (Kind::Code, [Node::Pre { lang, text }]) if lang.is_empty() && length > LONG_TABLE && is_table(text) => {
            let row = |(index, row): (usize, &str)| Unit {
                kind: Kind::Row,
                nodes: vec![Node::Pre { lang: String::new(), text: row.to_owned() }],
                joint: if index == 0 { unit.joint } else { "\n" },
                // So many rows above stands the header.
                lead: (index > 0).then_some(index),
                ..unit.clone()
            };
            text.lines().enumerate().map(row).collect()
        }
        _ => vec![unit],
    }
}

/// Whether a monospace block has columns in every line.
fn is_table(text: &str) -> bool {
    let rows = text.lines().filter(|line| line.trim().contains("  ")).count();
    let all = text.lines().count();
    all > 3 && rows * 10 >= all * 9
}

fn sentences(unit: Unit) -> Vec<Unit> {
    let mut out: Vec<Unit> = Vec::new();
    let mut nodes: Vec<Node> = Vec::new();
    let mut push = |nodes: &mut Vec<Node>| {
        let nodes = std::mem::take(nodes);
        if !nodes.is_empty() {
            let first = out.is_empty();
            let (kind, joint) = if first { (unit.kind, unit.joint) } else { (Kind::Text, " ") };
            out.push(Unit { kind, nodes, joint, ..unit.clone() });
        }
    };
    for node in &unit.nodes {
        let Node::Text(text) = node else {
            nodes.push(node.clone());
            continue;
        };
        let mut rest = text.as_str();
        while let Some(end) = sentence_end(rest) {
            let (sentence, after) = rest.split_at(end);
            nodes.push(Node::Text(sentence.to_owned()));
            push(&mut nodes);
            rest = after.trim_start();
        }
        if !rest.is_empty() {
            nodes.push(Node::Text(rest.to_owned()));
        }
    }
    push(&mut nodes);
    out
}

/// Where the first sentence ends: after its mark, before white space and a capital letter or a digit. `None` if it is the last one.
fn sentence_end(text: &str) -> Option<usize> {
    let ends = text.char_indices().filter(|(_, c)| matches!(c, '.' | '!' | '?' | '…'));
    ends.map(|(at, mark)| at + mark.len_utf8()).find(|end| {
        let after = text.get(*end..).unwrap_or_default();
        let begins = after.trim_start().chars().next().is_some_and(|c| c.is_uppercase() || c.is_ascii_digit() || c == '«');
        after.starts_with(char::is_whitespace) && begins
    })
}

/// The part that introduces this one: an item above a deeper one, the sentence before a list, the sentence with a colon before code.
fn lead(units: &[Unit], at: usize) -> Option<usize> {
    let unit = units.get(at)?;
    let before = |at: usize| at.checked_sub(1).and_then(|before| Some((before, units.get(before)?)));
    match unit.kind {
        Kind::Item => {
            let mut here = at;
            while let Some((above, other)) = before(here) {
                match other.kind {
                    Kind::Item if other.depth < unit.depth => return Some(above),
                    Kind::Item => here = above,
                    // A list stands close to the sentence before it.
                    Kind::Text if units.get(here)?.joint == "\n" || introduces(other) => return Some(above),
                    _ => return None,
                }
            }
            None
        }
        Kind::Code => before(at).filter(|(_, other)| matches!(other.kind, Kind::Text | Kind::Item) && introduces(other)).map(|(at, _)| at),
        Kind::Text | Kind::Row | Kind::Aside => None,
    }
}

fn introduces(unit: &Unit) -> bool {
    unit.text.trim_end().ends_with(':')
}
