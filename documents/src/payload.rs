//! Bytes that are written as letters within a text: images in `data:` addresses, certificates, attachments. Nobody
//! reads them, and a model takes them for words, so they are left out and what is around them stays.

use std::borrow::Cow;

/// Letters of base64 from which on they are no word, name, number or key that somebody might look for.
const LONG: usize = 200;
/// The same behind the beginning of a block that says that it is one (RFC 7468).
const LONG_IN_BLOCK: usize = 40;
/// A line of base64 that goes on in the next one is at least that long: programs cut at 60 to 76.
const LINE: usize = 48;
/// The longest type of a `data:` address that is looked at.
const TYPE: usize = 200;

/// The text without what is base64 in it. Of an image in a `data:` address its type stays, so that JSON and Markdown
/// stay what they are.
#[must_use]
pub fn without_payloads(text: &str) -> Cow<'_, str> {
    let (mut kept, mut from, mut at) = (String::new(), 0, 0);
    let bytes = text.as_bytes();
    while at < bytes.len() {
        if !is_letter(bytes[at]) {
            at += 1;
            continue;
        }
        let run = Run::at(bytes, at);
        let marked = text[..at].strip_suffix(";base64,");
        let shortest = if marked.is_some() || text[..at].trim_end().ends_with("-----") {
            LONG_IN_BLOCK
        } else {
            LONG
        };
        if run.letters >= shortest && (marked.is_some() || run.is_mixed()) {
            // The type of an address stays.
            let end = marked
                .filter(|before| is_data_address(before))
                .map_or(at, str::len);
            kept.push_str(&text[from..end]);
            from = run.end;
        }
        at = run.end;
    }
    if from == 0 {
        Cow::Borrowed(text)
    } else {
        kept.push_str(&text[from..]);
        Cow::Owned(kept)
    }
}

/// Letters of base64 one after another, also over the ends of lines.
struct Run {
    end: usize,
    letters: usize,
    upper: usize,
    lower: usize,
    digits: usize,
}

impl Run {
    fn at(bytes: &[u8], start: usize) -> Self {
        let mut run = Self {
            end: start,
            letters: 0,
            upper: 0,
            lower: 0,
            digits: 0,
        };
        let mut line = run.line(bytes, start);
        while line >= LINE {
            let next = past_line_end(bytes, run.end);
            if next == run.end || !next_line_belongs(bytes, next, line) {
                break;
            }
            line = run.line(bytes, next);
        }
        run
    }

    /// Takes the letters from there on; how many they are.
    fn line(&mut self, bytes: &[u8], start: usize) -> usize {
        let length = line_length(bytes, start);
        for byte in &bytes[start..start + length] {
            self.upper += usize::from(byte.is_ascii_uppercase());
            self.lower += usize::from(byte.is_ascii_lowercase());
            self.digits += usize::from(byte.is_ascii_digit());
        }
        self.letters += length;
        self.end = start + length;
        length
    }

    /// Whether it has letters of all sorts, as chance would have them: sequences of genes, hexadecimal numbers and
    /// names in one case do not.
    fn is_mixed(&self) -> bool {
        let share = |count: usize, percent: usize| count * 100 >= self.letters * percent;
        share(self.upper, 15) && share(self.lower, 15) && share(self.digits, 3)
    }
}

fn line_length(bytes: &[u8], start: usize) -> usize {
    bytes[start..].iter().take_while(|byte| is_letter(**byte)).count()
}

/// A line that is base64 to its end: as long as the one before, or the last one, which is shorter and whole.
fn next_line_belongs(bytes: &[u8], start: usize, before: usize) -> bool {
    let length = line_length(bytes, start);
    let line = &bytes[start..start + length];
    let ends = match bytes.get(start + length) {
        None => true,
        Some(byte) => matches!(byte, b'\n' | b'\r' | b'"' | b'\'' | b'\\' | b'<' | b')' | b'`'),
    };
    let last = length < before
        && length.is_multiple_of(4)
        && line
            .iter()
            .any(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'/' | b'='));
    length > 0 && ends && (length == before || last)
}

