//! Passages: where they begin and end, how long ones are cut, what embeds bring.

use crate::{parse, parse_in, problems, vault};

fn spans(text: &str) -> Vec<(Vec<String>, u32, u32)> {
    parse(text).chunks.into_iter().map(|chunk| (chunk.headings, chunk.start_line, chunk.end_line)).collect()
}

fn path(parts: &[&str]) -> Vec<String> {
    parts.iter().map(|part| (*part).to_owned()).collect()
}

#[test]
fn spans_are_lines_of_the_file() {
    let text = "---\ntitle: T\n---\n\nвступление\n\n# A\n\nтекст\nещё\n\n## B\n- один\n- два\n\n\n# C\n## D\n```\nкод\n```\n# Пусто\n";
    let expected = [(path(&["A"]), 5, 10), (path(&["A", "B"]), 12, 14), (path(&["C", "D"]), 18, 21)];
    assert_eq!(spans(text), expected);
    assert_eq!(spans(&text.replace('\n', "\r\n")), expected, "CRLF");
    assert_eq!(spans(&format!("\u{feff}{text}")), expected, "BOM");
}

#[test]
fn headings_of_both_kinds_and_skipped_levels() {
    let text = "Первый\n======\nа\n\n### Третий\nб\n\n## Второй\nв\n\n# **Жирный** `код` [[x|y]]\nг";
    let headings: Vec<_> = spans(text).into_iter().map(|(headings, ..)| headings.join(">")).collect();
    assert_eq!(headings, ["Первый>Третий", "Первый>Второй", "Жирный код y"]);
}

#[test]
fn only_a_short_opening_joins_the_next_section() {
    let long = "слово ".repeat(40);
    assert_eq!(spans(&format!("{long}\n\n# A\nа")), [(path(&[]), 1, 1), (path(&["A"]), 3, 4)]);
    assert_eq!(spans("# A\nа\n# B\nб\n## C\nв"), [(path(&["A"]), 1, 2), (path(&["B"]), 3, 4), (path(&["B", "C"]), 5, 6)]);
}

#[test]
fn a_long_section_is_cut_between_items_and_keeps_warnings_with_them() {
    let step = |n: usize| format!("{n}. Шаг {n} {}\n\n   > [!warning] Опасно {n}\n   > не трогать\n", "слово ".repeat(60));
    let text = format!("# A\n\nСделайте так:\n\n{}", (1..=8).map(step).collect::<String>());
    let chunks = parse(&text).chunks;
    assert!(chunks.len() >= 2, "{}", chunks.len());
    for chunk in &chunks {
        assert!(chunk.text.chars().count() <= 1_700, "{}", chunk.text.chars().count());
        assert_eq!(chunk.headings, ["A"]);
        for n in 1..=8 {
            assert_eq!(chunk.text.contains(&format!("Шаг {n} ")), chunk.text.contains(&format!("Опасно {n}")));
        }
    }
    assert_eq!(chunks[0].start_line, 1);
    assert!(chunks.windows(2).all(|pair| pair[0].end_line < pair[1].start_line));
    let number = chunks[1].body.plain().split('.').next().unwrap().parse::<u32>().unwrap();
    assert!(number > 1, "the numbers go on");
}

#[test]
fn what_leads_goes_with_what_follows() {
    let long = "слово ".repeat(240);
    let chunks = parse(&format!("{long}\n\n> [!danger] Стоп\n> ток\n\nТеперь снимите:\n\n```\n{}\n```", "код\n".repeat(30))).chunks;
    assert_eq!(chunks.len(), 2);
    assert!(chunks[1].text.starts_with("⛔ Стоп") && chunks[1].text.contains("Теперь снимите:") && chunks[1].text.contains("код"));
    assert_eq!((chunks[1].start_line, chunks[1].end_line), (3, 38));
}

#[test]
fn long_tables_repeat_their_header() {
    let rows: String = (0..80).map(|n| format!("| параметр {n} | {} |\n", "описание ".repeat(5))).collect();
    let chunks = parse(&format!("| Имя | Что |\n|---|---|\n{rows}")).chunks;
    assert!(chunks.len() > 2);
    assert_eq!(chunks.iter().map(|chunk| chunk.text.matches("параметр").count()).sum::<usize>(), 80);
    assert_eq!(chunks.last().unwrap().end_line, 82);
}

