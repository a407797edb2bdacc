//! A note that can be walked through; its grammar is docs/vault.md.

use std::collections::{BTreeSet, HashMap};

use fitter_domain::procedure::{Figure, Procedure, Severity as Danger, Step, Warning};
use fitter_domain::rich::Rich;

use crate::links::LinkIndex;
use crate::markdown::{self, Block, BlockKind, Callout, Inline, Item, Look, caption, is_image, plain, render};
use crate::meta::Meta;
use crate::problem::Problems;

pub(crate) mod check;
mod fields;
mod rules;

const LOOK: Look = Look { procedure: true, checks: false };

/// A procedure whose pictures are still files of the vault: [`Figure::blob`] holds the path inside the vault.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcedureDraft(Procedure);

impl ProcedureDraft {
    /// The procedure as it stands, with paths in [`Figure::blob`].
    #[must_use]
    pub const fn procedure(&self) -> &Procedure {
        &self.0
    }

    /// Paths of its pictures inside the vault, each once.
    #[must_use]
    pub fn pictures(&self) -> BTreeSet<&str> {
        self.0.steps.iter().flat_map(|step| &step.figures).map(|figure| figure.blob.as_str()).collect()
    }

    /// The finished procedure: every path becomes the name of its bytes in the file store. A picture that `blobs` does not know is left out.
    #[must_use]
    pub fn with_blobs(self, blobs: &HashMap<String, String>) -> Procedure {
        let mut procedure = self.0;
        for step in &mut procedure.steps {
            step.figures.retain_mut(|figure| match blobs.get(&figure.blob) {
                Some(blob) => {
                    figure.blob.clone_from(blob);
                    true
                }
                None => false,
            });
        }
        procedure
    }
}

/// What stands between two steps.
#[derive(Default)]
struct Between {
    warnings: Vec<Warning>,
    blocks: Vec<Block>,
    /// A heading stands there: what follows it belongs to the step after it.
    heading: bool,
}

/// Reads the procedure of a note; `None` after an error, which is then among the problems.
pub(crate) fn parse(path: &str, meta: &Meta, blocks: &[Block], links: &LinkIndex<'_>, problems: &mut Problems) -> Option<ProcedureDraft> {
    let begin = blocks.iter().position(|block| matches!(block.kind, BlockKind::List { first: Some(_), .. }));
    let Some((before, rest)) = begin.and_then(|begin| blocks.split_at_checked(begin)) else {
        problems.error(1, "a procedure needs at least one step: an item of a numbered list");
        return None;
    };
    let mut reader = Reader { from: (path, links), title: &meta.title, steps: Vec::new(), between: Between::default(), open: Vec::new() };
    let (intro, warnings, pictures) = reader.intro(before, problems);
    for block in rest {
        reader.block(block, problems);
    }
    let (between, mut steps) = (reader.between, reader.steps);
    // An introduction has no pictures of its own.
    if let Some(first) = steps.first_mut() {
        first.figures.splice(..0, pictures);
    }
    // Nothing follows: a warning at the end belongs to the last step, text under a last heading to the note only.
    if let Some(last) = steps.last_mut() {
        last.warnings.extend(between.warnings);
    }
    rules::check(&mut steps, problems);
    let procedure = Procedure {
        note: path.to_owned(),
        title: meta.title.clone(),
        locale: meta.locale,
        duration: meta.duration,
        intro,
        warnings,
        steps,
    };
    (!problems.has_errors()).then_some(ProcedureDraft(procedure))
}

