//! `fitter eval answers`: what the first message answers, and what is refused.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use fitter_retrieval::evaluate::answers::{self, Counts, Verdict};
use fitter_retrieval::evaluate::queries;
use fitter_retrieval::local;

/// `fitter eval answers`
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of notes.
    #[arg(long)]
    vault: PathBuf,
    /// Questions: a JSON object with `text`, `must_contain`, `gold`, `answerable`, `category` per line; docs/answers.md tells the fields.
    #[arg(long)]
    queries: PathBuf,
    /// JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Also shows every question that is not answered or refused rightly, with what was shown.
    #[arg(long, conflicts_with = "json")]
    verbose: bool,
}

/// `fitter eval answers`
///
/// # Errors
/// If the notes or the questions cannot be read.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    ensure!(args.vault.is_dir(), "{} is not a folder", args.vault.display());
    let text = std::fs::read_to_string(&args.queries).with_context(|| format!("cannot read {}", args.queries.display()))?;
    let questions = queries(&text).with_context(|| args.queries.display().to_string())?;
    let search = local::search_vault(&args.vault)?;
    let mut wrong = Vec::new();
    let report = answers::evaluate(&search, &questions, |question, verdict, shown| {
        if matches!(verdict, Verdict::AnsweredWrong | Verdict::RefusedWrong) {
            let shown: Vec<String> = shown.iter().map(|it| format!("  {} | {}", it.source(), it.shown().0.plain())).collect();
            wrong.push(format!("{verdict:?}: {}\n{}", question.text, shown.join("\n")));
        }
    })?;
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string(&report)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    if args.verbose {
        wrong.iter().try_for_each(|wrong| writeln!(out, "{wrong}"))?;
    }
    writeln!(out, "{:16} {:>14} {:>14} {:>14} {:>14}", "", "answered right", "answered wrong", "refused right", "refused wrong")?;
    for (name, counts) in report.categories.iter().chain([(&"all".to_owned(), &report.all)]) {
        let Counts { answered_right, answered_wrong, refused_right, refused_wrong, .. } = counts;
        let name = if name.is_empty() { "-" } else { name };
        writeln!(out, "{name:16} {answered_right:>14} {answered_wrong:>14} {refused_right:>14} {refused_wrong:>14}")?;
    }
    let share = |part: u32, of: u32| 100.0 * f64::from(part) / f64::from(of.max(1));
    let all = report.all;
    writeln!(
        out,
        "of {} answerable: {:.1} % answered right, {:.1} % refused; of {} unanswerable: {:.1} % refused; {} characters in a message",
        all.answerable,
        share(all.answered_right, all.answerable),
        share(all.refused_wrong, all.answerable),
        all.unanswerable,
        share(all.refused_right, all.unanswerable),
        report.characters
    )?;
    Ok(ExitCode::SUCCESS)
}
