//! Reads the answer to a request for embeddings: one vector for each input, in the order of the inputs, or an error
//! that names what is wrong. Nobody would notice a vector of another text, so nothing is guessed. Pure.

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::error::{Advice, Class, Fault, fault};
use super::usage::Usage;

/// The vectors of an answer.
#[derive(Debug, PartialEq)]
pub struct Vectors {
    /// In the order of the inputs.
    pub vectors: Vec<Vec<f32>>,
    /// `None` where the server does not say it.
    pub usage: Option<Usage>,
}

#[derive(Deserialize)]
struct EmbeddingsBody {
    #[serde(default)]
    data: Option<Vec<Item>>,
    /// The vectors in Ollama's and Cohere's own APIs.
    #[serde(default)]
    embeddings: Option<Bare>,
    #[serde(default)]
    usage: Value,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    index: Index,
    embedding: Components,
}

/// The vectors of the body of a success.
///
/// # Errors
/// When one of them is missing, double, of another dimension than `dimensions` or than the first, or no direction.
pub fn read(body: &[u8], count: usize, dimensions: Option<usize>) -> Result<Vectors, Fault> {
    let (vectors, usage) = if body.starts_with(b"[") {
        // Of the own API of Text Embeddings Inference.
        let Bare(vectors) = parsed(body)?;
        (counted(vectors, count)?, None)
    } else {
        let answer: EmbeddingsBody = parsed(body)?;
        let usage = Usage::reported(&answer.usage);
        match (answer.data, answer.embeddings) {
            (Some(items), _) => (in_order(counted(items, count)?)?, usage),
            (None, Some(Bare(vectors))) => (counted(vectors, count)?, usage),
            (None, None) => return fault(Class::NotJson, "the server's answer has no list of embeddings"),
        }
    };
    check(&vectors, dimensions)?;
    Ok(Vectors { vectors, usage })
}

fn parsed<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).or_else(|error| {
        let text = String::from_utf8_lossy(body);
        // Python writes NaN and Infinity into what it calls JSON.
        if !error.is_eof() && (text.contains("NaN") || text.contains("Infinity")) {
            return fault(Class::BadNumbers, "the server's answer holds NaN or Infinity");
        }
        let what = if text.starts_with("data:") || text.starts_with("event:") {
            "the server streamed its answer although nobody asked it to; switch streaming off there"
        } else {
            "the server's answer is no list of embeddings"
        };
        match form(&error.to_string()) {
            Some(form) => fault(Class::NotJson, format!("{what}: {form}")),
            None => fault(Class::NotJson, what),
        }
    })
}

/// The mistake in the form of a vector, in words that hold nothing of the answer.
fn form(told: &str) -> Option<&'static str> {
    let of_number = |kind: &str| told.starts_with(kind) && told.contains("expected f32");
    if of_number("invalid type: sequence") {
        return Some("a vector is a list of lists; let the server pool its tokens");
    }
    if of_number("invalid type: string") {
        return Some("the numbers of a vector are texts");
    }
    FORMS.iter().copied().find(|form| told.starts_with(form))
}

fn counted<T>(answered: Vec<T>, count: usize) -> Result<Vec<T>, Fault> {
    if answered.len() == count {
        return Ok(answered);
    }
    let message = format!(
        "the server answered {} vectors for {count} inputs",
        answered.len()
    );
    fault(Class::WrongCount, message)
}

