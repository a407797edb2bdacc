//! Files: their contents by hash, and the many ids that point to them.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::journal::Record;
use super::{lock, read, write};
use crate::error::{Error, Result};

/// What a file was sent as. An id can be reused for the same kind only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FileKind {
    Photo,
    Document,
    Voice,
    Audio,
    Video,
    Animation,
    VideoNote,
    Sticker,
}

impl FileKind {
    /// The field of a message and of a request that carries this kind.
    pub(crate) fn field(self) -> &'static str {
        match self {
            Self::Photo => "photo",
            Self::Document => "document",
            Self::Voice => "voice",
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Animation => "animation",
            Self::VideoNote => "video_note",
            Self::Sticker => "sticker",
        }
    }

    /// The name in Telegram's error texts.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Photo => "Photo",
            Self::Document => "Document",
            Self::Voice => "VoiceNote",
            Self::Audio => "Audio",
            Self::Video => "Video",
            Self::Animation => "Animation",
            Self::VideoNote => "VideoNote",
            Self::Sticker => "Sticker",
        }
    }

    /// File ids of a kind begin alike, as the real ones do.
    fn prefix(self) -> &'static str {
        match self {
            Self::Photo => "AgACAgIAAxk",
            Self::Document => "BQACAgIAAxk",
            Self::Voice => "AwACAgIAAxk",
            Self::Audio => "CQACAgIAAxk",
            Self::Video => "BAACAgIAAxk",
            Self::Animation => "CgACAgIAAxk",
            Self::VideoNote => "DQACAgIAAxk",
            Self::Sticker => "CAACAgIAAxk",
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Photo => "photos",
            Self::Document => "documents",
            Self::Voice => "voice",
            Self::Audio => "music",
            Self::Video => "videos",
            Self::Animation => "animations",
            Self::VideoNote => "video_notes",
            Self::Sticker => "stickers",
        }
    }
}

/// What is known of one file id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FileMeta {
    pub(crate) bot: i64,
    pub(crate) kind: FileKind,
    pub(crate) file_id: String,
    pub(crate) file_unique_id: String,
    pub(crate) path: String,
    pub(crate) size: usize,
    /// Hash of the content.
    content: String,
    number: u64,
    /// The fields of the media object of a message.
    pub(crate) details: Map<String, Value>,
}

/// A file that comes in.
pub(crate) struct NewFile<'a> {
    pub(crate) bot: i64,
    pub(crate) kind: FileKind,
    pub(crate) extension: &'a str,
    pub(crate) data: &'a Bytes,
    /// Tells the sizes of one photo apart.
    pub(crate) variant: &'a str,
    pub(crate) details: Map<String, Value>,
}

/// All files.
#[derive(Default)]
pub(crate) struct FileStore {
    dir: Option<PathBuf>,
    memory: RwLock<HashMap<String, Bytes>>,
    by_id: RwLock<HashMap<String, Arc<FileMeta>>>,
    by_path: RwLock<HashMap<(i64, String), Arc<FileMeta>>>,
    last: Mutex<u64>,
}

impl FileStore {
    /// Opens the store; with a state directory contents live in its `files` folder.
    pub(crate) fn open(state: Option<&Path>) -> Result<Self> {
        let dir = state.map(|state| state.join("files"));
        if let Some(dir) = &dir {
            fs::create_dir_all(dir).map_err(|source| Error::Io { what: dir.display().to_string(), source })?;
        }
        Ok(Self { dir, ..Self::default() })
    }

    /// Keeps a file and gives it an id. The content is safe before the id is known to anyone.
    pub(crate) fn add(&self, new: NewFile<'_>) -> std::io::Result<Arc<FileMeta>> {
        let content = hex::encode(Sha256::digest(new.data));
        self.keep(&content, new.data)?;
        let number = {
            let mut last = lock(&self.last);
            *last += 1;
            *last
        };
        let NewFile { bot, kind, .. } = new;
        let unique = short_hash(&format!("{content}/{kind:?}/{}", new.variant), 7);
        let id = short_hash(&format!("{bot}/{number}/{content}"), 24);
        let meta = Arc::new(FileMeta {
            bot,
            kind,
            file_id: format!("{}{id}", kind.prefix()),
            file_unique_id: format!("AQAD{unique}"),
            path: format!("{}/file_{number}{}", kind.folder(), new.extension),
            size: new.data.len(),
            content,
            number,
            details: new.details,
        });
        self.restore(Arc::clone(&meta));
        Ok(meta)
    }

