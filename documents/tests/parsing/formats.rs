//! The texts that a user gets from the files that are read.

use zerodb_hooks_documents::{Document, Kind, ParseError};

use crate::files::{BREAD_DOCX, BREAD_PDF, BREAD_WITH_PASSWORD};
use crate::parser;

async fn read(bytes: &[u8], content_type: &str, file_name: &str) -> Document {
    parser("parse")
        .parse(bytes, content_type, file_name)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_pdf_gives_its_title_and_its_words_by_line_and_paragraph() {
    let document = read(BREAD_PDF, "", "").await;
    assert_eq!(
        (document.kind, document.title.as_deref()),
        (Kind::Pdf, Some("Bread for Beginners"))
    );
    let paragraphs: Vec<String> = document
        .text
        .split("\n\n")
        .map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(paragraphs[..2], ["Bread for Beginners", "Dough"]);
    assert!(
        paragraphs[2].starts_with("Mix 500 g of flour with 350 g of water"),
        "{paragraphs:?}"
    );
    assert!(
        document
            .text
            .contains("Crème fraîche and Käse are served with it.")
    );
    assert!(
        document.text.contains("• a scale\n• a bowl\n• a stone"),
        "{}",
        document.text
    );
    assert!(document.text.ends_with("the last ten of them at 200 °C."));
}

#[tokio::test]
async fn a_word_document_becomes_markdown() {
    let document = read(BREAD_DOCX, "", "").await;
    assert_eq!(
        (document.kind, document.title.as_deref()),
        (Kind::Docx, Some("Bread for Beginners"))
    );
    let expected = "# Bread for Beginners\n\n# Dough\n\nMix 500 g of flour with 350 g of water and leave it for thirty \
        minutes. Then add 10 g of salt and a little yeast; knead the dough until it is smooth. Crème fraîche and Käse \
        are served with it.\n\n- a scale\n- a bowl\n- a stone\n\n| Step | Minutes |\n| --- | --- |\n| knead | 10 |\n\
        | bake | 40 |\n\n# Oven\n\nHeat the oven to 240 °C. Bake the loaf for forty minutes, the last ten of them at \
        200 °C.";
    assert_eq!(document.text, expected);
}

#[tokio::test]
async fn a_document_with_a_password_is_told_apart_from_a_broken_one() {
    let error = parser("parse")
        .parse(BREAD_WITH_PASSWORD, "application/pdf", "a.pdf")
        .await;
    assert_eq!(error, Err(ParseError::EncryptedDocument(Kind::Pdf)));
}

#[tokio::test]
async fn text_of_all_sorts_is_kept_as_it_is() {
    for (bytes, content_type, name, kind) in [
        (&b"# Title\n\nwords"[..], "", "a.md", Kind::Markdown),
        (b"{\"a\": [1, 2]}", "application/json", "", Kind::Json),
        (b"a,b\n1,2", "text/csv", "", Kind::Csv),
        (
            b"fn main() {}",
            "application/octet-stream",
            "main.rs",
            Kind::Source,
        ),
        (b"words", "text/plain", "", Kind::PlainText),
    ] {
        let document = read(bytes, content_type, name).await;
        assert_eq!((document.kind, document.text.as_bytes()), (kind, bytes));
    }
    assert_eq!(
        read(b"# Title\n\nwords", "", "a.md").await.title.as_deref(),
        Some("Title")
    );
}

#[tokio::test]
async fn a_page_becomes_markdown_with_its_title() {
    let page =
        b"<!doctype html><title>Bread</title><nav>Home</nav><h1>Dough</h1><p>Mix.</p><script>x()</script>";
    let document = read(page, "text/html", "").await;
    assert_eq!(
        (document.text.as_str(), document.title.as_deref()),
        ("# Dough\n\nMix.", Some("Bread"))
    );
}

#[tokio::test]
async fn what_is_not_utf_8_is_read_nevertheless() {
    assert_eq!(read(b"\xFF\xFEG\0r\0\xFC\0", "text/plain", "").await.text, "Grü");
    assert_eq!(read(b"Gr\xFC\xDFe", "text/plain", "").await.text, "Grüße");
    assert_eq!(
        read(b"K\xC3\xB6ln \xFF\xFE", "text/plain", "").await.text,
        "Köln \u{FFFD}\u{FFFD}"
    );
}
