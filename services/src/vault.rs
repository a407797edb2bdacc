//! Importing the notes: the source is compared with what is stored, and only the difference is read and written.
//!
//! | file | what |
//! | --- | --- |
//! | `vault.rs` | the import |
//! | `vault/source.rs` | a folder or a repository |
//! | `vault/git.rs`, `vault/blobs.rs` | the repository |
//! | `vault/rows.rs` | parsed notes as rows and back |

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use fitter_domain::vault::VaultState;
use fitter_retrieval::import;
use fitter_retrieval::note::Parsed;
use fitter_retrieval::vault::Vault;
use fitter_store::notes::Sums;
use fitter_store::vault::{ProblemRecord, ProblemSums, Severity};
use fitter_store::{PgConnection, fixed, notes, procedures, subjects, vault as stored};

use crate::app::App;
use crate::error::ServiceError;

mod blobs;
mod git;
mod rows;
mod source;

pub use git::{Changed, Git};
pub use source::{Seen, Source, SourceError};

/// What an import did, and what is stored after it.
#[derive(Debug, Clone)]
pub struct Report {
    /// How much is stored.
    pub sums: Sums,
    /// Notes written.
    pub changed: usize,
    /// Notes removed.
    pub removed: usize,
    /// Notes whose files were read.
    pub read: usize,
    /// How much is wrong in the whole vault.
    pub wrong: ProblemSums,
    /// What is wrong in it, remarks left out: the worst first.
    pub problems: Vec<ProblemRecord>,
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Whether notes are written already, or still read.
    pub writing: bool,
    /// So many are done …
    pub done: usize,
    /// … of so many.
    pub of: usize,
}

/// Hears how far an import is, on any thread.
pub type Told = Arc<dyn Fn(Progress) + Send + Sync>;

/// Notes written in one transaction: the single connection of the embedded server is free for people in between.
const EMBEDDED_BATCH: usize = 20;
/// The same with a server of its own.
const BATCH: usize = 200;
/// Problems of a report.
const REPORTED: u32 = 10_000;

impl App {
    /// Brings the stored notes in line with a folder, and the search index with them.
    ///
    /// # Errors
    /// If the folder, the database or the file store refuses; broken notes are in the report.
    pub async fn import_vault(&self, folder: &Path) -> Result<Report, ServiceError> {
        match Source::Folder(folder.to_owned()).look(None).await? {
            Some(seen) => self.sync_vault(seen, Arc::new(|_| {})).await,
            None => self.vault_report(0, 0, 0).await,
        }
    }

    /// Brings the stored notes in line with a source, and the search index with them.
    ///
    /// # Errors
    /// If the source, the database or the file store refuses; broken notes are in the report.
    pub async fn sync_vault(&self, seen: Seen, told: Told) -> Result<Report, ServiceError> {
        let settings = seen.vault.settings.fingerprint();
        let mut known = {
            let mut conn = self.db.pool().acquire().await?;
            let state = stored::state(&mut conn).await?;
            let mut known = rows::known(stored::files(&mut conn).await?);
            if state.settings.as_ref() != Some(&settings) {
                // With other settings the same bytes may read otherwise.
                known.values_mut().for_each(|note| note.parser = 0);
            }
            known
        };
        let hear = Arc::clone(&told);
        // Reading and parsing is work for threads of its own.
        let (seen, plan) = tokio::task::spawn_blocking(move || {
            let plan = import::plan(&known, &seen.vault, &|done, of| hear(Progress { writing: false, done, of }));
            known.clear();
            (seen, plan)
        })
        .await
        .map_err(|_| ServiceError::Interrupted("vault import"))?;
        let paths = plan.changed.iter().map(|note| note.path.clone()).collect::<HashSet<_>>();
        let changed = seen.changed(paths).await?;
        let (vault, batch) = (Arc::new(seen.vault), if self.db.is_embedded() { EMBEDDED_BATCH } else { BATCH });
        for (place, notes) in plan.changed.chunks(batch).enumerate() {
            self.write(&vault, notes, &changed).await?;
            told(Progress { writing: true, done: (place * batch + notes.len()).min(plan.changed.len()), of: plan.changed.len() });
        }
        for notes in plan.checked.chunks(batch) {
            let mut tx = self.db.pool().begin().await?;
            rows::put_files(&mut tx, notes, &vault).await?;
            tx.commit().await?;
        }
        let mut tx = self.db.pool().begin().await?;
        if !plan.removed.is_empty() {
            notes::delete_notes(&mut tx, &plan.removed).await?;
            procedures::retire(&mut tx, &plan.removed).await?;
            stored::replace_problems(&mut tx, &plan.removed, &[]).await?;
        }
        stored::replace_vault_problems(&mut tx, &rows::problems(&vault.problems)).await?;
        stored::done(&mut tx, &seen.source, seen.version.as_deref(), &settings, self.clock.now()).await?;
        tx.commit().await?;
        self.refresh_search().await?;
        self.vault_report(plan.changed.len(), plan.removed.len(), plan.changed.len() + plan.checked.len()).await
    }

