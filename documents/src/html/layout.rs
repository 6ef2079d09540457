//! The text of a page as it grows: blocks, lines, items, rows. Knows no element, and writes no word that is not the
//! page's but the marks of headings, items, rows and code.

use crate::MAX_TEXT;
use crate::text::{Bounded, guarded};

/// More levels of lists than anybody indents.
const DEEPEST: usize = 8;

pub(super) struct Layout {
    text: Bounded,
    /// The words of the block that is open, with its line breaks.
    block: String,
    /// Whether an empty line comes before the next block.
    apart: bool,
    /// The level of the heading that is open.
    heading: Option<usize>,
    /// The number of the next item of each open list, if it has numbers.
    lists: Vec<Option<i64>>,
    /// The text that begins the next block, such as the mark of an item.
    mark: Option<String>,
    preformatted: usize,
    is_code: bool,
    in_cell: bool,
    cells: Vec<String>,
    /// Rows of the table that is open.
    rows: usize,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            text: Bounded::new(MAX_TEXT),
            block: String::new(),
            apart: false,
            heading: None,
            lists: Vec::new(),
            mark: None,
            preformatted: 0,
            is_code: false,
            in_cell: false,
            cells: Vec::new(),
            rows: 0,
        }
    }
}

impl Layout {
    /// Whether there is no room for more.
    pub(super) fn is_full(&self) -> bool {
        self.text.is_truncated()
    }

    pub(super) fn in_heading(&self) -> bool {
        self.heading.is_some()
    }

    /// Words as they stand in the page: runs of white space are one space, but in preformatted text.
    pub(super) fn words(&mut self, words: &str) {
        if self.block.len() + words.len() > 2 * MAX_TEXT {
            self.text.truncate_here();
        } else if self.preformatted > 0 {
            self.block.push_str(words);
        } else {
            for c in words.chars() {
                if !c.is_ascii_whitespace() && !c.is_control() {
                    self.block.push(c);
                } else if !self.block.ends_with([' ', '\n']) {
                    self.block.push(' ');
                }
            }
        }
    }

    pub(super) fn break_line(&mut self) {
        if self.is_one_line() {
            self.words(" ");
        } else {
            let end = self.block.trim_end_matches(' ').len();
            self.block.truncate(end);
            self.block.push('\n');
        }
    }

    /// Ends the open block; with `apart`, an empty line follows it.
    pub(super) fn end_block(&mut self, apart: bool) {
        if self.is_one_line() {
            self.words(" ");
        } else {
            self.flush();
            // The first paragraph of an item stands beside its mark.
            self.apart |= apart && self.mark.is_none();
        }
    }

    pub(super) fn begin_heading(&mut self, level: usize) {
        self.end_block(true);
        self.heading = self.heading.or(Some(level));
    }

    pub(super) fn end_heading(&mut self) {
        let Some(level) = self.heading.take() else {
            return;
        };
        let words = one_line(&std::mem::take(&mut self.block));
        if !words.is_empty() {
            self.mark = None;
            self.begin_line();
            self.text.push(&format!("{} {words}", "#".repeat(level)));
        }
        self.apart = true;
    }

    pub(super) fn begin_list(&mut self, number: Option<i64>) {
        self.end_block(self.lists.is_empty());
        self.lists.push(number);
    }

    pub(super) fn end_list(&mut self) {
        self.end_block(self.lists.len() == 1);
        self.lists.pop();
    }

    pub(super) fn begin_item(&mut self) {
        self.end_block(false);
        self.mark = Some(match self.lists.last_mut() {
            Some(Some(number)) => {
                *number = number.saturating_add(1);
                format!("{}. ", *number - 1)
            }
            _ => "- ".to_owned(),
        });
    }

    pub(super) fn end_item(&mut self) {
        self.end_block(false);
        self.mark = None;
        // Items follow each other without an empty line.
        self.apart = false;
    }

    pub(super) fn begin_preformatted(&mut self, is_code: bool) {
        self.end_block(true);
        self.preformatted += 1;
        self.is_code |= is_code && !self.is_one_line();
    }

    pub(super) fn end_preformatted(&mut self) {
        self.preformatted = self.preformatted.saturating_sub(1);
        if self.is_one_line() || self.preformatted > 0 {
            return;
        }
        let block = std::mem::take(&mut self.block);
        let words = block.trim_end().trim_start_matches('\n');
        if !words.trim().is_empty() {
            self.begin_line();
            if std::mem::take(&mut self.is_code) {
                let fence = "`".repeat(longest_run(words, '`').max(2) + 1);
                self.text.push(&format!("{fence}\n{words}\n{fence}"));
            } else {
                self.text.push(&guarded(words));
            }
        }
        self.is_code = false;
        self.apart = true;
    }

    pub(super) fn begin_cell(&mut self) {
        self.flush();
        self.in_cell = true;
    }

    pub(super) fn end_cell(&mut self) {
        self.in_cell = false;
        self.cells.push(one_line(&std::mem::take(&mut self.block)));
    }

    pub(super) fn end_row(&mut self) {
        self.flush();
        let cells = std::mem::take(&mut self.cells);
        if cells.iter().all(String::is_empty) {
            return;
        }
        self.begin_line();
        self.text.push(&format!("| {} |", cells.join(" | ")));
        if self.rows == 0 {
            self.text.push(&format!("\n|{}", " - |".repeat(cells.len())));
        }
        self.rows += 1;
    }

    pub(super) fn end_table(&mut self) {
        self.rows = 0;
        self.end_block(true);
    }

    /// The text, and whether it was cut.
    pub(super) fn finish(mut self) -> (String, bool) {
        self.flush();
        self.text.finish()
    }

    /// Whether a line break would break what is open.
    fn is_one_line(&self) -> bool {
        self.heading.is_some() || self.in_cell
    }

    fn flush(&mut self) {
        if self.preformatted > 0 {
            return;
        }
        let block = std::mem::take(&mut self.block);
        let words = block.trim();
        if words.is_empty() {
            return;
        }
        self.begin_line();
        let indent = "  ".repeat(self.lists.len().min(DEEPEST).saturating_sub(1));
        let mut mark = self.mark.take();
        let mut lines = String::with_capacity(words.len());
        let mut after_empty = false;
        for line in words.lines().map(str::trim) {
            // However many lines are empty, one is.
            if line.is_empty() && std::mem::replace(&mut after_empty, true) {
                continue;
            }
            if !lines.is_empty() {
                lines.push('\n');
            }
            if !line.is_empty() {
                after_empty = false;
                lines.push_str(&indent);
                lines.push_str(&mark.take().unwrap_or_else(|| self.continued()));
                lines.push_str(&guarded(line));
            }
        }
        self.text.push(&lines);
    }

    /// The text that begins a further line of an item, or of no item.
    fn continued(&self) -> String {
        if self.lists.is_empty() {
            String::new()
        } else {
            "  ".to_owned()
        }
    }

    /// Begins a line, after an empty one where it stands apart.
    fn begin_line(&mut self) {
        self.text.end_line(std::mem::take(&mut self.apart));
    }
}

fn one_line(words: &str) -> String {
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn longest_run(words: &str, mark: char) -> usize {
    words.split(|c| c != mark).map(str::len).max().unwrap_or(0)
}
