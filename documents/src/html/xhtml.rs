//! XHTML that HTML reads otherwise: `<script src="…"/>` and `<title/>`, after which a parser of HTML takes the rest
//! of the page for their content.

use std::borrow::Cow;

use super::elements::{RAW_TEXT, tag_name};

/// A page with an XML declaration, in which elements that hold no markup and are closed at once have an end tag.
pub(super) fn with_end_tags(page: &str) -> Cow<'_, str> {
    if !page.trim_start().starts_with("<?xml") {
        return Cow::Borrowed(page);
    }
    let (mut html, mut taken, mut at) = (String::new(), 0, 0);
    while let Some(found) = page[at..].find('<') {
        at += found;
        let rest = &page[at..];
        let name = tag_name(rest);
        let raw = RAW_TEXT.iter().find(|raw| name.eq_ignore_ascii_case(raw));
        let end = if rest.starts_with("<!--") {
            rest.find("-->")
        } else {
            rest.find('>')
        };
        let Some(end) = end else { break };
        at += end + 1;
        if let Some(raw) = raw
            && page[..at].ends_with("/>")
        {
            html.push_str(&page[taken..at]);
            html.push_str(&format!("</{raw}>"));
            taken = at;
        }
    }
    html.push_str(&page[taken..]);
    Cow::Owned(html)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_closed_at_once_gets_its_end_tag() {
        let page = "<?xml version='1.0'?><title/><SCRIPT src='a.js' /><!-- <title/> --><p>a</p><br/>";
        assert_eq!(
            with_end_tags(page),
            "<?xml version='1.0'?><title/></title><SCRIPT src='a.js' /></script><!-- <title/> --><p>a</p><br/>"
        );
        assert_eq!(with_end_tags("<title/>a"), "<title/>a");
    }
}
