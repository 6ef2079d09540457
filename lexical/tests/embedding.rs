//! The promises of embeddings: the same for years, always a unit vector, and near where words are shared.

#![allow(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

use zerodb_hooks_lexical::{EMBEDDING_VERSION, MODEL, embed};

fn cosine(left: &str, right: &str, dimensions: usize) -> f32 {
    embed(left, dimensions)
        .iter()
        .zip(embed(right, dimensions))
        .map(|(a, b)| a * b)
        .sum()
}

/// The bits of some vectors. If this fails, stored vectors no longer fit new ones: raise the version and the model's
/// name.
#[test]
fn vectors_are_those_of_version_1() {
    assert_eq!((EMBEDDING_VERSION, MODEL), (1, "lexical-v1"));
    for (text, dimensions, expected) in [
        (
            "Postgres",
            4,
            [0x3f77_ac3b_u32, 0xbdca_e08a, 0xbdfa_440b, 0xbe4a_e08a],
        ),
        (
            "Alice works with Bob in Berlin.",
            4,
            [0xbeff_35d6, 0xbdc5_d3e9, 0x3f3e_592f, 0xbede_ca6d],
        ),
        (
            "東京は日本の首都です",
            4,
            [0xbea1_0da0, 0xbe2d_7120, 0xbe88_4699, 0x3f65_30ec],
        ),
        ("", 4, [0, 0, 0x3f80_0000, 0]),
        ("🙂!", 4, [0x3f35_04f4, 0, 0x3f35_04f4, 0]),
    ] {
        let bits: Vec<u32> = embed(text, dimensions)
            .iter()
            .map(|cell| cell.to_bits())
            .collect();
        assert_eq!(bits, expected, "{text:?} became {bits:x?}");
    }
}

/// A checksum over whole vectors of a usual size, for what four cells do not show.
#[test]
fn long_vectors_are_those_of_version_1() {
    let text = "Deploying the worker beside Postgres: it embeds, summarises and extracts. Größe, naïve, дом, مرحبا, \
        हिन्दी, ข้อความ.";
    let vector = embed(text, 1024);
    let checksum = vector
        .iter()
        .fold(0_u64, |sum, cell| sum.rotate_left(5) ^ u64::from(cell.to_bits()));
    assert_eq!(checksum, 0xc572_a0a8_9c0e_1d8b, "{checksum:#x}");
}

/// Each text is nearer to its paraphrase, which shares words or word parts, than to the paraphrase of any other.
const PAIRS: &[(&str, &str)] = &[
    (
        "How do I reset my password?",
        "Password reset: open the settings and choose a new password.",
    ),
    (
        "The invoice for March was paid twice.",
        "Customer reports a double payment of invoice 2291 in March",
    ),
    (
        "Deploying the worker on Kubernetes",
        "Deployment of workers in a Kubernetes cluster",
    ),
    (
        "Alice moved from Paris to Berlin",
        "In Berlin, Alice found a flat after moving away from Paris.",
    ),
    (
        "Vacuum cannot remove dead rows while a transaction is open",
        "Long transactions keep VACUUM from removing dead rows.",
    ),
    (
        "The flight to Lisbon was delayed by fog",
        "Fog delays flights at Lisbon airport",
    ),
    (
        "Add two eggs and whisk the flour into the butter",
        "Recipe: butter, flour, eggs; whisk until smooth",
    ),
    (
        "Quarterly revenue grew by eight percent",
        "Revenue growth in the quarter was 8 percent",
    ),
    (
        "The patient complains of headaches and dizziness",
        "Headache and dizzy spells, patient advised to rest",
    ),
    (
        "Rust's borrow checker rejects this closure",
        "Closure borrows a value mutably; the Rust compiler rejects it",
    ),
    (
        "The museum opens at nine on weekdays",
        "Opening hours of the museum: weekdays from nine",
    ),
    (
        "Our cat refuses to eat the new food",
        "Cats that refuse food: when to see a vet about eating",
    ),
    (
        "Photosynthesis turns light into chemical energy",
        "Plants convert light to energy in photosynthesis",
    ),
    (
        "The committee postponed the vote on the housing bill",
        "Vote about housing bill is postponed by committee",
    ),
    (
        "Bluetooth headphones keep disconnecting",
        "My headphones disconnect from Bluetooth all the time",
    ),
    (
        "Learning to play the violin as an adult",
        "Adult violin learners: how to start playing",
    ),
    (
        "Der Zug nach Hamburg hat Verspätung",
        "Verspätungen bei Zügen zwischen Hamburg und Bremen",
    ),
    (
        "Le café est fermé le dimanche",
        "Cafe fermé: pas de service dimanche",
    ),
    ("東京の天気は明日晴れです", "明日の東京は晴れるでしょう"),
    ("Погода в Москве завтра", "Прогноз погоды: завтра в Москве дождь"),
    (
        "The hook's webhook timed out after 5000 ms",
        "Webhook timeouts: raise timeout_ms above 5000",
    ),
    (
        "Users cannot login with their e-mail address",
        "Login by email fails for some user accounts",
    ),
];

#[test]
fn related_texts_are_nearer_than_unrelated_ones() {
    for dimensions in [256, 384, 1024, 1536] {
        for (text, related) in PAIRS {
            let own = cosine(text, related, dimensions);
            for (_, other) in PAIRS.iter().filter(|(other, _)| other != text) {
                let theirs = cosine(text, other, dimensions);
                assert!(
                    own > theirs,
                    "{dimensions}: {text:?}: {own} with {related:?}, {theirs} with {other:?}"
                );
            }
        }
    }
}

#[test]
fn one_word_in_several_forms_is_near_itself() {
    for (left, right) in [
        ("deploying", "deployment"),
        ("Müller", "MULLER"),
        ("authentication", "authenticate"),
        ("colour", "colours"),
    ] {
        assert!(
            cosine(left, right, 1024) > 0.5,
            "{left} {right}: {}",
            cosine(left, right, 1024)
        );
    }
    // By their pieces: what no stem of English makes one.
    for (left, right) in [
        ("Verspätung", "Verspätungen"),
        ("Postgres", "PostgreSQL"),
        ("Kuberntes", "Kubernetes"),
        ("конфигурация", "конфигурации"),
    ] {
        assert!(
            cosine(left, right, 1024) > 0.25,
            "{left} {right}: {}",
            cosine(left, right, 1024)
        );
    }
    assert!(cosine("deploying", "banana", 1024).abs() < 0.2);
}

#[test]
fn case_accents_and_order_do_not_count() {
    assert_eq!(embed("Café SOCIETY", 64), embed("cafe\u{301} society", 64));
    assert!(cosine("alice met bob", "bob met alice", 256) > 0.999);
}

#[test]
fn repetition_and_stop_words_count_little() {
    assert!(cosine("postgres hooks", &"postgres hooks ".repeat(500), 1024) > 0.95);
    assert!(cosine("postgres hooks", "the postgres and the hooks of it", 1024) > 0.95);
    assert!(cosine("the of and to", "postgres hooks", 1024).abs() < 0.2);
}

#[test]
fn text_without_words_has_a_vector_too() {
    assert_eq!(embed("", 1024), embed(" \n\t", 1024));
    assert_ne!(embed("", 1024), embed("!?", 1024));
    assert!(cosine("🙂", "🙂🙂", 1024) > 0.99);
    assert!(cosine("🙂", "🚀", 1024) < 0.5);
    assert_eq!(embed("anything", 0), Vec::<f32>::new());
}
