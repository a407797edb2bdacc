//! Commands, refusals to start, webhooks, metrics.

use std::time::Duration;

use fitter_testkit::app::{eventually, run};
use fitter_testkit::command::{Said, said};
use fitter_testkit::telegram::client;
use fitter_testkit::{Fitter, Storage};
use serde_json::{Value, json};

use crate::{options, shared, vault};

/// Runs `serve` with other settings, to the end that it has to come to.
async fn refusal(fitter: &Fitter, env: &[(&str, &str)], args: &[&str]) -> Said {
    let mut command = fitter.command();
    command.arg("serve").args(args);
    for (name, value) in env {
        if value.is_empty() {
            command.env_remove(name)
        } else {
            command.env(name, value)
        };
    }
    let said = said(command).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    said
}

/// The last line, which is meant for people.
fn sentence(said: &Said) -> &str {
    said.err.lines().last().unwrap_or_default()
}

#[test]
fn a_wrong_token_is_named() {
    run(async {
        let fitter = Fitter::prepare(options()).await;
        let missing = refusal(&fitter, &[("FITTER_BOT_TOKEN", "")], &[]).await;
        assert!(sentence(&missing).starts_with("fitter: telegram.bot_token: no token; make a bot with @BotFather"), "{missing:?}");
        let token = fitter.telegram.tokens();
        let malformed = refusal(&fitter, &[("FITTER_BOT_TOKEN", &format!("{token},secretsecret"))], &[]).await;
        assert!(sentence(&malformed).contains("token 2 is malformed"), "{malformed:?}");
        assert!(!malformed.err.contains("secretsecret"), "{malformed:?}");
        let unknown = refusal(&fitter, &[("FITTER_BOT_TOKEN", "7000099:AAHunknownsecret")], &[]).await;
        assert!(sentence(&unknown).starts_with("fitter: bot 7000099: Telegram does not know this token"), "{unknown:?}");
        assert!(!unknown.err.contains("AAHunknownsecret"), "{unknown:?}");
        let twice = refusal(&fitter, &[("FITTER_BOT_TOKEN", &format!("{token},{token}"))], &[]).await;
        assert!(sentence(&twice).contains("it is configured twice"), "{twice:?}");
    });
}

#[test]
fn a_wrong_configuration_is_named() {
    run(async {
        let fitter = Fitter::prepare(options()).await;
        let unknown = refusal(&fitter, &[("FITTER_BOT_TOKN", "x")], &[]).await;
        assert!(sentence(&unknown).contains("FITTER_BOT_TOKN"), "{unknown:?}");
        let addr = refusal(&fitter, &[("FITTER_HTTP_ADDR", "nowhere")], &[]).await;
        assert!(sentence(&addr).contains("http.addr") || sentence(&addr).contains("FITTER_HTTP_ADDR"), "{addr:?}");
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().to_string();
        let http = refusal(&fitter, &[("FITTER_HTTP_ADDR", &port)], &[]).await;
        assert!(sentence(&http).contains("set FITTER_HTTP_ADDR to a free address"), "{http:?}");
        let metrics = refusal(&fitter, &[("FITTER_METRICS_ADDR", &port)], &[]).await;
        assert!(sentence(&metrics).contains("set FITTER_METRICS_ADDR to a free address"), "{metrics:?}");
        let vault = refusal(&fitter, &[("FITTER_VAULT", "/no/such/folder")], &[]).await;
        assert!(sentence(&vault).contains("vault.path: /no/such/folder is not a folder"), "{vault:?}");
        let filter = refusal(&fitter, &[("FITTER_LOG", "fitter=loud")], &[]).await;
        assert!(sentence(&filter).contains("log.filter"), "{filter:?}");
    });
}

