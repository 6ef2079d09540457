//! Files that are broken, or made to break what reads them. Each ends as an error of its own, or as the text that can
//! be saved, and the caller goes on.

use zerodb_hooks_documents::{Clock, Kind, MAX_INPUT, MAX_TEXT, ParseError, Unread};

use crate::files::{BREAD_PDF, archive, bomb, docx, pdf, stream};
use crate::{parser, refused};

const BROKEN_PDF: ParseError = ParseError::MalformedDocument(Kind::Pdf);
const BROKEN_DOCX: ParseError = ParseError::MalformedDocument(Kind::Docx);
const FONT: &str = "/Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>";
const HELLO: &str = "BT /F 12 Tf 72 720 Td (Hello) Tj ET";

async fn text(bytes: &[u8]) -> String {
    parser("parse").parse(bytes, "", "").await.unwrap().text
}

/// A PDF with one page, whose resources and content these are, and more objects from number 5.
fn page(resources: &str, content: &str, more: &[&str]) -> Vec<u8> {
    let page = format!("<< /Type /Page /Parent 2 0 R /Resources << {FONT} {resources} >> /Contents 4 0 R >>");
    let content = stream("", content);
    let pages = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>";
    pdf(&[
        &["<< /Type /Catalog /Pages 2 0 R >>", pages, &page, &content],
        more,
    ]
    .concat())
}

#[tokio::test]
async fn nothing_at_all_and_nothing_but_space_is_empty() {
    assert_eq!(
        refused(b"", "text/plain", "a.txt").await,
        ParseError::EmptyDocument
    );
    assert_eq!(
        refused(b" \n\t\r\n", "text/plain", "a.txt").await,
        ParseError::EmptyDocument
    );
    assert_eq!(
        refused(&page("", "", &[]), "", "scan.pdf").await,
        ParseError::EmptyDocument
    );
}

