//! HTML inside notes: tags go, text stays.

use super::Inline;

/// Pieces of an HTML fragment: its text, line breaks and pictures. Comments, scripts and styles are dropped.
pub(super) fn inlines(html: &str) -> Vec<Inline> {
    let mut out = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        text(rest.get(..at).unwrap_or_default(), &mut out);
        rest = rest.get(at..).unwrap_or_default();
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.find("-->").and_then(|end| comment.get(end + 3..)).unwrap_or_default();
            continue;
        }
        let inner = rest.get(1..).unwrap_or_default();
        if !inner.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')) {
            text("<", &mut out);
            rest = inner;
            continue;
        }
        let end = inner.find('>').unwrap_or(inner.len());
        let tag = inner.get(..end).unwrap_or_default();
        rest = inner.get(end + 1..).unwrap_or_default();
        let name: String =
            tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        match name.as_str() {
            "script" | "style" if !tag.starts_with('/') => {
                let close = format!("</{name}");
                let lower = rest.to_ascii_lowercase();
                rest = lower.find(&close).and_then(|at| rest.get(at..)).unwrap_or_default();
            }
            "br" | "p" | "div" | "li" | "tr" | "summary" | "details" => out.push(Inline::Break),
            "img" => {
                if let Some(url) = attribute(tag, "src") {
                    let alt = attribute(tag, "alt").map(|alt| vec![Inline::Text(alt)]).unwrap_or_default();
                    out.push(Inline::Image { url, alt });
                }
            }
            _ => {}
        }
    }
    text(rest, &mut out);
    out
}

fn text(raw: &str, out: &mut Vec<Inline>) {
    for (index, line) in raw.split('\n').enumerate() {
        if index > 0 {
            out.push(Inline::Break);
        }
        if !line.is_empty() {
            out.push(Inline::Text(decode(line)));
        }
    }
}

/// The value of an attribute, quoted or not.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let lower = tag.to_ascii_lowercase();
    let at = lower.match_indices(name).find(|(at, _)| {
        let before = lower.get(..*at).and_then(|head| head.chars().next_back());
        before.is_some_and(char::is_whitespace) && lower.get(at + name.len()..).is_some_and(|tail| tail.trim_start().starts_with('='))
    })?;
    let value = tag.get(at.0 + name.len()..)?.trim_start().strip_prefix('=')?.trim_start();
    let value = match value.chars().next()? {
        quote @ ('"' | '\'') => value.get(1..)?.split(quote).next()?,
        _ => value.split(|c: char| c.is_whitespace() || c == '/').next()?,
    };
    Some(decode(value)).filter(|value| !value.is_empty())
}

/// The character references that people write; others stay as they are.
fn decode(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let named = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&nbsp;", "\u{a0}"), ("&mdash;", "—")];
    let text = named.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    text.replace("&amp;", "&")
}
