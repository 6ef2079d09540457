//! Embeddings: what is asked, and what is taken from an answer. Pure.

use super::usage::Usage;

/// Texts to embed with one model.
#[derive(Debug, Clone, Copy)]
pub struct EmbedRequest<'a> {
    /// A name or alias of the provider's `models`; `None` for its default.
    pub model: Option<&'a str>,
    /// Components that every vector must have; asked of the server if it can. `None`: what the file says, else whatever
    /// the model has.
    pub dimensions: Option<usize>,
    /// None empty. At most `pack_limits(model).inputs`; more is sent all the same and refused by the server.
    pub inputs: &'a [String],
}

/// The vectors in the order of the inputs: as many, of one dimension, finite, none of length zero.
#[derive(Debug, Clone, PartialEq)]
pub struct Embeddings {
    pub vectors: Vec<Vec<f32>>,
    pub usage: Usage,
    /// What to store beside a vector: `Provider::identity` of the request's model.
    pub model: String,
    /// The server's name of the request.
    pub request_id: Option<String>,
}
