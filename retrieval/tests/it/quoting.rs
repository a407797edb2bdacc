//! What a note says word for word is borne out by it: nothing of the example vault is refused for its own figures, codes, names or paths.

use std::path::Path;

use fitter_retrieval::llm::check::{self, Flaw};
use fitter_retrieval::llm::reply::Draft;
use fitter_retrieval::llm::request::Excerpt;
use fitter_retrieval::local::{passage, search_vault};

/// Sentences of a passage as a model would repeat them.
fn sentences(text: &str) -> Vec<String> {
    text.lines().flat_map(|line| line.split_inclusive(". ")).map(|sentence| sentence.trim().to_owned()).filter(|it| it.len() > 20).collect()
}

#[test]
fn every_sentence_of_the_example_vault_passes_over_its_own_passage() {
    let search = search_vault(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/vault"))).unwrap();
    let (mut passed, mut refused) = (0_u32, Vec::new());
    for passage in search.notes().values().flat_map(|note| note.chunks.iter().map(|chunk| passage(note, chunk, 1.0))) {
        let text = passage.body.plain();
        let excerpts = [Excerpt { id: "k1".into(), place: 0, source: passage.source(), text: text.clone() }];
        for sentence in sentences(&text) {
            let draft = Draft { text: sentence.clone(), citations: vec!["k1".into()] };
            match check::check(&sentence, &draft, &excerpts) {
                Ok(_) => passed += 1,
                // Addresses are quoted, never repeated.
                Err(Flaw::Pressable) => {}
                Err(flaw) => refused.push(format!("{flaw:?}: {sentence}")),
            }
        }
    }
    let share = f64::from(passed) / (f64::from(passed) + refused.len() as f64);
    println!("{passed} passed, {} refused", refused.len());
    assert!(passed > 500 && share > 0.995, "{passed} passed, {} refused:\n{}", refused.len(), refused.join("\n"));
}
