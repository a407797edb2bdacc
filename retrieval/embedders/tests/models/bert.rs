//! A tiny BERT with weights of its own, as safetensors.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{Device, Tensor};
use fitter_embedders::{Kind, Pooling, load};
use fitter_retrieval::dense::{EmbedError, similarity};
use serde_json::json;

use crate::tiny::{WORDS, close, options, texts, tokenizer, write};

const SIZE: usize = 8;

/// Numbers that look random and are always the same.
fn tensor(seed: &mut u32, shape: &[usize]) -> Tensor {
    let numbers: Vec<f32> = (0..shape.iter().product())
        .map(|_| {
            *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (*seed >> 16) as f32 / 65_536.0 - 0.5
        })
        .collect();
    Tensor::from_vec(numbers, shape, &Device::Cpu).unwrap()
}

fn model(folder: &Path, kind: &str, prefix: &str) {
    let mut seed = 7;
    let mut weights: HashMap<String, Tensor> = HashMap::new();
    let mut add = |name: String, shape: &[usize]| weights.insert(format!("{prefix}{name}"), tensor(&mut seed, shape));
    for (name, rows) in [("word", WORDS.len()), ("position", 40), ("token_type", 2)] {
        add(format!("embeddings.{name}_embeddings.weight"), &[rows, SIZE]);
    }
    let mut norms = vec!["embeddings".to_owned()];
    for layer in ["encoder.layer.0", "encoder.layer.1"] {
        for (name, wide, narrow) in [
            ("attention.self.query", SIZE, SIZE),
            ("attention.self.key", SIZE, SIZE),
            ("attention.self.value", SIZE, SIZE),
            ("attention.output.dense", SIZE, SIZE),
            ("intermediate.dense", 16, SIZE),
            ("output.dense", SIZE, 16),
        ] {
            add(format!("{layer}.{name}.weight"), &[wide, narrow]);
            add(format!("{layer}.{name}.bias"), &[wide]);
        }
        norms.extend([format!("{layer}.attention.output"), format!("{layer}.output")]);
    }
    for name in norms {
        add(format!("{name}.LayerNorm.weight"), &[SIZE]);
        add(format!("{name}.LayerNorm.bias"), &[SIZE]);
    }
    candle_core::safetensors::save(&weights, folder.join("model.safetensors")).unwrap();
    let config = json!({
        "model_type": kind, "vocab_size": WORDS.len(), "hidden_size": SIZE, "num_hidden_layers": 2, "num_attention_heads": 2,
        "intermediate_size": 16, "max_position_embeddings": 40, "type_vocab_size": 2, "layer_norm_eps": 1e-12, "hidden_act": "gelu",
        "pad_token_id": 0,
    });
    write(folder, "config.json", &config);
    write(folder, "tokenizer.json", &tokenizer());
}

#[test]
fn a_model_is_read_and_what_fills_up_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    model(folder.path(), "bert", "");
    let embedder = load(&options(Kind::Candle, folder.path())).unwrap();
    assert_eq!(embedder.dimension(), SIZE);
    let all = texts(&["снимите клемма аккумулятор", "ключ", "", "антенна крыша антенна крыша ключ клемма", "неизвестное слово"]);
    let vectors = embedder.passages(&all).unwrap();
    for (text, vector) in all.iter().zip(&vectors) {
        assert!((similarity(vector, vector) - 1.0).abs() < 1e-5, "of length 1");
        let alone = embedder.passages(std::slice::from_ref(text)).unwrap().remove(0);
        assert!(close(vector, &alone), "{text}: {vector:?} {alone:?}");
        assert!(close(vector, &embedder.query(text).unwrap()), "no prefixes");
    }
    // Order matters to it: positions are read.
    let swapped = embedder.query("аккумулятор клемма снимите").unwrap();
    assert!(!close(&swapped, &vectors[0]));
    // What is longer than the positions is cut off.
    assert!(embedder.query(&"клемма ".repeat(500)).is_ok());
}

#[test]
fn names_tell_models_and_their_uses_apart() {
    let folder = tempfile::tempdir().unwrap();
    let (bert, e5) = (folder.path().join("bert"), folder.path().join("tiny-e5-x"));
    for path in [&bert, &e5] {
        std::fs::create_dir(path).unwrap();
        model(path, "bert", "bert.");
    }
    let plain = load(&options(Kind::Candle, &bert)).unwrap();
    assert_eq!(plain.name(), load(&options(Kind::Candle, &bert)).unwrap().name());
    assert!(plain.name().starts_with("bert:") && plain.name().len() == "bert:".len() + 12, "{}", plain.name());
    let cls = load(&fitter_embedders::Options { pooling: Some(Pooling::Cls), ..options(Kind::Candle, &bert) }).unwrap();
    assert_ne!(plain.name(), cls.name());
    assert!(!close(&plain.query("ключ").unwrap(), &cls.query("ключ").unwrap()));
    // The folder says how it is meant to be used.
    write(&bert, "1_Pooling/config.json", &json!({"pooling_mode_cls_token": true}));
    let said = load(&options(Kind::Candle, &bert)).unwrap();
    assert_eq!(said.name(), cls.name());
    // The E5 family is told what is a question.
    let family = load(&options(Kind::Candle, &e5)).unwrap();
    assert!(close(&family.query("ключ").unwrap(), &plain.query("query: ключ").unwrap()));
    assert!(close(&family.passages(&texts(&["ключ"])).unwrap()[0], &plain.query("passage: ключ").unwrap()));
    let own =
        fitter_embedders::Options { query_prefix: Some(String::new()), passage_prefix: Some(String::new()), ..options(Kind::Candle, &e5) };
    assert!(close(&load(&own).unwrap().query("ключ").unwrap(), &plain.query("ключ").unwrap()));
}

#[test]
fn roberta_counts_positions_from_behind_the_filling() {
    let (bert, roberta) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    model(bert.path(), "bert", "");
    model(roberta.path(), "xlm-roberta", "roberta.");
    let [bert, roberta] = [&bert, &roberta].map(|folder| load(&options(Kind::Candle, folder.path())).unwrap());
    assert!(!close(&bert.query("ключ").unwrap(), &roberta.query("ключ").unwrap()));
    assert!(roberta.query(&"клемма ".repeat(500)).is_ok());
}

#[test]
fn what_is_wrong_with_a_folder_is_said() {
    let said = |folder: &Path| match load(&options(Kind::Candle, folder)).map(|_| ()) {
        Err(EmbedError::Model(what)) => what,
        other => format!("{other:?}"),
    };
    assert!(said(Path::new("/nowhere")).contains("/nowhere is not a folder"));
    let folder = tempfile::tempdir().unwrap();
    assert!(said(folder.path()).ends_with("has no config.json"));
    model(folder.path(), "bert", "");
    write(folder.path(), "config.json", &json!({"model_type": "t5"}));
    assert!(said(folder.path()).contains("not of the BERT family"));
    model(folder.path(), "bert", "");
    std::fs::remove_file(folder.path().join("model.safetensors")).unwrap();
    assert!(said(folder.path()).ends_with("has no model.safetensors"));
    std::fs::write(folder.path().join("model.safetensors"), "no tensors").unwrap();
    assert!(said(folder.path()).contains("does not fit config.json"));
    std::fs::write(folder.path().join("tokenizer.json"), "{}").unwrap();
    model(folder.path(), "bert", "");
    std::fs::write(folder.path().join("tokenizer.json"), "{}").unwrap();
    assert!(said(folder.path()).contains("tokenizer.json"));
}
