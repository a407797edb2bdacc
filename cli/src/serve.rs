//! The product running: bots, workers, web. Everything an operator can mend is said before anything runs.

use std::collections::{HashMap, HashSet};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::any;
use clap::ValueEnum;
use fitter_bot::fault::{ApiError, Fault};
use fitter_bot::live::Live;
use fitter_bot::setup::Words;
use fitter_bot::{BotConfig, Bots, Updates};
use fitter_domain::ids::BotId;
use fitter_domain::{Locale, msg};
use fitter_prompts::Messages;
use fitter_queue::{Queue, RunnerConfig, run_lanes};
use fitter_services::jobs::{Fetch, FetchError};
use fitter_services::{App, BotInfo, menu};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use url::Url;

use crate::config::Config;
use crate::health::{self, Ready};
use crate::keep::{self, Keeper};
use crate::start::{self, Migrations};
use crate::telemetry;

/// Done items are kept so long, so that an update that comes twice is noticed: Telegram repeats for 24 hours.
const KEEP_DONE: Duration = Duration::from_secs(48 * 3600);
/// Items swept out in one statement.
const SWEEP: u32 = 5_000;
/// So often they are swept out.
const SWEEP_EVERY: Duration = Duration::from_secs(600);
/// Stopping takes no longer: the 20 s that handlers have, and a little for the rest. Supervisors kill after 30 s as a rule.
const STOP: Duration = Duration::from_secs(25);
/// Letters under way at once: they wait for the network, not for this machine.
const OUTBOX_LANES: u32 = 512;
/// Dialogues under way at once: their turns are done together.
const INBOX_LANES: u32 = 512;

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub enum Role {
    /// Takes updates from Telegram: fetches them, or serves the webhook.
    Bot,
    /// Works: dialogues, sending, slow work.
    Worker,
    /// Serves HTTP.
    Web,
}

/// `fitter serve`
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What this process does; several separated by commas.
    #[arg(long, value_delimiter = ',', default_values_t = [Role::Bot, Role::Worker, Role::Web], value_enum)]
    role: Vec<Role>,
    /// Take the bot over from the webhook of another program.
    #[arg(long)]
    take_over: bool,
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Bot => "bot",
            Self::Worker => "worker",
            Self::Web => "web",
        })
    }
}

/// `fitter serve`
///
/// # Errors
/// Whatever keeps it from starting, with what to do.
pub async fn run(args: &Args, config: Config) -> anyhow::Result<ExitCode> {
    telemetry::logs(&config.log)?;
    let tokens = tokens(&config)?;
    // Webhooks come over HTTP, so who takes them listens too.
    let takes_webhooks = args.role.contains(&Role::Bot) && config.telegram.webhook_url.is_some();
    let listener = if takes_webhooks || args.role.contains(&Role::Web) { Some(listen(&config).await?) } else { None };
    let server = Server { config, roles: args.role.iter().copied().collect(), take_over: args.take_over, migrations: Migrations::Refuse };
    server.run(tokens, listener, Router::new(), |_| async { Ok(()) }).await?;
    Ok(ExitCode::SUCCESS)
}

/// Opens the public listener.
///
/// # Errors
/// If the address is taken.
pub async fn listen(config: &Config) -> anyhow::Result<TcpListener> {
    TcpListener::bind(config.http.addr).await.with_context(|| {
        format!("http.addr: cannot listen on {}; stop what does, or set FITTER_HTTP_ADDR to a free address", config.http.addr)
    })
}

/// The bot tokens, each of the shape that BotFather gives.
///
/// # Errors
/// If there are none, or one is malformed.
pub fn tokens(config: &Config) -> anyhow::Result<Vec<SecretString>> {
    let tokens = config.tokens();
    ensure!(!tokens.is_empty(), "telegram.bot_token: no token; make a bot with @BotFather and set FITTER_BOT_TOKEN (or run `fitter demo`)");
    for (place, token) in tokens.iter().enumerate() {
        if fitter_bot::api::bot_of(token).is_err() {
            bail!("telegram.bot_token: token {} is malformed; copy it whole from @BotFather, it looks like 123456789:AAH…", place + 1);
        }
    }
    Ok(tokens)
}

/// The Bot API server: Telegram's own, unless another one is configured.
///
/// # Errors
/// Never for an address that was configured; the type is the parser's.
pub fn api_url(config: &Config) -> anyhow::Result<Url> {
    match &config.telegram.api_url {
        Some(url) => Ok(url.clone()),
        None => Url::parse(fitter_bot::api::TELEGRAM_API).context("telegram.api_url"),
    }
}

/// A process of the product.
pub struct Server {
    /// Its configuration.
    pub config: Config,
    /// What it does.
    pub roles: HashSet<Role>,
    /// Take bots over from webhooks of other programs.
    pub take_over: bool,
    /// What to do about pending migrations.
    pub migrations: Migrations,
}

