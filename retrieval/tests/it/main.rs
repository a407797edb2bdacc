//! Notes, vaults, procedures and search as the other crates use them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests; clippy.toml allows these in test functions only"
)]

mod chunks;
mod example;
mod imports;
mod procedures;
mod random;
mod searching;
mod syntax;
mod vaults;

use fitter_domain::rich::{Formatted, flatten};
use fitter_retrieval::links::LinkIndex;
use fitter_retrieval::note::{self, Parsed};
use fitter_retrieval::vault::Vault;

/// A vault in memory: paths and texts; what is no `.md` is an attachment.
fn vault(files: &[(&str, &str)]) -> Vault {
    let mut vault = Vault::default();
    for (path, text) in files {
        vault.put(path, text.as_bytes());
    }
    vault
}

fn parse_in(vault: &Vault, path: &str) -> Parsed {
    note::parse(path, &vault.bytes(path).unwrap(), &LinkIndex::new(vault))
}

/// One note alone.
fn parse(text: &str) -> Parsed {
    parse_in(&vault(&[("note.md", text)]), "note.md")
}

/// The only passage of a note, as people see it.
fn shown(text: &str) -> Formatted {
    let parsed = parse(text);
    assert_eq!(parsed.chunks.len(), 1, "{:?}", parsed.chunks);
    flatten(&parsed.chunks[0].body)
}

fn problems(parsed: &Parsed) -> Vec<String> {
    parsed.problems.iter().map(ToString::to_string).collect()
}
