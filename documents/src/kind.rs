//! Which kind of document some bytes are. Owns the order of the evidence: first bytes, content type, name.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ParseError;

/// What a file was read as.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    PlainText,
    Markdown,
    Html,
    Pdf,
    Docx,
    Json,
    Csv,
    /// Program text, configuration, XML: anything with a grammar of its own that is kept as it is.
    Source,
}

/// A Compound File: Office documents before 2007, and the wrapping of newer ones that have a password.
const COMPOUND_FILE: &[u8] = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";
/// The stream of a compound file that holds an encrypted document ([MS-OFFCRYPTO] 2.3), in UTF-16.
const ENCRYPTED_PACKAGE: &[u8] = b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0";
/// Readers accept a PDF whose header begins within the first 1,024 bytes.
const PDF_HEADER_WITHIN: usize = 1024;
/// How much of a file is looked at to tell text from anything else.
const SAMPLE: usize = 8192;

impl Kind {
    /// The kind's name in rows and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PlainText => "text",
            Self::Markdown => "markdown",
            Self::Html => "html",
            Self::Pdf => "pdf",
            Self::Docx => "docx",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Source => "source",
        }
    }

    /// Whether the text of such a document is Markdown, and should be cut as Markdown.
    #[must_use]
    pub fn is_markdown(self) -> bool {
        matches!(self, Self::Markdown | Self::Html | Self::Docx)
    }

    /// The kind that type and name claim, for what is text already; `None` where they do not say.
    #[must_use]
    pub fn claimed(content_type: &str, file_name: &str) -> Option<Self> {
        match claim(content_type, file_name) {
            Claim::Kind(kind) => Some(kind),
            Claim::Other | Claim::Unknown => None,
        }
    }

    /// The kind of `bytes`. The first bytes win over the content type, and that over the name; `text/plain` and
    /// `application/octet-stream` are what clients send that do not know, so there the name is asked first.
    ///
    /// # Errors
    /// `unsupported_type`; `encrypted_document` for an Office document with a password; `malformed_document` for
    /// what claims to be a PDF or DOCX and does not begin like one.
    pub(crate) fn detect(bytes: &[u8], content_type: &str, file_name: &str) -> Result<Self, ParseError> {
        let claimed = claim(content_type, file_name);
        if let Some(kind) = by_first_bytes(bytes, claimed)? {
            return Ok(kind);
        }
        match claimed {
            Claim::Kind(kind @ (Self::Pdf | Self::Docx)) => Err(ParseError::MalformedDocument(kind)),
            Claim::Kind(kind) if is_text(bytes) => Ok(kind),
            Claim::Unknown if is_text(bytes) => Ok(Self::PlainText),
            _ => Err(ParseError::UnsupportedType),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the sender says the file is.
#[derive(Clone, Copy, PartialEq)]
enum Claim {
    Kind(Kind),
    /// A type that is known and not read, such as an image.
    Other,
    Unknown,
}

fn by_first_bytes(bytes: &[u8], claimed: Claim) -> Result<Option<Kind>, ParseError> {
    let start = text_start(bytes);
    if start.starts_with(b"%PDF-") {
        return Ok(Some(Kind::Pdf));
    }
    if claimed == Claim::Kind(Kind::Pdf) && within(bytes, PDF_HEADER_WITHIN, b"%PDF-") {
        return Ok(Some(Kind::Pdf));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return match claimed {
            Claim::Kind(Kind::Docx) => Ok(Some(Kind::Docx)),
            _ if crate::docx::is_docx(bytes) => Ok(Some(Kind::Docx)),
            _ => Err(ParseError::UnsupportedType),
        };
    }
    if bytes.starts_with(COMPOUND_FILE) {
        return Err(if within(bytes, bytes.len(), ENCRYPTED_PACKAGE) {
            ParseError::EncryptedDocument(Kind::Docx)
        } else {
            ParseError::UnsupportedType
        });
    }
    if bytes.starts_with(b"{\\rtf") {
        return Err(ParseError::UnsupportedType);
    }
    let html = starts_without_case(start, b"<!doctype html") || starts_without_case(start, b"<html");
    Ok(html.then_some(Kind::Html))
}

fn claim(content_type: &str, file_name: &str) -> Claim {
    let essence = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let by_type = by_content_type(&essence);
    if by_type == Claim::Unknown || essence == "text/plain" {
        match by_extension(file_name) {
            Claim::Unknown => by_type,
            claim => claim,
        }
    } else {
        by_type
    }
}

fn by_content_type(essence: &str) -> Claim {
    let kind = match essence {
        "text/plain" => Kind::PlainText,
        "text/markdown" | "text/x-markdown" => Kind::Markdown,
        "text/html" | "application/xhtml+xml" => Kind::Html,
        "application/pdf" | "application/x-pdf" => Kind::Pdf,
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => Kind::Docx,
        "application/json" | "application/x-ndjson" | "application/jsonl" => Kind::Json,
        "text/csv" | "text/tab-separated-values" => Kind::Csv,
        "" | "application/octet-stream" | "binary/octet-stream" => return Claim::Unknown,
        "application/xml" | "application/javascript" | "application/sql" | "application/toml" => Kind::Source,
        "application/yaml" | "application/x-yaml" | "application/x-sh" => Kind::Source,
        other if other.ends_with("+json") => Kind::Json,
        other if other.starts_with("text/") => Kind::Source,
        other if media(other) => return Claim::Other,
        _ => return Claim::Unknown,
    };
    Claim::Kind(kind)
}

fn media(essence: &str) -> bool {
    ["image/", "audio/", "video/", "font/", "model/"]
        .iter()
        .any(|family| essence.starts_with(family))
}

fn by_extension(file_name: &str) -> Claim {
    let Some((_, extension)) = file_name.rsplit_once('.') else {
        return Claim::Unknown;
    };
    let kind = match extension.to_ascii_lowercase().as_str() {
        "txt" | "text" | "log" => Kind::PlainText,
        "md" | "markdown" | "mdx" => Kind::Markdown,
        "html" | "htm" | "xhtml" => Kind::Html,
        "pdf" => Kind::Pdf,
        "docx" | "docm" => Kind::Docx,
        "json" | "jsonl" | "ndjson" => Kind::Json,
        "csv" | "tsv" => Kind::Csv,
        "rs" | "py" | "js" | "ts" | "tsx" | "jsx" | "go" | "java" | "kt" | "c" | "h" | "cc" | "cpp"
        | "hpp" => Kind::Source,
        "cs" | "rb" | "php" | "pl" | "swift" | "scala" | "sh" | "sql" | "r" | "lua" | "css" | "tex"
        | "rst" => Kind::Source,
        "xml" | "yaml" | "yml" | "toml" | "ini" | "cfg" | "conf" | "proto" | "graphql" | "adoc" | "org" => {
            Kind::Source
        }
        _ => return Claim::Unknown,
    };
    Claim::Kind(kind)
}

/// Whether the beginning is text: no NUL but in UTF-16, and hardly any control character but those between words.
fn is_text(bytes: &[u8]) -> bool {
    let has_mark = bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF");
    if has_mark || crate::text::utf16_without_mark(bytes).is_some() {
        return true;
    }
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    let odd = |byte: &&u8| **byte < 0x20 && !matches!(**byte, b'\t'..=b'\r' | 0x1B..=0x1F);
    !sample.contains(&0) && sample.iter().filter(odd).count() * 50 <= sample.len()
}

/// The bytes after a mark of UTF-8 and white space.
fn text_start(bytes: &[u8]) -> &[u8] {
    bytes
        .strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(bytes)
        .trim_ascii_start()
}

fn starts_without_case(bytes: &[u8], prefix: &[u8]) -> bool {
    bytes
        .get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn within(bytes: &[u8], length: usize, needle: &[u8]) -> bool {
    bytes[..bytes.len().min(length)]
        .windows(needle.len())
        .any(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_win_over_what_the_sender_says() {
        assert_eq!(Kind::detect(b"%PDF-1.7\n", "text/plain", "a.txt"), Ok(Kind::Pdf));
        assert_eq!(
            Kind::detect(b"\n<!DOCTYPE HTML><p>a", "text/plain", "a.txt"),
            Ok(Kind::Html)
        );
    }

    #[test]
    fn the_content_type_wins_over_the_name_and_plain_text_does_not() {
        assert_eq!(
            Kind::detect(b"a,b\n", "text/csv; charset=utf-8", "a.json"),
            Ok(Kind::Csv)
        );
        assert_eq!(Kind::detect(b"# a\n", "text/plain", "a.MD"), Ok(Kind::Markdown));
        assert_eq!(
            Kind::detect(b"{}", "application/octet-stream", "a.json"),
            Ok(Kind::Json)
        );
        assert_eq!(Kind::detect(b"fn main() {}", "", "main.rs"), Ok(Kind::Source));
        assert_eq!(Kind::detect(b"plain words", "", ""), Ok(Kind::PlainText));
    }

    #[test]
    fn what_is_not_text_is_not_read_as_text() {
        let unsupported = Err(ParseError::UnsupportedType);
        assert_eq!(
            Kind::detect(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "text/plain", "a.txt"),
            unsupported
        );
        assert_eq!(Kind::detect(b"words", "image/png", "a.png"), unsupported);
        assert_eq!(
            Kind::detect(b"PK\x03\x04 an archive of something else", "", "a.zip"),
            unsupported
        );
        assert_eq!(
            Kind::detect(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 old", "", "a.doc"),
            unsupported
        );
        assert_eq!(Kind::detect(b"{\\rtf1 words}", "text/rtf", "a.rtf"), unsupported);
    }

    #[test]
    fn what_claims_to_be_a_pdf_or_docx_and_is_not_is_malformed() {
        let malformed = |kind| Err(ParseError::MalformedDocument(kind));
        assert_eq!(
            Kind::detect(b"hello", "application/pdf", ""),
            malformed(Kind::Pdf)
        );
        assert_eq!(Kind::detect(b"hello", "", "a.docx"), malformed(Kind::Docx));
    }

    #[test]
    fn an_office_document_with_a_password_is_encrypted() {
        let bytes = [COMPOUND_FILE, &[0; 64], ENCRYPTED_PACKAGE].concat();
        assert_eq!(
            Kind::detect(&bytes, "", "a.docx"),
            Err(ParseError::EncryptedDocument(Kind::Docx))
        );
    }
}
