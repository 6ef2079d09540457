//! What is taken from an answer and from the rules, and what is dropped.

use serde_json::json;

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
        json!({"entities": [1, null, [], {}], "relations": [[], {}, "x", 7]}),
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

/// What a model writes for two people who met, the names and the facts that are taken, and how many items are left out.
type Row = (&'static str, &'static str, &'static str, &'static str, usize);

const AMISS: &[Row] = &[
    (
        "a type that is not known",
        r#"{"entities": [{"id": 0, "name": "Alice", "type": "company", "aliases": []}, {"id": 1, "name": "Bob", "type": "", "aliases": []}], "relations": [{"source": 0, "predicate": "met", "target": 1, "fact": "Alice met Bob."}]}"#,
        "Alice, Bob",
        "0 MET 1",
        0,
    ),
    (
        "no aliases, no type, no id",
        r#"{"entities": [{"name": "Alice"}, {"name": "Bob"}], "relations": [{"source": 0, "predicate": "met", "target": 1, "fact": "Alice met Bob."}]}"#,
        "Alice, Bob",
        "0 MET 1",
        0,
    ),
    (
        "ids as texts",
        r#"{"entities": [{"id": "a", "name": "Alice"}, {"id": "b", "name": "Bob"}], "relations": [{"source": "a", "predicate": "met", "target": "b"}]}"#,
        "Alice, Bob",
        "0 MET 1",
        0,
    ),
    (
        "ids of two kinds",
        r#"{"entities": [{"id": "0", "name": "Alice"}, {"id": 1.0, "name": "Bob"}], "relations": [{"source": 0, "predicate": "met", "target": "1"}]}"#,
        "Alice, Bob",
        "0 MET 1",
        0,
    ),
    (
        "one id that is missing",
        r#"{"entities": [{"id": 1, "name": "Alice"}, {"name": "Bob"}], "relations": [{"source": 1, "predicate": "met", "target": "Bob"}]}"#,
        "Alice, Bob",
        "0 MET 1",
        0,
    ),
    (
        "names for ids",
        r#"{"entities": [{"id": 0, "name": "Alice", "type": "person", "aliases": []}, {"id": 1, "name": "Bob", "type": "person", "aliases": []}], "relations": [{"source": "Alice", "predicate": "met", "target": "bob"}]}"#,
        "Alice, Bob",
        "0 MET 1",
        0,
    ),
    (
        "entities that are names",
        r#"{"entities": ["Alice", "Bob"], "relations": [{"source": "Alice", "predicate": "met", "target": "Bob"}]}"#,
        "Alice, Bob",
        "0 MET 1",
        0,
    ),
    (
        "aliases that are a text, and null",
        r#"{"entities": [{"id": 0, "name": "Alice", "aliases": "Al"}, {"id": 1, "name": "Bob", "aliases": null}], "relations": [{"source": "Al", "predicate": "met", "target": 1}]}"#,
        "Alice, Bob",
        "0 MET 1",
        0,
    ),
    (
        "a relation of nobody",
        r#"{"entities": [{"id": 0, "name": "Alice", "type": "person", "aliases": []}, {"id": 1, "name": "Bob", "type": "person", "aliases": []}], "relations": [{"source": 0, "predicate": "met", "target": 1, "fact": "Alice met Bob."}, {"source": 0, "predicate": "met", "target": 7}, {"source": null, "predicate": "met", "target": 1}]}"#,
        "Alice, Bob",
        "0 MET 1",
        2,
    ),
    (
        "a relation that is a text, and null",
        r#"{"entities": [{"id": 0, "name": "Alice", "type": "person", "aliases": []}, {"id": 1, "name": "Bob", "type": "person", "aliases": []}], "relations": ["Alice met Bob", {"source": 0, "predicate": "met", "target": 1, "fact": "Alice met Bob."}, null]}"#,
        "Alice, Bob",
        "0 MET 1",
        2,
    ),
    (
        "entities without a name",
        r#"{"entities": [{"id": 0, "name": "Alice", "type": "person", "aliases": []}, {"id": 5, "name": null}, {}, [], {"id": 1, "name": "Bob", "type": "person", "aliases": []}], "relations": [{"source": 0, "predicate": "met", "target": 1, "fact": "Alice met Bob."}]}"#,
        "Alice, Bob",
        "0 MET 1",
        3,
    ),
    (
        "a name that is a number",
        r#"{"entities": [{"id": 0, "name": "Alice", "type": "person", "aliases": []}, {"id": 1, "name": 42}], "relations": [{"source": 0, "predicate": "met", "target": 1, "fact": "Alice met Bob."}]}"#,
        "Alice",
        "",
        2,
    ),
    (
        "a name with NUL",
        r#"{"entities": [{"id": 0, "name": "Al\u0000ice", "type": "person", "aliases": []}, {"id": 1, "name": "Bob", "type": "person", "aliases": []}], "relations": [{"source": 0, "predicate": "met", "target": 1, "fact": "Alice met Bob."}]}"#,
        "Alice, Bob",
        "0 MET 1",
        0,
    ),
    (
        "a name that is too long",
        r#"{"entities": [{"id": 0, "name": "Alice", "type": "person", "aliases": []}, {"id": 1, "name": "Bob", "type": "person", "aliases": []}, {"id": 2, "name": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}], "relations": [{"source": 0, "predicate": "met", "target": 1, "fact": "Alice met Bob."}]}"#,
        "Alice, Bob",
        "0 MET 1",
        1,
    ),
    (
        "a predicate of another script",
        r#"{"entities": [{"id": 0, "name": "Alice", "type": "person", "aliases": []}, {"id": 1, "name": "Bob", "type": "person", "aliases": []}], "relations": [{"source": 0, "predicate": "встретила", "target": 1}]}"#,
        "Alice, Bob",
        "0 ВСТРЕТИЛА 1",
        0,
    ),
    (
        "a predicate without a letter",
        r#"{"entities": [{"id": 0, "name": "Alice", "type": "person", "aliases": []}, {"id": 1, "name": "Bob", "type": "person", "aliases": []}], "relations": [{"source": 0, "predicate": "->", "target": 1}, {"source": 0, "predicate": "met", "target": 1, "fact": "Alice met Bob."}]}"#,
        "Alice, Bob",
        "0 MET 1",
        1,
    ),
    (
        "no relations",
        r#"{"entities": [{"id": 0, "name": "Alice", "type": "person", "aliases": []}, {"id": 1, "name": "Bob", "type": "person", "aliases": []}]}"#,
        "Alice, Bob",
        "",
        0,
    ),
];