/// Behind the end of a line, also one that is written `\n`, and behind the space that its continuation begins with.
fn past_line_end(bytes: &[u8], at: usize) -> usize {
    let mut next = at;
    for (mark, length) in [(&b"\\r"[..], 2), (b"\r", 1), (b"\\n", 2), (b"\n", 1)] {
        if bytes[next..].starts_with(mark) {
            next += length;
        }
    }
    if next > at {
        next += bytes[next..]
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
    }
    next
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_')
}

/// Whether a text ends with `data:` and a type.
fn is_data_address(text: &str) -> bool {
    let start = text.ceil_char_boundary(text.len().saturating_sub(TYPE));
    let Some((_, kind)) = text[start..].rsplit_once("data:") else {
        return false;
    };
    !kind.contains(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '(' | '<'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Base64 of nothing in particular, in lines.
    fn base64(letters: usize, line: usize, end: &str) -> String {
        const LETTERS: &[u8] = b"iVBORw0KGgoAAAANSUhEUgAAAAUABb9qXfTz7mKpLd23+/sYQe";
        let all: Vec<char> = (0..letters)
            .map(|place| char::from(LETTERS[(place * 7 + place / 50) % LETTERS.len()]))
            .collect();
        let lines: Vec<String> = all.chunks(line).map(|line| line.iter().collect()).collect();
        lines.join(end)
    }

    #[test]
    fn bytes_written_as_letters_are_left_out() {
        let (image, lines) = (base64(800, 800, ""), base64(76 * 5 + 40, 76, "\n"));
        let (escaped, folded) = (base64(76 * 5 + 40, 76, "\\n"), base64(740, 74, "\r\n "));
        let key = base64(64 + 60, 64, "\n");
        for (text, expected) in [
            (
                format!("![a cat](data:image/png;base64,{image}) sleeps"),
                "![a cat](data:image/png) sleeps",
            ),
            (
                format!("<img src=\"data:image/png;base64,{image}\">"),
                "<img src=\"data:image/png\">",
            ),
            (
                "url(data:font/woff;base64,d09GMgABAAAAADcoAA4AAAAAd09GMgABAAAAADcoAA4A)".into(),
                "url(data:font/woff)",
            ),
            (
                format!("{{\"image\": \"{image}\", \"a\": 1}}"),
                "{\"image\": \"\", \"a\": 1}",
            ),
            (format!("{{\"image\": \"{escaped}\"}}"), "{\"image\": \"\"}"),
            (format!("Before.\n\n{lines}\n\nAfter."), "Before.\n\n\n\nAfter."),
            (
                format!("PHOTO;ENCODING=b:{folded}\r\nEND:VCARD"),
                "PHOTO;ENCODING=b:\r\nEND:VCARD",
            ),
            (
                format!("-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----"),
                "-----BEGIN PRIVATE KEY-----\n\n-----END PRIVATE KEY-----",
            ),
            (format!("{lines}\nRegards\n"), "\nRegards\n"),
            (format!("grüße {image} grüße"), "grüße  grüße"),
        ] {
            assert_eq!(without_payloads(&text), expected);
        }
    }

    #[test]
    fn what_somebody_may_look_for_stays() {
        for text in [
            "The token is dGhlIHRheCBvZmZpY2Ugb3BlbnMgYXQgbmluZQ==.".to_owned(),
            "see data:text/plain;base64,SGVsbG8= for this".to_owned(),
            "GATTACA".repeat(200),
            "0123456789abcdef".repeat(100),
            "someVeryLongNameOfAFunctionWithoutEnd".repeat(20),
            "-".repeat(500),
            "word\n".repeat(500),
            format!("https://example.org/{}", "a-long-way/".repeat(40)),
        ] {
            assert!(matches!(without_payloads(&text), Cow::Borrowed(_)), "{text}");
        }
    }
}
