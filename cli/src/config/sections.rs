//! The sections of the configuration: what they hold, and what is without a setting.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::ensure;
use fitter_retrieval::fusion::Fusion;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

/// `[database]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// See [`super::SETTINGS`].
    #[serde(skip_serializing)]
    pub url: Option<SecretString>,
    /// See [`super::SETTINGS`].
    pub max_connections: u32,
}

/// `[storage]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Storage {
    /// See [`super::SETTINGS`].
    pub data_dir: PathBuf,
}

/// `[http]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// See [`super::SETTINGS`].
    pub addr: SocketAddr,
}

/// `[metrics]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Metrics {
    /// See [`super::SETTINGS`].
    pub addr: SocketAddr,
}

/// `[telegram]`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Telegram {
    /// See [`super::SETTINGS`].
    #[serde(skip_serializing)]
    pub bot_token: Option<SecretString>,
    /// See [`super::SETTINGS`].
    pub api_url: Option<Url>,
    /// See [`super::SETTINGS`].
    pub webhook_url: Option<Url>,
    /// See [`super::SETTINGS`].
    #[serde(skip_serializing)]
    pub webhook_secret: Option<SecretString>,
}

/// `[vault]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Vault {
    /// See [`super::SETTINGS`].
    pub path: Option<PathBuf>,
    /// See [`super::SETTINGS`].
    pub drafts: Option<String>,
    /// See [`super::SETTINGS`].
    pub git_url: Option<String>,
    /// See [`super::SETTINGS`].
    pub git_branch: Option<String>,
    /// See [`super::SETTINGS`].
    pub git_token_file: Option<PathBuf>,
    /// See [`super::SETTINGS`].
    pub git_ssh_key_file: Option<PathBuf>,
    /// See [`super::SETTINGS`].
    pub git_poll: u64,
    /// See [`super::SETTINGS`].
    #[serde(skip_serializing)]
    pub hook_secret: Option<SecretString>,
}

/// `[embedder]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Embedder {
    /// See [`super::SETTINGS`].
    pub kind: EmbedderKind,
    /// See [`super::SETTINGS`].
    pub folder: Option<PathBuf>,
    /// See [`super::SETTINGS`].
    pub threads: usize,
    /// See [`super::SETTINGS`].
    pub query_prefix: Option<String>,
    /// See [`super::SETTINGS`].
    pub passage_prefix: Option<String>,
    /// See [`super::SETTINGS`].
    pub pooling: Option<Pooling>,
    /// See [`super::SETTINGS`].
    pub runtime: Option<PathBuf>,
}

/// What makes vectors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EmbedderKind {
    /// Nothing: words alone are searched for.
    #[default]
    None,
    /// Safetensors of the BERT family.
    Candle,
    /// ONNX.
    Fastembed,
}

/// Which of a text's vectors is its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// The mean of all.
    Mean,
    /// The first.
    Cls,
}

/// `[search]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Search {
    /// See [`super::SETTINGS`].
    pub fusion: FusionKind,
    /// See [`super::SETTINGS`].
    pub lexical_weight: f32,
    /// See [`super::SETTINGS`].
    pub reranker: Option<PathBuf>,
    /// See [`super::SETTINGS`].
    pub rerank_margin: f32,
    /// See [`super::SETTINGS`].
    pub rerank_ms: u64,
}

/// How words and vectors are weighed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FusionKind {
    /// By their scores and one weight.
    #[default]
    Weight,
    /// By their ranks.
    Rrf,
}

impl Search {
    /// How words and vectors are weighed.
    #[must_use]
    pub const fn fusion(&self) -> Fusion {
        match self.fusion {
            FusionKind::Weight => Fusion::Weight(self.lexical_weight),
            FusionKind::Rrf => Fusion::Rrf,
        }
    }
}

/// Who sums up what the search found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Model {
    /// Nobody: notes are quoted.
    #[default]
    Off,
    /// OpenAI, and servers that speak its protocol.
    Openai,
    /// Anthropic.
    Anthropic,
    /// Google.
    Gemini,
    /// Ollama.
    Ollama,
}

/// `[llm]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Llm {
    /// See [`super::SETTINGS`].
    pub provider: Model,
    /// See [`super::SETTINGS`].
    pub model: Option<String>,
    /// See [`super::SETTINGS`].
    pub url: Option<Url>,
    /// See [`super::SETTINGS`].
    #[serde(skip_serializing)]
    pub key: Option<SecretString>,
    /// See [`super::SETTINGS`].
    pub timeout: u64,
    /// See [`super::SETTINGS`].
    pub max_tokens: u32,
    /// See [`super::SETTINGS`].
    pub at_once: usize,
    /// See [`super::SETTINGS`].
    pub drafts: bool,
}

/// `[log]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// See [`super::SETTINGS`].
    pub filter: String,
    /// See [`super::SETTINGS`].
    pub json: bool,
}

impl Default for Database {
    fn default() -> Self {
        Self { url: None, max_connections: 16 }
    }
}
impl Default for Storage {
    fn default() -> Self {
        Self { data_dir: PathBuf::from("data") }
    }
}
impl Default for Http {
    fn default() -> Self {
        Self { addr: SocketAddr::from(([127, 0, 0, 1], 8080)) }
    }
}
impl Default for Metrics {
    fn default() -> Self {
        Self { addr: SocketAddr::from(([127, 0, 0, 1], 9464)) }
    }
}
impl Default for Embedder {
    fn default() -> Self {
        Self { kind: EmbedderKind::None, folder: None, threads: 1, query_prefix: None, passage_prefix: None, pooling: None, runtime: None }
    }
}
impl Default for Search {
    fn default() -> Self {
        Self { fusion: FusionKind::Weight, lexical_weight: 0.4, reranker: None, rerank_margin: 0.05, rerank_ms: 800 }
    }
}
impl Default for Vault {
    fn default() -> Self {
        Self {
            path: None,
            drafts: None,
            git_url: None,
            git_branch: None,
            git_token_file: None,
            git_ssh_key_file: None,
            git_poll: 60,
            hook_secret: None,
        }
    }
}
impl Default for Llm {
    fn default() -> Self {
        Self { provider: Model::Off, model: None, url: None, key: None, timeout: 30, max_tokens: 1000, at_once: 4, drafts: true }
    }
}
impl Default for Log {
    fn default() -> Self {
        Self { filter: "info".to_owned(), json: false }
    }
}

impl Vault {
    /// What contradicts itself.
    pub(super) fn validate(&self) -> anyhow::Result<()> {
        let secret = self.hook_secret.as_ref().is_none_or(|secret| secret.expose_secret().len() >= 16);
        ensure!(secret, "vault.hook_secret must have at least 16 characters");
        ensure!(self.git_poll > 0, "vault.git_poll must be at least 1");
        let Some(url) = &self.git_url else {
            let lonely = [("git_branch", self.git_branch.is_some()), ("git_token_file", self.git_token_file.is_some())];
            for (key, set) in lonely.into_iter().chain([("git_ssh_key_file", self.git_ssh_key_file.is_some())]) {
                ensure!(!set, "vault.{key} needs vault.git_url");
            }
            return Ok(());
        };
        ensure!(self.path.is_none(), "vault.path and vault.git_url exclude each other: the notes come from a folder or from a repository");
        ensure!(!url.starts_with('-') && !url.trim().is_empty(), "vault.git_url is not an address");
        let password = Url::parse(url).is_ok_and(|url| url.password().is_some());
        ensure!(!password, "vault.git_url has a password in it; put it into a file and name that with vault.git_token_file");
        Ok(())
    }
}