/// The vectors by their indexes. A vector without an index keeps its place: some servers leave out zeros, some leave
/// out all indexes. Where each index is zero, they count as left out. Some servers count from one.
fn in_order(items: Vec<Item>) -> Result<Vec<Vec<f32>>, Fault> {
    let count = items.len();
    if items.iter().any(|item| item.index == Index::Odd) {
        return fault(
            Class::WrongCount,
            "the server answered an index that is no whole number",
        );
    }
    let is_silent = items
        .iter()
        .all(|item| matches!(item.index, Index::None | Index::At(0)));
    let from_one = items.iter().all(|item| matches!(item.index, Index::At(1..)))
        && items.iter().any(|item| item.index == Index::At(count));
    let mut vectors = vec![Vec::new(); count];
    for (place, item) in items.into_iter().enumerate() {
        let index = match item.index {
            Index::At(index) if !is_silent => index - usize::from(from_one),
            _ => place,
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
    Ok(vectors)
}

fn check(vectors: &[Vec<f32>], dimensions: Option<usize>) -> Result<(), Fault> {
    let first = vectors.first().map(Vec::len).unwrap_or_default();
    let wanted = dimensions.unwrap_or(first);
    let is_other = |vector: &&Vec<f32>| vector.is_empty() || vector.len() != wanted;
    if let Some(other) = vectors.iter().find(is_other) {
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
    let is_direction = |vector: &Vec<f32>| {
        let squares = vector.iter().map(|component| f64::from(*component).powi(2));
        let square: f64 = squares.sum();
        square.is_finite() && square > 0.0
    };
    if !vectors.iter().all(is_direction) {
        return fault(
            Class::BadNumbers,
            "the server answered a vector with NaN, an infinite component or length zero",
        );
    }
    Ok(())
}

/// The place that an item names: as a number, also one with a fraction of zero, or as a text of one.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Index {
    #[default]
    None,
    At(usize),
    /// Something else.
    Odd,
}

impl<'de> Deserialize<'de> for Index {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let place = |number: u64| usize::try_from(number).map_or(Self::Odd, Self::At);
        Ok(match Value::deserialize(deserializer)? {
            Value::Null => Self::None,
            Value::Number(number) => match (number.as_u64(), number.as_f64()) {
                (Some(whole), _) => place(whole),
                // Exact, far below 2^53.
                (None, Some(real)) if real.fract() == 0.0 && (0.0..1e9).contains(&real) => place(real as u64),
                _ => Self::Odd,
            },
            Value::String(text) => text.trim().parse().map_or(Self::Odd, place),
            _ => Self::Odd,
        })
    }
}

/// Vectors without anything around them, or under the name of their type.
struct Bare(Vec<Vec<f32>>);

impl<'de> Deserialize<'de> for Bare {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BareVisitor)
    }
}

struct BareVisitor;

impl<'de> Visitor<'de> for BareVisitor {
    type Value = Bare;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a list of vectors")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Bare, A::Error> {
        let mut vectors = Vec::new();
        while let Some(Components(vector)) = sequence.next_element()? {
            vectors.push(vector);
        }
        Ok(Bare(vectors))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut types: A) -> Result<Bare, A::Error> {
        let mut found = None;
        while let Some(name) = types.next_key::<String>()? {
            if matches!(name.as_str(), "float" | "base64") && found.is_none() {
                found = types.next_value::<Option<Bare>>()?;
            } else {
                types.next_value::<serde::de::IgnoredAny>()?;
            }
        }
        found.ok_or_else(|| serde::de::Error::custom(NO_FLOATS))
    }
}

/// The mistakes in the form of a vector.
const FORMS: &[&str] = &[NO_FLOATS, NULL, NO_BASE64];
const NO_FLOATS: &str = "it has no vectors of numbers";
const NULL: &str = "a vector is null";
const NO_BASE64: &str = "a vector is a text that is no base64 of 32-bit numbers";

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

    fn visit_unit<E: serde::de::Error>(self) -> Result<Components, E> {
        Err(E::custom(NULL))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Components, E> {
        let bytes = decoded(text).ok_or_else(|| E::custom(NO_BASE64))?;
        let (components, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(E::custom(NO_BASE64));
        }
        let of_bytes = |component: &[u8; 4]| f32::from_le_bytes(*component);
        Ok(Components(components.iter().map(of_bytes).collect()))
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

/// Base64 of either alphabet, with or without padding and line ends.
fn decoded(text: &str) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let broken: String;
    let text = if text.contains(['\n', '\r']) {
        broken = text.split(['\n', '\r']).collect();
        &broken
    } else {
        text
    };
    let alphabet = if text.contains(['-', '_']) {
        &URL_SAFE
    } else {
        &STANDARD
    };
    GeneralPurpose::new(alphabet, LENIENT).decode(text).ok()
}

#[cfg(test)]
#[path = "vectors_tests.rs"]
mod tests;