#[test]
fn a_database_that_cannot_be_used_is_named() {
    run(async {
        let fitter = Fitter::prepare(options().env("FITTER_VAULT", vault().display().to_string())).await;
        let away = refusal(&fitter, &[("FITTER_DATABASE_URL", "postgres://fitter:hunter2@127.0.0.1:1/fitter")], &[]).await;
        assert!(sentence(&away).starts_with("fitter: cannot connect to PostgreSQL:"), "{away:?}");
        assert!(!away.err.contains("hunter2"), "{away:?}");
        let odd = refusal(&fitter, &[("FITTER_DATABASE_URL", "mysql://fitter:hunter2@db/fitter")], &[]).await;
        assert!(sentence(&odd).contains("is not a PostgreSQL address"), "{odd:?}");
        assert!(!odd.err.contains("hunter2"), "{odd:?}");

        // A database without migrations: told what to do; after that it starts.
        let url = fitter.database_url().unwrap();
        let name = format!("fitter_test_empty_{}", std::process::id());
        fitter.execute(&format!("DROP DATABASE IF EXISTS {name}")).await;
        fitter.execute(&format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")).await;
        let (server, _) = url.rsplit_once('/').unwrap();
        let rest = url.split_once('?').map(|(_, rest)| format!("?{rest}")).unwrap_or_default();
        let empty = format!("{server}/{name}{rest}");
        let pending = refusal(&fitter, &[("FITTER_DATABASE_URL", &empty)], &[]).await;
        assert!(
            sentence(&pending).contains("migrations are pending (0001 init") && sentence(&pending).contains("run `fitter migrate`"),
            "{pending:?}"
        );
        let with = async |args: &[&str]| {
            let mut command = fitter.command();
            command.args(args).env("FITTER_DATABASE_URL", &empty);
            said(command).await
        };
        let doctor = with(&["doctor"]).await;
        assert_eq!(doctor.code, Some(1));
        assert!(doctor.out.contains("FAIL  database:") && doctor.out.contains("run `fitter migrate`"), "{doctor:?}");
        for _ in 0..2 {
            let migrated = with(&["migrate"]).await;
            assert_eq!((migrated.code, migrated.out.as_str()), (Some(0), "the database is up to date\n"), "{migrated:?}");
        }
        let doctor = with(&["doctor"]).await;
        assert_eq!(doctor.code, Some(0), "{doctor:?}");
        for line in [
            "ok    configuration: read",
            "ok    data folder: ",
            "ok    database: external PostgreSQL ",
            "ok    pgvector: ",
            "ok    dead letters: none",
            "ok    queues: inbox 0, outbox 0, job 0",
            "ok    vault: 11 notes, 6 procedures, 0 errors",
            "ok    telegram: bot 7000001 is @fitter0_bot",
        ] {
            assert!(doctor.out.contains(line), "«{line}» in {}", doctor.out);
        }
        fitter.execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
    });
}

#[test]
fn doctor_names_everything_that_is_wrong() {
    run(async {
        let fitter = Fitter::prepare(options()).await;
        let mut command = fitter.command();
        command
            .arg("doctor")
            .env("FITTER_DATABASE_URL", "postgres://x@127.0.0.1:1/x")
            .env("FITTER_VAULT", "/no/such/folder")
            .env("FITTER_BOT_TOKEN", "7000099:AAHunknownsecret")
            .env("FITTER_DATA_DIR", "/proc/fitter");
        let doctor = said(command).await;
        assert_eq!(doctor.code, Some(1));
        for line in
            ["FAIL  data folder: ", "FAIL  database: cannot connect", "FAIL  vault: ", "FAIL  telegram: Telegram does not know this token"]
        {
            assert!(doctor.out.contains(line), "«{line}» in {}", doctor.out);
        }
        assert!(!doctor.out.contains("AAHunknownsecret"));
    });
}

#[test]
fn a_webhook_of_another_program_is_not_taken_away_by_itself() {
    run(async {
        let fitter = Fitter::prepare(options()).await;
        let set = async |url: &str| fitter.telegram.bot_api(0, "setWebhook", json!({"url": url})).await;
        assert_eq!(set("http://127.0.0.1:9/other/secretpath").await["ok"], true);
        let polling = refusal(&fitter, &[], &[]).await;
        assert!(sentence(&polling).contains("this bot has a webhook, so its updates go there"), "{polling:?}");
        let hooking = refusal(&fitter, &[("FITTER_WEBHOOK_URL", "http://127.0.0.1:9")], &[]).await;
        assert!(sentence(&hooking).contains("leads to another program (127.0.0.1)"), "{hooking:?}");
        assert!(!hooking.err.contains("secretpath"), "{hooking:?}");
    });
    run(async {
        let fitter = Fitter::prepare(options().arg("--take-over")).await;
        fitter.telegram.bot_api(0, "setWebhook", json!({"url": "http://127.0.0.1:9/other"})).await;
        fitter.launch().await;
        let info = fitter.telegram.bot_api(0, "getWebhookInfo", json!({})).await;
        assert_eq!(info["result"]["url"], "");
        let aidos = fitter.technician("Айдос").await;
        aidos.sees("Айдос, чем помочь?").await;
        fitter.finish().await;
    });
}

#[test]
fn updates_come_by_webhook() {
    run(async {
        let options =
            options().vault(vault()).env("FITTER_WEBHOOK_URL", "http://{http}").env("FITTER_WEBHOOK_SECRET", "a-secret_of-the-webhook");
        let fitter = Fitter::start(options).await;
        let info = fitter.telegram.bot_api(0, "getWebhookInfo", json!({})).await;
        assert_eq!(info["result"]["url"], format!("http://{}/telegram/7000001", fitter.http_addr()));
        let aidos = fitter.technician("Айдос").await;
        aidos.say("какой предохранитель на питание маяка").await;
        aidos.got("3 А, плавкий").await;

        let door = client();
        let url = format!("http://{}/telegram/7000001", fitter.http_addr());
        let knock = async |url: &str, secret: Option<&str>, body: String| {
            let request = door.post(url).body(body);
            let request = match secret {
                Some(secret) => request.header("x-telegram-bot-api-secret-token", secret),
                None => request,
            };
            request.send().await.unwrap().status().as_u16()
        };
        let update = |id: i64| {
            let chat = json!({"id": aidos.id, "type": "private", "first_name": "Айдос"});
            json!({"update_id": id, "message": {"message_id": 900, "date": 1, "chat": chat, "from": {"id": aidos.id, "is_bot": false, "first_name": "Айдос"}, "text": "/help"}}).to_string()
        };
        let items = async || fitter.count("SELECT count(*) FROM queue_items WHERE queue = 1").await;
        let before = items().await;
        for secret in [None, Some(""), Some("a-secret_of-the-webhoo"), Some("wrong")] {
            assert_eq!(knock(&url, secret, update(1)).await, 401, "{secret:?}");
        }
        let secret = Some("a-secret_of-the-webhook");
        let other = format!("http://{}/telegram/7000002", fitter.http_addr());
        assert_eq!(knock(&other, secret, update(1)).await, 401);
        assert_eq!(knock(&url, secret, "not json".to_owned()).await, 400);
        assert_eq!(knock(&url, secret, format!("{}{}", " ".repeat(2 << 20), update(1))).await, 413);
        assert_eq!(items().await, before);
        // The same update twice is one event.
        assert_eq!(knock(&url, secret, update(1)).await, 200);
        assert_eq!(knock(&url, secret, update(1)).await, 200);
        aidos.wait_for("Что я умею:").await;
        fitter.quiet().await;
        assert_eq!(aidos.count("Что я умею:").await, 1);
        assert_eq!(items().await, before + 1);
        // JSON that Telegram never sent is kept or refused, but does no harm.
        for odd in [
            "{}",
            "[]",
            "null",
            "{\"update_id\": 2}",
            "{\"update_id\": 3, \"quantum\": {\"a\": 1}}",
            "{\"update_id\":4,\"message\":{\"message_id\":1,\"chat\":{\"id\":\"x\"},\"text\":5}}",
        ] {
            let status = knock(&url, secret, odd.to_owned()).await;
            assert!(status == 200 || status == 400, "{odd}: {status}");
        }
        // SIGTERM leaves the webhook in place for the next version.
        fitter.quiet().await;
        fitter.restart().await;
        aidos.say("/menu").await;
        aidos.sees("Айдос, чем помочь?").await;
        fitter.finish().await;
    });
}

#[test]
fn a_second_poller_hears_why() {
    run(async {
        let fitter = Fitter::start(options()).await;
        let aidos = fitter.technician("Айдос").await;
        // With the same database it stands by and works; whichever goes, the other takes over.
        let rival = tempfile::tempdir().unwrap();
        let log = rival.path().join("log");
        let file = || std::fs::File::options().create(true).append(true).open(&log).unwrap();
        let spawn = |database: Option<String>| {
            let mut command = fitter.command();
            command.arg("serve").env("FITTER_HTTP_ADDR", "127.0.0.1:0").env("FITTER_METRICS_ADDR", "127.0.0.1:0");
            command.env("FITTER_DATA_DIR", rival.path().join("data")).stdout(file()).stderr(file());
            match database {
                Some(url) => command.env("FITTER_DATABASE_URL", url),
                None => command.env_remove("FITTER_DATABASE_URL"),
            };
            command.spawn().unwrap()
        };
        let mut second = spawn(fitter.database_url());
        let text = || std::fs::read_to_string(&log).unwrap_or_default();
        eventually("the second one is ready", async || text().contains("ready").then_some(())).await;
        aidos.say("/menu").await;
        assert!(!text().contains("ERROR"), "{}", text());
        fitter.kill9();
        fitter.expire_leases().await;
        aidos.say("/help").await;
        aidos.sees("Что я умею:").await;
        fitter.launch().await;
        second.kill().unwrap();
        second.wait().unwrap();
        fitter.expire_leases().await;
        aidos.say("/menu").await;

        // With another database it is a stranger: the log says what to do.
        let mut stranger = spawn(None);
        let message = "another program fetches the updates of this bot: stop it, or give Fitter a bot of its own";
        let told = async || (text().contains(message) || fitter.log().contains(message)).then_some(());
        eventually("one of the two says so", told).await;
        stranger.kill().unwrap();
        stranger.wait().unwrap();
        aidos.say("/menu").await;
        fitter.finish().await;
    });
}

#[test]
fn import_names_what_is_broken() {
    run(async {
        let fitter = Fitter::prepare(options().vault(vault()).storage(Storage::Embedded)).await;
        let vault = fitter.vault().display().to_string();
        let fine = fitter.cli(["import", &vault]).await;
        assert_eq!(fine.code, Some(0), "{fine:?}");
        assert!(fine.out.starts_with("11 notes (11 changed, 0 removed), ") && fine.out.ends_with(" passages, 6 procedures\n"), "{fine:?}");
        let again = fitter.cli(["import", &vault]).await;
        assert!(again.out.starts_with("11 notes (0 changed, 0 removed), "), "{again:?}");

        let note = fitter.vault().join("Короткая проверка.md");
        let text = std::fs::read_to_string(&note).unwrap();
        std::fs::write(&note, text.replace("> min: 9\n", "> min: девять\n")).unwrap();
        std::fs::remove_file(fitter.vault().join("Гарантия.md")).unwrap();
        for args in [vec!["import", "--check", &vault], vec!["import", &vault]] {
            let mut command = fitter.command();
            command.args(&args);
            let broken = said(command).await;
            assert_eq!(broken.code, Some(1), "{broken:?}");
            let line = broken.out.lines().find(|line| line.contains("девять")).unwrap_or_else(|| panic!("{broken:?}"));
            assert!(line.starts_with("Короткая проверка.md:13: error: "), "{line}");
        }
        let nowhere = fitter.cli(["import", "/no/such/folder"]).await;
        assert_eq!(nowhere.code, Some(1));
        assert_eq!(nowhere.err, "fitter: /no/such/folder is not a folder\n");

        // What was imported is found; the broken note is found as text.
        let found = fitter.cli(["search", "--json", "предохранитель на питание маяка"]).await;
        assert_eq!(found.code, Some(0), "{found:?}");
        let hits: Vec<Value> = found.out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{found:?}"))).collect();
        assert_eq!(hits[0]["note"], "Предохранитель.md");
        assert_eq!(hits[0]["heading"], "Номинал");
        assert!(hits[0]["text"].as_str().unwrap().contains("3 А, плавкий"));
        assert!(hits.iter().all(|hit| hit["note"] != "Закупка.md" && hit["note"] != "Гарантия.md"), "{hits:?}");
        let plain = fitter.cli(["search", "показание"]).await;
        assert!(plain.out.contains("Короткая проверка.md"), "{plain:?}");
    });
}

#[test]
fn search_answers_a_file_of_questions() {
    run(async {
        let fitter = Fitter::prepare(options().vault(vault()).storage(Storage::Embedded)).await;
        let questions = fitter.vault().join("questions.jsonl");
        std::fs::write(
            &questions,
            "{\"id\": \"q1\", \"text\": \"какой предохранитель\"}\n\n{\"id\": 2, \"text\": \"зщшгк\", \"more\": 1}\n",
        )
        .unwrap();
        let (vault, file) = (fitter.vault().display().to_string(), questions.display().to_string());
        let said = fitter.cli(["search", "--vault", &vault, "--queries", &file, "-k", "3"]).await;
        assert_eq!(said.code, Some(0), "{said:?}");
        let answers: Vec<Value> = said.out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{said:?}"))).collect();
        assert_eq!(answers.len(), 2);
        assert_eq!(answers[0]["id"], "q1");
        let hits = answers[0]["hits"].as_array().unwrap();
        assert!((1..=3).contains(&hits.len()));
        assert_eq!(hits[0]["note"], "Предохранитель.md");
        assert!(hits[0]["start_line"].as_u64().unwrap() > 0 && hits[0]["score"].is_number() && hits[0].get("text").is_none());
        assert_eq!(answers[1]["id"], 2);
        assert!(!fitter.data_dir().join("db").exists(), "no database is needed");

        std::fs::write(&questions, "{\"id\": 1, \"text\": \"а\"}\nnot json\n").unwrap();
        let broken = fitter.cli(["search", "--vault", &vault, "--queries", &file]).await;
        assert_eq!(broken.code, Some(1));
        assert!(broken.err.contains(&format!("{file}:2: not a question")), "{broken:?}");
        let usage = fitter.cli(["search"]).await;
        assert_eq!(usage.code, Some(2), "{usage:?}");
    });
}

#[test]
fn metrics_have_figures_and_no_ids() {
    shared(async |fitter| {
        let aidos = fitter.technician("Айдос М").await;
        aidos.say("какой предохранитель на питание маяка").await;
        let (status, text) = eventually("the figures of the queues", async || {
            let (status, text) = fitter.metrics("/metrics").await;
            text.contains("fitter_queue_ready").then_some((status, text))
        })
        .await;
        assert_eq!(status, 200);
        for name in [
            "fitter_tg_updates_total",
            "fitter_tg_sends_total",
            "fitter_tg_send_seconds",
            "fitter_searches_total",
            "fitter_dialogue_steps_total",
            "fitter_queue_dead",
        ] {
            assert!(text.contains(name), "{name} in {text}");
        }
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
            assert!(line.starts_with("fitter_"), "{line}");
            let labels = line.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map_or("", |(labels, _)| labels);
            for label in labels.split("\",").filter(|label| !label.is_empty()) {
                let (name, value) = label.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
                let id = value.trim_end_matches('"').chars().any(|c| c.is_ascii_digit()) && !["quantile", "le"].contains(&name);
                assert!(!id, "{line}");
            }
        }
        assert_eq!(fitter.http("/metrics").await.0, 404, "not on the public listener");
        assert_eq!(fitter.http("/queues").await.0, 404);
        assert_eq!(fitter.http("/healthz").await, (200, "alive\n".to_owned()));
        assert_eq!(fitter.http("/readyz").await, (200, "ready\n".to_owned()));
    });
}

