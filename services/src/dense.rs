//! Vectors of the notes: which model serves, and the passages that have none yet.
//!
//! The model that the configuration wants embeds what is missing, in the background. The newest model whose vectors are complete serves; while
//! the wanted one is not there yet, that is the one before, loaded as its own options say.

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use fitter_domain::Locale;
use fitter_domain::ids::ChunkId;
use fitter_domain::person::Role;
use fitter_retrieval::dense::{BATCH, EmbedError, Embedder, Near, passage_text};
use fitter_retrieval::fusion::{CANDIDATES, Fusion};
use fitter_retrieval::rerank::Reranker;
use fitter_store::lock::Locks;
use fitter_store::notes;
use fitter_store::vectors::{self, INDEX_FROM, Model};
use serde_json::Value;

use crate::app::App;
use crate::error::ServiceError;
use crate::search::visible_to;

/// Loads a model by the options it was stored with.
pub type Load = Box<dyn Fn(&Value) -> Result<Arc<dyn Embedder>, EmbedError> + Send + Sync>;

/// How questions are answered beside the words.
pub struct Settings {
    /// The model to use, and the options that load it again.
    pub wanted: Option<(Arc<dyn Embedder>, Value)>,
    /// Loads the model before.
    pub load: Load,
    /// How both lists are weighed.
    pub fusion: Fusion,
    /// The second look, if there is one.
    pub reranker: Option<Arc<dyn Reranker>>,
    /// It is taken if the second passage has so little less than the first, as a share of the first one's score.
    pub margin: f32,
    /// It may take so long.
    pub time: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            wanted: None,
            load: Box::new(|_| Err(EmbedError::Model("no model is configured".to_owned()))),
            fusion: Fusion::default(),
            reranker: None,
            margin: 0.05,
            time: Duration::from_millis(800),
        }
    }
}

/// A model that answers.
#[derive(Clone)]
struct Serving {
    model: Model,
    indexed: bool,
    embedder: Arc<dyn Embedder>,
}

/// The vectors of this process; cheap to clone.
#[derive(Clone, Default)]
pub struct Dense {
    settings: Arc<Settings>,
    serving: Arc<RwLock<Option<Serving>>>,
    /// A model before the wanted one that cannot be loaded: it is not tried again.
    unusable: Arc<AtomicI32>,
}

impl std::fmt::Debug for Dense {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dense").field("serving", &self.serving().map(|serving| serving.model.name)).finish_non_exhaustive()
    }
}

/// What the background work remembers.
#[derive(Debug, Default)]
pub struct Background {
    locks: Locks,
    /// Revision of the notes up to which every passage has its vector.
    done: Option<i64>,
}

/// Passages whose texts are read at once.
const READ: usize = 8 * BATCH;
/// A question that takes longer is answered by its words.
const PATIENCE: Duration = Duration::from_secs(2);

impl Dense {
    /// Vectors by these settings; none serve before [`App::refresh_dense`].
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings: Arc::new(settings), serving: Arc::default(), unusable: Arc::default() }
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The model that serves.
    #[must_use]
    pub fn model(&self) -> Option<String> {
        self.serving().map(|serving| serving.model.name)
    }

    fn serving(&self) -> Option<Serving> {
        self.serving.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn serve(&self, serving: Option<Serving>) {
        *self.serving.write().unwrap_or_else(PoisonError::into_inner) = serving;
    }

    /// The embedder for a model that is stored: the wanted one if it is that, else loaded anew.
    async fn embedder(&self, model: &Model) -> Result<Arc<dyn Embedder>, ServiceError> {
        if let Some((wanted, _)) = self.settings.wanted.as_ref().filter(|(wanted, _)| wanted.name() == model.name) {
            return Ok(Arc::clone(wanted));
        }
        let (settings, options) = (Arc::clone(&self.settings), model.options.clone());
        let loaded = tokio::task::spawn_blocking(move || (settings.load)(&options))
            .await
            .map_err(|_| ServiceError::Interrupted("loading a model"))??;
        // Another model may lie in the folder by now.
        if loaded.name() == model.name {
            Ok(loaded)
        } else {
            Err(EmbedError::Model(format!("{} is gone from its folder", model.name)).into())
        }
    }
}

impl App {
    /// Finds out which model serves, and loads it if it is another one than before. Without a wanted model none does.
    ///
    /// # Errors
    /// If the database refuses. A model before the wanted one that cannot be loaded is none, and the log says so once.
    pub async fn refresh_dense(&self) -> Result<(), ServiceError> {
        if self.dense.settings.wanted.is_none() {
            return Ok(());
        }
        let (model, indexed) = {
            let mut conn = self.db.pool().acquire().await?;
            let Some(model) = vectors::serving(&mut conn).await? else {
                self.dense.serve(None);
                return Ok(());
            };
            let indexed = vectors::is_indexed(&mut conn, model.id).await?;
            (model, indexed)
        };
        match self.dense.serving() {
            Some(serving) if serving.model.id == model.id => self.dense.serve(Some(Serving { indexed, ..serving })),
            // Numbers of models begin with 1.
            _ if self.dense.unusable.load(Ordering::Relaxed) == model.id => self.dense.serve(None),
            _ => match self.dense.embedder(&model).await {
                Ok(embedder) => {
                    tracing::info!(model = model.name, "vectors serve");
                    self.dense.serve(Some(Serving { model, indexed, embedder }));
                }
                Err(error) => {
                    tracing::warn!(%error, model = model.name, "the model before cannot be loaded; words alone answer until the new one is ready");
                    self.dense.unusable.store(model.id, Ordering::Relaxed);
                    self.dense.serve(None);
                }
            },
        }
        Ok(())
    }

