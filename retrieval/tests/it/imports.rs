//! What counts as changed since the last import.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use fitter_retrieval::CHUNKER_VERSION;
use fitter_retrieval::import::{Import, Known, plan};
use fitter_retrieval::vault;

type Stored = HashMap<String, Known>;

/// An import, and what is known after it.
fn run(root: &Path, known: &Stored) -> (Import, Stored) {
    let vault = vault::read(root);
    let import = plan(known, &vault, &|_, _| {});
    let mut after = known.clone();
    for path in &import.removed {
        after.remove(path);
    }
    for note in import.changed.iter().chain(&import.checked) {
        let known = Known {
            hash: note.hash.clone(),
            stamp: vault.notes[&note.path].stamp.clone(),
            content: note.content.clone(),
            parser: CHUNKER_VERSION,
            aliases: note.meta.aliases.clone(),
            visibility: note.meta.visibility,
            references: note.references.clone(),
            depends: note.depends.clone(),
            pictures: Import::pictures(note, &vault),
        };
        after.insert(note.path.clone(), known);
    }
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
    let (first, known) = run(root, &Stored::new());
    assert_eq!(changed(&first), ["a.md", "b.md", "c.md", "d.md"]);
    assert_eq!((first.counts.notes, first.counts.attachments, first.counts.chunks), (4, 1, 4));

    let (again, known) = run(root, &known);
    assert!(again.changed.is_empty() && again.removed.is_empty());
    assert_eq!(again.counts.unread, 4);

    write("c.md", "иначе");
    let (import, known) = run(root, &known);
    assert_eq!(changed(&import), ["a.md", "b.md", "c.md"], "those that embed it change too, also indirectly");

    write("p.png", "2");
    let (import, known) = run(root, &known);
    assert_eq!(changed(&import), ["a.md"], "its picture changed");

    // The same bytes at another time are read and found to be the same.
    std::thread::sleep(std::time::Duration::from_millis(20));
    write("d.md", "сам по себе [[a]]");
    let (import, known) = run(root, &known);
    assert_eq!((import.changed.len(), import.checked.len()), (0, 1));

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

#[test]
fn only_what_depends_on_a_change_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    let write = |path: &str, text: &str| {
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        fs::write(root.join(path), text).unwrap();
    };
    for number in 0..300 {
        write(&format!("n{number}.md"), "ничего общего [[n0]]");
    }
    write("links.md", "[[Цель]], [[Цель#Раздел]] и ![[схема.png]]");
    write("alias.md", "[[Прозвище]]");
    write("Цель.md", "# Раздел");
    write("other/Имя.md", "---\naliases: [Прозвище]\n---\n");
    let read = |import: &Import| {
        let mut paths: Vec<_> = import.changed.iter().chain(&import.checked).map(|note| note.path.clone()).collect();
        paths.sort();
        paths
    };
    let counted = AtomicUsize::new(0);
    let _first = plan(&Stored::new(), &vault::read(root), &|done, of| {
        assert!(done <= of && of == 304);
        counted.fetch_add(1, Ordering::Relaxed);
    });
    assert_eq!(counted.into_inner(), 3, "progress is told every hundred notes");
    let (first, known) = run(root, &Stored::new());
    assert_eq!(first.counts.unresolved, 1, "the picture is not there yet");

    // A picture that was missed is there.
    write("files/схема.png", "png");
    let (import, known) = run(root, &known);
    assert_eq!(read(&import), ["links.md"]);
    assert_eq!(changed(&import), ["links.md"]);

    // A heading that is linked to is gone: the note reads as before, its problems do not.
    write("Цель.md", "# Иначе названный");
    let (import, known) = run(root, &known);
    assert_eq!(read(&import), ["links.md", "Цель.md"]);
    assert_eq!(changed(&import), ["Цель.md"]);
    assert!(import.problems.iter().any(|problem| problem.to_string().contains("link to `Цель#Раздел`: the note has no such heading")));

    // The name means another note now.
    write("Прозвище.md", "сам");
    let (import, known) = run(root, &known);
    assert_eq!(read(&import), ["alias.md", "Прозвище.md"]);
    fs::remove_file(root.join("Прозвище.md")).unwrap();
    let (import, known) = run(root, &known);
    assert_eq!((read(&import), import.removed.len()), (vec!["alias.md".to_owned()], 1));
    let (import, mut known) = run(root, &known);
    assert!(read(&import).is_empty() && import.counts.unread == 304);

    // A program that reads notes otherwise reads them all.
    known.values_mut().for_each(|note| note.parser = 0);
    let (import, _) = run(root, &known);
    assert_eq!((import.changed.len(), import.checked.len()), (0, 304));
}
