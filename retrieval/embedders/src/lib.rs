//! Models that make vectors of texts, behind `fitter_retrieval::dense::Embedder`.
//!
//! | module | what |
//! | --- | --- |
//! | [`folder`] | what a model's folder says about it |
//! | [`candle`] | safetensors of the BERT family, without any library of others |
//! | [`onnx`] | ONNX through fastembed and a library that the machine has |
//!
//! Nothing is downloaded: a model is a folder that somebody has put there.

mod bert;
pub mod candle;
pub mod folder;
pub mod onnx;

use std::path::PathBuf;
use std::sync::Arc;

use fitter_retrieval::dense::{EmbedError, Embedder, Engine, Prefixes, Workers};
use serde::{Deserialize, Serialize};

use folder::Folder;

/// What runs a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// [`onnx`]
    Fastembed,
    /// [`candle`]
    Candle,
}

/// Which of a text's vectors is its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// The mean of all.
    Mean,
    /// The first one.
    Cls,
}

/// A model and how it is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// What runs it.
    pub kind: Kind,
    /// Its folder.
    pub folder: PathBuf,
    /// Texts that are embedded at once, at least 1.
    pub threads: usize,
    /// Before questions and passages; by default what the E5 family wants, if the folder's name says that it is one, else nothing.
    pub query_prefix: Option<String>,
    /// See [`Options::query_prefix`].
    pub passage_prefix: Option<String>,
    /// By default what the folder says, else the mean.
    pub pooling: Option<Pooling>,
    /// The library of the ONNX runtime; by default the one that `ORT_DYLIB_PATH` names, else the system's.
    pub runtime: Option<PathBuf>,
}

/// Loads a model and starts its threads. Blocks for seconds.
///
/// # Errors
/// [`EmbedError::Model`], with what to do.
pub fn load(options: &Options) -> Result<Arc<dyn Embedder>, EmbedError> {
    let folder = Folder::open(&options.folder)?;
    let e5 = folder.is_e5();
    let prefix = |own: &Option<String>, usual: &str| own.clone().unwrap_or_else(|| if e5 { usual.to_owned() } else { String::new() });
    let prefixes = Prefixes { query: prefix(&options.query_prefix, "query: "), passage: prefix(&options.passage_prefix, "passage: ") };
    let pooling = options.pooling.unwrap_or_else(|| folder.pooling());
    let threads = options.threads.max(1);
    let (weights, engines): (PathBuf, Vec<Box<dyn Engine>>) = match options.kind {
        Kind::Candle => (folder.file("model.safetensors")?, candle::engines(&folder, pooling, threads)?),
        Kind::Fastembed => (folder.onnx()?, onnx::engines(&folder, pooling, threads, options.runtime.as_deref())?),
    };
    // Vectors of different models, or of one that is used differently, must never be compared.
    let name = folder.name(&weights, &format!("{:?} {pooling:?} {prefixes:?}", options.kind))?;
    Ok(Arc::new(Workers::new(name, prefixes, engines)?))
}

/// A vector of length 1 in the same direction.
fn normalised(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|number| *number /= length);
    }
    vector
}
