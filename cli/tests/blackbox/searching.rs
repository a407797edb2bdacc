//! The search from an operator's shell: what it says of itself, how it is measured, and what it does without its model.

use fitter_testkit::app::run;
use fitter_testkit::{Fitter, Storage};
use serde_json::{Value, json};

use crate::{options, vault};

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| panic!("{text}"))
}

#[test]
fn the_search_is_measured() {
    run(async {
        let fitter = Fitter::prepare(options().vault(vault()).storage(Storage::Embedded)).await;
        let folder = fitter.vault().display().to_string();
        let path = fitter.data_dir().join("questions.jsonl");
        let lines = [
            json!({"id": 1, "text": "какой предохранитель на питание маяка", "category": "direct", "note": "Предохранитель.md", "heading": "Номинал"}),
            json!({"id": 2, "text": "номинал предохранителя", "category": "direct", "gold": [{"doc": "kb/Предохранитель.md", "start_line": 1, "end_line": 99}]}),
            json!({"id": 3, "text": "какой предохранитель", "category": "wrong", "notes": ["Нет такой.md"]}),
            json!({"id": 4, "text": "рецепт бешбармака", "notes": []}),
        ];
        std::fs::write(&path, lines.map(|line| line.to_string()).join("\n")).unwrap();
        let file = path.display().to_string();
        let told = fitter.cli(["eval", "retrieval", "--vault", &folder, "--queries", &file, "--json"]).await;
        assert_eq!(told.code, Some(0), "{told:?}");
        let told = read(&told.out);
        assert_eq!(told["all"]["questions"], 3);
        assert_eq!(told["categories"]["direct"]["hit1"], 1.0);
        assert_eq!(told["categories"]["wrong"]["mrr"], 0.0);
        assert_eq!(told["refusals"], json!({"unanswerable": 1, "refused_right": 1, "refused_wrong": 0}));
        assert!(told["passages"].as_u64().unwrap() > 3 && told["latency"]["p95_us"].as_u64().unwrap() > 0, "{told}");
        assert_eq!(told["embedded_ms"], Value::Null);

        let table = fitter.cli(["eval", "retrieval", "--vault", &folder, "--queries", &file, "--misses"]).await;
        assert!(table.out.contains("3 not found: какой предохранитель -> Предохранитель.md:"), "{table:?}");
        assert!(table.out.lines().any(|line| line.starts_with("direct") && line.contains("1.000")), "{table:?}");

        let fit = fitter.cli(["eval", "retrieval", "--vault", &folder, "--queries", &file, "--fit"]).await;
        assert!(fit.code == Some(1) && fit.err.contains("FITTER_EMBEDDER"), "{fit:?}");
        std::fs::write(&path, "{\"id\": 1}").unwrap();
        let broken = fitter.cli(["eval", "retrieval", "--vault", &folder, "--queries", &file]).await;
        assert!(broken.code == Some(1) && broken.err.contains("questions.jsonl: line 1: missing field"), "{broken:?}");
    });
}

#[test]
fn passages_that_are_cut_already_are_measured() {
    run(async {
        let fitter = Fitter::prepare(options().storage(Storage::Embedded)).await;
        let write = |name: &str, text: &str| {
            let path = fitter.data_dir().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let corpus = write(
            "corpus.jsonl",
            "{\"id\": \"p1\", \"title\": \"Питание\", \"text\": \"Снимите клемму.\"}\n{\"id\": \"p2\", \"text\": \"Антенна.\"}\n",
        );
        let queries = write("queries.jsonl", "{\"id\": \"q\", \"text\": \"где клемма\"}\n");
        let qrels = write("qrels.tsv", "query-id\tcorpus-id\tscore\nq\tp1\t1\n");
        let args = ["eval", "retrieval", "--corpus", &corpus, "--queries", &queries, "--qrels", &qrels, "--json"];
        let told = fitter.cli(args).await;
        assert_eq!(told.code, Some(0), "{told:?}");
        let told = read(&told.out);
        assert_eq!((&told["passages"], &told["all"]["mrr"], &told["all"]["ndcg"]), (&json!(2), &json!(1.0), &json!(1.0)));
        assert!(!fitter.data_dir().join("db").exists(), "no database is needed");
    });
}

#[test]
fn a_search_tells_what_words_and_vectors_say() {
    run(async {
        let fitter = Fitter::prepare(options().vault(vault()).storage(Storage::Embedded)).await;
        let folder = fitter.vault().display().to_string();
        let said = fitter.cli(["search", "--vault", &folder, "--explain", "какой предохранитель"]).await;
        assert!(said.out.contains("   words 0.") && said.out.contains(", vectors –, coverage "), "{said:?}");
        let json = fitter.cli(["search", "--vault", &folder, "--explain", "--json", "какой предохранитель"]).await;
        let first = read(json.out.lines().next().unwrap());
        assert!(first["words"].is_number() && first.get("vectors").is_none() && first["coverage"].is_number(), "{first}");
        let plain = fitter.cli(["search", "--vault", &folder, "--json", "какой предохранитель"]).await;
        assert!(read(plain.out.lines().next().unwrap()).get("words").is_none(), "{plain:?}");
    });
}

#[test]
fn a_model_that_is_not_there_is_told_and_words_answer() {
    run(async {
        let missing = [("FITTER_EMBEDDER", "candle"), ("FITTER_EMBEDDER_FOLDER", "/no/such/model")];
        let fitter = missing.into_iter().fold(options().vault(vault()), |options, (name, value)| options.env(name, value));
        let fitter = Fitter::start(fitter).await;
        let log = fitter.log();
        assert!(
            log.contains("/no/such/model is not a folder; put the model's files there; questions are answered by their words alone"),
            "{log}"
        );
        let aidos = fitter.technician("Айдос").await;
        aidos.say("какой предохранитель на питание маяка").await;
        aidos.got("3 А, плавкий").await;
        let refused = fitter.cli(["search", "--vault", &fitter.vault().display().to_string(), "предохранитель"]).await;
        assert!(refused.code == Some(1) && refused.err.starts_with("fitter: embedder: /no/such/model is not a folder"), "{refused:?}");
        fitter.finish().await;
    });
}
