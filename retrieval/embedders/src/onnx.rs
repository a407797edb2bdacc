//! ONNX models through fastembed. The runtime is a library that the machine must have (`libonnxruntime`): it is loaded at the start, and its
//! absence is an error with words, not an end.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use fastembed::{
    InitOptionsUserDefined, RerankInitOptionsUserDefined, TextEmbedding, TextRerank, TokenizerFiles, UserDefinedEmbeddingModel,
    UserDefinedRerankingModel,
};
use fitter_retrieval::dense::{BATCH, EmbedError, Engine, Pool};
use fitter_retrieval::rerank::Reranker;
use ort::environment::Environment;

use crate::folder::{Folder, model};
use crate::{Pooling, normalised};

/// One for the process: the runtime allows no second one.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

/// The runtime's library by its usual name.
const LIBRARY: &str = if cfg!(target_os = "windows") {
    "onnxruntime.dll"
} else if cfg!(target_os = "macos") {
    "libonnxruntime.dylib"
} else {
    "libonnxruntime.so"
};

/// Loads the runtime, or gives the one that is loaded.
fn environment(library: Option<&Path>) -> Result<Environment, EmbedError> {
    let mut known = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = known.as_ref() {
        return Ok(environment.clone());
    }
    let named = || std::env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()).map(PathBuf::from);
    let library = library.map(Path::to_owned).or_else(named).unwrap_or_else(|| PathBuf::from(LIBRARY));
    let missing = |error: &dyn std::fmt::Display| {
        let minor = ort::MINOR_VERSION;
        model(format!("ONNX Runtime 1.{minor} or newer is needed ({error}); install it and name its library in FITTER_EMBEDDER_RUNTIME"))
    };
    let environment = ort::init_from(&library).map_err(|error| missing(&error))?.build().map_err(|error| missing(&error))?;
    *known = Some(environment.clone());
    Ok(environment)
}

fn tokenizer(folder: &Folder) -> Result<TokenizerFiles, EmbedError> {
    let or = |name: &str, usual: &str| folder.bytes(name).unwrap_or_else(|_| usual.as_bytes().to_vec());
    Ok(TokenizerFiles {
        tokenizer_file: folder.bytes("tokenizer.json")?,
        config_file: folder.bytes("config.json")?,
        special_tokens_map_file: or("special_tokens_map.json", "{}"),
        tokenizer_config_file: or("tokenizer_config.json", r#"{"model_max_length": 512, "pad_token": "[PAD]"}"#),
    })
}

/// One thread computes: several texts are embedded at once by several engines.
const THREADS: usize = 1;

struct Onnx(TextEmbedding);

/// Loads a model so many times.
///
/// # Errors
/// [`EmbedError::Model`], with what to do.
pub fn engines(folder: &Folder, pooling: Pooling, count: usize, library: Option<&Path>) -> Result<Vec<Box<dyn Engine>>, EmbedError> {
    let environment = environment(library)?;
    let path = folder.onnx()?;
    let bytes = std::fs::read(&path).map_err(|error| model(format!("{} cannot be read: {error}", path.display())))?;
    let pooling = match pooling {
        Pooling::Mean => fastembed::Pooling::Mean,
        Pooling::Cls => fastembed::Pooling::Cls,
    };
    let engine = |_| -> Result<Box<dyn Engine>, EmbedError> {
        let user_defined = UserDefinedEmbeddingModel::new(bytes.clone(), tokenizer(folder)?).with_pooling(pooling.clone());
        let options = InitOptionsUserDefined::new()
            .with_environment(environment.clone())
            .with_max_length(folder.tokens())
            .with_intra_threads(THREADS);
        let loaded = TextEmbedding::try_new_from_user_defined(user_defined, options);
        Ok(Box::new(Onnx(loaded.map_err(|error| model(format!("{}: {error}", path.display())))?)))
    };
    (0..count).map(engine).collect()
}

impl Engine for Onnx {
    fn embed(&mut self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let vectors = self.0.embed(texts, Some(BATCH)).map_err(|error| EmbedError::Failed(error.to_string()))?;
        Ok(vectors.into_iter().map(normalised).collect())
    }
}

struct Job {
    question: String,
    passages: Vec<String>,
    until: Instant,
    reply: Sender<Result<Vec<f32>, EmbedError>>,
}

/// A cross-encoder in a thread of its own.
pub struct OnnxReranker {
    name: String,
    pool: Pool<Job>,
}

impl OnnxReranker {
    /// Loads it from its folder.
    ///
    /// # Errors
    /// [`EmbedError::Model`], with what to do.
    pub fn load(folder: &Path, library: Option<&Path>) -> Result<Self, EmbedError> {
        let folder = Folder::open(folder)?;
        let path = folder.onnx()?;
        let name = folder.name(&path, "reranker")?;
        let user_defined = UserDefinedRerankingModel::new(path.clone(), tokenizer(&folder)?);
        let options = RerankInitOptionsUserDefined::new().with_environment(environment(library)?).with_max_length(folder.tokens());
        let mut loaded =
            TextRerank::try_new_from_user_defined(user_defined, options).map_err(|error| model(format!("{}: {error}", path.display())))?;
        let worker = move |job: Job| {
            let answer = if Instant::now() >= job.until {
                Err(EmbedError::Failed("too late".to_owned()))
            } else {
                scores(&mut loaded, &job.question, &job.passages)
            };
            // Whoever asked may have gone.
            let _gone = job.reply.send(answer);
        };
        let pool = Pool::new("reranker", vec![worker]).map_err(|error| model(format!("no thread for a model: {error}")))?;
        Ok(Self { name, pool })
    }
}

fn scores(model: &mut TextRerank, question: &str, passages: &[String]) -> Result<Vec<f32>, EmbedError> {
    let passages: Vec<&str> = passages.iter().map(String::as_str).collect();
    let ranked = model.rerank(question, &passages, false, Some(BATCH)).map_err(|error| EmbedError::Failed(error.to_string()))?;
    let mut scores = vec![f32::NEG_INFINITY; passages.len()];
    for one in ranked {
        if let Some(score) = scores.get_mut(one.index) {
            *score = one.score;
        }
    }
    Ok(scores)
}

impl Reranker for OnnxReranker {
    fn name(&self) -> &str {
        &self.name
    }

    fn scores(&self, question: &str, passages: &[String], until: Instant) -> Result<Vec<f32>, EmbedError> {
        let (reply, answer) = channel();
        if !self.pool.push(Job { question: question.to_owned(), passages: passages.to_vec(), until, reply }, false) {
            return Err(EmbedError::Stopped);
        }
        answer.recv_timeout(until.saturating_duration_since(Instant::now())).map_err(|_| EmbedError::Failed("too late".to_owned()))?
    }
}