#[tokio::test]
async fn what_cannot_be_read_as_text_is_unsupported() {
    let noise: Vec<u8> = (0..10_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    assert_eq!(refused(&noise, "", "").await, ParseError::UnsupportedType);
    assert_eq!(
        refused(&archive(&[("a.txt", b"a")]), "", "a.zip").await,
        ParseError::Unread(Unread::Archive)
    );
}

#[tokio::test]
async fn a_truncated_pdf_gives_what_is_left_or_is_malformed() {
    assert_eq!(refused(&BREAD_PDF[..300], "", "").await, BROKEN_PDF);
    assert_eq!(refused(b"%PDF-1.7\ngarbage", "", "").await, BROKEN_PDF);
    for tenth in 1..10 {
        // Never a crash, wherever it is cut.
        let cut = &BREAD_PDF[..BREAD_PDF.len() * tenth / 10];
        let result = parser("parse").parse(cut, "", "").await;
        assert!(
            matches!(result, Ok(_) | Err(BROKEN_PDF | ParseError::EmptyDocument)),
            "{tenth}: {result:?}"
        );
    }
}

#[tokio::test]
async fn a_pdf_without_a_usable_table_of_objects_is_read() {
    let mut garbled = BREAD_PDF.to_vec();
    let table = garbled
        .windows(5)
        .rposition(|window| window == b"xref\n")
        .unwrap()
        - "start".len();
    for byte in &mut garbled[table..] {
        *byte = byte.wrapping_mul(31).wrapping_add(7);
    }
    assert!(text(&garbled).await.contains("Heat the oven to 240 °C."));
}

#[tokio::test]
async fn objects_that_hold_themselves_end() {
    let kids = pdf(&[
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>",
    ]);
    assert_eq!(refused(&kids, "", "").await, BROKEN_PDF);
    let form = stream(
        "/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 5 0 R >> >>",
        "/X Do /X Do",
    );
    let drawn = page("/XObject << /X 5 0 R >>", &format!("/X Do {HELLO}"), &[&form]);
    assert_eq!(text(&drawn).await, "Hello");
    let length = "<< /Length 5 0 R >>\nstream\nx\nendstream";
    assert_eq!(
        text(&page(
            "/XObject << /X 5 0 R >>",
            &format!("/X Do {HELLO}"),
            &[length]
        ))
        .await,
        "Hello"
    );
}

#[tokio::test]
async fn a_page_count_is_not_believed_and_the_pages_are_bounded() {
    let catalog = "<< /Type /Catalog /Pages 2 0 R >>";
    let one = format!("<< /Type /Page /Parent 2 0 R /Resources << {FONT} >> /Contents 4 0 R >>");
    let many = "<< /Type /Pages /Kids [3 0 R] /Count 2147483647 >>";
    assert_eq!(
        text(&pdf(&[catalog, many, &one, &stream("", HELLO)])).await,
        "Hello"
    );
    let again = format!(
        "<< /Type /Pages /Kids [{}] /Count 25000 >>",
        "3 0 R ".repeat(25_000)
    );
    let document = parser("parse")
        .parse(&pdf(&[catalog, &again, &one, &stream("", HELLO)]), "", "")
        .await
        .unwrap();
    assert_eq!(document.text, "Hello", "a page that is named again is read once");
    let kids: String = (0..20_001).map(|number| format!("{} 0 R ", number + 4)).collect();
    let all = format!("<< /Type /Pages /Kids [{kids}] /Count 20001 >>");
    let page = format!("<< /Type /Page /Parent 2 0 R /Resources << {FONT} >> /Contents 3 0 R >>");
    let content = stream("", HELLO);
    let mut objects = vec![catalog, &all, &content];
    objects.extend(std::iter::repeat_n(page.as_str(), 20_001));
    let document = parser("parse").parse(&pdf(&objects), "", "").await.unwrap();
    assert_eq!(
        (document.truncated, document.text.split_whitespace().count()),
        (true, 20_000)
    );
}

#[tokio::test]
async fn forms_that_double_at_each_level_run_out_of_time() {
    let form = |number: usize| {
        let resources = format!("/Resources << {FONT} /XObject << /X {} 0 R >> >>", number + 1);
        stream(
            &format!("/Type /XObject /Subtype /Form /BBox [0 0 9 9] {resources}"),
            "/X Do /X Do /X Do /X Do",
        )
    };
    let forms: Vec<String> = (5..40).map(form).collect();
    let forms: Vec<&str> = forms.iter().map(String::as_str).collect();
    let bytes = page("/XObject << /X 5 0 R >>", "/X Do", &forms);
    let mut impatient = parser("parse");
    impatient.limits.cpu = std::time::Duration::from_secs(1);
    let result = impatient.parse(&bytes, "", "").await;
    assert_eq!(result, Err(ParseError::ParserTimeout(Clock::Cpu)));
}

#[tokio::test]
async fn an_archive_that_inflates_to_a_thousand_times_its_size_is_a_bomb() {
    let bytes = bomb();
    assert!(bytes.len() < 512 << 10);
    assert_eq!(refused(&bytes, "", "a.docx").await, ParseError::ZipBomb);
}

#[tokio::test]
async fn archives_within_archives_are_not_opened() {
    let mut nested = docx("<w:document/>");
    for _ in 0..20 {
        nested = archive(&[("word/document.xml", &nested)]);
    }
    assert_eq!(refused(&nested, "", "a.docx").await, BROKEN_DOCX);
    assert_eq!(
        refused(&nested[..nested.len() / 2], "", "a.docx").await,
        BROKEN_DOCX
    );
}

#[tokio::test]
async fn entities_are_neither_expanded_nor_fetched() {
    let laughs: String = (1..10)
        .map(|n| format!("<!ENTITY l{n} '{}'>", format!("&l{};", n - 1).repeat(10)))
        .collect();
    let bomb = docx(&format!(
        "<!DOCTYPE x [<!ENTITY l0 'ha'>{laughs}]><w:document><w:p><w:t>&l9;</w:t></w:p></w:document>"
    ));
    assert_eq!(refused(&bomb, "", "").await, BROKEN_DOCX);
    let outside = docx("<!DOCTYPE x [<!ENTITY f SYSTEM 'file:///etc/passwd'>]><w:p><w:t>&f;</w:t></w:p>");
    assert_eq!(refused(&outside, "", "").await, BROKEN_DOCX);
    assert_eq!(
        refused(&docx(&"<w:p>".repeat(1_000_000)), "", "").await,
        BROKEN_DOCX
    );
}

#[tokio::test]
async fn a_hundred_megabytes_of_text_give_the_first_ten() {
    let line = b"A line of the log that is neither long nor short.\n";
    let bytes = line.repeat(100_000_000 / line.len());
    let document = parser("parse")
        .parse(&bytes, "text/plain", "a.log")
        .await
        .unwrap();
    assert!(document.truncated && document.text.len() <= MAX_TEXT && document.text.len() > MAX_TEXT - 100);
    let error = refused(&vec![b'a'; MAX_INPUT + 1], "text/plain", "a.log").await;
    assert_eq!(
        error,
        ParseError::TooLarge {
            limit: MAX_INPUT as u64
        }
    );
}

#[tokio::test]
async fn a_page_of_any_depth_is_read() {
    let mut patient = parser("parse");
    patient.limits.wall = std::time::Duration::from_secs(300);
    for (open, depth, words) in [
        ("<div>", 4_000, "deep"),
        ("<b>", 1_000, "deep"),
        ("<ul><li>", 1_000, "- deep"),
        ("<table><tr><td>", 1_000, "deep"),
        ("<span>", 4_000, "deep"),
    ] {
        let page = format!("<html>{}deep", open.repeat(depth));
        let document = patient.parse(page.as_bytes(), "text/html", "").await.unwrap();
        assert_eq!(document.text.trim(), words, "{open}");
    }
}

#[tokio::test]
async fn a_page_that_needs_too_much_memory_is_told_as_that() {
    let page = format!("<html>{}", "<p>a".repeat(2 << 20));
    let mut poor = parser("parse");
    poor.limits.memory = 192 << 20;
    let result = poor.parse(page.as_bytes(), "text/html", "").await;
    assert_eq!(result, Err(ParseError::ParserMemory));
}
