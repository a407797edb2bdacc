//! One-time links that make a stranger a colleague. Only the hash of a link's token is stored.

use chrono::TimeDelta;
use fitter_domain::ids::{BotId, PersonId};
use fitter_domain::person::Role;
use fitter_store::PgConnection;
use fitter_store::invites;
use rand::Rng as _;
use rand::distr::Alphanumeric;
use sha2::{Digest as _, Sha256};

use crate::app::App;
use crate::error::ServiceError;

/// How long an invitation is good for, in days.
pub const DAYS: u32 = 7;

/// Characters of a token: 24 of 62 are 142 bits, and with its prefix it fits Telegram's 64.
const TOKEN: usize = 24;

/// What a token is stored as.
#[must_use]
pub fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

impl App {
    /// Makes an invitation and gives its token.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn make_invite(&self, conn: &mut PgConnection, role: Role, by: Option<PersonId>) -> Result<String, ServiceError> {
        let token: String = rand::rng().sample_iter(Alphanumeric).take(TOKEN).map(char::from).collect();
        let expires = self.clock.now() + TimeDelta::days(i64::from(DAYS));
        invites::create(conn, &hash(&token), role, expires, by, self.clock.now()).await?;
        Ok(token)
    }

    /// The link that opens a bot with a token.
    #[must_use]
    pub fn invite_link(&self, bot: BotId, token: &str) -> Option<String> {
        self.username(bot).map(|username| format!("https://t.me/{username}?start={token}"))
    }
}
