//! What operators do from a shell.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use clap::Subcommand;
use fitter_bot::api::Api;
use fitter_domain::person::Role;
use fitter_queue::{ItemId, Queue};
use fitter_retrieval::import;
use fitter_services::BotInfo;
use fitter_services::vault::Source;
use fitter_store::{maintenance, people};

use crate::config::{self, Config};
use crate::start::{self, Migrations};
use crate::{keep, serve};

/// `fitter user`
#[derive(Debug, Subcommand)]
pub enum User {
    /// Prints a one-time link that gives a role.
    Invite {
        /// client, technician, manager or admin.
        #[arg(long)]
        role: Role,
    },
    /// Lists people.
    List,
    /// Takes a person's access away, or gives it back.
    Remove {
        /// Their number in `fitter user list`.
        id: i64,
        /// Gives it back.
        #[arg(long)]
        undo: bool,
    },
}

/// `fitter dead`
#[derive(Debug, Subcommand)]
pub enum Dead {
    /// Lists items that could not be handled.
    List,
    /// Shows one; its payload may hold a person's words.
    Show {
        /// Its number.
        id: i64,
    },
    /// Puts one back, to be tried again.
    Replay {
        /// Its number.
        id: i64,
    },
    /// Drops one: it is dealt with, or not worth it.
    Drop {
        /// Its number.
        id: i64,
    },
}

/// `fitter configuration`
#[derive(Debug, clap::Args)]
pub struct Document {
    /// The file to write.
    file: PathBuf,
}

/// `fitter migrate`
///
/// # Errors
/// If the database refuses.
pub async fn migrate(config: &Config) -> anyhow::Result<ExitCode> {
    let database = start::database(config, Migrations::Apply).await?;
    println!("the database is up to date");
    database.close().await;
    Ok(ExitCode::SUCCESS)
}

