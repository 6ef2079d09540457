//! A model that is open: its parts put together, and the threads that it computes with.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use crate::directory::Directory;
use crate::embeddings::Embeddings;
use crate::encoder::Encoder;
use crate::error::ModelError;
use crate::packing::{PACK_TOKENS, Pack, pack, spans};
use crate::pooling::Pooling;
use crate::tokens::Tokens;
use crate::weights::Weights;

/// An embedding model from a directory. It can be shared: calls from several threads take turns on its pool.
pub struct Model {
    name: String,
    dimensions: usize,
    max_tokens: usize,
    pooling: Pooling,
    tokens: Tokens,
    embeddings: Embeddings,
    encoder: Encoder,
    pool: rayon::ThreadPool,
}

impl Model {
    /// Opens the model in `directory`, with one thread for each processor.
    pub fn open(directory: &Path) -> Result<Self, ModelError> {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self::open_with_threads(directory, processors)
    }

    /// Opens the model in `directory`, to compute with so many threads of its own.
    pub fn open_with_threads(directory: &Path, threads: usize) -> Result<Self, ModelError> {
        let Directory {
            network,
            config,
            pooling,
            max_tokens,
            lower_case,
        } = Directory::read(directory)?;
        let tokenizer = network.join("tokenizer.json");
        let tokens = Tokens::read(&tokenizer, max_tokens, lower_case)?;
        if let Some(largest) = tokens
            .largest()
            .filter(|&largest| largest as usize >= config.vocab_size)
        {
            return Err(ModelError::BadTokenizer {
                path: tokenizer,
                reason: format!(
                    "it has a token {largest}, and the weights have {} rows",
                    config.vocab_size
                ),
            });
        }
        let weights = Weights::open(&network, config.prefix())?;
        let encoder = Encoder::load(&weights, &config)?;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads.max(1))
            .thread_name(|thread| format!("model-{thread}"))
            .build();
        Ok(Self {
            name: directory
                .file_name()
                .unwrap_or(directory.as_os_str())
                .to_string_lossy()
                .into_owned(),
            dimensions: config.hidden_size,
            max_tokens,
            pooling,
            tokens,
            embeddings: Embeddings::load(weights, &config)?,
            encoder,
            pool: pool.map_err(|error| ModelError::NoThreads {
                reason: error.to_string(),
            })?,
        })
    }

    /// The name of the directory.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of numbers in a vector.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The most tokens of a text that count, with the special ones; the rest is cut off.
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// The tokens of a whole text, with the special ones. More than [`Model::max_tokens`] will be cut.
    pub fn count_tokens(&self, text: &str) -> Result<usize, ModelError> {
        self.tokens.count(text)
    }

    /// One vector of length one for each text, in their order; never with a number that is not finite. Ends early
    /// with [`ModelError::Cancelled`] when `cancel` becomes true, which is looked at before each layer of each pack.
    /// A text that has no vector fails the call, and is named in the error.
    pub fn embed(&self, texts: &[&str], cancel: &AtomicBool) -> Result<Vec<Vec<f32>>, ModelError> {
        self.pool.install(|| {
            let sequences = self.sequences(texts, cancel)?;
            let threads = self.pool.current_num_threads();
            let lengths: Vec<usize> = sequences.iter().map(Vec::len).collect();
            let packs = pack(&lengths, PACK_TOKENS, threads);
            // A pack to each thread is the fastest; with fewer packs, several threads share one.
            let threads = threads / packs.len().max(1);
            let found: Vec<Vec<(usize, Vec<f32>)>> = packs
                .par_iter()
                .with_max_len(1)
                .map(|pack| self.vectors(pack, &sequences, threads.max(1), cancel))
                .collect::<Result<_, _>>()?;
            let mut vectors = vec![Vec::new(); texts.len()];
            for (text, vector) in found.into_iter().flatten() {
                vectors[text] = vector;
            }
            Ok(vectors)
        })
    }

    fn sequences(&self, texts: &[&str], cancel: &AtomicBool) -> Result<Vec<Vec<u32>>, ModelError> {
        let sequence = |(index, text): (usize, &&str)| {
            if cancel.load(Ordering::Relaxed) {
                return Err(ModelError::Cancelled);
            }
            self.tokens.sequence(text).map_err(|error| match error {
                ModelError::BadText { reason, .. } => ModelError::BadText { index, reason },
                other => other,
            })
        };
        texts.par_iter().enumerate().map(sequence).collect()
    }

    /// The vectors of one pack, each with its text's place.
    fn vectors(
        &self,
        pack: &Pack,
        sequences: &[Vec<u32>],
        threads: usize,
        cancel: &AtomicBool,
    ) -> Result<Vec<(usize, Vec<f32>)>, ModelError> {
        let texts: Vec<&[u32]> = pack.iter().map(|&text| sequences[text].as_slice()).collect();
        let spans = spans(texts.iter().map(|text| text.len()));
        let rows = self.embeddings.rows(&texts, threads)?;
        let rows = self.encoder.forward(rows, &spans, threads, cancel)?;
        let rows: Vec<f32> = rows.flatten_all()?.to_vec1()?;
        let vector = |(&index, span): (&usize, std::ops::Range<usize>)| {
            let rows = &rows[span.start * self.dimensions..span.end * self.dimensions];
            let vector = self.pooling.vector(rows, self.dimensions);
            Ok((index, vector.ok_or(ModelError::NotADirection { index })?))
        };
        pack.iter().zip(spans).map(vector).collect()
    }
}
