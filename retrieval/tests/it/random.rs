//! Whatever is written: no panic, line spans inside the file, entities that Telegram accepts.

use fitter_domain::rich::{EntityKind, Rich, flatten, utf16_len};
use proptest::prelude::*;

use crate::{parse_in, vault};

/// Pieces that mean something to the parser, so that random notes reach its corners.
const PIECES: [&str; 62] = [
    "\n",
    "\n\n",
    "# ",
    "### ",
    "- ",
    "  - ",
    "1. ",
    "   ",
    "> ",
    "> [!warning] ",
    "> [!check] number: ",
    "> [!check] choice: ",
    "> - ",
    "> min: ",
    "> pattern: ",
    "**",
    "*",
    "`",
    "```",
    "~~",
    "==",
    "%%",
    "$",
    "$$",
    "[[",
    "]]",
    "![[",
    "|",
    "[^1]",
    "[^1]: ",
    "^[",
    "]",
    "[",
    "](",
    ")",
    "http://a.b",
    "<b>",
    "<!--",
    "<%",
    "%>",
    "&amp;",
    "---\n",
    "type: procedure\n",
    "title: ",
    "[when:: ",
    "[timer:: 5m]",
    "[repeat:: 1..",
    " ^id",
    "key:: ",
    "#tag",
    "| a | b |\n|---|---|\n",
    "- [ ] ",
    "слово",
    "ё",
    "👨‍👩‍👧",
    "\u{301}",
    "\t",
    "\\",
    "other",
    "note",
    "pic.png",
    "\u{0}",
];

fn check(rich: &Rich) {
    let flat = flatten(rich);
    let total = utf16_len(&flat.text);
    let code = |kind: &EntityKind| matches!(kind, EntityKind::Code | EntityKind::Pre { .. });
    let quote = |kind: &EntityKind| matches!(kind, EntityKind::Blockquote | EntityKind::ExpandableBlockquote);
    for (index, a) in flat.entities.iter().enumerate() {
        assert!(a.length > 0 && a.offset + a.length <= total);
        for b in &flat.entities[index + 1..] {
            let (a_end, b_end) = (a.offset + a.length, b.offset + b.length);
            if a_end <= b.offset || b_end <= a.offset {
                continue;
            }
            assert!((a.offset <= b.offset && b_end <= a_end) || (b.offset <= a.offset && a_end <= b_end), "they cross: {a:?} {b:?}");
            assert!(!(code(&a.kind) || (code(&b.kind) && !quote(&a.kind))), "style and code: {a:?} {b:?}");
            assert!(!(quote(&a.kind) && quote(&b.kind)), "quote in quote");
            assert!(a.kind != b.kind, "twice the same: {a:?}");
        }
    }
    assert!(!flat.text.contains(['\u{0}', '\u{202e}']));
}

fn read(text: &str) {
    let vault = vault(&[("note.md", text), ("other.md", text), ("pic.png", "")]);
    let parsed = parse_in(&vault, "note.md");
    let lines = u32::try_from(text.split('\n').count()).unwrap() + u32::try_from(text.matches('\r').count()).unwrap();
    for chunk in &parsed.chunks {
        check(&chunk.body);
        assert!(1 <= chunk.start_line && chunk.start_line <= chunk.end_line, "{chunk:?}");
        assert!(chunk.end_line <= lines, "{} of {lines}: {chunk:?}", chunk.end_line);
    }
    for step in parsed.procedure.iter().flat_map(|draft| &draft.procedure().steps) {
        check(&step.body);
        assert!(!step.title.is_empty() && !step.id.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in any::<String>()) {
        read(&text);
    }

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut vault = vault(&[("note.md", "")]);
        vault.put("note.md", &bytes);
        parse_in(&vault, "note.md");
    }

    #[test]
    fn any_markdown(pieces in proptest::collection::vec(proptest::sample::select(PIECES.to_vec()), 0..80)) {
        read(&pieces.concat());
    }

    #[test]
    fn any_procedure(pieces in proptest::collection::vec(proptest::sample::select(PIECES.to_vec()), 0..80)) {
        read(&format!("---\ntype: procedure\n---\n1. A\n   {}", pieces.concat()));
    }
}

#[test]
fn deep_nesting() {
    for piece in ["> ", "- ", "*", "**a ", "[", "![[", "((", "`", "%%", "<b>", "> [!tip] "] {
        read(&piece.repeat(3_000));
    }
    read(&(0..500).map(|n| format!("{}- x\n", "  ".repeat(n))).collect::<String>());
}
