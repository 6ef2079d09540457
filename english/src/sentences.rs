//! Owns where a sentence ends. It must not rank or cut.

use std::ops::Range;

use zerodb_hooks_lexical::stops::{is_closer, is_stop, is_stop_after, stands_alone};

use crate::abbreviations::{dot_ends, is_opener};
use crate::blocks::{Block, blocks};

/// The sentences of plain text or Markdown, in order, without marks of lists and headings. A heading or an item without
/// a full stop counts as one. Fenced code, table rows and rules are left out. Takes time linear in the text.
pub fn sentences(text: &str) -> impl Iterator<Item = &str> {
    detailed(text).map(|sentence| sentence.text)
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Sentence<'a> {
    pub text: &'a str,
    /// Start, in bytes of the whole text.
    pub start: usize,
    /// Whether it ends as a sentence does; a heading or a list item often does not.
    pub complete: bool,
    pub heading: bool,
}

pub(crate) fn detailed(text: &str) -> impl Iterator<Item = Sentence<'_>> {
    blocks(text).flat_map(|block| {
        let mut at = 0;
        std::iter::from_fn(move || {
            let (range, complete) = next_sentence(block.text, at)?;
            at = range.end;
            Some(sentence(block, range, complete))
        })
    })
}

fn sentence<'a>(block: Block<'a>, range: Range<usize>, complete: bool) -> Sentence<'a> {
    Sentence {
        text: &block.text[range.clone()],
        start: block.start + range.start,
        complete,
        heading: block.heading,
    }
}

/// The sentence that starts at or after `at`, and whether it is complete.
fn next_sentence(block: &str, at: usize) -> Option<(Range<usize>, bool)> {
    let start = at + block[at..].find(|c: char| !c.is_whitespace())?;
    let mut skip_to = start;
    for (offset, c) in block[start..].char_indices() {
        let place = start + offset;
        if place < skip_to || !is_stop_after(&block[start..place], c) {
            continue;
        }
        let end = after_stops(block, place);
        let is_end = if stands_alone(c) {
            !is_fraction(&block[start..place], c, &block[end..])
        } else {
            is_end(block, start, place, end)
        };
        if is_end {
            return Some((start..end, true));
        }
        skip_to = end;
    }
    let end = block.trim_end().len();
    Some((start..end, false))
}

/// The wide full stop between digits: a decimal.
fn is_fraction(before: &str, stop: char, after: &str) -> bool {
    let is_digit = |c: Option<char>| c.is_some_and(char::is_numeric);
    stop == '．' && is_digit(before.chars().next_back()) && is_digit(after.chars().next())
}

/// The end of the stops at `place` with the quotes and brackets that close after them, and a note mark such as `[3]`.
fn after_stops(block: &str, place: usize) -> usize {
    let stops = length_of_stops(&block[place..]);
    let rest = &block[place + stops..];
    let closers = rest.find(|c| !is_closer(c)).unwrap_or(rest.len());
    let rest = &rest[closers..];
    let note = rest
        .strip_prefix('[')
        .and_then(|inner| inner.split_once(']'))
        .map_or(0, |(note, _)| {
            if (1..=3).contains(&note.len()) && note.bytes().all(|b| b.is_ascii_digit()) {
                note.len() + 2
            } else {
                0
            }
        });
    place + stops + closers + note
}

/// The first character, which is a stop, and those after it. Tibetan writes `། །` where a section ends.
fn length_of_stops(text: &str) -> usize {
    let mut length = text.chars().next().map_or(0, char::len_utf8);
    loop {
        let rest = &text[length..];
        let next = rest.find(|c| !is_stop(c)).unwrap_or(rest.len());
        let spaced = rest.trim_start_matches(' ');
        length += match next {
            0 if text.starts_with('།') && spaced.starts_with('།') => rest.len() - spaced.len(),
            0 => return length,
            _ => next,
        };
    }
}

