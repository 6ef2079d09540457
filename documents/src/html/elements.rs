//! The roles that the elements of HTML have for a reader of the text. Pure.

use html5ever::Attribute;

/// Elements whose content is no markup to a parser.
pub(super) const RAW_TEXT: &[&str] = &[
    "script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes",
];

/// The role of an element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum ElementRole {
    /// No words for a reader, or only for one whose browser lacks something.
    Skipped,
    /// Goes on in the line.
    Inline,
    Break,
    Image,
    Title,
    /// 1 to 6.
    Heading(usize),
    /// Stands apart from what is before and after it.
    Block,
    /// Begins a line.
    Line,
    List {
        ordered: bool,
    },
    Item,
    Preformatted,
    Table,
    Row,
    Cell,
    /// Content of the page, to which what is else around it belongs.
    Content,
    /// Around the content.
    Around,
    /// Around the content, but its headings are the page's.
    Header,
    Navigation,
    Dialog,
}

pub(super) fn role(name: &str) -> ElementRole {
    match name {
        "script" | "style" | "noscript" | "noframes" | "template" | "iframe" | "svg" | "canvas"
        | "object" | "embed" | "video" | "audio" | "button" | "select" | "datalist" | "meter"
        | "progress" | "annotation" | "annotation-xml" | "rp" | "rt" | "rtc" => ElementRole::Skipped,
        "br" => ElementRole::Break,
        "img" => ElementRole::Image,
        "title" => ElementRole::Title,
        "h1" => ElementRole::Heading(1),
        "h2" => ElementRole::Heading(2),
        "h3" => ElementRole::Heading(3),
        "h4" => ElementRole::Heading(4),
        "h5" => ElementRole::Heading(5),
        "h6" => ElementRole::Heading(6),
        "p" | "div" | "blockquote" | "address" | "figure" | "figcaption" | "fieldset" | "form"
        | "details" | "dl" | "hr" | "center" | "caption" | "body" | "hgroup" => ElementRole::Block,
        "summary" | "legend" | "dt" | "dd" | "tbody" | "thead" | "tfoot" | "optgroup" | "option" => {
            ElementRole::Line
        }
        "ul" | "menu" | "dir" => ElementRole::List { ordered: false },
        "ol" => ElementRole::List { ordered: true },
        "li" => ElementRole::Item,
        "pre" | "listing" | "xmp" | "plaintext" => ElementRole::Preformatted,
        "table" => ElementRole::Table,
        "tr" => ElementRole::Row,
        "td" | "th" => ElementRole::Cell,
        "article" | "main" | "section" => ElementRole::Content,
        "footer" | "aside" | "search" => ElementRole::Around,
        "header" => ElementRole::Header,
        "nav" => ElementRole::Navigation,
        "dialog" => ElementRole::Dialog,
        _ => ElementRole::Inline,
    }
}

/// Whether a table with this in a cell is one of layout: its cells are read one after another.
pub(super) fn is_of_layout(role: ElementRole) -> bool {
    matches!(
        role,
        ElementRole::Heading(_)
            | ElementRole::List { .. }
            | ElementRole::Preformatted
            | ElementRole::Table
            | ElementRole::Content
    )
}

/// The name in a start tag; empty where there is none.
pub(super) fn tag_name(tag: &str) -> &str {
    let name = tag.strip_prefix('<').unwrap_or_default();
    let end = name.find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>'));
    &name[..end.unwrap_or(name.len())]
}

pub(super) fn attribute<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a str> {
    let attribute = attributes.iter().find(|attribute| &*attribute.name.local == name);
    attribute.map(|attribute| &*attribute.value)
}

/// Whether the page itself says that an element is not shown. What `until-found` hides, a search shows.
pub(super) fn is_hidden(attributes: &[Attribute]) -> bool {
    let is = |name, value: &str| {
        attribute(attributes, name).is_some_and(|given| given.trim().eq_ignore_ascii_case(value))
    };
    (attribute(attributes, "hidden").is_some() && !is("hidden", "until-found"))
        || is("aria-hidden", "true")
        || attribute(attributes, "style").is_some_and(hides)
}

fn hides(style: &str) -> bool {
    style
        .split(';')
        .filter_map(|rule| rule.split_once(':'))
        .any(|(name, value)| {
            let value = value.trim().to_ascii_lowercase();
            match name.trim().to_ascii_lowercase().as_str() {
                "display" => value.starts_with("none"),
                "visibility" => value.starts_with("hidden") || value.starts_with("collapse"),
                _ => false,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_style_hides_by_display_and_visibility_only() {
        for (style, expected) in [
            ("display:none", true),
            ("color: red; DISPLAY : None !important", true),
            ("visibility:hidden", true),
            ("display:block", false),
            ("overflow:hidden", false),
            ("x-display:none", false),
        ] {
            assert_eq!(hides(style), expected, "{style}");
        }
    }
}
