//! `POST /v1/embeddings`: reads the request, refuses it in the words of the server that would, or writes the vectors.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use super::behaviour::{Behaviour, Parameter, TokenLimit};
use super::distortion::{Vectors, distort};
use super::fault::Fault;
use super::reply::{Reply, invalid, llama_cpp, tei, vllm};
use super::vectors::vector;

/// The hosted API's limit of inputs.
const MOST_INPUTS: usize = 2048;

#[derive(Deserialize)]
pub(crate) struct EmbeddingsRequest {
    pub model: String,
    input: Input,
    #[serde(default)]
    encoding_format: Option<String>,
    #[serde(default)]
    dimensions: Option<usize>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Input {
    Text(String),
    Texts(Vec<String>),
    Tokens(Vec<u32>),
    TokenLists(Vec<Vec<u32>>),
}

impl EmbeddingsRequest {
    /// The request, or the refusal of a body that is none.
    pub fn read(body: &[u8]) -> Result<Self, Reply> {
        serde_json::from_slice(body).map_err(|error| match serde_json::from_slice::<Value>(body) {
            Err(_) => unreadable(),
            Ok(json) if json.get("model").is_none() => {
                invalid("you must provide a model parameter", None, None)
            }
            Ok(_) => invalid(&format!("Invalid request: {error}."), Some("input"), None),
        })
    }

    /// The texts; a list of tokens as its JSON.
    pub fn inputs(&self) -> Vec<String> {
        let list = |tokens: &Vec<u32>| format!("{tokens:?}");
        match &self.input {
            Input::Text(text) => vec![text.clone()],
            Input::Texts(texts) => texts.clone(),
            Input::Tokens(tokens) if tokens.is_empty() => Vec::new(),
            Input::Tokens(tokens) => vec![list(tokens)],
            Input::TokenLists(lists) => lists.iter().map(list).collect(),
        }
    }

    /// Why the server would refuse it.
    pub fn refusal(&self, behaviour: &Behaviour, inputs: &[String]) -> Option<Reply> {
        self.refused_parameter(behaviour)
            .or_else(|| refused_batch(behaviour, inputs))
            .or_else(|| refused_tokens(behaviour, inputs))
            .or_else(|| {
                let poison = behaviour.poison.as_ref()?;
                let poisoned = inputs.iter().any(|text| poison(text));
                let message = "Invalid input: one of the inputs could not be processed.";
                poisoned.then(|| invalid(message, Some("input"), None))
            })
    }

    fn refused_parameter(&self, behaviour: &Behaviour) -> Option<Reply> {
        match self.encoding_format.as_deref() {
            None | Some("float") => {}
            Some("base64") if !behaviour.refuses.contains(&Parameter::Base64) => {}
            Some("base64") => return Some(vllm("base64 encoding is not currently supported")),
            Some(other) => {
                let message = format!(
                    "Invalid value for 'encoding_format' = {other}. Supported values: ['float', 'base64']."
                );
                return Some(invalid(&message, None, None));
            }
        }
        let dimensions = self.dimensions?;
        if behaviour.refuses.contains(&Parameter::Dimensions) {
            return Some(invalid(
                "This model does not support specifying dimensions.",
                None,
                None,
            ));
        }
        let message =
            format!("Invalid value for 'dimensions' = {dimensions}. Must be between 1 and 4096 inclusive.");
        (!(1..=4096).contains(&dimensions)).then(|| invalid(&message, Some("dimensions"), None))
    }

