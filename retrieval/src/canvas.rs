//! Canvases as notes: what is written on their cards, in reading order (<https://jsoncanvas.org/spec/1.0/>).

use serde::Deserialize;

use crate::markdown::{self, Block, BlockKind, Inline, is_image};
use crate::problem::Problems;

/// Most cards and arrows that are read.
const LIMIT: usize = 2_000;

#[derive(Deserialize, Default)]
#[serde(default)]
struct Canvas {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Node {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    text: String,
    file: String,
    subpath: String,
    url: String,
    label: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Edge {
    id: String,
    label: String,
}

impl Node {
    /// Whether the middle of `other` lies on this group.
    fn holds(&self, other: &Self) -> bool {
        let (x, y) = (other.x + other.width / 2.0, other.y + other.height / 2.0);
        (self.x..=self.x + self.width).contains(&x) && (self.y..=self.y + self.height).contains(&y)
    }
}

/// Whether a file of this name is a canvas.
pub(crate) fn is_canvas(path: &str) -> bool {
    path.len() > 7 && path.get(path.len() - 7..).is_some_and(|end| end.eq_ignore_ascii_case(".canvas"))
}

/// The cards as blocks: first those outside of groups, then each group under its label; from the top, then from the left. A card has the line
/// of its `id` in the file.
pub(crate) fn blocks(source: &str, strict: bool, problems: &mut Problems) -> Vec<Block> {
    if source.trim().is_empty() {
        return Vec::new();
    }
    let canvas: Canvas = match serde_json::from_str(source) {
        Ok(canvas) => canvas,
        Err(error) => {
            let line = u32::try_from(error.line()).unwrap_or(1);
            problems.warning(line, "this canvas is not valid JSON; ignored");
            return Vec::new();
        }
    };
    if canvas.nodes.len() + canvas.edges.len() > LIMIT {
        problems.warning(1, format!("a canvas of more than {LIMIT} cards and arrows: the rest is left out"));
    }
    let (mut groups, mut cards): (Vec<&Node>, Vec<&Node>) = canvas.nodes.iter().take(LIMIT).partition(|node| node.kind == "group");
    for list in [&mut groups, &mut cards] {
        list.sort_by(|a, b| a.y.total_cmp(&b.y).then(a.x.total_cmp(&b.x)));
    }
    // Of groups within groups the smallest that holds a card is its own.
    let group_of = |card: &Node| {
        let holding = groups.iter().enumerate().filter(|(_, group)| group.holds(card));
        holding.min_by(|(_, a), (_, b)| (a.width * a.height).total_cmp(&(b.width * b.height))).map(|(at, _)| at)
    };
    let homes: Vec<Option<usize>> = cards.iter().map(|card| group_of(card)).collect();
    let within = |home: Option<usize>| cards.iter().zip(&homes).filter(move |(_, own)| **own == home).map(|(card, _)| *card);
    let mut out = Vec::new();
    let place = |id: &str| line_of(source, id);
    for card in within(None) {
        out.extend(write(card, place(&card.id), strict, problems));
    }
    for (at, group) in groups.iter().enumerate() {
        let line = place(&group.id);
        let label = Inline::Text(group.label.trim().to_owned());
        if !group.label.trim().is_empty() {
            out.push(Block { kind: BlockKind::Heading { level: 2, body: vec![label] }, start: line, end: line, id: None });
        }
        for card in within(Some(at)) {
            out.extend(write(card, place(&card.id), strict, problems));
        }
    }
    for edge in canvas.edges.iter().take(LIMIT.saturating_sub(canvas.nodes.len())).filter(|edge| !edge.label.trim().is_empty()) {
        out.push(paragraph(vec![Inline::Text(edge.label.trim().to_owned())], place(&edge.id)));
    }
    out
}

fn write(card: &Node, line: u32, strict: bool, problems: &mut Problems) -> Vec<Block> {
    match card.kind.as_str() {
        "text" => {
            let mut quiet = Problems::new("");
            let mut blocks = markdown::parse(&card.text, strict, &mut quiet);
            for problem in quiet.list {
                problems.add(problem.severity, line, problem.what);
            }
            for block in &mut blocks {
                // A heading on a card is no heading of the canvas: cards have no order that it could rule.
                if let BlockKind::Heading { body, .. } = &mut block.kind {
                    block.kind = BlockKind::Paragraph(vec![Inline::Strong(std::mem::take(body))]);
                }
                block.id = None;
            }
            markdown::move_to(&mut blocks, line);
            blocks
        }
        "file" if !card.file.is_empty() => {
            let target = format!("/{}{}", card.file, card.subpath);
            let body = if is_image(&card.file) { vec![Inline::Text(target.clone())] } else { Vec::new() };
            vec![paragraph(vec![Inline::Wiki { target, body, embed: is_image(&card.file) }], line)]
        }
        "link" if !card.url.is_empty() => {
            let body = vec![Inline::Text(card.url.clone())];
            vec![paragraph(vec![Inline::Link { url: card.url.clone(), body }], line)]
        }
        _ => Vec::new(),
    }
}

fn paragraph(body: Vec<Inline>, line: u32) -> Block {
    Block { kind: BlockKind::Paragraph(body), start: line, end: line, id: None }
}

/// The line on which a card's id stands; Obsidian writes a card per line.
fn line_of(source: &str, id: &str) -> u32 {
    let quoted = format!("\"{id}\"");
    let at = source.find(&quoted).filter(|_| !id.is_empty()).unwrap_or(0);
    u32::try_from(source.get(..at).unwrap_or_default().matches('\n').count()).unwrap_or(0) + 1
}
