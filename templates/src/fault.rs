//! The faults of templates. They must not hold any of a template's text.

/// The largest template, in bytes.
pub const MAX_TEMPLATE: usize = 64 << 10;

/// A fault of a template, or of what it does. Never holds any of its text.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Fault {
    #[error("more than {MAX_TEMPLATE} bytes")]
    TooLong,
    #[error("{}", in_line(what, *line))]
    Wrong { what: String, line: Option<usize> },
    #[error("it writes more than {most} bytes")]
    TooMuch { most: usize },
}

impl Fault {
    pub(crate) fn of(error: &minijinja::Error) -> Self {
        Self::Wrong {
            what: error.kind().to_string(),
            line: error.line(),
        }
    }
}

fn in_line(what: &str, line: Option<usize>) -> String {
    match line {
        Some(line) => format!("{what} in line {line}"),
        None => what.to_owned(),
    }
}
