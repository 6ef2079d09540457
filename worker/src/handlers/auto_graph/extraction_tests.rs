//! What is taken from an answer and from the rules, and what is dropped.

use super::*;

fn relation(source: i64, predicate: &str, target: i64, confidence: f64) -> Value {
    json!({"source": source, "predicate": predicate, "target": target, "fact": "x", "confidence": confidence,
        "valid_at": "2020", "invalid_at": null})
}

fn entity(id: i64, name: &str, kind: &str) -> Value {
    json!({"id": id, "name": name, "type": kind, "aliases": []})
}

#[test]
fn what_cannot_be_stored_is_dropped_and_counted() {
    let answer = json!({
        "entities": [entity(7, "Alice", "person"), entity(8, "Bob", "human"), entity(8, "Carol", "person"), entity(9, "she", "person")],
        "relations": [
            relation(7, "met", 8, 0.9),
            relation(7, "likes", 7, 0.9),
            relation(7, "knows", 9, 0.9),
            relation(7, "knows", 99, 0.9),
            relation(7, "…", 8, 0.9),
        ],
    });
    let found = Extraction::by_model(&answer, 30);
    assert_eq!(
        found
            .entities
            .iter()
            .map(|entity| (entity.name.as_str(), entity.kind))
            .collect::<Vec<_>>(),
        [("Alice", "person"), ("Bob", "entity")]
    );
    assert_eq!(found.relations.len(), 1);
    let fact = &found.relations[0];
    assert_eq!((fact.source, fact.predicate.as_str(), fact.target), (0, "MET", 1));
    assert_eq!(fact.valid_at.as_deref(), Some("2020-01-01T00:00:00Z"));
    assert_eq!(found.dropped, 6);
}

#[test]
fn one_name_is_one_entity_and_keeps_its_places() {
    let mut bob = entity(1, "Robert", "person");
    bob["aliases"] = json!(["Bob", "bob", "he", "Robert"]);
    let answer = json!({"entities": [bob, entity(2, "BOB", "entity"), entity(3, "Bob", "location"), entity(4, "Ann", "person")],
        "relations": [relation(4, "MET", 2, 1.0)]});
    let found = Extraction::by_model(&answer, 30);
    assert_eq!(found.entities.len(), 3, "a place of that name is another");
    assert_eq!(found.entities[0].aliases, ["Bob"]);
    assert_eq!(found.relations[0].target, 0);
}

#[test]
fn a_name_that_comes_before_the_one_it_is_another_of_is_the_same_entity() {
    let mut bob = entity(2, "Robert Smith", "person");
    bob["aliases"] = json!(["Bob", "Rob"]);
    let answer = json!({"entities": [entity(1, "Bob", "person"), entity(3, "Ann", "person"), bob],
        "relations": [relation(3, "MET", 1, 1.0), relation(2, "KNOWS", 3, 1.0)]});
    let found = Extraction::by_model(&answer, 30);
    assert_eq!(found.entities.len(), 2);
    assert_eq!(
        (found.entities[0].name.as_str(), &found.entities[0].aliases[..]),
        ("Robert Smith", &["Bob".to_owned(), "Rob".to_owned()][..])
    );
    assert_eq!((found.relations[0].target, found.relations[1].source), (0, 0));
}

#[test]
fn the_surest_relations_stay_in_their_order() {
    let entities: Vec<Value> = (0..25)
        .map(|id| entity(id, &format!("Name {id}"), "person"))
        .collect();
    let relations: Vec<Value> = (0..6)
        .map(|at| relation(at, "MET", at + 1, [0.1, 0.9, 0.2, 0.9, 0.9, 0.3][at as usize]))
        .collect();
    let found = Extraction::by_model(&json!({"entities": entities, "relations": relations}), 3);
    assert_eq!(found.entities.len(), ENTITIES);
    assert_eq!(
        found.relations.iter().map(|fact| fact.source).collect::<Vec<_>>(),
        [1, 3, 4]
    );
    assert!(
        Extraction::by_model(&json!({"entities": entities, "relations": relations}), 0)
            .relations
            .is_empty()
    );
}

#[test]
fn an_answer_of_any_form_is_read_without_a_fault() {
    for answer in [
        json!(null),
        json!([]),
        json!({"entities": {"a": 1}, "relations": "x"}),
        json!({"entities": [1, null, "x"], "relations": [[], {}]}),
    ] {
        assert!(Extraction::by_model(&answer, 30).entities.is_empty());
    }
}

#[test]
fn entities_are_linked_to_whom_the_memory_is_about() {
    let answer = json!({"entities": [entity(0, "Alice", "person"), entity(1, "Bob", "person"), entity(2, "Berlin", "location")],
        "relations": [relation(1, "MET", 0, 1.0)]});
    let found = Extraction::by_model(&answer, 30).about(Some("alice"), 30);
    let links: Vec<_> = found
        .relations
        .iter()
        .map(|fact| (fact.source, fact.predicate.as_str(), fact.target))
        .collect();
    assert_eq!(links, [(1, "MET", 0), (0, "RELATED_TO", 2)]);
    let stranger = Extraction::by_model(&answer, 30).about(Some("agent 7"), 2);
    assert_eq!(
        stranger.entities.last().map(|entity| entity.name.as_str()),
        Some("agent 7")
    );
    assert_eq!(stranger.relations.len(), 2, "the limit counts");
    assert_eq!(
        Extraction::by_model(&answer, 30).about(None, 30).relations.len(),
        1
    );
}

#[test]
fn the_rules_find_the_facts_of_a_plain_sentence() {
    let found =
        Extraction::by_rules("Alice met Bob at the AI conference in Berlin.", 30).about(Some("alice"), 30);
    let mut joined: Vec<_> = found
        .relations
        .iter()
        .filter(|fact| {
            [fact.source, fact.target]
                .iter()
                .any(|end| found.entities[*end].name == "Alice")
        })
        .flat_map(|fact| [fact.source, fact.target])
        .map(|end| found.entities[end].name.as_str())
        .filter(|name| *name != "Alice")
        .collect();
    joined.sort_unstable();
    joined.dedup();
    assert!(
        ["Berlin", "Bob"].iter().all(|name| joined.contains(name)),
        "{joined:?}"
    );
    assert!(found.relations.iter().any(|fact| fact.quote.is_some()));
}
