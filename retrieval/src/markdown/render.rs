//! The tree as text for people: what Telegram can show, readable on a phone.

use fitter_domain::rich::Rich;

use super::{Block, BlockKind, Callout, Inline, Item};
use crate::markdown::render::writer::{Style, Writer};

mod fields;
mod table;
mod writer;

/// How blocks are shown.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Look {
    /// The note is a procedure: step fields are hidden, checkpoints are not shown, except for the range of a number.
    pub(crate) procedure: bool,
    /// Checkpoints of a procedure with their questions and answers: for search, not for people.
    pub(crate) checks: bool,
}

/// Blocks as text for people. Pictures are left out, see [`super::visit_inlines`].
pub(crate) fn render(blocks: &[Block], look: Look) -> Rich {
    let mut writer = Writer::new(false);
    write_blocks(blocks, look, 2, &mut writer);
    writer.finish()
}

/// Inlines as one plain line.
pub(crate) fn plain(body: &[Inline]) -> String {
    let mut writer = Writer::new(false);
    write_inlines(body, Look::default(), &Style::default(), &mut writer);
    writer.finish().plain().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Blocks with empty lines between them; `first` line breaks before the first.
fn write_blocks(blocks: &[Block], look: Look, first: usize, out: &mut Writer) {
    let mut after_text = false;
    for (index, block) in blocks.iter().enumerate() {
        // A list belongs to the sentence before it.
        let gap = if after_text && matches!(block.kind, BlockKind::List { .. }) { 1 } else { 2 };
        write_block(block, look, if index == 0 { first } else { gap }, out);
        after_text = matches!(block.kind, BlockKind::Paragraph(_));
    }
}

fn write_block(block: &Block, look: Look, gap: usize, out: &mut Writer) {
    match &block.kind {
        BlockKind::Heading { body, .. } => {
            out.gap(gap);
            write_inlines(body, look, &Style { bold: true, ..Style::default() }, out);
        }
        BlockKind::Paragraph(body) if only_tags(body) => {}
        BlockKind::Paragraph(body) => {
            out.gap(gap);
            write_inlines(body, look, &Style::default(), out);
        }
        BlockKind::List { first, items } => {
            out.gap(gap);
            for (index, item) in items.iter().enumerate() {
                let marker = first.map_or_else(|| "• ".to_owned(), |first| format!("{}. ", first.saturating_add(index)));
                out.gap(1);
                write_item(item, &marker, look, out);
            }
        }
        BlockKind::Quote(inner) => out.quote(gap, false, |out| write_blocks(inner, look, 2, out)),
        BlockKind::Callout(callout) => write_callout(callout, look, gap, out),
        BlockKind::Code { lang, text } => out.pre(gap, lang, text),
        BlockKind::Math(text) => out.pre(gap, "", &fields::math(text)),
        BlockKind::Table(rows) => table::write(rows, look, gap, out),
        BlockKind::Footnote { label, blocks } => {
            out.gap(gap);
            out.text(&Style::default(), &format!("[{}] ", footnote(label)));
            out.hold();
            write_blocks(blocks, look, 0, out);
            out.release();
        }
        BlockKind::Rule => out.gap(2),
    }
}

fn write_item(item: &Item, marker: &str, look: Look, out: &mut Writer) {
    let mark = match item.task {
        Some(None) => "☐ ",
        Some(Some('x' | 'X')) => "☑ ",
        Some(Some('-')) => "☒ ",
        Some(Some('!')) => "❗ ",
        Some(Some('?')) => "❓ ",
        Some(Some(_)) => "◪ ",
        None => "",
    };
    // The bullet says nothing beside a box.
    let marker = if mark.is_empty() || marker != "• " { marker } else { "" };
    out.text(&Style::default(), &format!("{marker}{mark}"));
    out.hold();
    out.indent(1);
    for (index, block) in item.blocks.iter().enumerate() {
        write_block(block, look, usize::from(index > 0), out);
    }
    out.indent(-1);
    out.release();
}

fn write_callout(callout: &Callout, look: Look, gap: usize, out: &mut Writer) {
    if look.procedure && callout.kind == "check" {
        let (question, range) = crate::procedure::check::norm(callout).unwrap_or_default();
        if !range.is_empty() {
            out.gap(1);
            out.text(&Style::default(), &format!("{}: {range}", question.trim_end_matches(['?', ':'])));
        } else if look.checks {
            out.gap(gap);
            out.text(&Style::default(), &crate::procedure::check::words(callout));
        }
        return;
    }
    // A warning is never folded away.
    let sign = icon(&callout.kind);
    let warns = fitter_domain::passage::WARNING_SIGNS.contains(&sign);
    out.quote(gap, callout.folded && !warns, |out| {
        let title = plain(&callout.title);
        let head = format!("{sign} {title}");
        out.text(&Style { bold: true, ..Style::default() }, head.trim());
        if title.is_empty() {
            out.text(&Style::default(), " ");
            out.hold();
        } else {
            out.gap(1);
        }
        write_blocks(&callout.blocks, look, 0, out);
        out.release();
    });
}

/// A sign for each of Obsidian's callout types and their synonyms.
fn icon(kind: &str) -> &'static str {
    match kind {
        "warning" | "caution" | "attention" => "⚠️",
        "danger" | "error" => "⛔",
        "tip" | "hint" | "important" => "💡",
        "success" | "check" | "done" => "✅",
        "question" | "help" | "faq" => "❓",
        "failure" | "fail" | "missing" => "❌",
        "bug" => "🐞",
        "example" => "🔎",
        "quote" | "cite" => "💬",
        "todo" => "☑️",
        "abstract" | "summary" | "tldr" => "📋",
        _ => "ℹ️",
    }
}

