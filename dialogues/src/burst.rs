//! What comes in one go outside of a walk: photos and notes that belong to a card, a fault or an answer. There is one reply to all of it.

use fitter_domain::msg;

use crate::event::{Photo, Piece};
use crate::state::State;
use crate::turn::Turn;
use crate::{ask, faults, jobs, step};

/// Several things in one go. Words with a question mark are questions and answered as such; others go with the photos.
pub(crate) fn burst(turn: &mut Turn<'_>, pieces: &[Piece]) {
    let photos: Vec<Photo> = pieces
        .iter()
        .flat_map(|piece| match piece {
            Piece::Photos { photos, .. } => photos.as_slice(),
            Piece::Text { .. } | Piece::Other { .. } => &[],
        })
        .cloned()
        .collect();
    let said = |question: bool| pieces.iter().filter_map(Piece::words).filter(move |words| words.contains('?') == question);
    let notes = said(false).collect::<Vec<_>>().join("\n");
    let notes = Some(notes.as_str()).filter(|notes| !notes.is_empty());
    let all = pieces.iter().filter_map(Piece::words).collect::<Vec<_>>().join("\n");
    if photos.is_empty() || !turn.ctx.person.role.is_staff() {
        // There is nothing that the words could belong to: they are words.
        match all.is_empty() {
            false => step::words(turn, &all),
            true if turn.ctx.person.role.is_staff() => drop(turn.say_on(msg::only_text_and_photos())),
            true => drop(turn.say_on(msg::only_text())),
        }
        return;
    }
    match turn.state.clone() {
        State::Answering { question } => return ask::answer_photo(turn, question, Some(all.as_str()).filter(|all| !all.is_empty())),
        State::Problem { .. } => return faults::photos(turn, &photos, Some(all.as_str()).filter(|all| !all.is_empty())),
        State::JobPhotos { job } => jobs::many_photos(turn, job, pieces),
        _ => jobs::stray_photos(turn, &photos, notes),
    }
    for question in said(true) {
        ask::search(turn, question);
    }
}
