//! `fitter-bench retrieval`: the search of the notes, and the same by bm25s in Python: `bench/peer/search.py`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde_json::{Map, Value, json};

use crate::{peer, report};

/// What the peer needs.
const PACKAGES: &str = include_str!("../peer/search-requirements.txt");

/// `fitter-bench retrieval`
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder with `corpus.jsonl`, `queries.jsonl` and `qrels.tsv`.
    #[arg(long)]
    data: PathBuf,
    /// The program to measure.
    #[arg(long, default_value = "target/release/fitter")]
    fitter: PathBuf,
    /// Times that each is measured, in turns; the median of the times counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Writes the figures here, as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Writes the figures into their places in this document.
    #[arg(long)]
    document: Option<PathBuf>,
    /// Folder for what the peer needs.
    #[arg(long, default_value = "target")]
    target: PathBuf,
}

/// `fitter-bench retrieval`
///
/// # Errors
/// If something does not start, or tells no figures.
pub fn run(args: &Args) -> anyhow::Result<()> {
    ensure!(args.rounds > 0, "--rounds must be at least 1");
    let python = peer::environment(&std::path::absolute(&args.target)?.join("bench-search"), PACKAGES)?;
    let [corpus, queries, qrels] = ["corpus.jsonl", "queries.jsonl", "qrels.tsv"].map(|name| args.data.join(name));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peer/search.py");
    let (mut own, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..args.rounds {
        let mut command = Command::new(&args.fitter);
        command.args(["eval", "retrieval", "--json", "--corpus"]).arg(&corpus).arg("--queries").arg(&queries).arg("--qrels").arg(&qrels);
        own.push(flat(&told(&mut command)?));
        theirs.push(told(Command::new(&python).arg(&script).args([&corpus, &queries, &qrels]))?);
    }
    let mut peer = figure(&theirs);
    if let Some(peer) = peer.as_object_mut() {
        peer.insert("versions".to_owned(), peer::versions(&python, PACKAGES)?.into());
    }
    let figures: Map<String, Value> = [("search".to_owned(), figure(&own)), ("search-peer".to_owned(), peer)].into_iter().collect();
    for (name, figure) in &figures {
        println!("\n{}", report::table(name, figure));
    }
    if let Some(path) = &args.json {
        std::fs::write(path, serde_json::to_string_pretty(&json!({"figures": figures}))?)?;
    }
    if let Some(path) = &args.document {
        report::write(path, &figures)?;
    }
    Ok(())
}

/// Runs a program that prints its figures as JSON.
fn told(command: &mut Command) -> anyhow::Result<Value> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("{program} does not start"))?;
    ensure!(output.status.success(), "{program} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    serde_json::from_slice(&output.stdout).with_context(|| format!("{program} told no figures"))
}

/// The product's figures by the names of the peer's.
fn flat(told: &Value) -> Value {
    let at = |path: &str| told.pointer(path).cloned().unwrap_or_default();
    json!({
        "passages": at("/passages"),
        "questions": at("/all/questions"),
        "mrr": at("/all/mrr"),
        "ndcg": at("/all/ndcg"),
        "hit5": at("/all/hit5"),
        "p50_us": at("/latency/p50_us"),
        "p95_us": at("/latency/p95_us"),
        "indexed_ms": at("/indexed_ms"),
        "memory_mib": at("/memory_mib"),
    })
}

/// The median of each figure over the rounds.
fn figure(rounds: &[Value]) -> Value {
    let median = |name: &str| {
        let mut all: Vec<f64> = rounds.iter().filter_map(|round| round.get(name)?.as_f64()).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied()
    };
    let share = |name: &str| median(name).map(|value| (value * 1000.0).round() / 1000.0);
    #[expect(clippy::cast_possible_truncation, reason = "counts and times")]
    let whole = |name: &str| median(name).map(|value| value.round() as i64);
    json!({
        "passages": whole("passages"),
        "questions": whole("questions"),
        "MRR@10": share("mrr"),
        "nDCG@10": share("ndcg"),
        "hit@5": share("hit5"),
        "question": {"p50_us": whole("p50_us"), "p95_us": whole("p95_us")},
        "indexed_ms": whole("indexed_ms"),
        "memory_mib": whole("memory_mib"),
        "rounds": rounds.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_the_rounds_counts() {
        let round = |p95: u64| {
            flat(&json!({
                "passages": 3, "indexed_ms": 5, "memory_mib": 70,
                "all": {"questions": 2, "mrr": 0.12345, "ndcg": 0.5, "hit5": 1.0}, "latency": {"p50_us": 1, "p95_us": p95}
            }))
        };
        let figure = figure(&[round(900), round(100), round(200)]);
        assert_eq!(figure["question"], json!({"p50_us": 1, "p95_us": 200}));
        assert_eq!((&figure["MRR@10"], &figure["rounds"]), (&json!(0.123), &json!(3)));
    }
}
