//! Cuts a note into passages along its headings.

use std::collections::BTreeSet;

use crate::links::LinkIndex;
use crate::markdown::{self, Block, BlockKind, Inline, Look, caption, is_image, plain, render, wiki_text};
use crate::note::Chunk;

mod cut;

/// A passage longer than this many characters is cut at a paragraph, an item or a row.
pub(crate) const LONG: usize = 1_500;

/// The same for the steps of a procedure: a few steps answer a question, the way through all of them is the walk.
const LONG_STEPS: usize = 700;

/// A text of fewer characters than this before the first section below it is joined to that section.
const SHORT: usize = 200;

/// A heading with what stands under it.
struct Section {
    headings: Vec<String>,
    start: u32,
    blocks: Vec<Block>,
}

/// The passages of a note.
pub(crate) fn chunks(path: &str, blocks: &[Block], look: Look, links: &LinkIndex<'_>) -> Vec<Chunk> {
    let mut out = Vec::new();
    let mut sections = sections(blocks);
    if look.procedure {
        out.extend(overview(path, blocks, &mut sections, look, links));
    } else {
        sections = lead_in(sections, look);
    }
    let limit = if look.procedure { LONG_STEPS } else { LONG };
    for section in sections {
        for (index, blocks) in cut::pieces(section.blocks, limit, look).into_iter().enumerate() {
            let first = blocks.iter().map(|block| block.start).min().unwrap_or(section.start);
            // The heading belongs to the first piece.
            let start = if index == 0 { section.start.min(first) } else { first };
            let end = blocks.iter().map(|block| block.end).max().unwrap_or(start);
            let chunk = chunk(path, &section.headings, (start, end.max(start)), &blocks, look, links);
            if !chunk.text.trim().is_empty() || !chunk.images.is_empty() {
                out.push(chunk);
            }
        }
    }
    out
}

fn sections(blocks: &[Block]) -> Vec<Section> {
    let mut out: Vec<Section> = Vec::new();
    let mut open: Vec<(u8, String)> = Vec::new();
    for block in blocks {
        if let BlockKind::Heading { level, body } = &block.kind {
            open.retain(|(above, _)| above < level);
            open.push((*level, plain(body)));
            out.push(Section { headings: open.iter().map(|(_, text)| text.clone()).collect(), start: block.start, blocks: Vec::new() });
        } else if let Some(section) = out.last_mut() {
            section.blocks.push(block.clone());
        } else {
            out.push(Section { headings: Vec::new(), start: block.start, blocks: vec![block.clone()] });
        }
    }
    out.retain(|section| !section.blocks.is_empty());
    out
}

/// A procedure's first passage: its introduction and the titles of all its steps. Takes the introduction out of the sections.
fn overview(path: &str, blocks: &[Block], sections: &mut Vec<Section>, look: Look, links: &LinkIndex<'_>) -> Option<Chunk> {
    let titles = crate::procedure::titles(blocks);
    let first = sections.first_mut().filter(|_| !titles.is_empty())?;
    let list = first.blocks.iter().position(|block| matches!(block.kind, BlockKind::List { first: Some(_), .. }));
    let steps = first.blocks.split_off(list.unwrap_or(first.blocks.len()));
    let (headings, start) = (first.headings.clone(), first.start);
    let intro = std::mem::replace(&mut first.blocks, steps);
    if let Some(next) = first.blocks.first() {
        first.start = next.start;
    } else {
        sections.remove(0);
    }
    let end = intro.iter().map(|block| block.end).max().unwrap_or(start);
    let mut chunk = chunk(path, &headings, (start, end.max(start)), &intro, look, links);
    // It is found for the procedure's names and introduction; for what a step says, the step is.
    chunk.body = chunk.body.gap().push(titles.join("\n"));
    Some(chunk)
}

/// Joins a note's short opening to the section below it: alone it would be found for the title and answer nothing. Other short sections
/// stay alone, because an answer names its heading (measured on technicians' questions: hit@5 is 96.7 either way).
fn lead_in(sections: Vec<Section>, look: Look) -> Vec<Section> {
    let mut out: Vec<Section> = Vec::with_capacity(sections.len());
    for (index, mut section) in sections.into_iter().enumerate() {
        let leads = index == 1
            && out.last().is_some_and(|above| {
                let below = section.headings.len() > above.headings.len() && section.headings.starts_with(&above.headings);
                below && render(&above.blocks, look).plain().chars().count() < SHORT
            });
        if leads && let Some(above) = out.pop() {
            section.start = above.start;
            section.blocks.splice(..0, above.blocks);
        }
        out.push(section);
    }
    out
}

fn chunk(
    path: &str,
    headings: &[String],
    (start_line, end_line): (u32, u32),
    blocks: &[Block],
    look: Look,
    links: &LinkIndex<'_>,
) -> Chunk {
    let body = render(blocks, look);
    let mut text = if look.procedure { render(blocks, Look { checks: true, ..look }).plain() } else { body.plain() };
    let mut images = Vec::new();
    let mut extra: BTreeSet<String> = BTreeSet::new();
    let mut leads: Vec<String> = Vec::new();
    markdown::visit_inlines(blocks, &mut |_, inline| {
        if !matches!(inline, Inline::Wiki { target, embed: true, .. } if is_image(target))
            && let Some(found) = crate::note::leads_to(path, inline, links)
            && !leads.contains(&found)
        {
            leads.push(found);
        }
        match inline {
            Inline::Image { url, alt } => {
                extra.extend(caption(alt));
                if let Some(found) = attachment(path, url, links) {
                    images.push(found);
                }
            }
            Inline::Wiki { target, body, embed: true } if is_image(target) => {
                let shown = plain(body);
                if shown != *target {
                    extra.extend(caption(body));
                }
                if let Some(found) = attachment(path, target, links) {
                    images.push(found);
                }
            }
            // The name of the note behind an alias is worth finding too.
            Inline::Wiki { target, .. } => {
                extra.insert(wiki_text(target, &[]));
            }
            _ => {}
        }
    });
    let mut seen = BTreeSet::new();
    images.retain(|image| seen.insert(image.clone()));
    for extra in extra {
        if !text.contains(&extra) {
            text.push('\n');
            text.push_str(&extra);
        }
    }
    Chunk { headings: headings.to_vec(), start_line, end_line, body, text, images, links: leads }
}

/// The picture file that an address means.
pub(crate) fn attachment(path: &str, url: &str, links: &LinkIndex<'_>) -> Option<String> {
    let name = url.split(['#', '?']).next().unwrap_or(url);
    if !is_image(name) || name.contains("://") {
        return None;
    }
    links.attachment(path, &crate::links::decode(name)).map(str::to_owned)
}
