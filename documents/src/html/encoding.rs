//! The encoding that a page names. Owns the standard's prescan (HTML, 13.2.3.2, «prescan a byte stream to determine its
//! encoding», with «get an attribute» and «extracting a character encoding from a meta element», 2.6.5) and what the
//! parser would find later. html5ever has none of it, and no crate does it alone.

use encoding_rs::{Encoding, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};

use super::elements::RAW_TEXT;

/// Bytes that the prescan looks at.
const PRESCAN: usize = 1024;
/// The encoding of a page by what it says itself: its first `meta` that names one within the prescan, else one that the
/// parser finds behind it, else its XML declaration.
pub(super) fn named_in(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(PRESCAN)];
    Scanner { bytes: head, at: 0 }
        .meta(false)
        .or_else(|| Scanner { bytes, at: 0 }.meta(true))
        .or_else(|| xml_declaration(head))
}

/// A label of a page, as the standard takes it: a page whose bytes could be read so far is not UTF-16.
fn of_label(label: &[u8]) -> Option<&'static Encoding> {
    let encoding = Encoding::for_label(label).filter(|encoding| *encoding != REPLACEMENT)?;
    Some(if encoding == UTF_16LE || encoding == UTF_16BE {
        UTF_8
    } else if encoding == X_USER_DEFINED {
        WINDOWS_1252
    } else {
        encoding
    })
}

/// «Get an XML encoding».
fn xml_declaration(bytes: &[u8]) -> Option<&'static Encoding> {
    let declaration = bytes.strip_prefix(b"<?xml")?;
    let declaration = &declaration[..find(declaration, b">")?];
    let after = &declaration[find(declaration, b"encoding")? + b"encoding".len()..];
    let is_space = |byte: &u8| *byte <= b' ';
    let skip = |bytes: &[u8]| {
        bytes
            .iter()
            .position(|byte| !is_space(byte))
            .unwrap_or(bytes.len())
    };
    let after = after[skip(after)..].strip_prefix(b"=")?;
    let after = &after[skip(after)..];
    let quote = *after.first().filter(|byte| matches!(byte, b'"' | b'\''))?;
    let label = &after[1..];
    let label = &label[..label.iter().position(|byte| *byte == quote)?];
    if label.iter().any(is_space) {
        return None;
    }
    of_label(label)
}

/// A walk over the tags of bytes that are not decoded yet. A step beyond the end gives none, and ends it.
struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// Name in lower case, and value.
type Attribute = (Vec<u8>, Vec<u8>);

impl Scanner<'_> {
    /// The encoding of the first `meta` that names one that is known. `as_parser`: what is in scripts and the like is
    /// no tag.
    fn meta(mut self, as_parser: bool) -> Option<&'static Encoding> {
        loop {
            self.at += find(&self.bytes[self.at..], b"<")?;
            let rest = &self.bytes[self.at..];
            let name = name_of(rest);
            if rest.starts_with(b"<!--") {
                // The hyphens that begin it can end it.
                self.at += 2 + find(&rest[2..], b"-->")? + 3;
            } else if name.eq_ignore_ascii_case(b"meta") && rest.len() > 5 && rest[5] != b'>' {
                self.at += 5;
                if let Some(encoding) = self.meta_element()? {
                    return Some(encoding);
                }
            } else if !name.is_empty() || (rest.starts_with(b"</") && !name_of(&rest[1..]).is_empty()) {
                let raw = RAW_TEXT
                    .iter()
                    .find(|raw| name.eq_ignore_ascii_case(raw.as_bytes()));
                self.at += rest.iter().position(|byte| is_space(*byte) || *byte == b'>')?;
                while self.attribute()?.is_some() {}
                if let (Some(raw), true) = (raw, as_parser) {
                    self.skip_raw(raw.as_bytes())?;
                }
            } else if matches!(rest.get(1), Some(b'!' | b'/' | b'?')) {
                self.at += find(rest, b">")?;
            } else {
                self.at += 1;
            }
        }
    }

    /// The encoding that the attributes of a `meta` name; the inner `None` if it is not known.
    fn meta_element(&mut self) -> Option<Option<&'static Encoding>> {
        let mut seen: Vec<Vec<u8>> = Vec::new();
        let (mut is_pragma, mut needs_pragma, mut named) = (false, None, None);
        while let Some((name, value)) = self.attribute()? {
            if seen.contains(&name) {
                continue;
            }
            match name.as_slice() {
                b"http-equiv" => is_pragma |= value.eq_ignore_ascii_case(b"content-type"),
                b"content" if needs_pragma.is_none() => {
                    if let Some(encoding) = in_content(&value) {
                        (named, needs_pragma) = (Some(encoding), Some(true));
                    }
                }
                b"charset" => (named, needs_pragma) = (of_label(&value), Some(false)),
                _ => {}
            }
            seen.push(name);
        }
        let counts = needs_pragma.is_some_and(|needs_pragma| is_pragma || !needs_pragma);
        Some(named.filter(|_| counts))
    }

    /// «Get an attribute»; the inner none at the end of the tag.
    fn attribute(&mut self) -> Option<Option<Attribute>> {
        self.skip(|byte| is_space(byte) || byte == b'/')?;
        if self.byte()? == b'>' {
            return Some(None);
        }
        let mut name = Vec::new();
        loop {
            let byte = self.byte()?;
            match byte {
                b'=' if !name.is_empty() => break,
                _ if is_space(byte) => {
                    self.skip(is_space)?;
                    if self.byte()? != b'=' {
                        return Some(Some((name, Vec::new())));
                    }
                    break;
                }
                b'/' | b'>' => return Some(Some((name, Vec::new()))),
                _ => name.push(byte.to_ascii_lowercase()),
            }
            self.at += 1;
        }
        self.at += 1;
        self.skip(is_space)?;
        Some(Some((name, self.value()?)))
    }

    fn value(&mut self) -> Option<Vec<u8>> {
        let first = self.byte()?;
        if matches!(first, b'"' | b'\'') {
            let value = &self.bytes[self.at + 1..];
            let end = value.iter().position(|byte| *byte == first)?;
            self.at += end + 2;
            return Some(value[..end].to_vec());
        }
        let value = &self.bytes[self.at..];
        let end = value.iter().position(|byte| is_space(*byte) || *byte == b'>')?;
        self.at += end;
        Some(value[..end].to_vec())
    }

    /// To the end tag of an element whose content is no markup.
    fn skip_raw(&mut self, name: &[u8]) -> Option<()> {
        loop {
            self.at += find(&self.bytes[self.at..], b"</")? + 2;
            if name_of(&self.bytes[self.at - 1..]).eq_ignore_ascii_case(name) {
                return Some(());
            }
        }
    }

    fn skip(&mut self, skipped: impl Fn(u8) -> bool) -> Option<()> {
        self.at += self.bytes[self.at..].iter().position(|byte| !skipped(*byte))?;
        Some(())
    }

    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }
}

