//! Paragraphs and tables as they begin and end within each other, and what follows from that: which paragraph goes on
//! in the next one, and where a note is put.

use crate::MAX_TEXT;
use crate::markdown::{Writer, add_to_cell};

/// The role of a paragraph by its style.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ParagraphRole {
    /// A heading, of level 1 to 6.
    Heading(usize),
    /// An item of a list.
    Item,
}

/// The text as far as it has been read, and what is still open.
pub(crate) struct Blocks {
    text: Writer,
    /// More than one within a text box.
    paragraphs: Vec<Paragraph>,
    /// More than one within a cell.
    tables: Vec<Table>,
    /// A paragraph that goes on in the next one of its depth.
    carried: Option<Carried>,
    /// Notes of the paragraphs since the last one that could be followed by them.
    notes: Vec<String>,
}

#[derive(Default)]
pub(crate) struct Paragraph {
    text: String,
    pub(crate) role: Option<ParagraphRole>,
    pub(crate) level: usize,
    pub(crate) goes_on: GoesOn,
}

/// Whether the next paragraph is the rest of this one.
#[derive(Clone, Copy, Default, PartialEq)]
pub(crate) enum GoesOn {
    #[default]
    No,
    /// Its end was deleted, and the deletion is recorded.
    Joined,
    /// It is the large first letter of the next one.
    DropCap,
}

struct Carried {
    text: String,
    depth: usize,
}

#[derive(Default)]
struct Table {
    cells: Vec<String>,
    cell: String,
    /// Empty cells that are written once a full one follows.
    empty: usize,
}

/// More empty cells in a row are not kept apart.
const MAX_EMPTY: usize = 1000;

impl Blocks {
    pub(crate) fn new() -> Self {
        Self {
            text: Writer::new(),
            paragraphs: Vec::new(),
            tables: Vec::new(),
            carried: None,
            notes: Vec::new(),
        }
    }

    /// The text, and whether it was cut.
    pub(crate) fn finish(mut self) -> (String, bool) {
        self.tables.clear();
        self.end_box();
        self.write_notes();
        self.text.finish()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.text.is_full()
    }

    pub(crate) fn begin_paragraph(&mut self) {
        self.paragraphs.push(Paragraph::default());
    }

    /// The innermost open paragraph.
    pub(crate) fn paragraph(&mut self) -> Option<&mut Paragraph> {
        self.paragraphs.last_mut()
    }

    /// Appends to the innermost open paragraph.
    pub(crate) fn write(&mut self, text: &str) {
        let Some(paragraph) = self.paragraphs.last_mut() else {
            return;
        };
        if paragraph.text.len() + text.len() > MAX_TEXT {
            self.text.truncate_here();
        } else {
            paragraph.text.push_str(text);
        }
    }

    pub(crate) fn end_paragraph(&mut self) {
        let Some(mut paragraph) = self.paragraphs.pop() else {
            return;
        };
        let depth = self.depth();
        if let Some(carried) = self.carried.take_if(|carried| carried.depth == depth) {
            let rest = std::mem::replace(&mut paragraph.text, carried.text);
            if paragraph.text.len() + rest.len() > MAX_TEXT {
                self.text.truncate_here();
            } else {
                paragraph.text.push_str(&rest);
            }
        }
        if paragraph.goes_on == GoesOn::No || self.carried.is_some() {
            self.write_paragraph(&paragraph);
            return;
        }
        let text = match paragraph.goes_on {
            GoesOn::DropCap => paragraph.text.trim().to_owned(),
            _ => paragraph.text,
        };
        self.carried = Some(Carried { text, depth });
    }

    /// Ends what holds paragraphs: none that was to go on goes on.
    pub(crate) fn end_box(&mut self) {
        let depth = self.depth();
        if let Some(carried) = self.carried.take_if(|carried| carried.depth >= depth) {
            self.write_paragraph(&Paragraph {
                text: carried.text,
                ..Paragraph::default()
            });
        }
    }

    /// A heading of its own, outside of any paragraph.
    pub(crate) fn heading(&mut self, level: usize, words: &str) {
        self.text.heading(level, words);
    }

    /// A heading that is left out if nothing follows it.
    pub(crate) fn heading_if_followed(&mut self, level: usize, words: &str) {
        self.text.heading_if_followed(level, words);
    }

    /// The text of a document that is embedded between the paragraphs.
    pub(crate) fn embed(&mut self, text: &str) {
        match self.tables.last_mut() {
            Some(table) if table.cell.len() + text.len() > MAX_TEXT => self.text.truncate_here(),
            Some(table) => add_to_cell(&mut table.cell, text),
            None => self.text.markdown(text),
        }
    }

    /// A note of the innermost open paragraph.
    pub(crate) fn note(&mut self, text: String) {
        self.notes.push(text);
    }

    pub(crate) fn begin_table(&mut self) {
        self.tables.push(Table::default());
    }

    pub(crate) fn end_cell(&mut self) {
        self.end_cells(1);
    }

    /// Ends a cell that stands for some that are the same; a text is written once.
    pub(crate) fn end_cells(&mut self, count: usize) {
        self.end_box();
        let Some(table) = self.tables.last_mut() else {
            return;
        };
        if table.cell.is_empty() {
            table.empty = table.empty.saturating_add(count).min(MAX_EMPTY);
        } else {
            let empty = std::mem::take(&mut table.empty);
            table.cells.extend(std::iter::repeat_n(String::new(), empty));
            table.cells.push(std::mem::take(&mut table.cell));
        }
    }

    pub(crate) fn end_row(&mut self) {
        let Some(table) = self.tables.last_mut() else {
            return;
        };
        let mut cells = std::mem::take(&mut table.cells);
        let empty = std::mem::take(&mut table.empty);
        if !cells.is_empty() {
            // Made as wide as the others, unless it is the rest of a spreadsheet.
            cells.extend(std::iter::repeat_n(
                String::new(),
                if empty < 50 { empty } else { 0 },
            ));
        }
        let outer = self.tables.len().checked_sub(2);
        match outer.and_then(|outer| self.tables.get_mut(outer)) {
            Some(around) => add_to_cell(&mut around.cell, &cells.join(" ")),
            None => self.text.row(&cells),
        }
    }

    pub(crate) fn end_table(&mut self) {
        self.tables.pop();
        if self.tables.is_empty() {
            self.text.end_table();
            self.write_notes();
        }
    }

    fn write_paragraph(&mut self, paragraph: &Paragraph) {
        if let Some(table) = self.tables.last_mut() {
            add_to_cell(&mut table.cell, &paragraph.text);
            return;
        }
        match paragraph.role {
            Some(ParagraphRole::Heading(level)) => self.text.heading(level, &paragraph.text),
            Some(ParagraphRole::Item) => self.text.item(paragraph.level, &paragraph.text),
            None => self.text.paragraph(&paragraph.text),
        }
        if self.paragraphs.is_empty() {
            self.write_notes();
        }
    }

    fn write_notes(&mut self) {
        for note in std::mem::take(&mut self.notes) {
            self.text.paragraph(&note);
        }
    }

    /// The number of paragraphs and tables that are open.
    fn depth(&self) -> usize {
        self.paragraphs.len() + self.tables.len()
    }
}
