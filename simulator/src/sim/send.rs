//! `POST /sim/send`: a person writes or sends files.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::request::{Parties, SimResult, WithFiles, bad};
use crate::api::{keep_file, location_of, photo_sizes};
use crate::args::Upload;
use crate::text;
use crate::world::chat::quoted;
use crate::world::files::FileKind;
use crate::world::post::Content;
use crate::world::{World, lock};

/// Most photos of one album.
const ALBUM: usize = 10;

#[derive(Deserialize)]
pub(crate) struct Message {
    person: i64,
    bot: String,
    chat_id: Option<i64>,
    text: Option<String>,
    caption: Option<String>,
    entities: Option<Vec<Value>>,
    reply_to: Option<i64>,
    location: Option<Location>,
    contact: Option<Contact>,
    /// Seconds of a voice message or video.
    duration: Option<i64>,
    stagger_ms: Option<Stagger>,
}

/// How long after the part before each part of an album arrives, in clock milliseconds.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stagger {
    Every(u64),
    Each(Vec<u64>),
}

impl Stagger {
    /// The pauses before the parts after the first.
    fn pauses(&self, parts: usize) -> SimResult<Vec<u64>> {
        match self {
            Self::Every(ms) => Ok(vec![*ms; parts]),
            Self::Each(list) if list.len() == parts => Ok(list.clone()),
            Self::Each(_) => Err(bad(format!("stagger_ms needs {parts} pauses: one before each part after the first"))),
        }
    }
}

#[derive(Deserialize)]
struct Location {
    latitude: f64,
    longitude: f64,
}

#[derive(Deserialize)]
struct Contact {
    phone_number: String,
    first_name: String,
    last_name: Option<String>,
    user_id: Option<i64>,
}

/// `POST /sim/send`.
pub(crate) async fn send(State(world): State<Arc<World>>, WithFiles(message, files): WithFiles<Message>) -> SimResult {
    let parties = Parties::find(&world, message.person, &message.bot, message.chat_id)?;
    let mut contents = contents(&world, &parties, &message, &files)?;
    if let Some(id) = message.reply_to {
        let original = lock(&parties.chat.state).get(id).map(|found| quoted(&found.body));
        let original = original.ok_or_else(|| bad(format!("no message {id} to reply to")))?;
        let thread = parties.chat.thread_of(&original);
        for content in &mut contents {
            content.insert("reply_to_message".into(), original.clone());
            content.extend(thread.map(|thread| ("message_thread_id".to_owned(), thread.into())));
        }
    }
    let Some(stagger) = message.stagger_ms else { return post(&world, &parties, contents) };
    let rest = contents.split_off(contents.len().min(1));
    let pauses = stagger.pauses(rest.len())?;
    let first = post(&world, &parties, contents)?;
    world.on_the_way.fetch_add(rest.len(), Ordering::SeqCst);
    tokio::spawn(straggle(world, parties, rest.into_iter().zip(pauses).collect()));
    Ok(first)
}

