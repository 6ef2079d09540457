//! From a text to chunks that a model can take: at headings, else between paragraphs, sentences or words.
//!
//! Filling one chunk after the other moves the later borders when a word is inserted, until one falls on its old place by
//! chance, and the summaries or vectors that are kept for those chunks are lost. So the text is first cut into sections
//! at places that their own neighbourhood decides (`sections`), and a section that is too large at its best places: an
//! edit changes the chunks that it touches, and one or two beside them. Only what has no such place, such as a line that
//! is longer than a chunk, is cut by filling.
//!
//! The crate text-splitter fills, and took a time that grows with the square of a paragraph: 0.1 s for 40 kB of words
//! in chunks of 90 tokens.

mod headings;
mod places;
mod sections;

use std::cmp::Reverse;
use std::ops::Range;

use headings::Outline;
use places::Place;

/// How a text is cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChunkOptions {
    /// The most tokens of a chunk, its overlap included.
    pub max_tokens: usize,
    /// The most tokens that a chunk repeats of the end of the one before it. At a heading nothing is repeated.
    pub overlap_tokens: usize,
    /// Whether the text is Markdown, so that headings, lists, tables and code are respected.
    pub markdown: bool,
}

impl ChunkOptions {
    /// For summaries that are put together of summaries: 4,000 tokens with 10 % overlap; some 2,500 on the average.
    #[must_use]
    pub fn for_summaries(markdown: bool) -> Self {
        Self {
            max_tokens: 4000,
            overlap_tokens: 400,
            markdown,
        }
    }

    /// For embeddings: 400 tokens with 10 % overlap.
    #[must_use]
    pub fn for_embeddings(markdown: bool) -> Self {
        Self {
            max_tokens: 400,
            overlap_tokens: 40,
            markdown,
        }
    }
}

/// A part of a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Chunk {
    /// Its number, from 0.
    pub index: usize,
    /// Its bytes in the text; it overlaps the chunk before. Without white space at its ends.
    pub range: Range<usize>,
    /// The headings above it, from the outermost, joined by ` > `; one with which it begins included. Not for
    /// hashing: a new title of the document changes it for all chunks.
    pub heading: Option<String>,
}

impl Chunk {
    /// The words of the chunk in the text that was cut.
    #[must_use]
    pub fn text<'text>(&self, text: &'text str) -> &'text str {
        &text[self.range.clone()]
    }
}

/// The tokens of a text, three bytes for one: more than any usual tokenizer makes of any usual language.
#[must_use]
pub fn estimated_tokens(text: &str) -> usize {
    text.len().div_ceil(3)
}

/// Cuts a text by [`estimated_tokens`].
#[must_use]
pub fn chunks(text: &str, options: &ChunkOptions) -> Vec<Chunk> {
    chunks_by(text, options, estimated_tokens)
}

/// Cuts a text by the tokens that `tokens` counts. The same text gives the same chunks, in every process and version
/// that has the same rules.
#[must_use]
pub fn chunks_by(text: &str, options: &ChunkOptions, tokens: impl Fn(&str) -> usize) -> Vec<Chunk> {
    let cutter = Cutter::new(text, options, tokens);
    let mut bodies = Vec::new();
    for section in cutter.sections() {
        cutter.split(section, &mut bodies);
    }
    let mut chunks = Vec::with_capacity(bodies.len());
    for (index, body) in bodies.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| &bodies[before]);
        let start = before.map_or(body.start, |before| cutter.overlap(before, body));
        chunks.push(Chunk {
            index,
            range: start..body.end,
            heading: cutter.outline.path(body.start),
        });
    }
    chunks
}

/// The first heading of the highest level, as a title.
pub(crate) fn first_heading(markdown: &str) -> Option<String> {
    Outline::of(markdown).title()
}

/// A text that is being cut.
struct Cutter<'text, Tokens> {
    text: &'text str,
    tokens: Tokens,
    outline: Outline,
    places: Vec<Place>,
    /// The tokens before each place.
    weights: Vec<usize>,
    max: usize,
    overlap: usize,
}

impl<'text, Tokens: Fn(&str) -> usize> Cutter<'text, Tokens> {
    fn new(text: &'text str, options: &ChunkOptions, tokens: Tokens) -> Self {
        let outline = if options.markdown {
            Outline::of(text)
        } else {
            Outline::default()
        };
        let places = places::places(text, &outline);
        let (mut weights, mut last) = (Vec::with_capacity(places.len()), 0);
        for place in &places {
            let before = weights.last().copied().unwrap_or(0);
            weights.push(before + tokens(&text[last..place.at]));
            last = place.at;
        }
        let max = options.max_tokens.max(1);
        let overlap = options.overlap_tokens.min(max / 2);
        Self {
            text,
            tokens,
            outline,
            places,
            weights,
            max,
            overlap,
        }
    }

    /// The tokens of a chunk without its overlap.
    fn capacity(&self) -> usize {
        self.max - self.overlap
    }

    fn sections(&self) -> Vec<Range<usize>> {
        // Half a chunk on either side: then no section is smaller than that, and most need no further cut.
        let reach = self.capacity().div_ceil(2);
        let borders = sections::borders(&self.places, &self.weights, reach);
        let borders = self.within(&borders, reach / 2);
        let starts = std::iter::once(0).chain(borders.iter().copied());
        let ends = borders.iter().copied().chain([self.text.len()]);
        starts.zip(ends).map(|(start, end)| start..end).collect()
    }

