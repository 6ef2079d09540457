//! Real embedding models from a local directory, computed in process on the CPU. No network, no key.
//!
//! A [`Model`] is opened from the directory that `sentence-transformers` and `transformers` save: `config.json`,
//! `tokenizer.json`, `model.safetensors` (or its shards with their index) and, where they are, `modules.json`,
//! `1_Pooling/config.json` and `sentence_bert_config.json`. The families are BERT (all-MiniLM, bge-small, e5, …),
//! RoBERTa and XLM-RoBERTa (bge-m3, multilingual-e5, …). Its vectors are those of `sentence-transformers`: cosine
//! at least 0.9999, which the tests hold against stored vectors of it.
//!
//! - **Pooling** is what the directory says; without a word from it, the mean for BERT and RoBERTa, the first token
//!   for XLM-RoBERTa. Vectors always have length one.
//! - **Texts are cut** at [`Model::max_tokens`], as the reference does. Cut them into chunks before, if the rest
//!   counts.
//! - **Prompts** ("query: …", which e5 wants) are the caller's to prepend.
//! - **Memory**: the token table is read from the mapped file and shared by all processes that map it; the other
//!   weights are held as 32-bit floats. So never overwrite a model that is open: put the new one beside it.
//! - **Threads**: a call uses the model's own pool, by default one thread a processor. Calls are synchronous and take
//!   seconds: make them where blocking is allowed.
//!
//! ```no_run
//! use std::{path::Path, sync::atomic::AtomicBool};
//! use zerodb_hooks_models::Model;
//!
//! let model = Model::open(Path::new("/srv/models/all-MiniLM-L6-v2"))?;
//! let vectors = model.embed(&["Alice lives in Berlin."], &AtomicBool::new(false))?;
//! assert_eq!(vectors[0].len(), model.dimensions());
//! # Ok::<(), zerodb_hooks_models::ModelError>(())
//! ```
//!
//! The computation: texts are sorted by their tokens and packed without padding; the linear layers see one long
//! matrix, attention sees each text by itself. Tensors and weights are candle's; the operations between them are
//! fused ones of this crate (`kernels`), because candle's generic ones take most of the time on a CPU. The
//! matrix product is that of candle (`gemm`), with its 512-bit form switched on where the processor has it.

mod config;
mod directory;
mod embeddings;
mod encoder;
mod error;
mod json;
mod kernels;
mod model;
mod packing;
mod pooling;
mod tokens;
mod weights;

pub use error::ModelError;
pub use model::Model;
