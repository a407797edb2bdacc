//! What counts as changed since the last import.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use fitter_retrieval::import::{Import, plan};
use fitter_retrieval::vault;

type Known = HashMap<String, String>;

fn run(root: &Path, known: &Known) -> (Import, Known) {
    let vault = vault::read(root);
    let import = plan(known, &vault);
    let mut after = known.clone();
    for path in &import.removed {
        after.remove(path);
    }
    after.extend(import.changed.iter().map(|note| (note.path.clone(), note.hash.clone())));
    (import, after)
}

fn changed(import: &Import) -> Vec<&str> {
    import.changed.iter().map(|note| note.path.as_str()).collect()
}

#[test]
fn change_rename_delete_and_what_is_embedded() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    let write = |path: &str, text: &str| fs::write(root.join(path), text).unwrap();
    write("a.md", "![[b#H]] и ![[p.png]]");
    write("b.md", "# H\nтекст ![[c]]");
    write("c.md", "глубже");
    write("d.md", "сам по себе [[a]]");
    write("p.png", "1");
    let (first, known) = run(root, &Known::new());
    assert_eq!(changed(&first), ["a.md", "b.md", "c.md", "d.md"]);
    assert_eq!((first.counts.notes, first.counts.attachments, first.counts.chunks), (4, 1, 4));

    let (again, known) = run(root, &known);
    assert!(again.changed.is_empty() && again.removed.is_empty());
    assert_eq!(again.counts.unchanged, 4);

    write("c.md", "иначе");
    let (import, known) = run(root, &known);
    assert_eq!(changed(&import), ["a.md", "b.md", "c.md"], "those that embed it change too, also indirectly");

    write("p.png", "2");
    let (import, known) = run(root, &known);
    assert_eq!(changed(&import), ["a.md"], "its picture changed");

    fs::rename(root.join("d.md"), root.join("e.md")).unwrap();
    let (import, known) = run(root, &known);
    assert_eq!((changed(&import), import.removed.as_slice()), (vec!["e.md"], &["d.md".to_owned()][..]));
    assert_eq!(import.renamed, [("d.md".to_owned(), "e.md".to_owned())]);

    fs::remove_file(root.join("c.md")).unwrap();
    let (import, known) = run(root, &known);
    assert_eq!((changed(&import), import.removed.as_slice()), (vec!["a.md", "b.md"], &["c.md".to_owned()][..]));
    assert!(import.problems.iter().any(|problem| problem.to_string() == "b.md:2: embedded `c` does not exist"));
    assert!(run(root, &known).0.changed.is_empty());
}
