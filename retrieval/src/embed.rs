//! Puts embedded notes and sections (`![[Note#Heading]]`) in their place.

use std::collections::BTreeSet;

use crate::links::LinkIndex;
use crate::markdown::{self, Block, BlockKind, Inline, is_image, plain, wiki_text};
use crate::problem::Problems;

/// How deep embeds may go into embeds.
const DEPTH_LIMIT: usize = 5;
/// How many blocks embeds may bring into one note.
const BLOCK_LIMIT: usize = 2_000;

/// Embedding into one note.
pub(crate) struct Embedder<'a, 'v> {
    pub(crate) links: &'a LinkIndex<'v>,
    pub(crate) problems: &'a mut Problems,
    /// Headings of embedded notes stay headings (sections of a procedure's steps), else they are bold lines.
    pub(crate) keep_headings: bool,
    /// Notes that are embedded, also indirectly.
    pub(crate) notes: BTreeSet<String>,
    brought: usize,
    stack: Vec<String>,
}

impl<'a, 'v> Embedder<'a, 'v> {
    pub(crate) fn new(path: &str, links: &'a LinkIndex<'v>, problems: &'a mut Problems, keep_headings: bool) -> Self {
        Self { links, problems, keep_headings, notes: BTreeSet::new(), brought: 0, stack: vec![path.to_owned()] }
    }

    /// Blocks with every embedded note in place.
    pub(crate) fn expand(&mut self, blocks: Vec<Block>) -> Vec<Block> {
        let mut out = Vec::with_capacity(blocks.len());
        for mut block in blocks {
            match &mut block.kind {
                BlockKind::Paragraph(body) if body.iter().any(is_note_embed) => {
                    self.paragraph(&block, &mut out);
                    continue;
                }
                BlockKind::List { items, .. } => {
                    for item in items {
                        item.blocks = self.expand(std::mem::take(&mut item.blocks));
                    }
                }
                BlockKind::Quote(inner) | BlockKind::Footnote { blocks: inner, .. } => *inner = self.expand(std::mem::take(inner)),
                BlockKind::Callout(callout) => callout.blocks = self.expand(std::mem::take(&mut callout.blocks)),
                _ => {}
            }
            out.push(block);
        }
        out
    }

    /// Text before an embed, the embedded blocks, text after it.
    fn paragraph(&mut self, block: &Block, out: &mut Vec<Block>) {
        let BlockKind::Paragraph(body) = &block.kind else { return };
        let (start, end) = (block.start, block.end);
        let mut line = start;
        let mut text: Vec<Inline> = Vec::new();
        for inline in body {
            if matches!(inline, Inline::Break) {
                line += 1;
            }
            let brought = if is_note_embed(inline) { self.bring(inline, line) } else { None };
            let Some(brought) = brought else {
                text.push(inline.clone());
                continue;
            };
            flush(&mut text, (start, end), out);
            out.extend(brought);
        }
        flush(&mut text, (start, end), out);
        if let Some(last) = out.last_mut() {
            last.id = last.id.take().or_else(|| block.id.clone());
        }
    }

    /// The blocks that an embed stands for; `None` leaves it as it is.
    fn bring(&mut self, inline: &Inline, line: u32) -> Option<Vec<Block>> {
        let Inline::Wiki { target, .. } = inline else { return None };
        let from = self.stack.last().cloned().unwrap_or_default();
        let (name, part) = target.split_once('#').unwrap_or((target, ""));
        let Some(path) = self.links.note(&from, name) else {
            if self.links.attachment(&from, name).is_none() {
                self.problems.warning(line, format!("embedded `{name}` does not exist"));
            }
            return None;
        };
        if self.stack.len() > DEPTH_LIMIT {
            self.problems.warning(line, format!("`{target}` is embedded more than {DEPTH_LIMIT} levels deep; left out"));
            return None;
        }
        // A section of the same note may be embedded; the note itself may not.
        if self.stack.iter().any(|open| open == path) && (part.is_empty() || self.stack.len() > 1) {
            self.problems.warning(line, format!("`{target}` embeds itself; left out"));
            return None;
        }
        let blocks = self.links.blocks(path)?;
        self.notes.insert(path.to_owned());
        let Some(mut blocks) = part_of(blocks.to_vec(), part) else {
            self.problems.warning(line, format!("embedded `{target}`: the note has no such heading or block"));
            return None;
        };
        let mut count = 0;
        markdown::visit(&blocks, &mut |_| count += 1);
        if self.brought + count > BLOCK_LIMIT {
            self.problems.warning(line, format!("`{target}` is left out: this note embeds more than {BLOCK_LIMIT} paragraphs"));
            return None;
        }
        self.brought += count;
        self.stack.push(path.to_owned());
        anchor(&mut blocks, path, line, self.links);
        let mut blocks = self.expand(blocks);
        self.stack.pop();
        for block in &mut blocks {
            block.id = None;
            if let (false, BlockKind::Heading { body, .. }) = (self.keep_headings, &mut block.kind) {
                block.kind = BlockKind::Paragraph(vec![Inline::Strong(std::mem::take(body))]);
            }
        }
        Some(blocks)
    }
}

