//! Owns the marks that end a sentence, in every script: which they are, how they stand, and which one a text lacks at
//! its end. The one list for sentences, summaries and chunks. It must not look for sentences.
//!
//! The list is Unicode's property Sentence_Terminal, with what it leaves out though readers take it for an end: `…`,
//! and the shad of Tibetan. Left out of it are `၊` of Burmese, which is a comma, and the one-dot leader of tables of
//! contents.

use std::ops::RangeInclusive;

/// Whether `c` ends sentences wherever it stands, or can: `.` of "3.14" is one.
pub fn is_stop(c: char) -> bool {
    match c {
        '.' | '!' | '?' => true,
        // Most letters of most texts are told here.
        '\0'..'\u{589}' | '\u{3003}'..'\u{a4ff}' | '\u{abec}'..'\u{fe12}' => false,
        '…' | '།'..='༒' => true,
        '၊' | '\u{2024}' => false,
        _ => is_sentence_terminal(c),
    }
}

/// Whether the text may have a sentence's end at the character `c` after `before`: a stop, or a mark that is one in the
/// script of the letter before it, as `;` in Greek and the colon that is typed for `։` in Armenian.
pub fn is_stop_after(before: &str, c: char) -> bool {
    match c {
        ';' | '\u{37e}' => follows(before, &GREEK),
        ':' => follows(before, &['\u{531}'..='\u{58f}']),
        _ => is_stop(c),
    }
}

/// Whether the stop ends a sentence whatever follows it. The others also stand within numbers, names and abbreviations,
/// and need a space behind them.
pub fn stands_alone(c: char) -> bool {
    is_stop(c)
        && !matches!(
            c,
            '.' | '!' | '?' | '…' | '\u{61d}'..='\u{61f}' | '۔' | '।' | '॥'
                | '\u{203c}'..='\u{2049}'
                | '\u{2e2e}'..='\u{2e54}'
        )
}

/// Whether `c` closes a quote, a bracket or emphasis after a stop, and so belongs to its sentence.
pub fn is_closer(c: char) -> bool {
    matches!(
        c,
        '"' | '\''
            | ')'
            | ']'
            | '}'
            | '»'
            | '«'
            | '›'
            | '”'
            | '’'
            | '“'
            | '」'
            | '』'
            | '】'
            | '）'
            | '》'
            | '〉'
            | '〕'
            | '］'
            | '｣'
            | '*'
            | '_'
    )
}

/// Whether the text ends as a sentence does, perhaps within quotes or brackets.
pub fn ends_sentence(text: &str) -> bool {
    let bare = text.trim_end().trim_end_matches(is_closer);
    let mut letters = bare.chars();
    letters
        .next_back()
        .is_some_and(|last| is_stop_after(letters.as_str(), last))
}

/// The stop that the text lacks at its end, by the script of its last letter; `None` for a script that writes none,
/// such as Thai. Of scripts with two, the one that the text uses.
pub fn full_stop(text: &str) -> Option<char> {
    let last = text.chars().rev().find(|c| c.is_alphabetic()).unwrap_or('a');
    match last {
        '\u{531}'..='\u{58f}' => Some('։'),
        '\u{600}'..='\u{6ff}' if text.contains('۔') => Some('۔'),
        '\u{700}'..='\u{74f}' => Some('܀'),
        // Devanagari, Bengali, Gurmukhi, Odia.
        '\u{900}'..='\u{a7f}' | '\u{b00}'..='\u{b7f}' => Some('।'),
        '\u{e00}'..='\u{eff}' => None,
        '\u{f00}'..='\u{fff}' => Some('།'),
        '\u{1000}'..='\u{109f}' => Some('။'),
        '\u{1200}'..='\u{139f}' => Some('።'),
        '\u{1780}'..='\u{17ff}' => Some('។'),
        '\u{1800}'..='\u{18af}' => Some('᠃'),
        '\u{a980}'..='\u{a9df}' => Some('꧉'),
        '\u{3005}'..='\u{30ff}'
        | '\u{3400}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}' => Some('。'),
        _ => Some('.'),
    }
}

const GREEK: [RangeInclusive<char>; 2] = ['\u{384}'..='\u{3ff}', '\u{1f00}'..='\u{1fff}'];

fn follows(before: &str, letters: &[RangeInclusive<char>]) -> bool {
    let before = before.trim_end_matches(is_closer).chars().next_back();
    before.is_some_and(|letter| letters.iter().any(|range| range.contains(&letter)))
}

fn is_sentence_terminal(c: char) -> bool {
    let code = c as u32;
    let after = SENTENCE_TERMINAL.partition_point(|(first, _)| *first <= code);
    after > 0 && code <= SENTENCE_TERMINAL[after - 1].1
}

