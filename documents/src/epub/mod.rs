//! Electronic books: the chapters in the order in which they are read, each a page of HTML.

mod xhtml;

use std::collections::{HashMap, HashSet};
use std::io::BufRead;
use std::ops::ControlFlow;

use crate::package::{Archive, Broken, Node, resolved, title, walk};
use crate::text::Bounded;
use crate::{Document, Kind, MAX_TEXT, ParseError, html};

const MALFORMED: ParseError = ParseError::MalformedDocument(Kind::Epub);
/// More chapters than any book has.
const MAX_CHAPTERS: usize = 10_000;

/// # Errors
/// `malformed_document`, `encrypted_document` for chapters that only a reader with the right key opens, `zip_bomb`.
pub(crate) fn parse(bytes: &[u8]) -> Result<Document, ParseError> {
    let mut archive = Archive::open(bytes, Kind::Epub)?;
    let package = archive
        .read("META-INF/container.xml", |part| {
            first(part, "rootfile", "full-path")
        })?
        .flatten()
        .ok_or(MALFORMED)?;
    let chapters = archive
        .read(&package, |part| chapters(part, &package))?
        .ok_or(MALFORMED)?;
    let locked = archive
        .read_if_whole("META-INF/encryption.xml", locked)?
        .unwrap_or_default();
    if chapters.iter().any(|chapter| locked.contains(chapter)) {
        return Err(ParseError::EncryptedDocument(Kind::Epub));
    }
    let title = archive.read_if_whole(&package, title)?.flatten();
    let mut text = Bounded::new(MAX_TEXT);
    for chapter in &chapters {
        let Some(page) = archive.bytes(chapter)? else {
            continue;
        };
        let words = html::parse(&xhtml::as_html(&page), None)?;
        text.end_line(true);
        text.push(&words.text);
        text.end_line(true);
        if text.is_truncated() {
            break;
        }
    }
    let (text, truncated) = text.finish();
    Ok(Document {
        text,
        kind: Kind::Epub,
        title,
        truncated,
    })
}

/// The attribute of the first element of that name.
fn first(part: &mut dyn BufRead, name: &str, attribute: &str) -> Result<Option<String>, Broken> {
    let mut found = None;
    walk(part, |node| {
        if let Node::Open(element) = node
            && element.name() == name
        {
            found = element.attribute(attribute);
        }
        if found.is_some() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    Ok(found)
}

/// The parts of the spine, in its order (EPUB 3.3, 5.7), each once.
fn chapters(part: &mut dyn BufRead, package: &str) -> Result<Vec<String>, Broken> {
    let folder = package.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: HashMap<String, String> = HashMap::new();
    let mut chapters: Vec<String> = Vec::new();
    let mut seen = HashSet::new();
    walk(part, |node| {
        if let Node::Open(element) = node {
            match element.name() {
                "item" if parts.len() < MAX_CHAPTERS => {
                    let is_page = element
                        .attribute("media-type")
                        .is_some_and(|kind| kind.contains("html"));
                    if let (true, Some(id), Some(href)) =
                        (is_page, element.attribute("id"), element.attribute("href"))
                    {
                        parts.insert(id, resolved(folder, &percent_decoded(&href)));
                    }
                }
                "itemref" => {
                    let chapter = element.attribute("idref").and_then(|id| parts.get(&id));
                    chapters.extend(chapter.filter(|name| seen.insert((*name).clone())).cloned());
                }
                _ => {}
            }
        }
        ControlFlow::Continue(())
    })?;
    Ok(chapters)
}

/// The parts that are encrypted; fonts often are, in a way that every reader knows.
fn locked(part: &mut dyn BufRead) -> Result<HashSet<String>, Broken> {
    let mut locked = HashSet::new();
    walk(part, |node| {
        if let Node::Open(element) = node
            && element.name() == "CipherReference"
        {
            locked.extend(
                element
                    .attribute("URI")
                    .map(|name| resolved("", &percent_decoded(&name))),
            );
        }
        ControlFlow::Continue(())
    })?;
    Ok(locked)
}

fn percent_decoded(address: &str) -> String {
    let bytes = address.as_bytes();
    let (mut decoded, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let hexadecimal = (bytes[at] == b'%')
            .then(|| address.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(hexadecimal.unwrap_or(bytes[at]));
        at += if hexadecimal.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chapters_are_those_of_the_spine() {
        let package = "<package><manifest><item id='a' href='Text/one%20two.xhtml' media-type='application/xhtml+xml'/>
            <item id='b' href='two.html' media-type='text/html'/><item id='i' href='i.png' media-type='image/png'/>\
            </manifest>
            <spine><itemref idref='b'/><itemref idref='i'/><itemref idref='a'/><itemref idref='b'/></spine></package>";
        assert_eq!(
            chapters(&mut package.as_bytes(), "OEBPS/content.opf"),
            Ok(vec![
                "OEBPS/two.html".to_owned(),
                "OEBPS/Text/one two.xhtml".to_owned()
            ])
        );
        assert_eq!(percent_decoded("%C3%BC%2%"), "ü%2%");
    }
}
