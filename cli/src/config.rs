//! Configuration: one struct per section; a TOML file, then `FITTER_*` variables over it. Unknown keys are refused, and every error names its
//! key. A secret can stand in a file of its own: `FITTER_BOT_TOKEN_FILE=/run/secrets/bot`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use figment::Figment;
use figment::providers::{Format as _, Serialized, Toml};
use figment::value::{Dict, Value};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

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
    setting("log.filter", "FITTER_LOG", "info", "Directives of tracing's EnvFilter, e.g. `info,fitter_bot=debug`."),
    setting("log.json", "FITTER_LOG_JSON", "false", "One JSON object per line, for machines."),
];

/// `[database]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// See [`SETTINGS`].
    #[serde(skip_serializing)]
    pub url: Option<SecretString>,
    /// See [`SETTINGS`].
    pub max_connections: u32,
}

/// `[storage]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Storage {
    /// See [`SETTINGS`].
    pub data_dir: PathBuf,
}

/// `[http]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// See [`SETTINGS`].
    pub addr: SocketAddr,
}

/// `[metrics]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Metrics {
    /// See [`SETTINGS`].
    pub addr: SocketAddr,
}

/// `[telegram]`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Telegram {
    /// See [`SETTINGS`].
    #[serde(skip_serializing)]
    pub bot_token: Option<SecretString>,
    /// See [`SETTINGS`].
    pub api_url: Option<Url>,
    /// See [`SETTINGS`].
    pub webhook_url: Option<Url>,
    /// See [`SETTINGS`].
    #[serde(skip_serializing)]
    pub webhook_secret: Option<SecretString>,
}

/// `[vault]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Vault {
    /// See [`SETTINGS`].
    pub path: Option<PathBuf>,
    /// See [`SETTINGS`].
    pub git_url: Option<String>,
    /// See [`SETTINGS`].
    pub git_branch: Option<String>,
    /// See [`SETTINGS`].
    pub git_token_file: Option<PathBuf>,
    /// See [`SETTINGS`].
    pub git_ssh_key_file: Option<PathBuf>,
    /// See [`SETTINGS`].
    pub git_poll: u64,
    /// See [`SETTINGS`].
    #[serde(skip_serializing)]
    pub hook_secret: Option<SecretString>,
}

/// `[log]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// See [`SETTINGS`].
    pub filter: String,
    /// See [`SETTINGS`].
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
impl Default for Vault {
    fn default() -> Self {
        Self { path: None, git_url: None, git_branch: None, git_token_file: None, git_ssh_key_file: None, git_poll: 60, hook_secret: None }
    }
}
impl Default for Log {
    fn default() -> Self {
        Self { filter: "info".to_owned(), json: false }
    }
}

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

