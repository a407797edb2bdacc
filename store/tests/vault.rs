//! What is known of the files and the source of the vault.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use chrono::{DateTime, TimeDelta, Utc};
use fitter_store::notes::{self, NoteRecord, Visibility};
use fitter_store::vault::{self, FileRecord, ProblemRecord, ProblemSums, Severity};
use fitter_testkit::TestDb;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn note(path: &str) -> NoteRecord {
    NoteRecord {
        path: path.to_owned(),
        hash: format!("hash of {path}"),
        title: path.to_owned(),
        aliases: vec!["другое имя".to_owned()],
        tags: Vec::new(),
        lang: None,
        visibility: Visibility::Draft,
        kind: "note".to_owned(),
        modified: now(),
        links: Vec::new(),
        terms: Vec::new(),
        author: None,
    }
}

fn file(path: &str) -> FileRecord {
    FileRecord {
        path: path.to_owned(),
        hash: format!("hash of {path}"),
        stamp: "12:3.4".to_owned(),
        content: "abc".to_owned(),
        parser: 3,
        references: vec![(String::new(), "Цель".to_owned(), false, Some("b.md".to_owned())), (String::new(), "x".to_owned(), true, None)],
        depends: vec!["b.md".to_owned()],
        pictures: [("p.png".to_owned(), "1:2".to_owned())].into(),
    }
}

#[tokio::test]
async fn files_of_notes() {
    let db = TestDb::server().await;
    let conn = &mut *db.pool().acquire().await.unwrap();
    let both = [(note("a.md"), Vec::new()), (note("b.md"), Vec::new())];
    notes::replace_notes(conn, &both).await.unwrap();
    vault::put_files(conn, &[file("a.md")]).await.unwrap();
    let known = vault::files(conn).await.unwrap();
    assert_eq!(known["a.md"].file, file("a.md"));
    assert_eq!((known["a.md"].aliases.as_slice(), known["a.md"].visibility), (&["другое имя".to_owned()][..], Visibility::Draft));
    assert_eq!(known["b.md"].file, FileRecord { path: "b.md".to_owned(), hash: "hash of b.md".to_owned(), ..FileRecord::default() });

    // A release that does not know the table has written the note: nothing is known of its file any more.
    let other = NoteRecord { hash: "other".to_owned(), ..note("a.md") };
    notes::replace_notes(conn, &[(other, Vec::new())]).await.unwrap();
    assert_eq!(vault::files(conn).await.unwrap()["a.md"].file.stamp, "");
    assert_eq!(notes::delete_notes(conn, &["a.md".to_owned()]).await.unwrap(), 1);
    assert_eq!(vault::files(conn).await.unwrap().len(), 1);
}

#[tokio::test]
async fn problems_and_the_source() {
    let db = TestDb::server().await;
    let conn = &mut *db.pool().acquire().await.unwrap();
    let problem = |path: &str, line, severity| ProblemRecord { path: path.to_owned(), line, severity, what: "x".to_owned() };
    let (a, b) = (["a.md".to_owned()], ["b.md".to_owned()]);
    vault::replace_problems(conn, &a, &[problem("a.md", 2, Severity::Info), problem("a.md", 1, Severity::Warning)]).await.unwrap();
    vault::replace_problems(conn, &b, &[problem("b.md", 7, Severity::Error)]).await.unwrap();
    vault::replace_vault_problems(conn, &[problem("a.md", 1, Severity::Warning)]).await.unwrap();
    assert_eq!(vault::count_problems(conn).await.unwrap(), ProblemSums { errors: 1, warnings: 2, infos: 1 });
    let listed = vault::problems(conn, Severity::Warning, 2).await.unwrap();
    assert_eq!(listed, [problem("b.md", 7, Severity::Error), problem("a.md", 1, Severity::Warning)]);
    // The note was read again; what is wrong with the vault itself stays.
    vault::replace_problems(conn, &a, &[]).await.unwrap();
    assert_eq!(vault::count_problems(conn).await.unwrap(), ProblemSums { errors: 1, warnings: 1, infos: 0 });
    vault::replace_vault_problems(conn, &[]).await.unwrap();
    assert_eq!(vault::count_problems(conn).await.unwrap(), ProblemSums { errors: 1, warnings: 0, infos: 0 });

    let before = vault::state(conn).await.unwrap();
    assert_eq!((before.wanted, before.source.as_deref(), before.at), (0, None, None));
    vault::want(conn).await.unwrap();
    vault::failed(conn, "no way there").await.unwrap();
    assert_eq!(vault::state(conn).await.unwrap().error.as_deref(), Some("no way there"));
    vault::done(conn, "https://host/notes", Some("abc"), "s", now()).await.unwrap();
    let state = vault::state(conn).await.unwrap();
    assert_eq!((state.wanted, state.version.as_deref(), state.at, state.error), (1, Some("abc"), Some(now()), None));

    assert!(vault::pushed(conn, "one", now()).await.unwrap());
    assert!(!vault::pushed(conn, "one", now() + TimeDelta::days(6)).await.unwrap());
    assert!(vault::pushed(conn, "two", now() + TimeDelta::days(8)).await.unwrap());
    assert!(vault::pushed(conn, "one", now() + TimeDelta::days(8)).await.unwrap(), "it was forgotten long ago");
}
