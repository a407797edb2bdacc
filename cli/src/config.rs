//! Configuration: one struct per section; a TOML file, then `FITTER_*` variables over it. Unknown keys are refused, and every error names its
//! key. A secret can stand in a file of its own: `FITTER_BOT_TOKEN_FILE=/run/secrets/bot`.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use figment::Figment;
use figment::providers::{Format as _, Serialized, Toml};
use figment::value::{Dict, Value};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

mod sections;

pub use sections::{
    Database, Embedder, EmbedderKind, FusionKind, Http, Llm, Log, Metrics, Model, Pooling, Search, Storage, Telegram, Vault,
};

/// A setting as operators see it.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Section and key of the TOML file.
    pub key: &'static str,
    /// Environment variable.
    pub env: &'static str,
    /// What happens without it.
    pub default: &'static str,
    /// What it is.
    pub doc: &'static str,
    /// It may stand in a file named by the variable with `_FILE` appended.
    pub secret: bool,
}

const fn setting(key: &'static str, env: &'static str, default: &'static str, doc: &'static str) -> Setting {
    Setting { key, env, default, doc, secret: false }
}

const fn secret(key: &'static str, env: &'static str, default: &'static str, doc: &'static str) -> Setting {
    Setting { key, env, default, doc, secret: true }
}

/// Every setting. `docs/configuration.md` is made from this table, and a test holds it against the structs.
pub const SETTINGS: &[Setting] = &[
    secret(
        "database.url",
        "FITTER_DATABASE_URL",
        "embedded PostgreSQL in the data folder",
        "PostgreSQL 15 or newer with pgvector, e.g. `postgres://fitter:…@db/fitter`.",
    ),
    setting(
        "database.max_connections",
        "FITTER_DATABASE_MAX_CONNECTIONS",
        "16",
        "Connections of this process; the embedded PostgreSQL always has one.",
    ),
    setting("storage.data_dir", "FITTER_DATA_DIR", "./data", "Folder for the embedded PostgreSQL and the photos."),
    setting("http.addr", "FITTER_HTTP_ADDR", "127.0.0.1:8080", "Where the webhook, `/healthz` and `/readyz` listen."),
    setting("metrics.addr", "FITTER_METRICS_ADDR", "127.0.0.1:9464", "Where `/metrics` listens, in Prometheus format."),
    secret("telegram.bot_token", "FITTER_BOT_TOKEN", "required by `serve`", "Token from BotFather; several bots: separated by commas."),
    setting("telegram.api_url", "FITTER_TELEGRAM_API_URL", "Telegram's own", "Bot API server."),
    setting(
        "telegram.webhook_url",
        "FITTER_WEBHOOK_URL",
        "long poll",
        "Public HTTPS address of this server; updates then come to `<url>/telegram/<bot id>`.",
    ),
    secret("telegram.webhook_secret", "FITTER_WEBHOOK_SECRET", "derived from the token", "1 to 256 of `A-Z a-z 0-9 _ -`."),
    setting("vault.path", "FITTER_VAULT", "none", "Folder of notes, read at start and whenever a file in it changes."),
    setting("embedder.kind", "FITTER_EMBEDDER", "none", "What makes vectors of the notes: `none`, `candle` or `fastembed`; see search.md."),
    setting("embedder.folder", "FITTER_EMBEDDER_FOLDER", "none", "Folder of the model."),
    setting("embedder.threads", "FITTER_EMBEDDER_THREADS", "1", "Models that work at once, 1 to 64."),
    setting("embedder.query_prefix", "FITTER_EMBEDDER_QUERY_PREFIX", "by the folder's name", "What the model wants before questions."),
    setting("embedder.passage_prefix", "FITTER_EMBEDDER_PASSAGE_PREFIX", "by the folder's name", "What the model wants before passages."),
    setting("embedder.pooling", "FITTER_EMBEDDER_POOLING", "as the folder says", "`mean` or `cls`."),
    setting(
        "embedder.runtime",
        "FITTER_EMBEDDER_RUNTIME",
        "the system's",
        "Library of the ONNX Runtime, for `fastembed` and the reranker.",
    ),
    setting("search.fusion", "FITTER_SEARCH_FUSION", "weight", "How words and vectors are weighed: `weight`, or `rrf` by their ranks."),
    setting(
        "search.lexical_weight",
        "FITTER_SEARCH_LEXICAL_WEIGHT",
        "0.4",
        "Share of the words, 0 to 1; `fitter eval retrieval --fit` finds it.",
    ),
    setting(
        "search.reranker",
        "FITTER_SEARCH_RERANKER",
        "none",
        "Folder of an ONNX cross-encoder that looks again where the order is doubtful.",
    ),
    setting("search.rerank_margin", "FITTER_SEARCH_RERANK_MARGIN", "0.05", "Doubtful: the second passage has so little less, as a share."),
    setting("search.rerank_ms", "FITTER_SEARCH_RERANK_MS", "800", "Milliseconds that the second look may take."),
    setting(
        "vault.git_url",
        "FITTER_VAULT_GIT_URL",
        "none",
        "Repository of notes instead of a folder: `https://…`, `ssh://…`, `git@host:path` or a folder; without a password.",
    ),
    setting("vault.git_branch", "FITTER_VAULT_GIT_BRANCH", "the server's own", "Its branch."),
    setting("vault.git_token_file", "FITTER_VAULT_GIT_TOKEN_FILE", "none", "File with the token for `https://`."),
    setting("vault.git_ssh_key_file", "FITTER_VAULT_GIT_SSH_KEY_FILE", "none", "File with the private key for ssh."),
    setting(
        "vault.git_poll",
        "FITTER_VAULT_GIT_POLL",
        "60",
        "Seconds between two looks at the repository; a push that is told of is looked at at once.",
    ),
    secret(
        "vault.hook_secret",
        "FITTER_VAULT_HOOK_SECRET",
        "no webhook",
        "Secret of the push webhook of GitHub, GitLab, Gitea or Forgejo, which then comes to `/hooks/vault`; 16 characters or more.",
    ),
    setting(
        "vault.drafts",
        "FITTER_VAULT_DRAFTS",
        "answers are not saved",
        "Folder inside the vault, e.g. `Черновики`, where managers save their answers as draft notes.",
    ),
    setting(
        "llm.provider",
        "FITTER_LLM",
        "off",
        "Who sums up what the search found: `off`, `openai` (and servers that speak its protocol), `anthropic`, `gemini`, `ollama`.",
    ),
    setting("llm.model", "FITTER_LLM_MODEL", "required with a provider", "The model's name there."),
    setting("llm.url", "FITTER_LLM_URL", "the provider's own", "Its server, e.g. `http://gpu.local:8000/v1/`."),
    secret("llm.key", "FITTER_LLM_KEY", "none", "The key; servers of your own may need none."),
    setting("llm.timeout", "FITTER_LLM_TIMEOUT", "30", "Seconds until the quoted note is shown without it: 1 to 120."),
    setting("llm.max_tokens", "FITTER_LLM_MAX_TOKENS", "1000", "Tokens of an answer; models that think aloud need more."),
    setting("llm.at_once", "FITTER_LLM_AT_ONCE", "4", "Answers under way at once, 1 to 6; who comes beyond reads the quoted note."),
    setting("llm.drafts", "FITTER_LLM_DRAFTS", "true", "Show answers while they are written."),
    setting("log.filter", "FITTER_LOG", "info", "Directives of tracing's EnvFilter, e.g. `info,fitter_bot=debug`."),
    setting("log.json", "FITTER_LOG_JSON", "false", "One JSON object per line, for machines."),
];

