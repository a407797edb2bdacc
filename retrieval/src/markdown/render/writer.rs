//! Collects styled pieces so that the entity rules of Telegram hold: no style around or inside code, no quote inside a quote.

use fitter_domain::rich::{Node, Rich};

/// How a run of text looks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) bold: bool,
    pub(super) italic: bool,
    pub(super) strike: bool,
    pub(super) link: Option<String>,
}

enum Piece {
    Run(Style, String),
    Code(String),
    Pre { lang: String, text: String },
    Quote { expandable: bool, pieces: Vec<Piece> },
}

/// Spaces of one level of a list.
const INDENT: &str = "   ";

/// Writes text for people.
pub(super) struct Writer {
    out: Vec<Piece>,
    in_quote: bool,
    indent: usize,
    /// Line breaks at the end; none have been written yet while `empty`.
    breaks: usize,
    empty: bool,
    /// The next gap is swallowed: a marker stands before it.
    held: bool,
}

impl Writer {
    pub(super) const fn new(in_quote: bool) -> Self {
        Self { out: Vec::new(), in_quote, indent: 0, breaks: 0, empty: true, held: false }
    }

    /// Makes sure that at least `lines` line breaks stand before what comes next.
    pub(super) fn gap(&mut self, lines: usize) {
        if self.held || self.empty {
            return;
        }
        while self.breaks < lines {
            self.line_break(&Style::default());
        }
    }

    fn line_break(&mut self, style: &Style) {
        if let Some(Piece::Run(_, text)) = self.out.last_mut() {
            text.truncate(text.trim_end_matches([' ', '\t']).len());
        }
        self.put(style, "\n");
        self.breaks += 1;
    }

    /// What comes next goes on in this line.
    pub(super) const fn hold(&mut self) {
        self.held = true;
    }

    pub(super) const fn release(&mut self) {
        self.held = false;
    }

    /// Changes the level of lists.
    pub(super) const fn indent(&mut self, by: isize) {
        self.indent = self.indent.saturating_add_signed(by);
    }

    /// Appends text; its line breaks keep the indentation.
    pub(super) fn text(&mut self, style: &Style, text: &str) {
        for (index, line) in text.split('\n').enumerate() {
            // More than one empty line is never wanted.
            if index > 0 && !self.empty && self.breaks < 2 {
                self.line_break(style);
            }
            let spaced = matches!(self.out.last(), Some(Piece::Run(_, text)) if text.ends_with(' '));
            let line = if spaced || self.breaks > 0 || self.empty { line.trim_start() } else { line };
            if line.is_empty() {
                continue;
            }
            self.start_line();
            self.put(style, line);
        }
    }

    fn start_line(&mut self) {
        if self.breaks > 0 && self.indent > 0 {
            let indent = INDENT.repeat(self.indent.min(6));
            self.put(&Style::default(), &indent);
        }
        self.breaks = 0;
        self.empty = false;
        self.held = false;
    }

    fn put(&mut self, style: &Style, text: &str) {
        if let Some(Piece::Run(last, run)) = self.out.last_mut()
            && *last == *style
        {
            run.push_str(text);
        } else {
            self.out.push(Piece::Run(style.clone(), text.to_owned()));
        }
    }

    /// Appends monospace text; inside a link the link wins.
    pub(super) fn code(&mut self, style: &Style, text: &str) {
        if style.link.is_some() {
            self.text(style, text);
        } else if !text.trim().is_empty() {
            self.start_line();
            self.out.push(Piece::Code(text.replace('\n', " ")));
        }
    }

    /// Appends a block of monospace text.
    pub(super) fn pre(&mut self, gap: usize, lang: &str, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        // A block never shares a line with a marker.
        self.held = false;
        self.gap(gap.clamp(1, 2));
        self.breaks = 0;
        self.empty = false;
        self.out.push(Piece::Pre { lang: lang.to_owned(), text: text.trim_matches('\n').to_owned() });
    }

    /// Appends a quotation; inside another it is plain text.
    pub(super) fn quote(&mut self, gap: usize, expandable: bool, body: impl FnOnce(&mut Self)) {
        if self.in_quote {
            self.gap(gap.max(1));
            body(self);
            return;
        }
        let mut inner = Self::new(true);
        body(&mut inner);
        if inner.empty {
            return;
        }
        self.held = false;
        self.gap(gap.clamp(1, 2));
        self.breaks = 0;
        self.empty = false;
        self.out.push(Piece::Quote { expandable, pieces: trimmed(inner.out) });
    }

    pub(super) fn finish(self) -> Rich {
        tree(trimmed(self.out))
    }
}

/// Without white space at the end.
fn trimmed(mut pieces: Vec<Piece>) -> Vec<Piece> {
    while let Some(Piece::Run(_, text)) = pieces.last_mut() {
        text.truncate(text.trim_end().len());
        if text.is_empty() {
            pieces.pop();
        } else {
            break;
        }
    }
    pieces
}

fn tree(pieces: Vec<Piece>) -> Rich {
    Rich(
        pieces
            .into_iter()
            .map(|piece| match piece {
                Piece::Run(style, text) => styled(style, text),
                Piece::Code(text) => Node::Code(text),
                Piece::Pre { lang, text } => Node::Pre { lang, text },
                Piece::Quote { expandable, pieces } => Node::Quote { expandable, body: tree(pieces) },
            })
            .collect(),
    )
}

fn styled(style: Style, text: String) -> Node {
    let mut node = Node::Text(text);
    if style.strike {
        node = Node::Strike(node.into());
    }
    if style.italic {
        node = Node::Italic(node.into());
    }
    if style.bold {
        node = Node::Bold(node.into());
    }
    if let Some(url) = style.link {
        node = Node::Link { url, body: node.into() };
    }
    node
}
