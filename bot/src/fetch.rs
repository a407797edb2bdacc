//! Bytes of a photo that a person sent.

use bytes::Bytes;
use serde::Deserialize;
use teloxide::payloads::GetFile;
use teloxide::types::FileId;

use crate::api::Api;
use crate::fault::{ApiError, Refusal};

/// What bots may download (Bot API: `getFile`).
pub const FILE_LIMIT: usize = 20 << 20;

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    file_size: Option<u64>,
    #[serde(default)]
    file_path: Option<String>,
}

/// Downloads a file.
///
/// # Errors
/// [`ApiError::TooBig`] above [`FILE_LIMIT`], without downloading where Telegram tells the size or refuses.
pub async fn fetch(api: &Api, file_id: &str) -> Result<Bytes, ApiError> {
    let file: File = api.ask(&GetFile::new(FileId(file_id.to_owned()))).await.map_err(too_big)?;
    if file.file_size.is_some_and(|size| size > FILE_LIMIT as u64) {
        return Err(ApiError::TooBig { cap: FILE_LIMIT });
    }
    let path = file.file_path.ok_or(ApiError::Odd { status: 200, what: "getFile gave no file_path".to_owned() })?;
    api.download(&path, FILE_LIMIT).await
}

/// Telegram's words for a file above [`FILE_LIMIT`] (telegram-bot-api, `Client.cpp`).
fn too_big(error: ApiError) -> ApiError {
    match error {
        ApiError::Refused(Refusal { code: 400, description, .. }) if description.contains("file is too big") => {
            ApiError::TooBig { cap: FILE_LIMIT }
        }
        error => error,
    }
}
