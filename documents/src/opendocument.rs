//! Texts, spreadsheets and slides of the OpenDocument format as Markdown, from a package or from one flat XML file.

use std::io::BufRead;
use std::ops::ControlFlow;

use crate::blocks::{Blocks, ParagraphRole};
use crate::package::{Archive, Broken, Element, Node, title, walk};
use crate::{Document, Kind, MAX_INPUT, ParseError, text};

const MALFORMED: ParseError = ParseError::MalformedDocument(Kind::OpenDocument);
/// Elements of deletions, remarks, readings of words, descriptions of images, images as base64, and programs.
const SKIPPED: &[&str] = &[
    "tracked-changes",
    "annotation",
    "ruby-text",
    "note-citation",
    "desc",
    "title",
    "binary-data",
    "forms",
    "scripts",
    "event-listeners",
    "sequence-decls",
    "variable-decls",
    "user-field-decls",
    "shapes",
    "linenumbering-separator",
];
/// Spaces that are written as one element.
const MAX_SPACES: usize = 100;

/// # Errors
/// `malformed_document`, `encrypted_document`, `zip_bomb`.
pub(crate) fn parse(bytes: &[u8]) -> Result<Document, ParseError> {
    if !bytes.starts_with(b"PK") {
        let (xml, _) = text::decode(bytes, None, MAX_INPUT)?;
        let (text, truncated) = Content::read(&mut xml.as_bytes()).map_err(|Broken| MALFORMED)?;
        return Ok(document(text, None, truncated));
    }
    let mut archive = Archive::open(bytes, Kind::OpenDocument)?;
    if archive.read_if_whole("META-INF/manifest.xml", is_encrypted)? == Some(true) {
        return Err(ParseError::EncryptedDocument(Kind::OpenDocument));
    }
    let content = archive.read("content.xml", |part| Content::read(part))?;
    let (text, truncated) = content.ok_or(MALFORMED)?;
    let title = archive.read_if_whole("meta.xml", title)?.flatten();
    Ok(document(text, title, truncated))
}

fn document(text: String, title: Option<String>, truncated: bool) -> Document {
    Document {
        text,
        kind: Kind::OpenDocument,
        title,
        truncated,
    }
}

