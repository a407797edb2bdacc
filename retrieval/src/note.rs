//! One note: passages, links, procedure, problems.

use std::collections::{BTreeMap, BTreeSet};

use fitter_domain::rich::Rich;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::embed::Embedder;
use crate::links::{self, LinkIndex, Reference};
use crate::markdown::{self, Block, BlockKind, Inline, Look, is_image};
use crate::meta::{self, Kind, Meta};
use crate::problem::{Problem, Problems};
use crate::procedure::{self, ProcedureDraft};
use crate::{CHUNKER_VERSION, canvas, chunk, excalidraw};

/// A passage of a note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// Headings from the outermost to its own; empty before the first heading.
    pub headings: Vec<String>,
    /// First line of the file, from 1; the heading's if it follows one.
    pub start_line: u32,
    /// Last line, inclusive.
    pub end_line: u32,
    /// Text for people, without its heading and pictures.
    pub body: Rich,
    /// Text for search: the body and captions of pictures.
    pub text: String,
    /// Paths of its pictures inside the vault.
    pub images: Vec<String>,
    /// Where it leads: notes, with `#heading` if the link has one, and files such as `manual.pdf#page=3`, by path inside the vault.
    #[serde(default)]
    pub links: Vec<String>,
}

/// A note, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// Its path inside the vault.
    pub path: String,
    /// Its properties.
    pub meta: Meta,
    /// SHA-256 (hex) of its bytes, of the notes it embeds, of its pictures, of where its links lead, and of [`CHUNKER_VERSION`].
    pub hash: String,
    /// SHA-256 (hex) of its bytes alone.
    pub content: String,
    /// Its passages in order.
    pub chunks: Vec<Chunk>,
    /// The procedure, if it is one and has no errors.
    pub procedure: Option<ProcedureDraft>,
    /// Notes that it links to, by path.
    pub links: Vec<String>,
    /// Notes that it embeds, also indirectly, by path: it changes when they do.
    pub embeds: Vec<String>,
    /// Other notes whose text was looked at: those it embeds, and those whose headings it links to.
    pub depends: Vec<String>,
    /// What was asked about its links, and the answers.
    pub references: Vec<Reference>,
    /// Different notes and files of the vault that it means to link to or to embed.
    pub targets: usize,
    /// Those of them that do not exist, as they are written.
    pub unresolved: Vec<String>,
    /// All its pictures, by path.
    pub images: Vec<String>,
    /// Jargon and meaning, if it is a glossary.
    pub terms: Vec<(String, String)>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

