//! The Bot API methods.

mod album;
mod call;
mod commands;
mod copy;
mod delete;
mod edit;
mod edit_media;
mod files;
mod getters;
mod inline;
mod invoice;
mod media;
mod misc;
mod pins;
mod poll;
mod profile;
mod queries;
mod rich;
mod send;
mod served;
mod topics;
mod updates;
mod webhook;

pub(crate) use call::Call;
pub(crate) use commands::for_person as commands_for;
pub(crate) use media::{keep_file, photo_sizes, put_checked_caption};
pub(crate) use send::location_of;
pub(crate) use served::{Served, entry};
pub(crate) use updates::get_updates;
