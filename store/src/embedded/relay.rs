//! Stands between the pool and the embedded server.
//!
//! The server ends, and with it all that the program can do, when a client goes away while it has something to say to it: as when a task is
//! cut off while it connects. The relay lets the server finish its sentence instead. And a server that has ended all the same is started
//! anew for the next client.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Weak;

use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, copy, sink, split};
use tokio::net::{TcpListener, TcpStream};
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};

use super::Embedded;

/// Longest path of a Unix socket that every system takes: `sun_path` has 104 bytes on macOS, 108 on Linux, with the final NUL.
#[cfg(unix)]
const SOCKET_PATH_MAX: usize = 103;

/// Only part of the socket's name: clients of PostgreSQL look for the socket of a port under `.s.PGSQL.<port>`.
#[cfg(unix)]
const SOCKET_PORT: u16 = 5432;

/// Where somebody listens.
#[derive(Debug, Clone)]
pub(super) enum Endpoint {
    /// A socket in a folder of our own, which keeps other users of the machine out: the server asks for no password.
    #[cfg(unix)]
    Socket(PathBuf),
    /// For systems without, and for paths that are too long.
    Tcp(SocketAddr),
}

/// What listens.
pub(super) enum Listener {
    #[cfg(unix)]
    Socket(UnixListener, PathBuf),
    Tcp(TcpListener),
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Endpoint {
    /// For the relay's clients, and for the server behind it.
    pub(super) fn choose(data_dir: &Path) -> io::Result<(Self, Self)> {
        #[cfg(unix)]
        {
            let dir = data_dir.join("socket");
            let (front, backend) = (dir.join(format!(".s.PGSQL.{SOCKET_PORT}")), dir.join("backend"));
            if front.as_os_str().len() <= SOCKET_PATH_MAX {
                super::private_folder(&dir)?;
                return Ok((Self::Socket(front), Self::Socket(backend)));
            }
        }
        tracing::debug!(path = %data_dir.display(), "no room for a socket's path, the embedded database listens on a local port");
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Ok((Self::Tcp(any), Self::Tcp(any)))
    }

    pub(super) async fn listen(self) -> io::Result<Listener> {
        match self {
            #[cfg(unix)]
            Self::Socket(path) => {
                // Left by a process that was killed; nobody listens there, as the folder is locked by us.
                match std::fs::remove_file(&path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
                Ok(Listener::Socket(UnixListener::bind(&path)?, path))
            }
            Self::Tcp(address) => Ok(Listener::Tcp(TcpListener::bind(address).await?)),
        }
    }

    async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        Ok(match self {
            #[cfg(unix)]
            Self::Socket(path) => Box::new(UnixStream::connect(path).await?),
            Self::Tcp(address) => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
        })
    }
}

impl Listener {
    /// Points a client here.
    pub(super) fn address(&self, options: PgConnectOptions) -> io::Result<PgConnectOptions> {
        Ok(match self {
            #[cfg(unix)]
            Self::Socket(_, path) => options.socket(path.parent().unwrap_or(path)).port(SOCKET_PORT),
            Self::Tcp(listener) => {
                let address = listener.local_addr()?;
                options.host(&address.ip().to_string()).port(address.port())
            }
        })
    }

    async fn accept(&self) -> io::Result<Box<dyn Stream>> {
        Ok(match self {
            #[cfg(unix)]
            Self::Socket(listener, _) => Box::new(listener.accept().await?.0),
            Self::Tcp(listener) => {
                let stream = listener.accept().await?.0;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
        })
    }
}

/// Serves one client after the other, as the server does, for as long as the server is wanted.
pub(super) async fn run(listener: Listener, server: Weak<Embedded>) {
    loop {
        let client = match listener.accept().await {
            Ok(client) => client,
            Err(error) => {
                tracing::debug!(%error, "a client of the embedded database was not accepted");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            }
        };
        let Some(embedded) = server.upgrade() else { return };
        let stream = match embedded.backend().connect().await {
            Ok(stream) => Ok(stream),
            Err(_) => {
                let backend = embedded.backend().clone();
                if let Err(error) = tokio::task::spawn_blocking(move || embedded.revive()).await {
                    tracing::error!(%error, "the embedded database cannot be started anew");
                }
                backend.connect().await
            }
        };
        // A client that is not served sees its connection close and tries again.
        if let Ok(stream) = stream {
            pump(client, stream).await;
        }
    }
}

async fn pump(client: Box<dyn Stream>, server: Box<dyn Stream>) {
    let (mut from_client, mut to_client) = split(client);
    let (mut from_server, mut to_server) = split(server);
    let up = async {
        // However the client ends, for the server it hangs up.
        let _ = copy(&mut from_client, &mut to_server).await;
        let _ = to_server.shutdown().await;
    };
    let down = async {
        if copy(&mut from_server, &mut to_client).await.is_err() {
            // Nobody listens any more, but the server must not notice.
            let _ = copy(&mut from_server, &mut sink()).await;
        }
        let _ = to_client.shutdown().await;
    };
    tokio::join!(up, down);
}