/// The whole configuration.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `[database]`
    pub database: Database,
    /// `[storage]`
    pub storage: Storage,
    /// `[http]`
    pub http: Http,
    /// `[metrics]`
    pub metrics: Metrics,
    /// `[telegram]`
    pub telegram: Telegram,
    /// `[vault]`
    pub vault: Vault,
    /// `[embedder]`
    pub embedder: Embedder,
    /// `[search]`
    pub search: Search,
    /// `[llm]`
    pub llm: Llm,
    /// `[log]`
    pub log: Log,
}

/// Variables that are not settings.
const OTHER_VARIABLES: [&str; 3] = ["FITTER_CONFIG", "FITTER_TEST_DATABASE_URL", "FITTER_TEST_POSTGRES"];

impl Config {
    /// Reads the file, if there is one, and the environment over it.
    ///
    /// # Errors
    /// An unknown or malformed key, named.
    pub fn load(file: Option<&Path>, env: impl IntoIterator<Item = (String, String)>) -> anyhow::Result<Self> {
        let mut text = Figment::new();
        if let Some(file) = file {
            ensure!(file.is_file(), "configuration file {} does not exist", file.display());
            text = text.merge(Toml::file_exact(file));
        }
        Self::over(text, env)
    }

    /// Reads the text of a file, and the environment over it.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn read(text: &str, env: impl IntoIterator<Item = (String, String)>) -> anyhow::Result<Self> {
        Self::over(Figment::from(Toml::string(text)), env)
    }

    fn over(text: Figment, env: impl IntoIterator<Item = (String, String)>) -> anyhow::Result<Self> {
        let figment = Figment::from(Serialized::defaults(Self::default())).merge(text).merge(Serialized::globals(variables(env)?));
        let config: Self = figment.extract().map_err(|error| anyhow::anyhow!("configuration: {}", without_quote(&error.to_string())))?;
        config.validate()?;
        Ok(config)
    }

    fn validate(&self) -> anyhow::Result<()> {
        ensure!(self.database.max_connections > 0, "database.max_connections must be at least 1");
        let Embedder { kind, folder, threads, .. } = &self.embedder;
        ensure!(*kind == EmbedderKind::None || folder.is_some(), "embedder.folder: name the folder of the model");
        ensure!((1..=64).contains(threads), "embedder.threads must be 1 to 64");
        ensure!((0.0..=1.0).contains(&self.search.lexical_weight), "search.lexical_weight must be 0 to 1");
        ensure!((0.0..=1.0).contains(&self.search.rerank_margin), "search.rerank_margin must be 0 to 1");
        ensure!((1..=120).contains(&self.llm.timeout), "llm.timeout must be 1 to 120 seconds");
        ensure!((100..=32_000).contains(&self.llm.max_tokens), "llm.max_tokens must be 100 to 32000");
        // Two of the eight places for slow work stay free for what needs no model.
        ensure!((1..=6).contains(&self.llm.at_once), "llm.at_once must be 1 to 6");
        if let Some(url) = &self.llm.url {
            ensure!(["http", "https"].contains(&url.scheme()), "llm.url must begin with http:// or https://");
        }
        if let Some(secret) = &self.telegram.webhook_secret {
            let secret = secret.expose_secret();
            let fits = (1..=256).contains(&secret.len()) && secret.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
            ensure!(fits, "telegram.webhook_secret must be 1 to 256 characters of A-Z a-z 0-9 _ -");
        }
        self.vault.validate()
    }

    /// The bot tokens.
    #[must_use]
    pub fn tokens(&self) -> Vec<SecretString> {
        let tokens = self.telegram.bot_token.as_ref().map(|tokens| tokens.expose_secret().to_owned()).unwrap_or_default();
        tokens.split([',', ' ', '\n']).filter(|token| !token.is_empty()).map(SecretString::from).collect()
    }
}

