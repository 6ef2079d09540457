//! Reads the parts of an answer that do not depend on the question: its coding, an error in it, its id.

use bytes::Bytes;
use serde_json::Value;

use crate::coding::{self, CodingError};
use crate::reported::Reported;
use zerodb_hooks_http::Answer;

/// The most bytes of an answer, compressed or not: 2048 vectors of 3072 numbers are 130 MB as text and 33 MB as base64.
pub const ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// The body as it was before it was compressed, if it was. A large one takes a while.
pub async fn decompressed(answer: &Answer) -> Result<Bytes, CodingError> {
    let codings = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "content-encoding");
    let codings: Vec<&str> = codings.map(|(_, value)| value.as_str()).collect();
    let (codings, body) = (codings.join(","), answer.body.clone());
    if codings.is_empty() {
        return coding::plain(&body, "", ANSWER_BYTES);
    }
    let decoding = tokio::task::spawn_blocking(move || coding::plain(&body, &codings, ANSWER_BYTES));
    decoding.await.unwrap_or(Err(CodingError::Broken))
}

/// True where the body of a success is an error.
pub fn has_error(answer: &Answer) -> bool {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    body["object"] == "error" || (!body["error"].is_null() && Reported::of(&body).is_some())
}

/// The server's name of the request, if it is one that can be written down.
pub fn request_id(answer: &Answer) -> Option<String> {
    const NAMES: &[&str] = &[
        "x-request-id",
        "request-id",
        "apim-request-id",
        "x-litellm-call-id",
        "cf-ray",
    ];
    const LONGEST: usize = 128;
    let id = NAMES.iter().find_map(|name| answer.header(name))?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/".contains(c);
    (!id.is_empty() && id.len() <= LONGEST && id.chars().all(plain)).then(|| id.to_owned())
}
