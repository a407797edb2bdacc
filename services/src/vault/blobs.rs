//! Reading files out of a git clone: one `git cat-file --batch` that lives as long as they are asked for.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use fitter_retrieval::vault::Blobs;

/// Larger files are not read: pictures for Telegram are smaller by far.
const LIMIT: u64 = 64 << 20;

/// Files of a clone by the names of their objects.
pub(super) struct CatFile(Mutex<(Command, Option<Pipe>)>);

impl std::fmt::Debug for CatFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CatFile")
    }
}

struct Pipe {
    child: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // It has nothing to lose.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

impl CatFile {
    /// `command` is `git cat-file --batch` in the clone.
    pub(super) fn new(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        Self(Mutex::new((command, None)))
    }
}

impl Blobs for CatFile {
    fn read(&self, stamp: &str) -> io::Result<Vec<u8>> {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (command, pipe) = &mut *guard;
        let mut open = match pipe.take() {
            Some(open) => open,
            None => begin(command)?,
        };
        // Whoever fails leaves no half-read answer to the next: the pipe is put back only behind a whole one.
        let bytes = open.ask(stamp)?;
        *pipe = Some(open);
        bytes.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("git has no file {stamp}, or it is larger than 64 MiB")))
    }
}

fn begin(command: &mut Command) -> io::Result<Pipe> {
    let mut child = command.spawn()?;
    let (Some(asks), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(io::Error::other("git has no pipes"));
    };
    Ok(Pipe { child, asks, answers: BufReader::new(answers) })
}

impl Pipe {
    fn ask(&mut self, object: &str) -> io::Result<Option<Vec<u8>>> {
        writeln!(self.asks, "{object}")?;
        self.asks.flush()?;
        let mut head = String::new();
        self.answers.read_line(&mut head)?;
        let mut parts = head.split_ascii_whitespace().skip(1);
        let (kind, size) = (parts.next(), parts.next().and_then(|size| size.parse::<u64>().ok()));
        let Some(size) = size else {
            // `<object> missing`; an empty answer is a git that has ended.
            return if head.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(None) };
        };
        if kind != Some("blob") || size > LIMIT {
            io::copy(&mut (&mut self.answers).take(size + 1), &mut io::sink())?;
            return Ok(None);
        }
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
        self.answers.read_exact(&mut bytes)?;
        self.answers.read_exact(&mut [0])?;
        Ok(Some(bytes))
    }
}
