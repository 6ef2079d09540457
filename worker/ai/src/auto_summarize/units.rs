//! The units of a text, which no cut goes through: paragraphs, or parts of long ones. Pure.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;
use zerodb_hooks_documents::dense_tokens;

/// Bytes of prose that count as a token, the same as in `providers::estimate_tokens`.
pub const BYTES_PER_TOKEN: usize = 3;

/// A paragraph, or a part of one that is longer than a unit may be.
pub struct Unit {
    pub range: Range<usize>,
    /// Its tokens, as bytes of prose.
    pub weight: usize,
    pub is_heading: bool,
    /// The hash of its text, by which the place of a cut is chosen.
    pub hash: u64,
}

impl Unit {
    fn new(text: &str, range: Range<usize>, is_heading: bool) -> Self {
        // The same in every process, which is all that is needed of it.
        let mut hasher = DefaultHasher::new();
        text[range.clone()].hash(&mut hasher);
        let hash = hasher.finish();
        Self {
            weight: weight(&text[range.clone()]),
            range,
            is_heading,
            hash,
        }
    }
}

/// The tokens of a text, as bytes of prose.
fn weight(text: &str) -> usize {
    text.len().max(dense_tokens(text) * BYTES_PER_TOKEN)
}

/// All units of a text, in order, each of at most the weight `most`.
pub fn units(text: &str, most: usize, is_markdown: bool) -> Vec<Unit> {
    let mut units = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let end = paragraph_end(text, at, is_markdown);
        let heading = is_markdown && is_heading(&text[at..end]);
        if weight(&text[at..end]) <= most {
            units.push(Unit::new(text, at..end, heading));
        } else {
            split_paragraph(text, at..end, most, heading, &mut units);
        }
        at = end;
    }
    units
}

/// The end of a paragraph: after the next blank line, or before a heading. A heading is a paragraph of its own.
fn paragraph_end(text: &str, start: usize, is_markdown: bool) -> usize {
    let mut at = start;
    let mut is_blank = false;
    let is_heading = |line: &str| is_markdown && is_heading(line);
    for line in text[start..].split_inclusive('\n') {
        let begins = at > start;
        if begins && (is_heading(line) || (is_blank && !line.trim().is_empty())) {
            return at;
        }
        if begins && is_heading(&text[start..at]) && !line.trim().is_empty() {
            return at;
        }
        is_blank = line.trim().is_empty();
        at += line.len();
    }
    at
}

fn is_heading(line: &str) -> bool {
    let marks = line.bytes().take_while(|byte| *byte == b'#').count();
    (1..=6).contains(&marks) && line[marks..].starts_with(' ')
}

/// Appends the sentences of a paragraph; those that are too long in parts.
fn split_paragraph(text: &str, range: Range<usize>, most: usize, heading: bool, units: &mut Vec<Unit>) {
    let mut at = range.start;
    for sentence in text[range.clone()].split_sentence_bounds() {
        let end = at + sentence.len();
        while at < end {
            let cut = longest(text, at..end, most);
            units.push(Unit::new(text, at..cut, heading && at == range.start));
            at = cut;
        }
    }
}

/// The end of the longest part of `range` that weighs at most about so much; at least one character.
fn longest(text: &str, range: Range<usize>, most: usize) -> usize {
    let mut end = text.floor_char_boundary(range.end.min(range.start + most));
    while end > range.start && weight(&text[range.start..end]) > most {
        let shorter = (end - range.start) * 3 / 4;
        end = text.floor_char_boundary(range.start + shorter);
    }
    end.max(text.ceil_char_boundary(range.start + 1))
}

/// The headings of a text, at most so many bytes of them.
pub fn outline(text: &str, most: usize) -> String {
    let mut outline = String::new();
    for line in text.lines().filter(|line| is_heading(line)) {
        if outline.len() + line.len() + 1 > most {
            break;
        }
        outline.push_str(line.trim_end());
        outline.push('\n');
    }
    outline
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outline_has_the_headings() {
        assert_eq!(outline("# A\ntext\n#b\n## C\n", 100), "# A\n## C\n");
        assert_eq!(outline("# A\n## C\n", 5), "# A\n");
    }
}
