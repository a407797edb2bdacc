//! Cuts a long section where a person would: between paragraphs, items and rows, never between a warning and what it warns of.

use crate::markdown::{Block, BlockKind, Inline, Look, render};

/// Pieces of at most about `limit` characters; a block that cannot be cut may be longer.
pub(super) fn pieces(blocks: Vec<Block>, limit: usize, look: Look) -> Vec<Vec<Block>> {
    let size = |blocks: &[Block]| render(blocks, look).plain().chars().count();
    if size(&blocks) <= limit {
        return vec![blocks];
    }
    let mut out: Vec<Vec<Block>> = Vec::new();
    let (mut piece, mut filled): (Vec<Block>, usize) = (Vec::new(), 0);
    for unit in units(blocks, limit) {
        let own = size(std::slice::from_ref(&unit));
        if filled + own > limit && !piece.is_empty() {
            let carried = carried(&mut piece);
            out.push(std::mem::replace(&mut piece, carried));
            filled = size(&piece);
        }
        filled += own;
        piece.push(unit);
    }
    if !piece.is_empty() {
        out.push(piece);
    }
    out.retain(|piece| !piece.is_empty());
    out.into_iter().map(join_lists).collect()
}

/// Blocks at the end of a piece that belong to what follows: warnings and sentences that end in a colon.
fn carried(piece: &mut Vec<Block>) -> Vec<Block> {
    let keep = piece.iter().rposition(|block| !leads(block)).map_or(0, |at| at + 1);
    // All of it leads: better a short piece than none.
    if keep == 0 { Vec::new() } else { piece.split_off(keep) }
}

fn leads(block: &Block) -> bool {
    match &block.kind {
        BlockKind::Callout(callout) => matches!(callout.kind.as_str(), "warning" | "caution" | "attention" | "danger" | "error"),
        BlockKind::Paragraph(body) => matches!(body.last(), Some(Inline::Text(text)) if text.trim_end().ends_with(':')),
        _ => false,
    }
}

/// Blocks with lists, long tables, code and paragraphs cut into parts.
fn units(blocks: Vec<Block>, limit: usize) -> Vec<Block> {
    let mut out = Vec::new();
    for block in blocks {
        let Block { kind, start, end, id } = block;
        match kind {
            BlockKind::List { first, items } => {
                for (index, item) in items.into_iter().enumerate() {
                    let (start, end) = (item.start, item.end);
                    let first = first.map(|first| first.saturating_add(index));
                    out.push(Block { kind: BlockKind::List { first, items: vec![item] }, start, end, id: None });
                }
            }
            BlockKind::Table(rows) => {
                let Some((header, rows)) = rows.split_first() else { continue };
                let cells =
                    |row: &crate::markdown::Row| row.cells.iter().map(|cell| crate::markdown::plain(cell).chars().count()).sum::<usize>();
                for group in grouped(rows, limit, cells) {
                    let (from, to) = (group.first().map_or(start, |row| row.line), group.last().map_or(end, |row| row.line));
                    let from = if out.is_empty() { start } else { from };
                    let table = std::iter::once(header.clone()).chain(group.iter().cloned()).collect();
                    out.push(Block { kind: BlockKind::Table(table), start: from.min(to), end: to, id: None });
                }
            }
            BlockKind::Code { lang, text } => {
                let lines: Vec<&str> = text.lines().collect();
                let mut line = start;
                for group in grouped(&lines, limit, |line| line.chars().count() + 1) {
                    let to = (line + u32::try_from(group.len()).unwrap_or(0)).min(end);
                    let kind = BlockKind::Code { lang: lang.clone(), text: group.join("\n") };
                    out.push(Block { kind, start: line, end: to, id: None });
                    line = to;
                }
            }
            BlockKind::Paragraph(body) => out.extend(paragraphs(body, (start, end), limit)),
            kind => out.push(Block { kind, start, end, id }),
        }
    }
    out
}

/// Runs of rows that fill `limit` together.
fn grouped<T>(rows: &[T], limit: usize, size: impl Fn(&T) -> usize) -> impl Iterator<Item = &[T]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let mut filled = 0;
        let count = rest.iter().take_while(|row| {
            let fits = filled == 0 || filled + size(row) <= limit;
            filled += size(row).max(1);
            fits
        });
        let (group, tail) = rest.split_at_checked(count.count()).filter(|(group, _)| !group.is_empty())?;
        rest = tail;
        Some(group)
    })
}

/// A long paragraph by its lines, and a long line by its words.
fn paragraphs(body: Vec<Inline>, (start, end): (u32, u32), limit: usize) -> Vec<Block> {
    let size = |inline: &Inline| crate::markdown::plain(std::slice::from_ref(inline)).chars().count();
    if body.iter().map(size).sum::<usize>() <= limit {
        return vec![Block { kind: BlockKind::Paragraph(body), start, end, id: None }];
    }
    let mut out = Vec::new();
    let (mut part, mut filled): (Vec<Inline>, usize) = (Vec::new(), 0);
    let (mut from, mut line) = (start, start);
    let mut flush = |part: &mut Vec<Inline>, filled: &mut usize, from: &mut u32, line: u32| {
        let body = crate::markdown::trim(std::mem::take(part));
        if !body.is_empty() {
            out.push(Block { kind: BlockKind::Paragraph(body), start: *from, end: line.min(end), id: None });
        }
        (*filled, *from) = (0, line);
    };
    for inline in body {
        match inline {
            Inline::Break => {
                if filled >= limit {
                    flush(&mut part, &mut filled, &mut from, line);
                    from = (line + 1).min(end);
                } else {
                    part.push(Inline::Break);
                }
                line = (line + 1).min(end);
            }
            Inline::Text(text) => {
                for word in text.split_inclusive(' ') {
                    if filled >= limit {
                        flush(&mut part, &mut filled, &mut from, line);
                    }
                    filled += word.chars().count();
                    match part.last_mut() {
                        Some(Inline::Text(last)) => last.push_str(word),
                        _ => part.push(Inline::Text(word.to_owned())),
                    }
                }
            }
            other => {
                filled += size(&other);
                part.push(other);
            }
        }
    }
    flush(&mut part, &mut filled, &mut from, line.max(end));
    out
}

/// Items that were cut apart and stay together become one list again.
fn join_lists(blocks: Vec<Block>) -> Vec<Block> {
    let mut out: Vec<Block> = Vec::new();
    for block in blocks {
        if let (Some(Block { kind: BlockKind::List { first, items }, end, .. }), BlockKind::List { first: next, items: more }) =
            (out.last_mut(), &block.kind)
            && first.map(|first| first.saturating_add(items.len())) == *next
        {
            items.extend(more.iter().cloned());
            *end = block.end;
            continue;
        }
        out.push(block);
    }
    out
}
