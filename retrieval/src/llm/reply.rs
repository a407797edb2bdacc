//! What a model says: JSON of one shape, read strictly; and an answer as far as it has come.

use serde::Deserialize;

use super::spotlight;

/// Places in a reply where the JSON may begin: before it a model may think aloud.
const BEGINNINGS: usize = 40;

/// Whether passages are enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Enough {
    /// They answer the question.
    Yes,
    /// They answer a part.
    Partly,
    /// They do not answer it.
    No,
}

/// An answer as the model gave it, unchecked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Its text.
    pub text: String,
    /// Ids of passages, as the model wrote them.
    pub citations: Vec<String>,
}

#[derive(Deserialize)]
struct Sufficiency {
    enough: Enough,
}

#[derive(Deserialize)]
struct Answer {
    answer: String,
    citations: Vec<Id>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Text(String),
    Number(u64),
}

/// The first JSON object of this shape in a reply.
fn object<T: for<'a> Deserialize<'a>>(reply: &str) -> Option<T> {
    reply.match_indices('{').take(BEGINNINGS).find_map(|(at, _)| {
        let mut values = serde_json::Deserializer::from_str(reply.get(at..)?).into_iter::<T>();
        values.next()?.ok()
    })
}

/// Whether the passages are enough, if the reply says it.
#[must_use]
pub fn enough(reply: &str) -> Option<Enough> {
    object::<Sufficiency>(reply).map(|said| said.enough)
}

/// The answer, if the reply is one. Hidden characters are taken out of it.
#[must_use]
pub fn draft(reply: &str) -> Option<Draft> {
    let Answer { answer, citations } = object(reply)?;
    let citations = citations
        .into_iter()
        .map(|id| match id {
            Id::Text(id) => id.trim().trim_matches(['[', ']']).to_owned(),
            Id::Number(id) => id.to_string(),
        })
        .collect();
    Some(Draft { text: tidy(&answer), citations })
}

/// Visible text without blank lines at its ends and more than one in between.
fn tidy(text: &str) -> String {
    let mut out = String::new();
    let mut blank = false;
    for line in spotlight::clean(text).lines().map(str::trim_end) {
        if line.is_empty() {
            blank = !out.is_empty();
            continue;
        }
        if !out.is_empty() {
            out.push_str(if blank { "\n\n" } else { "\n" });
        }
        blank = false;
        out.push_str(line);
    }
    out
}

/// The text of the field `answer` as far as a reply has come; none before it begins. Private-use characters are left in: markers are among them.
#[must_use]
pub fn growing(reply: &str) -> Option<String> {
    let (mut depth, mut key) = (0_u32, None::<String>);
    let mut chars = reply.chars();
    while let Some(c) = chars.next() {
        match c {
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            ':' => {}
            '"' => {
                let answer = depth == 1 && key.as_deref() == Some("answer");
                let (text, ended) = string(&mut chars);
                if answer {
                    return Some(text);
                }
                if !ended {
                    return None;
                }
                key = Some(text);
            }
            c if c.is_whitespace() => {}
            // A comma or a value that is no string: what stood before is no key of what comes.
            _ => key = None,
        }
    }
    None
}

/// The rest of a JSON string, unescaped, and whether it ended.
fn string(chars: &mut std::str::Chars<'_>) -> (String, bool) {
    let mut out = String::new();
    let mut high = None::<u32>;
    while let Some(c) = chars.next() {
        let unescaped = match c {
            '"' => return (out, true),
            '\\' => match chars.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('r' | 'b' | 'f') => ' ',
                Some('u') => {
                    let digits: String = chars.by_ref().take(4).collect();
                    let Some(unit) = (digits.len() == 4).then(|| u32::from_str_radix(&digits, 16).ok()).flatten() else {
                        return (out, false);
                    };
                    match (high.take(), unit) {
                        (_, 0xd800..=0xdbff) => {
                            high = Some(unit);
                            continue;
                        }
                        (Some(high), 0xdc00..=0xdfff) => {
                            char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (unit - 0xdc00)).unwrap_or('\u{fffd}')
                        }
                        (_, unit) => char::from_u32(unit).unwrap_or('\u{fffd}'),
                    }
                }
                Some(c) => c,
                None => return (out, false),
            },
            c => c,
        };
        out.push(unescaped);
    }
    (out, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sufficiency() {
        assert_eq!(enough(r#"{"enough": "yes"}"#), Some(Enough::Yes));
        assert_eq!(enough("```json\n{\"enough\":\"partly\"}\n```"), Some(Enough::Partly));
        assert_eq!(enough("<think>{maybe}</think> {\"enough\": \"no\", \"why\": \"…\"}"), Some(Enough::No));
        for bad in ["", "yes", "{\"enough\": \"sure\"}", "{\"enough\": true}", "{\"answer\": \"yes\"}", "[\"yes\"]", "{"] {
            assert_eq!(enough(bad), None, "{bad}");
        }
    }

    #[test]
    fn answers() {
        let read = draft("Вот: {\"answer\": \"3 А,\\n\\n\\n плавкий \", \"citations\": [\"k1\", \"[k2]\", 3]} готово").unwrap();
        assert_eq!(read, Draft { text: "3 А,\n\n плавкий".into(), citations: vec!["k1".into(), "k2".into(), "3".into()] });
        assert_eq!(draft("{\"answer\": \"3\u{200b} А\", \"citations\": []}").unwrap().text, "3 А");
        for bad in [
            "",
            "3 А",
            "{\"answer\": \"3 А\"}",
            "{\"answer\": [\"3 А\"], \"citations\": [\"k1\"]}",
            "{\"answer\": \"3 А\", \"citations\": \"k1\"}",
            "{\"answer\": \"3 А\", \"citations\": [{\"id\": \"k1\"}]}",
            "{\"answer\": \"3 А\", \"citations\": [\"k1\"",
        ] {
            assert_eq!(draft(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_answer_grows() {
        let whole = "Думаю. {\"lang\": \"ru\", \"n\": 1, \"answer\" : \"Пред\\u043e\\nх \\\"3\\\" \\ud83d\\ude42\", \"citations\": [\"answer\", \"k1\"]}";
        let mut grown: Vec<String> = (0..=whole.len()).filter_map(|end| whole.get(..end)).filter_map(growing).collect();
        grown.dedup();
        assert_eq!(grown.first().map(String::as_str), Some(""));
        assert_eq!(grown.last().map(String::as_str), Some("Предо\nх \"3\" 🙂"));
        assert!(grown.windows(2).all(|pair| pair[1].starts_with(&pair[0])), "{grown:?}");
        // Only the field of the outer object, and only a text.
        for other in [
            "{\"a\": {\"answer\": \"x\"}}",
            "{\"text\": \"answer\", \"b\": \"x\"}",
            "{\"answer\": 5, \"b\": \"x\"}",
            "\"answer\": \"x\"",
            "",
        ] {
            assert_eq!(growing(other), None, "{other}");
        }
    }
}
