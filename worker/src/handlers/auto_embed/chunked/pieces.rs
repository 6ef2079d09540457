//! From a text to its chunks, and to the hashes by which those that have not changed are recognised. Pure.

use zerodb_hooks_documents::{ChunkOptions, chunks};

use super::super::input::Recipe;
use crate::handlers::source::{digest, hex};

/// Changes when the same text is cut in another way.
const VERSION: &str = "chunks 1";

/// A part of a text as it is embedded and stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub content: String,
    /// The headings above it.
    pub heading: Option<String>,
    /// Of what is embedded, model and dimensions, in hex.
    pub hash: String,
}

impl Piece {
    /// What is embedded: the part with the headings that say what it is about.
    pub fn input(&self) -> String {
        match &self.heading {
            Some(heading) => format!("{heading}\n\n{}", self.content),
            None => self.content.clone(),
        }
    }
}

/// The parts of a text.
pub fn pieces(text: &str, options: &ChunkOptions, recipe: &Recipe) -> Vec<Piece> {
    let dimensions = dimensions(recipe);
    let piece = |chunk: zerodb_hooks_documents::Chunk| {
        // A text of Postgres cannot hold a NUL.
        let content = chunk.text(text).replace('\0', "");
        let heading = chunk.heading.map(|heading| heading.replace('\0', ""));
        let parts = [
            content.as_str(),
            heading.as_deref().unwrap_or(""),
            &recipe.model,
            &dimensions,
        ];
        let hash = hex(&digest(parts));
        Piece {
            content,
            heading,
            hash,
        }
    };
    chunks(text, options).into_iter().map(piece).collect()
}

/// What all chunks of a source depend on, in hex.
pub fn hash_of_all(source: &str, options: &ChunkOptions, recipe: &Recipe) -> String {
    let sizes = format!("{} {}", options.max_tokens, options.overlap_tokens);
    hex(&digest([
        source,
        &recipe.model,
        &dimensions(recipe),
        &sizes,
        VERSION,
    ]))
}

fn dimensions(recipe: &Recipe) -> String {
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

    fn recipe(model: &str) -> Recipe {
        Recipe {
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

    #[test]
    fn an_edit_changes_the_hashes_of_the_parts_that_it_touches() {
        let before = pieces(&text("Bob"), &OPTIONS, &recipe("m"));
        let after = pieces(&text("Dan"), &OPTIONS, &recipe("m"));
        let kept = before
            .iter()
            .filter(|piece| after.iter().any(|other| other.hash == piece.hash))
            .count();
        assert!(kept >= 2 && kept < before.len(), "{kept} of {}", before.len());
        let other = pieces(&text("Bob"), &OPTIONS, &recipe("n"));
        assert!(other.iter().zip(&before).all(|(a, b)| a.hash != b.hash));
    }

    #[test]
    fn a_part_is_embedded_with_its_headings() {
        let pieces = pieces(&text("Bob"), &OPTIONS, &recipe("m"));
        assert!(
            pieces.iter().all(|piece| piece.input().starts_with("About ")),
            "{pieces:?}"
        );
    }

    #[test]
    fn what_chunks_depend_on_is_told_apart() {
        let hash =
            |source: &str, options: &ChunkOptions, model: &str| hash_of_all(source, options, &recipe(model));
        let smaller = ChunkOptions {
            max_tokens: 39,
            ..OPTIONS
        };
        let all = [
            hash("a", &OPTIONS, "m"),
            hash("b", &OPTIONS, "m"),
            hash("a", &smaller, "m"),
            hash("a", &OPTIONS, "n"),
        ];
        for (place, one) in all.iter().enumerate() {
            assert!(all[..place].iter().all(|other| other != one));
        }
    }
}