struct Reader<'a, 'v> {
    from: (&'a str, &'a LinkIndex<'v>),
    title: &'a str,
    steps: Vec<Step>,
    between: Between,
    /// Headings that are open: level and text.
    open: Vec<(u8, String)>,
}

const STRAY: &str = "the checkpoint stands outside a step: indent it under its step";

impl Reader<'_, '_> {
    fn intro(&mut self, before: &[Block], problems: &mut Problems) -> (Rich, Vec<Warning>, Vec<Figure>) {
        let mut warnings = Vec::new();
        let mut text: Vec<Block> = Vec::new();
        for block in before {
            match &block.kind {
                BlockKind::Heading { level, body } => {
                    let heading = plain(body);
                    let is_title = heading == self.title;
                    self.heading(*level, heading);
                    if !is_title {
                        text.push(block.clone());
                    }
                }
                BlockKind::Callout(callout) if callout.kind == "check" => problems.error(block.start, STRAY),
                BlockKind::Callout(callout) => match warning(callout) {
                    Some(warning) => warnings.push(warning),
                    None => text.push(block.clone()),
                },
                _ => text.push(block.clone()),
            }
        }
        // The last headings open the first step's section.
        while text.last().is_some_and(|block| matches!(block.kind, BlockKind::Heading { .. })) {
            text.pop();
        }
        let pictures = figures(&text, self.from);
        self.between = Between::default();
        (render(&text, LOOK), warnings, pictures)
    }

    fn heading(&mut self, level: u8, text: String) {
        self.open.retain(|(above, _)| *above < level);
        self.open.push((level, text));
        self.between.heading = true;
    }

