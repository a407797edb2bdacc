//! What a model's folder says about it: the files that Hugging Face and sentence-transformers give to every model.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use fitter_retrieval::dense::EmbedError;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::Pooling;

/// Bytes at each end of the weights that tell one model from another.
const ENDS: u64 = 1 << 20;

/// Most tokens of a text that a model reads, whatever it could.
const MOST_TOKENS: u64 = 512;

/// A model's folder.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    config: Value,
}

pub(crate) fn model(what: impl Into<String>) -> EmbedError {
    EmbedError::Model(what.into())
}

impl Folder {
    /// Reads what is in it.
    ///
    /// # Errors
    /// [`EmbedError::Model`] if it is no model's folder.
    pub fn open(path: &Path) -> Result<Self, EmbedError> {
        if !path.is_dir() {
            return Err(model(format!("{} is not a folder; put the model's files there", path.display())));
        }
        let mut own = Self { path: path.to_owned(), config: Value::Null };
        own.config = own.json("config.json")?;
        Ok(own)
    }

    /// `config.json`
    #[must_use]
    pub const fn config(&self) -> &Value {
        &self.config
    }

    /// A file that it must have.
    ///
    /// # Errors
    /// [`EmbedError::Model`] that names what is missing.
    pub fn file(&self, name: &str) -> Result<PathBuf, EmbedError> {
        let path = self.path.join(name);
        if path.is_file() { Ok(path) } else { Err(model(format!("{} has no {name}", self.path.display()))) }
    }

    /// The ONNX file, where exporters put it.
    ///
    /// # Errors
    /// [`EmbedError::Model`] if there is none.
    pub fn onnx(&self) -> Result<PathBuf, EmbedError> {
        self.file("model.onnx").or_else(|error| self.file("onnx/model.onnx").map_err(|_| error))
    }

    pub(crate) fn bytes(&self, name: &str) -> Result<Vec<u8>, EmbedError> {
        let path = self.file(name)?;
        fs::read(&path).map_err(|error| model(format!("{} cannot be read: {error}", path.display())))
    }

    fn json(&self, name: &str) -> Result<Value, EmbedError> {
        let bytes = self.bytes(name)?;
        serde_json::from_slice(&bytes).map_err(|error| model(format!("{}: {error}", self.path.join(name).display())))
    }

    /// Which vector it wants to be taken, as sentence-transformers write it down; else the mean.
    #[must_use]
    pub fn pooling(&self) -> Pooling {
        let said = self.json("1_Pooling/config.json").unwrap_or_default();
        match said.get("pooling_mode_cls_token").and_then(Value::as_bool) {
            Some(true) => Pooling::Cls,
            _ => Pooling::Mean,
        }
    }

    /// Whether its name says that it is of the E5 family, which wants to be told questions from passages.
    #[must_use]
    pub fn is_e5(&self) -> bool {
        self.label().to_lowercase().split(|c: char| !c.is_ascii_alphanumeric()).any(|part| part == "e5")
    }

    fn label(&self) -> String {
        let path = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
        path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Tokens of a text that are read; the rest is cut off.
    #[must_use]
    pub fn tokens(&self) -> usize {
        let positions = self.config.get("max_position_embeddings").and_then(Value::as_u64).unwrap_or(MOST_TOKENS);
        let own = self.json("sentence_bert_config.json").unwrap_or_default().get("max_seq_length").and_then(Value::as_u64);
        // Models that count positions from behind the filling have two less than they say.
        let least = positions.saturating_sub(self.padding() + 1).max(8);
        usize::try_from(own.unwrap_or(MOST_TOKENS).min(MOST_TOKENS).min(if self.counts_from_padding() { least } else { positions }))
            .unwrap_or(8)
    }

    /// Number of the token that fills texts up.
    pub(crate) fn padding(&self) -> u64 {
        self.config.get("pad_token_id").and_then(Value::as_u64).unwrap_or(0)
    }

    /// Whether positions begin behind the number of the filling token, as they do in RoBERTa.
    pub(crate) fn counts_from_padding(&self) -> bool {
        matches!(self.config.get("model_type").and_then(Value::as_str), Some("roberta" | "xlm-roberta" | "camembert"))
    }

    /// A name that tells this model, used in this way, from any other.
    ///
    /// # Errors
    /// [`EmbedError::Model`] if the weights cannot be read.
    pub fn name(&self, weights: &Path, usage: &str) -> Result<String, EmbedError> {
        let hash = self.fingerprint(weights, usage).map_err(|error| model(format!("{} cannot be read: {error}", weights.display())))?;
        Ok(format!("{}:{hash}", self.label()))
    }

    /// Of the ends of the weights, not of all of them: hundreds of megabytes at every start would be seconds.
    fn fingerprint(&self, weights: &Path, usage: &str) -> std::io::Result<String> {
        let mut file = File::open(weights)?;
        let length = file.metadata()?.len();
        let mut hash = Sha256::new();
        hash.update(format!("{usage}\n{length}\n{}\n", self.config));
        let mut end = Vec::new();
        (&mut file).take(ENDS).read_to_end(&mut end)?;
        file.seek(SeekFrom::Start(length.saturating_sub(ENDS)))?;
        file.take(ENDS).read_to_end(&mut end)?;
        hash.update(&end);
        hash.update(fs::read(self.path.join("tokenizer.json"))?);
        let mut text = hex::encode(hash.finalize());
        text.truncate(12);
        Ok(text)
    }
}
