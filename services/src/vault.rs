//! Importing the notes: the folder is compared with what is stored, and only the difference is written.

use std::collections::HashMap;
use std::path::Path;

use bytes::Bytes;
use fitter_retrieval::import::{self, Counts};
use fitter_retrieval::note::Parsed;
use fitter_retrieval::problem::Problem;
use fitter_retrieval::vault::{self, Vault};
use fitter_store::{fixed, notes, procedures};

use crate::app::App;
use crate::error::ServiceError;

/// What an import did.
#[derive(Debug, Clone)]
pub struct Report {
    /// Sums of the whole vault.
    pub counts: Counts,
    /// Notes written.
    pub changed: usize,
    /// Notes removed.
    pub removed: usize,
    /// What is wrong, by file and line.
    pub problems: Vec<Problem>,
}

/// Notes written in one transaction: the single connection of the embedded server is free for people in between.
const BATCH: usize = 20;

impl App {
    /// Brings the stored notes in line with a folder, and the search index with them.
    ///
    /// # Errors
    /// If the database or the file store refuses; broken notes are in the report.
    pub async fn import_vault(&self, folder: &Path) -> Result<Report, ServiceError> {
        let known = notes::known(&mut *self.db.pool().acquire().await?).await?;
        let root = folder.to_owned();
        // Reading and parsing is work for a thread of its own.
        let (vault, plan) = tokio::task::spawn_blocking(move || {
            let vault = vault::read(&root);
            let plan = import::plan(&known, &vault);
            (vault, plan)
        })
        .await
        .map_err(|_| ServiceError::Interrupted("vault import"))?;
        for batch in plan.changed.chunks(BATCH) {
            let blobs = self.pictures(&vault, batch).await?;
            let mut tx = self.db.pool().begin().await?;
            for note in batch {
                let (record, chunks) = record(note, &blobs, self.clock.now());
                notes::replace_note(&mut tx, &record, &chunks).await?;
                fixed::replace(&mut tx, &note.path, &note.meta.answers).await?;
                match &note.procedure {
                    Some(draft) => {
                        let procedure = draft.clone().with_blobs(&blobs);
                        procedures::put_version(&mut tx, &procedure, &note.hash, record.visibility).await?;
                    }
                    // A note that is broken for the moment keeps its last good procedure; one that is no procedure any more does not.
                    None if note.meta.kind != fitter_retrieval::meta::Kind::Procedure => procedures::retire(&mut tx, &note.path).await?,
                    None => {}
                }
            }
            tx.commit().await?;
        }
        if !plan.removed.is_empty() {
            let mut tx = self.db.pool().begin().await?;
            for path in &plan.removed {
                notes::delete_note(&mut tx, path).await?;
                procedures::retire(&mut tx, path).await?;
            }
            tx.commit().await?;
        }
        let report = Report { counts: plan.counts, changed: plan.changed.len(), removed: plan.removed.len(), problems: plan.problems };
        self.refresh_search().await?;
        Ok(report)
    }

    /// Puts the pictures of notes into the file store; gives their hashes by their paths in the vault.
    async fn pictures(&self, vault: &Vault, batch: &[Parsed]) -> Result<HashMap<String, String>, ServiceError> {
        let mut blobs = HashMap::new();
        for path in batch.iter().flat_map(|note| &note.images) {
            let Some(file) = vault.attachments.get(path).filter(|_| !blobs.contains_key(path)) else { continue };
            match tokio::fs::read(file).await {
                Ok(bytes) => {
                    blobs.insert(path.clone(), self.files.put(Bytes::from(bytes)).await?);
                }
                // Gone since the folder was listed; the next import reports it.
                Err(error) => tracing::warn!(%error, path, "picture {path} cannot be read"),
            }
        }
        Ok(blobs)
    }
}

fn record(
    note: &Parsed,
    blobs: &HashMap<String, String>,
    now: chrono::DateTime<chrono::Utc>,
) -> (notes::NoteRecord, Vec<notes::ChunkRecord>) {
    let meta = &note.meta;
    let record = notes::NoteRecord {
        path: note.path.clone(),
        hash: note.hash.clone(),
        title: meta.title.clone(),
        aliases: meta.aliases.clone(),
        tags: meta.tags.iter().chain(&meta.devices).cloned().collect(),
        lang: Some(meta.locale.code().to_owned()),
        visibility: crate::search::stored(meta.visibility),
        kind: crate::search::kind(meta.kind).to_owned(),
        modified: now,
        links: note.links.clone(),
        terms: note.terms.clone(),
    };
    let chunks = note
        .chunks
        .iter()
        .map(|chunk| notes::ChunkRecord {
            headings: chunk.headings.clone(),
            start_line: chunk.start_line,
            end_line: chunk.end_line,
            body: chunk.body.clone(),
            text: chunk.text.clone(),
            images: chunk.images.iter().filter_map(|path| blobs.get(path)).cloned().collect(),
        })
        .collect();
    (record, chunks)
}
