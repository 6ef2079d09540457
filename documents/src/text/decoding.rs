//! From bytes to text by their mark, their label, or what they look like. A text whose encoding is not clear is
//! refused, with the way to say it: noise that is stored is found by nobody.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, GB18030, GBK, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE};

use super::bounded::Bounded;
use super::plausible;
use crate::ParseError;

/// Bytes that are looked at to guess an encoding, from the first on that is not ASCII.
const GUESSED_BY: usize = 256 << 10;
/// Bytes that are looked at to tell UTF-16 without a mark.
const UTF16_BY: usize = 8 << 10;

/// Decodes `bytes`: by their mark, else as `named`, else as UTF-8, else by a guess. Reads no more than `limit` bytes of
/// text need, cleans the text, and tells whether it was cut.
///
/// # Errors
/// `unknown_encoding`, where nothing names an encoding and none is likely.
pub(crate) fn decode(
    bytes: &[u8],
    named: Option<&'static Encoding>,
    limit: usize,
) -> Result<(String, bool), ParseError> {
    // UTF-16, two bytes for one, shrinks the most.
    let read = &bytes[..bytes.len().min(limit.saturating_mul(2).saturating_add(4))];
    let encoding = match (Encoding::for_bom(read), named) {
        (Some((encoding, _)), _) => encoding,
        // The label `utf-16` leaves the order of the bytes open.
        (None, Some(named)) if named == UTF_16LE => utf16_without_mark(read).unwrap_or(named),
        (None, Some(named)) if named != UTF_8 => named,
        (None, _) => guess(read)?,
    };
    let (mut text, _, failed) = encoding.decode(read);
    if failed
        && encoding != UTF_8
        && let Ok(utf8) = std::str::from_utf8(read)
    {
        // A page that somebody saved as UTF-8, and that still says what it was before.
        text = utf8.into();
    }
    let mut bounded = Bounded::new(limit);
    bounded.push(&text);
    let (text, truncated) = bounded.finish();
    Ok((text, truncated || read.len() < bytes.len()))
}

/// The encoding of a label; none for no label, and for the one that says that it is not known (RFC 1428).
///
/// # Errors
/// `unknown_charset`.
pub(crate) fn labelled(label: Option<&str>) -> Result<Option<&'static Encoding>, ParseError> {
    let Some(label) = label.filter(|label| !matches!(label.trim(), "" | "unknown-8bit")) else {
        return Ok(None);
    };
    // REPLACEMENT is of encodings that the web gave up; it decodes nothing.
    let encoding = Encoding::for_label(label.as_bytes()).filter(|encoding| *encoding != REPLACEMENT);
    encoding.map(Some).ok_or(ParseError::UnknownCharset)
}

/// UTF-16 where it is that without a mark; UTF-8 where it is that, or was before a few bytes were lost; else what
/// the detector of Firefox takes it for, if that looks like words.
fn guess(bytes: &[u8]) -> Result<&'static Encoding, ParseError> {
    if let Some(utf16) = utf16_without_mark(bytes) {
        return Ok(utf16);
    }
    let (valid, broken) = multibyte(bytes);
    // Other encodings have sequences of UTF-8 by chance, seldom as many as of other bytes, never eight times as many.
    if (broken == 0 && !bytes.contains(&0x1B)) || (valid > 0 && 8 * broken <= valid) {
        return Ok(UTF_8);
    }
    match detected(bytes) {
        Some(guessed) if guessed == UTF_8 || valid < broken || plausible::is_cjk(guessed) => Ok(guessed),
        _ if valid > 0 && broken <= valid => Ok(UTF_8),
        Some(guessed) => Ok(guessed),
        None => Err(ParseError::UnknownEncoding),
    }
}

/// The encoding that the detector takes the bytes for, if that gives words.
fn detected(bytes: &[u8]) -> Option<&'static Encoding> {
    let escape = bytes.iter().position(|byte| *byte == 0x1B).unwrap_or(bytes.len());
    // The bytes before tell a detector more.
    let from = Encoding::ascii_valid_up_to(bytes).min(escape).saturating_sub(64);
    let sample = &bytes[from..bytes.len().min(from + GUESSED_BY)];
    let is_cut = from + sample.len() < bytes.len();
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(sample, !is_cut);
    let guessed = match detector.guess(None, Utf8Detection::Allow) {
        encoding if encoding == GBK => GB18030,
        encoding => encoding,
    };
    let (text, _, failed) = guessed.decode(sample);
    let is_words = guessed == UTF_8 || ((!failed || is_cut) && plausible::is_plausible(&text, guessed));
    is_words.then_some(guessed)
}

