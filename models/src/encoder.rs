//! The layers of attention and feed-forward that BERT, RoBERTa and XLM-RoBERTa share. It must not know a text's words.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use candle_core::Tensor;

use crate::config::Config;
use crate::error::ModelError;
use crate::kernels::{Activation, AddNorm, Attention, Linear, Norm};
use crate::weights::Weights;

/// All layers.
pub struct Encoder {
    layers: Vec<Layer>,
    heads: usize,
}

impl Encoder {
    pub fn load(weights: &Weights, config: &Config) -> Result<Self, ModelError> {
        let layers = (0..config.num_hidden_layers).map(|layer| Layer::load(weights, config, layer));
        Ok(Self {
            layers: layers.collect::<Result<_, _>>()?,
            heads: config.num_attention_heads,
        })
    }

    /// The rows of the texts after all layers. `spans` are the rows of each text; `threads` may work on it.
    /// Looks before each layer whether it is cancelled, because a pack of long texts takes seconds.
    pub fn forward(
        &self,
        mut rows: Tensor,
        spans: &[Range<usize>],
        threads: usize,
        cancel: &AtomicBool,
    ) -> Result<Tensor, ModelError> {
        let attention = Attention {
            spans,
            heads: self.heads,
            threads,
        };
        for layer in &self.layers {
            if cancel.load(Ordering::Relaxed) {
                return Err(ModelError::Cancelled);
            }
            rows = layer.forward(&rows, &attention)?;
        }
        Ok(rows)
    }
}

/// A weight of shape (inputs, outputs) with its bias.
struct Projection {
    weight: Tensor,
    bias: Tensor,
}

impl Projection {
    fn load(weights: &Weights, name: &str, outputs: usize, inputs: usize) -> Result<Self, ModelError> {
        Ok(Self {
            weight: weights
                .tensor(&format!("{name}.weight"), (outputs, inputs))?
                .t()?
                .contiguous()?,
            bias: weights.tensor(&format!("{name}.bias"), outputs)?,
        })
    }

    /// Several projections of the same rows as one.
    fn join(parts: &[Self]) -> Result<Self, ModelError> {
        let weights: Vec<&Tensor> = parts.iter().map(|part| &part.weight).collect();
        let biases: Vec<&Tensor> = parts.iter().map(|part| &part.bias).collect();
        Ok(Self {
            weight: Tensor::cat(&weights, 1)?.contiguous()?,
            bias: Tensor::cat(&biases, 0)?,
        })
    }

    fn apply(&self, rows: &Tensor, activation: Activation, threads: usize) -> Result<Tensor, ModelError> {
        let operation = Linear { activation, threads };
        Ok(rows.apply_op3_no_bwd(&self.weight, &self.bias, &operation)?)
    }
}

struct Layer {
    /// Query, key and value side by side.
    attention: Projection,
    attended: Projection,
    attended_norm: Norm,
    inner: Projection,
    outer: Projection,
    outer_norm: Norm,
}

impl Layer {
    fn load(weights: &Weights, config: &Config, layer: usize) -> Result<Self, ModelError> {
        let (width, inner) = (config.hidden_size, config.intermediate_size);
        let name = |part: &str| format!("encoder.layer.{layer}.{part}");
        let part = |part: &str| Projection::load(weights, &name(part), width, width);
        let norm = |part: &str| weights.norm(&name(part), width, config.layer_norm_eps);
        let attention = [
            "attention.self.query",
            "attention.self.key",
            "attention.self.value",
        ]
        .map(part)
        .into_iter();
        Ok(Self {
            attention: Projection::join(&attention.collect::<Result<Vec<_>, _>>()?)?,
            attended: part("attention.output.dense")?,
            attended_norm: norm("attention.output.LayerNorm")?,
            inner: Projection::load(weights, &name("intermediate.dense"), inner, width)?,
            outer: Projection::load(weights, &name("output.dense"), width, inner)?,
            outer_norm: norm("output.LayerNorm")?,
        })
    }

    fn forward(&self, rows: &Tensor, attention: &Attention<'_>) -> Result<Tensor, ModelError> {
        let threads = attention.threads;
        let add_norm = |norm| AddNorm { norm, threads };
        let projected = self.attention.apply(rows, Activation::None, threads)?;
        let mixed = projected.apply_op1_no_bwd(attention)?;
        let attended = self.attended.apply(&mixed, Activation::None, threads)?;
        attended.inplace_op2(rows, &add_norm(&self.attended_norm))?;
        let inner = self.inner.apply(&attended, Activation::Gelu, threads)?;
        let outer = self.outer.apply(&inner, Activation::None, threads)?;
        outer.inplace_op2(&attended, &add_norm(&self.outer_norm))?;
        Ok(outer)
    }
}
