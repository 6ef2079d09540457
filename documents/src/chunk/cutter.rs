//! The choice of the borders of chunks: sections first, their best places next, and filling where there are none.

use std::cmp::Reverse;
use std::ops::Range;

use super::headings::Outline;
use super::options::ChunkOptions;
use super::piece::{Chunk, trimmed};
use super::places::{self, Place};
use super::sections;
use super::tokens::Measure;

/// A text that is being cut.
pub(super) struct Cutter<'text, Counts> {
    text: &'text str,
    counts: Counts,
    pub(super) outline: Outline,
    pub(super) places: Vec<Place>,
    /// The start of the text, behind its front matter.
    start: usize,
    /// The tokens before each place.
    weights: Vec<usize>,
    max: usize,
    overlap: usize,
}

impl<'text, Counts: Measure> Cutter<'text, Counts> {
    pub(super) fn new(text: &'text str, options: &ChunkOptions, mut counts: Counts) -> Self {
        let outline = if options.markdown {
            Outline::of(text)
        } else {
            Outline::default()
        };
        let start = outline.start();
        let places = places::places(text, &outline);
        let weights = counts.before_each(start, places.iter().map(|place| place.at));
        let max = options.max_tokens.max(1);
        let overlap = options.overlap_tokens.min(max / 2);
        Self {
            text,
            counts,
            outline,
            places,
            start,
            weights,
            max,
            overlap,
        }
    }

    pub(super) fn chunks(&self) -> Vec<Chunk> {
        let mut bodies = Vec::new();
        for section in self.sections() {
            self.split(section, &mut bodies);
        }
        let mut chunks = Vec::with_capacity(bodies.len());
        for (index, body) in bodies.iter().enumerate() {
            let before = index.checked_sub(1).map(|before| &bodies[before]);
            let start = before.map_or(body.start, |before| self.overlap(before, body));
            chunks.push(Chunk {
                index,
                range: start..body.end,
                heading: self.outline.path(body.start),
            });
        }
        chunks
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
        let starts = std::iter::once(self.start).chain(borders.iter().copied());
        let ends = borders.iter().copied().chain([self.text.len()]);
        starts.zip(ends).map(|(start, end)| start..end).collect()
    }

    /// The borders that leave at least `least` tokens before the first and after the last; none for a text that is a
    /// chunk as it is.
    fn within(&self, borders: &[usize], least: usize) -> Vec<usize> {
        let (before_last, last) = match (self.weights.last(), self.places.last()) {
            (Some(weight), Some(place)) => (*weight, place.at),
            _ => return Vec::new(),
        };
        let total = before_last + self.counts.of(last..self.text.len());
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
        let size = self.counts.of(body.clone());
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

    /// The end of the longest beginning of `rest` that has no more than `limit` tokens. Never takes less than a
    /// character, and never counts the tokens of much more than it takes.
    fn longest(&self, rest: Range<usize>, limit: usize) -> usize {
        let fits = |end: usize| self.counts.of(rest.start..end) <= limit;
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

    /// The start of `body` with the end of the chunk before it: whole sentences, or words of a long one.
    fn overlap(&self, before: &Range<usize>, body: &Range<usize>) -> usize {
        if self.overlap == 0 || self.outline.begins_at(body.start) {
            return body.start;
        }
        let fits = |at: usize| {
            self.counts.of(at..body.start) <= self.overlap && self.counts.of(at..body.end) <= self.max
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
