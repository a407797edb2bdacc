//! `parse_mode=MarkdownV2`, with Telegram's complaints.

use super::{Entity, Formatted};

/// Characters that MarkdownV2 wants escaped.
const RESERVED: &str = "_*[]()~`>#+-=|{}.!";

/// What is open in MarkdownV2.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bold,
    Italic,
    Underline,
    Strikethrough,
    Spoiler,
    Code,
    Pre,
    PreCode,
    TextUrl,
    CustomEmoji,
    BlockQuote,
    ExpandableBlockQuote,
}

impl Kind {
    /// The name in complaints.
    fn title(self) -> &'static str {
        match self {
            Self::Bold => "Bold",
            Self::Italic => "Italic",
            Self::Underline => "Underline",
            Self::Strikethrough => "Strikethrough",
            Self::Spoiler => "Spoiler",
            Self::Code => "Code",
            Self::Pre => "Pre",
            Self::PreCode => "PreCode",
            Self::TextUrl => "TextUrl",
            Self::CustomEmoji => "CustomEmoji",
            Self::BlockQuote => "BlockQuote",
            Self::ExpandableBlockQuote => "ExpandableBlockQuote",
        }
    }

    fn entity(self) -> &'static str {
        match self {
            Self::Bold => "bold",
            Self::Italic => "italic",
            Self::Underline => "underline",
            Self::Strikethrough => "strikethrough",
            Self::Spoiler => "spoiler",
            Self::Code => "code",
            Self::Pre | Self::PreCode => "pre",
            Self::TextUrl => "text_link",
            Self::CustomEmoji => "custom_emoji",
            Self::BlockQuote => "blockquote",
            Self::ExpandableBlockQuote => "expandable_blockquote",
        }
    }

    fn is_quote(self) -> bool {
        matches!(self, Self::BlockQuote | Self::ExpandableBlockQuote)
    }

    fn is_code(self) -> bool {
        matches!(self, Self::Code | Self::Pre | Self::PreCode)
    }

    /// The characters that end it, if that is all it takes.
    fn end(self) -> Option<&'static str> {
        Some(match self {
            Self::Bold => "*",
            Self::Italic => "_",
            Self::Underline => "__",
            Self::Strikethrough => "~",
            Self::Spoiler => "||",
            Self::Code => "`",
            Self::Pre | Self::PreCode => "```",
            Self::TextUrl | Self::CustomEmoji => "]",
            Self::BlockQuote | Self::ExpandableBlockQuote => return None,
        })
    }
}

struct Open {
    kind: Kind,
    offset: usize,
    text_from: usize,
    byte: usize,
    language: String,
}

struct Parser<'a> {
    source: &'a str,
    at: usize,
    text: String,
    units: usize,
    open: Vec<Open>,
    entities: Vec<Entity>,
}

/// Parses MarkdownV2. The error is what follows `can't parse entities: `.
pub(crate) fn parse(source: &str) -> Result<Formatted, String> {
    let mut parser = Parser { source, at: 0, text: String::new(), units: 0, open: Vec::new(), entities: Vec::new() };
    let mut line_start = true;
    while let Some(c) = parser.peek() {
        if line_start && !parser.in_code() && parser.quote_line()? {
            line_start = false;
            continue;
        }
        line_start = c == '\n';
        parser.step(c)?;
    }
    parser.end_quote()?;
    match parser.open.last() {
        Some(open) => Err(not_ended(open)),
        None => Ok(Formatted { text: parser.text, entities: parser.entities }),
    }
}

