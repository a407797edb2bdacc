//! Whether the product is well, for balancers, for Prometheus and for tests.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use fitter_queue::{Depth, QueueError};
use fitter_store::Database;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// The database may be busy for a moment; away is when it does not answer for so long.
const PATIENCE: Duration = Duration::from_secs(2);
/// Writing is tried so often at most, however many ask: the page is public.
const TRIED: Duration = Duration::from_secs(1);
/// Figures of the queues are read this often.
const REFRESH: Duration = Duration::from_secs(5);

/// Whether everything is started.
#[derive(Debug, Clone, Default)]
pub struct Ready {
    started: Arc<AtomicBool>,
    database: Arc<std::sync::OnceLock<Database>>,
    /// When the database last took something.
    wrote: Arc<Mutex<Option<Instant>>>,
}

impl Ready {
    /// The database that has to answer.
    pub fn watch(&self, database: Database) {
        // The first one stays: there is only one per process.
        let _already = self.database.set(database);
    }

    /// Everything is started.
    pub fn set(&self) {
        self.started.store(true, Ordering::Release);
    }

    async fn check(&self) -> Result<(), &'static str> {
        if !self.started.load(Ordering::Acquire) {
            return Err("starting");
        }
        let Some(database) = self.database.get() else { return Err("starting") };
        if !in_time(fitter_store::maintenance::ping(database)).await {
            return Err("the database does not answer");
        }
        if in_time(self.write(database)).await { Ok(()) } else { Err("the database takes no updates") }
    }

    async fn write(&self, database: &Database) -> Result<(), QueueError> {
        let mut wrote = self.wrote.lock().await;
        if wrote.is_none_or(|at| at.elapsed() >= TRIED) {
            *wrote = None;
            fitter_store::maintenance::writable(database).await?;
            *wrote = Some(Instant::now());
        }
        Ok(())
    }
}

/// Whether something succeeds soon.
async fn in_time<E>(work: impl Future<Output = Result<(), E>>) -> bool {
    matches!(tokio::time::timeout(PATIENCE, work).await, Ok(Ok(())))
}

/// `/healthz`: the process lives. `/readyz`: 200 once everything is started and while the database takes updates, 503 otherwise.
pub fn router(ready: Ready) -> Router {
    let readyz = move || {
        let ready = ready.clone();
        async move {
            match ready.check().await {
                Ok(()) => (StatusCode::OK, "ready\n").into_response(),
                Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
            }
        }
    };
    Router::new().route("/healthz", get(|| async { "alive\n" })).route("/readyz", get(readyz))
}

/// Starts collecting metrics.
///
/// # Errors
/// If a recorder is already there.
pub fn metrics() -> anyhow::Result<PrometheusHandle> {
    PrometheusBuilder::new().install_recorder().context("metrics")
}

/// Serves `/metrics` and `/queues` on a listener of their own, so that they cannot leak through the public one.
///
/// # Errors
/// If the address is taken.
pub async fn serve(addr: SocketAddr, handle: PrometheusHandle, database: Database, stop: CancellationToken) -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind(addr)
        .await
        .with_context(|| format!("metrics.addr: cannot listen on {addr}; set FITTER_METRICS_ADDR to a free address"))?;
    let (upkeep, gauged) = (handle.clone(), database.clone());
    let refresh = async move {
        loop {
            upkeep.run_upkeep();
            if let Ok(depths) = depths(&gauged).await {
                depths.iter().for_each(gauge);
            }
            tokio::time::sleep(REFRESH).await;
        }
    };
    tokio::spawn(stop.clone().run_until_cancelled_owned(refresh));
    let queues = move || {
        let database = database.clone();
        async move { queues(&database).await }
    };
    let router = Router::new().route("/metrics", get(move || std::future::ready(handle.render()))).route("/queues", get(queues));
    tokio::spawn(async move {
        let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
        if let Err(error) = served {
            tracing::error!(%error, "the metrics listener ended");
        }
    });
    Ok(())
}

async fn depths(database: &Database) -> anyhow::Result<Vec<Depth>> {
    let mut conn = database.pool().acquire().await?;
    Ok(fitter_queue::depth(&mut conn).await?)
}

fn gauge(depth: &Depth) {
    let queue = depth.queue.name();
    #[expect(clippy::cast_precision_loss, reason = "counts of items are far below 2^53")]
    let [ready, leased, dead] = [depth.ready, depth.leased, depth.dead].map(|count| count as f64);
    metrics::gauge!("fitter_queue_ready", "queue" => queue).set(ready);
    metrics::gauge!("fitter_queue_leased", "queue" => queue).set(leased);
    metrics::gauge!("fitter_queue_dead", "queue" => queue).set(dead);
    metrics::gauge!("fitter_queue_oldest_seconds", "queue" => queue).set(depth.oldest.as_secs_f64());
}

/// What the queues hold now, as JSON.
async fn queues(database: &Database) -> Response {
    match depths(database).await {
        Ok(depths) => {
            let rows: Vec<_> = depths
                .iter()
                .map(|d| serde_json::json!({"queue": d.queue.name(), "waiting": d.waiting, "ready": d.ready, "leased": d.leased, "dead": d.dead}))
                .collect();
            axum::Json(rows).into_response()
        }
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
