//! The places where a text may be cut, and how well: a number for each place that only the words beside it decide.

use zerodb_hooks_lexical::stops::{is_closer, is_stop, stands_alone};

use super::headings::Outline;

/// Bytes after a place that are looked at to tell it from others of its class.
const LOOK: usize = 64;

/// A place where a text may be cut: before the byte `at`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) at: usize,
    /// Higher is better: first the class, then a hash of the words that follow.
    pub(super) rank: u64,
}

impl Place {
    pub(super) fn class(self) -> u64 {
        self.rank >> 56
    }
}

// Classes, from the worst. Headings follow: a sixth-level one is LINE + 2, a first-level one LINE + 7.
/// A line that goes on with the sentence of the line before, or of which that cannot be told.
const WRAP: u64 = 0;
const SENTENCE: u64 = 1;
/// A line that begins something: a sentence, an item, a row.
const LINE: u64 = 2;
const PARAGRAPH: u64 = 3;

/// All places of a text but its beginning, in order.
pub(super) fn places(text: &str, outline: &Outline) -> Vec<Place> {
    let mut places = Vec::new();
    let start = outline.start();
    let (mut at, mut after_blank, mut after_end) = (start, true, true);
    for line in text[start..].split_inclusive('\n') {
        let words = line.trim();
        if !words.is_empty() {
            let solid = outline.is_solid(at);
            if at > start {
                let class = class_of_line(
                    outline.level_at(at),
                    words,
                    after_blank && !solid,
                    after_end || solid,
                );
                places.push(Place {
                    at,
                    rank: rank(text, at, class),
                });
            }
            if !solid {
                sentences(line, |offset| {
                    places.push(Place {
                        at: at + offset,
                        rank: rank(text, at + offset, SENTENCE),
                    })
                });
            }
            after_end = words.ends_with(is_stop) || words.ends_with(is_closer);
        }
        after_blank = words.is_empty();
        at += line.len();
    }
    places
}

fn class_of_line(level: Option<usize>, words: &str, paragraph: bool, after_end: bool) -> u64 {
    match level {
        Some(level) => PARAGRAPH + 7 - level.min(6) as u64,
        None if paragraph => PARAGRAPH,
        None if after_end || words.starts_with(['-', '*', '+', '|', '>', '#', '•']) => LINE,
        None if words.starts_with(|c: char| c.is_ascii_digit()) => LINE,
        None => WRAP,
    }
}

/// Calls `found` with the beginning of each sentence of a line but the first. Coarser than the sentences of summaries:
/// an abbreviation before a space is an end.
fn sentences(line: &str, mut found: impl FnMut(usize)) {
    let bytes = line.as_bytes();
    let is_of_note = |byte: &u8| matches!(byte, b'.' | b'!' | b'?' | 0x80..);
    let mut at = 0;
    // Between sentences, what is no stop is passed by; most lines have none.
    while let Some(passed) = bytes[at..].iter().position(is_of_note) {
        at += passed;
        // A stop that stands alone needs no space behind it: what follows is the next sentence, unless it closes this
        // one.
        let (mut ended, mut spaced, mut alone) = (false, false, false);
        for letter in line[at..].chars() {
            let space = letter.is_whitespace();
            let begins = spaced || alone && !is_closer(letter);
            if begins && !space && !stands_alone(letter) {
                found(at);
                (ended, spaced, alone) = (false, false, false);
            }
            if is_stop(letter) {
                (ended, spaced, alone) = (true, false, stands_alone(letter));
            } else if space {
                spaced = ended;
            } else if !is_closer(letter) {
                (ended, spaced, alone) = (false, false, false);
            }
            at += letter.len_utf8();
            if !ended {
                break;
            }
        }
    }
}

fn rank(text: &str, at: usize, class: u64) -> u64 {
    let end = text.floor_char_boundary(at + LOOK);
    class << 56 | hash(&text.as_bytes()[at..end]) >> 8
}

/// FNV-1a, with the last step of SplitMix64 to spread it: chunks must be the same in every version, which the hashes
/// of the standard library do not promise.
fn hash(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in bytes {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash = (hash ^ hash >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ hash >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ hash >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, markdown: bool) -> Vec<(&str, u64)> {
        let outline = if markdown {
            Outline::of(text)
        } else {
            Outline::default()
        };
        let words = |at: usize| text[at..].split(['\n', ' ']).next().unwrap();
        places(text, &outline)
            .iter()
            .map(|place| (words(place.at), place.class()))
            .collect()
    }

    #[test]
    fn sentences_lines_paragraphs_and_headings_in_their_order() {
        let text = "One two. Three\nfour? \"Five.\" Six.\nSeven\n\nEight\n\n# Nine\n\n###### Ten\n";
        assert_eq!(
            found(text, true),
            [
                ("Three", SENTENCE),
                ("four?", WRAP),
                ("\"Five.\"", SENTENCE),
                ("Six.", SENTENCE),
                ("Seven", LINE),
                ("Eight", PARAGRAPH),
                ("#", PARAGRAPH + 6),
                ("######", PARAGRAPH + 1),
            ]
        );
    }

    #[test]
    fn sentences_without_spaces_are_found() {
        assert_eq!(found("今日は。明日は！", false), [("明日は！", SENTENCE)]);
        assert_eq!(found("「本当？」はい。", false), [("はい。", SENTENCE)]);
        assert_eq!(found("ነው።ሁለተኛው", false), [("ሁለተኛው", SENTENCE)]);
        assert_eq!(found("ཡིན། །འདི།", false), [("འདི།", SENTENCE)]);
    }

    #[test]
    fn nothing_is_a_paragraph_or_sentence_within_code() {
        let classes: Vec<u64> = found("a\n\n```\nb. c\n\nd\n```\n", true)
            .iter()
            .map(|(_, class)| *class)
            .collect();
        assert_eq!(classes, [PARAGRAPH, LINE, LINE, LINE]);
    }

    #[test]
    fn the_hash_is_the_same_for_ever() {
        assert_eq!(hash(b"zerodb"), 0xd08f90f888cbed7a);
    }
}
