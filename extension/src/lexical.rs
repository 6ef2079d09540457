//! The `local` provider's embedding inside the server, so that `zerodb.recall` finds what it embedded without asking a worker. The
//! algorithm is the crate `zerodb_hooks_lexical`; nothing of it is here.

use pgrx::prelude::*;

use crate::error::{Error, raise};

/// `zerodb._lexical_embedding`: the vector of a text as the local provider makes it. Raises 22023 for dimensions outside 1 to 16000.
#[pg_extern(name = "_lexical_embedding", immutable, strict, parallel_safe)]
fn lexical_embedding(text: &str, dimensions: i32) -> Vec<f32> {
    match usize::try_from(dimensions) {
        Ok(dimensions @ 1..=16_000) => zerodb_hooks_lexical::embed(text, dimensions),
        _ => raise(Error::BadDimensions),
    }
}

/// `zerodb._lexical_model`: the name under which rows remember that embedding.
#[pg_extern(name = "_lexical_model", immutable, parallel_safe)]
fn lexical_model() -> &'static str {
    zerodb_hooks_lexical::MODEL
}

/// `zerodb._cosine_similarity`: of two vectors of one length, for stores without pgvector; null where it is not defined.
#[pg_extern(name = "_cosine_similarity", immutable, strict, parallel_safe)]
fn cosine_similarity(a: pgrx::Array<f32>, b: pgrx::Array<f32>) -> Option<f32> {
    if a.len() != b.len() {
        return None;
    }
    let (mut dot, mut a_square, mut b_square) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b.iter()) {
        let (x, y) = (f64::from(x?), f64::from(y?));
        dot += x * y;
        a_square += x * x;
        b_square += y * y;
    }
    let length = (a_square * b_square).sqrt();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a similarity needs no more than a real has"
    )]
    (length > 0.0).then(|| (dot / length) as f32)
}
