//! The search from an operator's shell: what it says of itself, how it is measured, and what it does without its model.

use std::path::Path;

use fitter_testkit::app::{eventually, run};
use fitter_testkit::{Fitter, Storage};
use serde_json::{Value, json};

use crate::{options, vault};

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn the_search_is_measured() {
    run(async {
        let fitter = Fitter::prepare(options().vault(vault()).storage(Storage::Embedded)).await;
        let folder = fitter.vault().display().to_string();
        let own = tempfile::tempdir().unwrap();
        let path = own.path().join("questions.jsonl");
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
        let own = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = own.path().join(name);
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

/// The least model there is, without a layer: the mean of what stands for the words. The format is that of safetensors: the length of a head, the
/// head, the numbers.
fn tiny_model(folder: &Path) {
    let words = ["[PAD]", "[UNK]", "предохранитель", "маяк", "гарантия"];
    let mut head = serde_json::Map::new();
    let mut data: Vec<u8> = Vec::new();
    for (name, rows) in [("word_embeddings", words.len()), ("position_embeddings", 64), ("token_type_embeddings", 1)] {
        let begin = data.len();
        data.extend((0..rows * 4).flat_map(|n| if rows == words.len() { ((n * 7 % 11) as f32 - 5.0).to_le_bytes() } else { [0; 4] }));
        let tensor = json!({"dtype": "F32", "shape": [rows, 4], "data_offsets": [begin, data.len()]});
        head.insert(format!("embeddings.{name}.weight"), tensor);
    }
    for (name, value) in [("weight", 1.0_f32), ("bias", 0.0)] {
        let begin = data.len();
        data.extend([value; 4].iter().flat_map(|number| number.to_le_bytes()));
        head.insert(format!("embeddings.LayerNorm.{name}"), json!({"dtype": "F32", "shape": [4], "data_offsets": [begin, data.len()]}));
    }
    let head = Value::from(head).to_string();
    let bytes = [(head.len() as u64).to_le_bytes().as_slice(), head.as_bytes(), &data].concat();
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("model.safetensors"), bytes).unwrap();
    let config = json!({
        "model_type": "bert", "vocab_size": words.len(), "hidden_size": 4, "num_hidden_layers": 0, "num_attention_heads": 1,
        "intermediate_size": 4, "max_position_embeddings": 64, "type_vocab_size": 1, "pad_token_id": 0
    });
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    let vocab: serde_json::Map<String, Value> = words.iter().zip(0..).map(|(word, id)| ((*word).to_owned(), json!(id))).collect();
    let tokenizer = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null, "decoder": null,
        "model": {"type": "WordLevel", "vocab": vocab, "unk_token": "[UNK]"}
    });
    std::fs::write(folder.join("tokenizer.json"), tokenizer.to_string()).unwrap();
}

#[test]
fn a_model_embeds_the_notes_while_people_work() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        tiny_model(folder.path());
        let options = options()
            .vault(vault())
            .env("FITTER_EMBEDDER", "candle")
            .env("FITTER_EMBEDDER_FOLDER", folder.path().display().to_string())
            .env("FITTER_SEARCH_LEXICAL_WEIGHT", "0.9");
        let fitter = Fitter::start(options).await;
        let left = "SELECT count(*) FROM chunks c WHERE NOT EXISTS (SELECT FROM vectors v WHERE v.chunk = c.id)";
        eventually("every passage has a vector", async || (fitter.count(left).await == 0).then_some(())).await;
        assert!(fitter.count("SELECT count(*) FROM vectors").await > 3);
        eventually("the model serves", async || fitter.metrics("/metrics").await.1.contains("fitter_search_vectors 1").then_some(())).await;
        let aidos = fitter.technician("Айдос").await;
        aidos.say("какой предохранитель на питание маяка").await;
        aidos.got("3 А, плавкий").await;

        // A new note gets its vectors, and one that is gone takes them along.
        std::fs::write(fitter.vault().join("Новая.md"), "# Новая\n\nГарантия на маяк.\n").unwrap();
        let new = "SELECT count(*) FROM vectors v JOIN chunks c ON c.id = v.chunk WHERE c.note = 'Новая.md'";
        eventually("the new note has a vector", async || (fitter.count(new).await == 1).then_some(())).await;
        let said = fitter.cli(["search", "--explain", "--json", "гарантия на маяк"]).await;
        assert!(said.err.contains("vectors: ") && said.out.lines().any(|line| read(line)["vectors"].is_number()), "{said:?}");
        std::fs::remove_file(fitter.vault().join("Новая.md")).unwrap();
        eventually("it is gone", async || (fitter.count(new).await == 0).then_some(())).await;
        fitter.finish().await;
    });
}
