//! The long form of the reliability tests, and the page with its figures.

use std::fmt::Write as _;

use anyhow::{Context as _, ensure};
use clap::Args;
use serde_json::Value;

/// The page; what stands between the marks is made here.
const PAGE: &str = "docs/reliability.md";
const BEGIN: &str = "<!-- figures: begin -->\n";
const END: &str = "<!-- figures: end -->\n";
const HEAD: &str = "\
| scenario | rounds | updates | lost | doubled | out of order | letters | sent twice (on their way) | dead letters | longest standstill | more |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |
";
/// Figures that have a column.
const COLUMNS: [&str; 15] = [
    "scenario",
    "rounds",
    "updates",
    "lost",
    "doubled",
    "disorder",
    "letters",
    "doubled_letters",
    "in_flight",
    "dead",
    "longest_resume_ms",
    "kills",
    "people",
    "seconds",
    "lost_patience",
];

/// `cargo xtask faults`
#[derive(Args)]
pub struct Faults {
    /// Times that something goes wrong, in each scenario; those of which there are many take a tenth.
    #[arg(long, default_value_t = 200)]
    rounds: u32,
    /// People who work with the product meanwhile.
    #[arg(long, default_value_t = 500)]
    people: u32,
    /// Updates a second that they make together.
    #[arg(long, default_value_t = 50)]
    rate: u32,
    /// Of everything that is left to chance.
    #[arg(long, default_value_t = 20_261_120)]
    seed: u64,
    /// Tests the optimised program.
    #[arg(long)]
    release: bool,
    /// Only tests whose name contains one of these.
    names: Vec<String>,
}

impl Faults {
    /// The command line that gives these figures.
    fn command(&self) -> String {
        let Self { rounds, people, rate, seed, .. } = self;
        let release = if self.release { " --release" } else { "" };
        let names: String = self.names.iter().map(|name| format!(" {name}")).collect();
        format!("cargo xtask faults --rounds {rounds} --people {people} --rate {rate} --seed {seed}{release}{names}")
    }

    /// Runs the tests with `run`, one after the other, and writes the page. It is written also if a test fails: figures that break a promise
    /// are those worth reading.
    ///
    /// # Errors
    /// If a promise is broken, or the page cannot be written.
    pub fn run(&self, run: impl FnOnce(&[&str], &[(&str, &str)]) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let [rounds, people, rate, seed] =
            [self.rounds.into(), self.people.into(), self.rate.into(), self.seed].map(|n: u64| n.to_string());
        let path = std::env::temp_dir().join(format!("fitter-faults-{}.jsonl", std::process::id()));
        let path = path.to_string_lossy().into_owned();
        let env = [
            ("FITTER_FAULTS_ROUNDS", rounds.as_str()),
            ("FITTER_FAULTS_PEOPLE", people.as_str()),
            ("FITTER_FAULTS_RATE", rate.as_str()),
            ("FITTER_FAULTS_SEED", seed.as_str()),
            ("FITTER_FAULTS_REPORT", path.as_str()),
        ];
        let mut args = vec!["--test", "reliability"];
        args.extend(self.release.then_some("--release"));
        args.extend(["--", "--test-threads=1", "--nocapture", "--include-ignored", "--skip", "auditor"]);
        args.extend(self.names.iter().map(String::as_str));
        let result = run(&args, &env);
        let lines = std::fs::read_to_string(&path).unwrap_or_default();
        std::fs::remove_file(&path).ok();
        let page = std::fs::read_to_string(PAGE).with_context(|| PAGE.to_owned())?;
        std::fs::write(PAGE, written(&page, &lines, &self.command())?)?;
        result
    }
}

/// The page with new rows for the scenarios that were run; the others keep theirs.
fn written(page: &str, lines: &str, command: &str) -> anyhow::Result<String> {
    let (before, rest) = page.split_once(BEGIN).with_context(|| format!("{PAGE} has no {BEGIN}"))?;
    let (old, after) = rest.split_once(END).with_context(|| format!("{PAGE} has no {END}"))?;
    let mut rows: Vec<(String, String)> = old
        .lines()
        .filter(|line| line.starts_with("| ") && !HEAD.contains(line))
        .map(|line| (scenario(line).to_owned(), line.to_owned()))
        .collect();
    let mut commands: Vec<String> = old.lines().filter(|line| line.starts_with("cargo xtask")).map(str::to_owned).collect();
    for line in lines.lines() {
        let row = row(&serde_json::from_str(line)?)?;
        match rows.iter_mut().find(|(name, _)| name == scenario(&row)) {
            Some(found) => found.1 = row,
            None => rows.push((scenario(&row).to_owned(), row)),
        }
    }
    if !commands.iter().any(|known| known == command) {
        commands.push(command.to_owned());
    }
    let rows: String = rows.iter().map(|(_, row)| format!("{row}\n")).collect();
    Ok(format!("{before}{BEGIN}```sh\n{}\n```\n\n{HEAD}{rows}{END}{after}", commands.join("\n")))
}

fn scenario(row: &str) -> &str {
    row.trim_start_matches("| ").split(" |").next().unwrap_or_default()
}

fn row(figures: &Value) -> anyhow::Result<String> {
    let number = |name: &str| figures.get(name).and_then(Value::as_u64).unwrap_or_default();
    let scenario = figures.get("scenario").and_then(Value::as_str).unwrap_or_default();
    ensure!(!scenario.is_empty(), "a line of the report has no scenario");
    let mut row = format!("| {scenario} |");
    for name in ["rounds", "updates", "lost", "doubled", "disorder", "letters"] {
        write!(row, " {} |", number(name))?;
    }
    write!(row, " {} ({}) | {} |", number("doubled_letters"), number("in_flight"), number("dead"))?;
    let standstill = number("longest_resume_ms");
    let standstill = if number("kills") == 0 { "–".to_owned() } else { format!("{}.{} s", standstill / 1000, standstill % 1000 / 100) };
    let more: Vec<String> = figures
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| !COLUMNS.contains(&name.as_str()))
        .map(|(name, value)| format!("{}: {value}", name.replace('_', " ")))
        .collect();
    write!(row, " {standstill} | {} |", more.join(", "))?;
    Ok(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_replaced_by_their_scenario() {
        let page = format!("before\n{BEGIN}{END}after\n");
        let line = |scenario: &str, lost: u64| {
            format!(
                "{{\"scenario\": \"{scenario}\", \"rounds\": 5, \"kills\": 5, \"longest_resume_ms\": 29860, \"lost\": {lost}, \"well_again_ms\": 7}}\n"
            )
        };
        let once = written(&page, &(line("a", 1) + &line("b", 2)), "cargo xtask faults").unwrap();
        assert!(once.contains("| a | 5 | 0 | 1 | 0 | 0 | 0 | 0 (0) | 0 | 29.8 s | well again ms: 7 |\n| b | 5 | 0 | 2 |"), "{once}");
        let again = written(&once, &line("a", 0), "cargo xtask faults --rounds 9").unwrap();
        assert!(
            again.contains("| a | 5 | 0 | 0 |") && again.contains("| b | 5 | 0 | 2 |") && !again.contains("| a | 5 | 0 | 1 |"),
            "{again}"
        );
        assert!(again.starts_with("before\n") && again.ends_with("after\n") && again.matches(HEAD).count() == 1, "{again}");
        assert!(again.contains("cargo xtask faults\ncargo xtask faults --rounds 9\n"), "{again}");
    }
}