/// A paragraph of nothing but `#tags`.
fn only_tags(body: &[Inline]) -> bool {
    let mut seen = false;
    body.iter().all(|inline| match inline {
        Inline::Break => true,
        Inline::Text(text) => text.split_whitespace().all(|word| {
            seen = true;
            word.len() > 1 && word.starts_with('#')
        }),
        _ => false,
    }) && seen
}

fn write_inlines(body: &[Inline], look: Look, style: &Style, out: &mut Writer) {
    for (index, inline) in body.iter().enumerate() {
        let line_start = index == 0 || matches!(body.get(index - 1), Some(Inline::Break));
        match inline {
            Inline::Text(text) => out.text(style, &fields::show(text, look.procedure, line_start)),
            Inline::Break => out.text(style, "\n"),
            Inline::Code(text) => out.code(style, text),
            Inline::Math(text) => out.text(style, &fields::math(text)),
            Inline::Strong(body) => write_inlines(body, look, &Style { bold: true, ..style.clone() }, out),
            Inline::Emph(body) => write_inlines(body, look, &Style { italic: true, ..style.clone() }, out),
            Inline::Strike(body) => write_inlines(body, look, &Style { strike: true, ..style.clone() }, out),
            Inline::Link { url, body } => match web(url) {
                Some(url) if plain(body) != url => {
                    write_inlines(body, look, &Style { link: Some(url.to_owned()), ..style.clone() }, out);
                }
                _ => write_inlines(body, look, style, out),
            },
            Inline::Wiki { target, body, embed } => {
                let (file, part) = target.split_once('#').unwrap_or((target, ""));
                match (embed, is_image(target)) {
                    (true, true) => {}
                    (true, false) => {
                        let name = wiki_text(file, if file == target { body } else { &[] });
                        let page = part.split('&').find_map(|part| part.strip_prefix("page=")).map(|page| format!(" › {page}"));
                        out.text(style, &format!("📎 {name}{}", page.unwrap_or_default()));
                    }
                    (false, _) => out.text(style, &wiki_text(target, body)),
                }
            }
            Inline::Image { url, alt } => {
                if let Some(url) = web(url) {
                    let alt = caption(alt).unwrap_or_else(|| url.to_owned());
                    out.text(&Style { link: Some(url.to_owned()), ..style.clone() }, &alt);
                }
            }
            Inline::Footnote(label) => out.text(style, &format!("[{}]", footnote(label))),
        }
    }
}

/// The mark of a footnote: inline ones have no name of their own.
fn footnote(label: &str) -> String {
    label.replace("__inline_", "*")
}

/// An address that may stand behind a link of a message.
fn web(url: &str) -> Option<&str> {
    let known = ["https://", "http://", "tg://"].iter().any(|scheme| url.len() > scheme.len() && url.starts_with(scheme));
    (known && url.len() <= 2048 && !url.contains(|c: char| c.is_whitespace() || c.is_control())).then_some(url)
}

/// Words of a wikilink: its alias, else the note's name and heading as Obsidian shows them.
pub(crate) fn wiki_text(target: &str, body: &[Inline]) -> String {
    let shown = plain(body);
    if !shown.is_empty() && shown != target {
        return shown;
    }
    let (path, rest) = target.split_once('#').unwrap_or((target, ""));
    let name = path.rsplit('/').next().unwrap_or(path);
    let name = name.strip_suffix(".md").unwrap_or(name);
    let heading = if rest.starts_with('^') {
        String::new()
    } else {
        rest.split('#').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" › ")
    };
    match (name.is_empty(), heading.is_empty()) {
        (true, _) => heading,
        (false, true) => name.to_owned(),
        (false, false) => format!("{name} › {heading}"),
    }
}

/// The caption of a picture: what stands after the pipe unless it is a size such as `300` or `640x480`.
pub(crate) fn caption(alt: &[Inline]) -> Option<String> {
    let text = plain(alt);
    let size = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit() || matches!(c, 'x' | 'X' | '×'));
    let text = text.split('|').map(str::trim).filter(|part| !size(part)).collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}

/// Whether a file name is a picture's that Telegram can show as a photo.
pub(crate) fn is_image(target: &str) -> bool {
    let name = target.split(['#', '?', '|']).next().unwrap_or(target).trim().to_lowercase();
    [".png", ".jpg", ".jpeg", ".webp", ".gif"].iter().any(|extension| name.ends_with(extension))
}
