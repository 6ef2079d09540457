//! Cuts a text into chunks, and those that a model will not take into halves; hashes each, so that a chunk which has
//! not changed is recognised. Pure.

use std::sync::Arc;

use zerodb_hooks_documents::{Chunk, ChunkOptions, Cut, estimated_tokens, unguarded};

use super::super::recipe::EmbedRecipe;
use crate::digest::{digest, hex};
use crate::source::Source;
use zerodb_hooks_providers::TokenCounter;

/// A part of the hash; it changes when the same text is cut in another way.
const VERSION: &str = "chunks 2";
/// The headings above a chunk may take one in so many of its tokens.
const HEADING: usize = 4;

/// A part of a text in the form in which it is embedded and stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextChunk {
    pub content: String,
    /// The headings above it.
    pub heading: Option<String>,
    /// The hash of the input, model and dimensions, in hex.
    pub hash: String,
    chunk: Chunk,
}

impl TextChunk {
    /// The text that is embedded: the part with the headings that say what it is about.
    pub fn input(&self) -> String {
        match &self.heading {
            Some(heading) => format!("{heading}\n\n{}", self.content),
            None => self.content.clone(),
        }
    }
}

/// A text that has been cut.
pub struct ChunkedText {
    text: Arc<str>,
    cut: Cut,
    /// Tokens that headings may take.
    heading: usize,
    model: String,
    dimensions: String,
}

impl ChunkedText {
    /// Cuts by the tokens of the model's own tokenizer, where there is one. May take seconds.
    pub fn of(
        text: Arc<str>,
        options: &ChunkOptions,
        recipe: &EmbedRecipe,
        counter: Option<&TokenCounter>,
    ) -> Self {
        let cut = match counter {
            Some(counter) => Cut::by(&text, options, |part| counter.count(part)),
            None => Cut::new(&text, options),
        };
        Self {
            text,
            cut,
            heading: options.max_tokens / HEADING,
            model: recipe.model.clone(),
            dimensions: dimensions(recipe),
        }
    }

    /// The chunks of the text, in order.
    pub fn all(&self) -> Vec<TextChunk> {
        self.cut
            .chunks
            .iter()
            .map(|chunk| self.piece(chunk.clone()))
            .collect()
    }

    /// The two halves of a chunk, always the same two; `None` for one that cannot be cut.
    pub fn halves(&self, piece: &TextChunk) -> Option<[TextChunk; 2]> {
        let halves = self.cut.halves(&self.text, &piece.chunk)?;
        Some(halves.map(|half| self.piece(half)))
    }

    fn piece(&self, chunk: Chunk) -> TextChunk {
        // A text of Postgres cannot hold a NUL.
        let content = unguarded(chunk.text(&self.text)).replace('\0', "");
        let heading = chunk.heading.as_deref().map(|heading| heading.replace('\0', ""));
        let heading = heading.map(|heading| innermost(&heading, self.heading).to_owned());
        let heading = heading.filter(|heading| !heading.is_empty());
        let parts = [
            content.as_str(),
            heading.as_deref().unwrap_or(""),
            &self.model,
            &self.dimensions,
        ];
        TextChunk {
            hash: hex(&digest(parts)),
            content,
            heading,
            chunk,
        }
    }
}

/// The inner ones of the headings above a part that have at most so many tokens; of a single one, its beginning.
fn innermost(headings: &str, tokens: usize) -> &str {
    let mut kept = headings;
    while estimated_tokens(kept) > tokens {
        match kept.split_once(" > ") {
            Some((_, inner)) => kept = inner,
            None => return kept[..kept.floor_char_boundary(tokens)].trim_end(),
        }
    }
    kept
}

/// The hash of all that the chunks of a source depend on, in hex.
pub fn hash_of_all(source: &str, row: &Source, options: &ChunkOptions, recipe: &EmbedRecipe) -> String {
    let sizes = format!("{} {}", options.max_tokens, options.overlap_tokens);
    let (name, content_type) = (row.name.as_deref(), row.content_type.as_deref());
    hex(&digest([
        source,
        // They say whether it has headings.
        name.unwrap_or(""),
        content_type.unwrap_or(""),
        &recipe.model,
        &dimensions(recipe),
        &sizes,
        VERSION,
    ]))
}

