//! The embedded PostgreSQL: one process, one folder, one connection.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use pglite_oxide::{PgliteServer, extensions};
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::database::OpenError;

mod relay;

use relay::Endpoint;

/// A running server, behind a relay that keeps it alive (see [`relay`]).
#[derive(Debug)]
pub(crate) struct Embedded {
    root: PathBuf,
    backend: Endpoint,
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    server: PgliteServer,
    _lock: File,
}

impl Embedded {
    /// Starts the server on `data_dir/pg`, made if it is not there. Takes about a second.
    pub(crate) async fn start(data_dir: PathBuf) -> Result<(Arc<Self>, PgConnectOptions), OpenError> {
        let failed = |source| OpenError::DataDir { path: data_dir.clone(), source };
        private_dir(&data_dir)?;
        let lock = lock(&data_dir)?;
        let (front, backend) = Endpoint::choose(&data_dir).map_err(failed)?;
        let listener = front.listen().await.map_err(failed)?;
        let options = PgConnectOptions::new_without_pgpass()
            .username("postgres")
            .password("")
            .database("template1")
            .ssl_mode(PgSslMode::Disable)
            .application_name("fitter");
        let options = listener.address(options).map_err(failed)?;
        let root = data_dir.join("pg");
        let started = tokio::task::spawn_blocking({
            let (root, backend) = (root.clone(), backend.clone());
            move || serve(&root, &backend)
        });
        let server = started.await.map_err(|error| OpenError::Embedded { path: root.clone(), source: Box::new(error) })??;
        let backend = server.tcp_addr().map_or(backend, Endpoint::Tcp);
        let embedded = Arc::new(Self { root, backend, running: Mutex::new(Some(Running { server, _lock: lock })) });
        tokio::spawn(relay::run(listener, Arc::downgrade(&embedded)));
        Ok((embedded, options))
    }

    /// Where the server listens for the relay.
    fn backend(&self) -> &Endpoint {
        &self.backend
    }

    /// Starts the server anew after it has ended. Blocks for about a second.
    fn revive(&self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Running { server, _lock }) = running.take() else { return };
        tracing::warn!("the embedded database has ended and is started anew");
        if let Err(error) = server.shutdown() {
            tracing::debug!(%error, "how it had ended");
        }
        match serve(&self.root, &self.backend) {
            Ok(server) => *running = Some(Running { server, _lock }),
            Err(error) => tracing::error!(%error, "the embedded database cannot be started anew"),
        }
    }

    /// Stops the server. All connections have to be closed before, or this blocks until they are.
    pub(crate) fn stop(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(running) = running
            && let Err(error) = running.server.shutdown()
        {
            tracing::warn!(%error, "the embedded database did not stop cleanly; it recovers by itself at the next start");
        }
    }
}

impl Drop for Embedded {
    /// The server's own drop waits until the connections are closed, which may be never. A folder left like this is one after a kill: it
    /// recovers at the next start.
    fn drop(&mut self) {
        std::mem::forget(self.running.get_mut().unwrap_or_else(PoisonError::into_inner).take());
    }
}

fn serve(root: &Path, endpoint: &Endpoint) -> Result<PgliteServer, OpenError> {
    let builder = PgliteServer::builder().path(root).extension(extensions::VECTOR);
    let builder = match endpoint {
        #[cfg(unix)]
        Endpoint::Socket(path) => builder.unix(path),
        Endpoint::Tcp(address) => builder.tcp(*address),
    };
    builder.start().map_err(|source| OpenError::Embedded { path: root.to_owned(), source: source.into() })
}

fn private_dir(path: &Path) -> Result<(), OpenError> {
    private_folder(path).map_err(|source| OpenError::DataDir { path: path.to_owned(), source })
}

/// Makes a folder that only its owner can read; one that is there already stays as it is.
fn private_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// The operating system drops the lock with the process, however it ends: there are no stale locks.
fn lock(data_dir: &Path) -> Result<File, OpenError> {
    let failed = |source| OpenError::DataDir { path: data_dir.to_owned(), source };
    let path = data_dir.join("pg.lock");
    let mut file = File::options().read(true).write(true).create(true).truncate(false).open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0).and_then(|()| write!(file, "{}", std::process::id())).map_err(failed)?;
            Ok(file)
        }
        Err(std::fs::TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // Only to make the message better.
            let read = file.rewind().and_then(|()| file.read_to_string(&mut holder));
            let process = read.ok().and_then(|_| holder.trim().parse().ok());
            Err(OpenError::InUse { path: data_dir.to_owned(), process })
        }
        Err(std::fs::TryLockError::Error(source)) => Err(failed(source)),
    }
}