/// The label in the `content` of a `meta`.
fn in_content(content: &[u8]) -> Option<&'static Encoding> {
    let content = content.to_ascii_lowercase();
    let mut rest = content.as_slice();
    loop {
        rest = &rest[find(rest, b"charset")? + b"charset".len()..];
        let after = trimmed(rest);
        let Some(label) = after.strip_prefix(b"=").map(trimmed) else {
            continue;
        };
        let first = *label.first()?;
        let label = if matches!(first, b'"' | b'\'') {
            let label = &label[1..];
            &label[..label.iter().position(|byte| *byte == first)?]
        } else {
            let end = label.iter().position(|byte| is_space(*byte) || *byte == b';');
            &label[..end.unwrap_or(label.len())]
        };
        return of_label(label);
    }
}

fn trimmed(bytes: &[u8]) -> &[u8] {
    &bytes[bytes
        .iter()
        .position(|byte| !is_space(*byte))
        .unwrap_or(bytes.len())..]
}

/// The name of a start tag; empty where there is none.
fn name_of(tag: &[u8]) -> &[u8] {
    let name = &tag[tag.len().min(1)..];
    if !name.first().is_some_and(u8::is_ascii_alphabetic) {
        return &[];
    }
    let end = name
        .iter()
        .position(|byte| is_space(*byte) || matches!(byte, b'/' | b'>'));
    &name[..end.unwrap_or(name.len())]
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | 0x0C | b'\r' | b' ')
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    let first = needle[0];
    let mut from = 0;
    loop {
        from += bytes[from..].iter().position(|byte| *byte == first)?;
        if bytes[from..].starts_with(needle) {
            return Some(from);
        }
        from += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_meta_that_names_an_encoding_counts() {
        let long = format!("<!--{}--><meta charset=koi8-r>", "x".repeat(1500));
        for (page, expected) in [
            ("<meta charset=\"iso-8859-2\">", Some("ISO-8859-2")),
            ("<META\nCharSet = 'euc-jp' >", Some("EUC-JP")),
            ("<meta charset=utf-16>", Some("UTF-8")),
            ("<meta charset=x-user-defined>", Some("windows-1252")),
            (
                "<meta http-equiv=Content-Type content='text/html; charset = koi8-r'>",
                Some("KOI8-R"),
            ),
            (
                "<meta content='text/html; charset=\"big5\"' http-equiv=content-type>",
                Some("Big5"),
            ),
            ("<meta content='text/html; charset=big5'>", None),
            ("<meta http-equiv=refresh content='0; charset=big5'>", None),
            ("<!-- <meta charset=big5> --><meta charset=gbk>", Some("GBK")),
            ("<!--><meta charset=gbk>-->", Some("GBK")),
            ("<script charset=big5></script><meta charset=gbk>", Some("GBK")),
            ("<p title='<meta charset=big5>'><meta charset=gbk>", Some("GBK")),
            ("<? <meta charset=big5> <meta charset=gbk>", Some("GBK")),
            ("<meta charset=nobody-knows><meta charset=gbk>", Some("GBK")),
            ("<meta charset=hz-gb-2312>", None),
            ("<meta charset=big5 charset=gbk>", Some("Big5")),
            ("<metacharset=gbk><meta/charset=big5>", Some("Big5")),
            ("<meta charset=gbk", None),
            (
                "<?xml version='1.0' encoding='windows-1251'?><p>",
                Some("windows-1251"),
            ),
            ("<?xml version='1.0' encoding='utf-16'?><p>", Some("UTF-8")),
            (
                "<?xml version='1.0' encoding='gbk'?><meta charset=big5>",
                Some("Big5"),
            ),
            (long.as_str(), Some("KOI8-R")),
            ("<p>charset=big5", None),
        ] {
            let expected = expected.and_then(|name| Encoding::for_label(name.as_bytes()));
            assert_eq!(named_in(page.as_bytes()), expected, "{page:.80}");
        }
    }

    #[test]
    fn behind_the_prescan_only_what_is_a_tag_counts() {
        let filler = format!("<!--{}-->", "x".repeat(1100));
        let page = format!(
            "{filler}<script>'<meta charset=big5>'</script><title><meta charset=gbk></title><meta charset=koi8-r>"
        );
        assert_eq!(named_in(page.as_bytes()), Encoding::for_label(b"koi8-r"));
    }
}