/// Reads a note. Never fails: what cannot be understood is text, and is reported in [`Parsed::problems`].
#[must_use]
pub fn parse(path: &str, bytes: &[u8], links: &LinkIndex<'_>) -> Parsed {
    let links = &links.fresh();
    let mut problems = Problems::new(path);
    let Some(source) = markdown::source(bytes) else {
        problems.warning(1, "this is not a text file; ignored");
        return empty(path, bytes, problems);
    };
    if std::str::from_utf8(bytes).is_err() {
        problems.warning(1, "the file is not in UTF-8; some letters are lost");
    }
    if source.starts_with("version https://git-lfs") {
        problems.warning(1, "this is a Git LFS pointer, not the note itself; ignored");
        return empty(path, bytes, problems);
    }
    let strict = links.settings().strict_line_breaks;
    let (meta, blocks) = if canvas::is_canvas(path) {
        (Some(Meta { title: stem(path).to_owned(), ..Meta::default() }), canvas::blocks(&source, strict, &mut problems))
    } else {
        let split = meta::split(&source);
        let meta = Meta::parse(path, split.yaml.as_deref(), &mut problems);
        let mut blocks = markdown::parse(&excalidraw::words(path, &split), strict, &mut problems);
        if let (None, Some(yaml)) = (&meta, &split.yaml) {
            let body = yaml.lines().flat_map(|line| [Inline::Text(line.to_owned()), Inline::Break]).collect();
            let end = u32::try_from(yaml.lines().count()).unwrap_or(0) + 2;
            blocks.insert(0, Block { kind: BlockKind::Paragraph(markdown::trim(body)), start: 1, end, id: None });
        }
        (meta, blocks)
    };
    let mut meta = meta.unwrap_or_else(|| Meta { title: stem(path).to_owned(), ..Meta::default() });
    tags(&blocks, &mut meta);

    let mut embedder = Embedder::new(path, links, &mut problems, meta.kind == Kind::Procedure);
    let blocks = embedder.expand(blocks);
    let embeds: Vec<String> = embedder.notes.into_iter().filter(|note| note != path).collect();
    let look = Look { procedure: meta.kind == Kind::Procedure, checks: false };
    let chunks = chunk::chunks(path, &blocks, look, links);
    let outgoing = check_links(path, &blocks, links, &mut problems);
    let procedure = match meta.kind {
        Kind::Procedure => procedure::parse(path, &meta, &blocks, links, &mut problems),
        Kind::Note | Kind::Glossary => None,
    };
    let terms = if meta.kind == Kind::Glossary { crate::glossary::terms(&blocks) } else { Vec::new() };
    let images: Vec<String> = chunks.iter().flat_map(|chunk| chunk.images.iter().cloned()).collect::<BTreeSet<_>>().into_iter().collect();
    let content = Sha256::digest(bytes);
    let hash = hash(&content, &embeds, &images, &chunks, links);
    let (mut references, mut depends) = links.asked();
    for Reference(from, ..) in references.iter_mut().filter(|reference| reference.0 == path) {
        from.clear();
    }
    depends.retain(|note| note != path);
    let (targets, unresolved) = targets(&references);
    Parsed {
        path: path.to_owned(),
        meta,
        hash,
        content: hex::encode(content),
        chunks,
        procedure,
        links: outgoing,
        embeds,
        depends,
        references,
        targets,
        unresolved,
        images,
        terms,
        problems: problems.finish(),
    }
}

fn empty(path: &str, bytes: &[u8], problems: Problems) -> Parsed {
    let content = hex::encode(Sha256::digest(bytes));
    Parsed {
        path: path.to_owned(),
        meta: Meta { title: stem(path).to_owned(), ..Meta::default() },
        hash: content.clone(),
        content,
        chunks: Vec::new(),
        procedure: None,
        links: Vec::new(),
        embeds: Vec::new(),
        depends: Vec::new(),
        references: Vec::new(),
        targets: 0,
        unresolved: Vec::new(),
        images: Vec::new(),
        terms: Vec::new(),
        problems: problems.list,
    }
}

fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// Tags of the text, next to those of the front matter.
fn tags(blocks: &[Block], meta: &mut Meta) {
    markdown::visit_inlines(blocks, &mut |_, inline| {
        let Inline::Text(text) = inline else { return };
        for word in text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')')) {
            let Some(tag) = word.strip_prefix('#') else { continue };
            let tag: String =
                tag.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '/')).collect::<String>().to_lowercase();
            if tag.chars().any(|c| !c.is_ascii_digit()) && !meta.tags.contains(&tag) {
                meta.tags.push(tag);
            }
        }
    });
}

