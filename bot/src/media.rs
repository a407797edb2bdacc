//! Pictures of a call: by Telegram's id where the bot has sent them before, else as bytes.

use bytes::Bytes;
use fitter_domain::ids::BotId;
use fitter_domain::screen::Media;
use serde_json::{Map, Value};

use crate::api::Upload;
use crate::incoming::Message;
use crate::ports::{Blobs, Ported, Storage};

/// Pictures, found.
pub struct Attached(Vec<Picture>);

struct Picture {
    /// Hash of the content; `None` if there is only Telegram's id.
    sha: Option<String>,
    source: Source,
}

enum Source {
    Id(String),
    Bytes(Bytes),
}

impl Attached {
    /// Finds all pictures, or `None` if the file store lacks one of them.
    ///
    /// # Errors
    /// If the storage cannot be reached.
    pub async fn find(storage: &dyn Storage, blobs: &dyn Blobs, bot: BotId, media: &[Media]) -> Ported<Option<Self>> {
        let mut found = Vec::with_capacity(media.len());
        for media in media {
            found.push(match media {
                Media::File(id) => Picture { sha: None, source: Source::Id(id.clone()) },
                Media::Blob(sha) => {
                    let source = match storage.file_id(bot, sha).await? {
                        Some(id) => Source::Id(id),
                        None => match blobs.blob(sha).await? {
                            Some(bytes) => Source::Bytes(bytes),
                            None => {
                                tracing::error!(sha, "a picture is not in the file store");
                                return Ok(None);
                            }
                        },
                    };
                    Picture { sha: Some(sha.clone()), source }
                }
            });
        }
        Ok(Some(Self(found)))
    }

    /// The bytes to send along.
    #[must_use]
    pub fn uploads(&self) -> Vec<Upload> {
        let upload = |(at, picture): (usize, &Picture)| match &picture.source {
            Source::Id(_) => None,
            Source::Bytes(bytes) => Some(Upload { name: format!("p{at}"), bytes: bytes.clone() }),
        };
        self.0.iter().enumerate().filter_map(upload).collect()
    }

    fn reference(at: usize, picture: &Picture) -> String {
        match &picture.source {
            Source::Id(id) => id.clone(),
            Source::Bytes(_) => format!("attach://p{at}"),
        }
    }

    /// The only picture, for `sendPhoto`.
    #[must_use]
    pub fn first(&self) -> String {
        self.0.first().map(|picture| Self::reference(0, picture)).unwrap_or_default()
    }

    /// As the Bot API's `InputMediaPhoto`.
    #[must_use]
    pub fn inputs(&self) -> Vec<Map<String, Value>> {
        let input = |at, picture| [("type", "photo".to_owned()), ("media", Self::reference(at, picture))];
        let owned = |pairs: [(&str, String); 2]| pairs.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
        self.0.iter().enumerate().map(|(at, picture)| owned(input(at, picture))).collect()
    }

    /// Remembers the ids that Telegram gave to uploaded pictures; `messages` are those of the pictures, in order.
    ///
    /// # Errors
    /// If the storage cannot be reached.
    pub async fn remember(&self, storage: &dyn Storage, bot: BotId, messages: &[Message]) -> Ported<()> {
        for (picture, message) in self.0.iter().zip(messages) {
            let largest = message.photo.iter().flatten().max_by_key(|size| (size.width, size.height, size.file_size));
            if let (Some(sha), Source::Bytes(_), Some(id)) =
                (&picture.sha, &picture.source, largest.and_then(|size| size.file_id.as_deref()))
            {
                storage.remember_file(bot, sha, Some(id)).await?;
            }
        }
        Ok(())
    }

    /// Forgets the ids that were remembered.
    ///
    /// # Errors
    /// If the storage cannot be reached.
    pub async fn forget(&self, storage: &dyn Storage, bot: BotId) -> Ported<()> {
        for picture in &self.0 {
            if let (Some(sha), Source::Id(_)) = (&picture.sha, &picture.source) {
                storage.remember_file(bot, sha, None).await?;
            }
        }
        Ok(())
    }
}
