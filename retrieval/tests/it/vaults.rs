//! Folders on disk and links between notes.

use std::fs;
use std::path::Path;

use fitter_retrieval::links::LinkIndex;
use fitter_retrieval::vault;

use crate::parse_in;

fn write(root: &Path, path: &str, bytes: &[u8]) {
    let file = root.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, bytes).unwrap();
}

#[test]
fn a_folder_as_obsidian_sees_it() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    let app = r#"{"attachmentFolderPath":"./Файлы","strictLineBreaks":true,"userIgnoreFilters":["Архив/","/черновик.*\\.md$/","/(/"]}"#;
    write(root, ".obsidian/app.json", app.as_bytes());
    write(root, ".obsidian/templates.json", r#"{"folder":"Шаблоны"}"#.as_bytes());
    write(root, ".obsidian/plugins/templater-obsidian/data.json", b"{broken");
    for path in ["a.md", "Папка/Б.MD", "Архив/x.md", "Шаблоны/y.md", ".trash/z.md", ".git/c.md", "Папка/черновик 1.md"]
    {
        write(root, path, b"x");
    }
    write(root, "Папка/Файлы/схема.png", b"png");
    write(root, "Папка/йод.md", "NFD ![[схема.png]]\nстрока".as_bytes());
    write(root, "0.md", b"");
    #[cfg(unix)]
    std::os::unix::fs::symlink("/etc/passwd", root.join("link.md")).unwrap();

    let vault = vault::read(root);
    let notes: Vec<_> = vault.notes.keys().map(String::as_str).collect();
    assert_eq!(notes, ["0.md", "a.md", "Папка/Б.MD", "Папка/йод.md"]);
    assert_eq!(vault.attachments.keys().collect::<Vec<_>>(), ["Папка/Файлы/схема.png"]);
    let problems: Vec<_> = vault.problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems[0].contains("`/(/` is not a regular expression") && problems[1].contains("not readable"));
    assert_eq!(problems[2], "link.md:1: symbolic links are not followed");
    let parsed = parse_in(&vault, "Папка/йод.md");
    assert_eq!(parsed.chunks[0].images, ["Папка/Файлы/схема.png"]);
    assert_eq!(parsed.chunks[0].body.plain(), "NFD строка", "strict line breaks");
}

#[test]
fn a_missing_folder_is_an_empty_vault() {
    let vault = vault::read(Path::new("/nowhere/at/all"));
    assert!(vault.notes.is_empty() && vault.problems[0].what.starts_with("folder cannot be read"));
}

#[test]
fn links_are_resolved_as_in_obsidian() {
    let vault = crate::vault(&[
        ("index.md", ""),
        ("a/Note.md", ""),
        ("b/Note.md", ""),
        ("b/deep/Other.md", ""),
        ("c/Ёлка.md", "---\naliases: [Дерево, MAC-адрес]\n---\n"),
        ("a/pic.png", ""),
        ("b/pic.png", ""),
        ("img/only.png", ""),
    ]);
    let links = LinkIndex::new(&vault);
    let cases = [
        ("index.md", "a/Note", Some("a/Note.md")),
        ("index.md", "b/note.md", Some("b/Note.md")),
        ("b/deep/Other.md", "Note", Some("a/Note.md")),
        ("b/x.md", "Note", Some("b/Note.md")),
        ("index.md", "other", Some("b/deep/Other.md")),
        ("index.md", "deep/Other", Some("b/deep/Other.md")),
        ("a/Note.md", "../b/Note.md", Some("b/Note.md")),
        ("index.md", "e\u{308}лка", None),
        ("index.md", "Е\u{308}лка", Some("c/Ёлка.md")),
        ("index.md", "дерево", Some("c/Ёлка.md")),
        ("index.md", "MAC-адрес", Some("c/Ёлка.md")),
        ("index.md", "", Some("index.md")),
        ("index.md", "../../etc/passwd", None),
        ("index.md", "нет", None),
    ];
    for (from, target, expected) in cases {
        assert_eq!(links.note(from, target), expected, "{target} in {from}");
    }
    assert_eq!(links.attachment("b/Note.md", "pic.png"), Some("b/pic.png"));
    assert_eq!(links.attachment("index.md", "only.PNG"), Some("img/only.png"));
    assert_eq!(links.attachment("a/Note.md", "../img/only.png"), Some("img/only.png"));
}

#[test]
fn headings_are_found_as_people_write_them() {
    let vault = crate::vault(&[
        ("Цель.md", "# Сброс: `reset` **всего**\n\n## Saving the original firmware (TFTP)\n\n- пункт ^id\n"),
        (
            "n.md",
            "[[Цель#Сброс `reset` всего]] [[Цель#сброс reset всего#Saving the original firmware (TFTP)]] [x](Цель.md#saving-the-original-firmware-tftp) [[Цель#^ID]] [[#Тут]] [[Цель#нет]] [[Цель#^no]]\n\n# Тут",
        ),
    ]);
    let problems: Vec<_> = parse_in(&vault, "n.md").problems.iter().map(|problem| problem.what.clone()).collect();
    let missing = |target: &str| format!("link to `{target}`: the note has no such heading or block");
    assert_eq!(problems, [missing("Цель#нет"), missing("Цель#^no")]);
}

#[test]
fn decomposed_names_are_found() {
    let vault = crate::vault(&[("Сбои\u{306}.md", "текст"), ("n.md", "[[Сбой]] [x](%D0%A1%D0%B1%D0%BE%D0%B9.md)")]);
    let parsed = parse_in(&vault, "n.md");
    assert_eq!(parsed.links, ["Сбой.md"]);
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
}

#[test]
fn a_note_is_as_hidden_as_what_it_embeds() {
    let vault = crate::vault(&[
        ("Клиентам.md", "---\nvisibility: public\n---\nОткрыто\n\n![[Цены]]\n"),
        ("Цены.md", "Цены: ![[Черновик]]"),
        ("Черновик.md", "---\nvisibility: draft\n---\nТайна"),
        ("Просто.md", "---\nvisibility: public\n---\nОткрыто"),
    ]);
    let plan = fitter_retrieval::import::plan(&std::collections::HashMap::new(), &vault, &|_, _| {});
    let seen = |path: &str| plan.changed.iter().find(|note| note.path == path).map(|note| note.meta.visibility.code());
    assert_eq!(seen("Клиентам.md"), Some("draft"), "it embeds a draft, by way of another note");
    assert_eq!(seen("Цены.md"), Some("draft"));
    assert_eq!(seen("Просто.md"), Some("public"));
    assert!(plan.problems.iter().any(|problem| problem.path == "Клиентам.md" && problem.what.contains("which is draft")));
}
