//! Entities that the rules must find, with their types and forms, and words that are none.

use zerodb_hooks_english::{Limits, extract};

fn entities(text: &str) -> Vec<String> {
    let found = extract(text, &Limits::default());
    for entity in &found.entities {
        assert!(
            text[entity.span.0..entity.span.1].contains(&entity.name) || !entity.aliases.is_empty(),
            "{entity:?}"
        );
    }
    found
        .entities
        .iter()
        .map(|entity| format!("{}: {}", entity.name, entity.entity_type.as_str()))
        .collect()
}

#[test]
fn entities_have_their_types() {
    for (text, expected) in [
        (
            "Alice met Bob at the AI conference in Berlin",
            "Alice: person; Bob: person; AI conference: event; Berlin: location",
        ),
        ("Dr. Ngata lives in Ulm.", "Ngata: person; Ulm: location"),
        (
            "Acme GmbH hired Kim Larsen.",
            "Acme GmbH: organization; Kim Larsen: person",
        ),
        (
            "We flew over Lake Constance to the city of Bregenz.",
            "Lake Constance: location; Bregenz: location",
        ),
        (
            "The project Falcon uses Redis.",
            "Falcon: product; Redis: product",
        ),
        (
            "Write to bob@mail.example or @carol.",
            "bob@mail.example: entity; @carol: person",
        ),
        (
            "She studied at the Massachusetts Institute of Technology.",
            "Massachusetts Institute of Technology: organization",
        ),
        (
            "Johnson & Johnson and the Bank of England called.",
            "Johnson & Johnson: entity; Bank of England: organization",
        ),
    ] {
        assert_eq!(entities(text).join("; "), expected, "{text}");
    }
}

#[test]
fn ordinary_words_are_no_entities() {
    for text in [
        "Coffee is good.",
        "Yesterday was Monday. However, in March it rained.",
        "He said she left. They did not. It was I.",
        "The CEO and the CTO asked the HR team via the API.",
        "Management decided. Marketing agreed. Developers did not.",
        "Please remember this. Thanks!",
        "Databases are slow. We like databases.",
        "\"Hello,\" he said. \"Stop!\"",
    ] {
        assert_eq!(entities(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn a_word_that_begins_sentences_is_a_name_if_it_is_one_elsewhere() {
    assert_eq!(entities("Falcon is fast. We like Falcon."), ["Falcon: entity"]);
    assert_eq!(entities("Falcon is fast."), Vec::<String>::new());
}
