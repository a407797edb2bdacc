//! What to start for a test.

use std::path::PathBuf;

/// Which database the process uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// A migrated one on the test server.
    Server,
    /// The same, by a way that can be cut.
    Cuttable,
    /// Its own in the data folder.
    Embedded,
}

/// What to start.
#[derive(Debug, Clone)]
pub struct Options {
    /// The built program: `env!("CARGO_BIN_EXE_fitter")`.
    pub binary: PathBuf,
    /// Folder of notes; the process gets a copy of it.
    pub vault: Option<PathBuf>,
    /// Its database.
    pub storage: Storage,
    /// Address of another server than the one for all tests.
    pub server: Option<String>,
    /// How many bots.
    pub bots: usize,
    /// More variables; they stand over those of the harness, an empty value takes one away.
    pub env: Vec<(String, String)>,
    /// More arguments of `serve`.
    pub args: Vec<String>,
}

impl Options {
    /// One bot, a database on the server, no notes.
    #[must_use]
    pub fn new(binary: &str) -> Self {
        Self { binary: binary.into(), vault: None, storage: Storage::Server, server: None, bots: 1, env: Vec::new(), args: Vec::new() }
    }

    /// With notes.
    #[must_use]
    pub fn vault(self, folder: impl Into<PathBuf>) -> Self {
        Self { vault: Some(folder.into()), ..self }
    }

    /// With another database.
    #[must_use]
    pub fn storage(self, storage: Storage) -> Self {
        Self { storage, ..self }
    }

    /// On a server of the test's own.
    #[must_use]
    pub fn server(self, url: &str) -> Self {
        Self { server: Some(url.to_owned()), ..self }
    }

    /// With so many bots.
    #[must_use]
    pub fn bots(self, bots: usize) -> Self {
        Self { bots, ..self }
    }

    /// With a variable more.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// With an argument of `serve` more.
    #[must_use]
    pub fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.to_owned());
        self
    }
}
