//! XHTML for a parser of HTML, to which `<title/>` is an element that begins and never ends.

/// Elements that have no end in HTML either.
const VOID: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr",
];

/// The page with an end for each element that is written as empty.
pub(super) fn as_html(page: &[u8]) -> Vec<u8> {
    let mut html = Vec::with_capacity(page.len());
    let mut rest = page;
    while let Some(start) = rest.iter().position(|byte| *byte == b'<') {
        html.extend_from_slice(&rest[..start]);
        rest = &rest[start..];
        let Some(end) = rest.iter().position(|byte| *byte == b'>') else {
            break;
        };
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        match (tag.strip_suffix(b"/"), name(tag)) {
            (Some(open), Some(name)) if !VOID.contains(&name) => {
                html.extend_from_slice(open);
                html.extend_from_slice(b"></");
                html.extend_from_slice(name.as_bytes());
            }
            _ => html.extend_from_slice(tag),
        }
        html.push(b'>');
    }
    html.extend_from_slice(rest);
    html
}

fn name(tag: &[u8]) -> Option<&str> {
    let name = tag[1..]
        .split(|byte| byte.is_ascii_whitespace() || *byte == b'/')
        .next()?;
    let name = std::str::from_utf8(name).ok()?;
    let is_name = name
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || letter == ':');
    (is_name && !name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_elements_get_an_end() {
        for (page, html) in [
            ("<title/><p>a</p>", "<title></title><p>a</p>"),
            (
                "<a id=\"x\" />b<br/>c<img src='d'/>",
                "<a id=\"x\" ></a>b<br/>c<img src='d'/>",
            ),
            (
                "<?xml version='1.0'?><p>a < b</p",
                "<?xml version='1.0'?><p>a < b</p",
            ),
            ("</p><!-- a/>b -->", "</p><!-- a/>b -->"),
        ] {
            assert_eq!(String::from_utf8(as_html(page.as_bytes())).unwrap(), html);
        }
    }
}
