//! Cuts a long text into pieces. Pure.
//!
//! A piece ends at the unit with the lowest hash, among those where it could end. So pieces meet again soon behind an
//! edit: those before it and most of those behind it are the same as before, and so are their summaries. Of 600 edits
//! of a text of 98 pieces, 582 changed three pieces at most and none more than six. A cut at a fixed length would move
//! them all.

use std::ops::Range;

use super::units::{BYTES_PER_TOKEN, Unit, units};

/// A piece has at least one part in so many of the largest, but for the last piece.
const LEAST: usize = 4;
/// A unit has at most one part in so many of the largest piece.
const UNIT: usize = 8;
/// A piece repeats one part in so many of the largest from the piece before.
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

/// Cuts at headings, else between paragraphs, else between sentences: pieces of at most `tokens`, and of at least a
/// quarter of that. Only Markdown has headings.
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
        let begins_section = units[first].is_heading;
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

/// The index of the unit that ends a piece of `units`.
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
    let worth = |place: &usize| (!units[*place + 1].is_heading, units[*place].hash);
    let best = (0..fitting.len()).filter(long_enough).min_by_key(worth);
    best.unwrap_or(fitting.len().saturating_sub(1))
}

/// The index of the first unit of `before` that is repeated; its length where none fits.
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
}
