//! Owns what a text states: entities and the relations between them, by rules, for English prose. It must not guess: a
//! sentence that is negated, asked, wished or supposed gives nothing, and so does one that the rules do not understand.
//!
//! The steps: sentences → `tokens` → `names` (which tokens are names) → `pieces` (names, words, dates) → `clauses` (the
//! subject of each verb, with `groups` and `coreference`) → `active`, `passive`, `copula` and `possessives` (the facts,
//! put into a `scene`) → `graph` (one entity a name, one relation a fact).

mod active;
mod arguments;
mod brackets;
mod casing;
mod clauses;
mod copula;
mod coreference;
mod cues;
mod dates;
mod entities;
mod graph;
mod groups;
mod lexicon;
mod names;
mod passive;
mod pieces;
mod possessives;
mod predicates;
mod roles;
mod scene;
mod tokens;
mod verb_table;
mod verbs;

use crate::sentences::sentences;

pub use entities::{Entity, EntityType, Extraction, Limits, Relation};

/// Text beyond this many bytes is not read: a memory is a few sentences, and at most [`Limits::max_entities`] are kept.
pub const MAX_TEXT: usize = 100_000;

/// The entities and relations that English text states plainly, at most as many as `limits` say.
///
/// Rules, not a model: it prefers to miss a fact to inventing one. Names are found by their capitals, so that text in
/// another script, or without capitals, gives addresses only. Takes time linear in the text.
pub fn extract(text: &str, limits: &Limits) -> Extraction {
    let text = &text[..text.floor_char_boundary(MAX_TEXT)];
    let sentences: Vec<_> = sentences(text)
        .map(|sentence| tokens::tokens(sentence, sentence.as_ptr() as usize - text.as_ptr() as usize))
        .collect();
    let casing = casing::Casing::of(&sentences);
    let mut graph = graph::Graph::default();
    let mut context = coreference::Context::default();
    for tokens in &sentences {
        clauses::read_sentence(tokens, &casing, &mut graph, &mut context);
    }
    graph.finish(limits)
}
