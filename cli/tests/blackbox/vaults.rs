//! Notes that change: in a folder, in a repository, with and without a word about it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use fitter_domain::Locale;
use fitter_domain::person::Role;
use fitter_testkit::Fitter;
use fitter_testkit::app::{eventually, run};
use fitter_testkit::telegram::client;
use hmac::{Hmac, Mac as _};
use serde_json::Value;
use sha2::Sha256;

use crate::{options, vault};

const SECRET: &str = "the secret of the hook";
/// From the word about a push to the answer.
const SOON: Duration = Duration::from_secs(5);

/// A bare repository and somebody's working copy of it.
struct Repository {
    home: tempfile::TempDir,
}

impl Repository {
    /// With the notes of the tests.
    fn new() -> Self {
        let repository = Self { home: tempfile::tempdir().unwrap() };
        repository.git(repository.home.path(), &["init", "--quiet", "--bare", "--initial-branch=main", "notes.git"]);
        repository.git(repository.home.path(), &["clone", "--quiet", "notes.git", "work"]);
        copy(&vault(), &repository.work());
        repository.git(&repository.work(), &["checkout", "--quiet", "-B", "main"]);
        repository.push("Первые заметки");
        repository
    }

    fn url(&self) -> String {
        self.home.path().join("notes.git").display().to_string()
    }

    fn work(&self) -> PathBuf {
        self.home.path().join("work")
    }

    /// The commit that was made last.
    fn commit(&self) -> String {
        self.git(&self.work(), &["rev-parse", "HEAD"]).trim().to_owned()
    }

