//! `config.json`: the shape of the network, and whether it is one that is computed rightly here.

use std::path::Path;

use serde::Deserialize;

use crate::error::ModelError;
use crate::json::read_json;

/// The families whose networks are the same but for the numbering of positions and their usual pooling.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    Bert,
    Roberta,
    XlmRoberta,
    /// None of them; [`Config::read`] lets none through.
    #[serde(untagged)]
    Other(String),
}

/// The network's shape. The names are those of `config.json`.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    #[serde(rename = "model_type")]
    pub family: Family,
    pub vocab_size: usize,
    pub hidden_size: usize,
    pub num_hidden_layers: usize,
    pub num_attention_heads: usize,
    pub intermediate_size: usize,
    pub max_position_embeddings: usize,
    pub type_vocab_size: usize,
    #[serde(default = "layer_norm_eps")]
    pub layer_norm_eps: f32,
    pad_token_id: Option<u32>,
    hidden_act: Option<String>,
    position_embedding_type: Option<String>,
}

impl Config {
    /// Reads and checks `config.json`.
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        // A model of another kind has other keys, so its type is looked at first.
        let Kind { model_type } = read_json(path)?;
        let unsupported = |setting, found, supported| ModelError::Unsupported {
            path: path.to_owned(),
            setting,
            found,
            supported,
        };
        if let Family::Other(found) = model_type {
            return Err(unsupported("model_type", found, "bert, roberta and xlm-roberta"));
        }
        let config: Self = read_json(path)?;
        if let Some(found) = config.hidden_act.clone().filter(|found| found != "gelu") {
            return Err(unsupported("hidden_act", found, "gelu"));
        }
        if let Some(found) = config
            .position_embedding_type
            .clone()
            .filter(|found| found != "absolute")
        {
            return Err(unsupported("position_embedding_type", found, "absolute"));
        }
        config.check_sizes().map_err(|reason| ModelError::BadConfig {
            path: path.to_owned(),
            reason,
        })?;
        Ok(config)
    }

    fn check_sizes(&self) -> Result<(), String> {
        let (hidden, heads) = (self.hidden_size, self.num_attention_heads);
        if heads == 0 || hidden == 0 || !hidden.is_multiple_of(heads) {
            return Err(format!(
                "hidden_size {hidden} is not a multiple of num_attention_heads {heads}"
            ));
        }
        if self.max_position_embeddings <= self.first_position() + 2 {
            let positions = self.max_position_embeddings;
            return Err(format!(
                "max_position_embeddings {positions} leaves no room for a text"
            ));
        }
        if self.vocab_size == 0 || self.type_vocab_size == 0 || self.intermediate_size == 0 {
            return Err("vocab_size, type_vocab_size and intermediate_size must not be zero".to_owned());
        }
        Ok(())
    }

    /// The prefix that `transformers` gives the tensors when the network is part of a larger one.
    pub fn prefix(&self) -> &'static str {
        match self.family {
            Family::Bert | Family::Other(_) => "bert.",
            Family::Roberta | Family::XlmRoberta => "roberta.",
        }
    }

    /// The token that the RoBERTa families do not count as a position; BERT counts every token.
    pub fn padding(&self) -> Option<u32> {
        match self.family {
            Family::Bert | Family::Other(_) => None,
            Family::Roberta | Family::XlmRoberta => Some(self.pad_token_id.unwrap_or(1)),
        }
    }

    /// The row of the position table for the first token: RoBERTa's begin behind that of the padding.
    pub fn first_position(&self) -> usize {
        self.padding().map_or(0, |padding| padding as usize + 1)
    }

    /// The number of tokens that the position table has room for.
    pub fn positions(&self) -> usize {
        self.max_position_embeddings - self.first_position()
    }
}

#[derive(Deserialize)]
struct Kind {
    model_type: Family,
}

/// The value of `transformers` for a file without it.
fn layer_norm_eps() -> f32 {
    1e-12
}
