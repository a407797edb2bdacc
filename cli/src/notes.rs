//! `fitter import`.

use std::collections::HashMap;
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use fitter_retrieval::import::{self, Counts};
use fitter_services::vault::{Progress, Seen, Source};
use fitter_store::vault as stored;

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
