//! Whether a guess of an encoding gives words. A guess is always made, also for a single letter; this says which to
//! trust. Pure.

use encoding_rs::{BIG5, EUC_JP, EUC_KR, Encoding, GB18030, ISO_2022_JP, SHIFT_JIS};

/// Bytes beyond ASCII below which nothing tells one encoding of Chinese, Japanese and Korean from another.
const LEAST_OF_CJK: usize = 10;
/// Letters below which nothing tells one alphabet from another.
const LEAST_OF_ALPHABET: usize = 5;

/// Whether `text`, as which a guess has read bytes that are not UTF-8, looks like words.
pub(super) fn is_plausible(text: &str, guessed: &'static Encoding) -> bool {
    if text.chars().any(is_noise) {
        return false;
    }
    if guessed == ISO_2022_JP {
        return true;
    }
    if is_cjk(guessed) {
        // Two bytes a character, as good as always.
        return 2 * text.chars().filter(|c| !c.is_ascii()).count() >= LEAST_OF_CJK;
    }
    let seen = Letters::of(text);
    // A few are slips of the keyboard: letters of two alphabets look alike.
    if 4 * (seen.mixed + seen.odd) > seen.latin + seen.other {
        return false;
    }
    if seen.other > 0 {
        return seen.other >= LEAST_OF_ALPHABET;
    }
    // Even Vietnamese has more letters without than with an accent; Cyrillic read as Latin has accents only.
    5 * seen.latin <= 3 * (seen.latin + seen.ascii)
}

/// Whether it is an encoding of Chinese, Japanese or Korean with several bytes a character.
pub(super) fn is_cjk(encoding: &'static Encoding) -> bool {
    [GB18030, BIG5, EUC_JP, EUC_KR, SHIFT_JIS].contains(&encoding)
}

/// Controls of the second set, private and unassigned places: no text of a legacy encoding has them.
fn is_noise(c: char) -> bool {
    matches!(c, '\u{80}'..='\u{84}' | '\u{86}'..='\u{9F}' | '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..)
}

#[derive(Default)]
struct Letters {
    ascii: usize,
    /// Latin ones beyond ASCII.
    latin: usize,
    /// It is of another alphabet.
    other: usize,
    /// Two alphabets meet within a word.
    mixed: usize,
    /// Capitals after small letters, and signs within words, where they are beyond ASCII.
    odd: usize,
}

impl Letters {
    fn of(text: &str) -> Self {
        let mut seen = Self::default();
        let mut before: Option<char> = None;
        let mut characters = text.chars().peekable();
        while let Some(c) = characters.next() {
            let last = before.replace(c).filter(|last| last.is_alphabetic());
            if !c.is_alphabetic() {
                let in_word = last.is_some() && characters.peek().is_some_and(|next| next.is_alphabetic());
                seen.odd += usize::from(in_word && !c.is_ascii() && !is_within_words(c));
                continue;
            }
            match c {
                _ if c.is_ascii() => seen.ascii += 1,
                _ if is_latin(c) => seen.latin += 1,
                _ => seen.other += 1,
            }
            if let Some(last) = last {
                seen.mixed += usize::from(is_latin(last) != is_latin(c));
                seen.odd += usize::from(last.is_lowercase() && c.is_uppercase() && !c.is_ascii());
            }
        }
        seen
    }
}

/// Apostrophes, dashes, points and combining marks.
fn is_within_words(c: char) -> bool {
    matches!(
        c,
        '\u{2010}'..='\u{2027}'
            | '\u{B7}'
            | '\u{A0}'
            | '\u{AD}'
            | '\u{300}'..='\u{36F}'
            | '\u{5B0}'..='\u{670}'
            | '\u{E31}'..='\u{E4E}'
    ) || c.is_whitespace()
}

fn is_latin(c: char) -> bool {
    c.is_ascii()
        || matches!(c, '\u{AA}' | '\u{B5}' | '\u{BA}' | '\u{C0}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}')
}

/// Counts the characters of UTF-16 that are of the most usual ones, as many as is needed to tell the right order of the
/// bytes from the wrong one; none where it is no text.
pub(super) fn words_of_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<usize> {
    let units = bytes.as_chunks::<2>().0.iter().map(|pair| unit(*pair));
    let (mut usual, mut last_failed) = (0, false);
    for decoded in char::decode_utf16(units) {
        // A pair that the end of the sample cuts off is the only one that may be broken.
        if last_failed {
            return None;
        }
        match decoded {
            Ok('\t' | '\n' | '\r' | ' ' | '\u{3000}'..='\u{3002}') => usual += 1,
            Ok(c) if c.is_control() && !matches!(c, '\u{B}' | '\u{C}' | '\u{85}') => return None,
            Ok(c) if is_noise(c) || matches!(c, '\u{FFF0}'..='\u{FFFF}') => return None,
            Ok(c) => usual += usize::from(c.is_ascii_alphanumeric()),
            Err(_) => last_failed = true,
        }
    }
    Some(usual)
}

#[cfg(test)]
mod tests {
    use encoding_rs::{WINDOWS_1251, WINDOWS_1252};

    use super::*;

    #[test]
    fn words_are_told_from_noise() {
        for (text, guessed, expected) in [
            ("Das Büro öffnet – für Müller", WINDOWS_1252, true),
            ("Grüße", WINDOWS_1252, true),
            ("Äà", WINDOWS_1252, false),
            ("Íàëîãîâàÿ ñëóæáà", WINDOWS_1252, false),
            ("l'ŽtŽ imp™ts GrŸ§e", WINDOWS_1252, false),
            ("Привет, мир", WINDOWS_1251, true),
            ("Да", WINDOWS_1251, false),
            ("Mokesиiш inspekcija", WINDOWS_1251, false),
            ("税務署は九時に開きます。", SHIFT_JIS, true),
            ("콱봤", EUC_KR, false),
            ("a\u{81}b", WINDOWS_1252, false),
        ] {
            assert_eq!(is_plausible(text, guessed), expected, "{text}");
        }
    }

    #[test]
    fn one_order_of_bytes_gives_words() {
        let bytes = |text: &str| {
            text.encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect::<Vec<u8>>()
        };
        let words = bytes("Налоговая служба");
        let right = words_of_utf16(&words, u16::from_le_bytes);
        assert!(right > words_of_utf16(&words, u16::from_be_bytes));
        assert_eq!(words_of_utf16(&bytes("a\0b"), u16::from_le_bytes), None);
    }
}
