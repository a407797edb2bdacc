//! Several messages of one person that came in one go.

use std::sync::Arc;

use fitter_dialogues::event::{Input, Piece};

use super::{Messages, content, photo_of, words};

/// Several messages that are not one album under one caption.
pub(super) fn burst(messages: Messages) -> Option<Input> {
    let album = messages.0.first()?.media_group_id.as_ref();
    let captions = messages.0.iter().filter(|message| message.words().is_some()).count();
    let one_album = album.is_some() && captions < 2 && messages.0.iter().all(|message| message.media_group_id.as_ref() == album);
    if messages.0.len() < 2 || one_album {
        return None;
    }
    let mut pieces: Vec<(Option<&String>, Piece)> = Vec::new();
    for message in messages.0.iter() {
        let album = message.media_group_id.as_ref();
        let single = Messages(Arc::new(vec![message.clone()]));
        let piece = match (photo_of(message), words(single.clone())) {
            (Some(photo), _) => Piece::Photos { photos: vec![photo], caption: message.words() },
            (None, Some(Input::Text { text })) => Piece::Text { text },
            _ => match content::other(single) {
                Some(Input::Other { what, text }) => Piece::Other { what, text },
                _ => continue,
            },
        };
        // A caption in an album is that of the photos up to the next one; the only one is that of all of them.
        let alone = album.is_some() && messages.0.iter().filter(|m| m.media_group_id.as_ref() == album && m.words().is_some()).count() < 2;
        match (pieces.last_mut(), piece) {
            (Some((last, Piece::Photos { photos, caption })), Piece::Photos { photos: more, caption: under })
                if album.is_some() && *last == album && (alone || under.is_none()) =>
            {
                photos.extend(more);
                *caption = caption.take().or(under);
            }
            (_, piece) => pieces.push((album, piece)),
        }
    }
    (!pieces.is_empty()).then(|| Input::Burst { pieces: pieces.into_iter().map(|(_, piece)| piece).collect() })
}