impl Server {
    /// Runs until SIGTERM or Ctrl-C. `more` is served beside the product's own pages; `begun` is called once everything runs.
    ///
    /// # Errors
    /// Whatever keeps it from starting.
    pub async fn run<F>(
        self,
        tokens: Vec<SecretString>,
        listener: Option<TcpListener>,
        more: Router,
        begun: impl FnOnce(App) -> F,
    ) -> anyhow::Result<()>
    where
        F: Future<Output = anyhow::Result<()>>,
    {
        let stop = CancellationToken::new();
        let ready = Ready::default();
        let (webhooks, hooks): (Arc<OnceLock<Router>>, Arc<OnceLock<Router>>) = Default::default();
        let web = listener.map(|listener| {
            let router = health::router(ready.clone()).route("/telegram/{bot}", any(late(Arc::clone(&webhooks)))).merge(more);
            let router = match self.config.vault.hook_secret {
                Some(_) => router.route("/hooks/vault", any(late(Arc::clone(&hooks)))),
                None => router,
            };
            let stopped = stop.clone().cancelled_owned();
            tokio::spawn(async move { axum::serve(listener, router).with_graceful_shutdown(stopped).await })
        });
        let handle = health::metrics()?;
        let database = start::database(&self.config, self.migrations).await?;
        ready.watch(database.clone());
        health::serve(self.config.metrics.addr, handle, database.clone(), stop.clone()).await?;
        let app = start::app(&self.config, database.clone()).await?;
        if database.is_embedded() {
            // Whoever held leases was this process before it died.
            fitter_queue::expire_leases(&mut *database.pool().acquire().await?).await?;
        }
        if let Some(secret) = &self.config.vault.hook_secret {
            let _set = hooks.set(fitter_admin_web::hooks::router(secret.clone(), Arc::new(app.clone())));
        }
        let mut keeper = Keeper::new(app.clone(), &self.config.vault, keep::source(&self.config.vault, &self.config.storage.data_dir));
        if self.roles.contains(&Role::Worker) {
            keeper.first().await?;
        }
        let bots = self.start_bots(&app, tokens).await?;
        let _set = webhooks.set(bots.router());
        let mut tasks = self.work(&app, &bots, &stop, keeper);
        ready.set();
        begun(app.clone()).await?;
        tracing::info!("ready");
        terminated().await;
        tracing::info!("stopping: work under way is finished, nothing new is begun");
        let stopped = async {
            let worked = async {
                stop.cancel();
                while tasks.join_next().await.is_some() {}
            };
            let answers = bots.answers();
            tokio::join!(bots.stop(), worked);
            answers.close();
            answers.wait().await;
            if let Some(web) = web {
                // Long polls of a browser may hang on: they are cut off.
                let _ended = tokio::time::timeout(Duration::from_secs(2), web).await;
            }
            database.close().await;
        };
        // A database that hangs must not keep the process: what is left behind is taken up as after a crash.
        if tokio::time::timeout(STOP, stopped).await.is_err() {
            tracing::warn!("not everything ended in time; it goes on when its leases have run out");
        }
        Ok(())
    }

    async fn start_bots(&self, app: &App, tokens: Vec<SecretString>) -> anyhow::Result<Bots> {
        let telegram = &self.config.telegram;
        let api = api_url(&self.config)?;
        let words = words(&app.messages);
        let configs = tokens
            .into_iter()
            .map(|token| BotConfig {
                updates: match &telegram.webhook_url {
                    _ if !self.roles.contains(&Role::Bot) => Updates::Elsewhere,
                    Some(base) => Updates::Webhook { base: base.clone(), secret: secret(telegram.webhook_secret.as_ref(), &token) },
                    None => Updates::Poll,
                },
                token,
                api: api.clone(),
                take_over: self.take_over,
                words: words.clone(),
            })
            .collect();
        let live = Arc::new(Live::new(app.clone()));
        let bots = Bots::start(configs, live.clone(), live.clone(), live).await?;
        for me in bots.mes() {
            app.know_bot(me.id, BotInfo { username: me.username.clone() });
        }
        Ok(bots)
    }

