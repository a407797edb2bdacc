//! Obsidian's Markdown as an owned tree, and that tree as text for people.

use unicode_normalization::{UnicodeNormalization, is_nfc};

mod comments;
mod html;
mod parse;
mod render;

pub(crate) use parse::{parse, trim};
pub(crate) use render::{Look, caption, is_image, plain, render, wiki_text};

/// A piece of a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) kind: BlockKind,
    /// First line of the file, from 1.
    pub(crate) start: u32,
    /// Last line, inclusive.
    pub(crate) end: u32,
    /// Block id (`^id`), without `^`.
    pub(crate) id: Option<String>,
}

/// What a piece is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BlockKind {
    Heading { level: u8, body: Vec<Inline> },
    Paragraph(Vec<Inline>),
    List { first: Option<usize>, items: Vec<Item> },
    Quote(Vec<Block>),
    Callout(Callout),
    Code { lang: String, text: String },
    Math(String),
    Table(Vec<Row>),
    Footnote { label: String, blocks: Vec<Block> },
    Rule,
}

/// A line of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) line: u32,
    pub(crate) cells: Vec<Vec<Inline>>,
}

/// An item of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    /// The box of a task: `Some(None)` is empty.
    pub(crate) task: Option<Option<char>>,
    pub(crate) blocks: Vec<Block>,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// `> [!kind] title`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Callout {
    /// In lower case.
    pub(crate) kind: String,
    pub(crate) title: Vec<Inline>,
    pub(crate) folded: bool,
    pub(crate) blocks: Vec<Block>,
    /// Its lines after the first as written, without `>`: regular expressions do not survive Markdown.
    pub(crate) raw: Vec<String>,
}

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Inline {
    Text(String),
    Break,
    Code(String),
    Math(String),
    Strong(Vec<Inline>),
    Emph(Vec<Inline>),
    Strike(Vec<Inline>),
    Link { url: String, body: Vec<Inline> },
    Wiki { target: String, body: Vec<Inline>, embed: bool },
    Image { url: String, alt: Vec<Inline> },
    Footnote(String),
}

/// The text of a file as it is parsed: without BOM, invisible and direction-changing characters, with `\n` and in Unicode NFC.
/// `None` when it is not text.
pub(crate) fn source(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if bytes.contains(&0) {
        return None;
    }
    let text = String::from_utf8_lossy(bytes);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text: String = if text.contains(invisible) { text.chars().filter(|c| !invisible(*c)).collect() } else { text };
    Some(if is_nfc(&text) { text } else { text.nfc().collect() })
}

/// Characters that nobody sees: they hide words from search and instructions from people. The joiner of emoji stays.
fn invisible(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}' | '\u{ad}'
        | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// Visits every block, outer before inner.
pub(crate) fn visit<'a>(blocks: &'a [Block], see: &mut dyn FnMut(&'a Block)) {
    for block in blocks {
        see(block);
        match &block.kind {
            BlockKind::List { items, .. } => items.iter().for_each(|item| visit(&item.blocks, see)),
            BlockKind::Quote(inner) | BlockKind::Footnote { blocks: inner, .. } => visit(inner, see),
            BlockKind::Callout(callout) => visit(&callout.blocks, see),
            _ => {}
        }
    }
}

/// Visits every inline of these blocks, outer before inner; not the words of wikilinks and captions.
pub(crate) fn visit_inlines<'a>(blocks: &'a [Block], see: &mut dyn FnMut(&'a Block, &'a Inline)) {
    visit(blocks, &mut |block| match &block.kind {
        BlockKind::Heading { body, .. } | BlockKind::Paragraph(body) => inlines(block, body, see),
        BlockKind::Callout(callout) => inlines(block, &callout.title, see),
        BlockKind::Table(rows) => rows.iter().flat_map(|row| &row.cells).for_each(|cell| inlines(block, cell, see)),
        _ => {}
    });
}

/// Gives blocks and everything in them one line.
pub(crate) fn move_to(blocks: &mut [Block], line: u32) {
    for block in blocks {
        (block.start, block.end) = (line, line);
        match &mut block.kind {
            BlockKind::List { items, .. } => {
                for item in items {
                    (item.start, item.end) = (line, line);
                    move_to(&mut item.blocks, line);
                }
            }
            BlockKind::Quote(inner) | BlockKind::Footnote { blocks: inner, .. } => move_to(inner, line),
            BlockKind::Callout(callout) => move_to(&mut callout.blocks, line),
            BlockKind::Table(rows) => rows.iter_mut().for_each(|row| row.line = line),
            _ => {}
        }
    }
}

/// Hands out every line of text, to be changed.
pub(crate) fn visit_bodies(blocks: &mut [Block], change: &mut dyn FnMut(&mut Vec<Inline>)) {
    for block in blocks {
        match &mut block.kind {
            BlockKind::Heading { body, .. } | BlockKind::Paragraph(body) => change(body),
            BlockKind::List { items, .. } => items.iter_mut().for_each(|item| visit_bodies(&mut item.blocks, change)),
            BlockKind::Quote(inner) | BlockKind::Footnote { blocks: inner, .. } => visit_bodies(inner, change),
            BlockKind::Callout(callout) => {
                change(&mut callout.title);
                visit_bodies(&mut callout.blocks, change);
            }
            BlockKind::Table(rows) => rows.iter_mut().flat_map(|row| &mut row.cells).for_each(&mut *change),
            BlockKind::Code { .. } | BlockKind::Math(_) | BlockKind::Rule => {}
        }
    }
}

fn inlines<'a>(block: &'a Block, list: &'a [Inline], see: &mut dyn FnMut(&'a Block, &'a Inline)) {
    for inline in list {
        see(block, inline);
        match inline {
            Inline::Strong(body) | Inline::Emph(body) | Inline::Strike(body) => inlines(block, body, see),
            Inline::Link { body, .. } => inlines(block, body, see),
            _ => {}
        }
    }
}
