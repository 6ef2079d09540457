//! `zerodb._nearest`: the name that somebody meant who wrote another, for hints.

use pgrx::prelude::*;

/// The known name that is most like a word, or null where none is like it.
#[pg_extern(name = "_nearest", immutable, strict)]
fn nearest(word: &str, known: Vec<Option<String>>) -> Option<String> {
    zerodb_hooks_lexical::nearest(word, known.iter().flatten().map(String::as_str)).map(str::to_owned)
}
