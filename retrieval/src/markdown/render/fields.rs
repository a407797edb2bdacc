//! Inline fields and formulas as text.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// Fields that steer a procedure; its readers do not see them.
pub(crate) const STEP_FIELDS: [&str; 4] = ["optional", "repeat", "timer", "when"];

static FIELD: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r" ?(?:\[([\w -]{1,40})::\s*([^\]\n]*)\]|\(([\w -]{1,40})::\s*([^)\n]*)\))").ok());
static LINE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^([\p{L}\p{N}_ -]{1,40})::(?:\s|$)").ok());

/// Text with Dataview's fields as they are read: `[key:: value]` and `key:: value` as `key: value`, `(key:: value)` as its value.
pub(super) fn show(text: &str, procedure: bool, line_start: bool) -> Cow<'_, str> {
    if !text.contains("::") {
        return Cow::Borrowed(text);
    }
    let mut text = Cow::Borrowed(text);
    if line_start
        && let Some(line) = &*LINE
        && line.is_match(&text)
    {
        text = Cow::Owned(text.replacen("::", ":", 1));
    }
    let Some(field) = &*FIELD else { return text };
    if !field.is_match(&text) {
        return text;
    }
    let shown = field.replace_all(&text, |found: &Captures<'_>| {
        let part = |index: usize| found.get(index).map_or("", |part| part.as_str().trim());
        let lead = if found.get(0).is_some_and(|whole| whole.as_str().starts_with(' ')) { " " } else { "" };
        match (part(1), part(3)) {
            (key, _) if procedure && STEP_FIELDS.contains(&key.to_lowercase().as_str()) => String::new(),
            ("", _) => format!("{lead}{}", part(4)),
            (key, _) => format!("{lead}{key}: {}", part(2)),
        }
    });
    Cow::Owned(shown.into_owned())
}

/// A formula as text: the commands that technicians' notes use become signs, the rest stays readable.
pub(super) fn math(source: &str) -> String {
    static FRACTION: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\\d?frac\{([^{}]*)\}\{([^{}]*)\}").ok());
    static WORDS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\\(?:text|mathrm|mathbf|operatorname)\{([^{}]*)\}").ok());
    const SIGNS: [(&str, &str); 18] = [
        ("\\cdot", "·"),
        ("\\times", "×"),
        ("\\div", "÷"),
        ("\\pm", "±"),
        ("\\leq", "≤"),
        ("\\le", "≤"),
        ("\\geq", "≥"),
        ("\\ge", "≥"),
        ("\\neq", "≠"),
        ("\\approx", "≈"),
        ("\\Omega", "Ω"),
        ("\\mu", "µ"),
        ("\\pi", "π"),
        ("\\Delta", "Δ"),
        ("\\rightarrow", "→"),
        ("\\to", "→"),
        ("\\circ", "°"),
        ("\\sqrt", "√"),
    ];
    let mut text = source.to_owned();
    for rule in [(&WORDS, "$1"), (&FRACTION, "($1)/($2)")] {
        if let Some(pattern) = &**rule.0 {
            text = pattern.replace_all(&text, rule.1).into_owned();
        }
    }
    for (command, sign) in SIGNS {
        text = text.replace(command, sign);
    }
    text.replace("\\,", " ").replace("\\%", "%").replace(['{', '}'], "")
}
