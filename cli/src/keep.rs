//! Keeping the notes in line with their source, and the search index with the notes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use fitter_services::App;
use fitter_services::vault::{Git, Progress, Report, Source};
use fitter_store::lock::Locks;
use fitter_store::vault::{self as stored, ProblemRecord, Severity};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio_util::sync::CancellationToken;

use crate::config::Vault;

/// Whoever holds this lock keeps the notes in line with their source.
pub const LOCK: &str = "vault";
/// So often it is looked whether the notes were changed by another process, or somebody wants the source to be looked at.
const TICK: Duration = Duration::from_secs(1);
/// A folder is looked at so often by itself: what watches it may miss something.
const FOLDER_POLL: Duration = Duration::from_secs(5);
/// After a failure.
const RETRY: Duration = Duration::from_secs(5);
/// Changes come in bursts: it is waited until there was none for so long …
const SETTLED: Duration = Duration::from_millis(200);
/// … but not longer than this.
const LONGEST_BURST: Duration = Duration::from_secs(2);
/// A process that starts beside the one that imports waits so long for notes that were never there before.
const FIRST: Duration = Duration::from_secs(60);
/// Problems of notes in the log; `fitter import --report` tells them all.
const LOGGED: usize = 20;

/// The source of the notes, if one is configured.
#[must_use]
pub fn source(vault: &Vault, data_dir: &Path) -> Option<Source> {
    if let Some(url) = &vault.git_url {
        return Some(Source::Git(Git {
            url: url.clone(),
            branch: vault.git_branch.clone(),
            token_file: vault.git_token_file.as_deref().map(absolute),
            ssh_key_file: vault.git_ssh_key_file.as_deref().map(absolute),
            clone: absolute(&data_dir.join("vault.git")),
        }));
    }
    vault.path.clone().map(Source::Folder)
}

/// git runs in the clone, so its files are named from the root.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Keeps the notes in line with their source.
pub struct Keeper {
    app: App,
    source: Option<Source>,
    poll: Duration,
    locks: Locks,
    /// What the source was when the notes were last brought in line with it.
    seen: Option<String>,
    wanted: i64,
    revision: Option<i64>,
}

impl Keeper {
    /// Nothing is done yet.
    #[must_use]
    pub fn new(app: App, vault: &Vault, source: Option<Source>) -> Self {
        let poll = match &source {
            Some(Source::Git(_)) => Duration::from_secs(vault.git_poll),
            _ => FOLDER_POLL,
        };
        Self { app, source, poll, locks: Locks::default(), seen: None, wanted: 0, revision: None }
    }

    /// Imports before anybody is served. A repository that is away is tried again later: the notes that are stored serve meanwhile.
    ///
    /// # Errors
    /// If the folder does not exist, or the database refuses.
    pub async fn first(&mut self) -> anyhow::Result<()> {
        let Some(source) = &self.source else { return Ok(()) };
        if let Source::Folder(folder) = source {
            anyhow::ensure!(folder.is_dir(), "vault.path: {} is not a folder", folder.display());
        }
        self.wanted = self.state().await?.wanted;
        if self.locks.hold(&self.app.db, LOCK).await? {
            match (self.sync().await, source_is_git(self.source.as_ref())) {
                (Err(error), true) => tracing::error!("the notes were not fetched, the next try is soon: {error:#}"),
                (synced, _) => synced?,
            }
            return Ok(());
        }
        let until = Instant::now() + FIRST;
        while self.state().await?.at.is_none() && Instant::now() < until {
            tokio::time::sleep(TICK).await;
        }
        self.app.refresh_search().await?;
        Ok(())
    }

    async fn state(&self) -> anyhow::Result<stored::State> {
        Ok(stored::state(&mut *self.app.db.pool().acquire().await?).await?)
    }