    fn keep(&self, content: &str, data: &Bytes) -> std::io::Result<()> {
        let Some(dir) = &self.dir else {
            write(&self.memory).entry(content.to_owned()).or_insert_with(|| data.clone());
            return Ok(());
        };
        let path = dir.join(content);
        if !path.exists() {
            // A kill in the middle must not leave half a file under the final name.
            let partial = dir.join(format!("{content}.part{}", lock(&self.last)));
            fs::write(&partial, data)?;
            fs::rename(&partial, &path)?;
        }
        Ok(())
    }

    pub(crate) fn restore(&self, meta: Arc<FileMeta>) {
        {
            let mut last = lock(&self.last);
            *last = meta.number.max(*last);
        }
        write(&self.by_path).insert((meta.bot, meta.path.clone()), Arc::clone(&meta));
        write(&self.by_id).insert(meta.file_id.clone(), meta);
    }

    /// A bot's file; the ids of another bot mean nothing to it.
    pub(crate) fn get(&self, bot: i64, file_id: &str) -> Option<Arc<FileMeta>> {
        read(&self.by_id).get(file_id).filter(|meta| meta.bot == bot).cloned()
    }

    pub(crate) fn by_path(&self, bot: i64, path: &str) -> Option<Arc<FileMeta>> {
        read(&self.by_path).get(&(bot, path.to_owned())).cloned()
    }

    /// The content of a file.
    pub(crate) fn content(&self, meta: &FileMeta) -> Option<Bytes> {
        match &self.dir {
            Some(dir) => fs::read(dir.join(&meta.content)).ok().map(Bytes::from),
            None => read(&self.memory).get(&meta.content).cloned(),
        }
    }

    pub(crate) fn snapshot(&self) -> Vec<Record> {
        let mut files: Vec<_> = read(&self.by_id).values().cloned().collect();
        files.sort_by_key(|file| file.number);
        files.into_iter().map(|file| Record::File { file }).collect()
    }

    /// Removes contents that no id points to: those of before a reset. For the start only.
    pub(crate) fn sweep(&self) {
        let Some(entries) = self.dir.as_ref().and_then(|dir| fs::read_dir(dir).ok()) else {
            return;
        };
        let by_id = read(&self.by_id);
        let used: HashSet<&str> = by_id.values().map(|file| file.content.as_str()).collect();
        for entry in entries.flatten() {
            let known = entry.file_name().to_str().is_some_and(|name| used.contains(name));
            if !known && let Err(error) = fs::remove_file(entry.path()) {
                tracing::warn!(%error, path = %entry.path().display(), "an old file stays");
            }
        }
    }

    /// Forgets all files; numbers go on.
    pub(crate) fn forget(&self) {
        write(&self.by_id).clear();
        write(&self.by_path).clear();
        write(&self.memory).clear();
    }
}

fn short_hash(text: &str, bytes: usize) -> String {
    let mut hash = hex::encode(Sha256::digest(text.as_bytes()));
    hash.truncate(bytes * 2);
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(store: &FileStore, bot: i64, data: &'static [u8]) -> Arc<FileMeta> {
        store
            .add(NewFile {
                bot,
                kind: FileKind::Document,
                extension: ".bin",
                data: &Bytes::from_static(data),
                variant: "",
                details: Map::new(),
            })
            .unwrap()
    }

    #[test]
    fn the_unique_id_follows_the_content_and_the_id_does_not() {
        let store = FileStore::default();
        let (one, two, other) = (add(&store, 1, b"a"), add(&store, 1, b"a"), add(&store, 1, b"b"));
        assert_ne!(one.file_id, two.file_id);
        assert_eq!(one.file_unique_id, two.file_unique_id);
        assert_ne!(one.file_unique_id, other.file_unique_id);
    }

    #[test]
    fn another_bot_cannot_use_an_id() {
        let store = FileStore::default();
        let file = add(&store, 1, b"a");
        assert!(store.get(1, &file.file_id).is_some());
        assert!(store.get(2, &file.file_id).is_none());
        assert_eq!(store.content(&file).unwrap().as_ref(), b"a");
    }
}
