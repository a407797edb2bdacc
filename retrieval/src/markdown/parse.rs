//! comrak's tree to ours.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use comrak::nodes::{AstNode, CalloutFold, ListType, NodeValue};
use comrak::{Arena, Options};
use regex::Regex;

use super::{Block, BlockKind, Callout, Inline, Item, Row, comments, html};
use crate::problem::Problems;

/// Deepest nesting that is kept as structure; deeper is text.
const DEPTH_LIMIT: usize = 24;

/// Parses the text of a note (without front matter). Never fails: what the parser cannot take becomes one plain paragraph.
pub(crate) fn parse(text: &str, strict_line_breaks: bool, problems: &mut Problems) -> Vec<Block> {
    let text = comments::strip(text, problems);
    // A bug of the parser on one odd note must not end the import of all the others.
    let parsed = catch_unwind(AssertUnwindSafe(|| {
        let arena = Arena::new();
        let root = comrak::parse_document(&arena, &text, &options());
        let lines: Vec<&str> = text.lines().collect();
        let converter = Converter { lines: &lines, strict: strict_line_breaks, dropped: RefCell::default() };
        (converter.blocks(root, 0), converter.dropped.into_inner())
    }));
    match parsed {
        Ok((blocks, dropped)) => {
            for (line, what) in dropped {
                problems.info(line, format!("{what} is made by Obsidian when it is looked at; left out"));
            }
            footnotes_in_place(blocks)
        }
        Err(_) => {
            problems.warning(1, "the Markdown of this note cannot be parsed; it is shown as plain text");
            let end = u32::try_from(text.lines().count()).unwrap_or(u32::MAX).max(1);
            vec![Block { kind: BlockKind::Paragraph(vec![Inline::Text(text)]), start: 1, end, id: None }]
        }
    }
}

fn options() -> Options<'static> {
    let mut options = Options::default();
    let extension = &mut options.extension;
    extension.strikethrough = true;
    extension.table = true;
    extension.autolink = true;
    extension.tasklist = true;
    extension.footnotes = true;
    extension.inline_footnotes = true;
    extension.ofm_callouts = true;
    extension.math_dollars = true;
    extension.wikilinks_title_after_pipe = true;
    extension.highlight = true;
    options.parse.relaxed_tasklist_matching = true;
    options.parse.leave_footnote_definitions = true;
    options
}

struct Converter<'a> {
    lines: &'a [&'a str],
    strict: bool,
    /// What is not there until a plugin makes it: line and what.
    dropped: RefCell<Vec<(u32, String)>>,
}

