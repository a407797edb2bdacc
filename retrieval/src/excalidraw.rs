//! Drawings of the Excalidraw plugin: the words in them, nothing else.

use crate::meta::Split;

/// The text of a note as it is parsed; of a drawing only its text elements, every line in its place.
pub(crate) fn words(path: &str, split: &Split) -> String {
    let drawing = path.ends_with(".excalidraw.md") || split.yaml.as_deref().is_some_and(|yaml| yaml.contains("excalidraw-plugin"));
    if !drawing {
        return split.text.clone();
    }
    let mut inside = false;
    let mut out = String::with_capacity(split.text.len());
    for line in split.text.lines() {
        let heading = line.strip_prefix('#').map(|rest| rest.trim_start_matches('#').trim());
        match heading {
            Some(heading) => inside = heading == "Text Elements",
            None if line.trim() == "%%" => inside = false,
            None if inside => out.push_str(line),
            None => {}
        }
        out.push('\n');
    }
    out
}
