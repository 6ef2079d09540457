//! The entities and relations of a memory in the form that fits the graph. Pure.

use serde_json::{Value, json};

use super::fields;

/// The most entities of a memory.
pub const ENTITIES: usize = 20;
/// The relation of an entity to the one that the memory is about, where the memory states none.
const RELATED: &str = "RELATED_TO";
const RELATED_CONFIDENCE: f32 = 0.3;
/// The version of the rules; a memory that an older one read is read again.
pub const RULES_VERSION: i32 = 1;

#[derive(Debug, Default, Clone, PartialEq)]
pub struct Extraction {
    pub entities: Vec<Named>,
    pub relations: Vec<Stated>,
    /// The number of items that were found and cannot be stored.
    pub dropped: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub name: String,
    /// One of `fields::TYPES`.
    pub kind: &'static str,
    pub aliases: Vec<String>,
}

/// A fact about two of the entities, by their indexes.
#[derive(Debug, Clone, PartialEq)]
pub struct Stated {
    pub source: usize,
    pub predicate: String,
    pub target: usize,
    pub fact: Option<String>,
    pub quote: Option<String>,
    pub confidence: f32,
    pub valid_at: Option<String>,
    pub invalid_at: Option<String>,
}

impl Extraction {
    /// Links every entity to the one that the memory is about, unless the memory says more of the two.
    #[must_use]
    pub fn about(mut self, subject: Option<&str>, max_relations: usize) -> Self {
        let Some(subject) = subject.and_then(fields::name) else {
            return self;
        };
        let place = match self.entities.iter().position(|entity| entity.is_called(&subject)) {
            Some(place) => place,
            None => {
                self.entities.push(Named {
                    name: subject,
                    kind: fields::GENERIC,
                    aliases: Vec::new(),
                });
                self.entities.len() - 1
            }
        };
        let strangers: Vec<usize> = (0..self.entities.len())
            .filter(|other| *other != place && !self.relations.iter().any(|fact| fact.joins(place, *other)))
            .collect();
        let room = max_relations.saturating_sub(self.relations.len());
        self.relations
            .extend(strangers.into_iter().take(room).map(|other| Stated {
                source: place,
                predicate: RELATED.into(),
                target: other,
                fact: None,
                quote: None,
                confidence: RELATED_CONFIDENCE,
                valid_at: None,
                invalid_at: None,
            }));
        self
    }

    /// The relations as `graph_write` takes them.
    pub fn relations(&self) -> Value {
        let relation = |fact: &Stated| {
            json!({
                "s": fact.source, "p": fact.predicate, "o": fact.target, "fact": fact.fact, "quote": fact.quote,
                "confidence": fact.confidence, "valid_at": fact.valid_at, "invalid_at": fact.invalid_at,
            })
        };
        self.relations.iter().map(relation).collect()
    }
}

impl Named {
    pub fn is_named(&self, name: &str) -> bool {
        self.name.to_lowercase() == name.to_lowercase()
    }

    pub fn is_called(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        std::iter::once(&self.name)
            .chain(&self.aliases)
            .any(|own| own.to_lowercase() == name)
    }
}

impl Stated {
    fn joins(&self, one: usize, other: usize) -> bool {
        (self.source, self.target) == (one, other) || (self.source, self.target) == (other, one)
    }
}
