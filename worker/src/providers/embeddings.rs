//! Embeddings: what is asked, and what is taken from an answer. Pure.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::dialect::Dialect;
use super::error::{Advice, Class, Fault, fault};
use super::refusal::Parameter;
use super::usage::{Usage, estimate_tokens};

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

#[derive(Deserialize)]
struct Answer {
    data: Vec<Item>,
    #[serde(default)]
    usage: Value,
}

#[derive(Deserialize)]
struct Item {
    /// A server that has one input to answer may leave it out.
    index: Option<usize>,
    embedding: Components,
}

/// The vectors of the body of a success, in the order of the inputs, and the usage if it says so.
///
/// # Errors
/// When one of them is missing, double, of another dimension than `dimensions` or than the first, or no direction.
pub(super) fn read(
    body: &[u8],
    count: usize,
    dimensions: Option<usize>,
) -> Result<(Vec<Vec<f32>>, Option<Usage>), Fault> {
    let answer: Answer = match serde_json::from_slice(body) {
        Ok(answer) => answer,
        Err(error) => {
            return fault(
                unreadable(body, &error),
                "the server's answer is no list of embeddings",
            );
        }
    };
    if answer.data.len() != count {
        return fault(
            Class::WrongCount,
            format!(
                "the server answered {} vectors for {count} inputs",
                answer.data.len()
            ),
        );
    }
    let mut vectors = vec![Vec::new(); count];
    for (place, item) in answer.data.into_iter().enumerate() {
        let index = match item.index {
            Some(index) => index,
            None if count == 1 => place,
            None => {
                return fault(
                    Class::WrongCount,
                    "the server answered a vector without its index",
                );
            }
        };
        match vectors.get_mut(index) {
            Some(vector) if vector.is_empty() => *vector = item.embedding.0,
            _ => {
                return fault(
                    Class::WrongCount,
                    "the server answered an index twice or beyond the inputs",
                );
            }
        }
    }
    check(&vectors, dimensions)?;
    Ok((vectors, Usage::reported(&answer.usage)))
}

fn check(vectors: &[Vec<f32>], dimensions: Option<usize>) -> Result<(), Fault> {
    let first = vectors.first().map(Vec::len).unwrap_or_default();
    let wanted = dimensions.unwrap_or(first);
    if let Some(other) = vectors
        .iter()
        .find(|vector| vector.is_empty() || vector.len() != wanted)
    {
        let message = format!(
            "the model answers vectors of {} dimensions, not {wanted}",
            other.len()
        );
        let all = vectors.iter().all(|vector| vector.len() == first && first > 0);
        return Err(Fault {
            class: Class::WrongDimensions,
            // All alike: it is the model. One among others: it is the input.
            advice: if all {
                Advice::ConfigError
            } else {
                Advice::ItemsAtFault
            },
            message,
        });
    }
    let square = |vector: &Vec<f32>| {
        vector
            .iter()
            .map(|component| f64::from(*component).powi(2))
            .sum::<f64>()
    };
    if vectors
        .iter()
        .map(square)
        .any(|square| !square.is_finite() || square <= 0.0)
    {
        return fault(
            Class::BadNumbers,
            "the server answered a vector with NaN, an infinite component or length zero",
        );
    }
    Ok(())
}

/// Python writes NaN and Infinity into what it calls JSON.
fn unreadable(body: &[u8], error: &serde_json::Error) -> Class {
    let text = String::from_utf8_lossy(body);
    if !error.is_eof() && (text.contains("NaN") || text.contains("Infinity")) {
        Class::BadNumbers
    } else {
        Class::NotJson
    }
}

/// The components of a vector, as numbers or as the base64 of little-endian 32-bit floats, whichever the server sends.
struct Components(Vec<f32>);

impl<'de> Deserialize<'de> for Components {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ComponentsVisitor)
    }
}

struct ComponentsVisitor;