/// The TOML parser quotes the line that it cannot read between its place and its reason, and a secret may stand in it.
fn without_quote(error: &str) -> String {
    match (error.split_once('\n'), error.rsplit_once("^\n")) {
        (Some((place, _)), Some((_, reason))) => format!("{place}: {}", reason.trim().replace('\n', ", ")),
        _ => error.to_owned(),
    }
}

/// A switch, a number or text, in quotes or not. No setting is a list or a table, and figment's parser of values goes down into those until the
/// stack is full, and panics at some quotes.
fn scalar(text: &str) -> Value {
    let text = text.trim();
    if let Some(quoted) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        return Value::from(quoted);
    }
    let switch = text.parse::<bool>().map(Value::from).ok();
    let fraction = || text.parse::<f64>().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit() || b == b'.')).map(Value::from);
    switch.or_else(|| text.parse::<u64>().map(Value::from).ok()).or_else(fraction).unwrap_or_else(|| Value::from(text))
}

/// The settings among environment variables.
fn variables(env: impl IntoIterator<Item = (String, String)>) -> anyhow::Result<Dict> {
    let mut dict = Dict::new();
    for (name, value) in env.into_iter().filter(|(name, _)| name.starts_with("FITTER_")) {
        if OTHER_VARIABLES.contains(&name.as_str()) {
            continue;
        }
        let plain = SETTINGS.iter().find(|setting| setting.env == name);
        let from_file = name.strip_suffix("_FILE").and_then(|name| SETTINGS.iter().find(|setting| setting.secret && setting.env == name));
        let (setting, value) = match (plain, from_file) {
            (Some(setting), _) => (setting, value),
            (None, Some(setting)) => {
                let text = std::fs::read_to_string(&value).with_context(|| format!("{name}: cannot read {value}"))?;
                (setting, text.trim().to_owned())
            }
            (None, None) => bail!("unknown variable {name}; docs/configuration.md lists the known ones"),
        };
        if value.is_empty() {
            continue;
        }
        let (section, key) = setting.key.split_once('.').with_context(|| format!("setting {} has no section", setting.key))?;
        let value = if setting.secret { Value::from(value) } else { scalar(&value) };
        match dict.entry(section.to_owned()).or_insert_with(|| Value::from(Dict::new())) {
            Value::Dict(_, inner) => inner.insert(key.to_owned(), value),
            _ => None,
        };
    }
    Ok(dict)
}

/// `docs/configuration.md`.
#[must_use]
pub fn document() -> String {
    let mut text = String::from(
        "# Configuration\n\n\
         Generated by `cargo xtask docs` from the settings of the program; a test checks that it is current.\n\n\
         `fitter` reads the TOML file named by `--config` or `FITTER_CONFIG`, then the environment over it. Unknown keys and variables are\n\
         refused. A secret can be read from a file: append `_FILE` to its variable and give the path.\n\n\
         | variable | file key | default | what |\n| --- | --- | --- | --- |\n",
    );
    for setting in SETTINGS {
        let mark = if setting.secret { " (secret)" } else { "" };
        text.push_str(&format!("| `{}`{mark} | `{}` | {} | {} |\n", setting.env, setting.key, setting.default, setting.doc));
    }
    text.push_str(
        "\n## Example\n\n```toml\n[database]\nurl = \"postgres://fitter:secret@localhost/fitter\"\n\n[telegram]\nbot_token = \"123456:ABC\"\n\n\
         [vault]\npath = \"/srv/vault\"\n```\n",
    );
    text
}

#[cfg(test)]
mod tests;
