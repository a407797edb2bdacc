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
            "database.max_connections" => "4",
            "http.addr" | "metrics.addr" => "127.0.0.1:1",
            "log.json" => "true",
            "embedder.kind" => "none",
            "embedder.pooling" => "cls",
            "embedder.threads" | "search.rerank_ms" => "2",
            "search.fusion" => "rrf",
            "search.lexical_weight" | "search.rerank_margin" => "0.3",
            key if key.ends_with("url") => "http://127.0.0.1:1/",
            _ => "abc",
        };
        load(&[(setting.env, value)]).unwrap_or_else(|error| panic!("{}: {error}", setting.env));
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