#[test]
fn it_is_not_ready_before_it_is() {
    run(async {
        let fitter = Fitter::prepare(options().storage(Storage::Embedded)).await;
        fitter.spawn();
        let seen = std::cell::RefCell::new(Vec::new());
        eventually("ready", async || {
            let (status, _) = fitter.http("/readyz").await;
            seen.borrow_mut().push(status);
            (status == 200).then_some(())
        })
        .await;
        let seen = seen.into_inner();
        assert!(seen.contains(&503), "{seen:?}");
        tokio::time::timeout(Duration::from_secs(60), fitter.finish()).await.unwrap();
    });
}

#[test]
fn the_demo_needs_nothing() {
    run(async {
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("demo");
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
        let demo = |args: &[&str]| {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_fitter"));
            for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("FITTER_")) {
                command.env_remove(name);
            }
            command.args(["demo", "--port", &port, "--vault"]).arg(vault()).args(args).current_dir(home.path());
            command
        };
        let log = home.path().join("log");
        let file = || std::fs::File::options().create(true).append(true).open(&log).unwrap();
        let web = client();
        let page = async |path: &str| match web.get(format!("http://127.0.0.1:{port}{path}")).send().await {
            Ok(answer) => (answer.status().as_u16(), answer.text().await.unwrap_or_default()),
            Err(_) => (0, String::new()),
        };
        let transcript = "/sim/transcript?person=101&bot=fitter_demo_bot&format=text";
        for args in [&[][..], &[][..], &["--fresh"][..]] {
            let args = [&["--data-dir", "demo"][..], args].concat();
            let mut child = demo(&args).stdout(file()).stderr(file()).spawn().unwrap();
            eventually("the technician is greeted", async || {
                let (_, text) = page(transcript).await;
                text.contains("Айдос, чем помочь?").then_some(())
            })
            .await;
            let (status, html) = page("/").await;
            assert!(status == 200 && html.contains("<html"), "{status} {html}");
            eventually("it is ready", async || (page("/readyz").await.0 == 200).then_some(())).await;
            let told = std::fs::read_to_string(&log).unwrap();
            assert!(told.contains(&format!("Fitter: http://127.0.0.1:{port}")), "{told}");
            let (_, text) = page(transcript).await;
            assert_eq!(text.matches("чем помочь?").count(), 1, "{text}");
            // A second one in the same folder is told why not.
            let second = said(demo(&args)).await;
            assert_eq!(second.code, Some(1), "{second:?}");
            assert!(second.err.contains("--port"), "{second:?}");
            std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap();
            let status = eventually("it ends", async || child.try_wait().unwrap()).await;
            assert_eq!(status.code(), Some(0), "{}", std::fs::read_to_string(&log).unwrap());
        }
        assert!(data.join(".fitter-demo").is_file());
        // A folder that is not the demo's is not emptied.
        let own = home.path().join("own");
        std::fs::create_dir(&own).unwrap();
        std::fs::write(own.join("letter.txt"), "dear").unwrap();
        let refused = said(demo(&["--fresh", "--data-dir", "own"])).await;
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.err.contains("--fresh does not delete it"), "{refused:?}");
        assert!(own.join("letter.txt").is_file());
    });
}

