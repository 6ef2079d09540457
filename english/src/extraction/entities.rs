//! Owns the form of a result: entities, the relations between them, and how many are kept. It must not find any.

/// The most that is kept. The most certain stays; an entity in a relation before one in none.
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

/// The type of an entity, as far as the text shows it.
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
    /// The place where it is first named, in bytes of the text.
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

/// The entities and relations of a text. Entities stand in the order in which they are first named, relations in that
/// of their sentences.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extraction {
    pub entities: Vec<Entity>,
    pub relations: Vec<Relation>,
}
