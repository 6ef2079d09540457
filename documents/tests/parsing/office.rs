//! The texts that a user gets from files of Microsoft Office, made here part by part.

use zerodb_hooks_documents::{Document, Kind, ParseError};

use crate::files::archive;
use crate::parser;

pub const WORDS: &str = "The tax office opens at nine.";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const STRICT: &str = "http://purl.oclc.org/ooxml/officeDocument/relationships";

pub async fn read(bytes: &[u8], content_type: &str, name: &str) -> Result<Document, ParseError> {
    parser("parse").parse(bytes, content_type, name).await
}

/// Relationships: id, type and target.
fn relationships(all: &[(&str, String, &str)]) -> String {
    let all: String = all
        .iter()
        .map(|(id, role, target)| format!("<Relationship Id='{id}' Type='{role}' Target='{target}'/>"))
        .collect();
    format!("<Relationships>{all}</Relationships>")
}

fn package(family: &str, target: &str) -> String {
    relationships(&[("r1", format!("{family}/officeDocument"), target)])
}

fn body(inside: &str) -> String {
    format!("<?xml version='1.0'?><w:document><w:body>{inside}</w:body></w:document>")
}

fn paragraph(words: &str) -> String {
    format!("<w:p><w:r><w:t>{words}</w:t></w:r></w:p>")
}

/// A document of Word whose body is called that, and what else is in the package.
fn word(name: &str, target: &str, inside: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let (rels, body) = (package(OFFICE, target), body(inside));
    let mut parts = vec![("_rels/.rels", rels.as_bytes()), (name, body.as_bytes())];
    parts.extend(more.iter().map(|(name, part)| (*name, part.as_bytes())));
    archive(&parts)
}

#[tokio::test]
async fn the_body_of_a_word_document_is_found_by_relationship_whatever_it_is_called() {
    let utf_16: Vec<u8> = format!("\u{FEFF}{}", body(&paragraph(WORDS)))
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let rels = package(OFFICE, "word/document.xml");
    for (what, bytes) in [
        (
            "the usual name",
            word("word/document.xml", "word/document.xml", &paragraph(WORDS), &[]),
        ),
        (
            "Word Online",
            word(
                "word/document2.xml",
                "/word/document2.xml",
                &paragraph(WORDS),
                &[],
            ),
        ),
        (
            "another folder",
            word("doc/main.xml", "./doc/main.xml", &paragraph(WORDS), &[]),
        ),
        (
            "another case",
            word("word/Document.xml", "word/document.xml", &paragraph(WORDS), &[]),
        ),
        (
            "backslashes",
            word("word\\document.xml", "word/document.xml", &paragraph(WORDS), &[]),
        ),
        (
            "the strict form",
            archive(&[
                ("_rels/.rels", package(STRICT, "word/d.xml").as_bytes()),
                ("word/d.xml", body(&paragraph(WORDS)).as_bytes()),
            ]),
        ),
        (
            "UTF-16",
            archive(&[("_rels/.rels", rels.as_bytes()), ("word/document.xml", &utf_16)]),
        ),
        (
            "no relationships",
            archive(&[("word/document.xml", body(&paragraph(WORDS)).as_bytes())]),
        ),
    ] {
        for (content_type, name) in [
            ("", "upload"),
            ("application/octet-stream", "a.docx"),
            ("application/pdf", "a.pdf"),
            ("text/plain", "a.txt"),
        ] {
            let document = read(&bytes, content_type, name).await.unwrap();
            assert_eq!(
                (document.kind, document.text.as_str()),
                (Kind::Docx, WORDS),
                "{what} {name}"
            );
        }
    }
}

