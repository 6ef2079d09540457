//! A text with its chunks, and the halves of a chunk that a model will not take. Halves depend on the chunk's own
//! words: the same chunk has the same halves whatever stands around it.

use std::cmp::Reverse;
use std::ops::Range;

use super::cutter::Cutter;
use super::headings::Outline;
use super::options::ChunkOptions;
use super::piece::{Chunk, trimmed};
use super::places::Place;
use super::tokens::{By, Estimate, Measure};

/// The chunks of a text, and what is known of it.
pub struct Cut {
    outline: Outline,
    places: Vec<Place>,
    pub chunks: Vec<Chunk>,
}

impl Cut {
    /// By [`estimated_tokens`](super::estimated_tokens).
    #[must_use]
    pub fn new(text: &str, options: &ChunkOptions) -> Self {
        Self::with(text, options, Estimate::of_text(text))
    }

    /// By the tokens that `tokens` counts.
    #[must_use]
    pub fn by(text: &str, options: &ChunkOptions, tokens: impl Fn(&str) -> usize) -> Self {
        Self::with(text, options, By { text, tokens })
    }

    fn with(text: &str, options: &ChunkOptions, counts: impl Measure) -> Self {
        let cutter = Cutter::new(text, options, counts);
        let chunks = cutter.chunks();
        Self {
            chunks,
            outline: cutter.outline,
            places: cutter.places,
        }
    }

    /// A chunk of the text that was cut, or a half of one, in two at the best place near its middle; both with its
    /// number. `None` for one of a single character.
    #[must_use]
    pub fn halves(&self, text: &str, chunk: &Chunk) -> Option<[Chunk; 2]> {
        let body = trimmed(text, chunk.range.clone());
        let at = self.place(&body).or_else(|| between_words(text, &body))?;
        let half = |range: Range<usize>, heading| Chunk {
            index: chunk.index,
            range: trimmed(text, range),
            heading,
        };
        let below = self.outline.path(at);
        let halves = [
            half(body.start..at, chunk.heading.clone()),
            half(at..body.end, below),
        ];
        halves.iter().all(|half| !half.range.is_empty()).then_some(halves)
    }

    /// The place of the best class in the middle half; of equals the nearest to the middle.
    fn place(&self, body: &Range<usize>) -> Option<usize> {
        let middle = middle_half(body);
        // A chunk of three bytes is its own middle half; a place at its ends would leave one half empty.
        let (first, last) = (
            middle.start.max(body.start + 1),
            middle.end.min(body.end.saturating_sub(1)),
        );
        let from = self.places.partition_point(|place| place.at < first);
        let to = self.places.partition_point(|place| place.at <= last);
        let candidates = self.places.get(from..to)?.iter();
        let off_middle = |at: usize| (2 * at).abs_diff(body.start + body.end);
        let best = candidates.max_by_key(|place| (place.class(), Reverse(off_middle(place.at))))?;
        Some(best.at)
    }
}

/// Between two words near the middle, else between two characters.
fn between_words(text: &str, body: &Range<usize>) -> Option<usize> {
    let at = text.ceil_char_boundary(body.start.midpoint(body.end));
    let reach = text.floor_char_boundary(middle_half(body).start)..at;
    let space = text[reach.clone()].rfind(char::is_whitespace);
    let at = space.map_or(at, |space| reach.start + space);
    let first = text.ceil_char_boundary(body.start + 1);
    [at, first]
        .into_iter()
        .find(|at| *at > body.start && *at < body.end)
}

fn middle_half(body: &Range<usize>) -> Range<usize> {
    let quarter = body.len() / 4;
    body.start + quarter..body.end - quarter
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, markdown: bool) -> Cut {
        Cut::new(
            text,
            &ChunkOptions {
                max_tokens: 100_000,
                overlap_tokens: 0,
                markdown,
            },
        )
    }

    fn leaves(cut: &Cut, text: &str, chunk: &Chunk, most: usize, found: &mut Vec<Chunk>) {
        if chunk.range.len() <= most {
            return found.push(chunk.clone());
        }
        for half in cut.halves(text, chunk).unwrap() {
            leaves(cut, text, &half, most, found);
        }
    }

    #[test]
    fn halves_hold_all_of_a_chunk_and_are_cut_where_it_may_be() {
        let sentences = "The office opens at nine. ".repeat(40);
        for text in [
            sentences.as_str(),
            &"x".repeat(999),
            &"語".repeat(300),
            &"word ".repeat(200),
        ] {
            let cut = cut(text, false);
            let mut found = Vec::new();
            leaves(&cut, text, &cut.chunks[0], 60, &mut found);
            let mut at = 0;
            for leaf in &found {
                assert!(text[at..leaf.range.start].trim().is_empty() && !leaf.range.is_empty());
                at = leaf.range.end;
            }
            assert!(text[at..].trim().is_empty());
            assert!(found.len() <= 4 * text.len() / 60, "{} leaves", found.len());
        }
        let cut = cut(&sentences, false);
        let [first, second] = cut.halves(&sentences, &cut.chunks[0]).unwrap();
        assert!(sentences[first.range].ends_with('.') && sentences[second.range].starts_with("The"));
    }

    #[test]
    fn the_second_half_has_its_own_headings() {
        let text = format!("# A\n\n{0}\n\n## B\n\n{0}\n", "Some words here. ".repeat(9));
        let cut = cut(&text, true);
        let headings = cut
            .halves(&text, &cut.chunks[0])
            .unwrap()
            .map(|half| half.heading.unwrap());
        assert_eq!(headings, ["A", "A > B"]);
    }

    #[test]
    fn a_single_character_has_no_halves() {
        for text in ["x", "語", " x "] {
            let cut = cut(text, false);
            assert_eq!(cut.halves(text, &cut.chunks[0]), None, "{text}");
        }
        let two = cut("ab", false);
        assert!(two.halves("ab", &two.chunks[0]).is_some());
        let line = cut("one\n```\ntwo", false);
        let chunk = Chunk {
            range: 4..7,
            ..line.chunks[0].clone()
        };
        assert!(line.halves("one\n```\ntwo", &chunk).is_some());
    }
}
