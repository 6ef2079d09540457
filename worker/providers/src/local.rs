//! The provider that is always there: hashed words and pieces of words. It finds texts that share words, and knows no
//! meaning; the name of its model says so in every row.

pub use zerodb_hooks_lexical::MODEL;

use super::embeddings::{EmbedRequest, Embeddings};
use super::usage::Usage;

/// The dimensions where neither hook nor column asks for a number: those of bge-m3, so that a column fits both.
const DIMENSIONS: usize = 1024;

/// Whatever model the request names, it is this one: a hook that is written for an endpoint works without it.
pub async fn embed(request: &EmbedRequest<'_>) -> Embeddings {
    let dimensions = request.dimensions.unwrap_or(DIMENSIONS);
    let mut vectors = Vec::with_capacity(request.inputs.len());
    for input in request.inputs {
        vectors.push(zerodb_hooks_lexical::embed(input, dimensions));
        // A pack takes milliseconds; other tasks of the thread, and a cancellation, have their turn in between.
        tokio::task::yield_now().await;
    }
    Embeddings {
        vectors,
        // Nobody counts tokens here, and nobody bills them.
        usage: Usage::default(),
        model: MODEL.into(),
        request_id: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cosine(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    #[tokio::test]
    async fn texts_that_share_words_are_near_and_the_model_is_its_own() {
        let inputs = [
            "Alice lives in Berlin",
            "alice moved to berlin",
            "A recipe for bread",
        ]
        .map(str::to_owned);
        let request = EmbedRequest {
            who: None,
            model: Some("bge-m3"),
            dimensions: Some(256),
            inputs: &inputs,
        };
        let answer = embed(&request).await;
        let [first, second, third] = &answer.vectors[..] else {
            panic!("three texts, three vectors");
        };
        assert_eq!((first.len(), answer.model.as_str()), (256, "lexical-v1"));
        assert!(cosine(first, second) > cosine(first, third));
        assert!((cosine(first, first) - 1.0).abs() < 1e-4);
    }
}
