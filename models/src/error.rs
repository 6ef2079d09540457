//! The errors of a model, each with what to do about it. It must not hold the text that was embedded.

use std::path::PathBuf;

/// Why a model could not be opened, or did not embed.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file that every model has is not in the directory.
    #[error("{path} is missing: {advice}", path = .path.display())]
    MissingFile { path: PathBuf, advice: &'static str },
    /// A file is there and cannot be read.
    #[error("cannot read {path}: {source}; check that the worker's user may read it", path = .path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    /// A file is not what its name says, or contradicts another one.
    #[error("{path} cannot be used: {reason}; fetch the model's directory again", path = .path.display())]
    BadConfig { path: PathBuf, reason: String },
    /// The model is sound, and of a kind that would be computed wrongly here.
    #[error("{setting} {found} in {path} is not supported, only {supported}; choose another model, or serve this one \
        from an endpoint", path = .path.display())]
    Unsupported {
        path: PathBuf,
        setting: &'static str,
        found: String,
        supported: &'static str,
    },
    /// The tokenizer's file could not be read as one.
    #[error("{path} is not a tokenizer: {reason}; the model needs the tokenizer.json that belongs to \
        it", path = .path.display())]
    BadTokenizer { path: PathBuf, reason: String },
    /// The file with the weights is damaged, or of another format.
    #[error("{path} holds no weights: {reason}; fetch the file again", path = .path.display())]
    BadWeights { path: PathBuf, reason: String },
    /// A tensor that the configuration asks for is not among the weights.
    #[error("tensor {tensor} is not in the weights; config.json and the weights must be of the same model")]
    MissingTensor { tensor: String },
    /// A tensor is there, with another shape or type of number than the configuration says.
    #[error("tensor {tensor} is {found}, and config.json says {expected}; both must be of the same model")]
    BadTensor {
        tensor: String,
        found: String,
        expected: String,
    },
    /// The tokenizer refused one text. `index` is its place in the call.
    #[error("text {index} could not be split into tokens: {reason}; leave it out")]
    BadText { index: usize, reason: String },
    /// The numbers of one text are infinite, not a number, or all zero. `index` is its place in the call.
    #[error("the embedding of text {index} is not a direction; the weights may be damaged")]
    NotADirection { index: usize },
    /// The caller asked to stop.
    #[error("embedding was cancelled")]
    Cancelled,
    /// The threads that compute could not be started.
    #[error("cannot start the threads of the model: {reason}")]
    NoThreads { reason: String },
    /// The tensor library refused an operation: a fault of this program.
    #[error("computing the embeddings failed: {0}; please report it")]
    Compute(#[from] candle_core::Error),
}
