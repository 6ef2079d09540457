//! The output of a reading: its text, the notes of the paragraph, the title, and what waits to be decoded.

use crate::MAX_TEXT;
use crate::markdown::one_line;
use crate::text::Bounded;

/// The longest title that is kept.
const MAX_TITLE: usize = 1000;

pub(super) struct Output {
    text: Bounded,
    /// Cells that ended; a tab is written once something follows them in their row.
    ended_cells: usize,
    title: String,
    note: String,
    notes: Vec<String>,
    note_count: usize,
    /// Bytes of one font.
    pub(super) bytes: Vec<u8>,
    /// Characters in UTF-16.
    pub(super) units: Vec<u16>,
}

impl Default for Output {
    fn default() -> Self {
        Self {
            text: Bounded::new(MAX_TEXT),
            ended_cells: 0,
            title: String::new(),
            note: String::new(),
            notes: Vec::new(),
            note_count: 0,
            bytes: Vec::new(),
            units: Vec::new(),
        }
    }
}

impl Output {
    pub(super) fn write(&mut self, text: &str) {
        for _ in 0..std::mem::take(&mut self.ended_cells) {
            self.text.push("\t");
        }
        self.text.push(text);
    }

    pub(super) fn end_cell(&mut self) {
        self.ended_cells += 1;
    }

    pub(super) fn write_note(&mut self, text: &str) {
        if self.note.len() < MAX_TEXT {
            self.note.push_str(text);
        }
    }

    pub(super) fn write_title(&mut self, text: &str) {
        if self.title.len() < MAX_TITLE {
            self.title.push_str(text);
        }
    }

    pub(super) fn end_line(&mut self) {
        self.ended_cells = 0;
        self.text.end_line(false);
    }

    /// Ends the paragraph, which its notes follow.
    pub(super) fn end_paragraph(&mut self) {
        self.ended_cells = 0;
        self.text.end_line(true);
        for note in std::mem::take(&mut self.notes) {
            self.text.push(&note);
            self.text.end_line(true);
        }
    }

    pub(super) fn end_note(&mut self) {
        let note = one_line(&std::mem::take(&mut self.note));
        if !note.is_empty() {
            self.note_count += 1;
            self.notes.push(format!("[{}] {note}", self.note_count));
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.text.is_truncated()
    }

    /// Text, title, and whether the text was cut.
    pub(super) fn finish(mut self) -> (String, Option<String>, bool) {
        if !self.notes.is_empty() {
            self.end_paragraph();
        }
        let title = one_line(&self.title);
        let (text, truncated) = self.text.finish();
        (text, (!title.is_empty()).then_some(title), truncated)
    }
}