#[tokio::test]
async fn styles_notes_and_embedded_documents_are_found_by_relationship_too() {
    let styles = "<w:styles><w:style w:styleId='a'><w:name w:val='heading 2'/></w:style></w:styles>";
    let notes = "<w:footnotes><w:footnote w:type='separator' w:id='0'><w:p><w:r><w:t>---</w:t></w:r></w:p></w:footnote>
        <w:footnote w:id='7'><w:p><w:r><w:t>Closed</w:t></w:r></w:p><w:p><w:r><w:t>on Sunday.</w:t></w:r></w:p>\
        </w:footnote></w:footnotes>";
    let saved = "MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: \
        text/html; charset=utf-8\r\n\
        Content-Transfer-Encoding: quoted-printable\r\n\r\n<html><body><p>From a p=\r\nage.</p></body></html>\r\n\
        --b--\r\n";
    let rels = relationships(&[
        ("s", format!("{OFFICE}/styles"), "styles7.xml"),
        ("n", format!("{OFFICE}/footnotes"), "/notes.xml"),
        ("c", format!("{OFFICE}/aFChunk"), "../chunk.mht"),
        ("d", format!("{OFFICE}/aFChunk"), "chunk.html"),
        ("e", format!("{OFFICE}/hyperlink"), "chunk.html"),
    ]);
    let inside = format!(
        "<w:p><w:pPr><w:pStyle w:val='a'/></w:pPr><w:r><w:t>Hours</w:t></w:r></w:p>
         <w:p><w:r><w:t>Nine.</w:t></w:r><w:r><w:footnoteReference w:id='7'/></w:r></w:p>
         <w:altChunk r:id='c'/><w:altChunk r:id='d'/>{}",
        paragraph("End.")
    );
    let bytes = word(
        "word/document3.xml",
        "word/document3.xml",
        &inside,
        &[
            ("word/_rels/document3.xml.rels", &rels),
            ("word/styles7.xml", styles),
            ("notes.xml", notes),
            ("chunk.mht", saved),
            ("word/chunk.html", "<html><body><h3>A page</h3></body></html>"),
        ],
    );
    let text = read(&bytes, "", "").await.unwrap().text;
    assert_eq!(
        text,
        "## Hours\n\nNine.\n\n[1] Closed on Sunday.\n\nFrom a page.\n\n### A page\n\nEnd."
    );
}

#[tokio::test]
async fn an_embedded_document_that_is_not_read_is_named_instead_of_lost() {
    let rels = relationships(&[("c", format!("{OFFICE}/aFChunk"), "chunk.bin")]);
    let parts = [
        ("word/_rels/document.xml.rels", rels.as_str()),
        ("word/chunk.bin", "\0\u{1}\u{2}\0\0"),
    ];
    let inside = paragraph("Before.") + "<w:altChunk r:id='c'/>";
    let error = read(
        &word("word/document.xml", "word/document.xml", &inside, &parts),
        "",
        "",
    )
    .await
    .unwrap_err();
    assert_eq!(error.class(), "unsupported_type");
    assert!(error.to_string().contains("it embeds a document"), "{error}");
}

#[tokio::test]
async fn documents_in_documents_end() {
    let rels = relationships(&[("c", format!("{OFFICE}/aFChunk"), "inner.docx")]);
    let (package, body) = (
        package(OFFICE, "word/document.xml"),
        body("<w:altChunk r:id='c'/>"),
    );
    let mut nested = word("word/document.xml", "word/document.xml", &paragraph(WORDS), &[]);
    for depth in 1..5 {
        nested = archive(&[
            ("_rels/.rels", package.as_bytes()),
            ("word/document.xml", body.as_bytes()),
            ("word/_rels/document.xml.rels", rels.as_bytes()),
            ("word/inner.docx", &nested),
        ]);
        let result = read(&nested, "", "").await;
        match depth {
            1 | 2 => assert_eq!(result.unwrap().text, WORDS),
            _ => assert_eq!(result.unwrap_err().class(), "unsupported_type"),
        }
    }
}

#[tokio::test]
async fn one_xml_file_is_a_document_too() {
    let flat = format!(
        "<?xml version='1.0'?><?mso-application progid='Word.Document'?>
         <pkg:package xmlns:pkg='http://schemas.microsoft.com/office/2006/xmlPackage'><pkg:part \
         pkg:name='/word/header1.xml'><pkg:xmlData>
         <w:hdr>{}</w:hdr></pkg:xmlData></pkg:part><pkg:part pkg:name='/word/document.xml'>\
         <pkg:xmlData>{}</pkg:xmlData></pkg:part></pkg:package>",
        paragraph("Letterhead"),
        body(&paragraph(WORDS)).trim_start_matches("<?xml version='1.0'?>")
    );
    let document = read(flat.as_bytes(), "application/xml", "a.xml").await.unwrap();
    assert_eq!((document.kind, document.text.as_str()), (Kind::Docx, WORDS));
}

