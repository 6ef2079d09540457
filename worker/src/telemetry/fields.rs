//! Fields of a line of the log in its text form: a value is a word or stands in quotes, and no control character is
//! written as it is.

use std::fmt::{self, Debug, Write};

use tracing::field::{Field, Visit};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::Writer;

/// The form of the fields.
pub struct Quoted;

impl<'writer> FormatFields<'writer> for Quoted {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut line = Line {
            writer,
            is_begun: false,
            result: Ok(()),
        };
        fields.record(&mut line);
        line.result
    }
}

struct Line<'writer> {
    writer: Writer<'writer>,
    is_begun: bool,
    result: fmt::Result,
}

impl Line<'_> {
    fn write(&mut self, field: &Field, value: impl fmt::Display) {
        let space = if self.is_begun { " " } else { "" };
        let written = match field.name() {
            "message" => write!(self.writer, "{space}{value}"),
            name => write!(self.writer, "{space}{name}={value}"),
        };
        self.is_begun = true;
        self.result = self.result.and(written);
    }
}

impl Visit for Line<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.write(field, format_args!("{value:?}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = format!("{value:?}");
        // The message is the program's own words, perhaps with values of others in it.
        if field.name() == "message" {
            self.write(field, Escaped(&text));
        } else if is_word(&text) {
            self.write(field, text);
        } else {
            self.write(field, format_args!("{text:?}"));
        }
    }
}

/// Whether a value ends where a reader thinks it does.
fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || "_-.:/+@,#%*".contains(c))
}

/// A text with its control characters, line separators and changes of direction escaped.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '"' | '\'' | '\\' => out.write_char(c)?,
                // What is not printable: it knows the separators and directions of Unicode too.
                _ => write!(out, "{}", c.escape_debug())?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Log {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    fn logged(what: impl FnOnce()) -> String {
        let log = Log::default();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(log.clone())
            .with_ansi(false)
            .with_target(false)
            .fmt_fields(Quoted)
            .finish();
        tracing::subscriber::with_default(subscriber, what);
        let bytes = log.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn nobody_forges_a_line_or_a_field() {
        for evil in [
            "a\nb",
            "a\r\nb",
            "a\u{1b}[2Jb",
            "a\u{2028}b",
            "a\u{85}b",
            "a\u{202e}b",
            "a\u{0}b",
            "a\u{b}b",
        ] {
            let text = logged(|| {
                tracing::info!(error = %evil, reason = evil, debug = ?evil, "said {evil}");
                tracing::info!(message = evil, event.id = 7);
            });
            assert_eq!(text.lines().count(), 2, "{text:?}");
            let is_clean = |c: char| c == '\n' || (!c.is_control() && !"\u{2028}\u{202e}".contains(c));
            assert!(text.chars().all(is_clean), "{text:?}");
        }
        let text =
            logged(|| tracing::info!(message = r#"x" event.id=evt_1 "#, error = %"y hook.name=other", n = 3));
        assert!(
            text.ends_with("\"x\\\" event.id=evt_1 \" error=\"y hook.name=other\" n=3\n"),
            "{text}"
        );
    }

    #[test]
    fn the_programs_own_words_are_as_they_were() {
        let text = logged(|| tracing::info!(hook.name = %"audit.1", after = 3, "it's \"done\""));
        assert!(
            text.ends_with("it's \"done\" hook.name=audit.1 after=3\n"),
            "{text}"
        );
    }
}
