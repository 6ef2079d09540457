//! Promises of embeddings that hold for any text at all: always finite, of length 1, and the same twice.

use proptest::prelude::*;
use zerodb_hooks_lexical::embed;

/// Any character, and pieces that have broken text code before.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        1 => any::<char>().prop_map(String::from),
        1 => "[ -~]{0,3}",
        3 => prop::sample::select(PIECES).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

#[rustfmt::skip]
const PIECES: &[&str] = &[
    "Alice", " ", "\n", "\r\n", "'s ", "’", "https://x.example/a?b", "2019", "99999999999999999999", "。", "東京",
    "ไทย", "हिन्दी", "مرحبا", "e\u{301}", "\u{200d}", "👨‍👩‍👧", "\u{0}", "\u{feff}", "\u{202e}", "İ", "ß", "ﬁ", "ǅ",
    "the ", "of ", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

proptest! {
    // No file of failures: the smallest failing text is printed.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn vectors_are_finite_and_of_length_1(
        text in text(),
        dimensions in prop_oneof![prop::sample::select(vec![1, 2, 3, 7, 64, 384, 1024]), 1..3000_usize],
    ) {
        let vector = embed(&text, dimensions);
        let length: f64 = vector.iter().map(|cell| f64::from(*cell) * f64::from(*cell)).sum::<f64>().sqrt();
        prop_assert_eq!(vector.len(), dimensions);
        prop_assert!((length - 1.0).abs() < 1e-4, "length {}", length);
        prop_assert_eq!(vector, embed(&text, dimensions));
    }

    #[test]
    fn a_piece_over_and_over_is_a_text_too(piece in prop::sample::select(PIECES), dimensions in 1..64_usize) {
        let text = piece.repeat(20_000 / piece.len());
        prop_assert_eq!(embed(&text, dimensions).len(), dimensions);
    }
}

/// The largest that pgvector's halfvec takes.
#[test]
fn a_vector_may_have_16_000_dimensions() {
    assert_eq!(embed("a text", 16_000).len(), 16_000);
}