    /// Runs until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let stirred = Arc::clone(&self.app.stirred);
        let _watcher = self.watch();
        let mut looked = Instant::now();
        let mut pause = self.poll;
        loop {
            let woken = tokio::select! {
                () = stop.cancelled() => break,
                () = stirred.notified() => true,
                () = tokio::time::sleep(TICK) => false,
            };
            let round = self.round(woken, looked.elapsed() >= pause);
            match stop.run_until_cancelled(round).await {
                None => break,
                Some(Ok(false)) => {}
                Some(Ok(true)) => (looked, pause) = (Instant::now(), self.poll),
                Some(Err(error)) => {
                    tracing::error!("the notes were not brought in line with their source, the next try is in {RETRY:?}: {error:#}");
                    (looked, pause) = (Instant::now(), RETRY);
                    if let Ok(mut conn) = self.app.db.pool().acquire().await
                        && let Err(error) = stored::failed(&mut conn, &format!("{error:#}")).await
                    {
                        tracing::debug!(%error, "that was not written down");
                    }
                }
            }
        }
        self.locks.release(LOCK).await;
    }

    /// `true` if the source was looked at.
    async fn round(&mut self, woken: bool, due: bool) -> anyhow::Result<bool> {
        let state = match self.state().await {
            Ok(state) => state,
            // Others say that the database is away; there is nothing to keep in line meanwhile.
            Err(error) => {
                tracing::debug!("the state of the notes cannot be read: {error:#}");
                return Ok(false);
            }
        };
        self.app.tell_search();
        if self.revision != Some(state.revision) || self.app.search.is_degraded() {
            match self.app.refresh_search().await {
                Ok(_) => self.revision = Some(state.revision),
                Err(error) => tracing::error!(%error, "the search index was not refreshed, the old one stays in use"),
            }
        }
        let wanted = state.wanted != self.wanted;
        if self.source.is_none() || !(woken || due || wanted) || !self.locks.hold(&self.app.db, LOCK).await? {
            return Ok(false);
        }
        if woken {
            self.settle().await;
        }
        self.wanted = self.state().await?.wanted;
        self.sync().await?;
        Ok(true)
    }

    /// Waits for the end of a burst of changes.
    async fn settle(&self) {
        let until = Instant::now() + LONGEST_BURST;
        while Instant::now() < until && tokio::time::timeout(SETTLED, self.app.stirred.notified()).await.is_ok() {}
    }

    /// Looks at the source, and imports what is different in it.
    async fn sync(&mut self) -> anyhow::Result<()> {
        let Some(source) = &self.source else { return Ok(()) };
        let Some(seen) = source.look(self.seen.as_deref()).await? else {
            if self.state().await?.error.is_some() {
                self.app.vault_found().await?;
            }
            return Ok(());
        };
        let (now, version) = (seen.fingerprint(), seen.version.clone());
        let report = self.app.sync_vault(seen, Arc::new(log_progress)).await?;
        self.seen = Some(now);
        log(&report, version.as_deref());
        Ok(())
    }

    /// Watches a folder, so that a change is seen at once.
    fn watch(&self) -> Option<RecommendedWatcher> {
        let Some(Source::Folder(folder)) = &self.source else { return None };
        let stirred = Arc::clone(&self.app.stirred);
        let watching = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Reading the notes is no change of them.
            if event.map_or(true, |event| !event.kind.is_access()) {
                stirred.notify_one();
            }
        })
        .and_then(|mut watcher| watcher.watch(folder, RecursiveMode::Recursive).map(|()| watcher));
        watching
            .inspect_err(|error| tracing::warn!(%error, "the folder of notes cannot be watched; it is looked at every {FOLDER_POLL:?}"))
            .ok()
    }
}

fn source_is_git(source: Option<&Source>) -> bool {
    matches!(source, Some(Source::Git(_)))
}

/// So many notes are imported between two lines of the log.
const LOGGED_EVERY: usize = 1_000;

fn log_progress(progress: Progress) {
    if progress.done.is_multiple_of(LOGGED_EVERY) {
        let what = if progress.writing { "written" } else { "read" };
        tracing::info!(done = progress.done, of = progress.of, "notes {what}");
    }
}

fn log(report: &Report, version: Option<&str>) {
    tracing::info!(
        notes = report.sums.notes,
        read = report.read,
        changed = report.changed,
        removed = report.removed,
        procedures = report.sums.procedures,
        problems = report.wrong.errors + report.wrong.warnings,
        version,
        "notes imported"
    );
    if report.read > 0 {
        for ProblemRecord { path, line, what, .. } in
            report.problems.iter().filter(|problem| problem.severity >= Severity::Warning).take(LOGGED)
        {
            tracing::warn!("{path}:{line}: {what}");
        }
    }
}

/// Takes the right to import for a command.
///
/// # Errors
/// If another process has it.
pub async fn alone(app: &App) -> anyhow::Result<Locks> {
    let mut locks = Locks::default();
    let until = Instant::now() + RETRY;
    loop {
        if locks.hold(&app.db, LOCK).await.context("the right to import")? {
            return Ok(locks);
        }
        anyhow::ensure!(
            Instant::now() < until,
            "another process keeps the notes in line with a source of its own; --check reports without writing"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
