//! Vault import, chunks and search: the company's notes made findable, quotable and walkable.
//!
//! No database and no network here: files and bytes come in, values and a rebuildable index come out.
//!
//! | module | what |
//! | --- | --- |
//! | [`vault`] | reads the folder of notes as Obsidian sees it |
//! | [`links`] | finds what a link means |
//! | [`meta`] | front matter |
//! | [`note`] | one note: passages, links, procedure, problems |
//! | [`procedure`] | a note that can be walked through |
//! | [`import`] | what changed since the last import |
//! | [`analyse`] | words, stems, character grams, part codes |
//! | [`index`] | the lexical index behind a trait, and tantivy behind that |
//! | [`glossary`] | the company's jargon, from notes |
//! | [`search`] | questions to passages |
//! | [`local`] | search over a folder in memory, without a database |
//! | [`problem`] | what is wrong in a vault, by file and line |
//!
//! Grammar of notes: docs/vault.md. Obsidian's syntax: the Obsidian Help vault (obsidianmd/obsidian-help).

pub mod analyse;
mod canvas;
mod chunk;
mod embed;
mod excalidraw;
pub mod glossary;
pub mod import;
pub mod index;
pub mod links;
pub mod local;
mod markdown;
pub mod meta;
pub mod note;
pub mod problem;
pub mod procedure;
pub mod search;
pub mod vault;

/// Version of the note parser and chunker; a change makes every note count as changed.
pub const CHUNKER_VERSION: u32 = 3;