/// A workbook with two sheets.
pub fn workbook() -> Vec<u8> {
    let main = "<workbook><sheets><sheet name='Prices' sheetId='1' r:id='r1'/><sheet name='Empty' sheetId='2' \
        r:id='r2'/></sheets></workbook>";
    let sheet = "<worksheet><sheetData><row r='1'><c r='A1' t='s'><v>0</v></c><c r='C1' t='inlineStr'><is><t>cents</t>\
        </is></c></row>
        <row r='3'><c r='A3' t='s'><v>1</v></c><c r='C3'><v>0.30000000000000004</v></c><c r='D3' s='1'><v>45943</v></c>\
        </row></sheetData></worksheet>";
    let styles =
        "<styleSheet><cellXfs count='2'><xf numFmtId='0'/><xf numFmtId='14'/></cellXfs></styleSheet>";
    archive(&[
        ("_rels/.rels", package(OFFICE, "xl/workbook.xml").as_bytes()),
        ("xl/workbook.xml", main.as_bytes()),
        (
            "xl/_rels/workbook.xml.rels",
            relationships(&[
                ("r1", format!("{OFFICE}/worksheet"), "worksheets/sheet1.xml"),
                ("r2", format!("{OFFICE}/worksheet"), "worksheets/sheet2.xml"),
                ("r3", format!("{OFFICE}/sharedStrings"), "sharedStrings.xml"),
                ("r4", format!("{OFFICE}/styles"), "styles.xml"),
            ])
            .as_bytes(),
        ),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
        ("xl/worksheets/sheet2.xml", b"<worksheet><sheetData/></worksheet>"),
        (
            "xl/sharedStrings.xml",
            b"<sst><si><t>bread</t></si><si><t>rye</t></si></sst>",
        ),
        ("xl/styles.xml", styles.as_bytes()),
    ])
}

#[tokio::test]
async fn a_workbook_is_its_sheets() {
    let document = read(&workbook(), "application/octet-stream", "upload")
        .await
        .unwrap();
    assert_eq!(
        document.text,
        "## Prices\n\n| bread |  | cents |\n| --- | --- | --- |\n| rye |  | 0.3 | 2025-10-13 |"
    );
    assert!(document.kind == Kind::Spreadsheet && document.kind.is_markdown());
}

/// Two slides, the second of which is called the first.
pub fn slides() -> Vec<u8> {
    let shape = |kind: &str, words: &str| {
        format!(
            "<p:sp><p:nvSpPr><p:nvPr><p:ph type='{kind}'/></p:nvPr></p:nvSpPr><p:txBody><a:p><a:r><a:t>{words}</a:t>\
             </a:r></a:p></p:txBody></p:sp>"
        )
    };
    let slide = |inside: &str| format!("<p:sld><p:cSld><p:spTree>{inside}</p:spTree></p:cSld></p:sld>");
    let main = "<p:presentation><p:sldIdLst><p:sldId id='256' r:id='r2'/><p:sldId id='257' r:id='r1'/></p:sldIdLst>\
        </p:presentation>";
    let (first, notes) = (
        slide(&(shape("body", "Flour") + &shape("title", "Dough"))),
        slide(&(shape("sldNum", "1") + &shape("body", "Say why."))),
    );
    let second = slide(
        "<p:graphicFrame><a:tbl><a:tr><a:tc><a:p><a:r><a:t>x</a:t></a:r></a:p></a:tc><a:tc><a:p><a:r><a:t>y</a:t></a:r>\
         </a:p></a:tc></a:tr></a:tbl></p:graphicFrame>",
    );
    archive(&[
        ("_rels/.rels", package(OFFICE, "ppt/presentation.xml").as_bytes()),
        ("ppt/presentation.xml", main.as_bytes()),
        (
            "ppt/_rels/presentation.xml.rels",
            relationships(&[
                ("r1", format!("{OFFICE}/slide"), "slides/slide1.xml"),
                ("r2", format!("{OFFICE}/slide"), "slides/slide2.xml"),
            ])
            .as_bytes(),
        ),
        ("ppt/slides/slide1.xml", second.as_bytes()),
        ("ppt/slides/slide2.xml", first.as_bytes()),
        (
            "ppt/slides/_rels/slide2.xml.rels",
            relationships(&[("n", format!("{OFFICE}/notesSlide"), "../notesSlides/n.xml")]).as_bytes(),
        ),
        ("ppt/notesSlides/n.xml", notes.as_bytes()),
    ])
}

#[tokio::test]
async fn slides_come_in_the_order_in_which_they_are_shown() {
    let document = read(&slides(), "", "a.pptx").await.unwrap();
    assert_eq!(
        document.text,
        "## Dough\n\n- Flour\n- Say why.\n\n## Slide 2\n\n| x | y |\n| --- | --- |"
    );
    assert!(document.kind == Kind::Slides && document.kind.is_markdown());
}
