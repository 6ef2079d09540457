//! The footnotes and endnotes of a document, by their kind and id.

use std::io::BufRead;
use std::ops::ControlFlow;

use super::body::Body;
use super::sources::{NoteKind, Notes, Sources};
use super::styles::Styles;
use crate::package::{Broken, Element, Node, walk};

/// The notes of a part that holds some.
///
/// # Errors
/// [`Broken`].
pub(super) fn read(part: &mut dyn BufRead, styles: &Styles) -> Result<Notes, Broken> {
    let (mut notes, mut open) = (Notes::new(), None);
    walk(part, |node| {
        match (&node, &mut open) {
            (Node::Open(element), None) => open = begun(element, styles),
            (Node::Close("footnote" | "endnote"), Some(_)) => {
                if let Some((key, body)) = open.take() {
                    notes.insert(key, crate::markdown::one_line(&body.finish().0));
                }
            }
            (_, Some((_, body))) => body.visit(&node),
            _ => {}
        }
        ControlFlow::Continue(())
    })?;
    Ok(notes)
}

/// A note that begins there. Those of a type are the lines that separate the notes from the text.
fn begun<'a>(element: &Element<'_>, styles: &'a Styles) -> Option<((NoteKind, String), Body<'a>)> {
    let kind = match element.name() {
        "footnote" => NoteKind::Foot,
        "endnote" => NoteKind::End,
        _ => return None,
    };
    let ordinary = element.attribute("type").is_none_or(|kind| kind == "normal");
    let id = element.attribute("id").filter(|_| ordinary)?;
    let sources = Sources {
        styles,
        notes: None,
        embedded: None,
    };
    Some(((kind, id), Body::new(sources)))
}
