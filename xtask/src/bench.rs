//! `cargo xtask bench`: builds the program as it is released, and measures it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

/// Runs cargo with arguments and variables.
pub type Cargo = fn(&[&str], &[(&str, &str)]) -> anyhow::Result<()>;

/// Builds `fitter` and `fitter-bench` and runs the latter. What stands in `args` stands over what is given here.
///
/// # Errors
/// If something does not build, or a measurement fails.
pub fn bench(args: &[String], cargo: Cargo) -> anyhow::Result<()> {
    // Together, so that both use the same build of what they share.
    cargo(&["build", "--release", "--package", "fitter-cli", "--package", "fitter-bench"], &[])?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let places = [
        ("--fitter", target.join("release/fitter")),
        ("--vault", root.join("examples/vault")),
        ("--document", root.join("docs/performance.md")),
        ("--target", target.clone()),
    ];
    let mut bench = Command::new(target.join("release/fitter-bench"));
    bench.args(args);
    for (name, path) in places {
        // Only the load plays with notes.
        if name == "--vault" && args.first().is_none_or(|what| what != "updates") {
            continue;
        }
        if !args.iter().any(|arg| arg == name || arg.starts_with(&format!("{name}="))) {
            bench.arg(name).arg(path);
        }
    }
    let status = bench.status().context("fitter-bench does not start")?;
    ensure!(status.success(), "fitter-bench failed");
    Ok(())
}
