//! Models of the BERT family from safetensors, in plain Rust: nothing has to be installed.

use std::sync::Arc;

use candle_core::{Device, Tensor};
use fitter_retrieval::dense::{EmbedError, Engine};
use tokenizers::{PaddingParams, Tokenizer, TruncationParams};

use crate::bert::{Bert, Config};
use crate::folder::{Folder, model};
use crate::{Pooling, normalised};

/// One of several that share the weights.
struct Candle {
    bert: Arc<Bert>,
    tokenizer: Arc<Tokenizer>,
    pooling: Pooling,
}

/// Loads the weights once, for so many engines.
///
/// # Errors
/// [`EmbedError::Model`] that says what is wrong with the folder.
pub fn engines(folder: &Folder, pooling: Pooling, count: usize) -> Result<Vec<Box<dyn Engine>>, EmbedError> {
    let config: Config = serde_json::from_value(folder.config().clone())
        .map_err(|error| model(format!("config.json is not of the BERT family: {error}")))?;
    let first = if folder.counts_from_padding() { folder.padding() + 1 } else { 0 };
    let bert = Bert::new(&config, folder.bytes("model.safetensors")?, u32::try_from(first).unwrap_or(0))
        .map_err(|error| model(format!("model.safetensors does not fit config.json: {error}")))?;
    let tokenizer = tokenizer(folder).map_err(|error| model(format!("tokenizer.json: {error}")))?;
    let (bert, tokenizer) = (Arc::new(bert), Arc::new(tokenizer));
    let engine = |_| -> Box<dyn Engine> { Box::new(Candle { bert: Arc::clone(&bert), tokenizer: Arc::clone(&tokenizer), pooling }) };
    Ok((0..count).map(engine).collect())
}

fn tokenizer(folder: &Folder) -> Result<Tokenizer, Box<dyn std::error::Error + Send + Sync>> {
    let mut tokenizer = Tokenizer::from_bytes(folder.bytes("tokenizer.json")?)?;
    let pad_id = u32::try_from(folder.padding())?;
    let pad_token = tokenizer.id_to_token(pad_id).unwrap_or_default();
    tokenizer.with_padding(Some(PaddingParams { pad_id, pad_token, ..PaddingParams::default() }));
    tokenizer.with_truncation(Some(TruncationParams { max_length: folder.tokens(), ..TruncationParams::default() }))?;
    Ok(tokenizer)
}

impl Engine for Candle {
    fn embed(&mut self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let encodings =
            self.tokenizer.encode_batch(texts.to_vec(), true).map_err(|error| EmbedError::Failed(format!("tokenizer: {error}")))?;
        let row = |encoding: &tokenizers::Encoding| (encoding.get_ids().to_vec(), encoding.get_attention_mask().to_vec());
        let (ids, masks): (Vec<Vec<u32>>, Vec<Vec<u32>>) = encodings.iter().map(row).unzip();
        let vectors = self.pooled(ids, masks).map_err(|error| EmbedError::Failed(error.to_string()))?;
        Ok(vectors.into_iter().map(normalised).collect())
    }
}

impl Candle {
    fn pooled(&self, ids: Vec<Vec<u32>>, masks: Vec<Vec<u32>>) -> candle_core::Result<Vec<Vec<f32>>> {
        if ids.first().is_none_or(Vec::is_empty) {
            return Ok(Vec::new());
        }
        let ids = Tensor::new(ids, &Device::Cpu)?;
        let mask = Tensor::new(masks, &Device::Cpu)?.to_dtype(candle_core::DType::F32)?;
        let tokens = self.bert.forward(&ids, &mask)?;
        let vectors = match self.pooling {
            Pooling::Cls => tokens.narrow(1, 0, 1)?.squeeze(1)?,
            Pooling::Mean => {
                let sum = tokens.broadcast_mul(&mask.unsqueeze(2)?)?.sum(1)?;
                sum.broadcast_div(&mask.sum_keepdim(1)?)?
            }
        };
        vectors.to_vec2()
    }
}
