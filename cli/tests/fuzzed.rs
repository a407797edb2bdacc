//! The fuzz targets on a stable compiler: over their committed corpus, where every crash that was ever found stays as a file, over pieces of it, and
//! over whatever proptest thinks of. `fuzz/` runs the same functions for longer.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "targets panic when a promise is broken")]

#[path = "../../fuzz/src/lib.rs"]
mod targets;

use std::path::PathBuf;

use proptest::prelude::*;
use proptest::sample::Index;

/// The committed files of a target.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "fuzz", "corpus", target].iter().collect();
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{}", folder.display());
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// Cut, doubled, joined with another, with a byte more: what a fuzzer does first.
fn changed(corpus: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let corpus = std::sync::Arc::new(corpus);
    (any::<Index>(), any::<Index>(), any::<Index>(), any::<Index>(), any::<u8>(), 0..5_u8).prop_map(
        move |(one, other, from, to, byte, how)| {
            let (one, other) = (one.get(&corpus).clone(), other.get(&corpus));
            let at = |index: &Index, bytes: &[u8]| index.index(bytes.len() + 1);
            let (a, b) = (at(&from, &one), at(&to, other));
            let (head, tail) = one.split_at(a);
            match how {
                0 => head.to_vec(),
                1 => [head, tail, tail].concat(),
                2 => [head, other.get(b..).unwrap_or_default()].concat(),
                3 => [head, &[byte], tail].concat(),
                _ => [head, &[byte], tail.get(1..).unwrap_or_default()].concat(),
            }
        },
    )
}

fn play(target: &str, run: fn(&[u8]), cases: u32) {
    let corpus = corpus(target);
    for seed in &corpus {
        run(seed);
    }
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let any = prop_oneof![4 => changed(corpus), 1 => proptest::collection::vec(any::<u8>(), 0..200), 1 => any::<String>().prop_map(String::into_bytes)];
    proptest!(config, |(bytes in any)| run(&bytes));
}

#[test]
fn updates() {
    play("update", targets::update, 3000);
}

#[test]
fn callback_data() {
    play("action", targets::action, 3000);
}

#[test]
fn notes() {
    play("note", targets::note, 500);
}

#[test]
fn configurations() {
    play("config", targets::config, 500);
}
