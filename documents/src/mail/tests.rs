//! The texts of messages.

use super::*;

fn text(message: &str) -> String {
    parse(message.replace('\n', "\r\n").as_bytes()).unwrap().text
}

const HEAD: &str = "From: =?utf-8?Q?J=C3=BCrgen?= <j@example.org>\nTo: a@example.org, \"B, b\" <b@example.org>\n\
                    Subject: =?utf-8?B?R3LDvMOfZQ==?= from\n the office\nDate: Mon, 1 Jun 2026 09:00:00 +0200\n\
                    MIME-Version: 1.0\n";
const SHOWN: &str = "Subject: Grüße from the office\nFrom: Jürgen <j@example.org>\nTo: a@example.org, B, b \
    <b@example.org>\n\
                     Date: 2026-06-01T09:00:00+02:00\n\n";

#[test]
fn a_message_is_its_headers_and_its_text() {
    for (rest, words) in [
        ("\nHello\nthere.\n", "Hello\nthere."),
        (
            "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n\
             U2VociBnZWVocnRlIERhbWVuLA==\n",
            "Sehr geehrte Damen,",
        ),
        (
            "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nGr=FC=DFe=\n\
             !\n",
            "Grüße!",
        ),
        (
            "Content-Type: text/html; charset=utf-8\n\n<p>The <b>office</b></p><script>x()</script>\n",
            "The office",
        ),
        (
            "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nplain\n--b\n\
             Content-Type: text/html\n\n<p>page</p>\n--b--\n",
            "plain",
        ),
        (
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nSee the file.\n--b\n\
             Content-Type: application/pdf\nContent-Disposition: attachment; filename=\"a b.pdf\"\n\
             Content-Transfer-Encoding: base64\n\nJVBERi0xLjcK\n--b--\n",
            "See the file.\n\nAttachment: a b.pdf",
        ),
    ] {
        assert_eq!(
            text(&format!("{HEAD}{rest}")),
            format!("{SHOWN}{words}"),
            "{rest}"
        );
    }
}

#[test]
fn a_mailbox_is_its_messages() {
    let one = |number: u8| {
        format!(
            "From x Mon Jun  1 09:00:00 2026\nFrom: a@example.org\nSubject: {number}\n\nWords {number}.\n\n"
        )
    };
    let shown = |number: u8| format!("Subject: {number}\nFrom: a@example.org\n\nWords {number}.");
    let expected = format!("{}\n\n{}", shown(1), shown(2));
    assert_eq!(text(&(one(1) + &one(2))), expected);
    assert_eq!(parse((one(1) + &one(2)).as_bytes()).unwrap().text, expected);
}

#[test]
fn a_saved_page_is_the_page() {
    let archive = "From: <Saved by a browser>\nSubject: Opening hours\nMIME-Version: 1.0\nContent-Type: \
        multipart/related; type=\"text/html\"; boundary=\"b\"\n\n\
                   --b\nContent-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n<h1>Hours</h1><p>The \
                   office opens at ni=\nne.</p>\n\
                   --b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=\n--b--\n";
    let document = parse_page(archive.replace('\n', "\r\n").as_bytes()).unwrap();
    assert_eq!(document.text, "# Hours\n\nThe office opens at nine.");
    assert_eq!(
        (document.kind, document.title.as_deref()),
        (Kind::WebArchive, Some("Opening hours"))
    );
}

#[test]
fn messages_in_messages_end() {
    let part = |inner: &str| format!("Content-Type: message/rfc822\n\n{inner}");
    let nested = (0..2000).fold(format!("{HEAD}\nInnermost.\n"), |inner, _| part(&inner));
    assert!(parse(format!("{HEAD}{nested}").as_bytes()).is_ok());
    let open: String = (0..5000)
        .map(|level| format!("Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n"))
        .collect();
    assert!(parse(format!("{HEAD}{open}").as_bytes()).is_ok());
}
