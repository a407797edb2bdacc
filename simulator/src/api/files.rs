//! `getFile`.

use serde_json::json;

use super::Call;
use crate::error::{ApiError, ApiResult};

/// Most bytes of a file that a bot can download.
const DOWNLOAD_BYTES: usize = 20 << 20;

pub(crate) fn get(call: &Call<'_>) -> ApiResult {
    let id = call.args.text("file_id").unwrap_or_default();
    let Some(file) = call.world.files.get(call.bot.seed.id, &id) else {
        // Ids of this length are not even looked up.
        return Err(ApiError::bad(if id.len() < 20 { "invalid file_id" } else { "wrong file_id or the file is temporarily unavailable" }));
    };
    if file.size > DOWNLOAD_BYTES {
        return Err(ApiError::bad("file is too big"));
    }
    Ok(json!({
        "file_id": file.file_id,
        "file_unique_id": file.file_unique_id,
        "file_size": file.size,
        "file_path": file.path,
    }))
}
