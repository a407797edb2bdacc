use super::*;

fn found(note: &'static str, lines: (u32, u32)) -> Candidate<'static> {
    Candidate { note, headings: &[], lines }
}

#[test]
fn every_form_of_an_answer_is_read() {
    let text = r#"{"id": 7, "text": "a", "gold": [{"doc": "kb/ru/faq.md", "start_line": 5, "end_line": 9}], "category": "slang"}

{"id": "b", "text": "b", "note": "a.md", "heading": "H", "lang": "kk"}
{"id": "c", "text": "c", "notes": ["x.md", "y.md"]}
{"id": "d", "text": "d", "notes": []}
{"id": "e", "text": "e", "gold": [], "answerable": false, "must_contain": ["7"]}
{"id": "f", "text": "f"}"#;
    let read = queries(text).unwrap();
    assert_eq!(read[0].id, "7");
    assert_eq!(read[0].category.as_deref(), Some("slang"));
    assert_eq!(read[0].gold, [Gold::Lines { doc: "kb/ru/faq.md".to_owned(), start: 5, end: 9 }]);
    assert_eq!(read[1].gold, [Gold::Section { note: "a.md".to_owned(), heading: "H".to_owned() }]);
    assert_eq!(read[1].lang, Some(Locale::Kk));
    assert_eq!(read[2].gold.len(), 2);
    let answerable: Vec<bool> = read.iter().map(|query| query.answerable).collect();
    assert_eq!(answerable, [true, true, true, false, false, true]);
    assert_eq!(read[4].must_contain, ["7"]);
    assert_eq!(queries("{}\n").unwrap_err().line, 1);
    assert!(queries("\n{\"id\": 1}\n").unwrap_err().to_string().starts_with("line 2: missing field"));
}

#[test]
fn judgements_belong_to_their_questions() {
    let mut read = queries("{\"id\": \"a\", \"text\": \"a\"}\n{\"id\": \"b\", \"text\": \"b\"}").unwrap();
    judge(&mut read, "query-id\tcorpus-id\tscore\na\tp1\t1\na\tp2\t0\nb\tp3\t2\n").unwrap();
    assert_eq!(read[0].gold, [Gold::Passage { id: "p1".to_owned(), grade: 1.0 }]);
    assert_eq!(read[1].gold, [Gold::Passage { id: "p3".to_owned(), grade: 2.0 }]);
    assert_eq!(judge(&mut read, "a p1 1").unwrap_err().line, 1);
}

#[test]
fn an_answer_is_the_same_document_and_an_overlapping_line() {
    let gold = Gold::Lines { doc: "kb/ru/faq.md".to_owned(), start: 5, end: 9 };
    assert!(gold.is(&found("faq.md", (9, 20))) && gold.is(&found("ru/faq.md", (1, 5))) && gold.is(&found("vault/kb/ru/faq.md", (6, 6))));
    assert!(!gold.is(&found("faq.md", (10, 20))) && !gold.is(&found("en/faq.md", (5, 9))) && !gold.is(&found("q.md", (5, 9))));
    let headings = ["Top".to_owned(), "H".to_owned()];
    let section = Gold::Section { note: "a.md".to_owned(), heading: "H".to_owned() };
    assert!(section.is(&Candidate { note: "a.md", headings: &headings, lines: (1, 1) }) && !section.is(&found("a.md", (1, 1))));
}

#[test]
fn the_measures_are_those_of_the_books() {
    let passage = |id: &str, grade| Gold::Passage { id: id.to_owned(), grade };
    let query = |gold: Vec<Gold>| Query { gold, ..queries("{\"id\": \"q\", \"text\": \"t\"}").unwrap().remove(0) };
    let close = |a: f32, b: f32| assert!((a - b).abs() < 1e-4, "{a} {b}");
    let list = ["x", "a", "y", "b"].map(|id| found(id, (1, 1)));
    let one = Outcome::of(&query(vec![passage("a", 1.0)]), &list);
    assert_eq!(one.rank, Some(1));
    close(one.ndcg, 1.0 / 3.0_f32.log2());
    // Gains of 3 at the fourth place and 1 at the second, against 3 at the first and 1 at the second.
    let two = Outcome::of(&query(vec![passage("a", 1.0), passage("b", 3.0)]), &list);
    close(two.ndcg, (1.0 / 3.0_f32.log2() + 3.0 / 5.0_f32.log2()) / (3.0 + 1.0 / 3.0_f32.log2()));
    // Two passages that are the same answer count once.
    let lines = query(vec![Gold::Lines { doc: "a".to_owned(), start: 1, end: 9 }]);
    close(Outcome::of(&lines, &[found("a", (1, 2)), found("a", (3, 4))]).ndcg, 1.0);
    let none = Outcome::of(&query(vec![passage("z", 1.0)]), &list);
    assert_eq!((none.rank, none.ndcg), (None, 0.0));
}

#[test]
fn figures_are_means_by_category() {
    let line =
        |id: &str, category: &str| format!("{{\"id\": \"{id}\", \"text\": \"t\", \"category\": \"{category}\", \"note\": \"{id}.md\"}}\n");
    let text = line("a", "one") + &line("b", "one") + &line("c", "two") + "{\"id\": \"n\", \"text\": \"t\", \"notes\": []}";
    let read = queries(&text).unwrap();
    let mut evaluation = Evaluation::default();
    let list = [found("a.md", (1, 1)), found("b.md", (1, 1))];
    for (query, millis) in read.iter().zip([1, 2, 3, 4]) {
        evaluation.add(query, &list, query.id != "b", Duration::from_millis(millis));
    }
    let report = evaluation.report();
    assert_eq!((report.all.questions, report.categories["one"].questions, report.categories["two"].questions), (3, 2, 1));
    assert_eq!((report.categories["one"].hit1, report.categories["one"].hit3, report.categories["one"].mrr), (0.5, 1.0, 0.75));
    assert_eq!(report.categories["two"], Figures { questions: 1, ..Figures::default() });
    assert_eq!(report.refusals, Refusals { unanswerable: 1, refused_right: 0, refused_wrong: 1 });
    assert_eq!(report.latency, Latency { p50_us: 3000, p95_us: 4000 });
    let shown = report.to_string();
    assert!(shown.contains("one                  2   0.500   1.000   1.000   0.750"), "{shown}");
    assert!(shown.ends_with("time: p50 3000 us, p95 4000 us"), "{shown}");
}