impl Converter<'_> {
    fn blocks<'n>(&self, parent: &'n AstNode<'n>, depth: usize) -> Vec<Block> {
        let mut out: Vec<Block> = Vec::new();
        for node in parent.children() {
            let data = node.data();
            let at = data.sourcepos;
            let (start, end) = (line(at.start.line), line(at.end.line.max(at.start.line)));
            let kind = self.block(node, &data.value, (start, end), depth);
            drop(data);
            for kind in kind {
                let mut block = Block { kind, start, end, id: None };
                take_id(&mut block);
                // An id on a line of its own names the block before it.
                if matches!(&block.kind, BlockKind::Paragraph(body) if body.is_empty()) {
                    if let (Some(last), true) = (out.last_mut(), block.id.is_some()) {
                        last.id = block.id;
                        last.end = last.end.max(end);
                    }
                    continue;
                }
                out.push(block);
            }
        }
        out
    }

    fn block<'n>(&self, node: &'n AstNode<'n>, value: &NodeValue, span: (u32, u32), depth: usize) -> Vec<BlockKind> {
        if depth >= DEPTH_LIMIT {
            return vec![BlockKind::Paragraph(vec![Inline::Text(all_text(node))])];
        }
        let one = match value {
            NodeValue::Heading(heading) => BlockKind::Heading { level: heading.level, body: self.inlines(node, depth) },
            NodeValue::Paragraph => return self.paragraph(node, depth),
            NodeValue::List(list) => {
                let first = (list.list_type == ListType::Ordered).then_some(list.start);
                BlockKind::List { first, items: node.children().map(|item| self.item(item, depth)).collect() }
            }
            NodeValue::BlockQuote | NodeValue::MultilineBlockQuote(_) => BlockKind::Quote(self.blocks(node, depth + 1)),
            NodeValue::Callout(callout) => {
                let mut title = Vec::new();
                for child in node.children() {
                    if matches!(child.data().value, NodeValue::CalloutTitle) {
                        child.children().for_each(|paragraph| title.extend(self.inlines(paragraph, depth + 1)));
                    }
                }
                BlockKind::Callout(Callout {
                    kind: callout.callout_type.clone(),
                    title,
                    folded: callout.fold == CalloutFold::Collapsed,
                    blocks: self.blocks(node, depth + 1),
                    raw: self.raw(span),
                })
            }
            NodeValue::CodeBlock(code) => {
                let kinds = fenced(code.info.trim(), &code.literal);
                if kinds.is_empty() && !code.literal.trim().is_empty() {
                    let lang = code.info.split_whitespace().next().unwrap_or_default();
                    self.dropped.borrow_mut().push((span.0, format!("a `{lang}` block")));
                }
                return kinds;
            }
            NodeValue::HtmlBlock(block) => BlockKind::Paragraph(trim(html::inlines(&block.literal))),
            NodeValue::Table(_) => BlockKind::Table(node.children().map(|row| self.row(row, depth)).collect()),
            NodeValue::FootnoteDefinition(note) => BlockKind::Footnote { label: note.name.clone(), blocks: self.blocks(node, depth + 1) },
            NodeValue::ThematicBreak => BlockKind::Rule,
            NodeValue::CalloutTitle | NodeValue::FrontMatter(_) | NodeValue::MultilineComment(_) => return Vec::new(),
            _ => BlockKind::Paragraph(vec![Inline::Text(all_text(node))]),
        };
        vec![one]
    }

    /// A paragraph; display math inside it becomes a block of its own.
    fn paragraph<'n>(&self, node: &'n AstNode<'n>, depth: usize) -> Vec<BlockKind> {
        let inlines = self.inlines(node, depth);
        match inlines.as_slice() {
            [Inline::Math(text)] if text.contains('\n') => vec![BlockKind::Math(text.trim().to_owned())],
            _ => vec![BlockKind::Paragraph(trim(inlines))],
        }
    }

    fn item<'n>(&self, node: &'n AstNode<'n>, depth: usize) -> Item {
        let data = node.data();
        let task = match &data.value {
            NodeValue::TaskItem(task) => Some(task.symbol),
            _ => None,
        };
        let at = data.sourcepos;
        drop(data);
        let blocks = self.blocks(node, depth + 1);
        let start = line(at.start.line);
        // The parser counts the empty lines after the last item as part of it.
        let end = blocks.iter().map(|block| block.end).max().unwrap_or(start);
        Item { task, blocks, start, end }
    }

    fn row<'n>(&self, node: &'n AstNode<'n>, depth: usize) -> Row {
        Row { line: line(node.data().sourcepos.start.line), cells: node.children().map(|cell| trim(self.inlines(cell, depth))).collect() }
    }

    /// Lines of a callout after its first, without the quote marks and the indentation before them.
    fn raw(&self, (start, end): (u32, u32)) -> Vec<String> {
        let (from, to) = (start as usize, (end as usize).min(self.lines.len()));
        let depth = self.lines.get(from.saturating_sub(1)).map_or(1, |line| {
            let marks = line.split("[!").next().unwrap_or_default();
            marks.matches('>').count().max(1)
        });
        let lines = self.lines.get(from.min(to)..to).unwrap_or_default();
        let bare = |line: &&str| {
            let mut rest = line.trim_start();
            for _ in 0..depth {
                rest = rest.strip_prefix('>').unwrap_or(rest);
                rest = rest.strip_prefix(' ').unwrap_or(rest);
            }
            rest.to_owned()
        };
        lines.iter().map(bare).collect()
    }

    fn inlines<'n>(&self, parent: &'n AstNode<'n>, depth: usize) -> Vec<Inline> {
        let mut out: Vec<Inline> = Vec::new();
        for node in parent.children() {
            if depth >= DEPTH_LIMIT {
                push_text(&mut out, &all_text(node));
                continue;
            }
            let data = node.data();
            let inner = || self.inlines(node, depth + 1);
            match &data.value {
                NodeValue::Text(text) => push_text(&mut out, text),
                NodeValue::SoftBreak if self.strict => push_text(&mut out, " "),
                NodeValue::SoftBreak | NodeValue::LineBreak => out.push(Inline::Break),
                // Dataview's inline queries.
                NodeValue::Code(code) if code.literal.starts_with("= ") || code.literal.starts_with("$= ") => {
                    self.dropped.borrow_mut().push((line(data.sourcepos.start.line), format!("`{}`", code.literal)));
                }
                NodeValue::Code(code) => out.push(Inline::Code(code.literal.clone())),
                NodeValue::Math(math) => out.push(Inline::Math(math.literal.trim().to_owned())),
                NodeValue::HtmlInline(tag) => out.extend(html::inlines(tag)),
                NodeValue::Strong | NodeValue::Highlight => out.push(Inline::Strong(inner())),
                NodeValue::Emph => out.push(Inline::Emph(inner())),
                NodeValue::Strikethrough => out.push(Inline::Strike(inner())),
                NodeValue::Link(link) => out.push(Inline::Link { url: link.url.clone(), body: inner() }),
                NodeValue::Image(link) => out.push(Inline::Image { url: link.url.clone(), alt: inner() }),
                NodeValue::WikiLink(link) => {
                    out.push(Inline::Wiki { target: link.url.clone(), body: inner(), embed: link.embed });
                }
                NodeValue::FootnoteReference(note) => out.push(Inline::Footnote(note.name.clone())),
                NodeValue::CommentInline(_) => {}
                _ => {
                    for inline in inner() {
                        match inline {
                            Inline::Text(text) => push_text(&mut out, &text),
                            other => out.push(other),
                        }
                    }
                }
            }
        }
        out
    }
}

