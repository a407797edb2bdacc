//! `parse_mode=HTML`, with Telegram's complaints.

use super::{Entity, Formatted, units};

/// A tag that is open.
struct Open {
    tag: String,
    /// What its attributes say: a link, a language, an emoji.
    argument: String,
    format: String,
    offset: usize,
    text_from: usize,
}

/// Parses HTML. The error is what follows `can't parse entities: `.
pub(crate) fn parse(source: &str) -> Result<Formatted, String> {
    let mut parser = Parser { source, at: 0, text: String::new(), units: 0, open: Vec::new(), entities: Vec::new() };
    while let Some(c) = parser.peek() {
        match c {
            '<' if parser.rest().starts_with("</") => parser.end_tag()?,
            '<' => parser.start_tag()?,
            '&' => parser.reference(),
            _ => parser.push(c, c.len_utf8()),
        }
    }
    if let Some(open) = parser.open.last() {
        return Err(format!("Can't find end tag corresponding to start tag \"{}\"", open.tag));
    }
    Ok(Formatted { text: parser.text, entities: parser.entities })
}

struct Parser<'a> {
    source: &'a str,
    at: usize,
    text: String,
    units: usize,
    open: Vec<Open>,
    entities: Vec<Entity>,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn push(&mut self, c: char, bytes: usize) {
        self.text.push(c);
        self.units += c.len_utf16();
        self.at += bytes;
    }

    /// `&lt;` and the like; anything else is text.
    fn reference(&mut self) {
        match decode(self.rest()) {
            Some((c, bytes)) => self.push(c, bytes),
            None => self.push('&', 1),
        }
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// Reads up to a character that ends a name.
    fn name(&mut self) -> String {
        let end = |c: char| c.is_whitespace() || matches!(c, '>' | '=' | '/' | '"' | '\'');
        let rest = self.rest();
        let name = rest.get(..rest.find(end).unwrap_or(rest.len())).unwrap_or_default();
        let name = name.to_ascii_lowercase();
        self.at += name.len();
        name
    }

    fn start_tag(&mut self) -> Result<(), String> {
        let begin = self.at;
        self.at += 1;
        let tag = {
            let rest = self.rest();
            let end = rest.find(|c: char| c.is_whitespace() || c == '>');
            rest.get(..end.unwrap_or(rest.len())).unwrap_or_default().to_ascii_lowercase()
        };
        self.at += tag.len();
        if self.at >= self.source.len() {
            return Err(format!("Unclosed start tag at byte offset {begin}"));
        }
        if kind_of(&tag).is_none() && tag != "span" {
            return Err(format!("Unsupported start tag \"{tag}\" at byte offset {begin}"));
        }
        let (mut argument, mut format) = (String::new(), String::new());
        loop {
            self.skip_space();
            match self.peek() {
                None => return Err(format!("Unclosed start tag \"{tag}\" at byte offset {begin}")),
                Some('>') => break,
                _ => {}
            }
            let (name, value) = self.attribute(&tag, begin)?;
            match (tag.as_str(), name.as_str()) {
                ("a", "href") | ("tg-emoji", "emoji-id") | ("tg-time", "unix") => argument = value,
                ("tg-time", "format") => format = value,
                ("code", "class") => {
                    if let Some(language) = value.strip_prefix("language-") {
                        argument = language.to_owned();
                    }
                }
                ("span", "class") if value == "tg-spoiler" => argument = value,
                ("blockquote", "expandable") => argument = name,
                _ => {}
            }
        }
        if tag == "tg-emoji" && argument.parse::<i64>().is_err() {
            return Err("Invalid custom emoji identifier specified".into());
        }
        if tag == "span" && argument.is_empty() {
            return Err(format!("Tag \"span\" must have class \"tg-spoiler\" at byte offset {begin}"));
        }
        self.at += 1;
        self.open.push(Open { tag, argument, format, offset: self.units, text_from: self.text.len() });
        Ok(())
    }

    /// `name="value"`, `name='value'`, `name=value` or `name`.
    fn attribute(&mut self, tag: &str, begin: usize) -> Result<(String, String), String> {
        let name = self.name();
        if name.is_empty() {
            return Err(format!("Empty attribute name in the tag \"{tag}\" at byte offset {begin}"));
        }
        self.skip_space();
        if self.peek() != Some('=') {
            return Ok((name, String::new()));
        }
        self.at += 1;
        self.skip_space();
        let (value, bytes) = match self.peek() {
            None => return Err(format!("Unclosed start tag at byte offset {begin}")),
            Some(quote @ ('"' | '\'')) => {
                let inner = self.rest().get(1..).unwrap_or_default();
                let Some(end) = inner.find(quote) else {
                    return Err(format!("Unclosed start tag at byte offset {begin}"));
                };
                (inner.get(..end).unwrap_or_default(), end + 2)
            }
            Some(_) => {
                let rest = self.rest();
                let end = rest.find(|c: char| c.is_whitespace() || c == '>');
                let value = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
                (value, value.len())
            }
        };
        let value = decode_all(value);
        self.at += bytes;
        Ok((name, value))
    }

    fn end_tag(&mut self) -> Result<(), String> {
        let begin = self.at;
        let Some(open) = self.open.pop() else {
            return Err(format!("Unexpected end tag at byte offset {begin}"));
        };
        self.at += 2;
        let name = self.name();
        self.skip_space();
        if self.peek() != Some('>') {
            return Err(format!("Unclosed end tag at byte offset {begin}"));
        }
        self.at += 1;
        if !name.is_empty() && name != open.tag {
            return Err(format!("Unmatched end tag at byte offset {begin}, expected \"</{}>\", found \"</{name}>\"", open.tag));
        }
        if self.units > open.offset {
            self.close(open);
        }
        Ok(())
    }

    fn close(&mut self, open: Open) {
        let length = self.units - open.offset;
        let kind = kind_of(&open.tag).unwrap_or("spoiler");
        let mut entity = Entity::new(kind, open.offset, length);
        match open.tag.as_str() {
            "a" => {
                let label = self.text.get(open.text_from..).unwrap_or_default();
                let url = if open.argument.is_empty() { label } else { &open.argument };
                if super::link(&mut entity, url) {
                    self.entities.push(entity);
                }
                return;
            }
            "tg-emoji" => entity = entity.with("custom_emoji_id", open.argument),
            "tg-time" => {
                entity = entity.with("unix_time", open.argument.parse::<i64>().unwrap_or(0));
                if !open.format.is_empty() {
                    entity = entity.with("date_time_format", open.format);
                }
            }
            "blockquote" if !open.argument.is_empty() => entity.kind = "expandable_blockquote".into(),
            // A language belongs to `pre`, which takes it over when it is closed.
            "code" if !open.argument.is_empty() && self.open.last().is_some_and(|outer| outer.tag == "pre") => {
                entity = entity.with("language", open.argument);
            }
            "pre" => {
                let inner =
                    self.entities.last().filter(|inner| inner.kind == "code" && (inner.offset, inner.length) == (open.offset, length));
                if let Some(inner) = inner {
                    entity.extra = inner.extra.clone();
                    self.entities.pop();
                }
            }
            _ => {}
        }
        self.entities.push(entity);
    }
}

