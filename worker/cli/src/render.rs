//! Texts for a terminal: ages, durations, tables, colours. Pure but for asking what stdout is. Everything that comes
//! from the database or the network passes `clean` before it is printed.

use std::io::{self, IsTerminal, Write};

use comfy_table::{Cell, Color, ColumnConstraint, ContentArrangement, Table, presets};
use jiff::{Timestamp, tz::TimeZone};

/// Below this many columns nothing is fitted.
const NARROWEST: u16 = 60;

/// Where the text goes to.
#[derive(Clone, Copy)]
pub(super) struct Screen {
    /// A person is looking, so lines are fitted to the window.
    pub(super) terminal: bool,
    colours: bool,
}

/// What a text means to the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Faint,
    Good,
    Warning,
    Bad,
}

impl Screen {
    /// Stdout as it is; colours only on a terminal and without NO_COLOR.
    pub(super) fn stdout() -> Self {
        let terminal = io::stdout().is_terminal();
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        Self {
            terminal,
            colours: terminal && !refused,
        }
    }

    /// The text in the colour of its tone.
    pub(super) fn paint(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Plain => return text.to_owned(),
            Tone::Faint => "2",
            Tone::Good => "32",
            Tone::Warning => "33",
            Tone::Bad => "1;31",
        };
        if self.colours {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// A table cell in the colour of its tone; control characters are taken out.
    pub(super) fn cell(self, tone: Tone, text: &str) -> Cell {
        let cell = Cell::new(clean(text));
        match tone {
            _ if !self.colours => cell,
            Tone::Plain => cell,
            Tone::Faint => cell.fg(Color::DarkGrey),
            Tone::Good => cell.fg(Color::Green),
            Tone::Warning => cell.fg(Color::DarkYellow),
            Tone::Bad => cell.fg(Color::Red),
        }
    }

    /// A table without lines. On a terminal its last column is fitted to the window; the others hold ids and names,
    /// which a line break would make useless.
    pub(super) fn table(self, header: &[&str]) -> Table {
        let mut table = Table::new();
        table
            .load_preset(presets::NOTHING)
            .set_header(header.iter().map(|name| self.cell(Tone::Faint, name)));
        // A terminal that does not know its width says 0.
        let fitted = self.terminal && table.width().is_some_and(|width| width >= NARROWEST);
        table.set_content_arrangement(if fitted {
            ContentArrangement::Dynamic
        } else {
            ContentArrangement::Disabled
        });
        if let Some(first) = table.column_mut(0) {
            first.set_padding((0, 1));
        }
        for at in 0..header.len().saturating_sub(1) {
            if let Some(column) = table.column_mut(at) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        table
    }

    /// Puts the cursor of a terminal onto an empty screen; nothing elsewhere.
    pub(super) fn clear(self) -> &'static str {
        if self.terminal { "\x1b[H\x1b[2J" } else { "" }
    }
}

/// Writes a line to stdout at once; a closed pipe is an error and no panic.
pub(super) fn line(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}")?;
    stdout.flush()
}

/// The rows of the window that stdout is; without a limit where it is none, or does not know.
pub(super) fn rows() -> usize {
    match rustix::termios::tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_row > 0 => size.ws_row.into(),
        _ => usize::MAX,
    }
}

/// Writes a text to stdout at once, without a line's end.
pub(super) fn raw(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// The lines of a table without the blanks at their ends.
pub(super) fn lines(table: &Table) -> String {
    table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

/// One line without control characters: a name or an error text could otherwise steer the terminal.
pub(super) fn clean(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\r' | '\t' => ' ',
            c if c.is_control() => '\u{fffd}',
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// At most `most` characters, the last an ellipsis when something was left out.
pub(super) fn clip(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// A count with its noun.
pub(super) fn count(number: i64, singular: &str, plural: &str) -> String {
    format!("{number} {}", if number == 1 { singular } else { plural })
}

/// An age for people: the two largest units.
#[expect(
    clippy::cast_possible_truncation,
    reason = "an age in seconds fits; the cast saturates"
)]
pub(super) fn age(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    if seconds < 1.0 {
        return format!("{:.0} ms", seconds * 1000.0);
    } else if seconds < 10.0 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds as i64;
    match whole {
        ..60 => format!("{whole} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        3600..86_400 => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
        _ => format!("{} d {} h", whole / 86_400, whole % 86_400 / 3600),
    }
}

/// A duration in milliseconds for people.
pub(super) fn duration(milliseconds: i32) -> String {
    if milliseconds < 1000 {
        format!("{milliseconds} ms")
    } else {
        age(f64::from(milliseconds) / 1000.0)
    }
}

/// The time of day here, with milliseconds.
pub(super) fn clock(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system())
        .strftime("%H:%M:%S%.3f")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_two_units() {
        let cases = [
            (-1.0, "0 ms"),
            (0.35, "350 ms"),
            (1.24, "1.2 s"),
            (59.9, "59 s"),
            (61.0, "1 min 1 s"),
            (7500.0, "2 h 5 min"),
            (273_600.0, "3 d 4 h"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(age(seconds), expected);
        }
        assert_eq!(duration(12), "12 ms");
        assert_eq!(duration(1500), "1.5 s");
    }

    #[test]
    fn a_text_cannot_steer_the_terminal() {
        assert_eq!(clean("a\x1b[31mb\nc\u{202e}"), "a\u{fffd}[31mb c\u{fffd}");
    }

    #[test]
    fn clipping_counts_characters() {
        assert_eq!(clip("äöü", 3), "äöü");
        assert_eq!(clip("äöüß", 3), "äö…");
    }

    #[test]
    fn colours_are_only_for_a_terminal() {
        let file = Screen {
            terminal: false,
            colours: false,
        };
        assert_eq!(file.paint(Tone::Bad, "x"), "x");
        let window = Screen {
            terminal: true,
            colours: true,
        };
        assert_eq!(window.paint(Tone::Good, "x"), "\x1b[32mx\x1b[0m");
    }
}
