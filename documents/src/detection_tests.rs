//! The evidence that decides about the kind of a file.

use super::*;

const EXCEL: &str = "application/vnd.ms-excel";

#[test]
fn the_first_bytes_win_over_what_the_sender_says() {
    for (bytes, content_type, name, kind) in [
        (&b"%PDF-1.7\n"[..], "text/plain", "a.txt", Kind::Pdf),
        (b"\n<!DOCTYPE HTML><p>a", "text/plain", "a.txt", Kind::Html),
        (b"<!-- saved --><html><p>a", "", "", Kind::Html),
        (
            b"<?xml version='1.0'?><html xmlns='x'>",
            "application/xml",
            "",
            Kind::Html,
        ),
        (b"<html><table>", EXCEL, "a.xls", Kind::Html),
        (b"{\\rtf1 words}", "application/msword", "a.doc", Kind::Rtf),
        (
            b"From: a@b.example\nMIME-Version: 1.0\n\nw",
            "text/plain",
            "a.txt",
            Kind::Mail,
        ),
        (
            b"{\"cells\": [], \"nbformat\": 4}",
            "application/json",
            "",
            Kind::Notebook,
        ),
    ] {
        assert_eq!(
            Kind::detect(bytes, content_type, name),
            Ok(kind),
            "{content_type} {name}"
        );
    }
}

#[test]
fn the_content_type_wins_over_the_name_and_plain_text_does_not() {
    for (bytes, content_type, name, kind) in [
        (&b"a,b\n"[..], "text/csv; charset=utf-8", "a.json", Kind::Csv),
        (b"# a\n", "text/plain", "a.MD", Kind::Markdown),
        (b"{}", "application/octet-stream", "a.json", Kind::Json),
        (b"fn main() {}", "", "main.rs", Kind::Source),
        (b"plain words", "", "", Kind::PlainText),
        (b"<p>a</p>", "", "", Kind::Html),
        (b"<p align=center>a</p>\n\n# b", "", "README.md", Kind::Markdown),
        (b"<!-- a -->\n\n# b", "", "upload", Kind::PlainText),
        (b"From: x\nTo: y\n\nw", "text/x-python", "", Kind::Source),
        (b"a\tb\n1\t2\n", EXCEL, "a.xls", Kind::Csv),
        (b"words", "application/msword", "a.doc", Kind::PlainText),
    ] {
        assert_eq!(
            Kind::detect(bytes, content_type, name),
            Ok(kind),
            "{content_type} {name}"
        );
    }
}

#[test]
fn what_is_not_read_is_refused_by_its_name_where_it_has_one() {
    let compound = |stream: &str| {
        let name: Vec<u8> = stream.bytes().flat_map(|byte| [byte, 0]).collect();
        [COMPOUND_FILE, &[0; 64], &name].concat()
    };
    for (bytes, content_type, name, unread) in [
        (
            b"PK\x03\x04 no document".to_vec(),
            "",
            "a.zip",
            Some(Unread::Archive),
        ),
        (
            b"\x1F\x8B\x08\0".to_vec(),
            "text/plain",
            "a.txt",
            Some(Unread::Archive),
        ),
        (compound("WordDocument"), "", "a.txt", Some(Unread::Word97)),
        (
            compound("PowerPoint Document"),
            "",
            "",
            Some(Unread::PowerPoint97),
        ),
        (
            compound("__properties_version1.0"),
            "",
            "",
            Some(Unread::OutlookMessage),
        ),
        (compound("Thumbs"), "", "", Some(Unread::CompoundFile)),
        (b"%!PS-Adobe-3.0".to_vec(), "", "", Some(Unread::PostScript)),
        (
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(),
            "text/plain",
            "a.txt",
            None,
        ),
        (b"words".to_vec(), "image/png", "a.png", None),
        (b"<svg xmlns='x'/>".to_vec(), "image/svg+xml", "a.svg", None),
    ] {
        let expected = unread.map_or(ParseError::UnsupportedType, ParseError::Unread);
        assert_eq!(
            Kind::detect(&bytes, content_type, name),
            Err(expected),
            "{name} {unread:?}"
        );
        assert_eq!(expected.class(), "unsupported_type");
        assert!(
            expected
                .to_string()
                .starts_with("files of this type are not read")
        );
    }
}

#[test]
fn what_claims_to_be_a_document_and_is_not_is_malformed() {
    for (name, kind) in [
        ("a.pdf", Kind::Pdf),
        ("a.docx", Kind::Docx),
        ("a.xlsx", Kind::Spreadsheet),
        ("a.pptx", Kind::Slides),
        ("a.odt", Kind::OpenDocument),
        ("a.epub", Kind::Epub),
        ("a.rtf", Kind::Rtf),
    ] {
        assert_eq!(
            Kind::detect(b"hello", "", name),
            Err(ParseError::MalformedDocument(kind))
        );
    }
}

#[test]
fn an_office_document_with_a_password_is_encrypted() {
    let package: Vec<u8> = b"EncryptedPackage".iter().flat_map(|byte| [*byte, 0]).collect();
    let bytes = [COMPOUND_FILE, &[0; 64], &package].concat();
    for (name, kind) in [
        ("a.docx", Kind::Docx),
        ("a.xlsx", Kind::Spreadsheet),
        ("", Kind::Docx),
    ] {
        assert_eq!(
            Kind::detect(&bytes, "", name),
            Err(ParseError::EncryptedDocument(kind))
        );
    }
}

#[test]
fn text_that_is_wrapped_is_told_from_text() {
    for (text, content_type, name, kind) in [
        ("<html><p>a", "", "", Some(Kind::Html)),
        (
            "<!-- a --><!DOCTYPE HTML><p>a",
            "text/plain",
            "",
            Some(Kind::Html),
        ),
        ("<p>a", "text/html", "", Some(Kind::Html)),
        ("From: a@b.example\nTo: c\n\nw", "", "", Some(Kind::Mail)),
        ("{\"cells\": [], \"nbformat\": 4}", "", "", Some(Kind::Notebook)),
        ("{\\rtf1 a}", "", "a.rtf", Some(Kind::Rtf)),
        ("%PDF-1.7 is how a PDF begins", "", "", None),
        ("# Title", "", "a.docx", None),
        ("words", "application/pdf", "a.pdf", None),
        ("a text about <html>", "", "", None),
        ("<!-- never closed <html>", "", "", None),
    ] {
        let found = Kind::of_wrapped_text(text.as_bytes(), content_type, name);
        assert_eq!(found, kind, "{content_type} {name} {text}");
    }
}
