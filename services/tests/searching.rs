//! Search by words, by vectors, and while the index is out of order.

#![expect(clippy::unwrap_used, reason = "helpers of tests; clippy.toml allows it in test functions only")]

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use fitter_domain::Locale;
use fitter_domain::clock::SystemClock;
use fitter_domain::person::Role;
use fitter_prompts::Messages;
use fitter_queue::Wake;
use fitter_retrieval::dense::{EmbedError, Embedder};
use fitter_retrieval::fusion::{Fusion, Subject};
use fitter_retrieval::glossary::Glossary;
use fitter_retrieval::index::{Hit, IndexError, LexicalIndex, NoteEntry, Version};
use fitter_retrieval::rerank::Reranker;
use fitter_retrieval::search::{Filter, Question, Searcher};
use fitter_services::App;
use fitter_services::dense::{Background, Dense, Settings};
use fitter_services::files::Files;
use fitter_services::search::Search;
use fitter_testkit::TestDb;

/// A model that knows synonyms: each word of a group is the same to it.
struct Synonyms {
    name: &'static str,
    groups: Vec<Vec<&'static str>>,
    broken: AtomicBool,
}

fn synonyms(name: &'static str) -> Arc<Synonyms> {
    let groups = vec![vec!["клемм", "зажим"], vec!["антенн", "приёмник"], vec!["ключ"]];
    Arc::new(Synonyms { name, groups, broken: AtomicBool::new(false) })
}

impl Synonyms {
    fn vector(&self, text: &str) -> Vec<f32> {
        let text = text.to_lowercase();
        let mut vector: Vec<f32> =
            self.groups.iter().map(|group| f32::from(u8::from(group.iter().any(|word| text.contains(word))))).collect();
        vector.push(0.1);
        let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
        vector.iter().map(|number| number / length).collect()
    }
}

impl Embedder for Synonyms {
    fn name(&self) -> &str {
        self.name
    }

    fn dimension(&self) -> usize {
        self.groups.len() + 1
    }

    fn passages(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        Ok(texts.iter().map(|text| self.vector(text)).collect())
    }

    fn query(&self, text: &str) -> Result<Vec<f32>, EmbedError> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(EmbedError::Failed("as it was told".to_owned()));
        }
        Ok(self.vector(text))
    }
}