fn not_ended(open: &Open) -> String {
    format!("Can't find end of {} entity at byte offset {}", open.kind.title(), open.byte)
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn push(&mut self, c: char) {
        self.text.push(c);
        self.units += c.len_utf16();
        self.at += c.len_utf8();
    }

    fn in_code(&self) -> bool {
        self.open.last().is_some_and(|open| open.kind.is_code())
    }

    fn start(&mut self, kind: Kind, bytes: usize) {
        self.open.push(Open { kind, offset: self.units, text_from: self.text.len(), byte: self.at, language: String::new() });
        self.at += bytes;
    }

    /// Looks at a line's beginning: a quotation starts, goes on or ends. True if it took a mark.
    fn quote_line(&mut self) -> Result<bool, String> {
        let quoted = self.open.iter().any(|open| open.kind.is_quote());
        let rest = self.rest();
        if quoted && rest.starts_with('>') {
            self.at += 1;
            return Ok(true);
        }
        let starts = if rest.starts_with("**>") {
            Some((Kind::ExpandableBlockQuote, 3))
        } else if rest.starts_with('>') {
            Some((Kind::BlockQuote, 1))
        } else {
            None
        };
        if quoted {
            self.end_quote()?;
        }
        if let Some((kind, bytes)) = starts {
            self.start(kind, bytes);
        }
        Ok(starts.is_some())
    }

    fn end_quote(&mut self) -> Result<(), String> {
        if !self.open.iter().any(|open| open.kind.is_quote()) {
            return Ok(());
        }
        match self.open.pop() {
            Some(open) if open.kind.is_quote() => {
                self.close(open);
                Ok(())
            }
            Some(open) => Err(not_ended(&open)),
            None => Ok(()),
        }
    }

    fn step(&mut self, c: char) -> Result<(), String> {
        if c == '\\' {
            let next = self.rest().chars().nth(1);
            if let Some(next) = next.filter(|next| matches!(next, '\u{1}'..='~')) {
                self.at += 1;
                self.push(next);
                return Ok(());
            }
        }
        if self.ends_top() {
            return self.end_top();
        }
        if self.in_code() {
            self.push(c);
            return Ok(());
        }
        self.begin(c)
    }

    /// Whether the innermost open entity ends here.
    fn ends_top(&self) -> bool {
        let Some(end) = self.open.last().and_then(|open| open.kind.end()) else {
            return false;
        };
        // Two underscores are never the end of an italic text.
        self.rest().starts_with(end) && (end != "_" || !self.rest().starts_with("__"))
    }

    fn begin(&mut self, c: char) -> Result<(), String> {
        let rest = self.rest();
        let (kind, bytes) = match c {
            '_' if rest.starts_with("__") => (Kind::Underline, 2),
            '_' => (Kind::Italic, 1),
            '*' => (Kind::Bold, 1),
            '~' => (Kind::Strikethrough, 1),
            '[' => (Kind::TextUrl, 1),
            '!' if rest.starts_with("![") => (Kind::CustomEmoji, 2),
            '|' if rest.starts_with("||") => return self.spoiler(),
            '`' if rest.starts_with("```") => {
                self.begin_pre();
                return Ok(());
            }
            '`' => (Kind::Code, 1),
            _ if RESERVED.contains(c) => {
                return Err(format!("Character '{c}' is reserved and must be escaped with the preceding '\\'"));
            }
            _ => {
                self.push(c);
                return Ok(());
            }
        };
        self.start(kind, bytes);
        Ok(())
    }

    /// `||` starts a spoiler, or ends an expandable quotation at the end of its last line.
    fn spoiler(&mut self) -> Result<(), String> {
        let after = self.rest().get(2..).unwrap_or_default();
        let last = after.is_empty() || after.starts_with('\n');
        let top = self.open.last().map(|open| open.kind);
        if last && top == Some(Kind::ExpandableBlockQuote) {
            self.at += 2;
            return self.end_quote();
        }
        self.start(Kind::Spoiler, 2);
        Ok(())
    }

    fn begin_pre(&mut self) {
        let after = self.rest().get(3..).unwrap_or_default();
        let end = after.find(|c: char| c.is_whitespace() || c == '`');
        let language = end
            .filter(|end| *end > 0 && !after.get(*end..).is_some_and(|rest| rest.starts_with('`')))
            .and_then(|end| after.get(..end))
            .unwrap_or_default()
            .to_owned();
        let kind = if language.is_empty() { Kind::Pre } else { Kind::PreCode };
        self.start(kind, 3 + language.len());
        if let Some(open) = self.open.last_mut() {
            open.language = language;
        }
        if self.rest().starts_with('\n') {
            self.at += 1;
        }
    }

    fn end_top(&mut self) -> Result<(), String> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        self.at += open.kind.end().map_or(0, str::len);
        match open.kind {
            Kind::TextUrl => {
                let url =
                    if self.rest().starts_with('(') { self.url()? } else { self.text.get(open.text_from..).unwrap_or_default().to_owned() };
                let mut entity = Entity::new("text_link", open.offset, self.units - open.offset);
                if entity.length > 0 && super::link(&mut entity, &url) {
                    self.entities.push(entity);
                }
            }
            Kind::CustomEmoji => {
                if !self.rest().starts_with('(') {
                    return Err("Custom emoji entity must contain a tg://emoji URL".into());
                }
                let url = self.url()?;
                let Some(id) = url.strip_prefix("tg://emoji?id=") else {
                    return Err("Custom emoji URL must have an emoji identifier".into());
                };
                let entity = Entity::new("custom_emoji", open.offset, self.units - open.offset);
                self.entities.push(entity.with("custom_emoji_id", id));
            }
            _ => self.close(open),
        }
        Ok(())
    }

    /// The address in parentheses after a link's text.
    fn url(&mut self) -> Result<String, String> {
        let begin = self.at;
        self.at += 1;
        let mut url = String::new();
        while let Some(c) = self.peek() {
            self.at += c.len_utf8();
            match c {
                ')' => return Ok(url),
                '\\' => match self.peek().filter(|next| matches!(next, '\u{1}'..='~')) {
                    Some(next) => {
                        url.push(next);
                        self.at += 1;
                    }
                    None => url.push(c),
                },
                _ => url.push(c),
            }
        }
        Err(format!("Can't find end of a URL at byte offset {begin}"))
    }

    fn close(&mut self, open: Open) {
        let mut end = self.units;
        // The line break that ends a quotation is not part of it.
        if open.kind.is_quote() && self.text.ends_with('\n') && self.at < self.source.len() {
            end -= 1;
        }
        if end <= open.offset {
            return;
        }
        let mut entity = Entity::new(open.kind.entity(), open.offset, end - open.offset);
        if !open.language.is_empty() {
            entity = entity.with("language", open.language);
        }
        self.entities.push(entity);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(source: &str) -> (String, Vec<(String, usize, usize)>) {
        let parsed = parse(source).unwrap();
        let kinds = parsed.entities.into_iter().map(|e| (e.kind, e.offset, e.length));
        (parsed.text, kinds.collect())
    }

    fn entity(kind: &str, offset: usize, length: usize) -> (String, usize, usize) {
        (kind.to_owned(), offset, length)
    }

    #[test]
    fn marks_become_entities() {
        let (text, found) = kinds("🔧 *a _b_* ~c~ ||d|| __e__ `f\\`` \\.");
        assert_eq!(text, "🔧 a b c d e f` .");
        assert_eq!(
            found,
            [
                entity("italic", 5, 1),
                entity("bold", 3, 3),
                entity("strikethrough", 7, 1),
                entity("spoiler", 9, 1),
                entity("underline", 11, 1),
                entity("code", 13, 2),
            ]
        );
    }

    #[test]
    fn blocks_and_links_have_their_arguments() {
        let parsed = parse("```rust\nx.y()\n```[a](https://b.kz/\\))").unwrap();
        assert_eq!(parsed.text, "x.y()\na");
        assert_eq!(parsed.entities[0], Entity::new("pre", 0, 6).with("language", "rust"));
        assert_eq!(parsed.entities[1], Entity::new("text_link", 6, 1).with("url", "https://b.kz/)"));
    }

    #[test]
    fn quotations_span_lines() {
        let (text, found) = kinds(">a\n>b\nc");
        assert_eq!(text, "a\nb\nc");
        assert_eq!(found, [entity("blockquote", 0, 3)]);
        let (text, found) = kinds("**>a\n>b||\nc");
        assert_eq!(text, "a\nb\nc");
        assert_eq!(found, [entity("expandable_blockquote", 0, 3)]);
    }

    #[test]
    fn complaints_are_telegrams() {
        let complaint = |source: &str| parse(source).unwrap_err();
        assert_eq!(complaint("hello."), "Character '.' is reserved and must be escaped with the preceding '\\'");
        for (source, kind, offset) in [
            ("🏟 🏟_abacaba", "Italic", 9),
            ("🏟 🏟_abac * asd ", "Bold", 15),
            ("🏟 🏟`", "Code", 9),
            ("🏟 🏟```a", "Pre", 9),
            ("🏟 🏟```a ", "PreCode", 9),
            ("🏟 🏟_🏟 🏟__", "Underline", 19),
        ] {
            assert_eq!(complaint(source), format!("Can't find end of {kind} entity at byte offset {offset}"), "{source}");
        }
    }
}
