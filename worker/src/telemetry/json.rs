//! Lines of the log in JSON: what JSON lets stand in a text and some programs take for the end of a line, or for
//! something else than a sign, is escaped.

use std::io::{self, Write};

/// Writes JSON on. Whatever is not ASCII stands within a text there, where an escape means the same.
pub struct Escaping<W>(pub W);

impl<W: Write> Write for Escaping<W> {
    /// `bytes` are whole lines.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        if text.contains(is_odd) {
            let mut escaped = String::with_capacity(text.len() + 16);
            for c in text.chars() {
                match is_odd(c) {
                    true => escaped.push_str(&format!("\\u{:04x}", u32::from(c))),
                    false => escaped.push(c),
                }
            }
            self.0.write_all(escaped.as_bytes())?;
        } else {
            self.0.write_all(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The control characters beyond ASCII's first, the separators of lines and paragraphs, the changes of direction.
fn is_odd(c: char) -> bool {
    matches!(c, '\u{7f}'..='\u{9f}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_and_means_the_same() {
        let text = "a\u{2028}b\u{85}c\u{202e}d\u{7f}é";
        let line = format!("{}\n", serde_json::json!({ "message": text }));
        let mut written = Escaping(Vec::new());
        written.write_all(line.as_bytes()).unwrap();
        let written = String::from_utf8(written.0).unwrap();
        assert!(!written.contains(is_odd), "{written}");
        let read: serde_json::Value = serde_json::from_str(&written).unwrap();
        assert_eq!(read["message"], text);
    }
}
