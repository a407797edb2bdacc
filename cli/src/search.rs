//! `fitter search`.

use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use fitter_domain::Locale;
use fitter_domain::passage::Passage;
use fitter_domain::person::Role;
use fitter_retrieval::fusion::{Fused, Subject};
use fitter_retrieval::hybrid::Vectors;
use fitter_retrieval::index::NoteEntry;
use fitter_retrieval::local::{self, LocalSearch};
use fitter_retrieval::search::Filter;
use fitter_services::App;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::models;
use crate::start::{self, Migrations};

/// `fitter search`
#[derive(Debug, clap::Args)]
pub struct Search {
    /// The question.
    #[arg(required_unless_present = "queries")]
    question: Option<String>,
    /// Searches this folder in memory instead of the database.
    #[arg(long)]
    vault: Option<PathBuf>,
    /// Answers a file of questions: a JSON object with `id` and `text` per line.
    #[arg(long, requires = "vault", conflicts_with = "question")]
    queries: Option<PathBuf>,
    /// Most hits per question.
    #[arg(short, default_value_t = 10)]
    k: usize,
    /// JSON, one object per line.
    #[arg(long)]
    json: bool,
    /// Tells what words and vectors say of each hit.
    #[arg(long)]
    explain: bool,
}

/// A hit as it is printed.
#[derive(Debug, Serialize)]
struct Hit {
    note: String,
    heading: String,
    start_line: u32,
    end_line: u32,
    score: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vectors: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl From<Passage> for Hit {
    fn from(passage: Passage) -> Self {
        Self {
            heading: passage.headings.join(" › "),
            text: Some(passage.body.plain()),
            note: passage.note,
            start_line: passage.start_line,
            end_line: passage.end_line,
            score: passage.score,
            words: None,
            vectors: None,
            coverage: None,
        }
    }
}

impl Hit {
    /// With what each list says of it.
    fn explained(self, fused: &Fused) -> Self {
        Self { words: fused.lexical, vectors: fused.dense, coverage: Some(fused.hit.coverage), ..self }
    }
}

/// `fitter search`
///
/// # Errors
/// If the notes cannot be read.
pub async fn run(args: &Search, config: &Config) -> anyhow::Result<ExitCode> {
    let question = args.question.as_deref().unwrap_or_default();
    match &args.vault {
        Some(vault) => {
            let vault = Vault::read(vault, config)?;
            match &args.queries {
                Some(queries) => vault.batch(queries, args.k)?,
                None => print(vault.find(question, args.k)?, args)?,
            }
        }
        None => {
            let database = start::database(config, Migrations::Refuse).await?;
            let mut app = start::app(config, database).await?;
            app.dense = start::dense(config).await?;
            app.refresh_dense().await?;
            let hits = stored(&app, question, args).await?;
            app.db.close().await;
            print(hits, args)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Searches the database's notes as a member of the staff does.
async fn stored(app: &App, question: &str, args: &Search) -> anyhow::Result<Vec<Hit>> {
    let looked = app.look(question, Role::Technician, Locale::default(), &Subject::default(), args.k).await?;
    if args.explain {
        let model = app.dense.model().unwrap_or_else(|| "none".to_owned());
        eprintln!(
            "answered: {}; vectors: {model}; second look: {}; index out of order: {}",
            looked.answered, looked.reranked, looked.degraded
        );
    }
    let mut conn = app.db.pool().acquire().await?;
    let mut out = Vec::with_capacity(looked.hits.len());
    for fused in looked.hits {
        let passages = app.search.passages(&mut conn, std::slice::from_ref(&fused.hit)).await?;
        out.extend(passages.into_iter().map(|passage| {
            let hit = Hit::from(passage);
            if args.explain { hit.explained(&fused) } else { hit }
        }));
    }
    Ok(out)
}

/// A folder in memory, with vectors if a model is configured.
struct Vault<'a> {
    search: LocalSearch,
    vectors: Vectors,
    config: &'a Config,
}

impl<'a> Vault<'a> {
    fn read(folder: &Path, config: &'a Config) -> anyhow::Result<Self> {
        ensure!(folder.is_dir(), "{} is not a folder", folder.display());
        let search = local::search_vault(folder)?;
        let vectors = match models::embedder(config)? {
            Some((embedder, _)) => {
                let entries: Vec<NoteEntry> = search.notes().values().map(NoteEntry::from).collect();
                Vectors::new(embedder, &entries, |_| {})?
            }
            None => Vectors::default(),
        };
        Ok(Self { search, vectors, config })
    }

    fn find(&self, question: &str, k: usize) -> anyhow::Result<Vec<Hit>> {
        let (found, _) = self.vectors.ask(self.search.searcher(), question, &Filter::staff(k), self.config.search.fusion())?;
        let hits = found.iter().filter_map(|fused| {
            let passage = self.search.passage(&fused.hit)?;
            Some(Hit::from(passage).explained(fused))
        });
        Ok(hits.collect())
    }

    fn batch(&self, queries: &Path, k: usize) -> anyhow::Result<()> {
        let file = std::fs::File::open(queries).with_context(|| format!("cannot read {}", queries.display()))?;
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        for (line, text) in std::io::BufReader::new(file).lines().enumerate() {
            let text = text?;
            if text.trim().is_empty() {
                continue;
            }
            let query: Query =
                serde_json::from_str(&text).with_context(|| format!("{}:{}: not a question", queries.display(), line + 1))?;
            let hits =
                self.find(&query.text, k)?.into_iter().map(|hit| Hit { text: None, words: None, vectors: None, coverage: None, ..hit });
            writeln!(out, "{}", serde_json::to_string(&Answer { id: query.id, hits: hits.collect() })?)?;
        }
        out.flush()?;
        Ok(())
    }
}

fn print(hits: Vec<Hit>, args: &Search) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    for (place, hit) in hits.into_iter().enumerate() {
        if args.json {
            let hit = if args.explain { hit } else { Hit { words: None, vectors: None, coverage: None, ..hit } };
            writeln!(out, "{}", serde_json::to_string(&hit)?)?;
            continue;
        }
        let text = hit.text.as_deref().unwrap_or_default();
        let short: String = text.chars().take(300).collect();
        writeln!(
            out,
            "{}. {} › {} ({}:{}-{}, {:.3})\n   {}",
            place + 1,
            hit.note,
            hit.heading,
            hit.note,
            hit.start_line,
            hit.end_line,
            hit.score,
            short.replace('\n', "\n   ")
        )?;
        if args.explain {
            let said = |score: Option<f32>| score.map_or_else(|| "–".to_owned(), |score| format!("{score:.3}"));
            writeln!(out, "   words {}, vectors {}, coverage {}", said(hit.words), said(hit.vectors), said(hit.coverage))?;
        }
    }
    Ok(())
}

#[derive(Deserialize)]
struct Query {
    id: serde_json::Value,
    text: String,
}

#[derive(Serialize)]
struct Answer {
    id: serde_json::Value,
    hits: Vec<Hit>,
}
