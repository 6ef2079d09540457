//! The texts that a user gets from `OpenDocument` and from books, made here part by part.

use zerodb_hooks_documents::{Kind, ParseError};

use crate::files::archive;
use crate::office::{WORDS, read};

fn content() -> String {
    format!(
        "<office:document-content><office:body><office:text><text:h text:outline-level='1'>Hours</text:h>\
         <text:p>{WORDS}</text:p>\
         </office:text></office:body></office:document-content>"
    )
}

/// A text of `LibreOffice`.
pub fn open_document() -> Vec<u8> {
    let properties = "<office:document-meta><office:meta><dc:title>Opening</dc:title></office:meta>\
        </office:document-meta>";
    archive(&[
        ("mimetype", b"application/vnd.oasis.opendocument.text"),
        ("content.xml", content().as_bytes()),
        ("meta.xml", properties.as_bytes()),
    ])
}

/// A book with two chapters.
pub fn book() -> Vec<u8> {
    let package = "<package><metadata><dc:title>Opening</dc:title></metadata><manifest>
        <item id='a' href='a%20b.xhtml' media-type='application/xhtml+xml'/><item id='c' href='c.xhtml' \
        media-type='application/xhtml+xml'/>
        </manifest><spine><itemref idref='c'/><itemref idref='a'/></spine></package>";
    let chapter = format!(
        "<?xml version='1.0'?><html><head><title/></head><body><p><a id='x'/>{WORDS}</p></body></html>"
    );
    let container = "<container><rootfiles><rootfile full-path='OEBPS/p.opf'/></rootfiles></container>";
    archive(&[
        ("mimetype", b"application/epub+zip"),
        ("META-INF/container.xml", container.as_bytes()),
        ("OEBPS/p.opf", package.as_bytes()),
        ("OEBPS/a b.xhtml", chapter.as_bytes()),
        ("OEBPS/c.xhtml", b"<html><body><h1>Hours</h1></body></html>"),
    ])
}

#[tokio::test]
async fn texts_of_libre_office_and_books() {
    let flat = format!(
        "<?xml version='1.0'?><office:document xmlns:office='urn:oasis:names:tc:opendocument:xmlns:office:1.0'>{}\
         </office:document>",
        content().replace("office:document-content", "office:x")
    );
    for (bytes, kind, title) in [
        (open_document(), Kind::OpenDocument, Some("Opening")),
        (flat.into_bytes(), Kind::OpenDocument, None),
        (book(), Kind::Epub, Some("Opening")),
    ] {
        let document = read(&bytes, "", "upload").await.unwrap();
        let expected = (kind, format!("# Hours\n\n{WORDS}"), title.map(str::to_owned));
        assert_eq!((document.kind, document.text, document.title), expected);
    }
}

#[tokio::test]
async fn documents_that_need_a_key_are_encrypted() {
    let odt = archive(&[
        ("mimetype", b"application/vnd.oasis.opendocument.text"),
        ("content.xml", b"\x01\x02\x03"),
        (
            "META-INF/manifest.xml",
            b"<manifest:manifest><manifest:file-entry><manifest:encryption-data/>\
            </manifest:file-entry></manifest:manifest>",
        ),
    ]);
    let epub = archive(&[
        (
            "META-INF/container.xml",
            b"<container><rootfile full-path='p.opf'/></container>",
        ),
        (
            "p.opf",
            b"<package><manifest><item id='a' href='a.xhtml' media-type='application/xhtml+xml'/></manifest>\
            <spine><itemref idref='a'/></spine></package>",
        ),
        ("a.xhtml", b"\x01\x02\x03"),
        (
            "META-INF/encryption.xml",
            b"<encryption><EncryptedData><CipherData><CipherReference URI='a.xhtml'/>\
            </CipherData></EncryptedData></encryption>",
        ),
    ]);
    assert_eq!(
        read(&odt, "", "").await,
        Err(ParseError::EncryptedDocument(Kind::OpenDocument))
    );
    assert_eq!(
        read(&epub, "", "").await,
        Err(ParseError::EncryptedDocument(Kind::Epub))
    );
}
