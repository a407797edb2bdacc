//! `fitter eval`: how well the search answers questions whose answers are known.
//!
//! | file | what |
//! | --- | --- |
//! | `eval/answers.rs` | `fitter eval answers` |
//! | `eval/retrieval.rs` | `fitter eval retrieval` |

mod answers;

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use clap::Subcommand;
use fitter_domain::Locale;
use fitter_retrieval::evaluate::{self, Candidate, Evaluation, Outcome, Query, Report};
use fitter_retrieval::fusion::{self, Fused, Fusion};
use fitter_retrieval::hybrid::Vectors;
use fitter_retrieval::index::{ChunkEntry, LexicalIndex as _, NoteEntry, TantivyIndex};
use fitter_retrieval::local;
use fitter_retrieval::meta::{Kind, Visibility};
use fitter_retrieval::search::{Filter, Searcher};
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::models;

/// `fitter eval`
#[derive(Debug, Subcommand)]
pub enum Eval {
    /// Measures which passages are found, and how fast.
    Retrieval(Retrieval),
    /// Measures what the first message answers and what is refused.
    Answers(answers::Args),
}

/// `fitter eval retrieval`
#[derive(Debug, clap::Args)]
pub struct Retrieval {
    /// A folder of notes.
    #[arg(long, required_unless_present = "corpus", conflicts_with = "corpus")]
    vault: Option<PathBuf>,
    /// Passages that are cut already: a JSON object with `id`, `title` and `text` per line.
    #[arg(long, requires = "qrels")]
    corpus: Option<PathBuf>,
    /// The questions: a JSON object per line; docs/search.md has the forms.
    #[arg(long)]
    queries: PathBuf,
    /// Which passages of the corpus are right: lines of question, passage and score with tabs between them.
    #[arg(long, requires = "corpus")]
    qrels: Option<PathBuf>,
    /// Finds the weight of the words against the vectors that answers these questions best; needs a model.
    #[arg(long)]
    fit: bool,
    /// Prints every question whose answer is not the first passage.
    #[arg(long)]
    misses: bool,
    /// JSON.
    #[arg(long)]
    json: bool,
}

/// What is printed as JSON.
#[derive(Debug, Serialize)]
struct Told {
    passages: u64,
    indexed_ms: u128,
    /// None without a model.
    embedded_ms: Option<u128>,
    /// Most memory that the process had, MiB; none where the system does not tell.
    memory_mib: Option<u64>,
    #[serde(flatten)]
    report: Report,
    #[serde(skip_serializing_if = "Option::is_none")]
    fit: Option<Fitted>,
}

/// MRR@10 with the best weight, and without one.
#[derive(Debug, Clone, Copy, Serialize)]
struct Fitted {
    lexical_weight: f32,
    mrr: f32,
    mrr_rrf: f32,
    mrr_words: f32,
}

/// Notes or passages with what judges a hit.
struct Corpus {
    entries: Vec<NoteEntry>,
    searcher: Searcher,
    passages: u64,
    /// Lines and headings of the passages of each note; none for passages that are cut already.
    lines: HashMap<String, Vec<(u32, u32)>>,
    headings: HashMap<String, Vec<Vec<String>>>,
}

/// `fitter eval`
///
/// # Errors
/// If a file cannot be read, or the model fails.
pub async fn run(eval: Eval, config: Config) -> anyhow::Result<ExitCode> {
    match eval {
        Eval::Retrieval(args) => tokio::task::spawn_blocking(move || args.run(&config)).await?,
        Eval::Answers(args) => tokio::task::spawn_blocking(move || answers::run(&args)).await?,
    }
}

