//! What is wrong in a file, and where. Never holds a value of the file, which may be a secret that somebody wrote
//! there.

use std::fmt;

/// A place of a file, as editors count: from 1, in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub line: u64,
    pub column: u64,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub place: Place,
    /// Where it is by the names of the keys, such as `hooks.on_retain[0].url`; empty for the file as a whole.
    pub path: String,
    pub what: String,
    /// What to do; may be empty.
    pub hint: String,
}

impl Mistake {
    pub(crate) fn new(place: Place, path: &str, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            place,
            path: path.into(),
            what: what.into(),
            hint: hint.into(),
        }
    }
}

/// All that is wrong in one file, by line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Mistakes {
    /// The file's name, as it was given.
    pub file: String,
    pub list: Vec<Mistake>,
}

impl Mistakes {
    pub(crate) fn new(file: &str, mut list: Vec<Mistake>) -> Self {
        list.sort_by_key(|mistake| mistake.place);
        list.dedup();
        Self {
            file: file.into(),
            list,
        }
    }

    /// A line for each: file, line, column, path, what it is, what to do.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.list.iter().map(|mistake| {
            let Mistake {
                place,
                path,
                what,
                hint,
            } = mistake;
            let path = if path.is_empty() {
                String::new()
            } else {
                format!("{path}: ")
            };
            let what = what.trim_end_matches('.');
            let hint = if hint.is_empty() {
                String::new()
            } else {
                format!(". {hint}")
            };
            format!(
                "{}:{}:{}: {path}{what}{hint}",
                self.file, place.line, place.column
            )
        })
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines().collect::<Vec<_>>().join("\n"))
    }
}
