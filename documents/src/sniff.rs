//! The evidence of a file's first bytes, as browsers look at what comes without a type (WHATWG, MIME Sniffing, 7.1).

/// Bytes that are looked at to tell text from anything else.
const SAMPLE: usize = 8192;
/// Bytes of an XML file in which its first element is looked for.
const PROLOGUE: usize = 64 << 10;
/// Tags with which a page begins that does not say that it is one.
const TAGS: &[&str] = &[
    "!doctype html",
    "html",
    "head",
    "script",
    "iframe",
    "h1",
    "div",
    "font",
    "table",
    "a",
    "style",
    "title",
    "b",
    "body",
    "br",
    "p",
];
/// Headers of which a message has two, one of them of those before the gap: others are found in any log.
const HEADERS: &[&str] = &[
    "mime-version",
    "return-path",
    "received",
    "message-id",
    "from",
    "delivered-to",
    "dkim-signature",
    "snapshot-content-location",
    "to",
    "subject",
    "date",
    "content-type",
    "content-transfer-encoding",
    "cc",
    "reply-to",
    "in-reply-to",
    "sender",
];
const STRONG_HEADERS: usize = 8;

/// Whether it begins with one of the two marks that no other text begins with.
pub(crate) fn is_page(bytes: &[u8]) -> bool {
    let start = past_xml_prologue(text_start(bytes));
    starts_without_case(start, b"<!doctype html") || begins_with_tag(start, "html")
}

/// Whether it begins as a page may that came without a type: with any of the tags of pages, or a comment before one.
pub(crate) fn may_be_page(bytes: &[u8]) -> bool {
    let start = text_start(bytes);
    if TAGS.iter().any(|tag| begins_with_tag(start, tag)) {
        return true;
    }
    if !start.starts_with(b"<!--") {
        return false;
    }
    let after = past_xml_prologue(start);
    let sample = &after[..after.len().min(SAMPLE)];
    TAGS.iter().any(|tag| begins_with_tag(after, tag)) || within(sample, sample.len(), b"</")
}

/// The name of the first element of an XML file, without its prefix; nothing where no element begins.
pub(crate) fn xml_root(bytes: &[u8]) -> Option<&str> {
    let start = past_xml_prologue(text_start(bytes)).strip_prefix(b"<")?;
    let end = start
        .iter()
        .position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_' | b'.')))?;
    let name = std::str::from_utf8(&start[..end]).ok()?;
    let name = name.rsplit(':').next()?;
    (!name.is_empty()).then_some(name)
}

/// Whether it begins with the headers of a message: a mail, or a page saved with what belongs to it.
pub(crate) fn is_message(bytes: &[u8]) -> bool {
    let (mut strong, mut known) = (0_usize, 0_usize);
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    let whole = match sample.iter().rposition(|byte| *byte == b'\n') {
        Some(end) if sample.len() < bytes.len() => &sample[..end],
        _ => sample,
    };
    for line in text_start(whole)
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii_end)
    {
        if line.is_empty() {
            break;
        }
        if line.starts_with(b" ") || line.starts_with(b"\t") || line.starts_with(b"From ") {
            continue;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            return false;
        };
        let name = line[..colon].trim_ascii_end();
        if !name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        {
            return false;
        }
        if let Some(place) = HEADERS
            .iter()
            .position(|header| name.eq_ignore_ascii_case(header.as_bytes()))
        {
            known += 1;
            strong += usize::from(place < STRONG_HEADERS);
        }
    }
    known >= 2 && strong >= 1
}

/// Whether a message is a saved page: those have no receiver.
pub(crate) fn is_saved_page(bytes: &[u8]) -> bool {
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    let head: String = sample
        .iter()
        .map(|byte| char::from(byte.to_ascii_lowercase()))
        .collect();
    let head = head.replace('\r', "");
    let head = head.split("\n\n").next().unwrap_or_default();
    let has = |name: &str| head.starts_with(name) || head.contains(&format!("\n{name}"));
    head.contains("multipart/related") && !has("to:") && !has("received:") && !has("delivered-to:")
}

/// Whether it is the JSON of a notebook of Jupyter.
pub(crate) fn is_notebook(bytes: &[u8]) -> bool {
    text_start(bytes).starts_with(b"{")
        && within(bytes, bytes.len(), b"\"nbformat\"")
        && (within(bytes, bytes.len(), b"\"cells\"") || within(bytes, bytes.len(), b"\"worksheets\""))
}

/// Whether it is an archive, or one compressed file, of a sort that is not a document either.
pub(crate) fn is_archive(bytes: &[u8]) -> bool {
    const BEGINNINGS: &[&[u8]] = &[
        b"PK\x03\x04",
        b"PK\x05\x06",
        b"PK\x07\x08",
        b"\x1F\x8B\x08",
        b"7z\xBC\xAF\x27\x1C",
        b"Rar!\x1A\x07",
        b"BZh",
        b"\xFD7zXZ\0",
        b"\x28\xB5\x2F\xFD",
    ];
    BEGINNINGS.iter().any(|beginning| bytes.starts_with(beginning))
        && !(bytes.starts_with(b"BZh") && is_text(bytes))
        || bytes.get(257..262) == Some(b"ustar")
}

