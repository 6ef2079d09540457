//! Promises of chunks and halves that hold for any text: they fit, lose no word, and depend on their own neighbourhood.

use std::collections::HashSet;

use proptest::prelude::*;
use zerodb_hooks_documents::{Chunk, ChunkOptions, Cut, chunks, estimated_tokens};

/// Words, marks and signs that have meant trouble for text before.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "The ", "office ", "opens ", "at nine", ". ", "! ", "? ", "\n", "\n\n", "\r\n", " ", "\t", "# ", "## Hours\n",
    "- ", "1. ", "| a | b |\n", "|---|---|\n", "> ", "```\n", "~~~\n", "---\n", "title: a\n", "===\n", "語", "。",
    "「", "」", "ไทย", "हिन्दी । ", "e\u{301}", "\u{200d}", "👨‍👩‍👧", "\u{0}", "\u{feff}", "https://x.example/a?b",
    "99999999999999", "aGVsbG8gd29ybGQ", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
];

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => prop::sample::select(PIECES).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..300).prop_map(|pieces| pieces.concat())
}

fn options() -> impl Strategy<Value = ChunkOptions> {
    (10..200_usize, 0..60_usize, any::<bool>()).prop_map(|(max_tokens, overlap_tokens, markdown)| {
        ChunkOptions {
            max_tokens,
            overlap_tokens,
            markdown,
        }
    })
}

fn sentence() -> impl Strategy<Value = String> {
    let word = prop::sample::select(
        &[
            "the", "dough", "rests", "while", "oven", "heats", "slowly", "salt",
        ][..],
    );
    prop::collection::vec(word, 5..20).prop_map(|words| format!("Then {}.", words.join(" ")))
}

/// Paragraphs of prose.
fn paragraphs(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<String>> {
    let paragraph = prop::collection::vec(sentence(), 1..8).prop_map(|sentences| sentences.join(" "));
    prop::collection::vec(paragraph, count)
}

/// No file of failures: the smallest failing text is printed.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn texts<'text>(text: &'text str, chunks: &[Chunk]) -> HashSet<&'text str> {
    chunks.iter().map(|chunk| chunk.text(text)).collect()
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn chunks_fit_and_rejoin_to_the_text(text in text(), options in options()) {
        let chunks = chunks(&text, &options);
        let mut covered = match (chunks.first(), options.markdown) {
            // Front matter is left out.
            (Some(first), true) => first.range.start,
            _ => 0,
        };
        for (index, chunk) in chunks.iter().enumerate() {
            prop_assert_eq!(chunk.index, index);
            prop_assert!(estimated_tokens(chunk.text(&text)) <= options.max_tokens, "{}", chunk.text(&text));
            let own = chunk.text(&text);
            prop_assert_eq!(own, own.trim_end());
            // With an overlap a chunk may begin with the white space before a word.
            prop_assert!(own == own.trim() || options.overlap_tokens > 0, "{:?}", own);
            if chunk.range.start > covered {
                prop_assert!(text[covered..chunk.range.start].trim().is_empty(), "a word is lost");
            }
            prop_assert!(chunk.range.end > covered);
            covered = chunk.range.end;
        }
        prop_assert!(text[covered..].trim().is_empty());
    }

    #[test]
    fn halves_rejoin_to_their_chunk(text in text(), options in options()) {
        let options = ChunkOptions { overlap_tokens: 0, ..options };
        let cut = Cut::new(&text, &options);
        for chunk in &cut.chunks {
            let Some([first, second]) = cut.halves(&text, chunk) else {
                prop_assert_eq!(chunk.text(&text).chars().count(), 1);
                continue;
            };
            prop_assert_eq!((first.range.start, second.range.end), (chunk.range.start, chunk.range.end));
            prop_assert!(text[first.range.end..second.range.start].trim().is_empty());
            prop_assert!(!first.range.is_empty() && !second.range.is_empty());
        }
    }

    #[test]
    fn halves_depend_on_their_chunk_alone(
        before in paragraphs(1..20),
        own in paragraphs(2..5),
        after in paragraphs(1..20),
    ) {
        let own = own.join("\n\n");
        let alone = halves_of(&own, &own);
        let text = format!("{}\n\n{own}\n\n{}", before.join("\n\n"), after.join("\n\n"));
        prop_assert_eq!(halves_of(&text, &own), alone);
    }
}

/// The halves of a part of a text.
fn halves_of(text: &str, part: &str) -> Option<[String; 2]> {
    let options = ChunkOptions {
        max_tokens: 100_000,
        overlap_tokens: 0,
        markdown: false,
    };
    let start = text.find(part)?;
    let chunk = Chunk {
        index: 0,
        range: start..start + part.len(),
        heading: None,
    };
    let halves = Cut::new(text, &options).halves(text, &chunk)?;
    Some(halves.map(|half| half.text(text).to_owned()))
}

proptest! {
    #![proptest_config(cases(24))]

    /// Chunks hold at most 100 tokens and a paragraph at most 200, so that five paragraphs are out of reach of an edit.
    #[test]
    fn an_edit_leaves_chunks_that_are_out_of_its_reach(
        paragraphs in paragraphs(30..60),
        edited in 0.2..0.8,
        new in prop_oneof![sentence(), Just(String::new())],
    ) {
        const REACH: usize = 5;
        let options = ChunkOptions {
            max_tokens: 100,
            overlap_tokens: 10,
            markdown: false,
        };
        let at = (paragraphs.len() as f64 * edited) as usize;
        let mut other = paragraphs.clone();
        other[at] = new;
        let (old, new) = (paragraphs.join("\n\n"), other.join("\n\n"));
        let new_chunks = chunks(&new, &options);
        let kept = texts(&new, &new_chunks);
        let far_before = paragraphs[..at - REACH].join("\n\n").len();
        let far_after = old.len() - paragraphs[at + REACH..].join("\n\n").len();
        for chunk in chunks(&old, &options) {
            if chunk.range.end <= far_before || chunk.range.start >= far_after {
                prop_assert!(kept.contains(chunk.text(&old)), "another chunk: {}", chunk.text(&old));
            }
        }
    }
}
