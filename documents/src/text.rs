//! From bytes in some encoding to clean, bounded text. Knows nothing of formats.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// Text that grows to a limit and no further.
pub(crate) struct Bounded {
    text: String,
    limit: usize,
    truncated: bool,
}

impl Bounded {
    /// An empty text of at most `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            text: String::new(),
            limit,
            truncated: false,
        }
    }

    /// Appends as much of `piece` as fits, in whole characters.
    pub(crate) fn push(&mut self, piece: &str) {
        let room = self.limit - self.text.len();
        let cut = piece.floor_char_boundary(room);
        self.truncated |= cut < piece.len();
        self.text.push_str(&piece[..cut]);
    }

    /// Whether something did not fit; nothing more will.
    pub(crate) fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// Notes that the document goes on and was not read further.
    pub(crate) fn truncate_here(&mut self) {
        self.truncated = true;
    }

    /// What has been appended so far.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Ends the line, if one has begun, and with `blank` leaves an empty line after it.
    pub(crate) fn end_line(&mut self, blank: bool) {
        let end = self.text.trim_end_matches(' ').len();
        self.text.truncate(end);
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.push("\n");
        }
        if blank && self.text.ends_with('\n') && !self.text.ends_with("\n\n") {
            self.push("\n");
        }
    }

    /// The clean text, and whether it was cut.
    pub(crate) fn finish(self) -> (String, bool) {
        (clean(self.text), self.truncated)
    }
}

/// Decodes `bytes`: by their mark, else as `label` (the charset of a content type), else as UTF-8, else as
/// Windows-1252, of which Latin-1 is a part. Reads no more than `limit` bytes of text need, cleans the text, and
/// tells whether it was cut.
pub(crate) fn decode(bytes: &[u8], label: Option<&str>, limit: usize) -> (String, bool) {
    // UTF-16, two bytes for one, shrinks the most.
    let read = &bytes[..bytes.len().min(limit.saturating_mul(2).saturating_add(4))];
    let encoding = match Encoding::for_bom(read) {
        Some((encoding, _)) => encoding,
        None => label
            .and_then(|label| Encoding::for_label(label.as_bytes()))
            .filter(|encoding| *encoding != UTF_8)
            .unwrap_or_else(|| guess(read)),
    };
    let (text, _, _) = encoding.decode(read);
    let mut bounded = Bounded::new(limit);
    bounded.push(&text);
    let cut = bounded.is_truncated() || read.len() < bytes.len();
    (clean(bounded.text), cut)
}

/// UTF-8 where it is that, or was before a few bytes were lost; else Windows-1252.
fn guess(bytes: &[u8]) -> &'static Encoding {
    let (mut multibyte, mut broken) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        multibyte += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    // A character of several bytes is UTF-8 by chance seldom enough to outweigh some broken ones.
    if broken <= 4 * multibyte {
        UTF_8
    } else {
        WINDOWS_1252
    }
}

/// The charset parameter of a content type.
pub(crate) fn charset(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| value.trim().trim_matches('"'))
    })
}

/// Lines end in `\n`; control characters, which neither Postgres nor a model wants, are left out, as is white space
/// at the end.
pub(crate) fn clean(mut text: String) -> String {
    if text.contains('\r') {
        text = text.replace("\r\n", "\n").replace('\r', "\n");
    }
    if text.contains(unwanted) {
        text.retain(|c| !unwanted(c));
    }
    text.truncate(text.trim_end().len());
    text
}

fn unwanted(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t') || c == '\u{FEFF}'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8], label: Option<&str>) -> String {
        decode(bytes, label, 1000).0
    }

    #[test]
    fn marks_labels_and_the_bytes_themselves_tell_the_encoding() {
        assert_eq!(decoded("Grüße".as_bytes(), None), "Grüße");
        assert_eq!(decoded(b"\xEF\xBB\xBFa", None), "a");
        assert_eq!(decoded(b"\xFF\xFEG\0r\0\xFC\0", None), "Grü");
        assert_eq!(decoded(b"\xFE\xFF\0G\0r\0\xFC", None), "Grü");
        assert_eq!(decoded(b"Gr\xFC\xDFe \x80", None), "Grüße €");
        assert_eq!(decoded(b"\x83\x65\x83\x58\x83\x67", Some("shift_jis")), "テスト");
        assert_eq!(decoded("Grüße".as_bytes(), Some("no-such-charset")), "Grüße");
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
        assert_eq!(decode("aüüü".as_bytes(), None, 4), ("aü".to_owned(), true));
        assert_eq!(decode("aü".as_bytes(), None, 3), ("aü".to_owned(), false));
        assert_eq!(decode(&[b'a'; 100], None, 10), ("a".repeat(10), true));
    }

    #[test]
    fn what_a_database_refuses_is_left_out() {
        assert_eq!(clean("a\0b\u{7}\r\nc\rd\te \n".to_owned()), "ab\nc\nd\te");
    }

    #[test]
    fn the_charset_of_a_content_type() {
        assert_eq!(charset("text/html; a=b; Charset=\"utf-16\""), Some("utf-16"));
        assert_eq!(charset("text/html"), None);
    }
}
