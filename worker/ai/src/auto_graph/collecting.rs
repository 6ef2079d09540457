//! Puts an extraction together: one entity for each name, no more than the graph holds. Pure.

use std::collections::HashMap;

use super::extraction::{ENTITIES, Extraction, Named, Stated};
use super::fields;

/// The most other names of an entity.
const ALIASES: usize = 4;

/// The two entities of a relation, as the finder names them.
pub struct Ends<'a> {
    pub source: &'a str,
    pub target: &'a str,
}

/// An extraction to which what is found is added, one after another.
#[derive(Default)]
pub struct Collecting {
    extraction: Extraction,
    /// The indexes of the entities, by the ids that the finder uses.
    places: HashMap<String, usize>,
}

impl Collecting {
    /// Adds an entity. One that comes twice, also as an alias of another, is one entity; it has the name that came with
    /// the aliases.
    pub fn entity(&mut self, id: &str, name: &str, kind: &str, aliases: Vec<String>) {
        let entities = &mut self.extraction.entities;
        let kind = fields::entity_type(kind);
        let Some(name) = fields::name(name).filter(|_| !self.places.contains_key(id)) else {
            self.extraction.dropped += 1;
            return;
        };
        let known = known(entities, &name, kind, &aliases);
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

    /// Adds a relation; `found` has all but its ends and its predicate.
    pub fn relation(&mut self, ends: Ends<'_>, predicate: &str, found: Stated) {
        let ends = self.place(ends.source).zip(self.place(ends.target));
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

    /// The index of an entity by its id, or by its name, which some models write instead.
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

    /// The extraction with its surest relations, in the order in which they were found.
    pub fn finish(mut self, max_relations: usize) -> Extraction {
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

/// The index of the entity that has this name, or else one of these aliases, and a type that fits.
fn known(entities: &[Named], name: &str, kind: &str, aliases: &[String]) -> Option<usize> {
    let fits = |own: &Named| own.kind == kind || own.kind == fields::GENERIC || kind == fields::GENERIC;
    let is_other_name = |own: &Named| aliases.iter().any(|alias| own.is_named(alias));
    let named = entities.iter().position(|own| own.is_called(name) && fits(own));
    named.or_else(|| entities.iter().position(|own| is_other_name(own) && fits(own)))
}