impl<'de> Visitor<'de> for ComponentsVisitor {
    type Value = Components;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("numbers, or base64 of them")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Components, E> {
        let bytes = STANDARD
            .decode(text)
            .map_err(|_| E::custom("the embedding is no base64"))?;
        let (components, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(E::custom("the embedding ends within a number"));
        }
        Ok(Components(
            components
                .iter()
                .map(|component| f32::from_le_bytes(*component))
                .collect(),
        ))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Components, A::Error> {
        let mut components = Vec::with_capacity(sequence.size_hint().unwrap_or(1024));
        // llama.cpp writes null for NaN.
        while let Some(component) = sequence.next_element::<Option<f32>>()? {
            components.push(component.unwrap_or(f32::NAN));
        }
        Ok(Components(components))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::config::EncodingFormat;

    fn class(body: &str, count: usize, dimensions: Option<usize>) -> Class {
        read(body.as_bytes(), count, dimensions).unwrap_err().class
    }

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

    #[test]
    fn vectors_come_in_the_order_of_the_index_as_numbers_or_base64() {
        let encoded = STANDARD.encode([0.0f32, 2.0].map(f32::to_le_bytes).concat());
        let body = format!(
            r#"{{"object":"list","data":[{{"index":1,"embedding":"{encoded}"}},{{"index":0,"embedding":[1,-0.5]}}],
                "usage":{{"prompt_tokens":7,"total_tokens":7}}}}"#
        );
        let (vectors, usage) = read(body.as_bytes(), 2, Some(2)).unwrap();
        assert_eq!(vectors, [vec![1.0, -0.5], vec![0.0, 2.0]]);
        assert_eq!(usage.unwrap().prompt_tokens, 7);
        let without = r#"{"data":[{"embedding":[1.0]}]}"#;
        assert_eq!(read(without.as_bytes(), 1, None).unwrap().1, None);
    }

    #[test]
    fn what_must_not_be_stored_is_refused() {
        let cases = [
            (r#"{"data":[{"index":0,"embedding":[1]}]}"#, Class::WrongCount),
            (
                r#"{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}"#,
                Class::WrongCount,
            ),
            (
                r#"{"data":[{"index":0,"embedding":[1]},{"index":2,"embedding":[1]}]}"#,
                Class::WrongCount,
            ),
            (
                r#"{"data":[{"embedding":[1]},{"embedding":[1]}]}"#,
                Class::WrongCount,
            ),
            (
                r#"{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1,2]}]}"#,
                Class::WrongDimensions,
            ),
            (
                r#"{"data":[{"index":0,"embedding":[]},{"index":1,"embedding":[]}]}"#,
                Class::WrongDimensions,
            ),
            (
                r#"{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[0]}]}"#,
                Class::BadNumbers,
            ),
            (
                r#"{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[null]}]}"#,
                Class::BadNumbers,
            ),
            (
                r#"{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1e39]}]}"#,
                Class::BadNumbers,
            ),
            (
                r#"{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[NaN]}]}"#,
                Class::BadNumbers,
            ),
            (
                r#"{"data":[{"index":0,"embedding":[1]},{"index":1,"embed"#,
                Class::NotJson,
            ),
            (
                r#"{"data":[{"index":0,"embedding":"AAAA"},{"index":1,"embedding":"AAAA"}]}"#,
                Class::NotJson,
            ),
            ("<html>", Class::NotJson),
            ("{}", Class::NotJson),
        ];
        for (body, expected) in cases {
            assert_eq!(class(body, 2, None), expected, "{body}");
        }
        let encoded = STANDARD.encode(f32::NAN.to_le_bytes());
        let body = format!(r#"{{"data":[{{"index":0,"embedding":"{encoded}"}}]}}"#);
        assert_eq!(class(&body, 1, None), Class::BadNumbers);
        let other = read(br#"{"data":[{"index":0,"embedding":[1]}]}"#, 1, Some(2)).unwrap_err();
        assert_eq!(
            (other.class, other.advice),
            (Class::WrongDimensions, Advice::ConfigError)
        );
    }
}