#[test]
fn a_huge_note_is_read() {
    let mut text = "слово ".repeat(200_000);
    text.push_str("\n\n");
    text.push_str(&"длинноесловобезпробелов".repeat(10_000));
    let parsed = parse(&text);
    assert!(parsed.chunks.len() > 500, "{}", parsed.chunks.len());
}

#[test]
fn odd_files() {
    assert!(parse("").chunks.is_empty());
    let mut odd = vault(&[("lfs.md", "version https://git-lfs.github.com/spec/v1\noid sha256:00\n")]);
    odd.put("bin.md", &[0x89, b'P', 0, 0xff]);
    odd.put("cp1251.md", &[b'#', b' ', 0xcf, 0xf0, b'\n', b'a']);
    assert_eq!(problems(&parse_in(&odd, "bin.md")), ["bin.md:1: this is not a text file; ignored"]);
    assert_eq!(problems(&parse_in(&odd, "lfs.md")), ["lfs.md:1: this is a Git LFS pointer, not the note itself; ignored"]);
    let lossy = parse_in(&odd, "cp1251.md");
    assert_eq!(problems(&lossy), ["cp1251.md:1: the file is not in UTF-8; some letters are lost"]);
    assert_eq!(lossy.chunks.len(), 1);
}

#[test]
fn embeds_bring_notes_sections_and_blocks() {
    let vault = vault(&[
        ("note.md", "# A\nдо\n\n![[Общее]]\n\n![[общее#Питание]] и ![[общее#^fuse]]\n\n![[Общее#Нет]]\n\n![[Нет такой]]"),
        (
            "dir/Общее.md",
            "---\nlang: ru\n---\nвступление\n\n## Питание\nплюс и минус ![[x.png]]\n\n### Детали\nглубже\n\n## Связь\n- антенна ^ant\n- предохранитель 5 А ^fuse",
        ),
        ("dir/x.png", ""),
    ]);
    let parsed = parse_in(&vault, "note.md");
    assert_eq!(parsed.chunks.len(), 1);
    let chunk = &parsed.chunks[0];
    let text = chunk.body.plain();
    assert_eq!(text.matches("плюс и минус").count(), 2, "{text}");
    assert_eq!(text.matches("глубже").count(), 2);
    assert_eq!(text.matches("предохранитель 5 А").count(), 2);
    assert_eq!(text.matches("антенна").count(), 1);
    assert_eq!(chunk.images, ["dir/x.png"]);
    assert_eq!((chunk.start_line, chunk.end_line), (1, 10));
    assert_eq!(parsed.embeds, ["dir/Общее.md"]);
    assert_eq!(
        problems(&parsed),
        ["note.md:8: embedded `Общее#Нет`: the note has no such heading or block", "note.md:10: embedded `Нет такой` does not exist"]
    );
}

#[test]
fn embeds_in_circles_end() {
    let files = [("a.md", "А ![[b]]"), ("b.md", "Б ![[a]]"), ("self.md", "# X\n![[self]]\n\n# Y\nтекст ![[self#X]]")];
    let vault = vault(&files);
    let parsed = parse_in(&vault, "a.md");
    assert!(parsed.chunks[0].text.contains('Б'));
    assert_eq!(problems(&parsed), ["a.md:1: `a` embeds itself; left out"]);
    let parsed = parse_in(&vault, "self.md");
    assert!(problems(&parsed).iter().any(|problem| problem.contains("embeds itself")));
    let deep: Vec<(String, String)> = (0..9).map(|n| (format!("n{n}.md"), format!("т{n} ![[n{}]]", n + 1))).collect();
    let deep: Vec<(&str, &str)> = deep.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let parsed = parse_in(&crate::vault(&deep), "n0.md");
    assert!(parsed.chunks[0].text.contains("т5") && !parsed.chunks[0].text.contains("т7"));
    assert!(problems(&parsed)[0].contains("more than 5 levels deep"), "{:?}", problems(&parsed));
    // Each note embeds the next one ten times: a hundred thousand copies without a limit.
    let wide: Vec<(String, String)> =
        (0..6).map(|n| (format!("w{n}.md"), format!("x\n\n{}", format!("![[w{}]]\n\n", n + 1).repeat(10)))).collect();
    let wide: Vec<(&str, &str)> = wide.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    assert!(parse_in(&crate::vault(&wide), "w0.md").chunks.len() < 3_000);
}
