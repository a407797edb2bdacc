//! Vectors of passages, what notes are about, and search without an index.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use chrono::DateTime;
use fitter_domain::ids::{ChunkId, PersonId};
use fitter_domain::rich::Rich;
use fitter_store::notes::{self, ChunkRecord, NoteRecord, Visibility};
use fitter_store::subjects::{self, Subject};
use fitter_store::vectors::{self, Model};
use fitter_store::{PgConnection, plain};
use fitter_testkit::TestDb;
use serde_json::json;

async fn note(conn: &mut PgConnection, path: &str, visibility: Visibility, texts: &[&str]) {
    let record = NoteRecord {
        path: path.to_owned(),
        hash: "h".to_owned(),
        title: format!("Заметка {path}"),
        aliases: Vec::new(),
        tags: Vec::new(),
        lang: Some("kk".to_owned()),
        visibility,
        kind: "note".to_owned(),
        modified: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
        links: Vec::new(),
        terms: Vec::new(),
        author: None,
    };
    let chunk = |text: &&str| ChunkRecord {
        headings: vec!["Питание".to_owned()],
        start_line: 1,
        end_line: 2,
        body: Rich::text(*text),
        text: (*text).to_owned(),
        images: Vec::new(),
        links: Vec::new(),
    };
    notes::replace_note(conn, &record, &texts.iter().map(chunk).collect::<Vec<_>>()).await.unwrap();
}

async fn embed(conn: &mut PgConnection, model: &Model, vector: impl Fn(&str) -> Vec<f32>) -> usize {
    let missing = vectors::missing(conn, model.id, ChunkId(0), 1000).await.unwrap();
    let made = missing.iter().map(|one| (one.chunk, vector(&one.text))).collect();
    vectors::store(conn, model.id, made).await.unwrap();
    missing.len()
}

/// A text `0.6 0.8` is its own vector.
fn read(text: &str) -> Vec<f32> {
    text.split(' ').map(|number| number.parse().unwrap()).collect()
}

async fn nearest(conn: &mut PgConnection, model: &Model, visible: Visibility, limit: i64, indexed: bool) -> Vec<(String, u32)> {
    let near = vectors::nearest(conn, model, vec![1.0, 0.0], visible, limit, indexed).await.unwrap();
    assert!(near.iter().all(|one| one.lang.as_deref() == Some("kk")));
    assert!(near.is_sorted_by(|one, next| one.similarity >= next.similarity));
    near.into_iter().map(|one| (one.note, one.number)).collect()
}

async fn the_nearest(db: &TestDb) {
    let conn = &mut *db.pool().acquire().await.unwrap();
    note(conn, "a.md", Visibility::Staff, &["0 1", "0.6 0.8"]).await;
    note(conn, "b.md", Visibility::Public, &["0.8 0.6"]).await;
    note(conn, "c.md", Visibility::Draft, &["1 0"]).await;
    assert_eq!(vectors::serving(conn).await.unwrap(), None);
    let model = vectors::want(conn, "m:1", 2, &json!({"folder": "/m"})).await.unwrap();
    assert!(!model.complete && vectors::want(conn, "m:1", 2, &json!({"folder": "/m"})).await.unwrap() == model);
    assert_eq!(vectors::missing(conn, model.id, ChunkId(0), 2).await.unwrap().len(), 2);
    assert_eq!(embed(conn, &model, read).await, 4);
    assert_eq!(vectors::counts(conn, model.id).await.unwrap(), (4, 4));
    assert!(vectors::missing(conn, model.id, ChunkId(0), 2).await.unwrap().is_empty());

    let at = |note: &str, number: u32| (note.to_owned(), number);
    assert_eq!(nearest(conn, &model, Visibility::Draft, 2, false).await, [at("c.md", 0), at("b.md", 0)]);
    assert_eq!(nearest(conn, &model, Visibility::Staff, 9, false).await, [at("b.md", 0), at("a.md", 1), at("a.md", 0)]);
    assert_eq!(nearest(conn, &model, Visibility::Public, 9, false).await, [at("b.md", 0)]);

    // A changed note has new passages, and they have no vectors yet.
    note(conn, "b.md", Visibility::Public, &["0.8 0.6", "1 0"]).await;
    assert_eq!(nearest(conn, &model, Visibility::Public, 9, false).await, []);
    assert_eq!(embed(conn, &model, read).await, 2);
    assert_eq!(nearest(conn, &model, Visibility::Public, 9, false).await, [at("b.md", 1), at("b.md", 0)]);
    // One that is gone meanwhile is left out.
    let gone = vectors::missing(conn, model.id + 1, ChunkId(0), 1).await.unwrap().remove(0);
    notes::delete_notes(conn, &["a.md".to_owned()]).await.unwrap();
    vectors::store(conn, model.id, vec![(gone.chunk, vec![1.0, 0.0])]).await.unwrap();
    assert_eq!(vectors::counts(conn, model.id).await.unwrap(), (3, 3));
}

#[tokio::test]
async fn the_nearest_on_a_server() {
    the_nearest(&TestDb::server().await).await;
}

#[tokio::test]
async fn the_nearest_on_the_embedded_server() {
    the_nearest(&TestDb::embedded().await).await;
}

