//! The body of a document as Markdown: headings, paragraphs, items of lists, and tables by rows.

use std::io::BufRead;
use std::ops::ControlFlow;

use super::styles::{Role, Styles, role_by_outline};
use super::xml::{Element, Node, walk};
use crate::text::{Bounded, guarded};
use crate::{MAX_TEXT, ParseError};

/// What was deleted or moved away, the second form of what is there twice, and the code of fields.
const SKIPPED: &[&str] = &[
    "del",
    "moveFrom",
    "Fallback",
    "instrText",
    "delText",
    "pPrChange",
    "rPrChange",
];

/// The text as far as it has been read.
pub(super) struct Body<'styles> {
    styles: &'styles Styles,
    text: Bounded,
    /// More than one within a text box.
    paragraphs: Vec<Paragraph>,
    /// More than one within a cell.
    tables: Vec<Table>,
    /// How deep the walk is in something skipped.
    skipped: usize,
    in_text: bool,
    in_properties: bool,
    /// Whether the last paragraph was an item: items follow each other without an empty line.
    after_item: bool,
}

#[derive(Default)]
struct Paragraph {
    text: String,
    role: Option<Role>,
    level: usize,
}

#[derive(Default)]
struct Table {
    rows: usize,
    cells: Vec<String>,
    cell: String,
}

