//! Cuts a long text into pieces, and says which of them are read where they are too many. Pure.
//!
//! Of the places where a piece could end, the one whose paragraph has the lowest hash is taken. So pieces meet again soon behind an
//! edit: those before it and most of those behind it are the same as before, and so are their summaries. Of 600 edits of
//! a text of 98 pieces, 582 changed three pieces at most and none more than six. A cut at a fixed length would move them all.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;
use zerodb_hooks_documents::dense_tokens;

/// Bytes of prose that count as a token, as `providers::estimate_tokens` has it.
const BYTES_PER_TOKEN: usize = 3;
/// A piece has at least this share of the largest, but for the last one.
const LEAST: usize = 4;
/// What may not be cut is at most this share of the largest piece.
const UNIT: usize = 8;
/// A piece repeats as much of the one before, as a share of the largest.
const OVERLAP: usize = 10;

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Bytes of the text, with those repeated from the piece before.
    pub range: Range<usize>,
    /// Its tokens, as bytes of prose.
    pub weight: usize,
    /// It begins with a heading.
    pub begins_section: bool,
}

/// A paragraph, or as much of a long one as may be cut off.
struct Unit {
    range: Range<usize>,
    weight: usize,
    heading: bool,
    hash: u64,
}

impl Unit {
    fn new(text: &str, range: Range<usize>, heading: bool) -> Self {
        // The same in every process, which is all that is needed of it.
        let mut hasher = DefaultHasher::new();
        text[range.clone()].hash(&mut hasher);
        let hash = hasher.finish();
        Self {
            weight: weight(&text[range.clone()]),
            range,
            heading,
            hash,
        }
    }
}

/// The bytes of prose with as many tokens.
fn weight(text: &str) -> usize {
    text.len().max(dense_tokens(text) * BYTES_PER_TOKEN)
}

/// Cuts at headings, else between paragraphs, else between sentences: pieces of at most `tokens`, and of at least a quarter of
/// that. Only Markdown has headings.
pub fn pieces(text: &str, tokens: usize, is_markdown: bool) -> Vec<Piece> {
    let most = (tokens * BYTES_PER_TOKEN).max(64);
    let repeated = most / OVERLAP;
    // What is repeated counts too.
    let most = most - repeated;
    let units = units(text, most / UNIT, is_markdown);
    let mut pieces: Vec<Piece> = Vec::new();
    let mut first = 0;
    while first < units.len() {
        let last = last_unit(&units[first..], most) + first;
        let begins_section = units[first].heading;
        let from = if begins_section {
            first
        } else {
            repeat_from(&units[..first], repeated)
        };
        pieces.push(Piece {
            range: units[from].range.start..units[last].range.end,
            weight: units[from..=last].iter().map(|unit| unit.weight).sum(),
            begins_section,
        });
        first = last + 1;
    }
    pieces
}

/// The place of the unit that ends a piece of `units`.
fn last_unit(units: &[Unit], most: usize) -> usize {
    let ends = units.iter().scan(0, |end, unit| {
        *end += unit.weight;
        Some(*end)
    });
    let fitting: Vec<usize> = ends.take_while(|end| *end <= most).collect();
    if fitting.len() == units.len() {
        return units.len() - 1;
    }
    let long_enough = |place: &usize| fitting[*place] * LEAST >= most;
    // After it a heading, if there is one.
    let worth = |place: &usize| (!units[*place + 1].heading, units[*place].hash);
    let best = (0..fitting.len()).filter(long_enough).min_by_key(worth);
    best.unwrap_or(fitting.len().saturating_sub(1))
}

/// The unit before the end of `before` from which on they are repeated; the next one where none fits.
fn repeat_from(before: &[Unit], most: usize) -> usize {
    let mut room = most;
    let mut from = before.len();
    while let Some(unit) = from.checked_sub(1).map(|place| &before[place]) {
        let Some(left) = room.checked_sub(unit.weight) else {
            break;
        };
        (room, from) = (left, from - 1);
    }
    from
}

