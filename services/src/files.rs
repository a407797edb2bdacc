//! Photos and pictures, named by the SHA-256 of their content: the same picture is stored once, and a name can never mean something else.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload};
use sha2::{Digest as _, Sha256};

use crate::error::ServiceError;

/// The file store.
#[derive(Debug, Clone)]
pub struct Files(Arc<dyn ObjectStore>);

impl Files {
    /// A folder, made if it does not exist.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn folder(path: &Path) -> Result<Self, ServiceError> {
        std::fs::create_dir_all(path).map_err(|source| object_store::Error::Generic { store: "folder", source: Box::new(source) })?;
        Ok(Self(Arc::new(LocalFileSystem::new_with_prefix(path)?)))
    }

    /// Any other store, such as an S3 bucket.
    #[must_use]
    pub fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self(store)
    }

    /// Stores bytes; gives their SHA-256 in hex.
    ///
    /// # Errors
    /// If the store refuses.
    pub async fn put(&self, bytes: Bytes) -> Result<String, ServiceError> {
        let sha = hex::encode(Sha256::digest(&bytes));
        let path = path(&sha);
        if self.0.head(&path).await.is_err() {
            self.0.put(&path, PutPayload::from_bytes(bytes)).await?;
        }
        Ok(sha)
    }

    /// Reads bytes.
    ///
    /// # Errors
    /// If there are none of this name, or the store refuses.
    pub async fn get(&self, sha: &str) -> Result<Bytes, ServiceError> {
        Ok(self.0.get(&path(sha)).await?.bytes().await?)
    }
}

/// `ab/abcdef…`: folders stay small.
fn path(sha: &str) -> ObjectPath {
    ObjectPath::from_iter([sha.get(..2).unwrap_or("00"), sha])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_name_is_the_hash_of_the_content() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::folder(folder.path()).unwrap();
        let sha = files.put(Bytes::from_static(b"abc")).await.unwrap();
        assert_eq!(sha, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(files.put(Bytes::from_static(b"abc")).await.unwrap(), sha);
        assert_eq!(files.get(&sha).await.unwrap(), Bytes::from_static(b"abc"));
        assert!(files.get("00").await.is_err());
    }
}
