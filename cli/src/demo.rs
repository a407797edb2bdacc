//! The product and a Telegram of its own on one machine: no token, no network, nothing to install.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use fitter_domain::Locale;
use fitter_domain::ids::{BotId, ChatId, UserId};
use fitter_domain::person::Role;
use fitter_services::App;
use fitter_simulator::{BotSeed, PersonSeed, Simulator, SimulatorConfig};
use fitter_store::people;
use secrecy::SecretString;
use url::Url;

use crate::config::{Config, Vault};
use crate::serve::{self, Server};
use crate::start::Migrations;
use crate::telemetry;

/// `fitter demo`
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Port of the page.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Folder that keeps everything.
    #[arg(long, default_value = "data/demo")]
    data_dir: PathBuf,
    /// Begins anew: forgets what the folder holds.
    #[arg(long)]
    fresh: bool,
    /// Folder of notes.
    #[arg(long, default_value = "examples/vault")]
    vault: PathBuf,
}

const BOT: i64 = 1_000_001;
const USERNAME: &str = "fitter_demo_bot";

/// The people of the demo: account, name, language, role if the company knows them already, and who they are.
const PEOPLE: [(i64, &str, &str, Option<Role>, &str); 4] = [
    (101, "Айдос", "ru", Some(Role::Technician), "Техник · ставит трекеры в гараже"),
    (102, "Марина", "ru", Some(Role::Manager), "Менеджер · отвечает и видит отчёты"),
    (103, "Ержан", "ru", Some(Role::Admin), "Администратор · приглашает людей"),
    (104, "Ольга", "ru", None, "Клиент · пишет боту впервые"),
];

/// Written into the folder, so that `--fresh` never deletes a folder that is not the demo's.
const MARK: &str = ".fitter-demo";

/// `fitter demo`
///
/// # Errors
/// Whatever keeps it from starting, with what to do.
pub async fn run(args: Args, mut config: Config) -> anyhow::Result<ExitCode> {
    telemetry::logs(&crate::config::Log { filter: "warn,fitter=info".to_owned(), ..config.log.clone() })?;
    folder(&args.data_dir, args.fresh)?;
    config.http.addr.set_port(args.port);
    let listener = serve::listen(&config).await.context("choose another one with --port")?;
    let url = format!("http://{}", listener.local_addr()?);
    config.metrics.addr.set_port(0);
    config.database.url = None;
    config.storage.data_dir = args.data_dir.clone();
    config.telegram.api_url = Some(Url::parse(&url)?);
    config.telegram.webhook_url = None;
    config.vault = Vault { path: Some(args.vault).filter(|vault| vault.is_dir()), ..Vault::default() };
    if config.vault.path.is_none() {
        eprintln!("fitter: no folder of notes; start the demo where examples/vault is, or name one with --vault");
    }
    let token = format!("{BOT}:demo");
    let simulator = Simulator::new(&SimulatorConfig {
        bots: vec![BotSeed { token: token.clone(), username: USERNAME.to_owned(), first_name: "Fitter".to_owned(), id: BOT }],
        people: PEOPLE
            .iter()
            .map(|(id, name, language, _, about)| PersonSeed {
                id: *id,
                first_name: (*name).to_owned(),
                language_code: Some((*language).to_owned()),
                about: Some((*about).to_owned()),
                ..PersonSeed::default()
            })
            .collect(),
        state_file: Some(args.data_dir.join("telegram")),
        ..SimulatorConfig::default()
    })?;
    let router = simulator.router();
    let server = Server {
        config,
        roles: HashSet::from([serve::Role::Bot, serve::Role::Worker, serve::Role::Web]),
        take_over: true,
        migrations: Migrations::Apply,
    };
    server.run(vec![SecretString::from(token)], Some(listener), router, |app| begun(app, url)).await?;
    simulator.stop();
    Ok(ExitCode::SUCCESS)
}

/// Makes the folder, and empties it if asked to.
fn folder(dir: &Path, fresh: bool) -> anyhow::Result<()> {
    if fresh && dir.exists() {
        ensure!(dir.join(MARK).is_file(), "{} was not made by the demo; --fresh does not delete it", dir.display());
        std::fs::remove_dir_all(dir).with_context(|| format!("cannot empty {}", dir.display()))?;
    }
    std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    std::fs::write(dir.join(MARK), "made by `fitter demo`\n").with_context(|| format!("cannot write into {}", dir.display()))
}

/// The company knows its people; the three of the staff have pressed Start.
async fn begun(app: App, url: String) -> anyhow::Result<()> {
    for (id, name, language, role, _) in PEOPLE {
        let Some(role) = role else { continue };
        let mut tx = app.db.pool().begin().await?;
        if people::by_user(&mut tx, UserId(id)).await?.is_some() {
            continue;
        }
        let seen = people::Seen { bot: BotId(BOT), chat: ChatId(id), user: UserId(id), first_name: name, language: Some(language) };
        let person = people::seen(&mut tx, &seen, app.clock.now()).await?;
        people::set_role(&mut tx, person.id, role).await?;
        people::set_locale(&mut tx, person.id, Locale::Ru).await?;
        people::onboard(&mut tx, person.id, name).await?;
        tx.commit().await?;
        press_start(&url, id).await?;
    }
    println!("Fitter: {url}");
    println!(
        "Вы — Айдос, техник. Напишите «какой предохранитель ставить на питание трекера» или откройте «Инструкции» → «Установка GPS-трекера»."
    );
    println!(
        "Людей переключают на той же странице: Марина (менеджер) отвечает на вопросы и видит отчёты. Остановить — Ctrl-C, всё сохранится."
    );
    Ok(())
}

async fn press_start(url: &str, person: i64) -> anyhow::Result<()> {
    let body = serde_json::json!({"person": person, "bot": USERNAME});
    let answer = reqwest::Client::new().post(format!("{url}/sim/open")).json(&body).send().await?;
    answer.error_for_status().map(drop).context("the simulator does not answer")
}
