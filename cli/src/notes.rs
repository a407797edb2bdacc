//! `fitter import` and `fitter search`.

use std::collections::HashMap;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use fitter_domain::Locale;
use fitter_domain::person::Role;
use fitter_retrieval::import::{self, Counts};
use fitter_retrieval::local::{self, Found};
use fitter_retrieval::search::Filter;
use fitter_services::App;
use fitter_services::vault::{Progress, Seen, Source};
use fitter_store::vault as stored;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::keep;
use crate::report::Report;
use crate::start::{self, Migrations};

/// `fitter import`
#[derive(Debug, clap::Args)]
pub struct Import {
    /// A folder; without it, the configured source.
    dir: Option<PathBuf>,
    /// Only reports what is wrong; writes nothing and needs no database.
    #[arg(long)]
    check: bool,
    /// Reports on every note: ok, or what is wrong with it, and its links that lead nowhere.
    #[arg(long)]
    report: bool,
    /// The report as JSON.
    #[arg(long, requires = "report")]
    json: bool,
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
/// If the source or the database cannot be read. Broken notes are reported, not fatal: the exit status tells of errors in them.
pub async fn import(args: &Import, config: &Config) -> anyhow::Result<ExitCode> {
    let source = match &args.dir {
        Some(dir) => {
            ensure!(dir.is_dir(), "{} is not a folder", dir.display());
            Some(Source::Folder(dir.clone()))
        }
        None => keep::source(&config.vault, &config.storage.data_dir),
    };
    let source = source.context("no source of notes: name a folder, or set FITTER_VAULT or FITTER_VAULT_GIT_URL")?;
    let look = async || source.look(None).await?.context("the source cannot be seen");
    let mut broken = false;
    if !args.check {
        broken |= write(look().await?, config, args.report).await?;
    }
    if args.check || args.report {
        let seen = look().await?;
        let all = args.report;
        let plan = tokio::task::spawn_blocking(move || {
            let plan = import::plan(&HashMap::new(), &seen.vault, &|done, of| counting(Progress { writing: false, done, of }));
            (Report::new(&plan), plan.counts)
        });
        let (report, counts) = plan.await?;
        let mut out = std::io::stdout().lock();
        if !all {
            let Counts { notes, chunks, procedures, attachments, .. } = counts;
            writeln!(out, "{notes} notes, {chunks} passages, {procedures} procedures, {attachments} pictures and files")?;
            report.problems(&mut out)?;
        } else if args.json {
            serde_json::to_writer_pretty(&mut out, &report)?;
            writeln!(out)?;
        } else {
            report.text(&mut out)?;
        }
        broken |= counts.errors > 0;
    }
    Ok(if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Imports into the database; whether notes are broken.
async fn write(seen: Seen, config: &Config, quiet: bool) -> anyhow::Result<bool> {
    let database = start::database(config, Migrations::Refuse).await?;
    let app = start::app(config, database).await?;
    let mut locks = keep::alone(&app).await?;
    let report = app.sync_vault(seen, Arc::new(counting)).await;
    locks.release(keep::LOCK).await;
    app.db.close().await;
    let report = report?;
    if !quiet {
        let mut out = std::io::stdout().lock();
        let sums = report.sums;
        writeln!(
            out,
            "{} notes ({} changed, {} removed), {} passages, {} procedures",
            sums.notes, report.changed, report.removed, sums.chunks, sums.procedures
        )?;
        for problem in &report.problems {
            let mark = if problem.severity == stored::Severity::Error { "error: " } else { "" };
            writeln!(out, "{}:{}: {mark}{}", problem.path, problem.line, problem.what)?;
        }
    }
    Ok(report.wrong.errors > 0)
}

/// A line on the terminal that counts.
fn counting(progress: Progress) {
    let mut out = std::io::stderr().lock();
    if !out.is_terminal() {
        return;
    }
    let what = if progress.writing { "written" } else { "read" };
    let end = if progress.writing && progress.done == progress.of { "\n" } else { "" };
    // Whoever looks at it sees the next one.
    let _shown = write!(out, "\r{} of {} notes {what}  {end}", progress.done, progress.of).and_then(|()| out.flush());
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