impl Vault {
    fn validate(&self) -> anyhow::Result<()> {
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
    switch.or_else(|| text.parse::<u64>().map(Value::from).ok()).unwrap_or_else(|| Value::from(text))
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
mod tests {
    use super::*;

    fn load(env: &[(&str, &str)]) -> anyhow::Result<Config> {
        Config::load(None, env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn the_document_is_current() {
        assert_eq!(document(), include_str!("../../docs/configuration.md"), "run `cargo xtask docs`");
    }

    #[test]
    fn every_setting_of_the_table_is_accepted() {
        for setting in SETTINGS {
            let value = match setting.key {
                "database.max_connections" | "vault.git_poll" => "4",
                "vault.hook_secret" => "0123456789abcdef",
                "http.addr" | "metrics.addr" => "127.0.0.1:1",
                "log.json" => "true",
                key if key.ends_with("url") => "http://127.0.0.1:1/",
                _ => "abc",
            };
            // These mean something only together with the address.
            let url = setting.key.starts_with("vault.git_") && setting.key != "vault.git_url";
            let env = [(setting.env, value), ("FITTER_VAULT_GIT_URL", "https://host/notes.git")];
            load(env.get(..1 + usize::from(url)).unwrap_or_default()).unwrap_or_else(|error| panic!("{}: {error}", setting.env));
        }
    }

    #[test]
    fn every_field_is_in_the_table() {
        let mut missing: Vec<String> = Vec::new();
        let Ok(Value::Dict(_, sections)) = Value::serialize(Config::default()) else { panic!("a struct") };
        for (section, value) in sections {
            let Value::Dict(_, keys) = value else { panic!("a section") };
            missing
                .extend(keys.keys().map(|key| format!("{section}.{key}")).filter(|key| !SETTINGS.iter().any(|setting| setting.key == key)));
        }
        assert_eq!(missing, Vec::<String>::new());
    }

    #[test]
    fn a_broken_file_is_not_quoted() {
        for broken in ["bot_token = \"12345:secret", "bot_token = 12345:secret", "bot_token = \"12345:secret\" x", "12345:secret"] {
            let said = Config::read(&format!("[telegram]\n{broken}\n"), []).unwrap_err().to_string();
            assert!(said.contains("at line 2") && !said.contains("secret"), "{said}");
        }
    }

    #[test]
    fn brackets_are_text() {
        assert_eq!(load(&[("FITTER_HTTP_ADDR", "[::1]:8080")]).unwrap().http.addr.port(), 8080);
        assert_eq!(load(&[("FITTER_LOG", r#""info""#)]).unwrap().log.filter, "info");
        let deep = "[".repeat(100_000);
        assert_eq!(load(&[("FITTER_LOG", &deep)]).unwrap().log.filter, deep);
    }

    #[test]
    fn the_source_of_the_notes_is_one_and_has_no_password() {
        let url = ("FITTER_VAULT_GIT_URL", "https://host/notes.git");
        for (env, said) in [
            (vec![url, ("FITTER_VAULT", "/srv")], "exclude each other"),
            (vec![("FITTER_VAULT_GIT_URL", "https://a:hunter2@host/notes.git")], "vault.git_token_file"),
            (vec![("FITTER_VAULT_GIT_URL", "--upload-pack=x")], "vault.git_url is not an address"),
            (vec![("FITTER_VAULT_GIT_BRANCH", "main")], "vault.git_branch needs vault.git_url"),
            (vec![url, ("FITTER_VAULT_HOOK_SECRET", "short")], "at least 16"),
            (vec![url, ("FITTER_VAULT_GIT_POLL", "0")], "at least 1"),
        ] {
            let error = load(&env).unwrap_err().to_string();
            assert!(error.contains(said) && !error.contains("hunter2"), "{error}");
        }
        assert!(load(&[url, ("FITTER_VAULT_GIT_BRANCH", "main")]).is_ok());
    }

    #[test]
    fn unknown_and_malformed_keys_are_named() {
        assert!(load(&[("FITTER_TOKEN", "x")]).unwrap_err().to_string().contains("FITTER_TOKEN"));
        assert!(load(&[("FITTER_HTTP_ADDR", "nonsense")]).unwrap_err().to_string().contains("http.addr"));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[telegram]\ntokn = \"1:a\"\n").unwrap();
        assert!(Config::load(Some(file.path()), []).unwrap_err().to_string().contains("tokn"));
        assert!(Config::load(Some(Path::new("/nowhere.toml")), []).unwrap_err().to_string().contains("/nowhere.toml"));
    }

    #[test]
    fn the_environment_stands_over_the_file_and_secrets_come_from_files() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[http]\naddr = \"127.0.0.1:1\"\n[vault]\npath = \"/v\"\n").unwrap();
        let token = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(token.path(), "7:abc\n").unwrap();
        let env = [
            ("FITTER_HTTP_ADDR".to_owned(), "127.0.0.1:2".to_owned()),
            ("FITTER_BOT_TOKEN_FILE".to_owned(), token.path().display().to_string()),
        ];
        let config = Config::load(Some(file.path()), env).unwrap();
        assert_eq!(config.http.addr.port(), 2);
        assert_eq!(config.vault.path, Some(PathBuf::from("/v")));
        assert_eq!(config.tokens()[0].expose_secret(), "7:abc");
        assert!(!format!("{config:?}").contains("7:abc"));
    }
}
