//! Text as a tree, and its flat form: text with entities in UTF-16 units, as Telegram counts.

use serde::{Deserialize, Serialize};

use crate::msg::Msg;

mod split;
pub use split::{CAPTION_LIMIT, ENTITY_LIMIT, TEXT_LIMIT, split};

/// A piece of text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Node {
    /// Plain text; line breaks are `\n`.
    Text(String),
    /// A message in the reader's language; replaced by text before it is flattened.
    Msg(Msg),
    /// Bold.
    Bold(Rich),
    /// Italic.
    Italic(Rich),
    /// Struck through.
    Strike(Rich),
    /// Hidden until tapped.
    Spoiler(Rich),
    /// Monospace inline.
    Code(String),
    /// Monospace block.
    Pre {
        /// Language of the code, may be empty.
        lang: String,
        /// The code.
        text: String,
    },
    /// A link with its own text.
    Link {
        /// Where to.
        url: String,
        /// Its text.
        body: Rich,
    },
    /// A quotation.
    Quote {
        /// Collapsed at first.
        expandable: bool,
        /// Its text.
        body: Rich,
    },
}

/// A tree of text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rich(pub Vec<Node>);

impl Rich {
    /// Nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self(vec![Node::Text(text.into())])
    }

    /// Whether there is nothing to read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.plain().trim().is_empty()
    }

    /// Appends a piece.
    #[must_use]
    pub fn push(mut self, node: impl Into<Node>) -> Self {
        self.0.push(node.into());
        self
    }

    /// Appends bold text.
    #[must_use]
    pub fn bold(self, body: impl Into<Self>) -> Self {
        self.push(Node::Bold(body.into()))
    }

    /// Appends another tree.
    #[must_use]
    pub fn append(mut self, other: impl Into<Self>) -> Self {
        self.0.extend(other.into().0);
        self
    }

    /// Appends a line break.
    #[must_use]
    pub fn line(self) -> Self {
        self.push("\n")
    }

    /// Appends an empty line unless nothing stands before it.
    #[must_use]
    pub fn gap(self) -> Self {
        if self.0.is_empty() { self } else { self.push("\n\n") }
    }

    /// The text without formatting; messages are left out.
    #[must_use]
    pub fn plain(&self) -> String {
        flatten(self).text
    }

    /// Replaces every [`Node::Msg`] by the text that `say` gives for it.
    #[must_use]
    pub fn resolve(self, say: &dyn Fn(&Msg) -> String) -> Self {
        let inner = |body: Self| body.resolve(say);
        Self(
            self.0
                .into_iter()
                .map(|node| match node {
                    Node::Msg(msg) => Node::Text(say(&msg)),
                    Node::Bold(body) => Node::Bold(inner(body)),
                    Node::Italic(body) => Node::Italic(inner(body)),
                    Node::Strike(body) => Node::Strike(inner(body)),
                    Node::Spoiler(body) => Node::Spoiler(inner(body)),
                    Node::Link { url, body } => Node::Link { url, body: inner(body) },
                    Node::Quote { expandable, body } => Node::Quote { expandable, body: inner(body) },
                    node @ (Node::Text(_) | Node::Code(_) | Node::Pre { .. }) => node,
                })
                .collect(),
        )
    }
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<String> for Node {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl From<Msg> for Node {
    fn from(msg: Msg) -> Self {
        Self::Msg(msg)
    }
}
impl<T: Into<Node>> From<T> for Rich {
    fn from(node: T) -> Self {
        Self(vec![node.into()])
    }
}

/// What a stretch of text looks like; the names are the Bot API's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EntityKind {
    /// Bold.
    Bold,
    /// Italic.
    Italic,
    /// Struck through.
    Strikethrough,
    /// Hidden until tapped.
    Spoiler,
    /// Monospace inline.
    Code,
    /// Monospace block.
    Pre {
        /// Language of the code.
        #[serde(skip_serializing_if = "String::is_empty")]
        language: String,
    },
    /// A link with its own text.
    TextLink {
        /// Where to.
        url: String,
    },
    /// A quotation.
    Blockquote,
    /// A quotation collapsed at first.
    ExpandableBlockquote,
}

/// A formatted stretch of text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// What it looks like.
    #[serde(flatten)]
    pub kind: EntityKind,
    /// Where it begins, UTF-16 units.
    pub offset: usize,
    /// How long it is, UTF-16 units, never 0.
    pub length: usize,
}