fn line(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX).max(1)
}

fn push_text(out: &mut Vec<Inline>, text: &str) {
    if let Some(Inline::Text(last)) = out.last_mut() {
        last.push_str(text);
    } else {
        out.push(Inline::Text(text.to_owned()));
    }
}

/// All text below a node, without recursion.
fn all_text<'n>(node: &'n AstNode<'n>) -> String {
    let mut text = String::new();
    for node in node.descendants() {
        match &node.data().value {
            NodeValue::Text(part) => text.push_str(part),
            NodeValue::Code(code) => text.push_str(&code.literal),
            NodeValue::CodeBlock(code) => text.push_str(&code.literal),
            NodeValue::SoftBreak | NodeValue::LineBreak => text.push('\n'),
            value if value.block() && !text.is_empty() && !text.ends_with('\n') => text.push('\n'),
            _ => {}
        }
    }
    text
}

/// Code, or the words of a diagram; blocks that plugins turn into lists are dropped.
fn fenced(info: &str, literal: &str) -> Vec<BlockKind> {
    let lang = info.split([' ', '{', ',']).next().unwrap_or_default();
    match lang.to_lowercase().as_str() {
        "dataview" | "dataviewjs" | "query" | "base" | "tasks" | "button" | "excalidraw" | "compressed-json" => Vec::new(),
        "mermaid" => {
            let labels = diagram_labels(literal);
            if labels.is_empty() { Vec::new() } else { vec![BlockKind::Paragraph(labels)] }
        }
        _ => vec![BlockKind::Code { lang: lang.to_owned(), text: literal.trim_end_matches('\n').to_owned() }],
    }
}

