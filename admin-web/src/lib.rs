//! What comes over HTTP besides Telegram. For now: that somebody has pushed to the repository of the notes.
//!
//! | module | what |
//! | --- | --- |
//! | [`hooks`] | `POST /hooks/vault` of GitHub, GitLab, Gitea and Forgejo |

pub mod hooks;