    fn git(&self, folder: &Path, args: &[&str]) -> String {
        let output = Command::new("git")
            .current_dir(folder)
            .args(args)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .envs(["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"].map(|name| (name, "Айгүл Редактор")))
            .envs(["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"].map(|name| (name, "a@example.com")))
            .output()
            .unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn write(&self, path: &str, text: &str) {
        std::fs::write(self.work().join(path), text).unwrap();
    }

    /// Commits everything and pushes it.
    fn push(&self, message: &str) {
        let work = self.work();
        self.git(&work, &["add", "--all"]);
        self.git(&work, &["commit", "--quiet", "-m", message]);
        self.git(&work, &["push", "--quiet", "--force", "origin", "main"]);
    }

    async fn serve(&self) -> Fitter {
        let options =
            options().env("FITTER_VAULT_GIT_URL", self.url()).env("FITTER_VAULT_GIT_POLL", "3600").env("FITTER_VAULT_HOOK_SECRET", SECRET);
        Fitter::start(options).await
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()))
        } else {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// Tells of a push as GitHub does.
async fn tell(fitter: &Fitter, delivery: &str, secret: &str) -> u16 {
    let body = r#"{"ref":"refs/heads/main"}"#;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    let url = format!("http://{}/hooks/vault", fitter.http_addr());
    let request = client().post(url).header("X-GitHub-Event", "push").header("X-GitHub-Delivery", delivery);
    request.header("X-Hub-Signature-256", signature).body(body).send().await.unwrap().status().as_u16()
}

/// Waits until this is imported and can be searched, as the log tells.
async fn imported(fitter: &Fitter, what: &str) {
    let told = |line: &str| line.contains("notes imported") && line.contains(what);
    eventually(what, async || fitter.log().lines().any(told).then_some(())).await;
}

#[test]
fn what_is_pushed_is_found_and_what_is_deleted_is_gone() {
    run(async {
        let repository = Repository::new();
        let fitter = repository.serve().await;
        let aidos = fitter.technician("Айдос Г").await;
        aidos.say("какой предохранитель на питание маяка").await;
        aidos.got("3 А, плавкий").await;

        repository.write("Кронштейн.md", "# Кронштейн\n\nКронштейн лазурный крепится тремя винтами.\n");
        repository.push("Кронштейн");
        let told = Instant::now();
        assert_eq!(tell(&fitter, "one", SECRET).await, 202);
        imported(&fitter, &repository.commit()).await;
        aidos.say("чем крепится лазурный кронштейн").await;
        aidos.got("тремя винтами").await;
        assert!(told.elapsed() < SOON, "changed: {:?}", told.elapsed());
        let note = fitter.rows("SELECT author, modified > now() - interval '1 hour' AS fresh FROM notes WHERE path = 'Кронштейн.md'").await;
        assert_eq!((note[0]["author"].as_str(), note[0]["fresh"].as_bool()), (Some("Айгүл Редактор"), Some(true)));

        // Renamed, by somebody who rewrites the history.
        std::fs::rename(repository.work().join("Кронштейн.md"), repository.work().join("Крепёж.md")).unwrap();
        repository.git(&repository.work(), &["add", "--all"]);
        repository.git(&repository.work(), &["commit", "--quiet", "--amend", "-m", "Крепёж"]);
        repository.git(&repository.work(), &["push", "--quiet", "--force", "origin", "main"]);
        let told = Instant::now();
        assert_eq!(tell(&fitter, "two", SECRET).await, 202);
        imported(&fitter, &repository.commit()).await;
        assert!(told.elapsed() < SOON, "renamed: {:?}", told.elapsed());
        aidos.say("чем держится лазурный кронштейн").await;
        aidos.got("тремя винтами").await;

        // Deleted. The same word comes twice, and one that is not the server's.
        std::fs::remove_file(repository.work().join("Крепёж.md")).unwrap();
        repository.push("Без крепежа");
        let told = Instant::now();
        assert_eq!(tell(&fitter, "three", SECRET).await, 202);
        assert_eq!(tell(&fitter, "three", SECRET).await, 202);
        assert_eq!(tell(&fitter, "four", "another secret of a hook").await, 401);
        imported(&fitter, &repository.commit()).await;
        let before = aidos.count("тремя винтами").await;
        aidos.say("сколько винтов держат лазурный кронштейн").await;
        assert!(told.elapsed() < SOON, "deleted: {:?}", told.elapsed());
        fitter.quiet().await;
        assert_eq!(aidos.count("тремя винтами").await, before);
        assert_eq!(fitter.count("SELECT wanted FROM vault_sync").await, 3);
        assert_eq!(fitter.count("SELECT count(*) FROM vault_sync WHERE error IS NULL AND length(version) >= 40").await, 1);
        fitter.finish().await;
    });
}

#[test]
fn a_walk_keeps_its_version_when_its_procedure_is_pushed() {
    run(async {
        let repository = Repository::new();
        let fitter = repository.serve().await;
        let talgat = fitter.technician("Талгат Г").await;
        talgat.say("/procedures").await.tap("Меняется").await.tap("▶ Начать").await;
        talgat.sees("Старый шаг").await;
        let text = std::fs::read_to_string(repository.work().join("Меняется.md")).unwrap();
        repository.write("Меняется.md", &text.replace("Старый шаг", "Новый шаг").replace("Старый вопрос", "Новый вопрос"));
        repository.push("Новый шаг");
        assert_eq!(tell(&fitter, "walk", SECRET).await, 202);
        imported(&fitter, &repository.commit()).await;
        talgat.say("ответ").await.tap("Готово").await;
        let summary = talgat.sees("✓ Меняется — готово").await;
        assert!(summary.text().contains("Старый шаг — ответ"), "{}", summary.text());
        talgat.say("/procedures").await.tap("Меняется").await.tap("▶ Начать").await;
        talgat.sees("Новый шаг").await;
        talgat.tap("⏸ Пауза").await;
        fitter.finish().await;
    });
}

#[test]
fn a_repository_that_is_away_is_found_again() {
    run(async {
        let repository = Repository::new();
        let (there, away) = (repository.home.path().join("notes.git"), repository.home.path().join("away.git"));
        std::fs::rename(&there, &away).unwrap();
        let fitter = repository.serve().await;
        assert!(fitter.log().contains("the notes were not fetched"), "{}", fitter.log());
        std::fs::rename(&away, &there).unwrap();
        assert_eq!(tell(&fitter, "back", SECRET).await, 202);
        imported(&fitter, &repository.commit()).await;
        // The clone is only a copy.
        std::fs::remove_dir_all(fitter.data_dir().join("vault.git")).unwrap();
        repository.write("Новое.md", "Бирюзовая скоба.");
        repository.push("Ещё");
        assert_eq!(tell(&fitter, "again", SECRET).await, 202);
        imported(&fitter, &repository.commit()).await;
        assert_eq!(fitter.count("SELECT count(*) FROM chunks WHERE text LIKE '%Бирюзовая%'").await, 1);
        fitter.finish().await;
    });
}

#[test]
fn only_what_changed_is_read_again() {
    run(async {
        let fitter = Fitter::start(options().vault(vault())).await;
        imported(&fitter, "read=11 changed=11 removed=0").await;
        let saved = Instant::now();
        std::fs::write(fitter.vault().join("Скоба.md"), "Скоба изумрудная держит кабель.").unwrap();
        imported(&fitter, "read=1 changed=1 removed=0").await;
        assert!(saved.elapsed() < SOON, "{:?}", saved.elapsed());
        let aidos = fitter.technician("Айдос Д").await;
        aidos.say("что держит изумрудная скоба").await;
        aidos.got("держит кабель").await;
        // The next process knows the files.
        fitter.restart().await;
        imported(&fitter, "read=0 changed=0 removed=0").await;
        assert_eq!(fitter.log().matches("search index built").count(), 3, "empty, filled, and after the restart: {}", fitter.log());
        fitter.finish().await;
    });
}

#[test]
fn the_report_names_every_note() {
    run(async {
        let fitter = Fitter::prepare(options().vault(vault())).await;
        std::fs::write(fitter.vault().join("Ссылки.md"), "[[Гарантия]] и [[Нет такой]]\n\n![[нет.png]]\n").unwrap();
        let folder = fitter.vault().display().to_string();
        let text = fitter.cli(["import", "--check", "--report", &folder]).await;
        assert_eq!(text.code, Some(0), "{text:?}");
        for line in [
            "ok    Гарантия.md",
            "warn  Ссылки.md",
            "      Ссылки.md:1: link to `Нет такой`: no such note",
            "      Ссылки.md:3: picture `нет.png` does not exist",
            "12 notes (11 ok), ",
            "2 of them lead nowhere",
        ] {
            assert!(text.out.contains(line), "«{line}» in {}", text.out);
        }
        // Without --check it is stored too.
        let json = fitter.cli(["import", "--report", "--json", &folder]).await;
        let report: Value = serde_json::from_str(&json.out).unwrap_or_else(|error| panic!("{error}: {json:?}"));
        assert_eq!((&report["sums"]["notes"], &report["sums"]["unresolved"]), (&Value::from(12), &Value::from(2)));
        let file = report["files"].as_array().unwrap().iter().find(|file| file["path"] == "Ссылки.md").unwrap();
        assert_eq!(file["unresolved"], serde_json::json!(["Нет такой", "нет.png"]));
        assert_eq!(fitter.count("SELECT count(*) FROM vault_problems WHERE path = 'Ссылки.md'").await, 2);
    });
}

#[test]
fn an_admin_sees_what_is_wrong_and_has_the_source_looked_at() {
    run(async {
        let fitter = Fitter::start(options().vault(vault())).await;
        std::fs::write(fitter.vault().join("Скоба.md"), "Строка.\n\n![[нет.png]]\n").unwrap();
        imported(&fitter, "read=1 changed=1 removed=0").await;
        let admin = fitter.person("Ержан Д", Role::Admin, Locale::Ru).await;
        admin.say("/vault").await;
        let shown = admin.got("📚 Заметки").await;
        for text in ["Источник: ", "Заметок: 12", "Ошибок: 0, предупреждений: 1", "• Скоба.md:3: picture `нет.png` does not exist"]
        {
            assert!(shown.text().contains(text), "«{text}» in {}", shown.text());
        }
        let before = fitter.count("SELECT wanted FROM vault_sync").await;
        admin.tap("Сверить сейчас").await;
        assert_eq!(fitter.count("SELECT wanted FROM vault_sync").await, before + 1);
        let aidos = fitter.technician("Айдос Е").await;
        aidos.say("/vault").await;
        aidos.got("Это недоступно").await;
        aidos.forge("vs").await;
        assert_eq!(fitter.count("SELECT wanted FROM vault_sync").await, before + 1);
        fitter.finish().await;
    });
}
