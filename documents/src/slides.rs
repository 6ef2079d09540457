//! The slides of a presentation as Markdown: each title a heading, then the words of the slide, then what the speaker
//! notes.

use std::io::BufRead;
use std::ops::ControlFlow;

use crate::blocks::{Blocks, ParagraphRole};
use crate::package::{Archive, Broken, Element, Node, Relationships, title, walk};
use crate::{Document, Kind, ParseError};

/// More than anybody shows.
const MAX_SLIDES: usize = 5000;
const USUAL_MAIN: &str = "ppt/presentation.xml";
/// Placeholders that the layout puts on every slide.
const AROUND: &[&str] = &["sldNum", "dt", "ftr", "hdr", "sldImg"];

/// # Errors
/// `malformed_document`, `encrypted_document`, `zip_bomb`.
pub(crate) fn parse(bytes: &[u8]) -> Result<Document, ParseError> {
    let mut archive = Archive::open(bytes, Kind::Slides)?;
    let package = Relationships::of(&mut archive, "")?;
    let main = package.role("officeDocument").unwrap_or(USUAL_MAIN).to_owned();
    let ids = archive
        .read(&main, |part| slide_ids(part))?
        .ok_or(ParseError::MalformedDocument(Kind::Slides))?;
    let parts = Relationships::of(&mut archive, &main)?;
    let mut blocks = Blocks::new();
    for (number, id) in ids.iter().enumerate() {
        if let Some(slide) = parts.id(id) {
            write(&mut archive, &slide.name, number + 1, &mut blocks)?;
        }
        if blocks.is_full() {
            break;
        }
    }
    let properties = package.role("core-properties").unwrap_or("docProps/core.xml");
    let title = archive.read_if_whole(properties, title)?.flatten();
    let (text, truncated) = blocks.finish();
    Ok(Document {
        text,
        kind: Kind::Slides,
        title,
        truncated,
    })
}

/// The relationships of the slides, in the order in which they are shown.
fn slide_ids(part: &mut dyn BufRead) -> Result<Vec<String>, Broken> {
    let mut ids = Vec::new();
    walk(part, |node| {
        if let Node::Open(element) = node
            && element.name() == "sldId"
        {
            // The other id has no prefix.
            ids.extend(element.prefixed("id"));
        }
        if ids.len() < MAX_SLIDES {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    Ok(ids)
}

fn write(
    archive: &mut Archive<'_>,
    name: &str,
    number: usize,
    blocks: &mut Blocks,
) -> Result<(), ParseError> {
    let parts = Relationships::of(archive, name)?;
    let title = archive.read_if_whole(name, |part| Slide::read(part, Wanted::Title, &mut Blocks::new()))?;
    let title = title.filter(|title| !title.is_empty());
    match title {
        Some(title) => blocks.heading(2, &title),
        None => blocks.heading_if_followed(2, &format!("Slide {number}")),
    }
    archive.read_if_whole(name, |part| Slide::read(part, Wanted::Rest, blocks))?;
    for diagram in parts.all("diagramData") {
        archive.read_if_whole(&diagram.name, |part| Slide::read(part, Wanted::Rest, blocks))?;
    }
    if let Some(notes) = parts.role("notesSlide") {
        archive.read_if_whole(notes, |part| Slide::read(part, Wanted::Rest, blocks))?;
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq)]
enum Wanted {
    Title,
    Rest,
}

/// The walk through a slide, through its notes or through a diagram on it.
struct Slide<'a> {
    wanted: Wanted,
    title: String,
    blocks: &'a mut Blocks,
    shape: Shape,
    skipped: usize,
    in_text: bool,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Shape {
    #[default]
    Free,
    /// One with a place in the layout, where paragraphs are points.
    Body,
    Title,
    Around,
}

impl<'a> Slide<'a> {
    /// Writes what is wanted, and returns the title.
    fn read(part: &mut dyn BufRead, wanted: Wanted, blocks: &'a mut Blocks) -> Result<String, Broken> {
        let mut slide = Self {
            wanted,
            title: String::new(),
            blocks,
            shape: Shape::Free,
            skipped: 0,
            in_text: false,
        };
        walk(part, |node| {
            slide.visit(&node);
            if slide.blocks.is_full() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        Ok(crate::markdown::one_line(&slide.title))
    }

    fn visit(&mut self, node: &Node<'_>) {
        match node {
            Node::Open(element) if self.skipped > 0 || element.name() == "Fallback" => self.skipped += 1,
            Node::Close(_) if self.skipped > 0 => self.skipped -= 1,
            Node::Open(element) => self.open(element),
            Node::Close(name) => self.close(name),
            Node::Text(text) if self.in_text && self.skipped == 0 => self.text(text),
            Node::Text(_) => {}
        }
    }

    fn open(&mut self, element: &Element<'_>) {
        match element.name() {
            "sp" | "graphicFrame" | "pic" => self.shape = Shape::Free,
            "ph" => {
                self.shape = match element.attribute("type").as_deref() {
                    Some("title" | "ctrTitle") => Shape::Title,
                    Some(kind) if AROUND.contains(&kind) => Shape::Around,
                    Some("subTitle") => Shape::Free,
                    _ => Shape::Body,
                }
            }
            "t" => self.in_text = true,
            "br" => self.text("\n"),
            "tab" if self.in_text => self.text("\t"),
            "tbl" if self.wanted == Wanted::Rest => self.blocks.begin_table(),
            "p" => {
                self.title.push(' ');
                self.blocks.begin_paragraph();
            }
            "pPr" => self.level(element),
            _ => {}
        }
    }

    /// Points are indented by their level.
    fn level(&mut self, element: &Element<'_>) {
        let is_point = self.shape == Shape::Body;
        if let Some(paragraph) = self.blocks.paragraph() {
            let level = element.attribute("lvl").and_then(|level| level.parse().ok());
            paragraph.level = level.unwrap_or(0);
            paragraph.role = (is_point || paragraph.level > 0).then_some(ParagraphRole::Item);
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "t" => self.in_text = false,
            "p" => {
                if self.shape == Shape::Body
                    && let Some(paragraph) = self.blocks.paragraph()
                {
                    paragraph.role = Some(ParagraphRole::Item);
                }
                self.blocks.end_paragraph();
            }
            "tc" => self.blocks.end_cell(),
            "tr" => self.blocks.end_row(),
            "tbl" => self.blocks.end_table(),
            "sp" | "graphicFrame" => self.shape = Shape::Free,
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        match (self.shape, self.wanted) {
            (Shape::Title, Wanted::Title) => self.title.push_str(text),
            (Shape::Free | Shape::Body, Wanted::Rest) => self.blocks.write(text),
            _ => {}
        }
    }
}
