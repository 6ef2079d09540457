//! The elements and the text of an XML part, one after another. Entities other than the five of XML itself are not
//! known, a document type declaration that declares something is refused, and the depth is bounded.

use std::borrow::Cow;
use std::io::BufRead;
use std::ops::ControlFlow;

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// Deeper than a table in a text box in a table.
const MAX_DEPTH: usize = 256;

/// The part is not well-formed, or cannot be read further.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Broken;

/// A node of the part. Names are without their prefix.
pub(crate) enum Node<'part> {
    Open(Element<'part>),
    Close(&'part str),
    Text(&'part str),
}

/// The beginning of an element.
pub(crate) struct Element<'part>(&'part BytesStart<'part>);

impl Element<'_> {
    pub(crate) fn name(&self) -> &str {
        local(self.0.name().into_inner())
    }

    /// The value of an attribute, by its name without prefix.
    pub(crate) fn attribute(&self, name: &str) -> Option<String> {
        self.value(|key| local(key) == name)
    }

    /// The value of an attribute that has a prefix, where there is one of the same name without.
    pub(crate) fn prefixed(&self, name: &str) -> Option<String> {
        self.value(|key| key != name && local(key) == name)
    }

    fn value(&self, wanted: impl Fn(&str) -> bool) -> Option<String> {
        let mut attributes = self.0.attributes();
        let mut attributes = attributes.with_checks(false).flatten();
        let attribute = attributes.find(|attribute| wanted(attribute.key.into_inner()))?;
        attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .ok()
            .map(Cow::into_owned)
    }
}

/// Gives each node to `visit` until it breaks off. An empty element is opened and closed.
///
/// # Errors
/// [`Broken`].
pub(crate) fn walk(
    part: &mut dyn BufRead,
    mut visit: impl FnMut(Node<'_>) -> ControlFlow<()>,
) -> Result<(), Broken> {
    let mut reader = Reader::from_reader(part);
    reader.config_mut().expand_empty_elements = true;
    let (mut buffer, mut depth) = (Vec::new(), 0_usize);
    loop {
        buffer.clear();
        let step = match reader.read_event_into(&mut buffer).map_err(|_| Broken)? {
            // The empty ones are expanded.
            Event::Start(element) | Event::Empty(element) => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(Broken);
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
            // A name, or a grammar elsewhere, which nothing here looks at; declarations within could be entities.
            Event::DocType(declaration) if !declaration.contains('[') => ControlFlow::Continue(()),
            Event::DocType(_) => return Err(Broken),
            Event::Eof if depth > 0 => return Err(Broken),
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

fn character(reference: &BytesRef<'_>) -> Result<char, Broken> {
    match &**reference {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => reference.resolve_char_ref().ok().flatten().ok_or(Broken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(xml: &str) -> Result<String, Broken> {
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
        assert_eq!(text("<a>&unknown;</a>"), Err(Broken));
    }

    #[test]
    fn a_million_laughs_are_refused_at_the_declaration() {
        let bomb = "<!DOCTYPE a [<!ENTITY b 'ha'><!ENTITY c '&b;&b;&b;&b;'>]><a>&c;</a>";
        assert_eq!(text(bomb), Err(Broken));
        let outside = "<!DOCTYPE a [<!ENTITY f SYSTEM 'file:///etc/passwd'>]><a>&f;</a>";
        assert_eq!(text(outside), Err(Broken));
        assert_eq!(
            text("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>").as_deref(),
            Ok("")
        );
    }

    #[test]
    fn depth_and_ends_are_watched() {
        assert_eq!(text(&"<a>".repeat(100_000)), Err(Broken));
        assert_eq!(text("<a><b></a>"), Err(Broken));
        assert_eq!(text("<a>cut"), Err(Broken));
    }
}
