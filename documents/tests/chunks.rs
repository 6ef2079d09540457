//! Chunks fit, cover the text, follow its structure, and stay what they are when the text changes elsewhere.

#![allow(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

use std::collections::HashSet;
use std::fmt::Write;

use zerodb_hooks_documents::{Chunk, ChunkOptions, chunks, chunks_by, estimated_tokens};

const WORDS: &[&str] = &[
    "the", "dough", "rests", "a", "while", "in", "its", "bowl", "and", "rises", "slowly", "before", "it",
    "is", "shaped", "baked", "with", "steam", "until", "crust", "turns", "brown", "water", "salt", "flour",
    "oven",
];

/// Words that look like a text: the same for the same seed.
struct Writer(u64);

impl Writer {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    fn sentence(&mut self) -> String {
        let words: Vec<&str> = (0..5 + self.below(15))
            .map(|_| WORDS[self.below(WORDS.len())])
            .collect();
        let (first, rest) = words[0].split_at(1);
        format!("{}{rest} {}.", first.to_uppercase(), words[1..].join(" "))
    }

    fn paragraph(&mut self) -> String {
        (0..1 + self.below(8))
            .map(|_| self.sentence())
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn paragraphs(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.paragraph()).collect()
    }
}

fn texts<'text>(text: &'text str, chunks: &[Chunk]) -> HashSet<&'text str> {
    chunks.iter().map(|chunk| chunk.text(text)).collect()
}

/// The number of chunks of `after` that were not among those of `before`.
fn changed(before: &str, after: &str, options: &ChunkOptions) -> usize {
    let (old, new) = (chunks(before, options), chunks(after, options));
    texts(after, &new).difference(&texts(before, &old)).count()
}

fn plain(max_tokens: usize, overlap_tokens: usize) -> ChunkOptions {
    ChunkOptions {
        max_tokens,
        overlap_tokens,
        markdown: false,
    }
}

/// A document of about a hundred chunks of 400 tokens.
fn hundred_chunks(seed: u64) -> Vec<String> {
    Writer(seed).paragraphs(300)
}

/// The edits of one paragraph of a document: something before it, something after it, something in its place, nothing.
fn edits(paragraphs: &[String], edited: usize) -> Vec<String> {
    let old = &paragraphs[edited];
    let versions = [
        format!("A word more. {old}"),
        format!("{old} Something to add."),
        "Other words.".to_owned(),
        String::new(),
    ];
    let with = |version: String| {
        let mut paragraphs = paragraphs.to_vec();
        paragraphs[edited] = version;
        paragraphs.join("\n\n")
    };
    versions.into_iter().map(with).collect()
}

#[test]
fn an_edit_of_a_paragraph_in_the_middle_changes_at_most_three_chunks() {
    let options = ChunkOptions::for_embeddings(false);
    let mut counts = [0; 4];
    for seed in 0..12 {
        let paragraphs = hundred_chunks(seed);
        let text = paragraphs.join("\n\n");
        let count = chunks(&text, &options).len();
        assert!((80..=160).contains(&count), "{count} chunks");
        for edited in edits(&paragraphs, paragraphs.len() / 2) {
            counts[changed(&text, &edited, &options).min(3)] += 1;
            assert!(changed(&text, &edited, &options) <= 3);
        }
    }
    assert!(
        counts[3] * 10 <= counts.iter().sum::<usize>(),
        "as many chunks changed, so many times: {counts:?}"
    );
}

#[test]
fn chunks_are_well_filled() {
    let text = hundred_chunks(3).join("\n\n");
    let chunks = chunks(&text, &plain(400, 0));
    let filled: usize = chunks
        .iter()
        .map(|chunk| estimated_tokens(chunk.text(&text)))
        .sum();
    assert!(
        filled * 100 / (chunks.len() * 400) >= 60,
        "{filled} tokens in {} chunks",
        chunks.len()
    );
}

#[test]
fn a_chunk_repeats_whole_sentences_of_the_one_before() {
    let text = hundred_chunks(4).join("\n\n");
    let chunks = chunks(&text, &plain(400, 40));
    let overlapping: Vec<_> = chunks
        .windows(2)
        .filter(|pair| pair[1].range.start < pair[0].range.end)
        .collect();
    assert!(overlapping.len() * 2 > chunks.len());
    for pair in overlapping {
        let repeated = &text[pair[1].range.start..pair[0].range.end];
        assert!(
            estimated_tokens(repeated) <= 40 && repeated.ends_with('.'),
            "{repeated}"
        );
        assert!(
            repeated.starts_with(char::is_uppercase) || !repeated[..repeated.len() - 1].contains(". "),
            "{repeated}"
        );
    }
}