fn dimensions(recipe: &EmbedRecipe) -> String {
    recipe
        .dimensions
        .map(|count| count.to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: ChunkOptions = ChunkOptions {
        max_tokens: 40,
        overlap_tokens: 0,
        markdown: true,
    };

    fn recipe(model: &str) -> EmbedRecipe {
        EmbedRecipe {
            template: None,
            model: model.into(),
            dimensions: Some(4),
            replaces_given: false,
        }
    }

    fn text(middle: &str) -> String {
        let paragraph = |word: &str| format!("{}\n\n", format!("{word} says something. ").repeat(5));
        ["Alice", middle, "Carol"]
            .map(|word| format!("# About {word}\n\n{}", paragraph(word)))
            .concat()
    }

    fn pieces(text: &str, model: &str) -> Vec<TextChunk> {
        ChunkedText::of(text.into(), &OPTIONS, &recipe(model), None).all()
    }

    #[test]
    fn an_edit_changes_the_hashes_of_the_parts_that_it_touches() {
        let before = pieces(&text("Bob"), "m");
        let after = pieces(&text("Dan"), "m");
        let kept = before
            .iter()
            .filter(|piece| after.iter().any(|other| other.hash == piece.hash))
            .count();
        assert!(kept >= 2 && kept < before.len(), "{kept} of {}", before.len());
        let other = pieces(&text("Bob"), "n");
        assert!(other.iter().zip(&before).all(|(a, b)| a.hash != b.hash));
    }

    #[test]
    fn a_part_is_embedded_with_its_headings() {
        let pieces = pieces(&text("Bob"), "m");
        assert!(
            pieces.iter().all(|piece| piece.input().starts_with("About ")),
            "{pieces:?}"
        );
    }

    #[test]
    fn headings_take_a_share_of_a_part_and_no_more() {
        assert_eq!(innermost("A > B > C", 100), "A > B > C");
        assert_eq!(innermost("A long outer one > Inner", 3), "Inner");
        assert_eq!(innermost("words of a heading without end", 5), "words");
        let long = format!("# {}\n\nwords\n", "heading ".repeat(500));
        assert!(
            pieces(&long, "m")
                .iter()
                .all(|piece| estimated_tokens(&piece.input()) <= 60)
        );
    }

    #[test]
    fn a_model_s_own_count_is_obeyed() {
        // A token for each letter: more than anybody would estimate.
        let counter = TokenCounter::new(|text| text.chars().count(), 2);
        let all = ChunkedText::of(text("Bob").into(), &OPTIONS, &recipe("m"), Some(&counter)).all();
        assert!(
            all.iter()
                .all(|piece| piece.content.chars().count() <= OPTIONS.max_tokens)
        );
    }

    #[test]
    fn halves_are_the_same_whatever_stands_around() {
        let of = |text: &str| {
            let pieces = ChunkedText::of(text.into(), &OPTIONS, &recipe("m"), None);
            let all = pieces.all();
            let bob = all.iter().find(|piece| piece.content.contains("Bob")).unwrap();
            pieces.halves(bob).unwrap().map(|half| half.hash)
        };
        assert_eq!(
            of(&text("Bob")),
            of(&format!("# First\n\nWords.\n\n{}", text("Bob")))
        );
    }

    #[test]
    fn what_chunks_depend_on_is_told_apart() {
        let row = |name: &str| Source {
            hash: None,
            size: 0,
            is_text: Some(true),
            is_elsewhere: false,
            name: Some(name.into()),
            content_type: None,
        };
        let hash = |source: &str, name: &str, options: &ChunkOptions, model: &str| {
            hash_of_all(source, &row(name), options, &recipe(model))
        };
        let smaller = ChunkOptions {
            max_tokens: 39,
            ..OPTIONS
        };
        let all = [
            hash("a", "a.md", &OPTIONS, "m"),
            hash("b", "a.md", &OPTIONS, "m"),
            hash("a", "a.txt", &OPTIONS, "m"),
            hash("a", "a.md", &smaller, "m"),
            hash("a", "a.md", &OPTIONS, "n"),
        ];
        for (place, one) in all.iter().enumerate() {
            assert!(all[..place].iter().all(|other| other != one));
        }
    }
}
