//! Entities that Telegram finds by itself: commands, links, mentions, hashtags, phones.

use super::{Entity, Formatted, check};

/// Endings that make a bare name a link.
const TOP_LEVEL: [&str; 22] = [
    "com", "org", "net", "ru", "kz", "io", "me", "info", "biz", "dev", "app", "ai", "uz", "kg", "by", "ua", "de", "uk", "fr", "eu", "us",
    "su",
];

/// Kinds of given entities in which nothing is looked for.
const OPAQUE: [&str; 4] = ["code", "pre", "text_link", "text_mention"];

/// Adds what is found to a text's entities.
pub(crate) fn add(text: &mut Formatted) {
    let found = find(&text.text);
    let given = text.entities.len();
    for entity in found {
        let hidden = text
            .entities
            .iter()
            .take(given)
            .any(|other| OPAQUE.contains(&other.kind.as_str()) && other.offset < entity.end() && entity.offset < other.end());
        if !hidden {
            text.entities.push(entity);
        }
    }
    check::sort(&mut text.entities);
}

/// Finds the entities of a plain text.
pub(crate) fn find(text: &str) -> Vec<Entity> {
    let mut entities = Vec::new();
    let (mut at, mut offset, mut before) = (0, 0, None);
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = text.get(at..).unwrap_or_default();
        if let Some((kind, bytes)) = starts(rest, c, before) {
            let part = rest.get(..bytes).unwrap_or_default();
            let length = super::units(part);
            entities.push(Entity::new(kind, offset, length));
            at += bytes;
            offset += length;
            before = part.chars().next_back();
        } else {
            at += c.len_utf8();
            offset += c.len_utf16();
            before = Some(c);
        }
    }
    entities
}

/// The entity that starts here, with its length in bytes.
fn starts(rest: &str, c: char, before: Option<char>) -> Option<(&'static str, usize)> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    if before.is_some_and(|c| word(c) || matches!(c, '@' | '#' | '/' | '.' | '-')) {
        return None;
    }
    match c {
        '/' => command(rest).map(|bytes| ("bot_command", bytes)),
        '@' => name(rest.get(1..)?, 3).map(|bytes| ("mention", bytes + 1)),
        '#' => {
            let tag = rest.get(1..)?;
            let bytes = tag.find(|c| !word(c)).unwrap_or(tag.len());
            let only_digits = tag.get(..bytes)?.chars().all(|c| c.is_ascii_digit());
            (bytes > 0 && !only_digits).then_some(("hashtag", bytes + 1))
        }
        '+' => phone(rest).map(|bytes| ("phone_number", bytes)),
        _ if word(c) => link(rest),
        _ => None,
    }
}

/// `/name` or `/name@bot`.
fn command(rest: &str) -> Option<usize> {
    let ascii = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let body = rest.get(1..)?;
    let mut bytes = body.find(|c| !ascii(c)).unwrap_or(body.len());
    if bytes == 0 || bytes > 64 {
        return None;
    }
    if let Some(bot) = body.get(bytes..).and_then(|rest| rest.strip_prefix('@')) {
        bytes += name(bot, 3).map_or(0, |length| length + 1);
    }
    let next = body.get(bytes..).and_then(|rest| rest.chars().next());
    (!next.is_some_and(|c| c.is_alphanumeric() || c == '/' || c == '_')).then_some(bytes + 1)
}

/// A username of `least` to 32 characters.
fn name(rest: &str, least: usize) -> Option<usize> {
    let bytes = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
    (least..=32).contains(&bytes).then_some(bytes)
}

/// `+` and 7 to 15 digits with the usual separators.
fn phone(rest: &str) -> Option<usize> {
    let (mut digits, mut end) = (0, 0);
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '0'..='9' => {
                digits += 1;
                end = at + 1;
            }
            ' ' | '-' | '(' | ')' => {}
            _ => break,
        }
    }
    (7..=15).contains(&digits).then_some(end)
}

/// A link or an e-mail address.
fn link(rest: &str) -> Option<(&'static str, usize)> {
    let stop = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '«' | '»' | '`');
    let token = rest.get(..rest.find(stop).unwrap_or(rest.len()))?;
    let token = token.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '\'', '…']);
    let lower = token.to_ascii_lowercase();
    let after_scheme = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"));
    if let Some(after) = after_scheme {
        return after.starts_with(|c: char| c.is_alphanumeric() || c == '[').then_some(("url", token.len()));
    }
    if let Some((user, host)) = lower.split_once('@') {
        let fine = !user.is_empty() && user.chars().all(|c| c.is_alphanumeric() || "._-+".contains(c));
        return (fine && known_host(host)).then_some(("email", token.len()));
    }
    let host = lower.split(['/', '?', '#', ':']).next()?;
    known_host(host).then_some(("url", token.len()))
}

fn known_host(host: &str) -> bool {
    let Some((rest, top)) = host.rsplit_once('.') else {
        return false;
    };
    TOP_LEVEL.contains(&top) && rest.split('.').all(|label| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, String)> {
        let units: Vec<u16> = text.encode_utf16().collect();
        find(text)
            .into_iter()
            .map(|entity| {
                let part = String::from_utf16(&units[entity.offset..entity.end()]).unwrap();
                (entity.kind, part)
            })
            .collect()
    }

    fn one(text: &str) -> Option<(String, String)> {
        found(text).pop()
    }

    #[test]
    fn commands_are_found() {
        let expected = |part: &str| Some(("bot_command".to_owned(), part.to_owned()));
        assert_eq!(one("/start abc"), expected("/start"));
        assert_eq!(one("🔧 см. /help@fitter_bot!"), expected("/help@fitter_bot"));
        assert_eq!(one("1/2"), None);
        assert_eq!(one("a/b/c /d/e"), None);
        assert_eq!(one("/привет"), None);
    }

    #[test]
    fn links_mentions_and_numbers_are_found() {
        let kinds: Vec<_> = found("https://a.kz/x?y=1, example.com, a.b@c.org, @petrov #тег +7 701 123-45-67.");
        let expected = [
            ("url", "https://a.kz/x?y=1"),
            ("url", "example.com"),
            ("email", "a.b@c.org"),
            ("mention", "@petrov"),
            ("hashtag", "#тег"),
            ("phone_number", "+7 701 123-45-67"),
        ];
        let expected: Vec<_> = expected.iter().map(|(kind, part)| ((*kind).to_owned(), (*part).to_owned())).collect();
        assert_eq!(kinds, expected);
        assert_eq!(found("12.5 кг, и т.д. #123 @ab e-mail"), []);
    }

    #[test]
    fn nothing_is_found_in_code() {
        let mut text = Formatted { text: "/start /help".into(), entities: vec![Entity::new("code", 0, 6)] };
        add(&mut text);
        assert_eq!(text.entities, [Entity::new("code", 0, 6), Entity::new("bot_command", 7, 5)]);
    }
}
