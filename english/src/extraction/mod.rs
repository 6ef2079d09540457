//! Owns what a text states: entities and the relations between them, by rules, for English prose. It must not guess: a
//! sentence that is negated, asked, wished or supposed gives nothing, and so does one that the rules do not understand.
//!
//! The steps: sentences → `tokens` → `names` (which tokens are names) → `pieces` (names, words, dates) → `clauses` (who did
//! what, with `verbs`, `roles` and `coreference`) → `graph` (one entity a name, one relation a fact).

mod arguments;
mod brackets;
mod casing;
mod clauses;
mod copula;
mod coreference;
mod cues;
mod dates;
mod facts;
mod graph;
mod groups;
mod lexicon;
mod names;
mod pieces;
mod possessives;
mod predicates;
mod roles;
mod tokens;
mod verb_table;
mod verbs;

use crate::sentences::sentences;

/// Text beyond this many bytes is not read: a memory is a few sentences, and at most [`Limits::max_entities`] are kept.
pub const MAX_TEXT: usize = 100_000;

/// How much is kept. What is most certain stays; an entity in a relation before one in none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub max_entities: usize,
    pub max_relations: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_entities: 20,
            max_relations: 30,
        }
    }
}

/// What an entity is, as far as the text shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EntityType {
    /// Anything.
    #[default]
    Entity,
    Person,
    Organization,
    Location,
    Product,
    Event,
}

impl EntityType {
    /// The name under which it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            EntityType::Entity => "entity",
            EntityType::Person => "person",
            EntityType::Organization => "organization",
            EntityType::Location => "location",
            EntityType::Product => "product",
            EntityType::Event => "event",
        }
    }
}

/// A thing of the world that the text names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// The longest form that occurs, without a title.
    pub name: String,
    pub entity_type: EntityType,
    /// Other forms that occur.
    pub aliases: Vec<String>,
    /// Where it is first named, in bytes of the text.
    pub span: (usize, usize),
}

/// A fact about two entities.
#[derive(Clone, Debug, PartialEq)]
pub struct Relation {
    /// Index into [`Extraction::entities`].
    pub source: usize,
    /// Matches `^[A-Z][A-Z0-9_]{0,63}$`: "works at" is `WORKS_AT`.
    pub predicate: String,
    /// Index into [`Extraction::entities`]; never the source.
    pub target: usize,
    /// The fact in words, with names for pronouns: "Alice works at Acme".
    pub fact: String,
    /// 0 to 1: how sure the rule is that the text says so.
    pub confidence: f32,
    /// When it began to be true, if the sentence says it: the first instant of the year, month or day, RFC 3339 in UTC.
    pub valid_at: Option<String>,
    /// When it ceased to be true, likewise.
    pub invalid_at: Option<String>,
    /// The sentence that says so, in bytes of the text.
    pub sentence: (usize, usize),
}

/// What a text states. Entities stand in the order in which they are first named, relations in that of their sentences.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extraction {
    pub entities: Vec<Entity>,
    pub relations: Vec<Relation>,
}

/// The entities and relations that English text states plainly, at most as many as `limits` say.
///
/// Rules, not a model: it prefers to miss a fact to inventing one. Names are found by their capitals, so that text in
/// another script, or without capitals, gives addresses only. Takes time linear in the text.
pub fn extract(text: &str, limits: &Limits) -> Extraction {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = &text[..end];
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