/// Whether the beginning is text: no NUL but in UTF-16, and hardly any control character but those between words.
pub(crate) fn is_text(bytes: &[u8]) -> bool {
    let has_mark = bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF");
    if has_mark || crate::text::utf16_without_mark(bytes).is_some() {
        return true;
    }
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    let odd = |byte: &&u8| **byte < 0x20 && !matches!(**byte, b'\t'..=b'\r' | 0x1B..=0x1F);
    !sample.contains(&0) && sample.iter().filter(odd).count() * 50 <= sample.len()
}

/// The bytes after a mark of UTF-8 and white space.
pub(crate) fn text_start(bytes: &[u8]) -> &[u8] {
    bytes
        .strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(bytes)
        .trim_ascii_start()
}

pub(crate) fn within(bytes: &[u8], length: usize, needle: &[u8]) -> bool {
    bytes[..bytes.len().min(length)]
        .windows(needle.len())
        .any(|window| window == needle)
}

/// The rest behind the declaration, the instructions, the comments, and a document type that is not HTML's.
fn past_xml_prologue(bytes: &[u8]) -> &[u8] {
    let mut rest = &bytes[..bytes.len().min(PROLOGUE)];
    loop {
        rest = rest.trim_ascii_start();
        let end: &[u8] = if rest.starts_with(b"<?") {
            b"?>"
        } else if rest.starts_with(b"<!--") {
            b"-->"
        } else if starts_without_case(rest, b"<!doctype") && !starts_without_case(rest, b"<!doctype html") {
            b">"
        } else {
            return rest;
        };
        let Some(place) = rest.windows(end.len()).position(|window| window == end) else {
            return &[];
        };
        rest = &rest[place + end.len()..];
    }
}

/// A tag counts if its name ends there.
fn begins_with_tag(bytes: &[u8], name: &str) -> bool {
    let Some(rest) = bytes.strip_prefix(b"<") else {
        return false;
    };
    starts_without_case(rest, name.as_bytes())
        && rest
            .get(name.len())
            .is_some_and(|byte| byte.is_ascii_whitespace() || *byte == b'>')
}

fn starts_without_case(bytes: &[u8], prefix: &[u8]) -> bool {
    bytes
        .get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_known_by_how_they_begin() {
        for (start, certain, possible) in [
            ("<!DOCTYPE HTML PUBLIC \"x\"><p>a", true, true),
            ("\u{FEFF}\n <html lang=\"de\">", true, true),
            ("<?xml version=\"1.0\"?>\n<!DOCTYPE html>\n<html>", true, false),
            ("<!-- saved from url=(0014)about:internet -->\n<html>", true, true),
            ("<!-- a --><!-- b --><div>x</div>", false, true),
            ("<!-- a note -->words <b>and</b> more", false, true),
            ("<!-- a note -->\n\n# A heading\n\nwords", false, false),
            ("<P>a", false, true),
            ("<table border=1>", false, true),
            ("<body>", false, true),
            ("<htmlx>", false, false),
            ("<b", false, false),
            ("<abbr>", false, false),
            ("<?xml version=\"1.0\"?><rss>", false, false),
            ("words <html>", false, false),
        ] {
            assert_eq!(
                (is_page(start.as_bytes()), may_be_page(start.as_bytes())),
                (certain, possible),
                "{start}"
            );
        }
    }

    #[test]
    fn the_first_element_is_found_behind_what_precedes_it() {
        for (xml, root) in [
            (
                "<?xml version='1.0'?><?mso-application progid='x'?><pkg:package>",
                Some("package"),
            ),
            (
                "<!-- <a> --><!DOCTYPE svg SYSTEM 'x'><svg width='1'>",
                Some("svg"),
            ),
            ("words", None),
            ("<?xml never ends", None),
        ] {
            assert_eq!(xml_root(xml.as_bytes()), root, "{xml}");
        }
    }

    #[test]
    fn messages_are_known_by_their_headers() {
        for (text, message, page) in [
            ("From: a@b.example\r\nSubject: x\r\n\r\nwords", true, false),
            (
                "Return-Path: <a@b.example>\nReceived: from x\n\tby y\nTo: c@d.example\n\nwords",
                true,
                false,
            ),
            (
                "From: <Saved by Blink>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related;\r\n\tboundary=x\r\n\
                 \r\n",
                true,
                true,
            ),
            (
                "From sender Mon Jan  1 00:00:00 2024\nFrom: a@b.example\nDate: x\n\nwords",
                true,
                false,
            ),
            ("Subject: x\nDate: y\n\nwords", false, false),
            ("From: the office\n\nwords", false, false),
            ("From the office:\nto the street\n", false, false),
            ("key: value\nother: value\n", false, false),
        ] {
            assert_eq!(
                (is_message(text.as_bytes()), is_saved_page(text.as_bytes())),
                (message, page),
                "{text}"
            );
        }
    }
}
