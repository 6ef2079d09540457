//! The properties of a model by the files of its directory, those of `sentence-transformers` and `transformers`. It
//! must not read weights.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::config::{Config, Family};
use crate::error::ModelError;
use crate::json::{read_json, read_optional};
use crate::pooling::Pooling;

/// A model's directory, read and checked.
#[derive(Debug)]
pub struct Directory {
    /// The directory of the network's files: the model's itself, or the part of it that `modules.json` names.
    pub network: PathBuf,
    pub config: Config,
    pub pooling: Pooling,
    /// The most tokens of a text, with the special ones.
    pub max_tokens: usize,
    /// Whether a text is made lower case before the tokenizer sees it.
    pub lower_case: bool,
}

impl Directory {
    pub fn read(directory: &Path) -> Result<Self, ModelError> {
        let modules = modules(directory)?;
        let network = part(directory, &modules, "Transformer").unwrap_or_else(|| directory.to_owned());
        let config = Config::read(&network.join("config.json"))?;
        let pooling = match part(directory, &modules, "Pooling") {
            Some(part) => pooling(&part.join("config.json"))?,
            None if config.family == Family::XlmRoberta => Pooling::Cls,
            None => Pooling::Mean,
        };
        refuse_default_prompt(directory)?;
        let sentence: Sentence = read_optional(&network.join("sentence_bert_config.json"))?;
        let tokenizer: TokenizerConfig = read_optional(&network.join("tokenizer_config.json"))?;
        let asked = sentence.max_seq_length.map(|tokens| tokens as f64);
        // A tokenizer without a limit has 1e30 there, which no integer holds.
        let limit = asked.or(tokenizer.model_max_length).unwrap_or(f64::INFINITY);
        Ok(Self {
            max_tokens: (limit as usize).min(config.positions()),
            lower_case: sentence.do_lower_case,
            network,
            config,
            pooling,
        })
    }
}

#[derive(Deserialize)]
struct Module {
    path: String,
    #[serde(rename = "type")]
    class: String,
}

impl Module {
    /// The last part of the class's name, which has moved from one Python module to another over the versions.
    fn kind(&self) -> &str {
        self.class.rsplit('.').next().unwrap_or_default()
    }
}

#[derive(Deserialize, Default)]
struct Sentence {
    max_seq_length: Option<u32>,
    #[serde(default)]
    do_lower_case: bool,
}

#[derive(Deserialize, Default)]
struct TokenizerConfig {
    model_max_length: Option<f64>,
}

#[derive(Deserialize, Default)]
struct Prompts {
    default_prompt_name: Option<String>,
}

#[derive(Deserialize, Default)]
struct PoolingConfig {
    /// One name, or several whose vectors are joined.
    pooling_mode: Option<serde_json::Value>,
    #[serde(default)]
    pooling_mode_cls_token: bool,
    #[serde(default)]
    pooling_mode_mean_tokens: bool,
    #[serde(default)]
    pooling_mode_max_tokens: bool,
    #[serde(default)]
    pooling_mode_mean_sqrt_len_tokens: bool,
    #[serde(default)]
    pooling_mode_weightedmean_tokens: bool,
    #[serde(default)]
    pooling_mode_lasttoken: bool,
}

impl PoolingConfig {
    /// The name of the way, as newer versions write it.
    fn name(&self) -> String {
        let ways = [
            (self.pooling_mode_cls_token, "cls"),
            (self.pooling_mode_mean_tokens, "mean"),
            (self.pooling_mode_max_tokens, "max"),
            (self.pooling_mode_mean_sqrt_len_tokens, "mean_sqrt_len_tokens"),
            (self.pooling_mode_weightedmean_tokens, "weightedmean"),
            (self.pooling_mode_lasttoken, "lasttoken"),
        ];
        let active: Vec<&str> = ways.iter().filter(|(on, _)| *on).map(|(_, name)| *name).collect();
        match &self.pooling_mode {
            Some(serde_json::Value::String(name)) => name.clone(),
            Some(other) => other.to_string(),
            None if active.is_empty() => "mean".to_owned(),
            None => active.join("+"),
        }
    }
}

/// The steps of `modules.json`; none without the file. A step that would change the vector is refused.
fn modules(directory: &Path) -> Result<Vec<Module>, ModelError> {
    let path = directory.join("modules.json");
    let modules: Vec<Module> = read_optional(&path)?;
    match modules
        .iter()
        .find(|module| !matches!(module.kind(), "Transformer" | "Pooling" | "Normalize"))
    {
        None => Ok(modules),
        Some(module) => Err(ModelError::Unsupported {
            path,
            setting: "module",
            found: module.class.clone(),
            supported: "Transformer, Pooling and Normalize",
        }),
    }
}

fn part(directory: &Path, modules: &[Module], kind: &str) -> Option<PathBuf> {
    let module = modules.iter().find(|module| module.kind() == kind)?;
    Some(directory.join(&module.path))
}

fn pooling(path: &Path) -> Result<Pooling, ModelError> {
    let config: PoolingConfig = read_json(path)?;
    match config.name().as_str() {
        "cls" => Ok(Pooling::Cls),
        "mean" => Ok(Pooling::Mean),
        found => Err(ModelError::Unsupported {
            path: path.to_owned(),
            setting: "pooling_mode",
            found: found.to_owned(),
            supported: "cls and mean",
        }),
    }
}

/// The reference puts a default prompt before every text; a vector without it would be another one.
fn refuse_default_prompt(directory: &Path) -> Result<(), ModelError> {
    let path = directory.join("config_sentence_transformers.json");
    let prompts: Prompts = read_optional(&path)?;
    match prompts.default_prompt_name {
        None => Ok(()),
        Some(found) => Err(ModelError::Unsupported {
            path,
            setting: "default_prompt_name",
            found,
            supported: "null",
        }),
    }
}
