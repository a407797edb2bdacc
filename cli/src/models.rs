//! The models that are configured, from the crate that has them.

use std::sync::Arc;

use anyhow::Context as _;
use fitter_embedders::onnx::OnnxReranker;
use fitter_embedders::{Kind, Options, Pooling};
use fitter_retrieval::dense::{EmbedError, Embedder};
use fitter_retrieval::rerank::Reranker;
use serde::Deserialize as _;
use serde_json::Value;

use crate::config::{self, Config, EmbedderKind};

/// The model that makes vectors, and the options that load it again; none if none is configured. It blocks for seconds.
///
/// # Errors
/// With what to do, if it cannot be loaded.
pub fn embedder(config: &Config) -> anyhow::Result<Option<(Arc<dyn Embedder>, Value)>> {
    let config::Embedder { kind, folder, threads, query_prefix, passage_prefix, pooling, runtime } = config.embedder.clone();
    let kind = match kind {
        EmbedderKind::None => return Ok(None),
        EmbedderKind::Candle => Kind::Candle,
        EmbedderKind::Fastembed => Kind::Fastembed,
    };
    let pooling = pooling.map(|pooling| match pooling {
        config::Pooling::Mean => Pooling::Mean,
        config::Pooling::Cls => Pooling::Cls,
    });
    let options = Options { kind, folder: folder.unwrap_or_default(), threads, query_prefix, passage_prefix, pooling, runtime };
    let embedder = fitter_embedders::load(&options).context("embedder")?;
    Ok(Some((embedder, serde_json::to_value(options)?)))
}

/// Loads a model by options that were stored.
///
/// # Errors
/// [`EmbedError`].
pub fn load(options: &Value) -> Result<Arc<dyn Embedder>, EmbedError> {
    let options = Options::deserialize(options).map_err(|error| EmbedError::Model(format!("stored options: {error}")))?;
    fitter_embedders::load(&options)
}

/// The model for second looks, if one is configured. It blocks for seconds.
///
/// # Errors
/// With what to do, if it cannot be loaded.
pub fn reranker(config: &Config) -> anyhow::Result<Option<Arc<dyn Reranker>>> {
    let Some(folder) = &config.search.reranker else { return Ok(None) };
    let loaded = OnnxReranker::load(folder, config.embedder.runtime.as_deref()).context("search.reranker")?;
    Ok(Some(Arc::new(loaded)))
}
