//! The language model that is configured, if one is.

use std::sync::Arc;

use fitter_services::llm::Writer;

use crate::config::Config;

/// A writer with the configured model; none if none is configured. Nothing is called yet.
///
/// # Errors
/// What is missing of the configuration.
#[cfg(feature = "models")]
pub fn writer(config: &Config) -> anyhow::Result<Option<Arc<Writer>>> {
    use std::time::Duration;

    use anyhow::{Context as _, ensure};
    use fitter_models::{Provider, Remote};
    use fitter_services::llm::Limits;

    use crate::config::Model;

    let llm = &config.llm;
    let provider = match llm.provider {
        Model::Off => return Ok(None),
        Model::Openai => Provider::OpenAi,
        Model::Anthropic => Provider::Anthropic,
        Model::Gemini => Provider::Gemini,
        Model::Ollama => Provider::Ollama,
    };
    let model = llm.model.clone().context("llm.model: no model; set FITTER_LLM_MODEL to its name at the provider")?;
    ensure!(
        llm.key.is_some() || llm.url.is_some() || !provider.wants_key(),
        "llm.key: no key; set FITTER_LLM_KEY, or FITTER_LLM_URL if the model runs on a server of yours"
    );
    let time = Duration::from_secs(llm.timeout);
    let remote = fitter_models::Config { provider, model, base: llm.url.clone(), key: llm.key.clone(), timeout: time };
    let remote = Remote::new(&remote).context("llm")?;
    let limits = Limits { time, max_tokens: llm.max_tokens, at_once: llm.at_once, drafts: llm.drafts };
    Ok(Some(Arc::new(Writer::new(Arc::new(remote), limits, Box::new(rand::random))?)))
}

/// A program without language models: none may be configured.
///
/// # Errors
/// If one is.
#[cfg(not(feature = "models"))]
pub fn writer(config: &Config) -> anyhow::Result<Option<Arc<Writer>>> {
    let off = config.llm.provider == crate::config::Model::Off;
    anyhow::ensure!(off, "llm.provider: this program was built without language models; take FITTER_LLM away");
    Ok(None)
}
