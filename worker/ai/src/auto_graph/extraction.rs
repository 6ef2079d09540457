//! What a memory says, as rules or a model found it, made fit for the graph. Pure.

use std::collections::HashMap;

use serde_json::{Value, json};
use zerodb_hooks_english::{Limits, extract};

use super::{fields, said};

/// The most entities of a memory.
pub const ENTITIES: usize = 20;
/// The most other names of an entity.
const ALIASES: usize = 4;
/// What an entity of a memory has to do with the one that the memory is about, where nothing else is said.
const RELATED: &str = "RELATED_TO";
const RELATED_CONFIDENCE: f32 = 0.3;
/// The version of the rules; a memory that an older one read is read again.
pub const RULES_VERSION: i32 = 1;

#[derive(Debug, Default, Clone, PartialEq)]
pub struct Extraction {
    pub entities: Vec<Named>,
    pub relations: Vec<Stated>,
    /// What was found and cannot be stored.
    pub dropped: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub name: String,
    /// One of `fields::TYPES`.
    pub kind: &'static str,
    pub aliases: Vec<String>,
}

/// A fact about two of the entities, by their places.
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
    /// By the rules of the local provider.
    pub fn by_rules(text: &str, max_relations: usize) -> Self {
        let limits = Limits {
            max_entities: ENTITIES,
            max_relations,
        };
        let found = extract(text, &limits);
        let mut collected = Collected::default();
        for (id, entity) in found.entities.into_iter().enumerate() {
            collected.entity(
                &id.to_string(),
                &entity.name,
                entity.entity_type.as_str(),
                entity.aliases,
            );
        }
        for relation in found.relations {
            let (from, to) = relation.sentence;
            collected.relation(
                (&relation.source.to_string(), &relation.target.to_string()),
                &relation.predicate,
                Stated {
                    source: 0,
                    predicate: String::new(),
                    target: 0,
                    fact: fields::sentence(&relation.fact),
                    quote: text.get(from..to).and_then(fields::sentence),
                    confidence: relation.confidence.clamp(0.0, 1.0),
                    valid_at: relation.valid_at,
                    invalid_at: relation.invalid_at,
                },
            );
        }
        collected.finish(max_relations)
    }

    /// From a model's answer of the form of `prompt::extraction_schema`, whatever its items are: one that says nothing is left out,
    /// and the rest is taken.
    pub fn by_model(answer: &Value, max_relations: usize) -> Self {
        let mut collected = Collected::default();
        let entities = list(&answer["entities"]);
        // Where none has an id, relations mean places.
        let has_ids = entities.iter().any(|entity| !entity["id"].is_null());
        for (place, entity) in entities.iter().enumerate() {
            let other = if has_ids {
                format!("#{place}")
            } else {
                place.to_string()
            };
            let said = said::Entity::of(entity, other);
            collected.entity(&said.id, &said.name, &said.kind, said.aliases);
        }
        for relation in list(&answer["relations"]) {
            let said = said::Relation::of(relation);
            let instant = |text: &str| fields::instant(text).map(|at| at.to_string());
            collected.relation(
                (&said.source, &said.target),
                &said.predicate,
                Stated {
                    source: 0,
                    predicate: String::new(),
                    target: 0,
                    fact: fields::sentence(&said.fact),
                    quote: None,
                    confidence: fields::confidence(said.confidence),
                    valid_at: instant(&said.valid_at),
                    invalid_at: instant(&said.invalid_at),
                },
            );
        }
        collected.finish(max_relations)
    }

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
    fn is_named(&self, name: &str) -> bool {
        self.name.to_lowercase() == name.to_lowercase()
    }

    fn is_called(&self, name: &str) -> bool {
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

/// What is found, one after another.
#[derive(Default)]
struct Collected {
    extraction: Extraction,
    /// The places of the ids that the finder uses.
    places: HashMap<String, usize>,
}

impl Collected {
    /// An entity that comes twice, also as the other name of one, is one; it has the name whose other names were told.
    fn entity(&mut self, id: &str, name: &str, kind: &str, aliases: Vec<String>) {
        let entities = &mut self.extraction.entities;
        let kind = fields::entity_type(kind);
        let Some(name) = fields::name(name).filter(|_| !self.places.contains_key(id)) else {
            self.extraction.dropped += 1;
            return;
        };
        let fits = |own: &str| own == kind || own == fields::GENERIC || kind == fields::GENERIC;
        let is_other_name = |own: &Named| aliases.iter().any(|alias| own.is_named(alias));
        let named = entities
            .iter()
            .position(|own| own.is_called(&name) && fits(own.kind));
        let known = named.or_else(|| {
            entities
                .iter()
                .position(|own| is_other_name(own) && fits(own.kind))
        });
        let place = match known {
            Some(place) => {
                let own = &mut entities[place];
                if !own.is_called(&name) {
                    own.aliases.insert(0, std::mem::replace(&mut own.name, name));
                }
                place
            }
            None if entities.len() == ENTITIES => {
                self.extraction.dropped += 1;
                return;
            }
            None => {
                entities.push(Named {
                    name,
                    kind,
                    aliases: Vec::new(),
                });
                entities.len() - 1
            }
        };
        let own = &mut entities[place];
        if own.kind == fields::GENERIC {
            own.kind = kind;
        }
        for alias in aliases.iter().filter_map(|alias| fields::name(alias)) {
            if own.aliases.len() < ALIASES && !own.is_called(&alias) {
                own.aliases.push(alias);
            }
        }
        self.places.insert(id.to_owned(), place);
    }

    fn relation(&mut self, (source, target): (&str, &str), predicate: &str, found: Stated) {
        let ends = self.place(source).zip(self.place(target));
        match (ends, fields::predicate(predicate)) {
            (Some((source, target)), Some(predicate)) if source != target => {
                self.extraction.relations.push(Stated {
                    source,
                    predicate,
                    target,
                    ..found
                })
            }
            _ => self.extraction.dropped += 1,
        }
    }

    /// By the id; some models write the name instead.
    fn place(&self, end: &str) -> Option<usize> {
        let by_name = || {
            let name = fields::name(end)?;
            self.extraction
                .entities
                .iter()
                .position(|own| own.is_called(&name))
        };
        self.places.get(end).copied().or_else(by_name)
    }

    /// The surest relations, in the order in which they were found.
    fn finish(mut self, max_relations: usize) -> Extraction {
        let relations = &mut self.extraction.relations;
        if relations.len() > max_relations {
            let mut order: Vec<usize> = (0..relations.len()).collect();
            order.sort_by(|a, b| {
                relations[*b]
                    .confidence
                    .total_cmp(&relations[*a].confidence)
                    .then(a.cmp(b))
            });
            order.truncate(max_relations);
            order.sort_unstable();
            self.extraction.dropped += relations.len() - order.len();
            *relations = order.into_iter().map(|place| relations[place].clone()).collect();
        }
        self.extraction
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
#[path = "extraction_tests.rs"]
mod tests;