fn is_note_embed(inline: &Inline) -> bool {
    matches!(inline, Inline::Wiki { target, embed: true, .. } if !is_image(target))
}

fn flush(text: &mut Vec<Inline>, (start, end): (u32, u32), out: &mut Vec<Block>) {
    let body = markdown::trim(std::mem::take(text));
    if !body.is_empty() {
        out.push(Block { kind: BlockKind::Paragraph(body), start, end, id: None });
    }
}

/// The part of a note behind `#`: nothing (all of it), `^id`, or a chain of headings.
pub(crate) fn part_of(blocks: Vec<Block>, part: &str) -> Option<Vec<Block>> {
    if part.is_empty() {
        return Some(blocks);
    }
    if let Some(id) = part.strip_prefix('^') {
        let mut found = None;
        markdown::visit(&blocks, &mut |block| {
            if block.id.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(id)) && found.is_none() {
                found = Some(block.clone());
            }
        });
        return found.map(|block| vec![block]);
    }
    let mut from = 0;
    let mut level = 0;
    for wanted in part.split('#').filter(|wanted| !wanted.trim().is_empty()) {
        let heading = |same: &dyn Fn(&str) -> bool| {
            blocks.iter().enumerate().skip(from).find_map(|(at, block)| match &block.kind {
                BlockKind::Heading { level, body } if same(&plain(body)) => Some((at, *level)),
                _ => None,
            })
        };
        let (exact, slug) = (fold(wanted), slug(wanted));
        // Notes that are read on the web too have the web's anchors in their links.
        let (at, found) =
            heading(&|text| fold(text) == exact).or_else(|| heading(&|text| !wanted.contains(' ') && self::slug(text) == slug))?;
        (from, level) = (at + 1, found);
    }
    let section = blocks.into_iter().skip(from);
    Some(section.take_while(|block| !matches!(block.kind, BlockKind::Heading { level: next, .. } if next <= level)).collect())
}

/// An anchor as web servers make it of a heading: `saving-the-firmware`.
fn slug(text: &str) -> String {
    let kept = |c: char| if c == ' ' { Some('-') } else { Some(c).filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')) };
    text.trim().to_lowercase().chars().filter_map(kept).collect()
}

/// Headings are compared as Obsidian does: without regard to case, to signs of emphasis and code, and to punctuation that links cannot hold.
fn fold(text: &str) -> String {
    let kept: String = text.chars().filter(|c| !matches!(c, '#' | '|' | '^' | ':' | '[' | ']' | '%' | '`' | '*')).collect();
    kept.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Gives brought blocks the line of their embed; pictures and links in them get their path from the root.
fn anchor(blocks: &mut [Block], path: &str, line: u32, links: &LinkIndex<'_>) {
    markdown::move_to(blocks, line);
    markdown::visit_bodies(blocks, &mut |body| anchor_inlines(body, path, links));
}

fn anchor_inlines(body: &mut [Inline], path: &str, links: &LinkIndex<'_>) {
    for inline in body {
        match inline {
            Inline::Strong(body) | Inline::Emph(body) | Inline::Strike(body) | Inline::Link { body, .. } => {
                anchor_inlines(body, path, links)
            }
            Inline::Wiki { target, embed: true, .. } | Inline::Image { url: target, .. } => {
                let (name, rest) = target.find(['#', '?']).and_then(|at| target.split_at_checked(at)).unwrap_or((target, ""));
                if let Some(found) = links.attachment(path, &crate::links::decode(name)) {
                    *target = format!("/{found}{rest}");
                }
            }
            Inline::Wiki { target, body, embed: false } => {
                let (name, rest) = target.find('#').and_then(|at| target.split_at_checked(at)).unwrap_or((target, ""));
                if let Some(found) = links.note(path, name) {
                    let shown = wiki_text(target, body);
                    *target = format!("/{found}{rest}");
                    *body = vec![Inline::Text(shown)];
                }
            }
            _ => {}
        }
    }
}
