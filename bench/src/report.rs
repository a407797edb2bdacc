//! Figures for people: a table per measurement, on the screen and in `docs/performance.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use serde_json::{Map, Value};

/// A measurement as a Markdown table: every figure with the way to it.
#[must_use]
pub fn table(name: &str, figure: &Value) -> String {
    let mut rows = Vec::new();
    flatten(String::new(), figure, &mut rows);
    let mut text = format!("| {name} | |\n| --- | --- |\n");
    for (what, value) in rows {
        // Writing to a string cannot fail.
        let _written = writeln!(text, "| {what} | {value} |");
    }
    text
}

/// Leaves of a tree of figures; a group of plain figures becomes one row.
fn flatten(path: String, value: &Value, rows: &mut Vec<(String, String)>) {
    let Value::Object(fields) = value else {
        rows.push((path, plain(value)));
        return;
    };
    // By name, whatever the order of an object's keys is in this build.
    let fields: BTreeMap<&String, &Value> = fields.iter().collect();
    let plain_group = !path.is_empty() && fields.values().all(|field| !field.is_object());
    if plain_group {
        let parts: Vec<String> = fields.iter().map(|(name, field)| format!("{} {}", words(name), plain(field))).collect();
        rows.push((path, parts.join(", ")));
        return;
    }
    for (name, field) in fields {
        let path = if path.is_empty() { words(name) } else { format!("{path}: {}", words(name)) };
        flatten(path, field, rows);
    }
}

fn words(name: &str) -> String {
    name.replace('_', " ")
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "–".to_owned(),
        value => value.to_string(),
    }
}

/// How much more the product does in the same time than the peer, if both were measured.
#[must_use]
pub fn ratio(figures: &Map<String, Value>) -> Option<String> {
    let rate = |name: &str| figures.get(name)?.pointer("/updates_per_second/median")?.as_f64().filter(|rate| *rate > 0.0);
    let (own, peer) = (rate("same")?, rate("peer")?);
    Some(format!("Fitter / aiogram: {:.1} ({own:.0} and {peer:.0} updates a second)", own / peer))
}

/// Writes tables into their places: between `<!-- figures: name -->` and `<!-- end -->`. Measurements that have no place are left out.
///
/// # Errors
/// If the document cannot be read or written.
pub fn write(path: &Path, figures: &Map<String, Value>) -> anyhow::Result<()> {
    let mut text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    for (name, figure) in figures {
        text = put(&text, name, &table(name, figure));
    }
    if let Some(ratio) = ratio(figures) {
        text = put(&text, "ratio", &format!("{ratio}\n"));
    }
    std::fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}

fn put(text: &str, name: &str, figures: &str) -> String {
    let mark = format!("<!-- figures: {name} -->\n");
    let parts = text.split_once(&mark).and_then(|(before, rest)| Some((before, rest.split_once("<!-- end -->")?.1)));
    parts.map_or_else(|| text.to_owned(), |(before, after)| format!("{before}{mark}\n{figures}\n<!-- end -->{after}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_group_of_figures_is_one_row() {
        let figure =
            json!({"updates_per_second": {"fastest": 3.0, "median": 2.5}, "lost": 0, "with": {"reply": {"p50_ms": 1.5}}, "note": "a b"});
        assert_eq!(
            table("poll", &figure),
            "| poll | |\n| --- | --- |\n| lost | 0 |\n| note | a b |\n| updates per second | fastest 3.0, median 2.5 |\n| with: reply | p50 ms 1.5 |\n"
        );
    }

    #[test]
    fn figures_find_their_places() {
        let text = "a\n<!-- figures: poll -->\nold\n<!-- end -->\nb\n<!-- figures: peer -->\n<!-- end -->\n";
        let written = put(text, "poll", "| new |\n");
        assert_eq!(written, "a\n<!-- figures: poll -->\n\n| new |\n\n<!-- end -->\nb\n<!-- figures: peer -->\n<!-- end -->\n");
        assert_eq!(put(&written, "poll", "| new |\n"), written);
        assert_eq!(put(text, "other", "x"), text);
    }

    #[test]
    fn the_ratio_needs_both() {
        let rate = |rate: f64| json!({"updates_per_second": {"median": rate}});
        let both: Map<String, Value> = [("same".to_owned(), rate(1500.0)), ("peer".to_owned(), rate(300.0))].into_iter().collect();
        assert_eq!(ratio(&both).unwrap(), "Fitter / aiogram: 5.0 (1500 and 300 updates a second)");
        let one: Map<String, Value> = both.into_iter().take(1).collect();
        assert_eq!(ratio(&one), None);
    }
}
