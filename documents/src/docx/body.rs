//! The body of a document as Markdown: headings, paragraphs, items of lists, tables by rows, and notes after the
//! paragraph that refers to them.

use std::collections::HashSet;
use std::io::BufRead;
use std::ops::ControlFlow;

use super::equations::Equations;
use super::sources::{NoteKind, Sources};
use super::styles::role_by_outline;
use crate::blocks::{Blocks, GoesOn, ParagraphRole};
use crate::package::{Broken, Element, Node, walk};
use crate::symbols::{Font, font};

/// Elements of deletions and moves, the second form of what is there twice, the code of fields, readings of words, and
/// what is around a page.
const SKIPPED: &[&str] = &[
    "del",
    "moveFrom",
    "Fallback",
    "instrText",
    "delText",
    "pPrChange",
    "rPrChange",
    "rt",
    "sectPr",
];

/// The walk through a body, or through a note.
pub(super) struct Body<'a> {
    sources: Sources<'a>,
    blocks: Blocks,
    /// The number of open elements that are skipped.
    skipped: usize,
    in_text: bool,
    in_properties: bool,
    /// The font of the run, if its letters are signs.
    signs: Option<Font>,
    equations: Equations,
    /// The notes that were referred to: each is written once.
    noted: HashSet<(NoteKind, String)>,
}

impl<'a> Body<'a> {
    /// The text of the element `body`, and whether it was cut.
    ///
    /// # Errors
    /// [`Broken`].
    pub(super) fn read(part: &mut dyn BufRead, sources: Sources<'a>) -> Result<(String, bool), Broken> {
        let mut body = Self::new(sources);
        let mut within = false;
        walk(part, |node| {
            match &node {
                Node::Open(element) if !within => within = element.name() == "body",
                Node::Close("body") => within = false,
                node if within => body.visit(node),
                _ => {}
            }
            if body.blocks.is_full() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        Ok(body.finish())
    }

    pub(super) fn new(sources: Sources<'a>) -> Self {
        Self {
            sources,
            blocks: Blocks::new(),
            skipped: 0,
            in_text: false,
            in_properties: false,
            signs: None,
            equations: Equations::default(),
            noted: HashSet::new(),
        }
    }

    /// The text, and whether it was cut.
    pub(super) fn finish(self) -> (String, bool) {
        self.blocks.finish()
    }

    pub(super) fn visit(&mut self, node: &Node<'_>) {
        match node {
            Node::Open(element) if self.skipped > 0 || SKIPPED.contains(&element.name()) => {
                // The mark of a deleted end is an element of the same name.
                if self.skipped == 0 && self.in_properties {
                    self.end_was_deleted(element.name());
                }
                self.skipped += 1;
            }
            Node::Close(_) if self.skipped > 0 => self.skipped -= 1,
            Node::Open(element) => self.open(element),
            Node::Close(name) => self.close(name),
            Node::Text(text) if self.in_text && self.skipped == 0 => self.write_run(text),
            Node::Text(_) => {}
        }
    }

    fn open(&mut self, element: &Element<'_>) {
        let name = element.name();
        if self.equations.is_within() || matches!(name, "oMath") {
            let before = self.equations.open(element);
            self.blocks.write(&before);
        }
        match name {
            "p" => self.blocks.begin_paragraph(),
            "pPr" => self.in_properties = true,
            "t" => self.in_text = true,
            "tbl" => self.blocks.begin_table(),
            "altChunk" => self.embed(element),
            _ if self.in_properties => self.property(element),
            "r" => self.signs = None,
            "rFonts" => self.signs = element.attribute("ascii").and_then(|name| font(&name)),
            "sym" => self.sign(element),
            "footnoteReference" => self.refer(NoteKind::Foot, element),
            "endnoteReference" => self.refer(NoteKind::End, element),
            "tab" | "ptab" => self.blocks.write("\t"),
            "br" | "cr" => self.blocks.write("\n"),
            "noBreakHyphen" => self.blocks.write("-"),
            _ => {}
        }
    }

    fn property(&mut self, element: &Element<'_>) {
        let Some(paragraph) = self.blocks.paragraph() else {
            return;
        };
        let value = element.attribute("val");
        match (element.name(), value.as_deref()) {
            ("pStyle", Some(id)) => paragraph.role = self.sources.styles.role(id),
            ("outlineLvl", Some(level)) => paragraph.role = role_by_outline(level).or(paragraph.role),
            ("numPr", _) => paragraph.role = paragraph.role.or(Some(ParagraphRole::Item)),
            ("ilvl", Some(level)) => paragraph.level = level.parse::<usize>().unwrap_or(0).min(8),
            // A paragraph taken out of its list.
            ("numId", Some("0")) if paragraph.role == Some(ParagraphRole::Item) => paragraph.role = None,
            ("framePr", _) if element.attribute("dropCap").is_some_and(|cap| cap != "none") => {
                paragraph.goes_on = GoesOn::DropCap;
            }
            _ => {}
        }
    }

    fn end_was_deleted(&mut self, name: &str) {
        if matches!(name, "del" | "moveFrom")
            && let Some(paragraph) = self.blocks.paragraph()
        {
            paragraph.goes_on = GoesOn::Joined;
        }
    }

    fn close(&mut self, name: &str) {
        if self.equations.is_within() {
            let after = self.equations.close();
            self.blocks.write(&after);
        }
        match name {
            "t" => self.in_text = false,
            "pPr" => self.in_properties = false,
            "p" => self.blocks.end_paragraph(),
            "txbxContent" => self.blocks.end_box(),
            "tc" => self.blocks.end_cell(),
            "tr" => self.blocks.end_row(),
            "tbl" => self.blocks.end_table(),
            _ => {}
        }
    }

    /// The text of a run, in its font.
    fn write_run(&mut self, text: &str) {
        if self.equations.is_within() {
            let before = self.equations.before_text();
            self.blocks.write(&before);
        }
        match &self.signs {
            Some(font) => {
                let shown: String = text.chars().map(|letter| font.shown(letter)).collect();
                self.blocks.write(&shown);
            }
            None => self.blocks.write(text),
        }
    }

    /// A sign by its font and its code.
    fn sign(&mut self, element: &Element<'_>) {
        let code = element
            .attribute("char")
            .and_then(|code| u32::from_str_radix(&code, 16).ok());
        let Some(letter) = code.and_then(char::from_u32) else {
            return;
        };
        let font = element.attribute("font").and_then(|name| font(&name));
        let shown = font.map_or(letter, |font| font.shown(letter));
        self.blocks.write(shown.encode_utf8(&mut [0; 4]));
    }

    /// A document that was embedded here.
    fn embed(&mut self, element: &Element<'_>) {
        let id = element.attribute("id");
        let text = id.and_then(|id| self.sources.embedded?.get(&id));
        if let Some(text) = text {
            self.blocks.embed(text);
        }
    }

    /// A note, which follows the paragraph.
    fn refer(&mut self, kind: NoteKind, element: &Element<'_>) {
        let key = (kind, element.attribute("id").unwrap_or_default());
        let Some(note) = self.sources.notes.and_then(|notes| notes.get(&key)) else {
            return;
        };
        if !note.is_empty() && self.noted.insert(key) {
            self.blocks.note(format!("[{}] {note}", self.noted.len()));
        }
    }
}

#[cfg(test)]
#[path = "body_tests.rs"]
mod tests;