impl Retrieval {
    fn run(&self, config: &Config) -> anyhow::Result<ExitCode> {
        let mut queries = evaluate::queries(&read(&self.queries)?).with_context(|| self.queries.display().to_string())?;
        let begin = Instant::now();
        let corpus = match (&self.corpus, &self.vault) {
            (Some(corpus), _) => {
                if let Some(qrels) = &self.qrels {
                    evaluate::judge(&mut queries, &read(qrels)?).with_context(|| qrels.display().to_string())?;
                }
                Corpus::cut(corpus)?
            }
            (None, Some(vault)) => Corpus::vault(vault)?,
            (None, None) => anyhow::bail!("name a --vault or a --corpus"),
        };
        let indexed_ms = begin.elapsed().as_millis();
        let begin = Instant::now();
        let embedder = models::embedder(config)?;
        ensure!(!self.fit || embedder.is_some(), "--fit weighs words against vectors: configure a model (FITTER_EMBEDDER)");
        let embedded = embedder.is_some();
        let vectors = match embedder {
            Some((embedder, _)) => Vectors::new(Arc::clone(&embedder), &corpus.entries, |done| {
                eprint!("\r{done} of {} passages embedded", corpus.passages);
            })?,
            None => Vectors::default(),
        };
        if embedded {
            eprintln!();
        }
        let embedded_ms = embedded.then(|| begin.elapsed().as_millis());
        let mut out = std::io::stdout().lock();
        let fusion = config.search.fusion();
        let mut evaluation = Evaluation::default();
        for query in &queries {
            let begin = Instant::now();
            let (hits, answered) = vectors.ask(&corpus.searcher, &query.text, &filter(query), fusion)?;
            let took = begin.elapsed();
            let found = corpus.candidates(&hits);
            if self.misses && query.answerable && !query.gold.is_empty() {
                miss(&mut out, query, &found)?;
            }
            evaluation.add(query, &found, answered, took);
        }
        let fit = if self.fit { Some(self.fitted(&queries, &corpus, &vectors)?) } else { None };
        let told = Told { passages: corpus.passages, indexed_ms, embedded_ms, memory_mib: memory(), report: evaluation.report(), fit };
        if self.json {
            writeln!(out, "{}", serde_json::to_string(&told)?)?;
        } else {
            let memory = told.memory_mib.map(|mib| format!(", {mib} MiB")).unwrap_or_default();
            writeln!(out, "{} passages indexed in {} ms{memory}\n{}", told.passages, told.indexed_ms, told.report)?;
            if let Some(fit) = told.fit {
                let Fitted { lexical_weight, mrr, mrr_rrf, mrr_words } = fit;
                writeln!(out, "MRR@10: {mrr:.3} with this weight, {mrr_rrf:.3} by ranks (rrf), {mrr_words:.3} by words alone")?;
                writeln!(out, "\n[search]\nfusion = \"weight\"\nlexical_weight = {lexical_weight:.2}")?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn fitted(&self, queries: &[Query], corpus: &Corpus, vectors: &Vectors) -> anyhow::Result<Fitted> {
        let judged: Vec<&Query> = queries.iter().filter(|query| query.answerable && !query.gold.is_empty()).collect();
        ensure!(!judged.is_empty(), "none of the questions says where its answer stands");
        let lists = judged
            .iter()
            .map(|query| Ok(vectors.lists(&corpus.searcher, &query.text, &filter(query))?.0))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let reciprocal = |at: usize, hits: &[Fused]| {
            let Some(query) = judged.get(at) else { return 0.0 };
            let rank = Outcome::of(query, &corpus.candidates(hits)).rank.filter(|rank| *rank < evaluate::DEPTH);
            rank.map_or(0.0, |rank| 1.0 / (rank as f32 + 1.0))
        };
        let words: f32 = lists
            .iter()
            .enumerate()
            .map(|(at, asked)| reciprocal(at, &fusion::fuse(asked.lexical.clone(), &[], Fusion::default(), None)))
            .sum();
        let fit = fusion::fit(&lists, reciprocal);
        Ok(Fitted { lexical_weight: fit.weight, mrr: fit.value, mrr_rrf: fit.rrf, mrr_words: words / lists.len() as f32 })
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn filter(query: &Query) -> Filter {
    Filter { prefer: query.lang, ..Filter::staff(evaluate::DEPTH) }
}

fn miss(out: &mut impl std::io::Write, query: &Query, found: &[Candidate<'_>]) -> anyhow::Result<()> {
    let rank = Outcome::of(query, found).rank;
    if rank != Some(0) {
        let place = rank.map_or_else(|| "not found".to_owned(), |rank| format!("place {}", rank + 1));
        let first = found.first().map(|one| format!("{}:{}-{}", one.note, one.lines.0, one.lines.1)).unwrap_or_default();
        writeln!(out, "{} {place}: {} -> {first}", query.id, query.text)?;
    }
    Ok(())
}

impl Corpus {
    fn vault(folder: &Path) -> anyhow::Result<Self> {
        ensure!(folder.is_dir(), "{} is not a folder", folder.display());
        let search = local::search_vault(folder)?;
        let entries: Vec<NoteEntry> = search.notes().values().map(NoteEntry::from).collect();
        let per_note = search.notes().values();
        let lines =
            per_note.clone().map(|note| (note.path.clone(), note.chunks.iter().map(|chunk| (chunk.start_line, chunk.end_line)).collect()));
        let headings = per_note.map(|note| (note.path.clone(), note.chunks.iter().map(|chunk| chunk.headings.clone()).collect()));
        let (lines, headings) = (lines.collect(), headings.collect());
        let passages = search.searcher().index().len();
        Ok(Self { entries, searcher: search.into_searcher(), passages, lines, headings })
    }

    fn cut(file: &Path) -> anyhow::Result<Self> {
        #[derive(Deserialize)]
        struct Row {
            id: String,
            #[serde(default)]
            title: String,
            text: String,
            lang: Option<String>,
        }
        let mut entries = Vec::new();
        for (at, line) in read(file)?.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let row: Row = serde_json::from_str(line).with_context(|| format!("{}:{}: not a passage", file.display(), at + 1))?;
            entries.push(NoteEntry {
                path: row.id,
                title: row.title,
                names: Vec::new(),
                kind: Kind::Note,
                visibility: Visibility::Staff,
                locale: row.lang.as_deref().and_then(Locale::from_tag).unwrap_or_default(),
                chunks: vec![ChunkEntry { headings: Vec::new(), text: row.text }],
            });
        }
        let index = TantivyIndex::in_memory()?;
        index.update("corpus", &[], &entries)?;
        let passages = index.len();
        let searcher = Searcher::new(Arc::new(index), fitter_retrieval::glossary::Glossary::default());
        Ok(Self { entries, searcher, passages, lines: Default::default(), headings: Default::default() })
    }

    fn candidates<'a>(&'a self, hits: &'a [Fused]) -> Vec<Candidate<'a>> {
        let candidate = |fused: &'a Fused| {
            let (note, number) = (fused.hit.note.as_str(), fused.hit.chunk as usize);
            let lines = self.lines.get(note).and_then(|lines| lines.get(number)).copied().unwrap_or((1, u32::MAX));
            let headings = self.headings.get(note).and_then(|headings| headings.get(number)).map(Vec::as_slice).unwrap_or_default();
            Candidate { note, headings, lines }
        };
        hits.iter().map(candidate).collect()
    }
}

/// Most memory that this process had so far, MiB.
fn memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()? / 1024)
}
