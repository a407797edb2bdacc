//! A client that costs as little as possible: requests are bytes made before, answers are cut out of the stream and not looked at.

use anyhow::{Context as _, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// One kept connection.
pub struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
    read: usize,
}

/// A call as the bytes of its request.
#[must_use]
pub fn request(token: &str, method: &str, body: &str) -> Vec<u8> {
    let head = format!(
        "POST /bot{token}/{method} HTTP/1.1\r\nhost: load\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body.as_bytes()].concat()
}

impl Wire {
    /// Connects.
    ///
    /// # Errors
    /// If nobody listens.
    pub async fn connect(addr: std::net::SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(1 << 16), read: 0 })
    }

    /// Sends requests.
    ///
    /// # Errors
    /// If the connection breaks.
    pub async fn send(&mut self, requests: &[u8]) -> anyhow::Result<()> {
        Ok(self.stream.write_all(requests).await?)
    }

    /// The body of the next answer.
    ///
    /// # Errors
    /// If the connection breaks, or the answer is not HTTP with a length.
    pub async fn answer(&mut self) -> anyhow::Result<Vec<u8>> {
        loop {
            if let Some((from, to)) = self.next()? {
                let body = self.buffer.get(from..to).unwrap_or_default().to_vec();
                self.read = to;
                return Ok(body);
            }
            if self.read > 0 {
                self.buffer.drain(..self.read);
                self.read = 0;
            }
            ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the server closed the connection");
        }
    }

    /// Where the body of the next answer stands, if all of it is there.
    fn next(&self) -> anyhow::Result<Option<(usize, usize)>> {
        let rest = self.buffer.get(self.read..).unwrap_or_default();
        let Some(end) = rest.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
        let head = std::str::from_utf8(rest.get(..end).unwrap_or_default())?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).context("an answer without a length")?;
        let from = self.read + end + 4;
        let to = from + length.parse::<usize>()?;
        Ok((to <= self.buffer.len()).then_some((from, to)))
    }
}