/// The entity that a tag makes.
fn kind_of(tag: &str) -> Option<&'static str> {
    Some(match tag {
        "b" | "strong" => "bold",
        "i" | "em" => "italic",
        "u" | "ins" => "underline",
        "s" | "strike" | "del" => "strikethrough",
        "tg-spoiler" => "spoiler",
        "a" => "text_link",
        "code" => "code",
        "pre" => "pre",
        "blockquote" => "blockquote",
        "tg-emoji" => "custom_emoji",
        "tg-time" => "date_time",
        _ => return None,
    })
}

/// The character of a reference and the bytes it took.
fn decode(text: &str) -> Option<(char, usize)> {
    let body = text.strip_prefix('&')?;
    let length = body.find(|c: char| !(c.is_ascii_alphanumeric() || c == '#'));
    let name = body.get(..length.unwrap_or(body.len()))?;
    let c = match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code).filter(|c| *c != '\0')?
        }
    };
    let closed = body.get(name.len()..)?.starts_with(';');
    Some((c, 1 + name.len() + usize::from(closed)))
}

fn decode_all(text: &str) -> String {
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let Some((c, bytes)) = decode(rest).or_else(|| rest.chars().next().map(|c| (c, c.len_utf8()))) else {
            break;
        };
        out.push(c);
        at += bytes;
    }
    debug_assert!(units(&out) <= units(text), "references only shrink");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entities(source: &str) -> (String, Vec<Entity>) {
        let parsed = parse(source).unwrap();
        (parsed.text, parsed.entities)
    }

    #[test]
    fn tags_become_entities() {
        let (text, found) = entities("🔧 <b>a<i>б</i></b> &lt;&amp;&#128295; <s>x</s>");
        assert_eq!(text, "🔧 aб <&🔧 x");
        assert_eq!(found, [Entity::new("italic", 4, 1), Entity::new("bold", 3, 2), Entity::new("strikethrough", 11, 1),]);
    }

    #[test]
    fn links_code_and_quotes_have_their_arguments() {
        let (_, found) = entities("<a href=\"https://a.kz/?x=1&amp;y=2\">l</a>");
        assert_eq!(found[0], Entity::new("text_link", 0, 1).with("url", "https://a.kz/?x=1&y=2"));
        let (_, found) = entities("<pre><code class=\"language-rust\">x</code></pre>");
        assert_eq!(found, [Entity::new("pre", 0, 1).with("language", "rust")]);
        let (_, found) = entities("<blockquote expandable>x</blockquote>");
        assert_eq!(found[0].kind, "expandable_blockquote");
        let (_, found) = entities("<span class='tg-spoiler'>x</span>");
        assert_eq!(found[0].kind, "spoiler");
    }

    #[test]
    fn complaints_are_telegrams() {
        let complaint = |source: &str| parse(source).unwrap_err();
        assert_eq!(complaint("<script>alert(1)</script>"), "Unsupported start tag \"script\" at byte offset 0");
        assert_eq!(complaint("<b><i>test</b></i>"), "Unmatched end tag at byte offset 10, expected \"</i>\", found \"</b>\"");
        assert_eq!(complaint("я</b>"), "Unexpected end tag at byte offset 2");
        assert_eq!(complaint("<b>x"), "Can't find end tag corresponding to start tag \"b\"");
        assert_eq!(complaint("a <b"), "Unclosed start tag at byte offset 2");
        assert_eq!(complaint("<b>x</b"), "Unclosed end tag at byte offset 4");
        assert_eq!(complaint("5 < 6"), "Unsupported start tag \"\" at byte offset 2");
        assert_eq!(complaint("<span>x</span>"), "Tag \"span\" must have class \"tg-spoiler\" at byte offset 0");
    }
}
