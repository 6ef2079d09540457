//! The elements and the text of an XML part, one after another. Entities other than the five of XML itself are not
//! known, a document type declaration is refused, and the depth is bounded.

use std::borrow::Cow;
use std::io::BufRead;
use std::ops::ControlFlow;

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::{Kind, ParseError};

/// Deeper than a table in a text box in a table.
const MAX_DEPTH: usize = 256;
const MALFORMED: ParseError = ParseError::MalformedDocument(Kind::Docx);

/// What is met in the part. Names are without their prefix.
pub(super) enum Node<'part> {
    Open(Element<'part>),
    Close(&'part str),
    Text(&'part str),
}

/// The beginning of an element.
pub(super) struct Element<'part>(&'part BytesStart<'part>);

impl Element<'_> {
    pub(super) fn name(&self) -> &str {
        local(self.0.name().into_inner())
    }

    /// The value of an attribute, by its name without prefix.
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        let mut attributes = self.0.attributes();
        let mut attributes = attributes.with_checks(false).flatten();
        let attribute = attributes.find(|attribute| local(attribute.key.into_inner()) == name)?;
        attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .ok()
            .map(Cow::into_owned)
    }
}

/// Gives each node to `visit` until it breaks off. An empty element is opened and closed.
///
/// # Errors
/// `malformed_document`, also when the part cannot be read further.
pub(super) fn walk(
    part: &mut dyn BufRead,
    mut visit: impl FnMut(Node<'_>) -> ControlFlow<()>,
) -> Result<(), ParseError> {
    let mut reader = Reader::from_reader(part);
    reader.config_mut().expand_empty_elements = true;
    let (mut buffer, mut depth) = (Vec::new(), 0_usize);
    loop {
        buffer.clear();
        let step = match reader.read_event_into(&mut buffer).map_err(|_| MALFORMED)? {
            // The empty ones are expanded.
            Event::Start(element) | Event::Empty(element) => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(MALFORMED);
                }
                visit(Node::Open(Element(&element)))
            }
            Event::End(element) => {
                depth = depth.saturating_sub(1);
                visit(Node::Close(local(element.name().into_inner())))
            }
            Event::Text(text) => visit(Node::Text(&text.xml10_content())),
            Event::CData(text) => visit(Node::Text(&text.xml10_content())),
            Event::GeneralRef(reference) => {
                visit(Node::Text(character(&reference)?.encode_utf8(&mut [0; 4])))
            }
            Event::DocType(_) => return Err(MALFORMED),
            Event::Eof if depth > 0 => return Err(MALFORMED),
            Event::Eof => return Ok(()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => ControlFlow::Continue(()),
        };
        if step.is_break() {
            return Ok(());
        }
    }
}

fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

fn character(reference: &BytesRef<'_>) -> Result<char, ParseError> {
    match &**reference {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => reference.resolve_char_ref().ok().flatten().ok_or(MALFORMED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(xml: &str) -> Result<String, ParseError> {
        let mut found = String::new();
        walk(&mut xml.as_bytes(), |node| {
            if let Node::Text(text) = node {
                found.push_str(text);
            }
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    #[test]
    fn characters_are_resolved_and_entities_refused() {
        assert_eq!(
            text("<a>x &lt;&#65;&#x42;&amp;<![CDATA[<y>]]></a>").as_deref(),
            Ok("x <AB&<y>")
        );
        assert_eq!(text("<a>&unknown;</a>"), Err(MALFORMED));
    }

    #[test]
    fn a_million_laughs_are_refused_at_the_declaration() {
        let bomb = "<!DOCTYPE a [<!ENTITY b 'ha'><!ENTITY c '&b;&b;&b;&b;'>]><a>&c;</a>";
        assert_eq!(text(bomb), Err(MALFORMED));
        let outside = "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>";
        assert_eq!(text(outside), Err(MALFORMED));
    }

    #[test]
    fn depth_and_ends_are_watched() {
        assert_eq!(text(&"<a>".repeat(100_000)), Err(MALFORMED));
        assert_eq!(text("<a><b></a>"), Err(MALFORMED));
        assert_eq!(text("<a>cut"), Err(MALFORMED));
    }
}
