//! Tables on a phone: narrow ones as monospace, wide ones as lines.

use super::writer::{Style, Writer};
use super::{Inline, Look, plain, write_inlines};
use crate::markdown::Row;

/// Characters of monospace that fit into a line of a phone.
const WIDTH: usize = 32;

pub(super) fn write(rows: &[Row], look: Look, gap: usize, out: &mut Writer) {
    let texts: Vec<Vec<String>> = rows.iter().map(|row| row.cells.iter().map(|cell| plain(cell)).collect()).collect();
    let columns = texts.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| texts.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0))
        .collect();
    let narrow = widths.iter().sum::<usize>() + 2 * columns.saturating_sub(1) <= WIDTH;
    if narrow && rows.len() > 1 && columns > 1 {
        out.pre(gap, "", &monospace(&texts, &widths));
    } else {
        out.gap(gap);
        lines(rows, &texts, look, out);
    }
}

fn monospace(texts: &[Vec<String>], widths: &[usize]) -> String {
    let mut out = String::new();
    for row in texts.iter().filter(|row| row.iter().any(|cell| !cell.is_empty())) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.chars().count()) + 2));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Two columns: `• first: second`. More: the first cell in bold, then `header: value` lines.
fn lines(rows: &[Row], texts: &[Vec<String>], look: Look, out: &mut Writer) {
    let header: &[String] = texts.first().map(Vec::as_slice).unwrap_or_default();
    let (bold, normal) = (Style { bold: true, ..Style::default() }, Style::default());
    for row in rows.iter().skip(usize::from(rows.len() > 1)) {
        let Some((first, rest)) = row.cells.split_first() else { continue };
        let filled: Vec<(usize, &Vec<Inline>)> = rest.iter().enumerate().filter(|(_, cell)| !plain(cell).is_empty()).collect();
        if plain(first).is_empty() && filled.is_empty() {
            continue;
        }
        out.gap(1);
        out.text(&Style::default(), "• ");
        out.hold();
        out.indent(1);
        write_inlines(first, look, if filled.is_empty() { &normal } else { &bold }, out);
        for (index, cell) in &filled {
            let name = header.get(index + 1).map(String::as_str).unwrap_or_default();
            if row.cells.len() == 2 {
                out.text(&Style::default(), ": ");
            } else {
                out.gap(1);
                if !name.is_empty() {
                    out.text(&Style::default(), &format!("{name}: "));
                }
            }
            write_inlines(cell, look, &Style::default(), out);
        }
        out.indent(-1);
        out.release();
    }
}
