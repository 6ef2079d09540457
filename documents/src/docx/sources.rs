//! The things that a body refers to: styles, notes, embedded documents. It must not read them.

use std::collections::HashMap;

use super::styles::Styles;

/// The texts of the notes, each on one line.
pub(super) type Notes = HashMap<(NoteKind, String), String>;

/// Footnotes and endnotes have ids of their own.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum NoteKind {
    Foot,
    End,
}

/// The things that a body refers to.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    pub(super) styles: &'a Styles,
    pub(super) notes: Option<&'a Notes>,
    /// The texts of embedded documents by the id of their relationship.
    pub(super) embedded: Option<&'a HashMap<String, String>>,
}