/// `fitter user`
///
/// # Errors
/// If the database refuses.
pub async fn user(user: User, config: &Config) -> anyhow::Result<ExitCode> {
    let database = start::database(config, Migrations::Refuse).await?;
    let app = start::app(config, database).await?;
    match user {
        User::Invite { role } => {
            let bot = bot(config).await;
            let token = app.make_invite(&mut *app.db.pool().acquire().await?, role, None).await?;
            match bot {
                Ok((id, info)) => {
                    app.know_bot(id, info);
                    println!("{}", app.invite_link(id, &token).context("the bot has no username")?);
                }
                Err(error) => {
                    eprintln!("fitter: {error:#}; send this to the bot instead of a link:");
                    println!("/start {token}");
                }
            }
        }
        User::List => {
            for person in people::list(&mut *app.db.pool().acquire().await?).await? {
                let state = if person.removed { "removed" } else { person.role.name() };
                println!("{:>6}  {:<10}  {}  {}", person.id.0, state, person.locale.code(), person.name);
            }
        }
        User::Remove { id, undo } => {
            let found = app.set_removed(fitter_domain::ids::PersonId(id), !undo).await?;
            ensure!(found, "there is no person {id}; see `fitter user list`");
            println!("done");
        }
    }
    app.db.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Asks Telegram who the first bot is.
async fn bot(config: &Config) -> anyhow::Result<(fitter_domain::ids::BotId, BotInfo)> {
    let token = serve::tokens(config)?.into_iter().next().context("no token")?;
    let me = fitter_bot::setup::identify(&Api::new(serve::api_url(config)?, token)?).await?;
    Ok((me.id, BotInfo { username: me.username }))
}

/// `fitter dead`
///
/// # Errors
/// If the database refuses.
pub async fn dead(dead: Dead, config: &Config) -> anyhow::Result<ExitCode> {
    let database = start::database(config, Migrations::Refuse).await?;
    let mut conn = database.pool().acquire().await?;
    match dead {
        Dead::List => {
            let mut after = ItemId(0);
            loop {
                let items = fitter_queue::dead_list(&mut conn, after, 100).await?;
                let Some(last) = items.last() else { break };
                after = last.id;
                for item in &items {
                    println!("{:>8}  {:<6}  {}  {}  {}", item.id.0, item.queue.name(), item.died.format("%F %T"), item.lane, item.error);
                }
            }
        }
        Dead::Show { id } => match fitter_queue::dead_show(&mut conn, ItemId(id)).await? {
            Some(item) => {
                println!("{} {} after {} attempts: {}\n{}", item.queue.name(), item.lane, item.attempts, item.error, item.payload)
            }
            None => bail!("there is no dead item {id}; see `fitter dead list`"),
        },
        Dead::Replay { id } => match fitter_queue::replay(&mut conn, ItemId(id)).await? {
            Some(queue) => println!("back in the {}", queue.name()),
            None => bail!("there is no dead item {id}; see `fitter dead list`"),
        },
        Dead::Drop { id } => {
            ensure!(fitter_queue::discard(&mut conn, ItemId(id)).await?, "there is no dead item {id}; see `fitter dead list`");
            println!("dropped");
        }
    }
    drop(conn);
    database.close().await;
    Ok(ExitCode::SUCCESS)
}

/// `fitter doctor`: one line per check.
///
/// # Errors
/// Never: what is wrong is a line.
pub async fn doctor(config: &Config) -> anyhow::Result<ExitCode> {
    let mut well = true;
    let mut line = |name: &str, result: anyhow::Result<String>| match result {
        Ok(detail) => println!("ok    {name}: {detail}"),
        Err(error) => {
            well = false;
            println!("FAIL  {name}: {error:#}");
        }
    };
    line("configuration", Ok("read".to_owned()));
    line("data folder", data_folder(config));
    match start::database(config, Migrations::Refuse).await {
        Ok(database) => {
            match maintenance::health(&database).await {
                Ok(health) => {
                    let place = if health.embedded { "embedded" } else { "external" };
                    line("database", Ok(format!("{place} PostgreSQL {}, {} MB", health.server, health.bytes / 1_000_000)));
                    let vector = health.vector.clone().unwrap_or_else(|| "missing".to_owned());
                    let old = health.vector_is_old;
                    line(
                        "pgvector",
                        if old { Err(anyhow::anyhow!("{vector} has known bugs; install 0.8.4 or newer")) } else { Ok(vector) },
                    );
                    let dead: u64 = health.queues.iter().map(|queue| queue.dead).sum();
                    let result = if dead == 0 { Ok("none".to_owned()) } else { Err(anyhow::anyhow!("{dead}; see `fitter dead list`")) };
                    line("dead letters", result);
                    let waiting = |queue: Queue| health.queues.iter().find(|depth| depth.queue == queue).map_or(0, |depth| depth.waiting);
                    line("queues", Ok(Queue::ALL.map(|queue| format!("{} {}", queue.name(), waiting(queue))).join(", ")));
                }
                Err(error) => line("database", Err(error.into())),
            }
            database.close().await;
        }
        Err(error) => line("database", Err(error)),
    }
    match keep::source(&config.vault, &config.storage.data_dir) {
        Some(source) => line("vault", vault(&source).await),
        None => line("vault", Ok("not configured; set FITTER_VAULT or FITTER_VAULT_GIT_URL".to_owned())),
    }
    match bot(config).await {
        Ok((id, info)) => line("telegram", Ok(format!("bot {id} is @{}", info.username))),
        Err(error) => line("telegram", Err(error)),
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn data_folder(config: &Config) -> anyhow::Result<String> {
    let folder = &config.storage.data_dir;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let probe = folder.join(".doctor");
    std::fs::write(&probe, b"ok").with_context(|| format!("cannot write into {}", folder.display()))?;
    std::fs::remove_file(&probe).with_context(|| format!("cannot remove from {}", folder.display()))?;
    Ok(folder.display().to_string())
}

async fn vault(source: &Source) -> anyhow::Result<String> {
    let Some(seen) = source.look(None).await? else { return Ok(source.name()) };
    let plan = tokio::task::spawn_blocking(move || import::plan(&HashMap::new(), &seen.vault, &|_, _| {})).await?;
    let counts = plan.counts;
    let text = format!("{} notes, {} procedures, {} errors, {} warnings", counts.notes, counts.procedures, counts.errors, counts.warnings);
    if counts.errors > 0 {
        bail!("{text}; see `fitter import --check --report`")
    }
    Ok(text)
}

/// `fitter configuration`
///
/// # Errors
/// If the file cannot be written.
pub fn document(args: &Document) -> anyhow::Result<ExitCode> {
    std::fs::write(&args.file, config::document()).with_context(|| format!("cannot write {}", args.file.display()))?;
    Ok(ExitCode::SUCCESS)
}