    /// The source can be looked at again, and the notes are still those of it.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn vault_found(&self) -> Result<(), ServiceError> {
        let mut conn = self.db.pool().acquire().await?;
        Ok(stored::found(&mut conn, self.clock.now()).await?)
    }

    async fn vault_report(&self, changed: usize, removed: usize, read: usize) -> Result<Report, ServiceError> {
        let mut conn = self.db.pool().acquire().await?;
        Ok(Report {
            sums: notes::sums(&mut conn).await?,
            changed,
            removed,
            read,
            wrong: stored::count_problems(&mut conn).await?,
            problems: stored::problems(&mut conn, Severity::Warning, REPORTED).await?,
        })
    }

    /// Writes notes with all that belongs to them, in one transaction.
    async fn write(&self, vault: &Arc<Vault>, notes: &[Parsed], changed: &HashMap<String, Changed>) -> Result<(), ServiceError> {
        let blobs = self.pictures(vault, notes).await?;
        let now = self.clock.now();
        let records: Vec<_> = notes.iter().map(|note| rows::record(note, &blobs, rows::written(note, vault, changed, now))).collect();
        let mut tx = self.db.pool().begin().await?;
        notes::replace_notes(&mut tx, &records).await?;
        subjects::replace(&mut tx, &notes.iter().map(rows::subject).collect::<Vec<_>>()).await?;
        for note in notes {
            fixed::replace(&mut tx, &note.path, &note.meta.answers).await?;
        }
        rows::put_files(&mut tx, notes, vault).await?;
        let mut retired = Vec::new();
        for (note, (record, _)) in notes.iter().zip(&records) {
            match &note.procedure {
                Some(draft) => {
                    let procedure = draft.clone().with_blobs(&blobs);
                    procedures::put_version(&mut tx, &procedure, &note.hash, record.visibility).await?;
                }
                // A note that is broken for the moment keeps its last good procedure; one that is no procedure any more does not.
                None if note.meta.kind != fitter_retrieval::meta::Kind::Procedure => retired.push(note.path.clone()),
                None => {}
            }
        }
        procedures::retire(&mut tx, &retired).await?;
        Ok(tx.commit().await?)
    }

    /// Puts the pictures of notes into the file store; gives their hashes by their paths in the vault.
    async fn pictures(&self, vault: &Arc<Vault>, batch: &[Parsed]) -> Result<HashMap<String, String>, ServiceError> {
        let mut blobs = HashMap::new();
        let paths: HashSet<&String> = batch.iter().flat_map(|note| &note.images).collect();
        for path in paths {
            let (from, name) = (Arc::clone(vault), path.clone());
            let read = tokio::task::spawn_blocking(move || from.attachments.get(&name).map(fitter_retrieval::vault::Entry::read)).await;
            match read.map_err(|_| ServiceError::Interrupted("reading of a picture"))? {
                Some(Ok(bytes)) => {
                    blobs.insert(path.clone(), self.files.put(Bytes::from_owner(bytes)).await?);
                }
                // Gone since the folder was listed; the next import reports it.
                Some(Err(error)) => tracing::warn!(%error, path, "picture {path} cannot be read"),
                None => {}
            }
        }
        Ok(blobs)
    }

    /// A push to the repository of the notes was told of: the source is looked at soon, by whichever process keeps the notes in line with it.
    /// `false` if this delivery was told of before.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn vault_pushed(&self, delivery: Option<&str>) -> Result<bool, ServiceError> {
        let mut tx = self.db.pool().begin().await?;
        let fresh = match delivery {
            Some(delivery) => stored::pushed(&mut tx, delivery, self.clock.now()).await?,
            None => true,
        };
        if fresh {
            stored::want(&mut tx).await?;
        }
        tx.commit().await?;
        if fresh {
            self.stirred.notify_one();
        }
        Ok(fresh)
    }
}

/// Problems that are shown in a chat.
const SHOWN: u32 = 10;

/// How the notes are kept, for a chat.
///
/// # Errors
/// If the database refuses.
pub(crate) async fn state(conn: &mut PgConnection) -> Result<VaultState, ServiceError> {
    let state = stored::state(conn).await?;
    let (sums, wrong) = (notes::sums(conn).await?, stored::count_problems(conn).await?);
    let problems = stored::problems(conn, Severity::Warning, SHOWN).await?;
    let count = |sum: u64| u32::try_from(sum).unwrap_or(u32::MAX);
    Ok(VaultState {
        source: state.source,
        version: state.version,
        at: state.at,
        error: state.error,
        revision: state.revision,
        notes: count(sums.notes),
        procedures: count(sums.procedures),
        errors: wrong.errors,
        warnings: wrong.warnings,
        problems: problems.iter().map(|problem| format!("{}:{}: {}", problem.path, problem.line, problem.what)).collect(),
    })
}
