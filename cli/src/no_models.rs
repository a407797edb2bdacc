//! In the place of models, in a program that was built without them.

use std::sync::Arc;

use anyhow::ensure;
use fitter_retrieval::dense::{EmbedError, Embedder};
use fitter_retrieval::rerank::Reranker;
use serde_json::Value;

use crate::config::{Config, EmbedderKind};

const WITHOUT: &str = "this fitter was built without models (feature `models`)";

/// None.
///
/// # Errors
/// If one is configured.
pub fn embedder(config: &Config) -> anyhow::Result<Option<(Arc<dyn Embedder>, Value)>> {
    ensure!(config.embedder.kind == EmbedderKind::None, "embedder: {WITHOUT}");
    Ok(None)
}

/// None.
///
/// # Errors
/// Always.
pub fn load(_options: &Value) -> Result<Arc<dyn Embedder>, EmbedError> {
    Err(EmbedError::Model(WITHOUT.to_owned()))
}

/// None.
///
/// # Errors
/// If one is configured.
pub fn reranker(config: &Config) -> anyhow::Result<Option<Arc<dyn Reranker>>> {
    ensure!(config.search.reranker.is_none(), "search.reranker: {WITHOUT}");
    Ok(None)
}