impl<'styles> Body<'styles> {
    /// The text, and whether it was cut.
    ///
    /// # Errors
    /// `malformed_document`.
    pub(super) fn read(
        part: &mut dyn BufRead,
        styles: &'styles Styles,
    ) -> Result<(String, bool), ParseError> {
        let mut body = Self {
            styles,
            text: Bounded::new(MAX_TEXT),
            paragraphs: Vec::new(),
            tables: Vec::new(),
            skipped: 0,
            in_text: false,
            in_properties: false,
            after_item: false,
        };
        walk(part, |node| {
            body.visit(&node);
            if body.text.is_truncated() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        Ok(body.text.finish())
    }

    fn visit(&mut self, node: &Node<'_>) {
        match node {
            Node::Open(element) if self.skipped > 0 || SKIPPED.contains(&element.name()) => self.skipped += 1,
            Node::Close(_) if self.skipped > 0 => self.skipped -= 1,
            Node::Open(element) => self.open(element),
            Node::Close(name) => self.close(name),
            Node::Text(text) if self.in_text && self.skipped == 0 => self.write(text),
            Node::Text(_) => {}
        }
    }

    fn open(&mut self, element: &Element<'_>) {
        match element.name() {
            "p" => self.paragraphs.push(Paragraph::default()),
            "pPr" => self.in_properties = true,
            "t" => self.in_text = true,
            "tbl" => self.tables.push(Table::default()),
            _ if self.in_properties => self.property(element),
            "tab" => self.write("\t"),
            "br" | "cr" => self.write("\n"),
            "noBreakHyphen" => self.write("-"),
            _ => {}
        }
    }

    fn property(&mut self, element: &Element<'_>) {
        let Some(paragraph) = self.paragraphs.last_mut() else {
            return;
        };
        let value = element.attribute("val");
        match (element.name(), value.as_deref()) {
            ("pStyle", Some(id)) => paragraph.role = self.styles.role(id),
            ("outlineLvl", Some(level)) => paragraph.role = role_by_outline(level).or(paragraph.role),
            ("numPr", _) => paragraph.role = paragraph.role.or(Some(Role::Item)),
            ("ilvl", Some(level)) => paragraph.level = level.parse::<usize>().unwrap_or(0).min(8),
            // A paragraph taken out of its list.
            ("numId", Some("0")) if paragraph.role == Some(Role::Item) => paragraph.role = None,
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "t" => self.in_text = false,
            "pPr" => self.in_properties = false,
            "p" => {
                if let Some(paragraph) = self.paragraphs.pop() {
                    self.end_paragraph(&paragraph);
                }
            }
            "tc" => {
                if let Some(table) = self.tables.last_mut() {
                    table.cells.push(std::mem::take(&mut table.cell));
                }
            }
            "tr" => self.end_row(),
            "tbl" => {
                self.tables.pop();
                if self.tables.is_empty() {
                    self.text.end_line(true);
                }
            }
            _ => {}
        }
    }

    fn write(&mut self, text: &str) {
        let Some(paragraph) = self.paragraphs.last_mut() else {
            return;
        };
        if paragraph.text.len() + text.len() > MAX_TEXT {
            self.text.truncate_here();
        } else {
            paragraph.text.push_str(text);
        }
    }

    fn end_paragraph(&mut self, paragraph: &Paragraph) {
        let text = paragraph.text.trim();
        if text.is_empty() {
            return;
        }
        if let Some(table) = self.tables.last_mut() {
            table.add(&one_line(text));
            return;
        }
        let item = paragraph.role == Some(Role::Item);
        self.text.end_line(!(item && self.after_item));
        match paragraph.role {
            Some(Role::Heading(level)) => {
                self.text.push(&"#".repeat(level));
                self.text.push(" ");
                self.text.push(&one_line(text));
            }
            Some(Role::Item) => {
                self.text.push(&"  ".repeat(paragraph.level));
                self.text.push("- ");
                self.text.push(&guarded(&one_line(text)));
            }
            None => {
                self.text.push(&guarded(text));
            }
        }
        self.after_item = item;
        self.text.end_line(false);
    }

    fn end_row(&mut self) {
        let Some(mut table) = self.tables.pop() else {
            return;
        };
        let cells = std::mem::take(&mut table.cells);
        if let Some(around) = self.tables.last_mut() {
            around.add(&cells.join(" "));
        } else {
            self.text.end_line(table.rows == 0);
            self.text.push(&format!("| {} |\n", cells.join(" | ")));
            if table.rows == 0 {
                self.text.push(&format!("|{}\n", " --- |".repeat(cells.len())));
            }
            self.after_item = false;
        }
        table.rows += 1;
        self.tables.push(table);
    }
}

impl Table {
    fn add(&mut self, text: &str) {
        if !self.cell.is_empty() && !text.is_empty() {
            self.cell.push(' ');
        }
        self.cell.push_str(text);
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(xml: &str) -> String {
        let xml = format!("<w:document><w:body>{xml}</w:body></w:document>");
        Body::read(&mut xml.as_bytes(), &Styles::default()).unwrap().0
    }

    fn paragraph(properties: &str, words: &str) -> String {
        format!("<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{words}</w:t></w:r></w:p>")
    }

    #[test]
    fn headings_paragraphs_and_lists() {
        let item = "<w:numPr><w:ilvl w:val='0'/><w:numId w:val='1'/></w:numPr>";
        let inner = "<w:numPr><w:ilvl w:val='1'/><w:numId w:val='1'/></w:numPr>";
        let xml = [
            paragraph("<w:pStyle w:val='Heading2'/>", "Bread"),
            paragraph("<w:tabs><w:tab w:val='left'/></w:tabs>", "Flour &amp; water."),
            paragraph(item, "hot"),
            paragraph(inner, "very hot"),
            paragraph("", "Eat."),
        ];
        assert_eq!(
            text(&xml.concat()),
            "## Bread\n\nFlour & water.\n\n- hot\n  - very hot\n\nEat."
        );
    }

    #[test]
    fn tables_are_rows_also_within_a_cell() {
        let cell = |inside: &str| format!("<w:tc>{inside}</w:tc>");
        let row = |cells: &str| format!("<w:tr>{cells}</w:tr>");
        let inner = format!(
            "<w:tbl>{}</w:tbl>",
            row(&(cell(&paragraph("", "x")) + &cell(&paragraph("", "y"))))
        );
        let rows = row(&(cell(&paragraph("", "a|b")) + &cell(&(paragraph("", "c") + &paragraph("", "d")))))
            + &row(&(cell("") + &cell(&inner)));
        assert_eq!(
            text(&format!("<w:tbl>{rows}</w:tbl>")),
            "| a|b | c d |\n| --- | --- |\n|  | x y |"
        );
    }

    #[test]
    fn what_was_deleted_or_is_there_twice_is_left_out() {
        let xml = "<w:p><w:r><w:t>kept </w:t></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>
                   <mc:AlternateContent><mc:Choice><w:r><w:t>once</w:t></w:r></mc:Choice>
                   <mc:Fallback><w:r><w:t>twice</w:t></w:r></mc:Fallback></mc:AlternateContent>
                   <w:r><w:instrText>PAGE</w:instrText></w:r></w:p>";
        assert_eq!(text(xml), "kept once");
    }
}
