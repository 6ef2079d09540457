//! In which encoding a file is read: by its mark, what is said of it, what it says itself, and what it looks like.

use encoding_rs::Encoding;
use zerodb_hooks_documents::ParseError;

use crate::{parser, refused};

const RUSSIAN: &str = "Налоговая служба открывается в девять часов утра.";
const GERMAN: &str = "Das Büro öffnet um neun – für Müller.";

async fn read(bytes: &[u8], content_type: &str) -> Result<String, ParseError> {
    let document = parser("parse").parse(bytes, content_type, "").await;
    document.map(|document| document.text)
}

fn encoded(text: &str, label: &str) -> Vec<u8> {
    match label {
        "utf-16le" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        "utf-16be" => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        _ => {
            let (bytes, _, failed) = Encoding::for_label(label.as_bytes()).unwrap().encode(text);
            assert!(!failed, "{text} in {label}");
            bytes.into_owned()
        }
    }
}

#[tokio::test]
async fn a_text_that_says_nothing_of_its_encoding_is_recognised() {
    let mut wrong = Vec::new();
    for (text, labels) in [
        (
            RUSSIAN,
            &[
                "utf-8",
                "windows-1251",
                "koi8-r",
                "iso-8859-5",
                "ibm866",
                "utf-16le",
                "utf-16be",
            ][..],
        ),
        (GERMAN, &["windows-1252", "utf-16le"]),
        (
            "Zażółć gęślą jaźń. Urząd skarbowy otwiera się o dziewiątej.",
            &["windows-1250", "iso-8859-2", "utf-16be"],
        ),
        (
            "税務署は九時に開きます。",
            &["shift_jis", "euc-jp", "iso-2022-jp"],
        ),
        ("税务局九点开门。请带上您的文件。", &["gbk", "gb18030"]),
        ("稅務局九點開門。請帶上您的文件。", &["big5"]),
        ("세무서는 아홉 시에 문을 엽니다.", &["euc-kr"]),
        ("Η εφορία ανοίγει στις εννέα το πρωί.", &["windows-1253"]),
        ("רשות המסים נפתחת בתשע.", &["windows-1255"]),
        ("مصلحة الضرائب تفتح في التاسعة.", &["windows-1256"]),
        ("สำนักงานภาษีเปิดเก้าโมงเช้า", &["windows-874"]),
        ("Bread", &["utf-8", "utf-16le", "utf-16be"]),
    ] {
        for label in labels {
            let bytes = encoded(text, label);
            for (content_type, bytes) in [
                ("text/plain", bytes.clone()),
                ("text/html", [b"<p>", &bytes[..]].concat()),
            ] {
                if label.starts_with("utf-16") && content_type == "text/html" {
                    continue;
                }
                let read = read(&bytes, content_type).await;
                if read.as_deref() != Ok(text) {
                    wrong.push(format!("{label} as {content_type}: {read:?}, not {text}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_cannot_be_recognised_asks_for_its_charset() {
    for bytes in [
        encoded("Да", "windows-1251"),
        encoded("你好", "gbk"),
        b"\x81\x8D\x8F\x90\x9D\xA0 nothing in particular".to_vec(),
    ] {
        let error = refused(&bytes, "text/plain", "").await;
        assert_eq!((error.class(), error.is_permanent()), ("unknown_encoding", true));
        assert!(error.to_string().contains("text/plain; charset="), "{error}");
    }
    assert_eq!(
        read(&encoded("Да", "windows-1251"), "text/plain; charset=windows-1251")
            .await
            .as_deref(),
        Ok("Да")
    );
    for content_type in [
        "text/plain; charset=klingon",
        "text/html; charset=klingon",
        "text/csv; charset=hz-gb-2312",
    ] {
        assert_eq!(
            refused(b"words", content_type, "").await,
            ParseError::UnknownCharset,
            "{content_type}"
        );
    }
}

#[tokio::test]
async fn a_page_is_read_as_the_standard_says() {
    let page = |head: &str, label: &str| encoded(&format!("{head}<p>{RUSSIAN}</p>"), label);
    let long = format!("<!--{}--><meta charset=windows-1251>", "x".repeat(1500));
    let mut wrong = Vec::new();
    for (bytes, content_type) in [
        (page("<meta charset=windows-1251>", "windows-1251"), "text/html"),
        (
            page("<meta charset=utf-8>", "windows-1251"),
            "text/html; charset=windows-1251",
        ),
        (
            page("<meta charset=koi8-r>", "windows-1251"),
            "text/html; charset=cp1251",
        ),
        (
            page("<meta charset=windows-1251>", "windows-1251"),
            "text/html; charset=klingon",
        ),
        (page("<meta charset=utf-16>", "utf-8"), "text/html"),
        (
            page(
                "<!-- <meta charset=koi8-r> --><meta charset=windows-1251>",
                "windows-1251",
            ),
            "text/html",
        ),
        (
            page(
                "<script charset=utf-8></script><meta charset = \"windows-1251\">",
                "windows-1251",
            ),
            "text/html",
        ),
        (
            page("<?xml version='1.0' encoding='windows-1251'?>", "windows-1251"),
            "application/xhtml+xml",
        ),
        (page(&long, "windows-1251"), "text/html"),
        (
            [b"\xEF\xBB\xBF", &page("<meta charset=windows-1251>", "utf-8")[..]].concat(),
            "text/html; charset=koi8-r",
        ),
        (
            [b"\xFF\xFE", &page("<meta charset=utf-8>", "utf-16le")[..]].concat(),
            "text/html",
        ),
        (page("", "utf-16be"), "text/html"),
        (page("", "utf-16le"), "text/html; charset=utf-16"),
    ] {
        let read = read(&bytes, content_type).await;
        if read.as_deref() != Ok(RUSSIAN) {
            wrong.push(format!(
                "{content_type}, {:.60}: {read:?}",
                String::from_utf8_lossy(&bytes)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
