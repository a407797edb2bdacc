//! all-MiniLM-L6-v2 as it is published. The expected numbers are those that its authors' documentation shows for these sentences
//! (sbert.net, "Quickstart").

use std::path::PathBuf;

use fitter_embedders::{Kind, load};
use fitter_retrieval::dense::similarity;

use crate::tiny::{options, texts};

#[test]
#[ignore = "needs all-MiniLM-L6-v2: cargo xtask models"]
fn sentences_are_as_near_as_they_are_known_to_be() {
    let folder = PathBuf::from(std::env::var_os("FITTER_TEST_MINILM").unwrap());
    let model = load(&options(Kind::Candle, &folder)).unwrap();
    assert_eq!(model.dimension(), 384);
    let vectors = model.passages(&texts(&["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."])).unwrap();
    for (one, other, known) in [(0, 1, 0.6660), (0, 2, 0.1046), (1, 2, 0.1411)] {
        let near = similarity(&vectors[one], &vectors[other]);
        assert!((near - known).abs() < 1e-3, "{one} {other}: {near}, known {known}");
    }
}
