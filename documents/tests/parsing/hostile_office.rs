//! Office documents, books and messages that are broken, or made to break what reads them.

use zerodb_hooks_documents::{MAX_TEXT, ParseError};

use crate::files::archive;
use crate::office::{slides, workbook};
use crate::open_formats::{book, open_document};
use crate::{parser, refused};

#[tokio::test]
async fn cut_off_anywhere_they_are_refused_or_read_as_far_as_they_go() {
    for (name, whole) in [
        ("a.xlsx", workbook()),
        ("a.pptx", slides()),
        ("a.odt", open_document()),
        ("a.epub", book()),
    ] {
        for tenth in 1..10 {
            let error = refused(&whole[..whole.len() * tenth / 10], "", name).await;
            assert_eq!(error.class(), "malformed_document", "{name} {tenth}");
        }
    }
}

#[tokio::test]
async fn with_any_byte_changed_they_crash_nothing() {
    for (name, whole) in [
        ("a.xlsx", workbook()),
        ("a.pptx", slides()),
        ("a.odt", open_document()),
        ("a.epub", book()),
    ] {
        for place in (0..whole.len()).step_by(whole.len() / 12) {
            let mut bytes = whole.clone();
            bytes[place] ^= 0x55;
            let result = parser("parse").parse(&bytes, "", name).await;
            let class = result.err().map_or("", |error| error.class());
            assert!(!class.starts_with("parser_"), "{name} {place}: {class}");
        }
    }
}

/// An archive of one part that inflates to a thousand times its size, and of what leads to it.
fn bomb(name: &str, begin: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let mut part = begin.as_bytes().to_vec();
    part.resize(16 << 20, b' ');
    let mut parts: Vec<(&str, &[u8])> = more.iter().map(|(name, part)| (*name, part.as_bytes())).collect();
    parts.push((name, &part));
    archive(&parts)
}

#[tokio::test]
async fn what_inflates_without_end_is_a_bomb_in_each_of_them() {
    let office = |target: &str| {
        format!(
            "<Relationships><Relationship Id='r' Type='x/officeDocument' Target='{target}'/></Relationships>"
        )
    };
    let opf = "<package><manifest><item id='a' href='a.xhtml' media-type='application/xhtml+xml'/></manifest><spine>\
        <itemref idref='a'/></spine></package>";
    for (what, bytes) in [
        (
            "strings of a workbook",
            bomb(
                "xl/sharedStrings.xml",
                "<sst>",
                &[
                    ("_rels/.rels", &office("xl/workbook.xml")),
                    ("xl/workbook.xml", "<workbook/>"),
                ],
            ),
        ),
        (
            "a sheet",
            bomb(
                "xl/worksheets/sheet1.xml",
                "<worksheet>",
                &[("xl/workbook.xml", "<workbook/>")],
            ),
        ),
        (
            "slides",
            bomb(
                "ppt/presentation.xml",
                "<presentation>",
                &[("_rels/.rels", &office("ppt/presentation.xml"))],
            ),
        ),
        (
            "a text",
            bomb(
                "content.xml",
                "<document-content>",
                &[("mimetype", "application/vnd.oasis.opendocument.text")],
            ),
        ),
        (
            "a chapter",
            bomb(
                "a.xhtml",
                "<html>",
                &[
                    (
                        "META-INF/container.xml",
                        "<container><rootfile full-path='p.opf'/></container>",
                    ),
                    ("p.opf", opf),
                ],
            ),
        ),
    ] {
        assert!(bytes.len() < 512 << 10);
        assert_eq!(refused(&bytes, "", "").await, ParseError::ZipBomb, "{what}");
    }
}

#[tokio::test]
async fn a_cell_that_is_repeated_without_end_is_written_once() {
    let row = "<table:table-row table:number-rows-repeated='999999999'><table:table-cell \
        table:number-columns-repeated='999999999'><text:p>x</text:p></table:table-cell>
        <table:table-cell table:number-columns-repeated='99999999999999999999'/></table:table-row>";
    let content = format!(
        "<office:document-content><office:body><office:spreadsheet><table:table table:name='s'>{row}</table:table>\
         </office:spreadsheet></office:body></office:document-content>"
    );
    let bytes = archive(&[
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", content.as_bytes()),
    ]);
    let document = parser("parse").parse(&bytes, "", "").await.unwrap();
    assert_eq!(document.text, "## s\n\n| x |  |\n| --- | --- |");
}

#[tokio::test]
async fn more_text_than_is_taken_is_cut_in_each_of_them() {
    let words = "all work and no play ".repeat(11 << 10);
    let paragraphs = format!("<text:p>{words}</text:p>").repeat(50);
    let flat = format!(
        "<office:document xmlns:office='urn:oasis:names:tc:opendocument:xmlns:office:1.0'>\
         <office:body>{paragraphs}</office:body></office:document>"
    );
    let rtf = format!("{{\\rtf1 {}}}", format!("{words}\\par ").repeat(50));
    let mail = format!(
        "From: a@example.org\r\nSubject: x\r\n\r\n{}",
        format!("{words}\r\n").repeat(50)
    );
    for (name, bytes) in [("a.fodt", flat), ("a.rtf", rtf), ("a.eml", mail)] {
        let document = parser("parse").parse(bytes.as_bytes(), "", name).await.unwrap();
        assert!(document.truncated && document.text.len() <= MAX_TEXT, "{name}");
    }
}
