//! Starting, mounting and stopping a simulator.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::clock::SimClock;
use crate::config::SimulatorConfig;
use crate::error::{Error, Result};
use crate::http;
use crate::schema::Schema;
use crate::world::World;

/// How long open requests may take to end after a shutdown began.
const GRACE: Duration = Duration::from_secs(2);

/// Telegram on one machine. Clones share the state.
#[derive(Clone)]
pub struct Simulator {
    world: Arc<World>,
}

impl Simulator {
    /// Builds the state, from the state directory if there is one, and serves nothing yet.
    ///
    /// # Errors
    ///
    /// If the state directory cannot be used.
    pub fn new(config: &SimulatorConfig) -> Result<Self> {
        Schema::get()?;
        Ok(Self { world: World::open(config)? })
    }

    /// The routes, to be merged into another server. Call it within a Tokio runtime: webhooks
    /// are delivered by tasks of it.
    pub fn router(&self) -> Router {
        http::spawn_webhooks(&self.world);
        http::router(Arc::clone(&self.world))
    }

    /// The clock of this simulator.
    #[must_use]
    pub fn clock(&self) -> SimClock {
        self.world.clock.clone()
    }

    /// Switches the sending limits on or off; they start off. Their figures are set by `POST /sim/limits`.
    pub fn set_rate_limits(&self, on: bool) {
        self.world.rates.set(on, None);
    }

    /// Ends waiting requests and webhook deliveries.
    pub fn stop(&self) {
        self.world.stop.cancel();
    }

    /// Starts a server.
    ///
    /// # Errors
    ///
    /// If the address cannot be bound or the state directory not be used.
    pub async fn start(config: SimulatorConfig) -> Result<Running> {
        let simulator = Self::new(&config)?;
        let io = |source| Error::Io { what: config.addr.to_string(), source };
        let listener = TcpListener::bind(config.addr).await.map_err(io)?;
        let addr = listener.local_addr().map_err(io)?;
        let (app, stop) = (simulator.router(), simulator.world.stop.clone());
        let server = tokio::spawn(async move {
            let served = axum::serve(listener, app).with_graceful_shutdown(stop.cancelled_owned()).await;
            if let Err(error) = served {
                tracing::error!(%error, "the simulator stopped");
            }
        });
        Ok(Running { simulator, addr, server })
    }
}

/// A simulator that listens. Dropping it stops it.
pub struct Running {
    simulator: Simulator,
    addr: SocketAddr,
    server: JoinHandle<()>,
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The address of the API, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The simulator behind the server.
    #[must_use]
    pub fn simulator(&self) -> &Simulator {
        &self.simulator
    }

    /// Stops the server; waiting requests end, the address is free afterwards.
    pub async fn shutdown(mut self) {
        self.simulator.stop();
        if tokio::time::timeout(GRACE, &mut self.server).await.is_err() {
            self.server.abort();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.simulator.stop();
        self.server.abort();
    }
}