/// Sentence_Terminal of Unicode 16.0 behind ASCII, first and last; a test holds it against the crate regex-syntax.
#[rustfmt::skip]
const SENTENCE_TERMINAL: &[(u32, u32)] = &[
    (0x0589, 0x0589), (0x061d, 0x061f), (0x06d4, 0x06d4), (0x0700, 0x0702), (0x07f9, 0x07f9),
    (0x0837, 0x0837), (0x0839, 0x0839), (0x083d, 0x083e), (0x0964, 0x0965), (0x104a, 0x104b),
    (0x1362, 0x1362), (0x1367, 0x1368), (0x166e, 0x166e), (0x1735, 0x1736), (0x17d4, 0x17d5),
    (0x1803, 0x1803), (0x1809, 0x1809), (0x1944, 0x1945), (0x1aa8, 0x1aab), (0x1b4e, 0x1b4f),
    (0x1b5a, 0x1b5b), (0x1b5e, 0x1b5f), (0x1b7d, 0x1b7f), (0x1c3b, 0x1c3c), (0x1c7e, 0x1c7f),
    (0x2024, 0x2024), (0x203c, 0x203d), (0x2047, 0x2049), (0x2cf9, 0x2cfb), (0x2e2e, 0x2e2e),
    (0x2e3c, 0x2e3c), (0x2e53, 0x2e54), (0x3002, 0x3002), (0xa4ff, 0xa4ff), (0xa60e, 0xa60f),
    (0xa6f3, 0xa6f3), (0xa6f7, 0xa6f7), (0xa876, 0xa877), (0xa8ce, 0xa8cf), (0xa92f, 0xa92f),
    (0xa9c8, 0xa9c9), (0xaa5d, 0xaa5f), (0xaaf0, 0xaaf1), (0xabeb, 0xabeb), (0xfe12, 0xfe12),
    (0xfe15, 0xfe16), (0xfe52, 0xfe52), (0xfe56, 0xfe57), (0xff01, 0xff01), (0xff0e, 0xff0e),
    (0xff1f, 0xff1f), (0xff61, 0xff61), (0x10a56, 0x10a57), (0x10f55, 0x10f59), (0x10f86, 0x10f89),
    (0x11047, 0x11048), (0x110be, 0x110c1), (0x11141, 0x11143), (0x111c5, 0x111c6), (0x111cd, 0x111cd),
    (0x111de, 0x111df), (0x11238, 0x11239), (0x1123b, 0x1123c), (0x112a9, 0x112a9), (0x113d4, 0x113d5),
    (0x1144b, 0x1144c), (0x115c2, 0x115c3), (0x115c9, 0x115d7), (0x11641, 0x11642), (0x1173c, 0x1173e),
    (0x11944, 0x11944), (0x11946, 0x11946), (0x11a42, 0x11a43), (0x11a9b, 0x11a9c), (0x11c41, 0x11c42),
    (0x11ef7, 0x11ef8), (0x11f43, 0x11f44), (0x16a6e, 0x16a6f), (0x16af5, 0x16af5), (0x16b37, 0x16b38),
    (0x16b44, 0x16b44), (0x16d6e, 0x16d6f), (0x16e98, 0x16e98), (0x1bc9f, 0x1bc9f), (0x1da88, 0x1da88),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_that_of_unicode() {
        let parsed = regex_syntax::parse(r"\p{Sentence_Terminal}").unwrap();
        let regex_syntax::hir::HirKind::Class(regex_syntax::hir::Class::Unicode(class)) = parsed.kind()
        else {
            panic!("a class");
        };
        let behind_ascii = class.ranges().iter().filter(|range| range.start() > '\u{7f}');
        let expected: Vec<(u32, u32)> = behind_ascii
            .map(|range| (range.start() as u32, range.end() as u32))
            .collect();
        assert_eq!(SENTENCE_TERMINAL, expected);
    }

    #[test]
    fn the_short_way_leaves_no_stop_out() {
        for c in ('\u{80}'..=char::MAX).filter(|c| is_sentence_terminal(*c)) {
            assert_eq!(is_stop(c), !matches!(c, '၊' | '\u{2024}'), "{c:?}");
        }
        assert!(is_stop('…') && is_stop('།') && !is_stop('a') && !is_stop(',') && !is_stop('語'));
    }

    #[test]
    fn a_text_ends_with_the_stop_of_its_script() {
        for text in [
            "Done.",
            "\"Done!\"",
            "(Really?)",
            "今日は雨です。",
            "「はい。」",
            "هل تعمل؟",
            "ایک جملہ ہے۔",
            "यह है।",
            "Բարև։",
            "Բարև:",
            "ሰላም።",
            "မင်္ဂလာပါ။",
            "សួស្តី។",
            "བཀྲ་ཤིས།",
            "Τι κάνεις;",
            "Γεια.",
            "Wait…",
        ] {
            assert!(ends_sentence(text), "{text}");
        }
        for text in ["a;", "a:", "a,", "၊", "สวัสดีครับ", "", "  "] {
            assert!(!ends_sentence(text), "{text}");
        }
    }

    #[test]
    fn the_stop_that_is_lacking_is_that_of_the_script() {
        for (text, stop) in [
            ("A report", Some('.')),
            ("Отчёт", Some('.')),
            ("تقرير", Some('.')),
            ("یہ ہے۔ وہ ہے", Some('۔')),
            ("今日は雨", Some('。')),
            ("यह है", Some('।')),
            ("Բարև", Some('։')),
            ("ሰላም", Some('።')),
            ("မင်္ဂလာပါ", Some('။')),
            ("សួស្តី", Some('។')),
            ("བཀྲ་ཤིས", Some('།')),
            ("สวัสดีครับ", None),
            ("ສະບາຍດີ", None),
            ("42", Some('.')),
        ] {
            assert_eq!(full_stop(text), stop, "{text}");
        }
    }
}
