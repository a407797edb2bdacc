//! A machine without the ONNX Runtime hears what to do. A process of its own: a runtime that is loaded stays loaded.

use std::path::PathBuf;

use fitter_embedders::{Kind, Options, load};

#[test]
fn a_missing_runtime_is_an_error_with_words() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.json"), "{}").unwrap();
    std::fs::write(folder.path().join("model.onnx"), "").unwrap();
    let options = Options {
        kind: Kind::Fastembed,
        folder: folder.path().to_owned(),
        threads: 1,
        query_prefix: None,
        passage_prefix: None,
        pooling: None,
        runtime: Some(PathBuf::from("/nowhere/libonnxruntime.so")),
    };
    let said = load(&options).map(|_| ()).unwrap_err().to_string();
    assert!(said.contains("/nowhere/libonnxruntime.so") && said.contains("FITTER_EMBEDDER_RUNTIME"), "{said}");
}
