//! The roles that the elements of HTML have for a reader of the text. Pure.

use html5ever::Attribute;

/// Elements whose content is no markup to a parser.
pub(super) const RAW_TEXT: &[&str] = &[
    "script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes",
];

/// The role of an element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Role {
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

pub(super) fn role(name: &str) -> Role {
    match name {
        "script" | "style" | "noscript" | "noframes" | "template" | "iframe" | "svg" | "canvas"
        | "object" | "embed" | "video" | "audio" | "button" | "select" | "datalist" | "meter"
        | "progress" | "annotation" | "annotation-xml" | "rp" | "rt" | "rtc" => Role::Skipped,
        "br" => Role::Break,
        "img" => Role::Image,
        "title" => Role::Title,
        "h1" => Role::Heading(1),
        "h2" => Role::Heading(2),
        "h3" => Role::Heading(3),
        "h4" => Role::Heading(4),
        "h5" => Role::Heading(5),
        "h6" => Role::Heading(6),
        "p" | "div" | "blockquote" | "address" | "figure" | "figcaption" | "fieldset" | "form"
        | "details" | "dl" | "hr" | "center" | "caption" | "body" | "hgroup" => Role::Block,
        "summary" | "legend" | "dt" | "dd" | "tbody" | "thead" | "tfoot" | "optgroup" | "option" => {
            Role::Line
        }
        "ul" | "menu" | "dir" => Role::List { ordered: false },
        "ol" => Role::List { ordered: true },
        "li" => Role::Item,
        "pre" | "listing" | "xmp" | "plaintext" => Role::Preformatted,
        "table" => Role::Table,
        "tr" => Role::Row,
        "td" | "th" => Role::Cell,
        "article" | "main" | "section" => Role::Content,
        "footer" | "aside" | "search" => Role::Around,
        "header" => Role::Header,
        "nav" => Role::Navigation,
        "dialog" => Role::Dialog,
        _ => Role::Inline,
    }
}

/// Whether a table with this in a cell is one of layout: its cells are read one after another.
pub(super) fn is_of_layout(role: Role) -> bool {
    matches!(
        role,
        Role::Heading(_) | Role::List { .. } | Role::Preformatted | Role::Table | Role::Content
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