/// Whether the stops at `place..end` end the sentence that began at `start`.
fn is_end(block: &str, start: usize, place: usize, end: usize) -> bool {
    let rest = &block[end..];
    let following = rest.trim_start();
    if following.is_empty() {
        return true;
    }
    if following.len() == rest.len() {
        // No space: a decimal, a domain, a path. Where only letters have such stops, one may follow at once.
        return !block[place..].starts_with(['.', '!', '?', '…'])
            && following
                .trim_start_matches(is_opener)
                .starts_with(char::is_alphabetic);
    }
    let following = following.trim_start_matches(is_opener);
    if following.chars().next().is_some_and(char::is_lowercase) {
        return false;
    }
    let single_dot =
        block[place..end].starts_with('.') && !block[place + 1..end].starts_with(['.', '!', '?']);
    !single_dot || dot_ends(&block[start..place], following)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<&str> {
        for sentence in detailed(text) {
            assert_eq!(
                &text[sentence.start..sentence.start + sentence.text.len()],
                sentence.text
            );
        }
        sentences(text).collect()
    }

    #[test]
    fn a_stop_before_a_capital_ends_a_sentence() {
        assert_eq!(
            of("It rains. We stay in! Why not? Because…  Well."),
            ["It rains.", "We stay in!", "Why not?", "Because…", "Well."]
        );
        assert_eq!(
            of("Wrapped by an editor. It goes\non here."),
            ["Wrapped by an editor.", "It goes\non here."]
        );
    }

    #[test]
    fn abbreviations_numbers_and_names_do_not_end_one() {
        for text in [
            "Dr. Smith met Prof. Jones at St. Mary's.",
            "It costs 3.14 euros at shop.example.com today.",
            "Use a cache, e.g. Redis or i.e. something fast.",
            "J. R. R. Tolkien wrote it.",
            "The U.S. Senate met.",
            "Acme Inc. Chief Bob left.",
            "See fig. 3 and no. 5.",
            "Run cargo test... then wait.",
            "1. Install it.",
            "\"Really?\" he asked.",
            "Version 18.4 vs. Version 17.",
            "Am Montag z.B. Berlin besuchen.",
            "Am Montag z. B. Berlin besuchen, d. h. Potsdam nicht.",
            "Er kam i. d. R. Montags.",
        ] {
            assert_eq!(of(text).len(), 1, "{text:?} became {:?}", of(text));
        }
    }

    #[test]
    fn abbreviations_can_end_one() {
        assert_eq!(
            of("He joined Acme Inc. She left."),
            ["He joined Acme Inc.", "She left."]
        );
        assert_eq!(
            of("We met at 5 p.m. The room was full."),
            ["We met at 5 p.m.", "The room was full."]
        );
        assert_eq!(
            of("It was 2019. Berlin was cold."),
            ["It was 2019.", "Berlin was cold."]
        );
    }

    #[test]
    fn quotes_and_brackets_belong_to_the_sentence_they_close() {
        assert_eq!(
            of("He said \"No.\" She left. (It rained.) Done.[12] End."),
            [
                "He said \"No.\"",
                "She left.",
                "(It rained.)",
                "Done.[12]",
                "End."
            ]
        );
    }

    #[test]
    fn other_scripts() {
        assert_eq!(
            of("今日は雨です。家にいます！「本当？」はい。"),
            ["今日は雨です。", "家にいます！", "「本当？」", "はい。"]
        );
        assert_eq!(of("यह एक वाक्य है। यह दूसरा है।"), ["यह एक वाक्य है।", "यह दूसरा है।"]);
        assert_eq!(of("هل تعمل؟ نعم."), ["هل تعمل؟", "نعم."]);
        for (text, second) in [
            (
                "Հարկայինը բացվում է իննին։ Խնդրում ենք բերել ձեր փաստաթղթերը։",
                "Խնդրում",
            ),
            (
                "Հարկայինը բացվում է իննին: Խնդրում ենք բերել ձեր փաստաթղթերը:",
                "Խնդրում",
            ),
            ("አንድ ዓረፍተ ነገር ነው።ሁለተኛው ይህ ነው።", "ሁለተኛው"),
            ("ဤသည်မှာ၊ ပထမ ဝါကျဖြစ်သည်။ ဒါက ဒုတိယဖြစ်သည်။", "ဒါက"),
            ("នេះជាប្រយោគទីមួយ។ នេះជាប្រយោគទីពីរ។", "នេះជាប្រយោគទីពីរ"),
            ("འདི་ནི་དང་པོ་ཡིན། །འདི་ནི་གཉིས་པ་ཡིན།", "འདི་ནི་གཉིས"),
            ("Τι κάνεις; Είμαι καλά, ευχαριστώ.", "Είμαι"),
            ("یہ پہلا جملہ ہے۔ یہ دوسرا ہے۔", "یہ دوسرا"),
            ("यह पहला है।यह दूसरा है।", "यह दूसरा"),
            ("价格是３．１４元。 第二句。", "第二句"),
        ] {
            let found = of(text);
            assert_eq!(found.len(), 2, "{text}: {found:?}");
            assert!(found[1].starts_with(second), "{text}: {found:?}");
        }
        assert_eq!(of("यह श्लोक है॥१॥").len(), 1);
        assert_eq!(of("ประโยคแรก ประโยคที่สอง").len(), 1, "Thai has no stops");
    }

    #[test]
    fn markdown_is_split_at_its_blocks() {
        let text = "# Report\n\n- Sales grew. Costs fell\n- Staff is stable.\n\nThe end.";
        assert_eq!(
            of(text),
            [
                "Report",
                "Sales grew.",
                "Costs fell",
                "Staff is stable.",
                "The end."
            ]
        );
        let complete: Vec<bool> = detailed(text).map(|sentence| sentence.complete).collect();
        assert_eq!(complete, [false, true, false, true, true]);
    }
}