/// Text with entities.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Formatted {
    /// The text.
    pub text: String,
    /// Its formatted stretches, outer before inner.
    pub entities: Vec<Entity>,
}

/// Length in the units in which Telegram counts.
#[must_use]
pub fn utf16_len(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The flat form of a tree. Entities never begin or end with white space, as Telegram trims those itself; a quotation inside a quotation is a
/// part of it, as Telegram has no nested ones.
#[must_use]
pub fn flatten(rich: &Rich) -> Formatted {
    let mut flat = Flat::default();
    flat.all(rich);
    flat.out
}

/// A flat form in the making.
#[derive(Default)]
struct Flat {
    out: Formatted,
    /// Length so far, UTF-16 units.
    at: usize,
    /// Inside of a quotation.
    quoted: bool,
}

impl Flat {
    fn all(&mut self, rich: &Rich) {
        rich.0.iter().for_each(|node| self.node(node));
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::Text(text) => self.text(text),
            Node::Msg(_) => {}
            Node::Code(text) => self.span(EntityKind::Code, |flat| flat.text(text)),
            Node::Pre { lang, text } => self.span(EntityKind::Pre { language: lang.clone() }, |flat| flat.text(text)),
            Node::Bold(body) => self.span(EntityKind::Bold, |flat| flat.all(body)),
            Node::Italic(body) => self.span(EntityKind::Italic, |flat| flat.all(body)),
            Node::Strike(body) => self.span(EntityKind::Strikethrough, |flat| flat.all(body)),
            Node::Spoiler(body) => self.span(EntityKind::Spoiler, |flat| flat.all(body)),
            Node::Link { url, body } => self.span(EntityKind::TextLink { url: url.clone() }, |flat| flat.all(body)),
            Node::Quote { body, .. } if self.quoted => self.all(body),
            Node::Quote { expandable, body } => {
                let kind = if *expandable { EntityKind::ExpandableBlockquote } else { EntityKind::Blockquote };
                self.quoted = true;
                self.span(kind, |flat| flat.all(body));
                self.quoted = false;
            }
        }
    }

    fn text(&mut self, text: &str) {
        self.out.text.push_str(text);
        self.at += utf16_len(text);
    }

    fn span(&mut self, kind: EntityKind, body: impl FnOnce(&mut Self)) {
        let (from_byte, from, slot) = (self.out.text.len(), self.at, self.out.entities.len());
        body(self);
        let inside = self.out.text.get(from_byte..).unwrap_or_default();
        let trimmed_start = inside.trim_start();
        let skipped = utf16_len(inside) - utf16_len(trimmed_start);
        let length = utf16_len(trimmed_start.trim_end());
        if length > 0 {
            self.out.entities.insert(slot, Entity { kind, offset: from + skipped, length });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_utf16() {
        let rich = Rich::text("🔧 ").bold("Шаг 3").push(" из 12");
        let flat = flatten(&rich);
        assert_eq!(flat.text, "🔧 Шаг 3 из 12");
        assert_eq!(flat.entities, vec![Entity { kind: EntityKind::Bold, offset: 3, length: 5 }]);
    }

    #[test]
    fn entities_do_not_cover_surrounding_space_and_nest_outer_first() {
        let quote = Node::Quote { expandable: true, body: Rich::text("\n").bold(" a b ").push(" c\n") };
        let flat = flatten(&Rich(vec![quote]));
        assert_eq!(flat.entities.iter().map(|e| (e.offset, e.length)).collect::<Vec<_>>(), vec![(2, 6), (2, 3)]);
        assert_eq!(flat.entities[0].kind, EntityKind::ExpandableBlockquote);
    }

    #[test]
    fn a_quotation_has_no_quotation_in_it() {
        let inner = Node::Quote { expandable: false, body: Rich::text("б") };
        let outer = Node::Quote { expandable: true, body: Rich::text("а ").push(inner) };
        let flat = flatten(&Rich(vec![outer]));
        assert_eq!(flat.entities, vec![Entity { kind: EntityKind::ExpandableBlockquote, offset: 0, length: 3 }]);
    }

    #[test]
    fn an_empty_span_has_no_entity() {
        assert!(flatten(&Rich::new().bold("  \n ")).entities.is_empty());
    }
}