#[test]
fn markdown_is_cut_at_headings_and_chunks_know_theirs() {
    let mut writer = Writer(5);
    let mut text = String::new();
    for chapter in 1..=6 {
        write!(text, "# Chapter {chapter}\n\n").unwrap();
        for part in 1..=3 {
            write!(
                text,
                "## Part {part}\n\n{}\n\n",
                writer.paragraphs(4).join("\n\n")
            )
            .unwrap();
        }
    }
    let chunks = chunks(
        &text,
        &ChunkOptions {
            max_tokens: 1500,
            overlap_tokens: 100,
            markdown: true,
        },
    );
    let at_chapter = chunks
        .iter()
        .filter(|chunk| chunk.text(&text).starts_with("# Chapter"))
        .count();
    assert!(at_chapter >= 5, "{at_chapter} of 6 chapters begin a chunk");
    for chunk in &chunks {
        let heading = chunk.heading.as_deref().unwrap();
        assert!(heading.starts_with("Chapter "), "{heading}");
    }
    let paths: HashSet<_> = chunks
        .iter()
        .filter_map(|chunk| chunk.heading.as_deref())
        .collect();
    assert!(paths.contains("Chapter 1"));
}

#[test]
fn an_edit_of_a_markdown_section_changes_at_most_three_chunks() {
    let mut writer = Writer(6);
    let sections: Vec<String> = (0..100)
        .map(|n| format!("## Section {n}\n\n{}", writer.paragraphs(3).join("\n\n")))
        .collect();
    let options = ChunkOptions::for_embeddings(true);
    for section in [10, 50, 90] {
        for edited in edits(&sections, section) {
            let count = changed(&sections.join("\n\n"), &edited, &options);
            assert!(count <= 3, "{count} chunks for an edit of section {section}");
        }
    }
}

#[test]
fn text_without_paragraphs_or_sentences_is_cut_too() {
    let options = plain(100, 10);
    let lines: String = (0..2000).map(|n| format!("{n},value {n},{}\n", n * 7)).collect();
    let letters = "x".repeat(100_000);
    let wide = "語".repeat(50_000);
    for text in [lines.as_str(), &letters, &wide] {
        let chunks = chunks(text, &options);
        assert!(chunks.len() > 50);
        assert!(
            chunks
                .iter()
                .all(|chunk| estimated_tokens(chunk.text(text)) <= 100)
        );
    }
    let mut edited = lines.clone();
    edited.insert_str(edited.find("1000,").unwrap(), "999.5,value,0\n");
    assert!(changed(&lines, &edited, &options) <= 3);
}

#[test]
fn a_text_that_fits_is_one_chunk_and_no_chunk_at_the_edges_is_a_scrap() {
    let text = "The tax office opens at nine. Bring your papers.\n\nAsk for the form.";
    assert_eq!(chunks(text, &plain(400, 40)).len(), 1);
    for seed in 0..20 {
        let text = hundred_chunks(seed).join("\n\n");
        let sizes: Vec<usize> = chunks(&text, &plain(400, 0))
            .iter()
            .map(|chunk| chunk.text(&text).len() / 3)
            .collect();
        for edge in [sizes[0], sizes[sizes.len() - 1]] {
            assert!(edge >= 60, "{edge} tokens of 400 at an edge of {seed}");
        }
    }
}

#[test]
fn edges_are_no_trouble() {
    assert_eq!(chunks("", &plain(100, 10)), []);
    assert_eq!(chunks(" \n\n ", &plain(100, 10)), []);
    let one = chunks("  One sentence.\n", &plain(100, 10));
    assert_eq!((one.len(), one[0].range.clone()), (1, 2..15));
    let tiny = chunks("ab cd", &plain(0, 0));
    assert!(tiny.len() >= 2);
}

