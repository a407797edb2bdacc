//! An append-only journal that brings the state back after a restart or a kill.
//!
//! One line holds one change that must not be torn apart, as a JSON array of records. A record
//! states a value, it does not change one, so that reading a line twice does no harm. The line
//! is handed to the system in one write before anyone sees the change, which is enough against
//! the death of the process; only a crash of the machine may lose the last lines.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

use super::bot::{Profile, Query};
use super::chat::{ChatMeta, StoredMessage};
use super::files::FileMeta;
use super::groups::GroupInfo;
use super::lock;
use super::update::Update;
use crate::config::PersonSeed;
use crate::error::{Error, Result};

const FILE: &str = "journal.jsonl";
const FRESH: &str = "journal.new";

/// One fact about the state. The bot of a chat is 0 where the chat is a group.
#[derive(Serialize, Deserialize)]
#[serde(tag = "k", rename_all = "snake_case")]
pub(crate) enum Record {
    Person {
        person: PersonSeed,
    },
    File {
        file: Arc<FileMeta>,
    },
    Message {
        bot: i64,
        chat: i64,
        message: StoredMessage,
    },
    /// Messages that were deleted.
    Gone {
        bot: i64,
        chat: i64,
        ids: Vec<i64>,
    },
    Chat {
        bot: i64,
        chat: i64,
        meta: ChatMeta,
    },
    Profile {
        bot: i64,
        profile: Box<Profile>,
    },
    Query {
        bot: i64,
        id: String,
        query: Query,
    },
    Update {
        bot: i64,
        update: Update,
    },
    /// Every update below `next` was confirmed by an offset.
    Confirmed {
        bot: i64,
        next: i64,
    },
    /// One update was delivered to a webhook.
    Delivered {
        bot: i64,
        id: i64,
    },
    Group {
        group: Box<GroupInfo>,
    },
    /// How many groups there ever were.
    Groups {
        given: i64,
    },
    Queue {
        bot: i64,
        last_id: i64,
        allowed: Option<Vec<String>>,
    },
    Reset,
}

/// The open journal, or nothing when the state lives in memory only.
#[derive(Default)]
pub(crate) struct Journal {
    open: Option<Open>,
}

struct Open {
    dir: PathBuf,
    file: Mutex<File>,
}

impl Journal {
    /// Opens the journal of a state directory and reads its records.
    pub(crate) fn open(dir: Option<&Path>) -> Result<(Self, Vec<Record>)> {
        let Some(dir) = dir else {
            return Ok((Self::default(), Vec::new()));
        };
        fs::create_dir_all(dir).map_err(|source| io(dir, source))?;
        let path = dir.join(FILE);
        let file = OpenOptions::new().create(true).append(true).read(true).open(&path).map_err(|source| io(&path, source))?;
        let records = read_records(&path)?;
        let open = Open { dir: dir.to_owned(), file: Mutex::new(file) };
        Ok((Self { open: Some(open) }, records))
    }

    /// Writes one line. The records are built only if there is a journal.
    pub(crate) fn write(&self, records: impl FnOnce() -> Vec<Record>) {
        let Some(open) = &self.open else { return };
        let records = records();
        if records.is_empty() {
            return;
        }
        let Ok(mut line) = serde_json::to_vec(&records) else {
            tracing::error!("a change could not be written as JSON");
            return;
        };
        line.push(b'\n');
        if let Err(error) = lock(&open.file).write_all(&line) {
            tracing::error!(%error, "the journal could not be written");
        }
    }

    /// Replaces the journal by the records of the present state.
    pub(crate) fn compact(&self, records: impl FnOnce() -> Vec<Record>) -> Result<()> {
        let Some(open) = &self.open else {
            return Ok(());
        };
        let mut current = lock(&open.file);
        let (fresh, path) = (open.dir.join(FRESH), open.dir.join(FILE));
        let file = File::create(&fresh).map_err(|source| io(&fresh, source))?;
        let mut out = BufWriter::new(file);
        for record in records() {
            serde_json::to_writer(&mut out, &[record]).map_err(|error| io(&fresh, error.into()))?;
            out.write_all(b"\n").map_err(|source| io(&fresh, source))?;
        }
        out.flush().map_err(|source| io(&fresh, source))?;
        fs::rename(&fresh, &path).map_err(|source| io(&path, source))?;
        *current = OpenOptions::new().append(true).open(&path).map_err(|source| io(&path, source))?;
        Ok(())
    }
}

/// Reads all lines; a line that was torn by a crash is skipped.
fn read_records(path: &Path) -> Result<Vec<Record>> {
    let file = File::open(path).map_err(|source| io(path, source))?;
    let mut records = Vec::new();
    for (number, line) in BufReader::new(file).split(b'\n').enumerate() {
        let line = line.map_err(|source| io(path, source))?;
        if line.is_empty() {
            continue;
        }
        match serde_json::from_slice::<Vec<Record>>(&line) {
            Ok(found) => records.extend(found),
            Err(error) => tracing::warn!(line = number + 1, %error, "journal line skipped"),
        }
    }
    Ok(records)
}

fn io(path: &Path, source: std::io::Error) -> Error {
    Error::Io { what: path.display().to_string(), source }
}