/// The bytes of characters of UTF-8 beyond ASCII, and those that are none; a character that the end cuts off is
/// neither.
fn multibyte(bytes: &[u8]) -> (usize, usize) {
    let (mut valid, mut broken) = (0, 0);
    let mut at = 0;
    for chunk in bytes.utf8_chunks() {
        let words = chunk.valid();
        valid += words.bytes().filter(|byte| !byte.is_ascii()).count();
        at += words.len() + chunk.invalid().len();
        if at < bytes.len()
            || std::str::from_utf8(chunk.invalid()).is_err_and(|error| error.error_len().is_some())
        {
            broken += chunk.invalid().len();
        }
    }
    (valid, broken)
}

/// UTF-16 without a mark: bytes with NULs, which no other text has, that are words in one of the two orders.
pub(crate) fn utf16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(UTF16_BY) & !1];
    if bytes.len() < 2 || (bytes.len() % 2 == 1 && bytes.len() <= UTF16_BY) || !sample.contains(&0) {
        return None;
    }
    let little = plausible::words_of_utf16(sample, u16::from_le_bytes);
    let big = plausible::words_of_utf16(sample, u16::from_be_bytes);
    match (little, big) {
        (Some(little), Some(big)) if little < big => Some(UTF_16BE),
        (Some(_), _) => Some(UTF_16LE),
        (None, Some(_)) => Some(UTF_16BE),
        (None, None) => None,
    }
}

/// The charset parameter of a content type.
pub(crate) fn charset(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| value.trim().trim_matches(['"', '\'']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8], label: Option<&str>) -> String {
        decode(bytes, labelled(label).unwrap(), 1000).unwrap().0
    }

    #[test]
    fn marks_and_labels_tell_the_encoding() {
        assert_eq!(decoded("Grüße".as_bytes(), None), "Grüße");
        assert_eq!(decoded(b"\xEF\xBB\xBFa", Some("windows-1251")), "a");
        assert_eq!(decoded(b"\xFF\xFEG\0r\0\xFC\0", None), "Grü");
        assert_eq!(decoded(b"\xFE\xFF\0G\0r\0\xFC", Some("utf-8")), "Grü");
        assert_eq!(decoded(b"\x83\x65\x83\x58\x83\x67", Some("shift_jis")), "テスト");
        assert_eq!(decoded(b"\0G\0r\0\xFC", Some("utf-16")), "Grü");
        assert_eq!(labelled(Some("no-such-charset")), Err(ParseError::UnknownCharset));
        assert_eq!(labelled(Some("hz-gb-2312")), Err(ParseError::UnknownCharset));
        assert_eq!(labelled(Some("")), Ok(None));
    }

    #[test]
    fn a_label_that_cannot_be_true_gives_way_to_utf_8() {
        assert_eq!(
            decoded("税务局九点开门。".as_bytes(), Some("gb2312")),
            "税务局九点开门。"
        );
        assert_eq!(decoded("Büro".as_bytes(), Some("windows-1252")), "BÃ¼ro");
    }

    #[test]
    fn a_broken_byte_in_utf_8_spoils_one_character_only() {
        assert_eq!(
            decoded(b"Gr\xC3\xBC\xC3\x9Fe \xFF aus K\xC3\xB6ln", None),
            "Grüße \u{FFFD} aus Köln"
        );
    }

    #[test]
    fn text_is_cut_at_whole_characters() {
        let cut = |bytes: &[u8], limit| decode(bytes, None, limit).unwrap();
        assert_eq!(cut("aüüü".as_bytes(), 4), ("aü".to_owned(), true));
        assert_eq!(cut("aü".as_bytes(), 3), ("aü".to_owned(), false));
        assert_eq!(cut(&[b'a'; 100], 10), ("a".repeat(10), true));
        assert_eq!(cut(&b"a\xC3"[..], 10).0, "a\u{FFFD}");
    }

    #[test]
    fn the_charset_of_a_content_type() {
        assert_eq!(charset("text/html; a=b; Charset=\"utf-16\""), Some("utf-16"));
        assert_eq!(charset("text/html"), None);
    }
}
