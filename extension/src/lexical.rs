//! The `local` provider's embedding inside the server, so that `zerodb.recall` finds what it embedded without asking a
//! worker. The algorithm is the crate `zerodb_hooks_lexical`; nothing of it is here but its bounds: a backend heeds a
//! cancel, and an error of memory is Postgres'.

use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::error::{Error, raise};
use crate::reserve;

/// Bytes of a text. Its embedding takes no longer than a second, and no query is as long.
const LONGEST: usize = 1024 * 1024;
/// Bytes of memory that a byte of text needs at most while it is embedded.
const MEMORY: usize = 128;

/// `zerodb._lexical_embedding`: the vector of a text as the local provider makes it. Raises 22023 for dimensions
/// outside 1 to 16000, 54000 for a text above 1 MB, 53200 when there is no memory; heeds a cancel.
#[pg_extern(name = "_lexical_embedding", immutable, strict, parallel_safe)]
fn lexical_embedding(text: &str, dimensions: i32) -> Vec<f32> {
    let Ok(dimensions @ 1..=16_000) = usize::try_from(dimensions) else {
        raise(Error::BadDimensions)
    };
    if text.len() > LONGEST {
        raise(Error::TextTooLong {
            size: text.len(),
            limit: LONGEST,
        });
    }
    ask_for(MEMORY * text.len());
    zerodb_hooks_lexical::embed_between(text, dimensions, || {
        pgrx::check_for_interrupts!();
        reserve::check();
    })
}

/// Raises 53200 when so much memory is not to be had. Rust's allocator, which takes it next, cannot raise.
fn ask_for(bytes: usize) {
    // SAFETY: the piece is given back at once, and nobody has seen it.
    unsafe { pg_sys::pfree(pg_sys::palloc(bytes.max(1))) }
}

/// `zerodb._lexical_model`: the name under which rows remember that embedding.
#[pg_extern(name = "_lexical_model", immutable, parallel_safe)]
fn lexical_model() -> &'static str {
    zerodb_hooks_lexical::MODEL
}

/// `zerodb._cosine_similarity`: of two vectors of one length, for stores without pgvector; null where it is not
/// defined. Heeds a cancel.
#[pg_extern(name = "_cosine_similarity", immutable, strict, parallel_safe)]
fn cosine_similarity(a: pgrx::Array<f32>, b: pgrx::Array<f32>) -> Option<f32> {
    /// Numbers between two looks for a cancel.
    const BLOCK: usize = 1 << 16;
    if a.len() != b.len() {
        return None;
    }
    let (mut dot, mut a_square, mut b_square) = (0.0, 0.0, 0.0);
    for (at, (x, y)) in a.iter().zip(b.iter()).enumerate() {
        if at % BLOCK == 0 {
            pgrx::check_for_interrupts!();
        }
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
