//! Messages with files.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{Call, send};
use crate::args::Upload;
use crate::error::{ApiError, ApiResult};
use crate::text::{self, Formatted};
use crate::world::World;
use crate::world::files::{FileKind, FileMeta, NewFile};
use crate::world::post::Content;

/// Most bytes of a photo.
const PHOTO_BYTES: usize = 10 << 20;
/// Most bytes of any other file that a bot sends.
const FILE_BYTES: usize = 50 << 20;
/// The longest sides of the smaller copies of a photo.
const SIDES: [usize; 4] = [90, 320, 800, 1280];

pub(crate) fn photo(call: &Call<'_>) -> ApiResult {
    send_file(call, FileKind::Photo, &[])
}

pub(crate) fn document(call: &Call<'_>) -> ApiResult {
    send_file(call, FileKind::Document, &[])
}

pub(crate) fn voice(call: &Call<'_>) -> ApiResult {
    send_file(call, FileKind::Voice, &["duration"])
}

pub(crate) fn audio(call: &Call<'_>) -> ApiResult {
    send_file(call, FileKind::Audio, &["duration", "performer", "title"])
}

pub(crate) fn video(call: &Call<'_>) -> ApiResult {
    send_file(call, FileKind::Video, &["duration", "width", "height"])
}

pub(crate) fn animation(call: &Call<'_>) -> ApiResult {
    send_file(call, FileKind::Animation, &["duration", "width", "height"])
}

pub(crate) fn video_note(call: &Call<'_>) -> ApiResult {
    send_file(call, FileKind::VideoNote, &["duration", "length"])
}

pub(crate) fn sticker(call: &Call<'_>) -> ApiResult {
    send_file(call, FileKind::Sticker, &["emoji"])
}

fn send_file(call: &Call<'_>, kind: FileKind, fields: &[&str]) -> ApiResult {
    let mut content = Content::new();
    put_caption(call, &mut content)?;
    // The chat is looked at before the file is kept.
    call.open_target()?;
    let field = kind.field();
    let mut details = Map::new();
    for name in fields {
        if let Some(number) = call.args.int(name) {
            details.insert((*name).to_owned(), number.into());
        } else if let Some(text) = call.args.text(name) {
            details.insert((*name).to_owned(), text.into());
        }
    }
    put_file(call, kind, call.args.text(field), field, details, &mut content)?;
    for (flag, name) in [("has_spoiler", "has_media_spoiler"), ("show_caption_above_media", "show_caption_above_media")] {
        if call.args.flag(flag) {
            content.insert(name.into(), true.into());
        }
    }
    send::finish(call, content)
}

/// Reads the caption of a message.
pub(crate) fn put_caption(call: &Call<'_>, content: &mut Content) -> ApiResult<()> {
    let caption = call.text("caption", "caption_entities")?;
    put_checked_caption(&caption, content)
}

/// Puts a caption of allowed length into a message.
pub(crate) fn put_checked_caption(caption: &Formatted, content: &mut Content) -> ApiResult<()> {
    if text::units(&caption.text) > text::CAPTION_UNITS {
        return Err(ApiError::bad("message caption is too long"));
    }
    if !caption.text.is_empty() {
        text::put(content, "caption", "caption_entities", caption);
    }
    Ok(())
}

/// Resolves a file and puts its object under the kind's name.
///
/// `given` is what stands in the request: `attach://name`, a file id or an address; without it
/// the file is the part called `part`.
pub(crate) fn put_file(
    call: &Call<'_>,
    kind: FileKind,
    given: Option<String>,
    part: &str,
    details: Map<String, Value>,
    content: &mut Content,
) -> ApiResult<()> {
    let upload = match given.as_deref() {
        None => call.args.uploads.get(part),
        Some(given) => given.strip_prefix("attach://").and_then(|name| call.args.uploads.get(name)),
    };
    let object = match (upload, given) {
        (Some(upload), _) => keep_upload(call.world, call.bot.seed.id, kind, upload, details)?,
        (None, Some(given)) => known_file(call, kind, &given)?,
        (None, None) => {
            return Err(ApiError::bad(format!("there is no {} in the request", kind.field().replace('_', " "))));
        }
    };
    if kind == FileKind::Animation {
        // Old clients know an animation as a document, so a message has both.
        content.insert("document".into(), object.clone());
    }
    content.insert(kind.field().into(), object);
    Ok(())
}

/// A file the bot already knows the id of.
fn known_file(call: &Call<'_>, kind: FileKind, given: &str) -> ApiResult {
    if given.starts_with("http://") || given.starts_with("https://") {
        return Err(ApiError::bad("failed to get HTTP URL content"));
    }
    let wrong = || ApiError::bad("wrong file identifier/HTTP URL specified");
    let meta = call.world.files.get(call.bot.seed.id, given).ok_or_else(wrong)?;
    if meta.kind != kind {
        return Err(ApiError::bad(format!("can't use file of type {} as {}", meta.kind.title(), kind.title())));
    }
    if kind == FileKind::Photo {
        let data = call.world.files.content(&meta).ok_or_else(wrong)?;
        return photo_sizes(call.world, call.bot.seed.id, &data);
    }
    Ok(view(&meta))
}

