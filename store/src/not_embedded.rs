//! In place of the embedded PostgreSQL where the program is built without it.

use std::path::PathBuf;
use std::sync::Arc;

use sqlx::postgres::PgConnectOptions;

use crate::database::OpenError;

/// A server that there never is.
#[derive(Debug)]
pub(crate) enum Embedded {}

impl Embedded {
    /// Always [`OpenError::NotEmbedded`].
    pub(crate) async fn start(_data_dir: PathBuf) -> Result<(Arc<Self>, PgConnectOptions), OpenError> {
        Err(OpenError::NotEmbedded)
    }

    pub(crate) fn stop(&self) {
        match *self {}
    }
}
