//! Embeddings: what is asked. Pure; `vectors` reads the answer.

use serde::Serialize;

use super::dialect::Dialect;
use super::refusal::Parameter;
use super::usage::{Usage, estimate_tokens};
use zerodb_hooks_delivery::hook::Principal;

/// Texts to embed with one model.
#[derive(Debug, Clone, Copy)]
pub struct EmbedRequest<'a> {
    /// The hook that asks, by which turns are shared out; `None` for an operator.
    pub who: Option<&'a Principal>,
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
    /// The name to store beside a vector: `Provider::identity` of the request's model.
    pub model: String,
    /// The server's name of the request.
    pub request_id: Option<String>,
}

/// The body of a request; options that are not asked for are left out, never null.
#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    input: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding_format: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<usize>,
}

/// The body for `model`, by the server's own name.
pub(super) fn body(model: &str, inputs: &[String], dimensions: Option<usize>, dialect: Dialect) -> String {
    let body = Body {
        model,
        input: inputs,
        encoding_format: dialect.encoding,
        dimensions: dimensions.filter(|_| dialect.dimensions),
    };
    serde_json::to_string(&body).unwrap_or_default()
}

/// The parameters of a body that a server may refuse.
pub(super) fn parameters(dimensions: Option<usize>, dialect: Dialect) -> Vec<Parameter> {
    let encoding = dialect.encoding.map(|_| Parameter::EncodingFormat);
    let dimensions = dimensions
        .filter(|_| dialect.dimensions)
        .map(|_| Parameter::Dimensions);
    encoding.into_iter().chain(dimensions).collect()
}

/// The estimate of all inputs together.
pub(super) fn tokens(inputs: &[String]) -> u64 {
    inputs.iter().map(|input| estimate_tokens(input)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EncodingFormat;

    #[test]
    fn options_that_are_not_asked_for_are_left_out() {
        let dialect = Dialect::new(EncodingFormat::Auto);
        let body = |dimensions, dialect| body("m", &["a".into()], dimensions, dialect);
        assert_eq!(
            body(None, dialect),
            r#"{"model":"m","input":["a"],"encoding_format":"base64"}"#
        );
        let plain = dialect.plain_encoding().unwrap();
        assert_eq!(
            body(Some(8), plain),
            r#"{"model":"m","input":["a"],"dimensions":8}"#
        );
    }
}