/// Keeps a file that a bot sent and returns the object of the message.
fn keep_upload(world: &World, bot: i64, kind: FileKind, upload: &Upload, details: Map<String, Value>) -> ApiResult {
    let size = upload.data.len();
    if size == 0 {
        return Err(ApiError::bad("file must be non-empty"));
    }
    if size > FILE_BYTES {
        return Err(ApiError::new(413, "Request Entity Too Large"));
    }
    if kind == FileKind::Photo {
        if size > PHOTO_BYTES {
            return Err(ApiError::bad(format!(
                "file of size {size} bytes is too big for a photo; the maximum size is {PHOTO_BYTES} bytes"
            )));
        }
        return photo_sizes(world, bot, &upload.data);
    }
    keep_file(world, bot, kind, upload, details)
}

/// Keeps a file other than a photo, from either side.
pub(crate) fn keep_file(world: &World, bot: i64, kind: FileKind, upload: &Upload, given: Map<String, Value>) -> ApiResult {
    let mut details = defaults(kind, &upload.data);
    details.extend(given);
    let extension = upload.name.rfind('.').and_then(|at| upload.name.get(at..));
    let extension = extension.filter(|extension| extension.len() <= 8 && !extension.contains(['/', '\\'])).unwrap_or_default();
    if matches!(kind, FileKind::Document | FileKind::Audio | FileKind::Video | FileKind::Animation) {
        details.insert("file_name".into(), upload.name.as_str().into());
    }
    if !matches!(kind, FileKind::Sticker | FileKind::VideoNote) {
        details.insert("mime_type".into(), mime(kind, upload, extension).into());
    }
    let file = add(world, NewFile { bot, kind, extension, data: &upload.data, variant: "", details })?;
    Ok(view(&file))
}

/// Fields that clients expect of a kind, even when nobody gave them.
fn defaults(kind: FileKind, data: &Bytes) -> Map<String, Value> {
    let value = match kind {
        FileKind::Voice | FileKind::Audio => json!({ "duration": 0 }),
        FileKind::Video | FileKind::Animation => json!({ "duration": 0, "width": 0, "height": 0 }),
        FileKind::VideoNote => json!({ "duration": 0, "length": 240 }),
        FileKind::Sticker => {
            let size = imagesize::blob_size(data);
            let (width, height) = size.map_or((512, 512), |size| (size.width, size.height));
            json!({
                "type": "regular", "width": width, "height": height,
                "is_animated": false, "is_video": false,
            })
        }
        FileKind::Photo | FileKind::Document => json!({}),
    };
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn mime(kind: FileKind, upload: &Upload, extension: &str) -> String {
    let given = upload.mime.as_deref().filter(|mime| *mime != "application/octet-stream");
    if let Some(mime) = given {
        return mime.to_owned();
    }
    match (extension.to_ascii_lowercase().as_str(), kind) {
        (".pdf", _) => "application/pdf",
        (".txt" | ".log" | ".md", _) => "text/plain",
        (".csv", _) => "text/csv",
        (".json", _) => "application/json",
        (".html" | ".htm", _) => "text/html",
        (".zip", _) => "application/zip",
        (".docx", _) => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        (".xlsx", _) => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        (".png", _) => "image/png",
        (".jpg" | ".jpeg", _) => "image/jpeg",
        (".webp", _) => "image/webp",
        (".mp3", _) => "audio/mpeg",
        (".m4a", _) => "audio/mp4",
        (_, FileKind::Voice) | (".ogg" | ".oga", _) => "audio/ogg",
        (_, FileKind::Video | FileKind::Animation) | (".mp4", _) => "video/mp4",
        (_, FileKind::Audio) => "audio/mpeg",
        _ => "application/octet-stream",
    }
    .to_owned()
}

/// Keeps a photo in its sizes, smallest first, as a message lists them.
pub(crate) fn photo_sizes(world: &World, bot: i64, data: &Bytes) -> ApiResult {
    let size = imagesize::blob_size(data).map_err(|_| ApiError::bad("IMAGE_PROCESS_FAILED"))?;
    let (width, height) = (size.width, size.height);
    let (long, short) = (width.max(height), width.min(height));
    if short == 0 || width + height > 10_000 || long > short * 20 {
        return Err(ApiError::bad("PHOTO_INVALID_DIMENSIONS"));
    }
    let smaller = SIDES.iter().filter(|side| **side < long).map(|side| {
        let scaled = |length: usize| ((length * side + long / 2) / long).max(1);
        (scaled(width), scaled(height))
    });
    let sizes = smaller.chain([(width, height)]).map(|(width, height)| {
        let mut details = Map::new();
        details.insert("width".into(), width.into());
        details.insert("height".into(), height.into());
        let file = add(world, NewFile { bot, kind: FileKind::Photo, extension: ".jpg", data, variant: &width.to_string(), details })?;
        let mut view = view(&file);
        // The copies are not really made smaller, but they say what a real one would weigh.
        let weight = file.size * width * height / (size.width * size.height).max(1);
        if let Some(map) = view.as_object_mut() {
            map.insert("file_size".into(), weight.max(1).into());
        }
        Ok(view)
    });
    Ok(Value::Array(sizes.collect::<ApiResult<Vec<_>>>()?))
}

fn add(world: &World, new: NewFile<'_>) -> ApiResult<Arc<FileMeta>> {
    let file = world.files.add(new).map_err(|error| ApiError::new(500, format!("Internal Server Error: {error}")))?;
    world.journal.write(|| vec![crate::world::journal::Record::File { file: Arc::clone(&file) }]);
    Ok(file)
}

/// The object of a message that stands for a file.
fn view(file: &FileMeta) -> Value {
    let mut map = file.details.clone();
    map.insert("file_id".into(), file.file_id.as_str().into());
    map.insert("file_unique_id".into(), file.file_unique_id.as_str().into());
    map.insert("file_size".into(), file.size.into());
    Value::Object(map)
}