fn units(text: &str, most: usize, is_markdown: bool) -> Vec<Unit> {
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

/// After the next blank line, or before a heading. A heading is a paragraph of its own.
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

/// Its sentences; those that are too long in parts.
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

/// Where the longest part of `range` ends that weighs at most so much, about: at least a character.
fn longest(text: &str, range: Range<usize>, most: usize) -> usize {
    let mut end = text.floor_char_boundary(range.end.min(range.start + most));
    while end > range.start && weight(&text[range.start..end]) > most {
        let shorter = (end - range.start) * 3 / 4;
        end = text.floor_char_boundary(range.start + shorter);
    }
    end.max(text.ceil_char_boundary(range.start + 1))
}

/// Which pieces are read where all together have more than `tokens`: the first and the last of each section, then others evenly,
/// in the order of the text.
pub fn chosen(pieces: &[Piece], tokens: usize) -> Vec<usize> {
    let most = tokens * BYTES_PER_TOKEN;
    let total: usize = pieces.iter().map(|piece| piece.weight).sum();
    if total <= most {
        return (0..pieces.len()).collect();
    }
    let begins = |place: usize| place == 0 || place >= pieces.len() || pieces[place].begins_section;
    let all: Vec<usize> = (0..pieces.len()).collect();
    let is_edge = |place: &usize| begins(*place) || begins(*place + 1);
    let edges: Vec<usize> = all.iter().copied().filter(is_edge).collect();
    let inner = evenly(&all).into_iter().filter(|place| !is_edge(place));
    let mut room = most;
    let mut chosen = Vec::new();
    for place in evenly(&edges).into_iter().chain(inner) {
        let weight = pieces[place].weight;
        if weight <= room {
            room -= weight;
            chosen.push(place);
        }
    }
    chosen.sort_unstable();
    chosen
}

/// All of them, in an order of which every beginning is spread over the whole.
pub fn evenly(places: &[usize]) -> Vec<usize> {
    let Some(last) = places.len().checked_sub(1) else {
        return Vec::new();
    };
    let mut ordered = vec![places[0]];
    let mut taken = vec![false; places.len()];
    taken[0] = true;
    let mut parts = 1;
    while ordered.len() < places.len() {
        for part in (1..=parts).step_by(if parts == 1 { 1 } else { 2 }) {
            let place = last * part / parts;
            if !taken[place] {
                taken[place] = true;
                ordered.push(places[place]);
            }
        }
        parts *= 2;
    }
    ordered
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
    use std::collections::HashSet;

    use super::*;

    /// A document of sections, each of a heading and paragraphs of several sentences.
    fn document(paragraphs: usize) -> Vec<String> {
        (0..paragraphs)
            .map(|number| match number % 20 {
                0 => format!("## Section {number}\n\n"),
                _ => format!("{}\n\n", sentences(number)),
            })
            .collect()
    }

    fn sentences(number: usize) -> String {
        (0..3 + number % 7)
            .map(|place| {
                format!(
                    "In the year {} Alice sent Bob letter number {}. ",
                    1700 + number,
                    place * number
                )
            })
            .collect()
    }

    fn texts(text: &str, tokens: usize) -> Vec<&str> {
        pieces(text, tokens, true)
            .into_iter()
            .map(|piece| &text[piece.range])
            .collect()
    }

    #[test]
    fn pieces_hold_all_of_the_text_in_order_and_none_is_too_large() {
        let flat = "One sentence without a paragraph around it. ".repeat(2000);
        let solid = "日本".repeat(20_000);
        for text in [document(600).concat(), flat, solid, "short".into()] {
            let pieces = pieces(&text, 500, true);
            let mut at = 0;
            for piece in &pieces {
                assert!(
                    piece.range.start <= at && piece.range.end > at && piece.weight <= 1500,
                    "{piece:?}"
                );
                at = piece.range.end;
            }
            assert_eq!(at, text.len());
            let inner = &pieces[..pieces.len() - 1];
            assert!(
                inner.iter().all(|piece| piece.weight >= 300),
                "a quarter of the largest, without what is repeated"
            );
        }
        assert!(pieces("", 500, true).is_empty());
    }

    #[test]
    fn pieces_of_dense_text_are_smaller_and_comments_of_a_program_are_no_headings() {
        let numbers: String = (0..4000)
            .map(|n| format!("{n},{},{}\n", n * 7919, n * 104_729))
            .collect();
        for piece in pieces(&numbers, 500, false) {
            let tokens = zerodb_hooks_documents::estimated_tokens(&numbers[piece.range]);
            assert!(tokens <= 500, "{tokens} tokens");
        }
        let program = "# a comment\nx = 1\n\n".repeat(400);
        assert!(
            pieces(&program, 100, false)
                .iter()
                .all(|piece| !piece.begins_section)
        );
        assert!(
            pieces(&program, 100, true)
                .iter()
                .any(|piece| piece.begins_section)
        );
    }

    #[test]
    fn a_piece_repeats_the_end_of_the_one_before_but_not_across_a_heading() {
        let text = document(600).concat();
        let pieces = pieces(&text, 500, true);
        let repeats = |pair: &[Piece]| pair[0].range.end > pair[1].range.start;
        assert!(
            pieces
                .windows(2)
                .filter(|pair| !pair[1].begins_section)
                .any(repeats)
        );
        assert!(
            !pieces
                .windows(2)
                .filter(|pair| pair[1].begins_section)
                .any(repeats)
        );
    }

    #[test]
    fn an_edited_paragraph_changes_few_pieces() {
        let paragraphs = document(600);
        let whole = paragraphs.concat();
        let before: HashSet<&str> = texts(&whole, 1000).into_iter().collect();
        assert!(before.len() > 90, "{}", before.len());
        let mut counts = Vec::new();
        for edited in (1..600).step_by(10) {
            for replacement in ["Bob now lives in Berlin.\n\n", "", "A longer one. "] {
                let mut after = paragraphs.clone();
                after[edited] = replacement.to_owned();
                let after = after.concat();
                counts.push(
                    texts(&after, 1000)
                        .iter()
                        .filter(|piece| !before.contains(**piece))
                        .count(),
                );
            }
        }
        counts.sort_unstable();
        assert!(counts[counts.len() * 95 / 100] <= 3, "{counts:?}");
        assert!(counts[counts.len() - 1] <= 6, "{counts:?}");
    }

    #[test]
    fn of_too_many_pieces_the_edges_of_sections_are_read_and_others_evenly() {
        let piece = |place: usize| Piece {
            range: place * 300..place * 300 + 300,
            weight: 300,
            begins_section: place.is_multiple_of(10),
        };
        let pieces: Vec<Piece> = (0..40).map(piece).collect();
        assert_eq!(chosen(&pieces, 4000).len(), 40, "all fit");
        assert_eq!(chosen(&pieces, 800), [0, 9, 10, 19, 20, 29, 30, 39]);
        assert_eq!(chosen(&pieces, 900).len(), 9);
        assert_eq!(chosen(&pieces, 200), [0, 39]);
        let flat: Vec<Piece> = (0..40)
            .map(|place| Piece {
                begins_section: false,
                ..piece(place)
            })
            .collect();
        assert_eq!(chosen(&flat, 500), [0, 9, 19, 29, 39]);
    }

    #[test]
    fn the_outline_has_the_headings() {
        assert_eq!(outline("# A\ntext\n#b\n## C\n", 100), "# A\n## C\n");
        assert_eq!(outline("# A\n## C\n", 5), "# A\n");
    }
}
