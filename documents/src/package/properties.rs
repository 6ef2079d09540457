//! The properties of a package.

use std::io::BufRead;
use std::ops::ControlFlow;

use super::{Broken, Node, walk};

/// The title, by the part with the properties of the document: the Dublin Core element that Office, `OpenDocument` and
/// EPUB use.
///
/// # Errors
/// [`Broken`].
pub(crate) fn title(part: &mut dyn BufRead) -> Result<Option<String>, Broken> {
    let (mut title, mut within) = (String::new(), false);
    walk(part, |node| {
        match node {
            Node::Open(element) => within = element.name() == "title",
            Node::Text(text) if within => title.push_str(text),
            Node::Close(_) => within = false,
            Node::Text(_) => {}
        }
        if title.len() > 1000 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    let title = crate::markdown::one_line(&title);
    Ok((!title.is_empty()).then_some(title))
}
