//! Tiny ONNX models, written by hand: the wire format of protobuf, and the messages of onnx.proto (onnx/onnx).

use std::path::Path;
use std::time::{Duration, Instant};

use fitter_embedders::onnx::OnnxReranker;
use fitter_embedders::{Kind, Options, Pooling, load};
use fitter_retrieval::rerank::Reranker as _;
use serde_json::json;

use crate::tiny::{WORDS, close, options, texts, tokenizer, write};

/// A message of protobuf under construction.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn number(mut self, field: u64, number: u64) -> Self {
        self.varint(field << 3);
        self.varint(number);
        self
    }

    fn bytes(mut self, field: u64, bytes: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    fn text(self, field: u64, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    fn message(self, field: u64, message: &Self) -> Self {
        self.bytes(field, &message.0)
    }
}

const FLOAT: u64 = 1;
const INT64: u64 = 7;

/// A value of the graph with named dimensions.
fn value(name: &str, kind: u64, dimensions: &[&str]) -> Message {
    let shape = dimensions.iter().fold(Message::default(), |shape, name| shape.message(1, &Message::default().text(2, name)));
    let tensor = Message::default().number(1, kind).message(2, &shape);
    Message::default().text(1, name).message(2, &Message::default().message(1, &tensor))
}

fn node(kind: &str, inputs: &[&str], output: &str) -> Message {
    inputs.iter().fold(Message::default(), |node, input| node.text(1, input)).text(2, output).text(4, kind)
}

/// A row of numbers for each word.
fn table(width: usize) -> Message {
    let numbers = (0..WORDS.len() * width).map(|n| ((n * 37 + 11) % 101) as f32 / 101.0 - 0.4);
    let raw: Vec<u8> = numbers.flat_map(f32::to_le_bytes).collect();
    Message::default().number(1, WORDS.len() as u64).number(1, width as u64).number(2, FLOAT).text(8, "table").bytes(9, &raw)
}

fn model(folder: &Path, width: usize, nodes: &[Message], output: &Message) {
    let graph = nodes.iter().fold(Message::default(), |graph, node| graph.message(1, node)).text(2, "tiny").message(5, &table(width));
    let graph = ["input_ids", "attention_mask"]
        .iter()
        .fold(graph, |graph, name| graph.message(11, &value(name, INT64, &["texts", "tokens"])))
        .message(12, output);
    let opset = Message::default().text(1, "").number(2, 13);
    let model = Message::default().number(1, 8).message(7, &graph).message(8, &opset);
    std::fs::write(folder.join("model.onnx"), model.0).unwrap();
    write(folder, "config.json", &json!({"pad_token_id": 0}));
    write(folder, "tokenizer.json", &tokenizer());
}

/// The mean of its words' rows.
fn embedder(folder: &Path) {
    let output = value("last_hidden_state", FLOAT, &["texts", "tokens", "numbers"]);
    model(folder, 6, &[node("Gather", &["table", "input_ids"], "last_hidden_state")], &output);
}

#[test]
#[ignore = "needs the ONNX Runtime: cargo xtask models"]
fn a_model_is_read() {
    let folder = tempfile::tempdir().unwrap();
    embedder(folder.path());
    let model = load(&options(Kind::Fastembed, folder.path())).unwrap();
    assert_eq!(model.dimension(), 6);
    let all = texts(&["ключ", "снимите клемма аккумулятор", "антенна крыша"]);
    let vectors = model.passages(&all).unwrap();
    for (text, vector) in all.iter().zip(&vectors) {
        assert!(close(vector, &model.query(text).unwrap()), "what fills up changes nothing");
    }
    assert!(!close(&vectors[0], &vectors[1]));
    let backwards = model.query("аккумулятор клемма снимите").unwrap();
    assert!(close(&backwards, &vectors[1]), "a mean knows no order");
    let cls = load(&Options { pooling: Some(Pooling::Cls), ..options(Kind::Fastembed, folder.path()) }).unwrap();
    assert!(close(&cls.query("ключ").unwrap(), &cls.query("крыша").unwrap()), "the first token is the same in every text");
    std::fs::write(folder.path().join("model.onnx"), "no model").unwrap();
    assert!(load(&options(Kind::Fastembed, folder.path())).is_err());
}

#[test]
#[ignore = "needs the ONNX Runtime: cargo xtask models"]
fn a_reranker_scores_each_passage() {
    let folder = tempfile::tempdir().unwrap();
    // ReduceMean over the tokens; axes and keepdims are lists and numbers among the attributes.
    let axes = Message::default().text(1, "axes").number(8, 1).number(20, 7);
    let keep = Message::default().text(1, "keepdims").number(3, 0).number(20, 2);
    let mean = node("ReduceMean", &["rows"], "logits").message(5, &axes).message(5, &keep);
    model(folder.path(), 1, &[node("Gather", &["table", "input_ids"], "rows"), mean], &value("logits", FLOAT, &["texts", "one"]));
    let reranker = OnnxReranker::load(folder.path(), None).unwrap();
    let until = || Instant::now() + Duration::from_secs(20);
    let passages = texts(&["ключ", "крыша", "антенна", "ключ"]);
    let scores = reranker.scores("клемма", &passages, until()).unwrap();
    assert_eq!((scores.len(), scores[0]), (4, scores[3]), "in the order of the passages");
    assert!(scores[0] != scores[1] && scores[1] != scores[2]);
    assert!(reranker.scores("клемма", &passages, Instant::now()).is_err(), "too late");
}