/// Prefers the passage with its word, after so long.
struct Picky(&'static str, Duration);

impl Reranker for Picky {
    fn name(&self) -> &str {
        "picky"
    }

    fn scores(&self, _question: &str, passages: &[String], _until: Instant) -> Result<Vec<f32>, EmbedError> {
        std::thread::sleep(self.1);
        Ok(passages.iter().map(|text| f32::from(u8::from(text.contains(self.0)))).collect())
    }
}

/// An index that is torn.
struct Torn;

impl LexicalIndex for Torn {
    fn update(&self, _revision: &str, _removed: &[String], _put: &[NoteEntry]) -> Result<(), IndexError> {
        Err(torn())
    }

    fn search(&self, _question: &Question, _filter: &Filter) -> Result<Vec<Hit>, IndexError> {
        Err(torn())
    }

    fn version(&self) -> Version {
        Version::current("torn")
    }

    fn len(&self) -> u64 {
        0
    }
}

fn torn() -> IndexError {
    serde_json::from_str::<()>("torn").unwrap_err().into()
}

const NOTES: [(&str, &str); 5] = [
    ("a.md", "---\ntitle: Питание\ndevices: [FMB920]\n---\nСнимите клемму аккумулятора.\n"),
    ("b.md", "---\ntitle: Связь\ndevices: [FMC130]\n---\nПрикрутите антенну к крыше.\n"),
    ("c.md", "---\ntitle: Склад\n---\nКлюч от склада лежит у охраны.\n"),
    ("d.md", "---\ntitle: Черновик\nvisibility: draft\n---\nКлемма, антенна и ключ.\n"),
    ("e.md", "---\ntitle: Крыша\n---\nКрышу мыть не надо.\n"),
];

async fn app(db: &TestDb, folder: &Path) -> App {
    for (path, text) in NOTES {
        std::fs::write(folder.join(path), text).unwrap();
    }
    let app = App {
        db: db.database().clone(),
        messages: Arc::new(Messages::load().unwrap()),
        clock: Arc::new(SystemClock),
        files: Files::folder(&folder.join(".files")).unwrap(),
        search: Search::empty().unwrap(),
        dense: Dense::default(),
        indexed: Default::default(),
        stirred: Arc::default(),
        drafts: None,
        writer: None,
        drafting: Arc::default(),
        wake: Wake::new(),
        bots: Arc::new(RwLock::new(HashMap::new())),
        turns: Default::default(),
        puts: Default::default(),
        flushes: Default::default(),
        bodies: Default::default(),
        walks: Default::default(),
        answering: Arc::default(),
        greeted: Arc::default(),
    };
    app.import_vault(folder).await.unwrap();
    app
}

async fn found(app: &App, text: &str, role: Role) -> Vec<String> {
    let looked = app.look(text, role, Locale::Ru, &Subject::default(), 9).await.unwrap();
    looked.hits.into_iter().map(|fused| fused.hit.note).collect()
}

fn wanting(model: &Arc<Synonyms>) -> Settings {
    Settings { wanted: Some((Arc::clone(model) as Arc<dyn Embedder>, serde_json::json!({"model": model.name}))), ..Settings::default() }
}

#[tokio::test]
async fn vectors_find_what_is_said_in_other_words() {
    let (db, folder) = (TestDb::server().await, tempfile::tempdir().unwrap());
    let mut app = app(&db, folder.path()).await;
    assert!(found(&app, "зажим", Role::Technician).await.is_empty());
    let model = synonyms("one");
    app.dense = Dense::new(wanting(&model));
    let mut background = Background::default();
    assert_eq!(app.embed(&mut background).await.unwrap(), 5);
    assert_eq!(app.dense.model().as_deref(), Some("one"));
    assert_eq!(app.embed(&mut background).await.unwrap(), 0, "nothing has changed");
    assert_eq!(found(&app, "зажим", Role::Technician).await[0], "a.md");
    // What may not be seen is not near either.
    assert!(!found(&app, "зажим", Role::Technician).await.contains(&"d.md".to_owned()));
    assert!(found(&app, "зажим", Role::Admin).await.contains(&"d.md".to_owned()));
    assert!(found(&app, "зажим", Role::Client).await.is_empty());

    // A changed note is embedded anew.
    std::fs::write(folder.path().join("c.md"), "Приёмник стоит под зажимом.\n").unwrap();
    app.import_vault(folder.path()).await.unwrap();
    assert_eq!(app.embed(&mut background).await.unwrap(), 1);
    assert!(found(&app, "клемма и антенна", Role::Technician).await[..3].contains(&"c.md".to_owned()));

    // A model that fails leaves the question to the words.
    model.broken.store(true, Ordering::SeqCst);
    assert!(found(&app, "зажим", Role::Technician).await.iter().all(|note| note == "c.md"));
    assert_eq!(found(&app, "клемма", Role::Technician).await, ["a.md"]);
}

#[tokio::test]
async fn the_model_before_serves_until_the_new_one_is_ready() {
    let (db, folder) = (TestDb::server().await, tempfile::tempdir().unwrap());
    let mut app = app(&db, folder.path()).await;
    app.dense = Dense::new(wanting(&synonyms("old")));
    app.embed(&mut Background::default()).await.unwrap();
    // Another process, or this one after a restart, wants another model.
    let old = synonyms("old");
    let load = move |options: &serde_json::Value| -> Result<Arc<dyn Embedder>, EmbedError> {
        assert_eq!(options["model"], "old");
        Ok(Arc::clone(&old) as Arc<dyn Embedder>)
    };
    app.dense = Dense::new(Settings { load: Box::new(load), ..wanting(&synonyms("new")) });
    app.refresh_dense().await.unwrap();
    assert_eq!(app.dense.model().as_deref(), Some("old"));
    assert_eq!(found(&app, "зажим", Role::Technician).await[0], "a.md");
    app.embed(&mut Background::default()).await.unwrap();
    assert_eq!(app.dense.model().as_deref(), Some("new"));
    assert_eq!(found(&app, "зажим", Role::Technician).await[0], "a.md");
}

#[tokio::test]
async fn a_torn_index_is_replaced_and_the_database_answers_meanwhile() {
    let (db, folder) = (TestDb::server().await, tempfile::tempdir().unwrap());
    let mut app = app(&db, folder.path()).await;
    app.search = Search::new(Searcher::new(Arc::new(Torn), Glossary::default()));
    let looked = app.look("где лежит ключ от склада", Role::Technician, Locale::Ru, &Subject::default(), 5).await.unwrap();
    assert!(looked.degraded && looked.answered);
    assert_eq!(looked.hits[0].hit.note, "c.md");
    assert!(looked.hits.iter().all(|fused| fused.hit.note != "d.md"), "drafts stay hidden");
    let passages = app.search.passages(&mut db.pool().acquire().await.unwrap(), &[looked.hits[0].hit.clone()]).await.unwrap();
    assert_eq!(passages[0].body.plain(), "Ключ от склада лежит у охраны.");
    // The question made a new index.
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let looked = app.look("ключ от склада", Role::Technician, Locale::Ru, &Subject::default(), 5).await.unwrap();
        assert_eq!(looked.hits[0].hit.note, "c.md");
        if !looked.degraded {
            break;
        }
        assert!(Instant::now() < until, "no new index");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn what_is_at_hand_ranks_higher_and_nothing_is_hidden() {
    let (db, folder) = (TestDb::server().await, tempfile::tempdir().unwrap());
    let app = app(&db, folder.path()).await;
    let with = async |device: &str| {
        let focus = Subject { devices: vec![device.to_owned()], vehicles: Vec::new() };
        let looked = app.look("клемма или антенна", Role::Technician, Locale::Ru, &focus, 9).await.unwrap();
        looked.hits.into_iter().map(|fused| fused.hit.note).collect::<Vec<_>>()
    };
    assert_eq!(with("FMB920").await, ["a.md", "b.md"]);
    assert_eq!(with("FMC130").await, ["b.md", "a.md"]);
}

#[tokio::test]
async fn a_doubtful_order_gets_a_second_look_that_must_be_quick() {
    let (db, folder) = (TestDb::server().await, tempfile::tempdir().unwrap());
    let mut app = app(&db, folder.path()).await;
    let look = async |app: &App| app.look("клемма или антенна", Role::Technician, Locale::Ru, &Subject::default(), 9).await.unwrap();
    let first = look(&app).await.hits;
    let last = first.last().unwrap().hit.note.clone();
    let word = if last == "a.md" { "клемм" } else { "антенн" };
    let settings = |wait: u64, margin: f32| {
        let picky: Arc<dyn Reranker> = Arc::new(Picky(word, Duration::from_millis(wait)));
        Dense::new(Settings { reranker: Some(picky), margin, time: Duration::from_millis(500), fusion: Fusion::Rrf, ..Settings::default() })
    };
    app.dense = settings(0, 1.0);
    let looked = look(&app).await;
    assert!(looked.reranked && looked.hits[0].hit.note == last, "{looked:?}");
    app.dense = settings(3_000, 1.0);
    let begin = Instant::now();
    let looked = look(&app).await;
    assert!(!looked.reranked && looked.hits == first && begin.elapsed() < Duration::from_millis(2_500), "late: as it was");
    app.dense = settings(0, 0.0);
    assert!(!look(&app).await.reranked, "no doubt");
}
