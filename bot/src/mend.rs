//! Updates that are JSON but that no reader takes, mended at the door. Words in them would be lost, and what the database refuses would come again
//! for ever and stop all updates behind it. Nothing that a person typed is taken out but signs that are no characters.

use std::borrow::Cow;
use std::ops::Range;

/// Telegram's own updates nest up to some forty levels (rich messages: 16 blocks). serde_json gives up at 128, PostgreSQL when its stack is full.
const DEEPEST: usize = 96;
/// Digits of a number that need a look: a plain number of 308 digits still fits an `f64`.
const LONG_NUMBER: usize = 300;

/// Raw JSON as every reader takes it; borrowed if it is so already.
///
/// | what | becomes |
/// | --- | --- |
/// | a value deeper than 96 levels | `null` |
/// | U+0000 in a string or key | nothing |
/// | half of a surrogate pair | U+FFFD |
/// | a number that no `f64` holds | `null` |
#[must_use]
pub fn mend(raw: &str) -> Cow<'_, str> {
    let mut fixes = Fixes { raw, out: String::new(), copied: 0 };
    let bytes = raw.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(&byte) = bytes.get(at) {
        let from = at;
        match byte {
            b'"' => at = string(bytes, at, Some(&mut fixes)),
            b'{' | b'[' if depth == DEEPEST => {
                at = value_end(bytes, at);
                fixes.replace(from..at, "null");
            }
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                at += 1;
            }
            b'-' | b'0'..=b'9' => {
                at += bytes.iter().skip(at).take_while(|byte| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')).count();
                let number = raw.get(from..at).unwrap_or_default();
                let doubtful = number.len() > LONG_NUMBER || number.contains(['e', 'E']);
                if doubtful && !number.parse::<f64>().is_ok_and(f64::is_finite) {
                    fixes.replace(from..at, "null");
                }
            }
            _ => at += 1,
        }
    }
    fixes.done()
}

/// Copies only what lies between replacements, and nothing at all without any.
struct Fixes<'r> {
    raw: &'r str,
    out: String,
    copied: usize,
}

impl<'r> Fixes<'r> {
    fn replace(&mut self, range: Range<usize>, by: &str) {
        self.out.push_str(self.raw.get(self.copied..range.start).unwrap_or_default());
        self.out.push_str(by);
        self.copied = range.end;
    }

    fn done(mut self) -> Cow<'r, str> {
        if self.copied == 0 {
            return Cow::Borrowed(self.raw);
        }
        self.out.push_str(self.raw.get(self.copied..).unwrap_or_default());
        Cow::Owned(self.out)
    }
}

/// The place after the string that begins at `at`.
fn string(bytes: &[u8], mut at: usize, mut fixes: Option<&mut Fixes<'_>>) -> usize {
    at += 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => {
                let (length, by) = match unit(bytes, at) {
                    None => (2, None),
                    Some(0) => (6, Some("")),
                    Some(0xD800..=0xDBFF) if matches!(unit(bytes, at + 6), Some(0xDC00..=0xDFFF)) => (12, None),
                    Some(0xD800..=0xDFFF) => (6, Some("\u{fffd}")),
                    Some(_) => (6, None),
                };
                if let (Some(fixes), Some(by)) = (fixes.as_deref_mut(), by) {
                    fixes.replace(at..at + length, by);
                }
                at += length;
            }
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The code unit of an escape: `\u` and four hexadecimal digits.
fn unit(bytes: &[u8], at: usize) -> Option<u16> {
    let hex = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    u16::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()
}

/// The place after the object or array that begins at `at`.
fn value_end(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = string(bytes, at, None);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
        if depth == 0 {
            break;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;
    use serde_json::value::RawValue;

    use super::*;

    fn mended(raw: &str) -> String {
        let text = mend(raw);
        let _readable: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        text.into_owned()
    }

    #[test]
    fn what_is_well_is_left_alone() {
        for well in [
            "{}",
            r#"{"a": [1, -2.5, 1e3, 12345678901234567890], "b\"{[": "\\u0000 \\ud800 😀 \ud83d\ude00 \n", "c": null}"#,
            r#"["\\", "\\\\\"", "\\u0000"]"#,
        ] {
            assert!(matches!(mend(well), Cow::Borrowed(text) if text == well), "{well}");
        }
    }

    #[test]
    fn what_no_reader_takes_is_taken_out() {
        assert_eq!(
            mended(r#"{"text": "a\u0000b\ud800c\udc00\ud83d\ude00", "\u0000k": 1}"#),
            "{\"text\": \"ab\u{fffd}c\u{fffd}\\ud83d\\ude00\", \"k\": 1}"
        );
        assert_eq!(mended(r#"[1e999, -1E400, 1e-400, "1e999"]"#), r#"[null, null, 1e-400, "1e999"]"#);
        assert_eq!(mended(&format!("[{}]", "9".repeat(400))), "[null]");
        let deep = format!(r#"{{"x": {}"]}}"{}, "text": "слова"}}"#, "[".repeat(10_000), "]".repeat(10_000));
        let deep = mended(&deep);
        assert!(deep.len() < 1000 && deep.ends_with(r#""text": "слова"}"#), "{deep}");
        let objects = format!("{}1{}", r#"{"a":"#.repeat(500), "}".repeat(500));
        assert!(mended(&objects).len() < 1000);
    }

    proptest! {
        /// Whatever passes as JSON on the wire can be read afterwards.
        #[test]
        fn every_json_becomes_readable(raw in r#"(\[|\]|\{"a":|\}|,|"[a\\]{0,3}"|"\\u(0000|d800|dc00|0041)"|1|-1e9{1,3}|null| ){0,40}"#) {
            let text = mend(&raw);
            if serde_json::from_str::<Box<RawValue>>(&raw).is_ok() {
                prop_assert!(serde_json::from_str::<Value>(&text).is_ok(), "{} from {}", text, raw);
            }
        }
    }
}