#[tokio::test]
async fn the_old_model_serves_until_the_new_one_is_complete() {
    let db = TestDb::server().await;
    let conn = &mut *db.pool().acquire().await.unwrap();
    note(conn, "a.md", Visibility::Staff, &["1 0"]).await;
    let old = vectors::want(conn, "old", 2, &json!(1)).await.unwrap();
    embed(conn, &old, read).await;
    assert!(vectors::complete(conn, old.id).await.unwrap().is_empty());
    let new = vectors::want(conn, "new", 3, &json!(2)).await.unwrap();
    assert_eq!(vectors::serving(conn).await.unwrap().map(|model| model.name).as_deref(), Some("old"));
    assert_eq!(embed(conn, &new, |_| vec![0.0, 0.0, 1.0]).await, 1);
    assert_eq!(nearest(conn, &old, Visibility::Staff, 9, false).await.len(), 1);
    assert_eq!(vectors::complete(conn, new.id).await.unwrap(), [old.id]);
    assert_eq!(vectors::serving(conn).await.unwrap(), Some(Model { complete: true, ..new }));
    assert_eq!(nearest(conn, &old, Visibility::Staff, 9, false).await, []);
}

/// The index gives what comparing all gives, also where few may be seen.
#[tokio::test]
async fn an_index_finds_what_a_filter_leaves() {
    let db = TestDb::server().await;
    let conn = &mut *db.pool().acquire().await.unwrap();
    let text = |n: u32| {
        let angle = f64::from(n) / 2000.0;
        format!("{} {}", angle.cos(), angle.sin())
    };
    let texts: Vec<String> = (0..2000).map(text).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    note(conn, "drafts.md", Visibility::Draft, &texts[..1990]).await;
    note(conn, "staff.md", Visibility::Staff, &texts[1990..]).await;
    let model = vectors::want(conn, "m", 2, &json!(null)).await.unwrap();
    while embed(conn, &model, read).await > 0 {}
    assert!(!vectors::is_indexed(conn, model.id).await.unwrap());
    assert!(vectors::index(conn, &model).await.unwrap());
    assert!(vectors::is_indexed(conn, model.id).await.unwrap());
    let (by_index, all) =
        (nearest(conn, &model, Visibility::Staff, 5, true).await, nearest(conn, &model, Visibility::Staff, 5, false).await);
    assert_eq!(by_index, all);
    assert_eq!(all.len(), 5, "the ten that may be seen are the farthest of two thousand");
    vectors::drop_index(conn, model.id).await.unwrap();
    assert!(!vectors::is_indexed(conn, model.id).await.unwrap());
    // More numbers than an index takes.
    assert!(!vectors::index(conn, &Model { dimension: 5000, ..model }).await.unwrap());
}

#[tokio::test]
async fn what_notes_are_about() {
    let db = TestDb::server().await;
    let conn = &mut *db.pool().acquire().await.unwrap();
    for path in ["a.md", "b.md"] {
        note(conn, path, Visibility::Staff, &[]).await;
    }
    let subject = |note: &str, devices: &[&str]| Subject {
        note: note.to_owned(),
        devices: devices.iter().map(|&name| name.to_owned()).collect(),
        vehicles: Vec::new(),
    };
    subjects::replace(conn, &[subject("a.md", &["FMB920", "FMB140"]), subject("b.md", &[])]).await.unwrap();
    let both = ["a.md".to_owned(), "b.md".to_owned()];
    let known = subjects::of(conn, &both).await.unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!(known["a.md"], subject("a.md", &["FMB920", "FMB140"]));
    subjects::replace(conn, &[subject("a.md", &[])]).await.unwrap();
    assert!(subjects::of(conn, &both).await.unwrap().is_empty());
    assert_eq!(subjects::at_hand(conn, PersonId(1), DateTime::from_timestamp(0, 0).unwrap()).await.unwrap(), None);
}

async fn words_in_any_case(db: &TestDb) {
    let conn = &mut *db.pool().acquire().await.unwrap();
    note(conn, "a.md", Visibility::Staff, &["Клёмма аккумулятора.", "Снимите КЛЕММУ, затем предохранитель."]).await;
    note(conn, "b.md", Visibility::Draft, &["клемма предохранитель"]).await;
    note(conn, "c.md", Visibility::Public, &["100 % и a_b"]).await;
    let find = async |conn: &mut PgConnection, stems: &[&str], visible| {
        let stems: Vec<String> = stems.iter().map(|&stem| stem.to_owned()).collect();
        let met = plain::find(conn, &stems, visible, 9).await.unwrap();
        met.into_iter().map(|one| (one.note, one.number, one.met, one.named)).collect::<Vec<_>>()
    };
    let at = |note: &str, number, met, named| (note.to_owned(), number, met, named);
    assert_eq!(find(conn, &["клемм", "предохранител"], Visibility::Staff).await, [at("a.md", 1, 2, 0), at("a.md", 0, 1, 0)]);
    assert_eq!(find(conn, &["клемм", "предохранител"], Visibility::Draft).await.len(), 3);
    assert_eq!(find(conn, &["питан"], Visibility::Public).await, [at("c.md", 0, 1, 1)]);
    assert_eq!(find(conn, &["%"], Visibility::Staff).await, [at("c.md", 0, 1, 0)]);
    assert_eq!(find(conn, &["axb"], Visibility::Staff).await, []);
}

#[tokio::test]
async fn words_in_any_case_on_a_server() {
    words_in_any_case(&TestDb::server().await).await;
}

#[tokio::test]
async fn words_in_any_case_on_the_embedded_server() {
    words_in_any_case(&TestDb::embedded().await).await;
}
