//! `fitter import` and `fitter search`.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use fitter_domain::Locale;
use fitter_domain::person::Role;
use fitter_retrieval::local::{self, Found, LocalSearch};
use fitter_retrieval::problem::Severity;
use fitter_retrieval::search::Filter;
use fitter_services::App;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::start::{self, Migrations};

/// `fitter import`
#[derive(Debug, clap::Args)]
pub struct Import {
    /// The folder.
    dir: PathBuf,
    /// Only reports what is wrong; writes nothing and needs no database.
    #[arg(long)]
    check: bool,
}

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
}

/// `fitter import`
///
/// # Errors
/// If the folder or the database cannot be read. Broken notes are reported, not fatal: the exit status tells of errors in them.
pub async fn import(args: &Import, config: &Config) -> anyhow::Result<ExitCode> {
    ensure!(args.dir.is_dir(), "{} is not a folder", args.dir.display());
    let mut out = std::io::stdout().lock();
    let problems = if args.check {
        let LocalSearch { import, .. } = local::search_vault(&args.dir)?;
        let counts = &import.counts;
        writeln!(
            out,
            "{} notes, {} passages, {} procedures, {} pictures and files",
            counts.notes, counts.chunks, counts.procedures, counts.attachments
        )?;
        import.problems
    } else {
        let database = start::database(config, Migrations::Refuse).await?;
        let app = start::app(config, database).await?;
        let report = start::import(&app, &args.dir).await?;
        app.db.close().await;
        let counts = &report.counts;
        writeln!(
            out,
            "{} notes ({} changed, {} removed), {} passages, {} procedures",
            counts.notes, report.changed, report.removed, counts.chunks, counts.procedures
        )?;
        report.problems
    };
    for problem in &problems {
        let mark = match problem.severity {
            Severity::Error => "error: ",
            Severity::Warning => "",
            Severity::Info => continue,
        };
        writeln!(out, "{}:{}: {mark}{}", problem.path, problem.line, problem.what)?;
    }
    let broken = problems.iter().any(|problem| problem.severity == Severity::Error);
    Ok(if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// A hit as `fitter search` prints it.
#[derive(Debug, Serialize)]
struct Hit {
    note: String,
    heading: String,
    start_line: u32,
    end_line: u32,
    score: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl From<Found> for Hit {
    fn from(found: Found) -> Self {
        Self {
            note: found.note,
            heading: found.heading,
            start_line: found.start_line,
            end_line: found.end_line,
            score: found.score,
            text: Some(found.text),
        }
    }
}

/// `fitter search`
///
/// # Errors
/// If the notes cannot be read.
pub async fn search(args: &Search, config: &Config) -> anyhow::Result<ExitCode> {
    match (&args.vault, &args.queries) {
        (Some(vault), Some(queries)) => batch(vault, queries, args.k)?,
        (Some(vault), None) => {
            ensure!(vault.is_dir(), "{} is not a folder", vault.display());
            let found = local::search_vault(vault)?.find(args.question.as_deref().unwrap_or_default(), &Filter::staff(args.k))?;
            print(found.into_iter().map(Hit::from).collect(), args.json)?;
        }
        (None, _) => {
            let database = start::database(config, Migrations::Refuse).await?;
            let app = start::app(config, database).await?;
            let hits = stored(&app, args.question.as_deref().unwrap_or_default(), args.k).await?;
            app.db.close().await;
            print(hits, args.json)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Searches the database's notes as a member of the staff does.
async fn stored(app: &App, question: &str, k: usize) -> anyhow::Result<Vec<Hit>> {
    let hits = app.search.hits(question, Role::Technician, Locale::default(), k).await?;
    let mut conn = app.db.pool().acquire().await?;
    let passages = app.search.passages(&mut conn, &hits).await?;
    Ok(passages
        .into_iter()
        .map(|passage| Hit {
            heading: passage.headings.join(" › "),
            text: Some(passage.body.plain()),
            note: passage.note,
            start_line: passage.start_line,
            end_line: passage.end_line,
            score: passage.score,
        })
        .collect())
}

fn print(hits: Vec<Hit>, json: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    for (place, hit) in hits.iter().enumerate() {
        if json {
            writeln!(out, "{}", serde_json::to_string(hit)?)?;
        } else {
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

fn batch(vault: &Path, queries: &Path, k: usize) -> anyhow::Result<()> {
    ensure!(vault.is_dir(), "{} is not a folder", vault.display());
    let search = local::search_vault(vault)?;
    let file = std::fs::File::open(queries).with_context(|| format!("cannot read {}", queries.display()))?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for (line, text) in std::io::BufReader::new(file).lines().enumerate() {
        let text = text?;
        if text.trim().is_empty() {
            continue;
        }
        let query: Query = serde_json::from_str(&text).with_context(|| format!("{}:{}: not a question", queries.display(), line + 1))?;
        let found = search.find(&query.text, &Filter::staff(k))?;
        let hits = found.into_iter().map(|found| Hit { text: None, ..Hit::from(found) }).collect();
        writeln!(out, "{}", serde_json::to_string(&Answer { id: query.id, hits })?)?;
    }
    out.flush()?;
    Ok(())
}

/// Tells one state of a folder from another by names, sizes and times of its files, without reading them.
#[must_use]
pub fn fingerprint(folder: &Path) -> u64 {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => folders.push(entry.path()),
                Ok(metadata) => files.push((entry.path(), metadata.len(), metadata.modified().ok())),
                Err(_) => {}
            }
        }
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    files.hash(&mut hasher);
    hasher.finish()
}
