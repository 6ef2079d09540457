//! What the user reads: sections, rows of label, text and time, and a table. At most 100 columns; colours only on a
//! terminal and without NO_COLOR. It must not measure or decide anything.

use std::io::{IsTerminal, Write};
use std::sync::OnceLock;
use std::time::Duration;

/// Columns of the text of a row.
const BODY: usize = 75;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Faint,
    Title,
    Good,
    Warning,
    Bad,
}

fn colours() -> bool {
    static COLOURS: OnceLock<bool> = OnceLock::new();
    *COLOURS.get_or_init(|| {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        std::io::stdout().is_terminal() && !refused
    })
}

fn paint(tone: Tone, text: &str) -> String {
    let code = match tone {
        Tone::Plain => return text.to_owned(),
        Tone::Faint => "2",
        Tone::Title => "1",
        Tone::Good => "32",
        Tone::Warning => "33",
        Tone::Bad => "1;31",
    };
    if colours() {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

/// One line, at once. A reader who has gone away is no reason to stop before cleaning up.
pub fn say(tone: Tone, text: &str) {
    let mut out = std::io::stdout().lock();
    let _gone = writeln!(out, "{}", paint(tone, text)).and_then(|()| out.flush());
}

/// A new section with one or two lines on what it shows.
pub fn section(title: &str, about: &[&str]) {
    say(Tone::Title, &format!("\n{title}"));
    about
        .iter()
        .for_each(|line| say(Tone::Faint, &format!("  {line}")));
    say(Tone::Plain, "");
}

/// `  label    body                                                 right`
pub fn row(tone: Tone, label: &str, body: &str, right: &str) {
    let body = clip(body, BODY);
    let line = format!(
        "  {} {body:<BODY$} {right:>12}",
        paint(tone, &format!("{label:<8}"))
    );
    say(Tone::Plain, line.trim_end());
}

/// A table without lines; columns after the first are numbers.
pub fn table(header: &[&str], rows: &[Vec<String>]) {
    let width = |at: usize| {
        let cells = rows
            .iter()
            .filter_map(|row| row.get(at))
            .map(|cell| cell.chars().count());
        cells
            .chain(header.get(at).map(|name| name.len()))
            .max()
            .unwrap_or(0)
    };
    let line = |cells: Vec<&str>| -> String {
        let padded = cells.iter().enumerate().map(|(at, cell)| match at {
            0 => format!("  {cell:<0$}", width(0)),
            _ => format!("   {cell:>0$}", width(at)),
        });
        padded.collect()
    };
    say(Tone::Faint, &line(header.to_vec()));
    rows.iter()
        .for_each(|row| say(Tone::Plain, &line(row.iter().map(String::as_str).collect())));
}

/// One line of at most `most` characters. Runs of blanks stay: they align columns.
pub fn clip(text: &str, most: usize) -> String {
    let text = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    if text.clone().count() <= most {
        text.collect()
    } else {
        text.take(most - 1).chain(['…']).collect()
    }
}

pub fn kib(bytes: usize) -> String {
    #[expect(clippy::cast_precision_loss, reason = "file sizes are small")]
    let kib = bytes as f64 / 1024.0;
    format!("{kib:.1} KiB")
}

pub fn ms(milliseconds: f64) -> String {
    match milliseconds.abs() {
        ..100.0 => format!("{milliseconds:.1} ms"),
        100.0..1000.0 => format!("{milliseconds:.0} ms"),
        _ => format!("{:.2} s", milliseconds / 1000.0),
    }
}

pub fn elapsed(time: Duration) -> String {
    ms(time.as_secs_f64() * 1000.0)
}