    /// The body of the answer, distorted by a fault of that kind.
    pub fn answer(&self, behaviour: &Behaviour, inputs: &[String], fault: Option<&Fault>) -> Vec<u8> {
        let dimensions = self.dimensions.unwrap_or(behaviour.dimensions);
        let base64 = self.encoding_format.as_deref() == Some("base64") && !behaviour.ignores_base64;
        let mut body = Vec::with_capacity(inputs.len() * dimensions * if base64 { 6 } else { 13 } + 256);
        body.extend_from_slice(br#"{"object":"list","data":["#);
        let plain = fault.is_none() && behaviour.spoiled.is_none();
        if plain {
            // A benchmark's way: nothing but the vector of the moment is held.
            for (index, text) in inputs.iter().enumerate() {
                item(&mut body, index, &vector(text, dimensions), base64, "null");
            }
        } else {
            let vectors: Vectors = inputs.iter().map(|text| vector(text, dimensions)).collect();
            let distorted = distort(vectors, inputs, fault, behaviour.spoiled.as_ref());
            for (index, values) in distorted.items {
                item(&mut body, index, &values, base64, distorted.not_a_number);
            }
        }
        if body.ends_with(b",") {
            body.pop();
        }
        body.extend_from_slice(br#"],"model":"#);
        body.extend_from_slice(Value::from(self.model.as_str()).to_string().as_bytes());
        if !behaviour.omits_usage {
            let tokens: usize = inputs.iter().map(|text| tokens(text)).sum();
            body.extend_from_slice(
                format!(r#","usage":{{"prompt_tokens":{tokens},"total_tokens":{tokens}}}"#).as_bytes(),
            );
        }
        body.push(b'}');
        body
    }
}

/// A token is four bytes, rounded up, for the endpoint as for its limits.
pub(crate) fn tokens(text: &str) -> usize {
    text.len().div_ceil(4)
}

pub(crate) fn unreadable() -> Reply {
    let message = "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP \
                   library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)";
    invalid(message, None, None)
}

fn refused_batch(behaviour: &Behaviour, inputs: &[String]) -> Option<Reply> {
    let count = inputs.len();
    if let Some(most) = behaviour.max_batch
        && count > most
    {
        let message = format!("batch size {count} > maximum allowed batch size {most}");
        return Some(tei(behaviour.validation_status, &message));
    }
    if count == 0 {
        let message = "Invalid 'input': empty array. Expected an array with minimum length 1, but got an empty array instead.";
        return Some(invalid(message, Some("input"), Some("empty_array")));
    }
    if count > MOST_INPUTS {
        let message = format!(
            "Invalid 'input': array too long. Expected an array with maximum length {MOST_INPUTS}, but got an array with length \
             {count} instead."
        );
        return Some(invalid(&message, Some("input"), Some("array_above_max_length")));
    }
    let empty = inputs.iter().position(String::is_empty)?;
    let message = format!("Invalid 'input[{empty}]': input cannot be an empty string.");
    Some(invalid(&message, None, None))
}

fn refused_tokens(behaviour: &Behaviour, inputs: &[String]) -> Option<Reply> {
    let all: usize = inputs.iter().map(|text| tokens(text)).sum();
    if all > behaviour.max_request_tokens {
        let message = format!(
            "Requested {all} tokens, max {} tokens per request",
            behaviour.max_request_tokens
        );
        let kind = "max_tokens_per_request";
        return Some(super::reply::open_ai(400, &message, kind, None, Some(kind)));
    }
    let limit = behaviour.token_limit?;
    let (TokenLimit::OpenAi(most) | TokenLimit::Tei(most) | TokenLimit::LlamaCpp(most)) = limit;
    let tokens = |text: &String| text.len().div_ceil(behaviour.bytes_per_token);
    let long = inputs.iter().position(|text| tokens(text) > most)?;
    let given = tokens(&inputs[long]);
    Some(match limit {
        TokenLimit::OpenAi(_) => {
            let message = format!("Invalid 'input[{long}]': maximum input length is {most} tokens.");
            invalid(&message, None, None)
        }
        TokenLimit::Tei(_) => {
            let message =
                format!("Input validation error: `inputs` must have less than {most} tokens. Given: {given}");
            tei(behaviour.validation_status, &message)
        }
        TokenLimit::LlamaCpp(_) => {
            let message = format!(
                "input ({given} tokens) is too large to process. increase the physical batch size (current batch size: {most})"
            );
            llama_cpp(500, &message)
        }
    })
}

/// One element of `data` with a comma after it. `not_a_number` is written for what JSON has no number for.
fn item(body: &mut Vec<u8>, index: usize, values: &[f32], base64: bool, not_a_number: &str) {
    body.extend_from_slice(format!(r#"{{"object":"embedding","index":{index},"embedding":"#).as_bytes());
    if base64 {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let start = body.len() + 1;
        let length = bytes.len().div_ceil(3) * 4;
        body.resize(start + length, b'"');
        body[start - 1] = b'"';
        // The place has exactly the length of the text.
        let _ = STANDARD.encode_slice(&bytes, &mut body[start..]);
        body.push(b'"');
    } else {
        body.push(b'[');
        for (place, value) in values.iter().enumerate() {
            if place > 0 {
                body.push(b',');
            }
            match value.is_finite() {
                true => body.extend_from_slice(ryu::Buffer::new().format_finite(*value).as_bytes()),
                false if value.is_infinite() => body.extend_from_slice(b"1e400"),
                false => body.extend_from_slice(not_a_number.as_bytes()),
            }
        }
        body.push(b']');
    }
    body.extend_from_slice(b"},");
}