fn is_encrypted(part: &mut dyn BufRead) -> Result<bool, Broken> {
    let mut encrypted = false;
    walk(part, |node| {
        encrypted |= matches!(node, Node::Open(element) if element.name() == "encryption-data");
        if encrypted {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    Ok(encrypted)
}

/// The walk through the content.
struct Content {
    blocks: Blocks,
    in_body: bool,
    skipped: usize,
    /// Lists around the walk.
    lists: usize,
    /// Notes around the walk, whose paragraphs are theirs.
    notes: usize,
    note: String,
    note_count: usize,
    /// Paragraphs around the walk: text elsewhere is none.
    paragraphs: usize,
    /// The number of times that the cell is repeated.
    repeated: usize,
    in_title: bool,
    in_spreadsheet: bool,
}

impl Content {
    /// The text, and whether it was cut.
    fn read(part: &mut dyn BufRead) -> Result<(String, bool), Broken> {
        let mut content = Self {
            blocks: Blocks::new(),
            in_body: false,
            skipped: 0,
            lists: 0,
            notes: 0,
            note: String::new(),
            note_count: 0,
            paragraphs: 0,
            repeated: 1,
            in_title: false,
            in_spreadsheet: false,
        };
        walk(part, |node| {
            content.visit(&node);
            if content.blocks.is_full() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        Ok(content.blocks.finish())
    }

    fn visit(&mut self, node: &Node<'_>) {
        match node {
            Node::Open(element) if !self.in_body => self.in_body = element.name() == "body",
            _ if !self.in_body => {}
            Node::Open(element) if self.skipped > 0 || SKIPPED.contains(&element.name()) => self.skipped += 1,
            Node::Close(_) if self.skipped > 0 => self.skipped -= 1,
            Node::Open(element) => self.open(element),
            Node::Close(name) => self.close(name),
            Node::Text(text) if self.paragraphs > 0 && self.skipped == 0 => self.write_collapsed(text),
            Node::Text(_) => {}
        }
    }

    fn open(&mut self, element: &Element<'_>) {
        match element.name() {
            "h" => {
                let level = element
                    .attribute("outline-level")
                    .and_then(|level| level.parse().ok());
                self.begin_paragraph(Some(ParagraphRole::Heading(level.unwrap_or(1).clamp(1, 6))));
            }
            "p" => {
                let title = self.in_title.then_some(ParagraphRole::Heading(2));
                self.begin_paragraph(title.or((self.lists > 0).then_some(ParagraphRole::Item)));
            }
            "spreadsheet" => self.in_spreadsheet = true,
            "list" => self.lists += 1,
            "note" => self.notes += 1,
            "table" => {
                // Sheets have their names on a tab; the names of tables within a text nobody sees.
                if let Some(name) = element.attribute("name").filter(|_| self.in_spreadsheet) {
                    self.blocks.heading_if_followed(2, &name);
                }
                self.blocks.begin_table();
            }
            "table-cell" | "covered-table-cell" => self.repeated = count(element, "number-columns-repeated"),
            "frame" => self.in_title = element.attribute("class").as_deref() == Some("title"),
            "s" => {
                let spaces = count(element, "c").min(MAX_SPACES);
                self.write(&" ".repeat(spaces));
            }
            "tab" => self.write("\t"),
            "line-break" => self.write("\n"),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "h" | "p" => self.end_paragraph(),
            "list" => self.lists = self.lists.saturating_sub(1),
            "note" => {
                self.notes = self.notes.saturating_sub(1);
                let note = crate::markdown::one_line(&std::mem::take(&mut self.note));
                if !note.is_empty() {
                    self.note_count += 1;
                    self.blocks.note(format!("[{}] {note}", self.note_count));
                }
            }
            "table-cell" | "covered-table-cell" => {
                self.blocks.end_cells(std::mem::replace(&mut self.repeated, 1))
            }
            "table-row" => self.blocks.end_row(),
            "table" => self.blocks.end_table(),
            "frame" => self.in_title = false,
            _ => {}
        }
    }

    fn begin_paragraph(&mut self, role: Option<ParagraphRole>) {
        self.paragraphs += 1;
        if self.notes > 0 {
            return;
        }
        self.blocks.begin_paragraph();
        if let Some(paragraph) = self.blocks.paragraph() {
            paragraph.role = role;
            paragraph.level = self.lists.saturating_sub(1);
        }
    }

    fn end_paragraph(&mut self) {
        self.paragraphs = self.paragraphs.saturating_sub(1);
        if self.notes > 0 {
            self.note.push(' ');
        } else {
            self.blocks.end_paragraph();
        }
    }

    /// White space of the file is one space (OpenDocument 1.3, 6.1.2).
    fn write_collapsed(&mut self, text: &str) {
        let mut collapsed = String::with_capacity(text.len());
        for letter in text.chars() {
            if !letter.is_ascii_whitespace() {
                collapsed.push(letter);
            } else if !collapsed.ends_with(' ') {
                collapsed.push(' ');
            }
        }
        self.write(&collapsed);
    }

    fn write(&mut self, text: &str) {
        if self.notes > 0 {
            self.note.push_str(text);
        } else {
            self.blocks.write(text);
        }
    }
}

/// An attribute that counts; 1 where it is missing.
fn count(element: &Element<'_>, name: &str) -> usize {
    let count = element.attribute(name).and_then(|count| count.parse().ok());
    count.unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(body: &str) -> String {
        let xml =
            format!("<office:document-content><office:body>{body}</office:body></office:document-content>");
        Content::read(&mut xml.as_bytes()).unwrap().0
    }

    #[test]
    fn texts_spreadsheets_and_slides() {
        for (body, expected) in [
            (
                "<office:text><text:h text:outline-level='2'>Bread</text:h><text:p>Flour\n  &amp;<text:s \
                 text:c='2'/>water<text:tab/>and<text:line-break/>salt.</text:p></office:text>",
                "## Bread\n\nFlour &  water\tand\nsalt.",
            ),
            (
                "<text:list><text:list-item><text:p>a</text:p><text:list><text:list-item><text:p>b</text:p>\
                 </text:list-item></text:list></text:list-item></text:list>",
                "- a\n  - b",
            ),
            (
                "<text:p>Text<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>The</text:p>\
                 <text:p>note.</text:p></text:note-body></text:note> on.</text:p><text:p>Next.</text:p>",
                "Text on.\n\n[1] The note.\n\nNext.",
            ),
            (
                "<text:p>kept<office:annotation><text:p>remark</text:p></office:annotation></text:p>\
                 <text:tracked-changes><text:p>gone</text:p></text:tracked-changes>",
                "kept",
            ),
            (
                "<office:spreadsheet><table:table table:name='Prices'><table:table-row><table:table-cell>\
                 <text:p>bread</text:p></table:table-cell><table:table-cell table:number-columns-repeated='2'/>\
                 <table:table-cell><text:p>3</text:p></table:table-cell><table:table-cell \
                 table:number-columns-repeated='16000'/></table:table-row><table:table-row \
                 table:number-rows-repeated='1048000'><table:table-cell table:number-columns-repeated='16384'/>\
                 </table:table-row></table:table></office:spreadsheet>",
                "## Prices\n\n| bread |  |  | 3 |\n| --- | --- | --- | --- |",
            ),
            (
                "<office:presentation><draw:page draw:name='page1'><draw:frame presentation:class='title'>\
                 <draw:text-box><text:p>Hello</text:p></draw:text-box></draw:frame><draw:frame \
                 presentation:class='outline'><draw:text-box><text:list><text:list-item><text:p>point</text:p>\
                 </text:list-item></text:list></draw:text-box></draw:frame></draw:page></office:presentation>",
                "## Hello\n\n- point",
            ),
        ] {
            assert_eq!(text(body), expected);
        }
    }
}
