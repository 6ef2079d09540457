//! Writes the text of a document that is made of headings, paragraphs, items and tables as Markdown, within a bound.
//!
//! Nothing is escaped: the text is searched, embedded and summarised, and a backslash that the reader of the document
//! does not see is noise in all of these. Words that only look like Markdown are guarded.

use crate::MAX_TEXT;
use crate::text::{Bounded, guarded};

/// The text as far as it has been written.
pub(crate) struct Writer {
    text: Bounded,
    /// Whether the last block was an item: items follow each other without an empty line.
    after_item: bool,
    /// Rows of the table that is being written.
    rows: usize,
    /// A heading that is written once something follows it.
    awaiting: Option<(usize, String)>,
}

impl Writer {
    /// An empty text of at most [`MAX_TEXT`] bytes.
    pub(crate) fn new() -> Self {
        Self {
            text: Bounded::new(MAX_TEXT),
            after_item: false,
            rows: 0,
            awaiting: None,
        }
    }

    /// A heading of level 1 to 6.
    pub(crate) fn heading(&mut self, level: usize, words: &str) {
        let words = one_line(words);
        self.awaiting = None;
        if !words.is_empty() {
            self.block(&format!("{} {words}", "#".repeat(level.clamp(1, 6))));
        }
    }

    /// A heading that is not of the document's words, such as the number of a slide: left out if nothing follows it.
    pub(crate) fn heading_if_followed(&mut self, level: usize, words: &str) {
        self.end_table();
        self.awaiting = Some((level, words.to_owned()));
    }

    /// A paragraph, whose lines stay lines; nothing if it has no words.
    pub(crate) fn paragraph(&mut self, words: &str) {
        self.markdown(&guarded(words.trim()));
    }

    /// Appends a text that is Markdown already.
    pub(crate) fn markdown(&mut self, text: &str) {
        let text = text.trim_end().trim_start_matches('\n');
        if !text.trim().is_empty() {
            self.block(text);
        }
    }

    /// An item of a list; the outermost level is 0.
    pub(crate) fn item(&mut self, level: usize, words: &str) {
        let words = one_line(words);
        if words.is_empty() {
            return;
        }
        self.begin();
        self.end_table();
        self.text.end_line(!self.after_item);
        self.text.push(&"  ".repeat(level.min(8)));
        self.text.push("- ");
        self.text.push(&guarded(&words));
        self.text.end_line(false);
        self.after_item = true;
    }

    /// A row of a table, the first of which is its head; nothing if all cells are empty.
    pub(crate) fn row(&mut self, cells: &[String]) {
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            return;
        }
        self.begin();
        self.text.end_line(self.rows == 0);
        let cells: Vec<String> = cells.iter().map(|cell| one_line(cell)).collect();
        self.text.push(&format!("| {} |\n", cells.join(" | ")));
        if self.rows == 0 {
            self.text.push(&format!("|{}\n", " --- |".repeat(cells.len())));
        }
        self.rows += 1;
        self.after_item = false;
    }

    /// Ends the table, so that the next row begins another.
    pub(crate) fn end_table(&mut self) {
        if self.rows > 0 {
            self.text.end_line(true);
        }
        self.rows = 0;
    }

    /// Notes that the document goes on and was not read further.
    pub(crate) fn truncate_here(&mut self) {
        self.text.truncate_here();
    }

    /// Whether something did not fit; nothing more will.
    pub(crate) fn is_full(&self) -> bool {
        self.text.is_truncated()
    }

    /// The clean text, and whether it was cut.
    pub(crate) fn finish(self) -> (String, bool) {
        self.text.finish()
    }

    fn begin(&mut self) {
        if let Some((level, words)) = self.awaiting.take() {
            self.heading(level, &words);
        }
    }

    fn block(&mut self, words: &str) {
        self.begin();
        self.end_table();
        self.text.end_line(true);
        self.text.push(words);
        self.text.end_line(false);
        self.after_item = false;
    }
}

/// Appends to the text of a cell, on its one line.
pub(crate) fn add_to_cell(cell: &mut String, words: &str) {
    let words = one_line(words);
    if !cell.is_empty() && !words.is_empty() {
        cell.push(' ');
    }
    cell.push_str(&words);
}

/// The words with one space between them.
pub(crate) fn one_line(words: &str) -> String {
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_that_nothing_follows_may_be_left_out() {
        let mut writer = Writer::new();
        writer.heading_if_followed(2, "one");
        writer.heading_if_followed(2, "two");
        writer.item(0, "a");
        writer.heading_if_followed(2, "three");
        assert_eq!(writer.finish().0, "## two\n\n- a");
    }

    #[test]
    fn blocks_are_apart_and_items_and_rows_together() {
        let cells = |words: [&str; 2]| words.map(str::to_owned);
        let mut writer = Writer::new();
        writer.heading(9, "A\n heading");
        writer.paragraph(" two\nlines ");
        writer.item(0, "a");
        writer.item(1, "b");
        writer.row(&cells(["x|y", "z\nz"]));
        writer.row(&cells(["", " "]));
        writer.row(&cells(["1", ""]));
        writer.end_table();
        writer.row(&cells(["other", "table"]));
        writer.paragraph("# no heading");
        let expected = "###### A heading\n\ntwo\nlines\n\n- a\n  - b\n\n| x|y | z z |\n| --- | --- |\n| 1 |  |\n\n\
                        | other | table |\n| --- | --- |\n\n\u{FDD0}# no heading";
        assert_eq!(writer.finish(), (expected.to_owned(), false));
    }
}
