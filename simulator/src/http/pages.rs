//! The chat page, built into the program.

use std::borrow::Cow;
use std::path::{Component, Path};

use axum::extract;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use include_dir::{Dir, include_dir};

static WEB: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/web");

/// `/`.
pub(crate) async fn index() -> Response {
    serve("index.html")
}

/// `/web/<path>`.
pub(crate) async fn file(extract::Path(path): extract::Path<String>) -> Response {
    serve(&path)
}

fn serve(path: &str) -> Response {
    let embedded = WEB.get_file(path).map(|file| Cow::Borrowed(file.contents()));
    match from_disk(path).or(embedded) {
        Some(content) => ([(CONTENT_TYPE, mime(path)), (CACHE_CONTROL, "no-cache")], content).into_response(),
        None => (StatusCode::NOT_FOUND, "not found").into_response(),
    }
}

/// While the page is worked on, a debug build shows the files as they are now.
fn from_disk(path: &str) -> Option<Cow<'static, [u8]>> {
    let plain = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    if !cfg!(debug_assertions) || !plain {
        return None;
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("web").join(path);
    std::fs::read(file).ok().map(Cow::Owned)
}

/// The type that a browser needs to know.
fn mime(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" | "md" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