    /// Embeds passages that have no vector of the wanted model, until none is left, and makes its index if they are many. Once every passage has
    /// one the model serves, and the vectors of others are deleted. Returns how many were embedded. One process does this at a time: the others only
    /// look which model serves. Call it now and then.
    ///
    /// # Errors
    /// If the database refuses or the model fails; what is done stays.
    pub async fn embed(&self, background: &mut Background) -> Result<u64, ServiceError> {
        let Some((embedder, options)) = &self.dense.settings.wanted else { return Ok(0) };
        let revision = notes::revision(&mut *self.db.pool().acquire().await?).await?;
        if background.done == Some(revision) || !background.locks.hold(&self.db, "embedding").await? {
            self.refresh_dense().await?;
            return Ok(0);
        }
        let dimension = i32::try_from(embedder.dimension()).unwrap_or(i32::MAX);
        let model = vectors::want(&mut *self.db.pool().acquire().await?, embedder.name(), dimension, options).await?;
        let (mut embedded, mut after) = (0_u64, ChunkId(0));
        loop {
            let missing = {
                let mut conn = self.db.pool().acquire().await?;
                vectors::missing(&mut conn, model.id, after, i64::try_from(READ).unwrap_or(i64::MAX)).await?
            };
            let Some(last) = missing.last() else { break };
            after = last.chunk;
            let texts: Vec<String> = missing.iter().map(|one| passage_text(&one.title, &one.headings, &one.text)).collect();
            let own = Arc::clone(embedder);
            // No connection is held while the model computes.
            let made =
                tokio::task::spawn_blocking(move || own.passages(&texts)).await.map_err(|_| ServiceError::Interrupted("embedding"))??;
            let rows: Vec<(ChunkId, Vec<f32>)> = missing.iter().map(|one| one.chunk).zip(made).collect();
            embedded += rows.len() as u64;
            vectors::store(&mut *self.db.pool().acquire().await?, model.id, rows).await?;
            metrics::counter!("fitter_passages_embedded_total").increment(missing.len() as u64);
            if embedded % (32 * READ as u64) < READ as u64 {
                let (passages, vectors) = vectors::counts(&mut *self.db.pool().acquire().await?, model.id).await?;
                tracing::info!(passages, vectors, "passages are being embedded");
            }
        }
        let mut tx = self.db.pool().begin().await?;
        let others = vectors::complete(&mut tx, model.id).await?;
        tx.commit().await?;
        if !model.complete {
            tracing::info!(model = model.name, "every passage has a vector");
        }
        for other in others {
            vectors::drop_index(&mut *self.db.pool().acquire().await?, other).await?;
        }
        self.index_vectors(&model).await?;
        self.refresh_dense().await?;
        background.done = Some(revision);
        Ok(embedded)
    }

    /// The embedded database has one connection, which an index would keep for minutes, and is not meant for so many passages.
    async fn index_vectors(&self, model: &Model) -> Result<(), ServiceError> {
        if self.db.is_embedded() {
            return Ok(());
        }
        let mut conn = self.db.pool().acquire().await?;
        let (_, count) = vectors::counts(&mut conn, model.id).await?;
        if count >= INDEX_FROM && !vectors::is_indexed(&mut conn, model.id).await? {
            let made = vectors::index(&mut conn, model).await?;
            tracing::info!(vectors = count, made, "an index of the vectors was made");
        }
        Ok(())
    }

    /// The passages nearest to a question that its asker may see; none if no model serves, or if it fails: the words answer then, and the metrics
    /// say so.
    pub(crate) async fn near(&self, text: &str, role: Role) -> Vec<Near> {
        let Some(serving) = self.dense.serving() else { return Vec::new() };
        match tokio::time::timeout(PATIENCE, self.nearest(serving, text, role)).await {
            Ok(Ok(near)) => near,
            Ok(Err(error)) => {
                tracing::warn!(%error, "vectors do not answer; the words do");
                metrics::counter!("fitter_search_degraded_total", "part" => "vectors").increment(1);
                Vec::new()
            }
            Err(_) => {
                metrics::counter!("fitter_search_degraded_total", "part" => "vectors").increment(1);
                Vec::new()
            }
        }
    }

    async fn nearest(&self, serving: Serving, text: &str, role: Role) -> Result<Vec<Near>, ServiceError> {
        let Serving { model, indexed, embedder } = serving;
        let text = text.to_owned();
        let vector =
            tokio::task::spawn_blocking(move || embedder.query(&text)).await.map_err(|_| ServiceError::Interrupted("embedding"))??;
        let mut conn = self.db.pool().acquire().await?;
        let limit = i64::try_from(CANDIDATES).unwrap_or(i64::MAX);
        let found = vectors::nearest(&mut conn, &model, vector, visible_to(role), limit, indexed).await?;
        let near = |one: vectors::Near| Near {
            note: one.note,
            chunk: one.number,
            locale: one.lang.as_deref().and_then(Locale::from_tag).unwrap_or_default(),
            similarity: one.similarity,
        };
        Ok(found.into_iter().map(near).collect())
    }
}
