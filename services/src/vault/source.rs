//! Where the notes come from: a folder, or a git repository.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;

use fitter_retrieval::vault::{self, Vault};

use super::git::{Changed, Git};

/// Where the notes come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A folder that is read as it is.
    Folder(PathBuf),
    /// A branch of a repository.
    Git(Git),
}

/// Why a source cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// There is no folder.
    #[error("vault.path: {} is not a folder", .0.display())]
    NoFolder(PathBuf),
    /// The program is missing.
    #[error("`git` cannot be run ({0}); install it, vault.git needs it")]
    NoGit(std::io::Error),
    /// The clone is not there yet, or not any more.
    #[error("the repository is not fetched yet")]
    NoClone,
    /// It refused, or its server did.
    #[error("git: {0}")]
    Git(String),
    /// It took too long.
    #[error("git did not end within {0:?}")]
    Timeout(Duration),
    /// Work on a thread of its own was cut off.
    #[error("the look at the source was cut off")]
    Interrupted,
    /// The disk.
    #[error("vault: {0}")]
    Io(#[from] std::io::Error),
}

/// A source as it was seen.
#[derive(Debug)]
pub struct Seen {
    /// Its files.
    pub vault: Vault,
    /// The source, as people read it.
    pub source: String,
    /// The commit, if it has one.
    pub version: Option<String>,
    git: Option<Git>,
}

impl Seen {
    /// Tells one state of the source from another.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.version.clone().unwrap_or_else(|| self.vault.fingerprint())
    }

    /// Who changed files last, and when, if the source can tell.
    ///
    /// # Errors
    /// If git fails.
    pub async fn changed(&self, paths: HashSet<String>) -> Result<HashMap<String, Changed>, SourceError> {
        match (&self.git, &self.version) {
            (Some(git), Some(commit)) => git.changed(commit, paths).await,
            _ => Ok(HashMap::new()),
        }
    }
}

impl Source {
    /// The source, as people read it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Folder(folder) => folder.display().to_string(),
            Self::Git(git) => git.url.clone(),
        }
    }

    /// Looks at the source: lists the folder, or fetches the branch. `None` if it is as it was at `last` ([`Seen::fingerprint`]).
    ///
    /// # Errors
    /// [`SourceError`].
    pub async fn look(&self, last: Option<&str>) -> Result<Option<Seen>, SourceError> {
        let seen = match self {
            Self::Folder(folder) => {
                if !folder.is_dir() {
                    return Err(SourceError::NoFolder(folder.clone()));
                }
                let root = folder.clone();
                let vault = tokio::task::spawn_blocking(move || vault::read(&root)).await.map_err(|_| SourceError::Interrupted)?;
                Seen { vault, source: self.name(), version: None, git: None }
            }
            Self::Git(git) => {
                let commit = git.fetch().await?;
                if last == Some(commit.as_str()) {
                    return Ok(None);
                }
                let vault = git.vault(&commit).await?;
                Seen { vault, source: self.name(), version: Some(commit), git: Some(git.clone()) }
            }
        };
        Ok(Some(seen).filter(|seen| last != Some(seen.fingerprint().as_str())))
    }
}
