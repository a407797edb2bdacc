//! The encoder of BERT (Devlin et al., NAACL 2019, arXiv 1810.04805) and of RoBERTa, which counts positions differently: with it run MiniLM, E5,
//! BGE, LaBSE and their like.

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{Embedding, LayerNorm, Linear, Module as _, VarBuilder, embedding, layer_norm, linear, ops::softmax_last_dim};
use serde::Deserialize;

/// `config.json`, as far as the encoder needs it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Config {
    vocab_size: usize,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    max_position_embeddings: usize,
    #[serde(default = "one")]
    type_vocab_size: usize,
    #[serde(default = "usual_eps")]
    layer_norm_eps: f64,
    #[serde(default)]
    hidden_act: Activation,
}

const fn one() -> usize {
    1
}

const fn usual_eps() -> f64 {
    1e-12
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Activation {
    #[default]
    Gelu,
    #[serde(alias = "gelu_pytorch_tanh")]
    GeluNew,
    Relu,
}

impl Activation {
    fn of(self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Gelu => x.gelu_erf(),
            Self::GeluNew => x.gelu(),
            Self::Relu => x.relu(),
        }
    }
}

struct Layer {
    query: Linear,
    key: Linear,
    value: Linear,
    attended: Linear,
    attended_norm: LayerNorm,
    wide: Linear,
    narrow: Linear,
    norm: LayerNorm,
}

/// The encoder with its weights.
pub(crate) struct Bert {
    words: Embedding,
    positions: Embedding,
    types: Embedding,
    norm: LayerNorm,
    layers: Vec<Layer>,
    heads: usize,
    activation: Activation,
    /// The first text's position.
    first: u32,
}

impl Bert {
    /// Takes the weights by the names that Hugging Face's models have, with or without the model's own prefix.
    pub(crate) fn new(config: &Config, weights: Vec<u8>, first: u32) -> Result<Self> {
        let root = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu)?;
        let prefix =
            ["bert", "roberta", "model"].into_iter().find(|name| root.contains_tensor(&format!("{name}.embeddings.LayerNorm.weight")));
        let root = prefix.map_or(root.clone(), |prefix| root.pp(prefix));
        let (size, eps) = (config.hidden_size, config.layer_norm_eps);
        let vb = root.pp("embeddings");
        let layers = (0..config.num_hidden_layers).map(|number| {
            let vb = root.pp(format!("encoder.layer.{number}"));
            let own = vb.pp("attention.self");
            Ok(Layer {
                query: linear(size, size, own.pp("query"))?,
                key: linear(size, size, own.pp("key"))?,
                value: linear(size, size, own.pp("value"))?,
                attended: linear(size, size, vb.pp("attention.output.dense"))?,
                attended_norm: layer_norm(size, eps, vb.pp("attention.output.LayerNorm"))?,
                wide: linear(size, config.intermediate_size, vb.pp("intermediate.dense"))?,
                narrow: linear(config.intermediate_size, size, vb.pp("output.dense"))?,
                norm: layer_norm(size, eps, vb.pp("output.LayerNorm"))?,
            })
        });
        Ok(Self {
            words: embedding(config.vocab_size, size, vb.pp("word_embeddings"))?,
            positions: embedding(config.max_position_embeddings, size, vb.pp("position_embeddings"))?,
            types: embedding(config.type_vocab_size, size, vb.pp("token_type_embeddings"))?,
            norm: layer_norm(size, eps, vb.pp("LayerNorm"))?,
            layers: layers.collect::<Result<_>>()?,
            heads: config.num_attention_heads,
            activation: config.hidden_act,
            first,
        })
    }

    /// A vector for each token (texts, tokens, numbers). `mask` has 1 for tokens and 0 for what fills up.
    pub(crate) fn forward(&self, ids: &Tensor, mask: &Tensor) -> Result<Tensor> {
        let (texts, tokens) = ids.dims2()?;
        let count = u32::try_from(tokens).unwrap_or(u32::MAX);
        let positions = Tensor::arange(self.first, self.first + count, &Device::Cpu)?;
        let types = Tensor::zeros((texts, tokens), DType::U32, &Device::Cpu)?;
        let x = self.words.forward(ids)?.add(&self.types.forward(&types)?)?.broadcast_add(&self.positions.forward(&positions)?)?;
        let mut x = self.norm.forward(&x)?;
        // Added to the scores: what fills up gets no attention.
        let hidden = ((mask.unsqueeze(1)?.unsqueeze(1)? - 1.0)? * 1e4)?;
        for layer in &self.layers {
            x = self.layer(layer, &x, &hidden)?;
        }
        Ok(x)
    }

    fn layer(&self, layer: &Layer, x: &Tensor, hidden: &Tensor) -> Result<Tensor> {
        let (texts, tokens, size) = x.dims3()?;
        let width = size / self.heads;
        let split = |linear: &Linear| linear.forward(x)?.reshape((texts, tokens, self.heads, width))?.transpose(1, 2)?.contiguous();
        let (query, key, value) = (split(&layer.query)?, split(&layer.key)?, split(&layer.value)?);
        let scores = (query.matmul(&key.t()?.contiguous()?)? / (width as f64).sqrt())?;
        let shares = softmax_last_dim(&scores.broadcast_add(hidden)?)?;
        let attended = shares.matmul(&value)?.transpose(1, 2)?.reshape((texts, tokens, size))?;
        let x = layer.attended_norm.forward(&layer.attended.forward(&attended)?.add(x)?)?;
        let wide = self.activation.of(&layer.wide.forward(&x)?)?;
        layer.norm.forward(&layer.narrow.forward(&wide)?.add(&x)?)
    }
}
