//! Owns the names of predicates and the words in which facts are put. It must not decide what is a fact.

use super::entities::EntityType::{self, Entity, Location, Person};
use super::roles::Role;
use super::verb_table::Adjectival;

/// A predicate, with what it says of its two ends.
#[derive(Clone, Debug)]
pub(super) struct Predicate {
    pub name: String,
    /// The verb before the words of the name in a sentence: "is", or nothing.
    verb: &'static str,
    pub source: EntityType,
    pub target: EntityType,
}

impl Predicate {
    pub fn new(name: &str, source: EntityType, target: EntityType) -> Self {
        Predicate {
            name: name.to_owned(),
            verb: "",
            source,
            target,
        }
    }

    /// "works", "at": `WORKS_AT`. Some verbs need no preposition, or another.
    pub fn verb(stem: &str, preposition: &str, source: EntityType, target: EntityType) -> Self {
        let preposition = match (stem, preposition) {
            ("met", "with") => "",
            ("married", "") => return Predicate::mutual("MARRIED_TO"),
            ("moved", "into") => "to",
            (_, preposition) => preposition,
        };
        let joined = if preposition.is_empty() {
            stem.to_owned()
        } else {
            format!("{stem}_{preposition}")
        };
        Predicate::new(&joined.replace('-', "_").to_uppercase(), source, target)
    }

    pub fn located() -> Self {
        Predicate {
            verb: "is",
            ..Predicate::new("LOCATED_IN", Entity, Location)
        }
    }

    /// Between two people: "are friends".
    pub fn mutual(name: &str) -> Self {
        Predicate {
            verb: verb_of_role(name),
            ..Predicate::new(name, Person, Person)
        }
    }

    pub fn role(role: Role, past: bool) -> Self {
        let name = if past { role.past } else { role.predicate };
        Predicate {
            verb: verb_of_role(name),
            ..Predicate::new(name, role.bearer, role.target)
        }
    }

    pub fn adjectival(row: &Adjectival, past: bool) -> Self {
        let name = if past { row.past } else { row.predicate };
        let verb = if name.starts_with("WAS_") { "" } else { row.verb };
        Predicate {
            verb,
            ..Predicate::new(name, row.source, row.target)
        }
    }

    /// The words between the names: "works at", "is CEO of".
    pub fn phrase(&self) -> String {
        let words = self.name.to_lowercase().replace('_', " ");
        let offices = ["ceo", "cto", "cfo", "coo"];
        let words: Vec<String> = words
            .split(' ')
            .map(|word| {
                if offices.contains(&word) {
                    word.to_uppercase()
                } else {
                    word.to_owned()
                }
            })
            .collect();
        format!("{} {}", self.verb, words.join(" "))
            .trim_start()
            .to_owned()
    }
}

/// "is" for what is no verb itself.
fn verb_of_role(name: &str) -> &'static str {
    let noun = name.ends_with("_OF") || matches!(name, "MARRIED_TO" | "ENGAGED_TO");
    if noun && !name.starts_with("WAS_") {
        "is"
    } else {
        ""
    }
}
