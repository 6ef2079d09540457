//! HTML to Markdown: the words and headings of a page, without what is around them. Runs no script and fetches nothing.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use htmd::element_handler::{HandlerResult, Handlers};
use htmd::options::{BrStyle, BulletListMarker, Options};
use htmd::{Element, HtmlToMarkdown};

use crate::text::{self, Bounded};
use crate::{Document, Kind, MAX_TEXT};

/// Elements without words for a reader.
const WITHOUT_WORDS: &[&str] = &[
    "script", "style", "noscript", "template", "iframe", "svg", "canvas", "object", "embed", "video",
    "audio", "button", "select", "dialog",
];
/// What surrounds the content of a page, but belongs to it within an article.
const AROUND: &[&str] = &["nav", "header", "footer", "aside", "search"];
const CONTENT: &[&str] = &["article", "main", "section"];
/// Where a page names its encoding, if it does (HTML, 13.2.3.2).
const CHARSET_WITHIN: usize = 1024;

/// The content of a page as Markdown. Any bytes are HTML, so this cannot fail.
pub(crate) fn parse(bytes: &[u8], charset: Option<&str>) -> Document {
    let named = charset.map(str::to_owned).or_else(|| charset_in(bytes));
    let (html, cut) = text::decode(bytes, named.as_deref(), MAX_TEXT);
    let (mut markdown, title) = convert(&html, true);
    if markdown.trim().is_empty() {
        // A page that is all header: better that than nothing.
        markdown = convert(&html, false).0;
    }
    let mut bounded = Bounded::new(MAX_TEXT);
    bounded.push(&markdown);
    let (text, truncated) = bounded.finish();
    Document {
        text,
        kind: Kind::Html,
        title,
        truncated: truncated || cut,
    }
}

fn convert(html: &str, content_only: bool) -> (String, Option<String>) {
    let title = Arc::new(Mutex::new(None));
    let depth = Arc::new(AtomicUsize::new(0));
    let options = Options {
        bullet_list_marker: BulletListMarker::Dash,
        ul_bullet_spacing: 1,
        ol_number_spacing: 1,
        br_style: BrStyle::Backslash,
        ..Options::default()
    };
    let mut builder = HtmlToMarkdown::builder()
        .options(options)
        .skip_tags(WITHOUT_WORDS.to_vec())
        .add_handler(vec!["title"], keep_title(&title))
        .add_handler(vec!["a"], |handlers: &dyn Handlers, link: Element| {
            Some(handlers.walk_children(link.node))
        })
        .add_handler(vec!["img"], |_: &dyn Handlers, image: Element| {
            Some(alternative(&image).into())
        });
    if content_only {
        builder = builder
            .add_handler(CONTENT.to_vec(), enter(&depth))
            .add_handler(AROUND.to_vec(), only_within(&depth));
    }
    // The only error of the signature is one of reading, and there is no reader.
    let markdown = builder.build().convert(html).unwrap_or_default();
    let title = title.lock().unwrap_or_else(PoisonError::into_inner).take();
    (markdown, title)
}

/// Takes the first title out of the text.
fn keep_title(
    title: &Arc<Mutex<Option<String>>>,
) -> impl Fn(&dyn Handlers, Element) -> Option<HandlerResult> + Send + Sync + 'static {
    let title = Arc::clone(title);
    move |handlers, element| {
        let words = handlers.walk_children(element.node).content;
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut title = title.lock().unwrap_or_else(PoisonError::into_inner);
        if title.is_none() && !words.is_empty() {
            *title = Some(words);
        }
        None
    }
}

/// Counts how deep in content elements the walk is.
fn enter(
    depth: &Arc<AtomicUsize>,
) -> impl Fn(&dyn Handlers, Element) -> Option<HandlerResult> + Send + Sync + 'static {
    let depth = Arc::clone(depth);
    move |handlers, element| {
        depth.fetch_add(1, Ordering::Relaxed);
        let result = handlers.fallback(element);
        depth.fetch_sub(1, Ordering::Relaxed);
        result
    }
}

/// Drops the element unless the walk is within content.
fn only_within(
    depth: &Arc<AtomicUsize>,
) -> impl Fn(&dyn Handlers, Element) -> Option<HandlerResult> + Send + Sync + 'static {
    let depth = Arc::clone(depth);
    move |handlers, element| {
        let within = depth.load(Ordering::Relaxed) > 0 && element.tag != "nav";
        if within { handlers.fallback(element) } else { None }
    }
}

/// The words that stand for an image. Its address is no text, and may be the image itself.
fn alternative(image: &Element) -> String {
    let alt = image
        .attrs
        .iter()
        .find(|attribute| &*attribute.name.local == "alt");
    alt.map(|attribute| attribute.value.split_whitespace().collect::<Vec<_>>().join(" "))
        .unwrap_or_default()
}

/// The encoding that a page names in a `meta` element.
fn charset_in(bytes: &[u8]) -> Option<String> {
    let head = &bytes[..bytes.len().min(CHARSET_WITHIN)];
    let head: String = head
        .iter()
        .map(|byte| char::from(*byte).to_ascii_lowercase())
        .collect();
    let (_, after) = head.split_once("charset=")?;
    let name = after.trim_start_matches(['"', '\'', ' ']);
    let end = name.find(['"', '\'', ' ', '>', '/', ';'])?;
    Some(name[..end].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(html: &str) -> Document {
        parse(html.as_bytes(), None)
    }

    #[test]
    fn content_stays_and_what_is_around_it_goes() {
        let document = page(
            "<html><head><title> The\n page </title><style>p{}</style><script>alert(1)</script></head><body>
             <nav><a href='/'>Home</a></nav><header>Site name</header><h1>Bread</h1><p>Flour &amp; water.</p>
             <h2>Oven</h2><ul><li>hot<li>very hot</ul><footer>Imprint</footer></body></html>",
        );
        assert_eq!(
            document.text,
            "# Bread\n\nFlour & water.\n\n## Oven\n\n- hot\n- very hot"
        );
        assert_eq!(document.title.as_deref(), Some("The page"));
    }

    #[test]
    fn the_header_of_an_article_is_content() {
        let text =
            page("<header>Site</header><article><header><h1>Bread</h1></header><p>Flour.</p></article>").text;
        assert_eq!(text, "# Bread\n\nFlour.");
    }

    #[test]
    fn a_page_that_is_all_header_is_not_empty() {
        assert_eq!(page("<header><p>Only this</p></header>").text, "Only this");
    }

    #[test]
    fn addresses_of_links_and_images_are_no_text() {
        let text = page(
            "<p>See <a href='https://example.com/x'>the map</a> <img src='data:abc' alt='of a town'></p>",
        )
        .text;
        assert_eq!(text, "See the map of a town");
    }

    #[test]
    fn tables_become_markdown() {
        let text = page("<table><tr><th>a<th>b</tr><tr><td>1<td>2</tr></table>").text;
        assert_eq!(text, "| a | b |\n| - | - |\n| 1 | 2 |");
    }

    #[test]
    fn the_encoding_that_the_page_names_is_used() {
        let text = parse(b"<meta charset=\"iso-8859-2\"><p>\xB3\xF3d\xBC</p>", None).text;
        assert_eq!(text, "łódź");
    }
}