/// The later parts of an album arrive, each in its time.
async fn straggle(world: Arc<World>, parties: Parties, parts: Vec<(Content, u64)>) {
    let mut at = world.clock.now_ms();
    for (content, pause) in parts {
        at = at.saturating_add_unsigned(pause);
        tokio::select! {
            () = world.stop.cancelled() => {}
            () = world.clock.reaches(at) => {
                if let Err(error) = post(&world, &parties, vec![content]) {
                    tracing::warn!(error = error.1, "a part of an album did not arrive");
                }
            }
        }
        world.on_the_way.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Posts what a person made, unless the bot is blocked.
pub(crate) fn post(world: &World, parties: &Parties, contents: Vec<Content>) -> SimResult {
    if let Some(group) = &parties.group {
        if let Some(id) = lock(&group.info).migrated_to {
            return Err(bad(format!("the group is the supergroup {id} now")));
        }
        let sent = world.post_in_group(group, &parties.person.user(), contents, None);
        return Ok(Json(json!(sent)));
    }
    if lock(&parties.chat.state).meta.blocked {
        return Err(bad("the bot is blocked"));
    }
    let sent = world.post_by_person(&parties.bot, &parties.person, &parties.chat, contents);
    Ok(Json(json!(sent)))
}

fn contents(world: &World, parties: &Parties, message: &Message, files: &[(String, Upload)]) -> SimResult<Vec<Content>> {
    if !files.is_empty() {
        return file_contents(world, parties, message, files);
    }
    let mut content = Content::new();
    if let Some(location) = &message.location {
        let location = location_of(Some(location.latitude), Some(location.longitude))?;
        content.insert("location".into(), location);
    } else if let Some(contact) = &message.contact {
        let mut view = json!({
            "phone_number": contact.phone_number,
            "first_name": contact.first_name,
        });
        if let Some(map) = view.as_object_mut() {
            if let Some(last) = &contact.last_name {
                map.insert("last_name".into(), last.as_str().into());
            }
            if let Some(id) = contact.user_id {
                map.insert("user_id".into(), id.into());
            }
        }
        content.insert("contact".into(), view);
    } else {
        let text = message.text.clone().ok_or_else(|| bad("nothing to send"))?;
        content = text_content(text, message.entities.clone())?;
    }
    Ok(vec![content])
}

/// A text as a person's client sends it.
pub(crate) fn text_content(text: String, entities: Option<Vec<Value>>) -> SimResult<Content> {
    let parsed = text::parse(text, None, entities)?;
    if parsed.text.is_empty() {
        return Err(bad("the text is empty"));
    }
    if text::units(&parsed.text) > text::TEXT_UNITS {
        return Err(bad("a message has at most 4096 characters"));
    }
    let mut content = Content::new();
    text::put(&mut content, "text", "entities", &parsed);
    Ok(content)
}

fn file_contents(world: &World, parties: &Parties, message: &Message, files: &[(String, Upload)]) -> SimResult<Vec<Content>> {
    if files.len() > ALBUM {
        return Err(bad("an album has at most 10 files"));
    }
    let kinds: Vec<FileKind> =
        files.iter().map(|(part, _)| kind(part).ok_or_else(|| bad(format!("unknown part \"{part}\"")))).collect::<SimResult<_>>()?;
    let album = kinds.len() > 1;
    let visual = |kind: &FileKind| matches!(kind, FileKind::Photo | FileKind::Video);
    let alike = kinds.iter().all(|kind| Some(kind) == kinds.first());
    if album && !kinds.iter().all(visual) && !alike {
        return Err(bad("an album has photos and videos, or files of one kind"));
    }
    let group = album.then(|| unique_number(world));
    let bot = parties.bot.seed.id;
    let mut contents = Vec::with_capacity(files.len());
    for ((_, file), kind) in files.iter().zip(kinds) {
        let object = if kind == FileKind::Photo {
            photo_sizes(world, bot, &file.data)?
        } else {
            keep_file(world, bot, kind, file, details(kind, file, message.duration))?
        };
        let mut content = Content::new();
        content.insert(kind.field().into(), object);
        if let Some(group) = &group {
            content.insert("media_group_id".into(), group.as_str().into());
        }
        contents.push(content);
    }
    let caption = message.caption.clone().or_else(|| message.text.clone());
    if let (Some(caption), Some(first)) = (caption, contents.first_mut()) {
        let parsed = text::parse(caption, None, message.entities.clone())?;
        crate::api::put_checked_caption(&parsed, first)?;
    }
    Ok(contents)
}

fn kind(part: &str) -> Option<FileKind> {
    Some(match part {
        "photo" => FileKind::Photo,
        "document" => FileKind::Document,
        "voice" => FileKind::Voice,
        "audio" => FileKind::Audio,
        "video" => FileKind::Video,
        "video_note" => FileKind::VideoNote,
        "animation" => FileKind::Animation,
        "sticker" => FileKind::Sticker,
        _ => return None,
    })
}

fn details(kind: FileKind, file: &Upload, duration: Option<i64>) -> Map<String, Value> {
    let mut details = Map::new();
    let timed = !matches!(kind, FileKind::Document | FileKind::Sticker);
    let duration = duration.or_else(|| ogg_seconds(&file.data));
    if let Some(duration) = duration.filter(|_| timed) {
        details.insert("duration".into(), duration.into());
    }
    details
}

/// Length of an Opus file: the last page's position in 48 kHz samples.
fn ogg_seconds(data: &[u8]) -> Option<i64> {
    if !data.starts_with(b"OggS") {
        return None;
    }
    let page = data.windows(4).rposition(|window| window == b"OggS")?;
    let position = data.get(page + 6..page + 14)?.try_into().ok()?;
    Some((i64::from_le_bytes(position) / 48_000).max(1))
}

/// A number that was never given before, not even by an earlier run.
pub(crate) fn unique_number(world: &World) -> String {
    let ms = u64::try_from(world.clock.now_ms()).unwrap_or(0);
    format!("{}{:05}", ms, world.calls.next_seq() % 100_000)
}