/// Labels of a Mermaid diagram's nodes and arrows, a line each.
fn diagram_labels(source: &str) -> Vec<Inline> {
    let mut out = Vec::new();
    static LABEL: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r#"\[+["(]*([^\[\]"()]+)[")]*\]+|\(+"?([^()"]+)"?\)+|\{+"?([^{}"]+)"?\}+|\|([^|]+)\||:\s*([^:\n]+)$"#).ok()
    });
    let Some(label) = &*LABEL else { return out };
    // `%%` is a comment of Mermaid's own.
    for line in source.lines().skip(1).filter(|line| !line.trim_start().starts_with("%%")) {
        for found in label.captures_iter(line) {
            let Some(text) = found.iter().skip(1).flatten().next().map(|text| text.as_str().trim()).filter(|text| !text.is_empty()) else {
                continue;
            };
            if !out.is_empty() {
                out.push(Inline::Break);
            }
            out.push(Inline::Text(text.to_owned()));
        }
    }
    out
}

/// Takes ` ^id` from the end of a paragraph.
fn take_id(block: &mut Block) {
    let BlockKind::Paragraph(body) = &mut block.kind else { return };
    let Some(Inline::Text(text)) = body.last_mut() else { return };
    let trimmed = text.trim_end();
    let Some(at) = trimmed.rfind('^') else { return };
    let id = trimmed.get(at + 1..).unwrap_or_default();
    let head = trimmed.get(..at).unwrap_or_default();
    let alone = head.is_empty() || head.ends_with(char::is_whitespace);
    // Letters of other scripts are taken too: the procedure's parser explains what is wrong with them.
    if alone && !id.is_empty() && id.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_')) {
        block.id = Some(id.to_owned());
        let kept = head.trim_end().to_owned();
        if kept.is_empty() {
            body.pop();
            while matches!(body.last(), Some(Inline::Break)) {
                body.pop();
            }
        } else {
            *text = kept;
        }
    }
}

/// Drops line breaks and spaces at both ends.
pub(crate) fn trim(mut body: Vec<Inline>) -> Vec<Inline> {
    let blank = |inline: &Inline| matches!(inline, Inline::Break) || matches!(inline, Inline::Text(text) if text.trim().is_empty());
    while body.last().is_some_and(blank) {
        body.pop();
    }
    let lead = body.iter().take_while(|inline| blank(inline)).count();
    body.drain(..lead);
    if let Some(Inline::Text(text)) = body.first_mut() {
        *text = text.trim_start().to_owned();
    }
    if let Some(Inline::Text(text)) = body.last_mut() {
        *text = text.trim_end().to_owned();
    }
    body
}

/// Moves each footnote behind the top-level block that refers to it, so that it stays in the same passage.
fn footnotes_in_place(blocks: Vec<Block>) -> Vec<Block> {
    let (notes, rest): (Vec<Block>, Vec<Block>) = blocks.into_iter().partition(|block| matches!(block.kind, BlockKind::Footnote { .. }));
    if notes.is_empty() {
        return rest;
    }
    let mut places: HashMap<String, VecDeque<usize>> = HashMap::new();
    for (place, note) in notes.iter().enumerate() {
        if let BlockKind::Footnote { label, .. } = &note.kind {
            places.entry(label.clone()).or_default().push_back(place);
        }
    }
    let mut notes: Vec<Option<Block>> = notes.into_iter().map(Some).collect();
    let mut out = Vec::with_capacity(notes.len() + rest.len());
    for block in rest {
        let mut found = Vec::new();
        super::visit_inlines(std::slice::from_ref(&block), &mut |_, inline| {
            if let Inline::Footnote(label) = inline {
                let place = places.get_mut(label).and_then(VecDeque::pop_front);
                found.extend(place.and_then(|place| notes.get_mut(place)?.take()));
            }
        });
        let (start, end) = (block.start, block.end);
        out.push(block);
        out.extend(found.into_iter().map(|note| Block { start, end, ..note }));
    }
    out.extend(notes.into_iter().flatten());
    out
}
