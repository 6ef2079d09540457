//! Extracts the entities and relations of a memory, by rules or from a model's answer. Pure.

use serde_json::Value;
use zerodb_hooks_english::{Limits, extract};

use super::collecting::{Collecting, Ends};
use super::extraction::{ENTITIES, Extraction, Stated};
use super::{answer, fields};

impl Extraction {
    /// The extraction by the rules of the local provider.
    pub fn by_rules(text: &str, max_relations: usize) -> Self {
        let limits = Limits {
            max_entities: ENTITIES,
            max_relations,
        };
        let found = extract(text, &limits);
        let mut collected = Collecting::default();
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
                Ends {
                    source: &relation.source.to_string(),
                    target: &relation.target.to_string(),
                },
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

    /// The extraction from a model's answer of the form of `prompt::extraction_schema`, whatever its items are: one
    /// that says nothing is left out, and the rest is taken.
    pub fn by_model(answer: &Value, max_relations: usize) -> Self {
        let mut collected = Collecting::default();
        let entities = list(&answer["entities"]);
        // Where none has an id, relations name indexes.
        let has_ids = entities.iter().any(|entity| !entity["id"].is_null());
        for (place, entity) in entities.iter().enumerate() {
            let other = if has_ids {
                format!("#{place}")
            } else {
                place.to_string()
            };
            let said = answer::Entity::of(entity, other);
            collected.entity(&said.id, &said.name, &said.kind, said.aliases);
        }
        for relation in list(&answer["relations"]) {
            let said = answer::Relation::of(relation);
            let instant = |text: &str| fields::instant(text).map(|at| at.to_string());
            collected.relation(
                Ends {
                    source: &said.source,
                    target: &said.target,
                },
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
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
#[path = "extracting_tests.rs"]
mod tests;
