//! The first layer: from tokens to rows, one a token.

use candle_core::{Device, Tensor};

use crate::config::Config;
use crate::error::ModelError;
use crate::kernels::{AddNorm, Norm};
use crate::weights::Weights;

/// The tables of tokens and positions, and the norm after them.
pub struct Embeddings {
    weights: Weights,
    /// Row of a position, with the row of token type 0 added: a text by itself has no other type.
    positions: Vec<f32>,
    norm: Norm,
    width: usize,
    vocabulary: usize,
    padding: Option<u32>,
    first_position: usize,
}

const WORDS: &str = "embeddings.word_embeddings.weight";

impl Embeddings {
    pub fn load(weights: Weights, config: &Config) -> Result<Self, ModelError> {
        let width = config.hidden_size;
        weights.table(WORDS, config.vocab_size, width)?;
        let positions = weights.tensor(
            "embeddings.position_embeddings.weight",
            (config.max_position_embeddings, width),
        )?;
        let types = weights.tensor(
            "embeddings.token_type_embeddings.weight",
            (config.type_vocab_size, width),
        )?;
        let positions = positions.broadcast_add(&types.narrow(0, 0, 1)?)?;
        let norm = weights.norm("embeddings.LayerNorm", width, config.layer_norm_eps)?;
        Ok(Self {
            positions: positions.flatten_all()?.to_vec1()?,
            norm,
            width,
            vocabulary: config.vocab_size,
            padding: config.padding(),
            first_position: config.first_position(),
            weights,
        })
    }

    /// The rows of all tokens of the texts, one text behind the other.
    pub fn rows(&self, texts: &[&[u32]], threads: usize) -> Result<Tensor, ModelError> {
        let words = self.weights.table(WORDS, self.vocabulary, self.width)?;
        let tokens: usize = texts.iter().map(|text| text.len()).sum();
        let mut rows = Vec::with_capacity(tokens * self.width);
        let mut places = Vec::with_capacity(tokens * self.width);
        for text in texts {
            let mut next = self.first_position;
            for &token in *text {
                words.append(token as usize, &mut rows);
                // RoBERTa gives a padding token the position of the padding, and does not count it.
                let position = if Some(token) == self.padding {
                    self.first_position - 1
                } else {
                    next
                };
                next += usize::from(Some(token) != self.padding);
                places.extend_from_slice(&self.positions[position * self.width..(position + 1) * self.width]);
            }
        }
        let rows = Tensor::from_vec(rows, (tokens, self.width), &Device::Cpu)?;
        let places = Tensor::from_vec(places, (tokens, self.width), &Device::Cpu)?;
        rows.inplace_op2(
            &places,
            &AddNorm {
                norm: &self.norm,
                threads,
            },
        )?;
        Ok(rows)
    }
}
