//! Text that grows to a limit and no further. It must not know what the text is of.

use super::cleaning::clean;

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