#[test]
fn logs_in_a_file_have_no_colours() {
    run(async {
        let fitter = Fitter::prepare(options().env("NO_COLOR", "").env("FITTER_VAULT", "/no/such/folder")).await;
        let mut command = fitter.command();
        command.arg("serve");
        let said = said(command).await;
        assert!(said.err.contains("search index rebuilt") || said.err.lines().count() > 1, "{said:?}");
        assert!(!said.err.contains('\u{1b}'), "{said:?}");
    });
}

#[test]
fn two_processes_start_at_once() {
    run(async {
        let fitter = Fitter::prepare(options().vault(vault())).await;
        let home = tempfile::tempdir().unwrap();
        let log = home.path().join("log");
        let file = || std::fs::File::options().create(true).append(true).open(&log).unwrap();
        let spawn = || {
            let mut command = fitter.command();
            command.arg("serve").env("FITTER_HTTP_ADDR", "127.0.0.1:0").env("FITTER_METRICS_ADDR", "127.0.0.1:0");
            command.stdout(file()).stderr(file()).spawn().unwrap()
        };
        let mut others = [spawn(), spawn()];
        fitter.launch().await;
        let text = || std::fs::read_to_string(&log).unwrap_or_default();
        let ready = async || (text().lines().filter(|line| line.ends_with(" ready")).count() == 2).then_some(());
        let ended = others.iter_mut().any(|other| other.try_wait().unwrap().is_some());
        assert!(!ended, "{}", text());
        eventually("both others are ready", ready).await;
        let aidos = fitter.technician("Айдос").await;
        aidos.say("какой предохранитель на питание маяка").await;
        aidos.got("3 А, плавкий").await;
        // A note that changes is imported by all of them and breaks none.
        for round in 0..2 {
            let note = fitter.vault().join("Гарантия.md");
            let words = std::fs::read_to_string(&note).unwrap();
            std::fs::write(&note, format!("{words}\nДобавлено в раз {round}: звёздочкаметка{round}.\n")).unwrap();
            eventually("it is imported", async || {
                let count = fitter.count(&format!("SELECT count(*) FROM chunks WHERE text LIKE '%звёздочкаметка{round}%'")).await;
                (count > 0).then_some(())
            })
            .await;
        }
        let doubled = fitter.count("SELECT count(*) - count(DISTINCT (note, start_line)) FROM chunks").await;
        assert_eq!(doubled, 0, "every passage is there once");
        tokio::time::sleep(Duration::from_secs(6)).await;
        for mut other in others {
            assert!(other.try_wait().unwrap().is_none(), "{}", text());
            std::process::Command::new("kill").arg(other.id().to_string()).status().unwrap();
            let status = eventually("it ends", async || other.try_wait().unwrap()).await;
            assert_eq!(status.code(), Some(0), "{}", text());
        }
        let log = format!("{}{}", text(), fitter.log());
        assert!(!log.contains("ERROR"), "{log}");
        fitter.finish().await;
    });
}