    fn block(&mut self, block: &Block, problems: &mut Problems) {
        match &block.kind {
            BlockKind::Heading { level, body } => self.heading(*level, plain(body)),
            BlockKind::List { first: Some(_), items } => {
                for item in items {
                    let section = self.open.last().map(|(_, text)| text.clone()).filter(|text| text != self.title);
                    let before = std::mem::take(&mut self.between);
                    self.steps.push(step(item, section, before, self.from, problems));
                }
            }
            BlockKind::Callout(callout) if callout.kind == "check" => problems.error(block.start, STRAY),
            BlockKind::Callout(callout) if danger(callout).is_some() => self.between.warnings.extend(warning(callout)),
            _ => match self.steps.last_mut() {
                Some(last) if !self.between.heading => {
                    last.figures.extend(figures(std::slice::from_ref(block), self.from));
                    join(&mut last.body, render(std::slice::from_ref(block), LOOK));
                }
                _ => self.between.blocks.push(block.clone()),
            },
        }
    }
}

/// Titles of the steps of a procedure's lists, numbered as they stand.
pub(crate) fn titles(blocks: &[Block]) -> Vec<String> {
    let mut out = Vec::new();
    for block in blocks {
        let BlockKind::List { first: Some(first), items } = &block.kind else { continue };
        for (index, item) in items.iter().enumerate() {
            let title = match item.blocks.first().map(|block| &block.kind) {
                Some(BlockKind::Paragraph(body)) => take_title(&mut body.clone()),
                _ => String::new(),
            };
            if !title.is_empty() {
                out.push(format!("{}. {title}", first.saturating_add(index)));
            }
        }
    }
    out
}

/// An item of the list as a step. Its id and condition are checked later, when all steps are known.
fn step(item: &Item, section: Option<String>, before: Between, from: (&str, &LinkIndex<'_>), problems: &mut Problems) -> Step {
    let line = item.start;
    let mut blocks = item.blocks.clone();
    let mut id = None;
    let mut fields = fields::Fields::default();
    let mut title = String::new();
    if let Some(first) = blocks.first_mut()
        && let BlockKind::Paragraph(body) = &mut first.kind
    {
        id = first.id.take();
        fields = fields::take(body, line, problems);
        id = id.or(fields.name.take());
        title = take_title(body);
    }
    // An id on a line of its own, at the end of the item.
    id = id.or_else(|| blocks.last_mut().and_then(|last| last.id.take()));
    let id = id.map(|id| {
        if id.is_empty() || !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            problems.error(line, format!("step name `^{id}`: only Latin letters, digits and dashes"));
        }
        id
    });
    let mut warnings = before.warnings;
    let mut checks = Vec::new();
    let mut text = Vec::new();
    for block in before.blocks.into_iter().chain(blocks) {
        match &block.kind {
            BlockKind::Callout(callout) if callout.kind == "check" => checks.extend(check::read(callout, block.start, problems)),
            BlockKind::Callout(callout) if danger(callout).is_some() => warnings.extend(warning(callout)),
            _ => text.push(block),
        }
    }
    markdown::visit(&text, &mut |block| {
        if matches!(&block.kind, BlockKind::Callout(callout) if callout.kind == "check") {
            problems.error(block.start, "the checkpoint stands inside a list or quote of the step: indent it directly under the step");
        }
    });
    let figures = figures(&text, from);
    if title.is_empty() {
        title = figures
            .iter()
            .map(|figure| figure.caption.clone())
            .find(|caption| !caption.is_empty())
            .or_else(|| section.clone())
            .unwrap_or_default();
    }
    if title.is_empty() {
        problems.error(line, "the step has no text: write what to do");
    }
    Step {
        id: id.unwrap_or_default(),
        section,
        title,
        body: render(&text, LOOK),
        warnings,
        figures,
        checks,
        optional: fields.optional,
        repeat: fields.repeat,
        timer: fields.timer,
        when: fields.when,
        line,
    }
}

/// Takes the title from a step's first paragraph: its leading bold text, else its first sentence.
fn take_title(body: &mut Vec<Inline>) -> String {
    if let Some(Inline::Strong(bold)) = body.first() {
        let title = plain(bold);
        body.remove(0);
        if let Some(Inline::Text(text)) = body.first_mut() {
            *text = text.trim_start_matches(['.', ':', '!', ' ', '—', '–']).to_owned();
        }
        *body = markdown::trim(std::mem::take(body));
        return title.trim_end_matches(['.', ':', ' ']).to_owned();
    }
    let mut rest = Vec::new();
    let mut first = Vec::new();
    let mut ended = false;
    for inline in std::mem::take(body) {
        match inline {
            inline if ended => rest.push(inline),
            Inline::Break => ended = true,
            Inline::Text(text) => match sentence_end(&text) {
                Some(end) => {
                    ended = true;
                    first.push(Inline::Text(text.get(..end).unwrap_or_default().to_owned()));
                    rest.push(Inline::Text(text.get(end..).unwrap_or_default().to_owned()));
                }
                None => first.push(Inline::Text(text)),
            },
            // Pictures are no words: they stay in the body.
            inline @ (Inline::Image { .. } | Inline::Wiki { embed: true, .. }) => rest.push(inline),
            inline => first.push(inline),
        }
    }
    *body = markdown::trim(rest);
    plain(&first).trim_end_matches(['.', ':', ' ']).to_owned()
}

/// Where the first sentence ends: after `.`, `!` or `?` before a space and a capital letter.
fn sentence_end(text: &str) -> Option<usize> {
    text.match_indices(['.', '!', '?']).map(|(at, mark)| at + mark.len()).find(|end| {
        let tail = text.get(*end..).unwrap_or_default();
        tail.starts_with(' ') && tail.trim_start().chars().next().is_some_and(char::is_uppercase)
    })
}

fn danger(callout: &Callout) -> Option<Danger> {
    match callout.kind.as_str() {
        "warning" | "caution" | "attention" => Some(Danger::Warning),
        "danger" | "error" => Some(Danger::Danger),
        _ => None,
    }
}

fn warning(callout: &Callout) -> Option<Warning> {
    let severity = danger(callout)?;
    Some(Warning { severity, title: plain(&callout.title), body: render(&callout.blocks, LOOK) })
}

/// Pictures that exist, with their captions. Missing ones are reported with the note's other links.
fn figures(blocks: &[Block], (path, links): (&str, &LinkIndex<'_>)) -> Vec<Figure> {
    let mut out = Vec::new();
    markdown::visit_inlines(blocks, &mut |_, inline| {
        let (url, alt) = match inline {
            Inline::Image { url, alt } => (url, caption(alt)),
            Inline::Wiki { target, body, embed: true } if is_image(target) => (target, caption(body).filter(|shown| shown != target)),
            _ => return,
        };
        if let Some(blob) = crate::chunk::attachment(path, url, links) {
            out.push(Figure { blob, caption: alt.unwrap_or_default() });
        }
    });
    out
}

fn join(body: &mut Rich, more: Rich) {
    if !more.is_empty() {
        *body = std::mem::take(body).gap().append(more);
    }
}
