//! `fitter import`.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::ensure;
use fitter_retrieval::local::{self, LocalSearch};
use fitter_retrieval::problem::Severity;

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