#[test]
fn one_field_amiss_costs_one_item_at_most() {
    for (what, answer, names, facts, dropped) in AMISS {
        let found = Extraction::by_model(&serde_json::from_str(answer).unwrap(), 30);
        let named: Vec<&str> = found.entities.iter().map(|entity| entity.name.as_str()).collect();
        let stated: Vec<String> = found
            .relations
            .iter()
            .map(|fact| format!("{} {} {}", fact.source, fact.predicate, fact.target))
            .collect();
        let taken = (named.join(", "), stated.join(", "), found.dropped);
        assert_eq!(
            taken,
            ((*names).to_owned(), (*facts).to_owned(), *dropped),
            "{what}"
        );
    }
}

#[test]
fn a_confidence_is_read_from_a_text_and_one_that_is_none_is_half() {
    let of = |confidence: Value| {
        let mut relation = relation(0, "met", 1, 0.0);
        relation["confidence"] = confidence;
        let answer = json!({"entities": [entity(0, "Alice", "person"), entity(1, "Bob", "person")], "relations": [relation]});
        Extraction::by_model(&answer, 30).relations[0].confidence
    };
    for (said, read) in [
        (json!("0.9"), 0.9),
        (json!("90%"), 0.9),
        (json!("high"), 0.5),
        (json!(null), 0.5),
        (json!(7), 1.0),
    ] {
        assert!((of(said.clone()) - read).abs() < 1e-6, "{said}");
    }
}