/// Notes that this one links to; dead links are reported.
fn check_links(path: &str, blocks: &[Block], links: &LinkIndex<'_>, problems: &mut Problems) -> Vec<String> {
    let mut found = BTreeSet::new();
    markdown::visit_inlines(blocks, &mut |block, inline| match inline {
        Inline::Wiki { target, embed, .. } => {
            let (name, part) = target.split_once('#').unwrap_or((target, ""));
            match (links.note(path, name), links.attachment(path, name)) {
                (Some(note), _) => {
                    found.insert(note.to_owned());
                    if !embed && !part.is_empty() && !links.has_part(note, part) {
                        problems.info(block.start, format!("link to `{target}`: the note has no such heading or block"));
                    }
                }
                (_, Some(_)) if *embed && is_foreign_picture(name) => problems.warning(block.start, foreign_picture(name)),
                (None, None) if is_image(name) => problems.warning(block.start, format!("picture `{name}` does not exist")),
                // Embeds were reported when they were expanded.
                (None, None) if !embed => problems.info(block.start, format!("link to `{name}`: no such note")),
                _ => {}
            }
        }
        Inline::Image { url, .. } if !is_outside(url) => {
            let name = links::decode(url.split(['#', '?']).next().unwrap_or(url));
            if links.attachment(path, &name).is_none() {
                problems.warning(block.start, format!("picture `{name}` does not exist"));
            } else if is_foreign_picture(&name) {
                problems.warning(block.start, foreign_picture(&name));
            }
        }
        Inline::Link { url, .. } if !is_outside(url) => {
            let (name, part) = url.split_once('#').unwrap_or((url, ""));
            let (name, part) = (links::decode(name), links::decode(part));
            match links.note(path, &name) {
                Some(note) => {
                    found.insert(note.to_owned());
                    if !part.is_empty() && !links.has_part(note, &part) {
                        problems.info(block.start, format!("link to `{name}#{part}`: the note has no such heading or block"));
                    }
                }
                None if links.attachment(path, &name).is_none() => {
                    problems.info(block.start, format!("link to `{name}`: no such note"));
                }
                None => {}
            }
        }
        _ => {}
    });
    found.remove(path);
    found.into_iter().collect()
}

/// How many different targets a note's own links have, and those that were found neither among notes nor among files.
fn targets(references: &[Reference]) -> (usize, Vec<String>) {
    let mut found: BTreeMap<&str, bool> = BTreeMap::new();
    for Reference(from, target, _, to) in references {
        let target = target.trim_start_matches('/');
        if from.is_empty() && !target.is_empty() {
            *found.entry(target).or_default() |= to.is_some();
        }
    }
    (found.len(), found.into_iter().filter(|(_, found)| !found).map(|(target, _)| target.to_owned()).collect())
}

/// Whether an address leads out of the vault: it has a scheme, or a host.
fn is_outside(url: &str) -> bool {
    let scheme = url.split(['/', '#', '?']).next().is_some_and(|head| head.split_once(':').is_some_and(|(scheme, _)| scheme.len() > 1));
    scheme || url.starts_with("//") || url.is_empty()
}

/// Where a link of a note leads: a note with its `#part`, or a file with its `#part`, by path; `None` if out of the vault or nowhere.
pub(crate) fn leads_to(path: &str, inline: &Inline, links: &LinkIndex<'_>) -> Option<String> {
    let (name, part) = match inline {
        Inline::Wiki { target, .. } => {
            let (name, part) = target.split_once('#').unwrap_or((target, ""));
            (name.to_owned(), part.to_owned())
        }
        Inline::Link { url, .. } if !is_outside(url) => {
            let (name, part) = url.split_once('#').unwrap_or((url, ""));
            (links::decode(name), links::decode(part))
        }
        _ => return None,
    };
    let found = links.note(path, &name).or_else(|| links.attachment(path, &name))?;
    Some(if part.is_empty() { found.to_owned() } else { format!("{found}#{part}") })
}

/// A picture that Telegram does not show as a photo.
fn is_foreign_picture(name: &str) -> bool {
    let name = name.to_lowercase();
    [".svg", ".bmp", ".avif", ".tif", ".tiff", ".heic"].iter().any(|extension| name.ends_with(extension))
}

fn foreign_picture(name: &str) -> String {
    format!("picture `{name}` cannot be sent: save it as PNG, JPEG or WebP")
}

fn hash(content: &[u8], embeds: &[String], images: &[String], chunks: &[Chunk], links: &LinkIndex<'_>) -> String {
    let mut digest = Sha256::new();
    digest.update(CHUNKER_VERSION.to_le_bytes());
    digest.update(content);
    for note in embeds {
        digest.update(note.as_bytes());
        digest.update(Sha256::digest(links.source(note).as_deref().unwrap_or_default()));
    }
    for image in images {
        digest.update(image.as_bytes());
        digest.update(links.file_hash(image));
    }
    for link in chunks.iter().flat_map(|chunk| &chunk.links) {
        digest.update(link.as_bytes());
        digest.update([0]);
    }
    hex::encode(digest.finalize())
}
