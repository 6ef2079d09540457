//! Which paragraph styles of a document are headings or lists, whatever they are called in its language.

use std::collections::HashMap;
use std::io::BufRead;
use std::ops::ControlFlow;

use crate::blocks::ParagraphRole;
use crate::package::{Broken, Node, walk};

/// Styles are based on others; a chain that is longer is a circle.
const MAX_CHAIN: usize = 16;

/// The paragraph styles of a document by their id.
#[derive(Default)]
pub(super) struct Styles(HashMap<String, Style>);

#[derive(Clone, Default)]
struct Style {
    based_on: Option<String>,
    role: Option<ParagraphRole>,
}

impl Styles {
    /// # Errors
    /// [`Broken`].
    pub(super) fn read(part: &mut dyn BufRead) -> Result<Self, Broken> {
        let mut styles = HashMap::new();
        let mut open: Option<(String, Style)> = None;
        walk(part, |node| {
            match node {
                Node::Open(element) if element.name() == "style" => {
                    open = element.attribute("styleId").map(|id| (id, Style::default()));
                }
                Node::Open(element) => {
                    if let Some((_, style)) = &mut open {
                        let value = element.attribute("val");
                        match element.name() {
                            "name" => style.role = value.as_deref().and_then(role_by_name),
                            "basedOn" => style.based_on = value,
                            "outlineLvl" => {
                                style.role = value.as_deref().and_then(role_by_outline).or(style.role)
                            }
                            "numPr" => style.role = style.role.or(Some(ParagraphRole::Item)),
                            _ => {}
                        }
                    }
                }
                Node::Close("style") => styles.extend(open.take()),
                Node::Close(_) | Node::Text(_) => {}
            }
            ControlFlow::Continue(())
        })?;
        Ok(Self(styles))
    }

    /// The role of a paragraph with the style of that id, by the style or by those that it is based on.
    pub(super) fn role(&self, id: &str) -> Option<ParagraphRole> {
        let mut next = Some(id);
        for _ in 0..MAX_CHAIN {
            let Some(style) = self.0.get(next?) else {
                return role_by_name(id);
            };
            if style.role.is_some() {
                return style.role;
            }
            next = style.based_on.as_deref();
        }
        None
    }
}

/// The built-in styles have their English names in every language. Their ids are these without the space, as far as a
/// document has no styles of its own.
fn role_by_name(name: &str) -> Option<ParagraphRole> {
    let name = name.to_ascii_lowercase();
    if name == "title" {
        return Some(ParagraphRole::Heading(1));
    }
    if name.starts_with("list bullet") || name.starts_with("list number") {
        return Some(ParagraphRole::Item);
    }
    heading(name.strip_prefix("heading")?.trim().parse().ok()?)
}

/// The level in an outline counts from 0; 9 is the text between the headings.
pub(super) fn role_by_outline(value: &str) -> Option<ParagraphRole> {
    heading(value.parse::<usize>().ok()?.checked_add(1)?)
}

fn heading(level: usize) -> Option<ParagraphRole> {
    (1..=9)
        .contains(&level)
        .then(|| ParagraphRole::Heading(level.min(6)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn styles(xml: &str) -> Styles {
        Styles::read(&mut format!("<w:styles>{xml}</w:styles>").as_bytes()).unwrap()
    }

    #[test]
    fn a_style_is_known_by_its_name_its_outline_level_or_its_base() {
        let styles = styles(
            "<w:style w:styleId='berschrift2'><w:name w:val='heading 2'/></w:style>
             <w:style w:styleId='Mine'><w:name w:val='Chapter'/><w:pPr><w:outlineLvl w:val='2'/></w:pPr></w:style>
             <w:style w:styleId='Yours'><w:name w:val='Yours'/><w:basedOn w:val='Mine'/></w:style>
             <w:style w:styleId='Points'><w:name w:val='Points'/><w:pPr><w:numPr/></w:pPr></w:style>
             <w:style w:styleId='Normal'><w:name w:val='Normal'/></w:style>",
        );
        assert_eq!(styles.role("berschrift2"), Some(ParagraphRole::Heading(2)));
        assert_eq!(styles.role("Mine"), Some(ParagraphRole::Heading(3)));
        assert_eq!(styles.role("Yours"), Some(ParagraphRole::Heading(3)));
        assert_eq!(styles.role("Points"), Some(ParagraphRole::Item));
        assert_eq!(styles.role("Normal"), None);
        assert_eq!(styles.role("Heading1"), Some(ParagraphRole::Heading(1)));
    }

    #[test]
    fn styles_in_a_circle_end() {
        let styles = styles(
            "<w:style w:styleId='a'><w:basedOn w:val='b'/></w:style><w:style w:styleId='b'><w:basedOn w:val='a'/>\
             </w:style>",
        );
        assert_eq!(styles.role("a"), None);
    }
}
