//! The words that a user gets from text that is wrapped: messages, notebooks, base64.

use zerodb_hooks_documents::{Document, Kind, ParseError, Unread};

use crate::{parser, refused};

const WORDS: &str = "The tax office opens at nine.";
/// [`WORDS`] in base64.
const ENCODED: &str = "VGhlIHRheCBvZmZpY2Ugb3BlbnMgYXQgbmluZS4=";

async fn read(bytes: &[u8], content_type: &str, name: &str) -> Document {
    parser("parse").parse(bytes, content_type, name).await.unwrap()
}

/// An image in base64, in lines of that length.
fn image(line: usize) -> String {
    let letters: Vec<char> = "iVBORw0KGgoAAAANSUhEUgAAAAUBb9qXfTz7mKpLd23+/sYQe"
        .chars()
        .cycle()
        .take(2000)
        .collect();
    letters
        .chunks(line)
        .map(|line| line.iter().collect::<String>() + "\r\n")
        .collect()
}

fn mail() -> String {
    format!(
        "From: office@example.org\r\nTo: you@example.org\r\nSubject: Hours\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{ENCODED}\r\n--b\r\nContent-Type: image/png; name=map.png\r\n\
         Content-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n{}--b--\r\n",
        image(76)
    )
}

#[tokio::test]
async fn a_mail_is_its_words_whatever_it_is_called() {
    let expected = format!(
        "Subject: Hours\nFrom: office@example.org\nTo: you@example.org\n\n{WORDS}\n\nAttachment: map.png"
    );
    for (content_type, name) in [
        ("message/rfc822", "mail.eml"),
        ("application/octet-stream", "mail.eml"),
        ("", "upload"),
        ("text/plain", "mail.txt"),
    ] {
        let document = read(mail().as_bytes(), content_type, name).await;
        assert_eq!(
            (document.kind, document.text.as_str()),
            (Kind::Mail, expected.as_str()),
            "{name}"
        );
        assert_eq!(document.title.as_deref(), Some("Hours"));
    }
}

#[tokio::test]
async fn a_saved_page_is_the_page() {
    let saved = format!(
        "From: <Saved by Blink>\r\nSnapshot-Content-Location: https://example.org/\r\nSubject: Hours\r\nMIME-Version: \
         1.0\r\n\
         Content-Type: multipart/related; type=\"text/html\"; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/html\r\n\
         Content-Transfer-Encoding: quoted-printable\r\n\r\n<html><body><p>The tax office opens at ni=\r\nne.</p>\
         </body></html>\r\n\
         --b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n{}--b--\r\n",
        image(76)
    );
    for (content_type, name) in [
        ("multipart/related", "page.mht"),
        ("message/rfc822", "page.mhtml"),
        ("", "upload"),
    ] {
        let document = read(saved.as_bytes(), content_type, name).await;
        assert_eq!(
            (document.kind, document.text.as_str()),
            (Kind::WebArchive, WORDS),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_notebook_is_its_cells() {
    let notebook = format!(
        "{{\"cells\": [{{\"cell_type\": \"markdown\", \"source\": [\"{WORDS}\"]}}, {{\"cell_type\": \"code\", \
         \"source\": \"x\", \
         \"outputs\": [{{\"data\": {{\"image/png\": \"{}\"}}}}]}}], \"nbformat\": 4, \"nbformat_minor\": 2}}",
        image(76).replace("\r\n", "\\n")
    );
    for (content_type, name) in [
        ("application/x-ipynb+json", ""),
        ("application/octet-stream", "n.ipynb"),
        ("application/json", "n.json"),
        ("", ""),
    ] {
        let document = read(notebook.as_bytes(), content_type, name).await;
        assert_eq!(document.text, format!("{WORDS}\n\n```\nx\n```"), "{content_type}");
        assert_eq!(document.kind, Kind::Notebook);
    }
}

#[tokio::test]
async fn a_nameless_page_that_begins_with_a_comment_or_a_declaration_is_a_page() {
    for begin in [
        "<!-- saved from url=(0021)https://example.org/ -->\n<html>",
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!DOCTYPE html PUBLIC \"x\" \"y\">\n<html>",
        "<!-- a -->\n<!-- b -->\n<div>",
        "<table><tr><td>",
        "<style>p {}</style>",
    ] {
        for content_type in ["", "application/octet-stream"] {
            let page = format!("{begin}<p>{WORDS}</p>");
            let document = read(page.as_bytes(), content_type, "upload").await;
            assert_eq!(
                (document.kind, document.text.trim()),
                (Kind::Html, WORDS),
                "{begin}"
            );
        }
    }
}

#[tokio::test]
async fn base64_is_no_text() {
    let letters = image(2000);
    let letters = letters.trim();
    for (text, name, expected) in [
        (
            format!("![map](data:image/png;base64,{letters}) {WORDS}"),
            "a.md",
            format!("![map](data:image/png) {WORDS}"),
        ),
        (
            format!("{{\"a\": \"{letters}\"}}"),
            "a.json",
            "{\"a\": \"\"}".to_owned(),
        ),
        (
            format!("{WORDS}\n\n{}\n{WORDS}", image(64)),
            "a.txt",
            format!("{WORDS}\n\n\n{WORDS}"),
        ),
    ] {
        assert_eq!(
            read(text.as_bytes(), "", name)
                .await
                .text
                .replace("\n\n\n\n", "\n\n\n"),
            expected,
            "{name}"
        );
    }
    for name in ["a.b64", "a.txt", ""] {
        let error = refused(image(76).as_bytes(), "", name).await;
        assert_eq!(error, ParseError::Unread(Unread::Base64), "{name}");
    }
}

#[tokio::test]
async fn what_is_not_read_says_what_it_is_and_what_to_do() {
    let archive = refused(b"PK\x03\x04 no document", "", "a.zip").await;
    assert_eq!(
        format!("{}: {archive}", archive.class()),
        "unsupported_type: files of this type are not read: an archive; store the files that are in it one by one"
    );
}

#[tokio::test]
async fn rich_text_is_its_text() {
    let rtf = concat!(
        r"{\rtf1\ansi\ansicpg1251{\fonttbl{\f0\fcharset204 Times;}}{\info{\title Hours}}",
        r"\f0 \'cf\'f0\'e8\'e2\'e5\'f2\par {\pict 89504e47}The tax office opens at nine.}"
    )
    .as_bytes();
    for (content_type, name) in [
        ("text/rtf", ""),
        ("application/msword", "a.doc"),
        ("text/plain", "a.txt"),
    ] {
        let document = read(rtf, content_type, name).await;
        assert_eq!(document.text, format!("Привет\n\n{WORDS}"), "{name}");
        assert_eq!(
            (document.kind, document.title.as_deref()),
            (Kind::Rtf, Some("Hours"))
        );
    }
}