    /// The borders that leave at least `least` tokens before the first and after the last; none for a text that is a chunk
    /// as it is.
    fn within(&self, borders: &[usize], least: usize) -> Vec<usize> {
        let (before_last, last) = match (self.weights.last(), self.places.last()) {
            (Some(weight), Some(place)) => (*weight, place.at),
            _ => return Vec::new(),
        };
        let total = before_last + (self.tokens)(&self.text[last..]);
        if total <= self.capacity() {
            return Vec::new();
        }
        let weight = |at: usize| self.weights[self.places.partition_point(|place| place.at < at)];
        let is_within = |at: &&usize| (least..=total.saturating_sub(least)).contains(&weight(**at));
        borders.iter().filter(is_within).copied().collect()
    }

    /// Appends the section in as many pieces as it needs: at its best place first, so that an edit of one piece leaves
    /// the others.
    fn split(&self, section: Range<usize>, bodies: &mut Vec<Range<usize>>) {
        let body = trimmed(self.text, section.clone());
        let size = (self.tokens)(&self.text[body.clone()]);
        if size == 0 {
            return;
        }
        if size <= self.capacity() {
            bodies.push(body);
        } else if let Some(at) = self.best_place(&section) {
            self.split(section.start..at, bodies);
            self.split(at..section.end, bodies);
        } else {
            self.fill(body, size, bodies);
        }
    }

    /// The best place of a section that leaves neither side much too small; of equals the one in the middle.
    fn best_place(&self, section: &Range<usize>) -> Option<usize> {
        let from = self.places.partition_point(|place| place.at <= section.start);
        let to = self.places.partition_point(|place| place.at < section.end);
        let start = from.checked_sub(1).map_or(0, |before| self.weights[before]);
        let end = self.weights.get(to).or(self.weights.last()).copied()?;
        // Small margins keep pieces where they are when others change. A section of many chunks is rare, a table of
        // equal rows perhaps, and is halved instead, so that the depth is that of a logarithm.
        let size = end.saturating_sub(start);
        let margin = if size > 4 * self.capacity() {
            size / 3
        } else {
            self.capacity() / 5
        };
        let candidates = (from..to).filter(|index| {
            let weight = self.weights[*index];
            weight >= start + margin && weight + margin <= end
        });
        let off_middle = |index: usize| (2 * self.weights[index]).abs_diff(start + end);
        let best = candidates.max_by_key(|index| (self.places[*index].rank, Reverse(off_middle(*index))))?;
        Some(self.places[best].at)
    }

    /// Appends what has no place to cut it at, such as a line of code or a sentence that is longer than a chunk, in
    /// pieces of about the same size: between words, or within one that is longer than half a piece.
    fn fill(&self, body: Range<usize>, size: usize, bodies: &mut Vec<Range<usize>>) {
        let desired = size.div_ceil(size.div_ceil(self.capacity()));
        let mut start = body.start;
        while start < body.end {
            let end = self.longest(start..body.end, desired);
            bodies.push(trimmed(self.text, start..end));
            start = trimmed(self.text, end..body.end).start;
        }
    }

    /// Where the longest beginning of `rest` ends that has no more than `limit` tokens. Never takes less than a
    /// character, and never counts the tokens of much more than it takes.
    fn longest(&self, rest: Range<usize>, limit: usize) -> usize {
        let fits = |end: usize| (self.tokens)(&self.text[rest.start..end]) <= limit;
        let first = self.text.ceil_char_boundary(rest.start + 1);
        let (mut end, mut beyond) = (first, first);
        while beyond < rest.end && fits(beyond) {
            end = beyond;
            let doubled = rest.start + 2 * (beyond - rest.start);
            beyond = self.text.ceil_char_boundary(doubled.min(rest.end));
        }
        if beyond == rest.end && fits(beyond) {
            return beyond;
        }
        loop {
            let middle = self.text.floor_char_boundary(end.midpoint(beyond));
            if middle == end {
                break;
            }
            if fits(middle) {
                end = middle
            } else {
                beyond = middle
            }
        }
        let half = self.text.ceil_char_boundary(rest.start.midpoint(end));
        let space = self.text[half..end].rfind(char::is_whitespace);
        space.map_or(end, |at| half + at).max(first)
    }

    /// Where `body` begins with the end of the chunk before it: whole sentences, or words of a long one.
    fn overlap(&self, before: &Range<usize>, body: &Range<usize>) -> usize {
        if self.overlap == 0 || self.outline.begins_at(body.start) {
            return body.start;
        }
        let fits = |at: usize| {
            (self.tokens)(&self.text[at..body.start]) <= self.overlap
                && (self.tokens)(&self.text[at..body.end]) <= self.max
        };
        let from = self.places.partition_point(|place| place.at < before.start);
        let to = self.places.partition_point(|place| place.at < body.start);
        let sentences = self.places[from..to].iter().rev().map(|place| place.at);
        let words = self.text[before.clone()]
            .rmatch_indices(char::is_whitespace)
            .map(|(at, space)| before.start + at + space.len());
        sentences
            .take_while(|at| fits(*at))
            .last()
            .or_else(|| words.take_while(|at| fits(*at)).last())
            .unwrap_or(body.start)
    }
}

fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let words = &text[range.clone()];
    let start = range.end - words.trim_start().len();
    start..start + words.trim().len()
}
