//! Holds the arrows of ARCHITECTURE.md against the manifests: who may import whom, and which outside crates stay in which folder.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking; clippy knows only functions marked as tests")]

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Crates of the workspace that each one may import in what it ships.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("dialogues", &["domain"]),
    ("prompts", &["domain"]),
    ("queue", &["domain"]),
    ("store", &["domain", "queue"]),
    ("retrieval", &["domain", "store"]),
    ("services", &["domain", "dialogues", "prompts", "queue", "store", "retrieval"]),
    ("bot", &["domain", "dialogues", "prompts", "queue", "store", "services"]),
    ("admin-web", &["domain", "services"]),
    ("simulator", &[]),
    ("cli", &["domain", "dialogues", "prompts", "queue", "store", "retrieval", "services", "bot", "admin-web", "simulator"]),
    ("test-postgres", &[]),
    ("testkit", &["domain", "queue", "store", "simulator", "test-postgres"]),
    ("bench", &["domain", "queue", "store", "simulator", "test-postgres"]),
    ("xtask", &["test-postgres"]),
];

/// Outside crates that only these folders import.
const ONLY: &[(&str, &[&str])] = &[
    ("sqlx", &["queue", "store", "testkit", "bench"]),
    ("pglite-oxide", &["store"]),
    ("teloxide", &["bot"]),
    ("dptree", &["bot"]),
    ("axum", &["admin-web", "bot", "simulator", "cli"]),
    ("tantivy", &["retrieval"]),
    ("comrak", &["retrieval"]),
    ("anyhow", &["cli", "xtask", "testkit", "test-postgres", "bench"]),
    ("fluent-bundle", &["prompts"]),
    ("mimalloc", &["cli"]),
    ("notify", &["cli"]),
    ("hmac", &["admin-web"]),
];

fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    metadata
        .packages
        .iter()
        .map(|package| {
            let shipped = package.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal).map(|d| d.name.clone());
            (package.name.trim_start_matches("fitter-").to_owned(), shipped.collect())
        })
        .collect()
}

#[test]
fn crates_import_only_what_the_arrows_allow() {
    for (folder, imports) in imports() {
        let (_, allowed) = ARROWS.iter().find(|(name, _)| *name == folder).unwrap_or_else(|| panic!("{folder} has no row in ARROWS"));
        for import in imports.iter().filter_map(|name| name.strip_prefix("fitter-")) {
            assert!(allowed.contains(&import), "{folder} imports {import}; ARCHITECTURE.md does not have that arrow");
        }
    }
}

#[test]
fn outside_crates_stay_where_they_belong() {
    let imports = imports();
    for (name, folders) in ONLY {
        for (folder, imports) in &imports {
            assert!(!imports.contains(*name) || folders.contains(&folder.as_str()), "{folder} imports {name}; only {folders:?} may");
        }
    }
}

#[test]
fn the_fuzz_targets_are_built_without_the_embedded_database() {
    let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/Cargo.lock")).unwrap();
    assert!(lock.contains("name = \"fitter-bot\"") && !lock.contains("name = \"pglite-oxide\""));
}
