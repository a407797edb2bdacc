use std::path::PathBuf;

use super::*;

fn load(env: &[(&str, &str)]) -> anyhow::Result<Config> {
    Config::load(None, env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

#[test]
fn the_document_is_current() {
    assert_eq!(document(), include_str!("../../../docs/configuration.md"), "run `cargo xtask docs`");
}

#[test]
fn every_setting_of_the_table_is_accepted() {
    for setting in SETTINGS {
        let value = match setting.key {
            "database.max_connections" | "llm.at_once" | "vault.git_poll" => "4",
            "vault.hook_secret" => "0123456789abcdef",
            "http.addr" | "metrics.addr" => "127.0.0.1:1",
            "log.json" | "llm.drafts" => "true",
            "embedder.kind" => "none",
            "embedder.pooling" => "cls",
            "embedder.threads" | "search.rerank_ms" => "2",
            "search.fusion" => "rrf",
            "search.lexical_weight" | "search.rerank_margin" => "0.3",
            "llm.provider" => "ollama",
            "llm.timeout" => "60",
            "llm.max_tokens" => "4000",
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
        missing.extend(keys.keys().map(|key| format!("{section}.{key}")).filter(|key| !SETTINGS.iter().any(|setting| setting.key == key)));
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
fn a_model_has_a_folder_and_a_weight_is_a_share() {
    let said = |env: &[(&str, &str)]| load(env).unwrap_err().to_string();
    assert!(said(&[("FITTER_EMBEDDER", "candle")]).contains("embedder.folder"));
    assert!(said(&[("FITTER_EMBEDDER", "magic")]).contains("embedder.kind"));
    assert!(said(&[("FITTER_SEARCH_LEXICAL_WEIGHT", "1.5")]).contains("search.lexical_weight"));
    let prefix = load(&[("FITTER_EMBEDDER_QUERY_PREFIX", "\"query: \"")]).unwrap().embedder.query_prefix;
    assert_eq!(prefix.as_deref(), Some("query: "));
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
fn limits_of_language_models_are_held() {
    for (name, bad) in [("TIMEOUT", "0"), ("TIMEOUT", "500"), ("MAX_TOKENS", "5"), ("AT_ONCE", "0"), ("AT_ONCE", "7"), ("URL", "ftp://x/")]
    {
        let said = load(&[(&format!("FITTER_LLM_{name}"), bad)]).unwrap_err().to_string();
        assert!(said.contains(&format!("llm.{}", name.to_lowercase())), "{said}");
    }
    assert!(load(&[("FITTER_LLM", "skynet")]).unwrap_err().to_string().contains("llm.provider"));
    assert!(!format!("{:?}", load(&[("FITTER_LLM_KEY", "k-123")]).unwrap()).contains("k-123"));
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
