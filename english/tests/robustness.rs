//! Promises that hold for any text at all: no panic, every limit kept. Texts are random, from fixed seeds, made of what
//! has broken text code before.

#![allow(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

use zerodb_hooks_english::{
    Limits, cut_at_sentence, extract, is_fuzzy_matchable, sentences, summarize, trigram_similarity,
};

/// SplitMix64: the same texts in each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn text(&mut self) -> String {
        let parts = self.below(60);
        (0..parts).map(|_| self.part()).collect()
    }

    fn part(&mut self) -> String {
        match self.below(8) {
            0 => char::from_u32(self.below(0x11_0000) as u32).map_or_else(String::new, String::from),
            1 => " ".repeat(self.below(3)),
            2 => char::from(self.below(128) as u8).to_string(),
            _ => PARTS[self.below(PARTS.len())].to_owned(),
        }
    }
}

#[rustfmt::skip]
const PARTS: &[&str] = &[
    "Alice", "Bob", " works at ", " and ", ", who ", "Acme Inc.", " in Berlin", ". ", "! ", "? ", "…", "\n", "\n\n",
    "\r\n", "# ", "- ", "1. ", "> ", "```", "~~~\n", "|", "---", "\"", "“", "”", "'s ", "’", "(", ")", "[1]",
    "@bob", "a@b.example", "https://x.example/a?b", "2019", " since March 2021", " on 31 February 2020",
    "99999999999999999999", "3.14", "e.g. ", "Dr. ", "U.S. ", "。", "」", "東京", "ไทย", "हिन्दी", "مرحبا", "e\u{301}",
    "\u{200d}", "👨‍👩‍👧", "\u{0}", "\u{feff}", "\u{202e}", "İ", "ß", "ﬁ", "ǅ", "she ", "it ", "was founded by ",
    "the ", "of ", "is the CEO of ", "does not ", " -", "–", ";", ":", ",",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

fn texts(seed: u64) -> impl Iterator<Item = (Random, String)> {
    (0..1_000).map(move |number| {
        let mut random = Random(seed + number);
        let text = random.text();
        (random, text)
    })
}

#[test]
fn summaries_keep_their_limit() {
    for (mut random, text) in texts(2) {
        let max_length = random.below(120);
        for short in [summarize(&text, max_length), cut_at_sentence(&text, max_length)] {
            assert!(
                short.chars().count() <= max_length,
                "{text:?} in {max_length}: {short:?}"
            );
            assert!(
                max_length == 0 || text.trim().is_empty() || !short.is_empty(),
                "{text:?} in {max_length} is empty"
            );
        }
    }
}

#[test]
fn sentences_are_parts_of_the_text_in_order() {
    for (_, text) in texts(3) {
        let mut rest = text.as_str();
        for sentence in sentences(&text) {
            assert!(
                !sentence.trim().is_empty() && sentence.trim() == sentence,
                "{text:?} has {sentence:?}"
            );
            let at = rest
                .find(sentence)
                .unwrap_or_else(|| panic!("{sentence:?} of {text:?} is out of order"));
            rest = &rest[at + sentence.len()..];
        }
    }
}

#[test]
fn similarities_are_shares() {
    for (mut random, text) in texts(4) {
        let other = random.text();
        let similarity = trigram_similarity(&text, &other);
        assert!(
            (0.0..=1.0).contains(&similarity),
            "{text:?} {other:?}: {similarity}"
        );
        assert_eq!(trigram_similarity(&text, &text), 1.0);
        let _ = is_fuzzy_matchable(&text);
    }
}

#[test]
fn extractions_keep_their_limits_and_their_shape() {
    for (mut random, text) in texts(5) {
        let limits = Limits {
            max_entities: random.below(6),
            max_relations: random.below(6),
        };
        let found = extract(&text, &limits);
        assert!(
            found.entities.len() <= limits.max_entities && found.relations.len() <= limits.max_relations,
            "{text:?}"
        );
        for entity in &found.entities {
            assert!(
                text.get(entity.span.0..entity.span.1)
                    .is_some_and(|name| !name.is_empty()),
                "{text:?}: {entity:?}"
            );
            assert!(
                (1..=200).contains(&entity.name.chars().count()),
                "{text:?}: {entity:?}"
            );
            assert!(!entity.aliases.contains(&entity.name), "{text:?}: {entity:?}");
        }
        for relation in &found.relations {
            assert!(
                relation.source < found.entities.len() && relation.target < found.entities.len(),
                "{text:?}: {relation:?}"
            );
            assert!(
                relation.source != relation.target && relation.confidence > 0.0 && relation.confidence <= 1.0
            );
            assert!(
                text.get(relation.sentence.0..relation.sentence.1).is_some(),
                "{text:?}: {relation:?}"
            );
            let rest = relation.predicate.strip_prefix(|c: char| c.is_ascii_uppercase());
            let plain = |rest: &str| {
                rest.bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
            };
            assert!(
                rest.is_some_and(plain) && relation.predicate.len() <= 64,
                "{text:?}: {relation:?}"
            );
        }
        assert_eq!(extract(&text, &limits), found, "{text:?} twice");
    }
}

/// One word, mark or name over and over: no rule may recurse or look back too often.
#[test]
fn repetition_is_read_in_linear_time() {
    for part in PARTS.iter().copied().chain([
        "very ",
        "a/",
        "the ",
        "Alice and ",
        "Alice, ",
        "of the ",
        "has ",
        "(",
        "Alice's ",
    ]) {
        let text = part.repeat(20_000 / part.len());
        let _ = extract(
            &text,
            &Limits {
                max_entities: usize::MAX,
                max_relations: usize::MAX,
            },
        );
        assert!(summarize(&text, 50).chars().count() <= 50);
        assert!(cut_at_sentence(&text, 50).chars().count() <= 50);
    }
}