#[test]
fn another_count_of_tokens_is_obeyed() {
    let text = hundred_chunks(7).join("\n\n");
    let words = |text: &str| text.split_whitespace().count();
    let chunks = chunks_by(&text, &plain(50, 0), words);
    assert!(chunks.iter().all(|chunk| words(chunk.text(&text)) <= 50));
    assert!(chunks.len() < text.split_whitespace().count() / 20);
}

/// Each of some kinds of text that are dense, generated.
fn dense_texts() -> Vec<(&'static str, String)> {
    let mut writer = Writer(8);
    let mut line = |letters: &[u8], length: usize| -> String {
        (0..length)
            .map(|_| char::from(letters[writer.below(letters.len())]))
            .chain(['\n'])
            .collect()
    };
    let base64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    vec![
        ("base64", (0..200).map(|_| line(base64, 76)).collect()),
        ("hex", (0..300).map(|_| line(b"0123456789abcdef", 64)).collect()),
        (
            "numbers",
            (0..900)
                .map(|n| format!("{}.{},{},{}\n", n * 37 % 1000, n, n * 7919, n * 31))
                .collect(),
        ),
        ("Amharic", "ግብር ቢሮው ሰኞ በዘጠኝ ሰዓት ይከፈታል። ".repeat(200)),
        ("emoji", "🚀🎉🐙🍕".repeat(1000)),
    ]
}

#[test]
fn dense_text_is_cut_smaller_than_prose() {
    let prose = hundred_chunks(9).join("\n\n");
    let bytes_of_a_chunk = |text: &str| text.len() / chunks(text, &plain(400, 0)).len();
    assert!(bytes_of_a_chunk(&prose) > 700);
    for (kind, text) in dense_texts() {
        // 400 tokens at the bytes a token that cl100k_base or WordPiece have of it: 1.4, 1.4, 1.6, 1.0 and 1.5.
        assert!(
            bytes_of_a_chunk(&text) < 650,
            "{kind}: {} bytes",
            bytes_of_a_chunk(&text)
        );
        for chunk in chunks(&text, &plain(400, 40)) {
            assert!(estimated_tokens(chunk.text(&text)) <= 400, "{kind}");
        }
    }
}

#[test]
fn only_markdown_has_headings_and_front_matter() {
    let program = "# TODO remove this\nimport os\n\n# begin\ndef main():\n    pass\n".repeat(60);
    let settings = format!("---\ntitle: a\n---\n{}", "# a section\nkey: value\n".repeat(200));
    for text in [program.as_str(), settings.as_str()] {
        let cut = chunks(text, &plain(100, 0));
        assert!(cut.len() > 5 && cut.iter().all(|chunk| chunk.heading.is_none()));
        assert_eq!(cut[0].range.start, 0, "nothing is left out");
    }
    let page = format!(
        "---\ntitle: Opening hours\n---\n{}",
        Writer(1).paragraphs(30).join("\n\n")
    );
    let options = ChunkOptions {
        markdown: true,
        ..plain(100, 0)
    };
    for chunk in chunks(&page, &options) {
        assert_eq!(chunk.heading.as_deref(), Some("Opening hours"));
        assert!(!chunk.text(&page).contains("title:"), "{}", chunk.text(&page));
    }
}

#[test]
fn sentences_of_every_script_are_where_a_text_is_cut() {
    for sentence in [
        "The office opens at nine on Monday.",
        "Հարկայինը բացվում է երկուշաբթի իննին։",
        "ግብር ቢሮው ሰኞ በዘጠኝ ሰዓት ይከፈታል።",
        "အခွန်ရုံးသည် တနင်္လာနေ့ ကိုးနာရီတွင် ဖွင့်သည်။",
        "ការិយាល័យពន្ធដារបើកនៅម៉ោងប្រាំបួន។",
        "དཔྱ་ཁྲལ་ལས་ཁུངས་ནི་ཆུ་ཚོད་དགུ་པར་ཁ་ཕྱེ།",
        "कर कार्यालय सोमवार को नौ बजे खुलता है।",
        "税務署は月曜日の九時に開きます。",
    ] {
        let text = format!("{sentence} ").repeat(40);
        for chunk in chunks(&text, &plain(200, 0)) {
            assert!(chunk.text(&text).ends_with(sentence), "{}", chunk.text(&text));
            assert!(chunk.text(&text).starts_with(sentence), "{}", chunk.text(&text));
        }
    }
}
