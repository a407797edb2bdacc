//! What `fitter import --report` prints: every note with what is wrong with it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use fitter_retrieval::import::{Counts, Import};
use fitter_retrieval::problem::{Problem, Severity};
use serde::Serialize;

/// A report on a vault.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Sums.
    sums: Sums,
    /// Every note, and every other file that something is wrong with, by path.
    files: Vec<File>,
}

#[derive(Debug, Serialize)]
struct Sums {
    #[serde(flatten)]
    counts: Counts,
    /// Notes with nothing to say about them.
    ok: usize,
}

/// A file of the vault.
#[derive(Debug, Default, Serialize)]
struct File {
    path: String,
    /// Nothing is wrong with it but links to notes that do not exist.
    ok: bool,
    problems: Vec<Line>,
    /// Targets of links and embeds that do not exist, as they are written.
    unresolved: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Line {
    line: u32,
    severity: Severity,
    what: String,
}

impl Report {
    /// The report on a vault that was read whole.
    #[must_use]
    pub fn new(plan: &Import) -> Self {
        let mut files: BTreeMap<&str, File> = BTreeMap::new();
        for note in plan.changed.iter().chain(&plan.checked) {
            files.insert(&note.path, File { unresolved: note.unresolved.clone(), ..File::default() });
        }
        for Problem { path, line, severity, what } in &plan.problems {
            let file = files.entry(path).or_default();
            file.problems.push(Line { line: *line, severity: *severity, what: what.clone() });
        }
        let files: Vec<File> = files
            .into_iter()
            .map(|(path, file)| File {
                path: path.to_owned(),
                ok: file.problems.iter().all(|line| line.severity == Severity::Info),
                ..file
            })
            .collect();
        let ok = files.iter().filter(|file| file.ok).count();
        Self { sums: Sums { counts: plan.counts, ok }, files }
    }

    /// A line per problem that matters: `path:line: what`.
    ///
    /// # Errors
    /// If nobody reads.
    pub fn problems(&self, out: &mut impl Write) -> io::Result<()> {
        for file in &self.files {
            for line in file.problems.iter().filter(|line| line.severity > Severity::Info) {
                let mark = if line.severity == Severity::Error { "error: " } else { "" };
                writeln!(out, "{}:{}: {mark}{}", file.path, line.line, line.what)?;
            }
        }
        Ok(())
    }

    /// Every note with its problems below it, then the sums.
    ///
    /// # Errors
    /// If nobody reads.
    pub fn text(&self, out: &mut impl Write) -> io::Result<()> {
        for file in &self.files {
            let worst = file.problems.iter().map(|line| line.severity).max();
            let state = match worst {
                Some(Severity::Error) => "ERROR",
                Some(Severity::Warning) => "warn ",
                Some(Severity::Info) | None => "ok   ",
            };
            writeln!(out, "{state} {}", file.path)?;
            for line in &file.problems {
                writeln!(out, "      {}:{}: {}", file.path, line.line, line.what)?;
            }
        }
        let Counts { notes, chunks, procedures, attachments, links, unresolved, errors, warnings, .. } = self.sums.counts;
        writeln!(
            out,
            "\n{notes} notes ({} ok), {chunks} passages, {procedures} procedures, {attachments} pictures and files",
            self.sums.ok
        )?;
        writeln!(out, "{errors} errors, {warnings} warnings")?;
        writeln!(out, "{links} links, {unresolved} of them lead nowhere")
    }
}