    fn work(&self, app: &App, bots: &Bots, stop: &CancellationToken, keeper: Keeper) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        if !self.roles.contains(&Role::Worker) {
            return tasks;
        }
        let pool = app.db.pool().clone();
        let run = |queue, lanes| (pool.clone(), queue, RunnerConfig { lanes, ..RunnerConfig::default() }, app.wake.clone(), stop.clone());
        let (inbox, outbox) = (bots.inbox(), bots.outbox());
        let _set = app.answering.set(Box::new(bots.answering()));
        let job = {
            let (app, fetch) = (app.clone(), fetcher(bots));
            move |task| {
                let (app, fetch) = (app.clone(), Arc::clone(&fetch));
                async move { app.work(task, fetch).await }
            }
        };
        let (pool, queue, config, wake, stopped) = run(Queue::Inbox, INBOX_LANES);
        tasks.spawn(async move { run_lanes(pool, queue, config, &wake, stopped, inbox).await });
        let (pool, queue, config, wake, stopped) = run(Queue::Outbox, OUTBOX_LANES);
        tasks.spawn(async move { run_lanes(pool, queue, config, &wake, stopped, outbox).await });
        let (pool, queue, config, wake, stopped) = run(Queue::Job, 8);
        tasks.spawn(async move { run_lanes(pool, queue, config, &wake, stopped, job).await });
        if !app.db.is_embedded() {
            let (wake, pool, stopped) = (app.wake.clone(), app.db.pool().clone(), stop.clone());
            tasks.spawn(wake.listen(pool, stopped));
        }
        tasks.spawn(keeper.run(stop.clone()));
        let (chores, stopped) = (chores(app.clone()), stop.clone());
        tasks.spawn(async move {
            let _stopped = stopped.run_until_cancelled(chores).await;
        });
        tasks
    }
}

/// Webhooks come once everything is there that they need; Telegram repeats what comes before.
fn late(webhooks: Arc<OnceLock<Router>>) -> impl Fn(Request) -> std::pin::Pin<Box<dyn Future<Output = Response> + Send>> + Clone {
    move |mut request: Request| {
        let router = webhooks.get().cloned();
        // The router matches the path by itself; the parameter that was found here would count as a second one.
        request.extensions_mut().clear();
        Box::pin(async move {
            match router {
                Some(router) => match router.oneshot(request).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                },
                None => fitter_bot::webhook::busy(),
            }
        })
    }
}

/// The webhook's secret: configured, or derived from the token, so that every process of the installation knows the same one.
fn secret(configured: Option<&SecretString>, token: &SecretString) -> SecretString {
    configured.cloned().unwrap_or_else(|| hex::encode(Sha256::digest(format!("fitter webhook {}", token.expose_secret()))).into())
}

/// Fetches photos by the bot that got them.
fn fetcher(bots: &Bots) -> Fetch {
    let apis: HashMap<BotId, _> = bots.mes().filter_map(|me| Some((me.id, bots.api(me.id)?))).collect();
    Arc::new(move |bot: BotId, file_id: String| {
        let api = apis.get(&bot).cloned();
        Box::pin(async move {
            let Some(api) = api else { return Err(FetchError::Later("this bot is not configured here".to_owned())) };
            fitter_bot::fetch::fetch(&api, &file_id).await.map_err(|error| match (&error, error.fault()) {
                (ApiError::TooBig { .. }, _) => FetchError::TooBig,
                (_, Fault::Wait(time)) => FetchError::Wait(time),
                (_, Fault::Retry | Fault::Uncertain | Fault::Unauthorized) => FetchError::Later(error.to_string()),
                _ => FetchError::Never(error.to_string()),
            })
        })
    })
}

/// What people see of a bot before they write to it, in each language.
fn words(messages: &Messages) -> Vec<Words> {
    // Colleagues get a list of their own in their chats.
    let commands = menu::commands(fitter_domain::person::Role::Client);
    // Russian also stands for every language that has no words of its own.
    [(None, Locale::Ru), (Some(Locale::Kk), Locale::Kk), (Some(Locale::En), Locale::En)]
        .into_iter()
        .map(|(language, locale)| Words {
            language: language.map(|language| language.code().to_owned()),
            commands: commands.iter().map(|(name, text)| ((*name).to_owned(), messages.say(locale, text))).collect(),
            description: messages.say(locale, &msg::bot_description()),
            short_description: messages.say(locale, &msg::bot_short_description()),
        })
        .collect()
}

/// What has to be done now and then.
async fn chores(app: App) {
    loop {
        tokio::time::sleep(SWEEP_EVERY).await;
        if let Err(error) = sweep(&app).await {
            tracing::warn!(%error, "done items were not swept out");
        }
    }
}

/// Sweeps out all items that were done long enough ago; between two statements others get the connection.
async fn sweep(app: &App) -> Result<(), fitter_queue::QueueError> {
    while fitter_queue::purge(&mut *app.db.pool().acquire().await?, KEEP_DONE, SWEEP).await? == u64::from(SWEEP) {}
    Ok(())
}

/// SIGTERM or Ctrl-C.
async fn terminated() {
    let ctrl_c = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let term = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let term = std::future::pending::<()>();
    tokio::select! {
        () = ctrl_c => {}
        () = term => {}
    }
}
